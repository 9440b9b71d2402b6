#include "base/json/json_writer.h"
#include "base/memory/array.h"
#include "base/system/ctx.h"
#include "factory/articles/campaign.h"
#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>

enum { NICHE_VARIABLES_MAX = 256 };

fiber_fn Err campaign_find(struct ctx *ctx, Uuid id, struct campaign *ret)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    struct rows rows;
    TRY(db_query(ctx, &SQL_CAMPAIGN_FIND, ARGS(db_uuid(ctx->scope.site), db_uuid(id)), &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such campaign.");
    *ret = (struct campaign){
        .id = row_uuid(&rows, 0, CAMPAIGN_FIND_ID),
        .owner = row_uuid(&rows, 0, CAMPAIGN_FIND_SITE_ID),
        .status = row_text(&rows, 0, CAMPAIGN_FIND_STATUS),
        .name = row_text(&rows, 0, CAMPAIGN_FIND_NAME),
        .headline_root = row_text(&rows, 0, CAMPAIGN_FIND_HEADLINE_ROOT),
        .headline_cursor = (uint64_t)row_int(&rows, 0, CAMPAIGN_FIND_HEADLINE_CURSOR),
        .niche_variables = row_json(&rows, 0, CAMPAIGN_FIND_NICHE_VARIABLES),
        .location_mode = row_text(&rows, 0, CAMPAIGN_FIND_LOCATION_MODE),
        .location_target = row_text(&rows, 0, CAMPAIGN_FIND_LOCATION_TARGET),
        .structure = row_json(&rows, 0, CAMPAIGN_FIND_STRUCTURE),
        .recipe = row_json(&rows, 0, CAMPAIGN_FIND_RECIPE),
        .title_spintax = row_text(&rows, 0, CAMPAIGN_FIND_TITLE_SPINTAX),
        .avatar_key = row_text(&rows, 0, CAMPAIGN_FIND_AVATAR_KEY),
        .variant_type = row_text(&rows, 0, CAMPAIGN_FIND_VARIANT_TYPE),
        .target_words = (uint32_t)row_int(&rows, 0, CAMPAIGN_FIND_TARGET_WORD_COUNT),
        .site_name = row_text(&rows, 0, CAMPAIGN_FIND_SITE_NAME),
        .site_url = row_text(&rows, 0, CAMPAIGN_FIND_SITE_URL),
    };
    if (!row_is_null(&rows, 0, CAMPAIGN_FIND_TEMPLATE))
        ret->template = row_uuid(&rows, 0, CAMPAIGN_FIND_TEMPLATE);
    return OK;
}

Err campaign_check_active(struct ctx *ctx, const struct campaign *campaign)
{
    if (str_eq(campaign->status, STR("active")))
        return OK;
    return fail(ctx, ERR_CONFLICT, "The campaign \"%.*s\" is %.*s.", STR_FMT(campaign->name),
                STR_FMT(campaign->status));
}

/* ["a", "b"] → Str[]; elements that are not strings are ignored. */
static uint32_t texts_of(struct arena *arena, const struct json *array, Str **ret)
{
    uint32_t len = json_len(array);
    Str *texts = arena_array(arena, Str, len + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < len; i++)
        if (json_kind(json_at(array, i)) == JSON_STRING)
            texts[count++] = str_dup(arena, json_str(json_at(array, i)));
    *ret = texts;
    return count;
}

static fiber_fn Err dictionaries_load(struct ctx *ctx, struct arena *arena, struct spin_vars **ret)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_DICTIONARIES_OF_SITE, ARGS(db_uuid(ctx->scope.site)), &rows));
    struct spin_vars *vars = spin_vars_make(arena, NULL);
    for (uint32_t i = 0; i < rows.count; i++) {
        TRY(fiber_breathe(ctx));
        const struct json *data;
        TRY(json_parse(ctx, row_json(&rows, i, DICTIONARIES_OF_SITE_TERMS), JSON_LIMITS_DEFAULT,
                       &data));
        Str *terms;
        uint32_t count = texts_of(arena, data, &terms);
        Str name = str_dup(arena, row_text(&rows, i, DICTIONARIES_OF_SITE_CATEGORY));
        spin_vars_set_terms(vars, name, terms, count);
    }
    *ret = vars;
    return OK;
}

/* Numbers become text; an array gives several terms, as in a dictionary. */
static void set_niche_variable(struct spin_vars *vars, struct arena *arena, Str name,
                               const struct json *value)
{
    name = str_dup(arena, name);
    switch (json_kind(value)) {
    case JSON_STRING:
        spin_vars_set(vars, name, str_dup(arena, json_str(value)));
        break;
    case JSON_INT:
    case JSON_REAL:
        spin_vars_set(vars, name, json_text(arena, value));
        break;
    case JSON_ARRAY: {
        Str *terms;
        uint32_t count = texts_of(arena, value, &terms);
        spin_vars_set_terms(vars, name, terms, count);
        break;
    }
    default:
        break;
    }
}

