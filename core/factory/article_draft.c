#include "factory/article_draft.h"

#include "base/ctx.h"
#include "base/json_writer.h"
#include "factory/seo.h"
#include "factory/text.h"

#include <assert.h>

enum { PROVENANCE_MAX = 64 * 1024 };

/* The same on every machine, for ever. */
static uint64_t seed_of(const struct draft_request *request)
{
    struct {
        Uuid headline;
        uint32_t attempt;
    } source = {request->headline.id, request->attempt};
    return str_hash_stable(str_of((const char *)&source, sizeof source));
}

/* The headline's own place; without one, a place of the campaign that the seed chooses. */
static Err locate(struct ctx *ctx, const struct draft_request *request, uint64_t seed,
                  struct geo_location *ret)
{
    *ret = (struct geo_location){0};
    const struct json *json = NULL;
    if (request->headline.location.len > 0)
        TRY(json_parse(ctx, request->headline.location, JSON_LIMITS_DEFAULT, &json));
    if (json_len(json) > 0)
        *ret = place_from_json(json);
    else if (request->places != NULL && request->places->count > 0)
        *ret = request->places->locations[seed % request->places->count];
    return OK;
}

static Sha256 hash_of_hex(Str hex)
{
    Sha256 hash = {0};
    for (size_t i = 0; i < sizeof hash.bytes && 2 * i + 1 < hex.len; i++) {
        int high =
            hex.data[2 * i] <= '9' ? hex.data[2 * i] - '0' : (hex.data[2 * i] | 32) - 'a' + 10;
        int low = hex.data[2 * i + 1] <= '9' ? hex.data[2 * i + 1] - '0'
                                             : (hex.data[2 * i + 1] | 32) - 'a' + 10;
        hash.bytes[i] = (uint8_t)(high << 4 | low);
    }
    return hash;
}

static Err assemble(struct ctx *ctx, const struct draft_request *request, uint64_t seed,
                    struct article_draft *draft)
{
    const struct article_plan *plan = request->plan;
    const struct spin_vars *vars = geo_date_vars(ctx->arena, request->now_us, plan->vars);
    vars = geo_vars(ctx->arena, &draft->location, vars);
    struct article_request article = {
        .campaign = plan->campaign.id,
        .headline_hash = hash_of_hex(request->headline.text_hash),
        .vars = vars,
        .variant = request->variant,
        .usage = plan->usage,
        .target_words = plan->campaign.target_words,
    };
    Random random = random_seeded(seed);
    return article_assemble(ctx, plan->library, &article, &random, &draft->assembly);
}

/* What an editor, or a bug report, needs to make the same article again. */
static Err provenance_of(struct ctx *ctx, const struct draft_request *request, uint64_t seed,
                         struct article_draft *draft)
{
    const struct assembly *assembly = &draft->assembly;
    struct buf *out = buf_in_arena(ctx->arena, PROVENANCE_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    json_field_str(&w, "seed", str_printf(ctx->arena, "%016jx", (uintmax_t)seed));
    json_field_int(&w, "attempt", request->attempt);
    json_key(&w, STR("fragments"));
    json_array_begin(&w);
    for (uint32_t i = 0; i < assembly->fragment_count; i++)
        json_put_uuid(&w, request->plan->library->fragments[assembly->fragments[i]].id);
    json_array_end(&w);
    if (assembly->empty_slots > 0)
        json_field_int(&w, "empty_slots", assembly->empty_slots);
    if (assembly->unresolved_count > 0) {
        json_key(&w, STR("unresolved"));
        json_array_begin(&w);
        for (uint32_t i = 0; i < assembly->unresolved_count; i++)
            json_put_str(&w, assembly->unresolved[i]);
        json_array_end(&w);
    }
    json_object_end(&w);
    draft->provenance = buf_str(out);
    return buf_check(ctx, out, "article's provenance");
}

static Str subtitle_of(struct ctx *ctx, const struct article_draft *draft, Str site_name)
{
    const struct geo_location *place = &draft->location;
    Str state = place->state_code.len > 0 ? place->state_code : place->state;
    if (place->city.len == 0)
        return state.len > 0 ? state : site_name;
    if (state.len == 0)
        return place->city;
    return str_printf(ctx->arena, "%.*s, %.*s", STR_FMT(place->city), STR_FMT(state));
}

static void describe(struct ctx *ctx, const struct draft_request *request,
                     struct article_draft *draft)
{
    Str site_name = request->plan->campaign.site_name;
    draft->meta_title = seo_meta_title(ctx->arena, request->headline.title);
    draft->meta_description = seo_meta_description(ctx->arena, draft->assembly.html);
    draft->svg = seo_svg(ctx->arena, draft->title, subtitle_of(ctx, draft, site_name));
    draft->alt = seo_svg_alt(ctx->arena, draft->title);
    struct seo_article article = {
        .type = STR("Article"),
        .headline = draft->title,
        .description = draft->meta_description,
        .author = site_name,
        .word_count = draft->assembly.words,
    };
    draft->schema_json = seo_json_ld(ctx->arena, &article);
}

Err article_draft_make(struct ctx *ctx, const struct draft_request *request,
                       struct article_draft *ret)
{
    assert(request->plan != NULL && request->headline.title.len > 0);
    struct article_draft draft = {.id = uuid_make(), .headline = request->headline};
    uint64_t seed = seed_of(request);
    TRY(locate(ctx, request, seed, &draft.location));
    TRY(assemble(ctx, request, seed, &draft));
    TRY(provenance_of(ctx, request, seed, &draft));

    draft.title = text_cut(request->headline.title, ARTICLE_TITLE_MAX);
    Str id = uuid_text(ctx->arena, draft.id);
    /* The end of a UUID is its random part. */
    draft.slug_base = text_slug(ctx->arena, draft.title, str_slice(id, UUID_TEXT_LEN - 8, id.len));
    draft.slug = draft.slug_base;
    describe(ctx, request, &draft);
    *ret = draft;
    return OK;
}
