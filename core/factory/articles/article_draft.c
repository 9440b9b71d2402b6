#include "factory/articles/article_draft.h"

#include "base/json/json_writer.h"
#include "base/system/ctx.h"
#include "base/system/version.h"
#include "factory/text/text.h"
#include "io/fiber/fiber.h"

#include <assert.h>

/* A choice takes four bytes, or at most ten digits and a dot. */
enum { PROVENANCE_MAX = 64 * 1024, CHOICE_BYTES = 4, CHOICE_CHARS = 11 };

/* Must give the same seed on every machine and in every version. */
static uint64_t seed_of(const struct draft_request *request)
{
    if (request->seed != 0)
        return request->seed + request->attempt;
    struct {
        Uuid headline;
        uint32_t attempt;
    } source = {request->headline.id, request->attempt};
    return str_hash_stable(str_of((const char *)&source, sizeof source));
}

/* The location of the headline; if it has none, one of the campaign's locations, chosen by the
 * seed. */
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

const struct spin_vars *article_vars(struct ctx *ctx, const struct article_plan *plan,
                                     const struct geo_location *location, int64_t publish_us)
{
    const struct spin_vars *vars = geo_date_vars(ctx->arena, publish_us, plan->vars);
    return geo_vars(ctx->arena, location, vars);
}

static fiber_fn Err assemble(struct ctx *ctx, const struct draft_request *request, uint64_t seed,
                             struct article_draft *draft)
{
    const struct article_plan *plan = request->plan;
    struct article_request article = {
        .path = plan->path,
        .campaign = plan->campaign.id,
        .headline_hash = hash_of_hex(request->headline.text_hash),
        .vars = article_vars(ctx, plan, &draft->location, request->now_us),
        .variant = plan->avatar != NULL ? &plan->avatar->variant : NULL,
        .usage = request->usage,
        .target_words = plan->campaign.target_words,
    };
    Random random = random_seeded(seed);
    return article_assemble(ctx, plan->library, &article, &random, &draft->assembly);
}

/* "2.0.1": the choice made at each alternation and dictionary, in order. */
static void put_choices(struct json_writer *w, struct arena *arena, Str choices)
{
    struct buf *out = buf_in_arena(arena, choices.len / CHOICE_BYTES * CHOICE_CHARS + 1);
    for (size_t i = 0; i + CHOICE_BYTES <= choices.len; i += CHOICE_BYTES) {
        const unsigned char *bytes = (const unsigned char *)choices.data + i;
        uint32_t choice = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                          (uint32_t)bytes[3] << 24;
        if (i > 0)
            buf_put_char(out, '.');
        buf_put_i64(out, choice);
    }
    json_field_str(w, "choices", buf_str(out));
}

static void put_fragments(struct json_writer *w, const struct article_plan *plan,
                          const struct assembly *assembly)
{
    const struct fragment *fragments = plan->library->fragments;
    json_key(w, plan->path == PATH_MODULES ? STR("modules") : STR("fragments"));
    json_array_begin(w);
    for (uint32_t i = 0; i < assembly->fragment_count; i++)
        json_put_uuid(w, fragments[assembly->fragments[i]].id);
    json_array_end(w);
    bool has_personal = false;
    for (uint32_t i = 0; i < assembly->fragment_count; i++) {
        Uuid personal = fragments[assembly->fragments[i]].personal;
        if (uuid_is_nil(personal))
            continue;
        if (!has_personal)
            json_key(w, STR("personal_blocks"));
        if (!has_personal)
            json_array_begin(w);
        has_personal = true;
        json_put_uuid(w, personal);
    }
    if (has_personal)
        json_array_end(w);
}

static void put_names(struct json_writer *w, const char *key, const Str *names, uint32_t count)
{
    if (count == 0)
        return;
    json_key(w, str_from_z(key));
    json_array_begin(w);
    for (uint32_t i = 0; i < count; i++)
        json_put_str(w, names[i]);
    json_array_end(w);
}

static void put_avatar(struct json_writer *w, const struct avatar *avatar)
{
    if (avatar == NULL)
        return;
    json_key(w, STR("avatar"));
    json_object_begin(w);
    if (avatar->key.len > 0)
        json_field_str(w, "avatar_key", avatar->key);
    json_field_str(w, "variant_type", avatar->type);
    json_object_end(w);
}