fiber_fn Err campaign_vars(struct ctx *ctx, struct arena *arena, const struct campaign *campaign,
                           const struct spin_vars **ret)
{
    struct spin_vars *dictionaries;
    TRY(dictionaries_load(ctx, arena, &dictionaries));
    struct spin_vars *site = spin_vars_make(arena, dictionaries);
    spin_vars_set(site, STR("agency_name"), str_dup(arena, campaign->site_name));
    spin_vars_set(site, STR("agency_url"), str_dup(arena, campaign->site_url));

    struct spin_vars *niche = spin_vars_make(arena, site);
    const struct json *variables = NULL;
    if (campaign->niche_variables.len > 0)
        TRY(json_parse(ctx, campaign->niche_variables, JSON_LIMITS_DEFAULT, &variables));
    uint32_t count = 0;
    for (struct json_iter it = json_iter(variables); json_next(&it) && count < NICHE_VARIABLES_MAX;
         count++)
        set_niche_variable(niche, arena, it.key, it.value);
    *ret = niche;
    return OK;
}

struct geo_location place_from_json(const struct json *json)
{
    struct geo_location place = {0};
    const struct {
        Str key;
        Str *value;
    } names[] = {
        {STR("city"), &place.city},
        {STR("county"), &place.county},
        {STR("state"), &place.state},
        {STR("state_code"), &place.state_code},
        {STR("stateCode"), &place.state_code},
        {STR("zip_focus"), &place.zip_focus},
        {STR("neighborhood"), &place.neighborhood},
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct json *value = json_get(json, names[i].key);
        if (json_kind(value) == JSON_STRING && json_str(value).len > 0)
            *names[i].value = json_str(value);
    }
    const struct json *population = json_get(json, STR("population"));
    if (json_kind(population) == JSON_INT && json_int(population) > 0)
        place.population = json_int(population);
    return place;
}

Str place_json(struct arena *arena, const Uuid *id, const struct geo_location *location)
{
    enum { PLACE_JSON_MAX = 16 * 1024 };
    struct buf *out = buf_in_arena(arena, PLACE_JSON_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    if (id != NULL)
        json_field_uuid(&w, "id", *id);
    json_field_str_unless_empty(&w, "city", location->city);
    json_field_str_unless_empty(&w, "county", location->county);
    json_field_str_unless_empty(&w, "state", location->state);
    json_field_str_unless_empty(&w, "stateCode", location->state_code);
    json_field_str_unless_empty(&w, "zip_focus", location->zip_focus);
    json_field_str_unless_empty(&w, "neighborhood", location->neighborhood);
    if (location->population > 0)
        json_field_int(&w, "population", location->population);
    json_object_end(&w);
    return buf_str(out);
}

static Err target_of(struct ctx *ctx, const struct campaign *campaign, DbArg *ret)
{
    *ret = db_null();
    Uuid target;
    if (campaign->location_target.len == 0)
        return OK;
    if (!uuid_parse(campaign->location_target, &target))
        return fail(ctx, ERR_FAILED_VALIDATION,
                    "The campaign's location_target must be the id of a state or a county.");
    *ret = db_uuid(target);
    return OK;
}

/* The three statements return their columns in the same order. */
static void read_places(struct ctx *ctx, const struct rows *rows, struct place_list *ret)
{
    ret->count = rows->count;
    ret->locations = arena_array(ctx->arena, struct geo_location, rows->count + 1);
    ret->json = arena_array(ctx->arena, Str, rows->count + 1);
    for (uint32_t i = 0; i < rows->count; i++) {
        Uuid id = row_uuid(rows, i, PLACES_CITIES_ID);
        ret->locations[i] = (struct geo_location){
            .city = row_text(rows, i, PLACES_CITIES_CITY),
            .county = row_text(rows, i, PLACES_CITIES_COUNTY),
            .state = row_text(rows, i, PLACES_CITIES_STATE),
            .state_code = row_text(rows, i, PLACES_CITIES_STATE_CODE),
            .population = row_int(rows, i, PLACES_CITIES_POPULATION),
        };
        ret->json[i] = place_json(ctx->arena, &id, &ret->locations[i]);
    }
}

fiber_fn Err campaign_places(struct ctx *ctx, const struct campaign *campaign,
                             struct place_list *ret)
{
    static_assert((int)PLACES_STATES_CITY == (int)PLACES_CITIES_CITY &&
                      (int)PLACES_COUNTIES_POPULATION == (int)PLACES_CITIES_POPULATION,
                  "the three statements must return the same columns");
    const struct {
        Str mode;
        const struct statement *statement;
        int64_t max;
    } modes[] = {
        {STR("state"), &SQL_PLACES_STATES, PLACES_STATES_MAX},
        {STR("county"), &SQL_PLACES_COUNTIES, PLACES_COUNTIES_MAX},
        {STR("city"), &SQL_PLACES_CITIES, PLACES_CITIES_MAX},
    };
    *ret = (struct place_list){0};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        if (!str_eq(campaign->location_mode, modes[i].mode))
            continue;
        DbArg target;
        TRY(target_of(ctx, campaign, &target));
        struct rows rows;
        TRY(db_query(ctx, modes[i].statement,
                     ARGS(db_uuid(ctx->scope.site), target, db_int(modes[i].max)), &rows));
        read_places(ctx, &rows, ret);
    }
    return OK;
}
