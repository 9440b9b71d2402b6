/* POST /api/seo/assemble-article: one article of the site's modules, by the campaign's recipe. */
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "factory/articles/modules.h"
#include "server/api/factory/factory.h"
#include "server/dispatch/handlers.h"

static Err take_date(struct ctx *ctx, const struct json *body, const char *key, bool *ret_has,
                     int64_t *ret_us)
{
    enum { DATE_MAX_LEN = 40 };
    Str text = STR_NONE;
    TRY(json_take_str(ctx, body, key, DATE_MAX_LEN, &text));
    *ret_has = text.len > 0;
    if (text.len == 0 || clock_parse_iso(text, ret_us))
        return OK;
    return factory_refuse(ctx, key,
                          "has to be a date or a date with time, as 2026-03-01T09:00:00Z");
}

static Err take_location(struct ctx *ctx, const struct json *body, struct geo_location *ret)
{
    enum { PLACE_MAX_LEN = 255 };
    const struct json *location = json_get(body, STR("location"));
    if (json_kind(location) != JSON_OBJECT)
        return factory_refuse(ctx, "location",
                              "location is required: an object with city, county or state");
    const char *const NAMES[] = {"city", "county", "state", "state_code"};
    Str checked;
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        TRY(json_take_str(ctx, location, NAMES[i], PLACE_MAX_LEN, &checked));
    *ret = place_from_json(location);
    if (ret->city.len + ret->county.len + ret->state.len == 0)
        return factory_refuse(ctx, "location", "location names no city, county or state");
    return OK;
}

static void put_names(struct json_writer *w, const char *key, const Str *names, uint32_t count)
{
    json_key(w, str_from_z(key));
    json_array_begin(w);
    for (uint32_t i = 0; i < count; i++)
        json_put_str(w, names[i]);
    json_array_end(w);
}

static void put_modules(struct json_writer *w, const struct assembled_article *article)
{
    const struct assembly *assembly = &article->draft.assembly;
    json_key(w, STR("modules_used"));
    json_array_begin(w);
    for (uint32_t i = 0; i < assembly->fragment_count; i++)
        json_put_uuid(w, article->plan->library->fragments[assembly->fragments[i]].id);
    json_array_end(w);
    put_names(w, "missing_modules", article->missing, article->missing_count);
    put_names(w, "unresolved", assembly->unresolved, assembly->unresolved_count);
}

static void put_dates(struct json_writer *w, const struct assembled_article *article)
{
    json_key(w, STR("dates"));
    json_object_begin(w);
    json_key(w, STR("publish_date"));
    json_put_time(w, article->publish_us);
    json_key(w, STR("modified_date"));
    json_put_time(w, article->modified_us);
    json_object_end(w);
    if (article->warning.len > 0)
        put_names(w, "warnings", &article->warning, 1);
}

static void put_article(struct json_writer *w, const struct assembled_article *article)
{
    const struct article_draft *draft = &article->draft;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_uuid(w, "article_id", draft->id);
    json_field_str(w, "headline", draft->title);
    json_field_str(w, "slug", draft->slug);
    json_field_str(w, "status", STR("draft"));
    json_field_int(w, "word_count", draft->assembly.words);
    json_field_str(w, "word_count_status", word_count_status_name(draft->assembly.words_status));
    put_modules(w, article);
    put_dates(w, article);
    json_object_end(w);
}

fiber_fn Err assemble_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    TRY(factory_check_write(ctx));
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    struct assemble_request wanted = {0};
    struct avatar_choice avatar;
    TRY(take_location(ctx, body, &wanted.location));
    TRY(take_date(ctx, body, "publish_date", &wanted.has_publish, &wanted.publish_us));
    TRY(take_date(ctx, body, "modified_date", &wanted.has_modified, &wanted.modified_us));
    TRY(factory_take_avatar(ctx, body, &avatar));
    wanted.avatar = &avatar;
    TRY(factory_enter_campaign(ctx, body, &wanted.campaign));
    struct assembled_article *article = arena_new(ctx->arena, struct assembled_article);
    TRY(article_assemble_now(ctx, &wanted, article));
    reply->status = 201;
    put_article(&reply->json, article);
    return OK;
}
