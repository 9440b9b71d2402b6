#include "factory/headlines/headlines.h"

#include "base/system/ctx.h"
#include "factory/text/text.h"

#include <assert.h>

/* A location with headlines, and the number of headlines before its own. */
struct place {
    uint32_t location;
    uint64_t first;
    uint64_t texts; /* per niche */
};

struct headlines {
    struct headline_spec spec;
    struct place *places;
    uint32_t place_count;
    uint32_t counted; /* locations counted so far */
    uint64_t count;

    /* The spin counts of the last place and niche: headlines are read in order. */
    struct arena *arena;
    ArenaMark mark;
    struct spin_plan *plan;
    uint32_t plan_place;
    uint32_t plan_niche;
};

static uint64_t product(uint64_t a, uint64_t b)
{
    uint64_t result;
    return __builtin_mul_overflow(a, b, &result) ? UINT64_MAX : result;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
    uint64_t result;
    return __builtin_add_overflow(a, b, &result) ? UINT64_MAX : result;
}

static uint32_t niche_factor(const struct headline_spec *spec)
{
    return spec->niche_count > 0 ? spec->niche_count : 1;
}

static const struct spin_vars *vars_at(struct arena *arena, const struct headline_spec *spec,
                                       uint32_t location, uint32_t niche)
{
    const struct spin_vars *vars = spec->vars;
    if (spec->niche_count > 0) {
        struct spin_vars *layer = spin_vars_make(arena, vars);
        spin_vars_set(layer, STR("niche"), spec->niches[niche]);
        vars = layer;
    }
    if (spec->location_count > 0)
        vars = geo_vars(arena, &spec->locations[location], vars);
    return vars;
}

static void add_place(struct ctx *ctx, struct headlines *headlines, uint32_t location)
{
    ArenaMark mark = arena_mark(ctx->arena);
    const struct headline_spec *spec = &headlines->spec;
    uint64_t texts = spin_count(spec->spin, vars_at(ctx->arena, spec, location, 0), ctx->arena);
    arena_rewind(ctx->arena, mark);

    headlines->places[headlines->place_count++] =
        (struct place){.location = location, .first = headlines->count, .texts = texts};
    headlines->count = sum(headlines->count, product(texts, niche_factor(spec)));
}

Err headlines_begin(struct ctx *ctx, const struct headline_spec *spec, struct headlines **ret)
{
    assert(spec != NULL && spec->spin != NULL && ret != NULL);
    if (spec->location_count > HEADLINE_LOCATIONS_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "%u locations are more than %d", spec->location_count,
                    HEADLINE_LOCATIONS_MAX);
    if (spec->niche_count > HEADLINE_NICHES_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "%u niches are more than %d", spec->niche_count,
                    HEADLINE_NICHES_MAX);

    struct headlines *headlines = arena_new(ctx->arena, struct headlines);
    headlines->spec = *spec;
    headlines->places = arena_array(ctx->arena, struct place, (size_t)spec->location_count + 1);
    headlines->arena = arena_create_within(ctx->arena);
    headlines->mark = arena_mark(headlines->arena);
    *ret = headlines;
    return OK;
}

bool headlines_count_next(struct ctx *ctx, struct headlines *headlines)
{
    const struct headline_spec *spec = &headlines->spec;
    uint32_t location = headlines->counted++;
    if (location == 0 && spec->location_count == 0)
        add_place(ctx, headlines, 0);
    if (location >= spec->location_count)
        return false;
    if (!spec->skips_lacking || !geo_lacks(&spec->locations[location], spec->spin))
        add_place(ctx, headlines, location);
    return true;
}

Err headlines_make(struct ctx *ctx, const struct headline_spec *spec, struct headlines **ret)
{
    TRY(headlines_begin(ctx, spec, ret));
    while (headlines_count_next(ctx, *ret))
        continue;
    return OK;
}

uint64_t headlines_count(const struct headlines *headlines)
{
    return headlines->count;
}

uint32_t headlines_location_count(const struct headlines *headlines)
{
    return headlines->spec.location_count > 0 ? headlines->place_count : 0;
}

uint64_t headlines_texts(const struct headlines *headlines)
{
    return headlines->place_count > 0 ? headlines->places[0].texts : 0;
}

uint32_t headlines_slots(const struct headlines *headlines)
{
    return spin_slots(headlines->spec.spin, headlines->spec.vars);
}

/* Binary search for the last place whose first headline is not after `index`; every place has at
 * least one. */
static uint32_t place_of(const struct headlines *headlines, uint64_t index)
{
    uint32_t low = 0;
    uint32_t high = headlines->place_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (headlines->places[middle].first <= index)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static struct spin_plan *plan_for(struct headlines *headlines, uint32_t place, uint32_t niche)
{
    if (headlines->plan != NULL && headlines->plan_place == place && headlines->plan_niche == niche)
        return headlines->plan;

    arena_rewind(headlines->arena, headlines->mark);
    const struct headline_spec *spec = &headlines->spec;
    struct spin_env env = {
        .vars = vars_at(headlines->arena, spec, headlines->places[place].location, niche)};
    headlines->plan = spin_plan_make(headlines->arena, spec->spin, &env);
    headlines->plan_place = place;
    headlines->plan_niche = niche;
    return headlines->plan;
}

Err headline_at(struct ctx *ctx, struct headlines *headlines, uint64_t index, struct headline *ret)
{
    assert(index < headlines->count);
    uint32_t place_index = place_of(headlines, index);
    const struct place *place = &headlines->places[place_index];
    uint64_t within = index - place->first;
    uint32_t niche = (uint32_t)(within / place->texts);
    struct spin_plan *plan = plan_for(headlines, place_index, niche);

    struct buf *out = buf_in_arena(ctx->arena, HEADLINE_MAX);
    struct spin_unresolved unresolved = {.arena = ctx->arena};
    spin_unrank(plan, within % place->texts, out, &unresolved);
    TRY(buf_check(ctx, out, "headline"));

    Str text = text_normalise(ctx->arena, buf_str(out));
    *ret = (struct headline){
        .text = text,
        .text_hash = sha256(text),
        .location = place->location,
        .niche = niche,
        .unresolved = unresolved.names,
        .unresolved_count = unresolved.count,
    };
    return OK;
}
