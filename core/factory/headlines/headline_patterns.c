/* Builds a headline space from patterns × dictionaries × niches × places. */
#include "base/system/ctx.h"
#include "factory/headlines/headline_space.h"
#include "gen/sql.h"
#include "io/pg/db.h"

static fiber_fn Err load_niches(struct ctx *ctx, struct headline_space *space)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_NICHES_OF_SITE, ARGS(db_uuid(ctx->scope.site)), &rows));
    Str *niches = arena_array(ctx->arena, Str, rows.count + 1);
    for (uint32_t i = 0; i < rows.count; i++)
        niches[i] = row_text(&rows, i, NICHES_OF_SITE_NICHE);
    space->niches = niches;
    space->niche_count = rows.count;
    return OK;
}

static void take_landmarks(struct arena *arena, const struct json *json, struct geo_location *place)
{
    const struct json *array = json_get(json, STR("landmarks"));
    Str *landmarks = arena_array(arena, Str, json_len(array) + 1);
    for (uint32_t i = 0; i < json_len(array); i++)
        if (json_kind(json_at(array, i)) == JSON_STRING)
            landmarks[place->landmark_count++] = json_str(json_at(array, i));
    place->landmarks = landmarks;
}

/* Uses the campaign's places if it names any, otherwise the location clusters. */
static fiber_fn Err load_places(struct ctx *ctx, struct headline_space *space)
{
    TRY(campaign_places(ctx, space->campaign, &space->places));
    if (space->places.count > 0)
        return OK;
    struct rows rows;
    TRY(db_query(ctx, &SQL_CLUSTER_PLACES, ARGS(db_uuid(ctx->scope.site)), &rows));
    struct place_list *places = &space->places;
    places->locations = arena_array(ctx->arena, struct geo_location, rows.count + 1);
    places->json = arena_array(ctx->arena, Str, rows.count + 1);
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct json *json;
        TRY(json_parse(ctx, row_json(&rows, i, CLUSTER_PLACES_PLACE), JSON_LIMITS_DEFAULT, &json));
        struct geo_location place = place_from_json(json);
        take_landmarks(ctx->arena, json, &place);
        places->locations[i] = place;
        places->json[i] = place_json(ctx->arena, NULL, &place);
    }
    places->count = rows.count;
    if (rows.count == 0)
        return fail(ctx, ERR_FAILED_VALIDATION,
                    "Patterns run over places: there are none in geo_intelligence or "
                    "geo_locations, and the campaign names none.");
    return OK;
}

/* A formula iterates only over what it uses: without a niche in it, every niche would give the same
 * text. */
static void narrow(struct headline_spec *spec)
{
    const struct spin_name *names;
    uint32_t count = spin_names(spec->spin, &names);
    bool has_niche = false;
    bool has_place = false;
    for (uint32_t i = 0; i < count; i++) {
        has_niche = has_niche || str_eq_nocase(names[i].name, STR("niche"));
        has_place = has_place || geo_is_name(names[i].name);
    }
    if (!has_niche)
        spec->niche_count = 0;
    if (!has_place)
        spec->location_count = 0;
}

static fiber_fn Err add_formula(struct ctx *ctx, struct headline_space *space,
                                const struct headline_spec *base, Str pattern, Str id, Str formula)
{
    TRY(fiber_breathe(ctx));
    struct headline_spec spec = *base;
    Err err = spin_parse(ctx, formula, &spec.spin);
    if (err != OK) {
        fail_note(ctx, "pattern", pattern);
        return err;
    }
    narrow(&spec);
    return headline_space_add(ctx, space, &spec, pattern, id, formula);
}

/* A pattern has its formulas in `data`, as exports do, or one formula in `formula`. */
static fiber_fn Err add_pattern(struct ctx *ctx, struct headline_space *space,
                                const struct headline_spec *base, const struct rows *rows,
                                uint32_t row)
{
    Str key = row_text(rows, row, PATTERNS_OF_SITE_PATTERN_KEY);
    Str own = row_text(rows, row, PATTERNS_OF_SITE_FORMULA);
    const struct json *data;
    TRY(json_parse(ctx, row_json(rows, row, PATTERNS_OF_SITE_DATA), JSON_LIMITS_DEFAULT, &data));
    if (own.len > 0)
        TRY(add_formula(ctx, space, base, key, key, own));
    if (json_kind(data) != JSON_ARRAY)
        return OK;
    for (uint32_t i = 0; i < json_len(data); i++) {
        const struct json *formula = json_get(json_at(data, i), STR("formula"));
        const struct json *id = json_get(json_at(data, i), STR("id"));
        if (json_kind(formula) != JSON_STRING)
            continue;
        Str name = json_kind(id) == JSON_STRING ? json_str(id) : key;
        TRY(add_formula(ctx, space, base, key, name, json_str(formula)));
    }
    return OK;
}

/* An unknown key is an error of the request, not an empty pattern. */
static Err check_found(struct ctx *ctx, const Str *keys, uint32_t key_count,
                       const struct rows *rows)
{
    for (uint32_t i = 0; i < key_count; i++) {
        bool is_found = false;
        for (uint32_t row = 0; row < rows->count && !is_found; row++)
            is_found = str_eq(row_text(rows, row, PATTERNS_OF_SITE_PATTERN_KEY), keys[i]);
        if (is_found)
            continue;
        return fail_field(ctx, ERR_FAILED_VALIDATION, "patterns",
                          "There is no published pattern \"%.*s\".", STR_FMT(keys[i]));
    }
    if (rows->count == 0)
        return fail(ctx, ERR_FAILED_VALIDATION, "There are no published patterns.");
    return OK;
}

fiber_fn Err headline_patterns_open(struct ctx *ctx, const struct spin_vars *vars, const Str *keys,
                                    uint32_t key_count, struct headline_space *space)
{
    DbArg wanted = key_count > 0 ? db_text_array(ctx->arena, keys, key_count) : db_null();
    struct rows rows;
    TRY(db_query(ctx, &SQL_PATTERNS_OF_SITE, ARGS(db_uuid(ctx->scope.site), wanted), &rows));
    TRY(check_found(ctx, keys, key_count, &rows));
    TRY(load_niches(ctx, space));
    TRY(load_places(ctx, space));
    struct headline_spec spec = {.vars = vars,
                                 .locations = space->places.locations,
                                 .location_count = space->places.count,
                                 .niches = space->niches,
                                 .niche_count = space->niche_count,
                                 .skips_lacking = true};
    for (uint32_t i = 0; i < rows.count; i++)
        TRY(add_pattern(ctx, space, &spec, &rows, i));
    if (space->total == 0)
        return fail(ctx, ERR_FAILED_VALIDATION,
                    "The patterns have no headlines: their formulas "
                    "name what no place has.");
    return OK;
}