/* The version of the program, and of everything that the plan was read from. */
static void put_plan(struct json_writer *w, const struct article_plan *plan)
{
    json_field_str(w, "spark", STR(SPARK_VERSION));
    json_field_str(w, "library", plan->version);
    if (plan->path == PATH_FRAGMENTS && !uuid_is_nil(plan->campaign.template))
        json_field_uuid(w, "template", plan->campaign.template);
    put_avatar(w, plan->avatar);
}

static void put_picture(struct json_writer *w, const struct svg_template *picture, Str refused)
{
    if (picture == NULL)
        return;
    json_field_uuid(w, "image_template", picture->id);
    if (refused.len > 0)
        json_field_str(w, "image_template_refused", refused);
}

/* Everything that is needed to generate the same article again. */
static Err provenance_of(struct ctx *ctx, const struct draft_request *request, uint64_t seed,
                         Str refused, struct article_draft *draft)
{
    const struct article_plan *plan = request->plan;
    const struct assembly *assembly = &draft->assembly;
    size_t max = PROVENANCE_MAX + assembly->choices.len / CHOICE_BYTES * CHOICE_CHARS;
    struct buf *out = buf_in_arena(ctx->arena, max);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    json_field_str(&w, "seed", str_printf(ctx->arena, "%016jx", (uintmax_t)seed));
    json_field_int(&w, "attempt", request->attempt);
    put_plan(&w, plan);
    put_fragments(&w, plan, assembly);
    put_choices(&w, ctx->arena, assembly->choices);
    put_picture(&w, plan->picture, refused);
    if (assembly->empty_slots > 0)
        json_field_int(&w, "empty_slots", assembly->empty_slots);
    const Str *missing;
    uint32_t missing_count = library_missing(plan->library, ctx->arena, &missing);
    put_names(&w, "missing", missing, missing_count);
    put_names(&w, "unresolved", assembly->unresolved, assembly->unresolved_count);
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

/* Renders the picture from the site's default template or the library's. If that template is
 * refused, uses the built-in one and gives the reason in *ret_refused. */
static void draw(struct ctx *ctx, const struct article_plan *plan, struct article_draft *draft,
                 Str *ret_refused)
{
    Str subtitle = subtitle_of(ctx, draft, plan->campaign.site_name);
    const struct geo_location *place = &draft->location;
    struct svg_texts texts = {
        .title = draft->title,
        .subtitle = subtitle,
        .site_name = plan->campaign.site_name,
        .city = place->city,
        .state = place->state.len > 0 ? place->state : place->state_code,
    };
    *ret_refused = STR_NONE;
    if (plan->picture != NULL &&
        svg_fill(ctx->arena, plan->picture, &texts, &draft->svg, ret_refused))
        return;
    draft->svg = svg_picture(ctx->arena, draft->title, subtitle);
}

static void describe(struct ctx *ctx, const struct draft_request *request,
                     struct article_draft *draft)
{
    Str site_name = request->plan->campaign.site_name;
    draft->meta_title = seo_meta_title(ctx->arena, request->headline.title);
    draft->meta_description = seo_meta_description(ctx->arena, draft->assembly.html);
    draft->alt = svg_picture_alt(ctx->arena, draft->title);
    struct seo_article article = {
        .type = STR("Article"),
        .headline = draft->title,
        .description = draft->meta_description,
        .author = site_name,
        .word_count = draft->assembly.words,
    };
    draft->schema_json = seo_json_ld(ctx->arena, &article);
}

fiber_fn Err article_draft_make(struct ctx *ctx, const struct draft_request *request,
                                struct article_draft *ret)
{
    assert(request->plan != NULL && request->headline.title.len > 0);
    struct article_draft draft = {.id = uuid_make(), .headline = request->headline};
    uint64_t seed = seed_of(request);
    TRY(locate(ctx, request, seed, &draft.location));
    TRY(assemble(ctx, request, seed, &draft));
    TRY(fiber_breathe(ctx));

    draft.title = text_cut(request->headline.title, ARTICLE_TITLE_MAX);
    Str id = uuid_text(ctx->arena, draft.id);
    /* the random part of the UUID */
    draft.slug_base = text_slug(ctx->arena, draft.title, str_slice(id, UUID_TEXT_LEN - 8, id.len));
    draft.slug = draft.slug_base;
    describe(ctx, request, &draft);
    TRY(fiber_breathe(ctx));
    Str refused;
    draw(ctx, request->plan, &draft, &refused);
    TRY(provenance_of(ctx, request, seed, refused, &draft));
    *ret = draft;
    return OK;
}
