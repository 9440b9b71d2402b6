#include "factory/headlines/headline_space.h"

#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>
#include <inttypes.h>

static uint64_t sum(uint64_t a, uint64_t b)
{
    uint64_t result;
    return __builtin_add_overflow(a, b, &result) ? UINT64_MAX : result;
}

fiber_fn Err headline_space_add(struct ctx *ctx, struct headline_space *space,
                                const struct headline_spec *spec, Str pattern, Str id, Str formula)
{
    if (space->source_count == HEADLINE_SOURCES_MAX)
        return fail(ctx, ERR_FAILED_VALIDATION, "The patterns have more than %d formulas.",
                    HEADLINE_SOURCES_MAX);
    if (spin_parts(spec->spin) > HEADLINE_PARTS_MAX)
        return fail(ctx, ERR_FAILED_VALIDATION,
                    "The template has %" PRIu32 " groups and names; one for headlines may have %d.",
                    spin_parts(spec->spin), HEADLINE_PARTS_MAX);
    struct headlines *headlines;
    TRY(headlines_begin(ctx, spec, &headlines));
    while (headlines_count_next(ctx, headlines))
        TRY(fiber_breathe(ctx));
    struct headline_source *source = &space->sources[space->source_count++];
    *source = (struct headline_source){
        .origin = {.pattern = pattern,
                   .id = id,
                   .formula = formula,
                   .texts = headlines_texts(headlines),
                   .niches = spec->niche_count,
                   .locations = headlines_location_count(headlines),
                   .total = headlines_count(headlines)},
        .headlines = headlines,
        .first = space->total,
    };
    space->total = sum(space->total, source->origin.total);
    return OK;
}

static fiber_fn Err open_template(struct ctx *ctx, const struct spin_vars *vars, Str template,
                                  struct headline_space *space)
{
    if (str_trim(template).len == 0)
        return fail(ctx, ERR_FAILED_VALIDATION,
                    "The campaign has no headline_spintax_root; set it, or send spintax_root.");
    struct headline_spec spec = {.vars = vars};
    TRY(spin_parse(ctx, template, &spec.spin));
    TRY(campaign_places(ctx, space->campaign, &space->places));
    spec.locations = space->places.locations;
    spec.location_count = space->places.count;
    return headline_space_add(ctx, space, &spec, STR_NONE, STR_NONE, template);
}

/* The pattern keys of the campaign; 0: it uses its template. */
static fiber_fn Err patterns_of_campaign(struct ctx *ctx, const struct campaign *campaign,
                                         const Str **ret, uint32_t *ret_count)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_CAMPAIGN_PATTERNS, ARGS(db_uuid(ctx->scope.site), db_uuid(campaign->id)),
                 &rows));
    *ret_count = 0;
    if (rows.count == 0 || row_is_null(&rows, 0, CAMPAIGN_PATTERNS_PATTERNS))
        return OK;
    const struct json *array;
    TRY(json_parse(ctx, row_json(&rows, 0, CAMPAIGN_PATTERNS_PATTERNS), JSON_LIMITS_DEFAULT,
                   &array));
    Str *keys = arena_array(ctx->arena, Str, json_len(array) + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < json_len(array) && count < HEADLINE_PATTERNS_MAX; i++)
        if (json_kind(json_at(array, i)) == JSON_STRING)
            keys[count++] = json_str(json_at(array, i));
    *ret = keys;
    *ret_count = count;
    return OK;
}

fiber_fn Err headline_space_open(struct ctx *ctx, const struct campaign *campaign,
                                 const struct headline_run *wanted, struct headline_space *ret)
{
    *ret = (struct headline_space){.campaign = campaign};
    ret->sources = arena_array(ctx->arena, struct headline_source, HEADLINE_SOURCES_MAX);
    const struct spin_vars *vars;
    TRY(campaign_vars(ctx, ctx->arena, campaign, &vars));
    const Str *keys = wanted->patterns;
    uint32_t count = wanted->pattern_count;
    ret->is_of_campaign = count == 0;
    if (count == 0 && wanted->spintax_root.len == 0)
        TRY(patterns_of_campaign(ctx, campaign, &keys, &count));
    if (count > 0)
        return headline_patterns_open(ctx, vars, keys,
                                      count == 1 && str_eq(keys[0], STR("*")) ? 0 : count, ret);
    Str root = wanted->spintax_root.len > 0 ? wanted->spintax_root : campaign->headline_root;
    ret->is_of_campaign = ret->is_of_campaign && str_eq(root, campaign->headline_root);
    return open_template(ctx, vars, root, ret);
}

struct headline_numbers headline_space_numbers(struct ctx *ctx, const struct headline_space *space)
{
    struct headline_numbers numbers = {.locations = space->places.count, .total = space->total};
    struct headline_origin *origins =
        arena_array(ctx->arena, struct headline_origin, space->source_count + 1);
    for (uint32_t i = 0; i < space->source_count; i++) {
        const struct headline_source *source = &space->sources[i];
        origins[i] = source->origin;
        numbers.slots += headlines_slots(source->headlines);
        numbers.combinations = sum(numbers.combinations, source->origin.texts);
    }
    if (space->source_count > 0)
        numbers.template = origins[0].formula;
    if (space->source_count > 0 && origins[0].pattern.len > 0) {
        numbers.origins = origins;
        numbers.origin_count = space->source_count;
    }
    return numbers;
}

const struct headline_source *headline_space_at(const struct headline_space *space, uint64_t index)
{
    assert(index < space->total);
    uint32_t low = 0;
    uint32_t high = space->source_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (space->sources[middle].first <= index)
            low = middle;
        else
            high = middle;
    }
    return &space->sources[low];
}
