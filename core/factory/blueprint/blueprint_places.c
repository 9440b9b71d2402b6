/* Reads the places of a blueprint. States are identified by their code, counties by name and
 * state. */
#include "base/memory/map.h"
#include "base/system/ctx.h"
#include "factory/blueprint/blueprint_take.h"

enum { PLACE_NAME_MAX = 100, CODE_MAX = 10, POPULATION_MAX = INT32_MAX };

static Err read_common(struct ctx *ctx, const struct json *item, Str where,
                       struct blueprint_list *list, uint32_t row)
{
    if (json_kind(item) != JSON_OBJECT)
        return blueprint_refuse(ctx, where, NULL, "has to be an object");
    TRY(blueprint_text(ctx, item, where, "name", PLACE_NAME_MAX, true, &list->columns[0][row]));
    return blueprint_number(ctx, item, where, "population", 0, POPULATION_MAX, &list->numbers[row]);
}

static Err read_state(struct ctx *ctx, const struct json *item, Str where,
                      struct blueprint_list *list, uint32_t row)
{
    TRY(read_common(ctx, item, where, list, row));
    TRY(blueprint_text(ctx, item, where, "code", CODE_MAX, true, &list->columns[1][row]));
    TRY(blueprint_text(ctx, item, where, "country_code", CODE_MAX, false, &list->columns[2][row]));
    return blueprint_text(ctx, item, where, "region", PLACE_NAME_MAX, false,
                          &list->columns[3][row]);
}

static Err read_county(struct ctx *ctx, const struct json *item, Str where,
                       struct blueprint_list *list, uint32_t row)
{
    TRY(read_common(ctx, item, where, list, row));
    return blueprint_text(ctx, item, where, "state", CODE_MAX, true, &list->columns[1][row]);
}

static Err read_city(struct ctx *ctx, const struct json *item, Str where,
                     struct blueprint_list *list, uint32_t row)
{
    TRY(read_county(ctx, item, where, list, row));
    TRY(blueprint_text(ctx, item, where, "county", PLACE_NAME_MAX, false, &list->columns[2][row]));
    return blueprint_text(ctx, item, where, "postal_code", 20, false, &list->columns[3][row]);
}

static void add_county(struct arena *arena, struct map *seen, struct blueprint_list *counties,
                       Str name, Str state, int64_t population)
{
    Str key = str_printf(arena, "%.*s/%.*s", STR_FMT(state), STR_FMT(name));
    if (map_put(seen, key, counties) != NULL)
        return;
    uint32_t row = counties->count++;
    counties->columns[0][row] = name;
    counties->columns[1][row] = state;
    counties->numbers[row] = population;
}

/* Adds counties that only a city names, each once. */
static fiber_fn void complete_counties(struct ctx *ctx, struct blueprint *blueprint)
{
    const struct blueprint_list *cities = &blueprint->cities;
    struct blueprint_list given = blueprint->counties;
    struct blueprint_list all = {0};
    for (uint32_t c = 0; c < 2; c++)
        all.columns[c] = arena_array(ctx->arena, Str, (size_t)given.count + cities->count + 1);
    all.numbers = arena_array(ctx->arena, int64_t, (size_t)given.count + cities->count + 1);
    struct map *seen = map_in_arena(ctx->arena);
    for (uint32_t i = 0; i < given.count; i++)
        add_county(ctx->arena, seen, &all, given.columns[0][i], given.columns[1][i],
                   given.numbers[i]);
    for (uint32_t i = 0; i < cities->count; i++) {
        fiber_pause();
        if (cities->columns[2][i].len > 0)
            add_county(ctx->arena, seen, &all, cities->columns[2][i], cities->columns[1][i], 0);
    }
    blueprint->counties = all;
}

fiber_fn Err blueprint_read_places(struct ctx *ctx, const struct json *locations,
                                   struct blueprint *ret)
{
    if (json_is_null(locations))
        return OK;
    if (json_kind(locations) != JSON_OBJECT)
        return blueprint_refuse(ctx, STR("locations"), NULL, "has to be an object");
    TRY(json_check_members(ctx, locations, STR("locations"), STR("states counties cities")));
    TRY(blueprint_rows(ctx, locations, "states", STR("name population code country_code region"),
                       BLUEPRINT_STATES_MAX, 4, read_state, &ret->states));
    TRY(blueprint_rows(ctx, locations, "counties", STR("name population state"),
                       BLUEPRINT_COUNTIES_MAX, 2, read_county, &ret->counties));
    TRY(blueprint_rows(ctx, locations, "cities", STR("name population state county postal_code"),
                       BLUEPRINT_CITIES_MAX, 4, read_city, &ret->cities));
    complete_counties(ctx, ret);
    return OK;
}
