/*
 * GET /api/admin/worklog: what was done, newest first. A page ends with a cursor, the time and the
 * id of its last row: rows that are written meanwhile are newer and move nothing. A site's token
 * sees its site's lines; the platform sees all, or those of the site it names.
 */
#include "access/grants/actor.h"
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "base/text/ascii.h"
#include "gen/sql.h"
#include "server/api/factory/factory.h"
#include "server/dispatch/handlers.h"

#include <inttypes.h>

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000, TEXT_MAX = 100, ENTITY_MAX = 500 };
/* 9999-12-31: later than any row. */
#define END_OF_TIME_US (INT64_C(253402214400) * SECOND_US)

struct page {
    Uuid site; /* nil: all */
    int64_t before_us;
    Uuid before_id;
    int64_t since_us;
    Str level; /* the four filters; STR_NONE: any */
    Str action;
    Str entity_type;
    Str entity_id;
    int64_t limit;
};

static Str query_of(struct ctx *ctx, const struct request *request, const char *name)
{
    Str value = request_query(ctx->arena, request, str_from_z(name));
    return value.len > 0 ? value : STR_NONE;
}

static Err take_text(struct ctx *ctx, const struct request *request, const char *name, size_t max,
                     Str *ret)
{
    *ret = query_of(ctx, request, name);
    if (ret->len > max || !str_is_utf8(*ret) || str_find_char(*ret, '\0') >= 0)
        return factory_refuse(ctx, name, "A filter is text of at most 100 bytes (entity_id: 500)");
    return OK;
}

static Err take_time(struct ctx *ctx, const struct request *request, const char *name, int64_t *ret)
{
    Str text = query_of(ctx, request, name);
    if (text.len > 0 && !clock_parse_iso(text, ret))
        return factory_refuse(ctx, name, "since and until have to be ISO 8601 dates");
    return OK;
}

static Err take_limit(struct ctx *ctx, const struct request *request, int64_t *ret)
{
    Str text = query_of(ctx, request, "limit");
    *ret = LIMIT_DEFAULT;
    if (text.len == 0)
        return OK;
    if (!str_to_i64(text, ret) || *ret < 1)
        return factory_refuse(ctx, "limit", "limit has to be a number from 1 to 1000");
    if (*ret > LIMIT_MAX)
        *ret = LIMIT_MAX;
    return OK;
}

static Err take_level(struct ctx *ctx, const struct request *request, Str *ret)
{
    static const Str LEVELS[] = {STR_INIT("debug"), STR_INIT("info"), STR_INIT("success"),
                                 STR_INIT("warning"), STR_INIT("error")};
    *ret = query_of(ctx, request, "level");
    for (size_t i = 0; i < COUNT_OF(LEVELS); i++)
        if (ret->len == 0 || str_eq(*ret, LEVELS[i]))
            return OK;
    return factory_refuse(ctx, "level", "level has to be debug, info, success, warning or error");
}

/* "<µs since 1970>_<id>", as next_cursor gave it. Before `until` it means nothing new. */
static Err take_cursor(struct ctx *ctx, const struct request *request, struct page *page)
{
    Str rest = query_of(ctx, request, "cursor");
    Str time;
    int64_t time_us;
    Uuid id;
    if (rest.len == 0)
        return OK;
    bool is_one = str_next(&rest, '_', &time) && str_to_i64(time, &time_us) && time_us >= 0 &&
                  time_us <= END_OF_TIME_US && uuid_parse(rest, &id);
    if (!is_one)
        return factory_refuse(ctx, "cursor", "cursor has to be the next_cursor of a page");
    if (time_us < page->before_us) {
        page->before_us = time_us;
        page->before_id = id;
    }
    return OK;
}

static Err take_site(struct ctx *ctx, const struct request *request, Uuid *ret)
{
    Str text = query_of(ctx, request, "site_id");
    *ret = (Uuid){0};
    if (text.len == 0)
        text = query_of(ctx, request, "site");
    if (text.len > 0 && !uuid_parse(text, ret))
        return factory_refuse(ctx, "site_id", "site_id has to be a UUID");
    return OK;
}

static Err page_read(struct ctx *ctx, const struct request *request, struct page *ret)
{
    *ret = (struct page){.before_us = END_OF_TIME_US};
    TRY(take_site(ctx, request, &ret->site));
    TRY(take_limit(ctx, request, &ret->limit));
    TRY(take_level(ctx, request, &ret->level));
    TRY(take_text(ctx, request, "action", TEXT_MAX, &ret->action));
    TRY(take_text(ctx, request, "entity_type", TEXT_MAX, &ret->entity_type));
    TRY(take_text(ctx, request, "entity_id", ENTITY_MAX, &ret->entity_id));
    TRY(take_time(ctx, request, "since", &ret->since_us));
    TRY(take_time(ctx, request, "until", &ret->before_us));
    return take_cursor(ctx, request, ret);
}

static fiber_fn Err page_ask(struct ctx *ctx, const struct page *page, struct rows *ret)
{
    if (ctx->scope.kind == SCOPE_SITE) {
        struct worklog_of_site_args args = {
            .site = ctx->scope.site,
            .before = page->before_us,
            .before_id = page->before_id,
            .since = page->since_us,
            .level = page->level,
            .action = page->action,
            .entity_type = page->entity_type,
            .entity_id = page->entity_id,
            .most = page->limit,
        };
        return db_query(ctx, &SQL_WORKLOG_OF_SITE, worklog_of_site_args(ctx->arena, &args), ret);
    }
    struct worklog_of_all_args args = {
        .before = page->before_us,
        .before_id = page->before_id,
        .since = page->since_us,
        .level = page->level,
        .action = page->action,
        .entity_type = page->entity_type,
        .entity_id = page->entity_id,
        .most = page->limit,
    };
    return db_query(ctx, &SQL_WORKLOG_OF_ALL, worklog_of_all_args(ctx->arena, &args), ret);
}

/* The kind of a line as the panel colours it: by what its action sounds like. */
static Str type_of(Str action)
{
    static const struct {
        Str part;
        Str type;
    } PARTS[] = {
        {STR_INIT("failed"), STR_INIT("error")},      {STR_INIT("error"), STR_INIT("error")},
        {STR_INIT("rejected"), STR_INIT("error")},    {STR_INIT("collision"), STR_INIT("warning")},
        {STR_INIT("duplicate"), STR_INIT("warning")}, {STR_INIT("warning"), STR_INIT("warning")},
        {STR_INIT("done"), STR_INIT("system")},       {STR_INIT("approved"), STR_INIT("system")},
        {STR_INIT("indexed"), STR_INIT("system")},    {STR_INIT("published"), STR_INIT("system")},
        {STR_INIT("generated"), STR_INIT("system")},
    };
    for (size_t i = 0; i < COUNT_OF(PARTS); i++)
        if (str_find(action, PARTS[i].part) >= 0)
            return PARTS[i].type;
    return STR("info");
}

static Str upper(struct arena *arena, Str text)
{
    char *out = arena_alloc_raw(arena, text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        out[i] = ascii_upper(text.data[i]);
    return str_of(out, text.len);
}

/* Longer details than a page should carry are told by their size. */
static Str details_of(struct ctx *ctx, const struct rows *rows, uint32_t row)
{
    int64_t bytes = row_int(rows, row, WORKLOG_OF_ALL_DETAILS_BYTES);
    Str details = row_text(rows, row, WORKLOG_OF_ALL_DETAILS);
    if (details.data == NULL && bytes > 0)
        return str_printf(ctx->arena, "{\"left_out_bytes\":%" PRId64 "}", bytes);
    return details.data == NULL ? STR("null") : details;
}

static void put_text(struct json_writer *w, const char *key, Str text)
{
    if (text.data == NULL)
        json_field_null(w, key);
    else
        json_field_str(w, key, text);
}

static void put_uuid(struct json_writer *w, const char *key, Uuid id)
{
    if (uuid_is_nil(id) || uuid_eq(id, UUID_LIBRARY_SITE))
        json_field_null(w, key);
    else
        json_field_uuid(w, key, id);
}

/* "[2024-12-29T23:56:42.000Z] [APPROVED] generated_articles: {…}" */
static Str formatted(struct ctx *ctx, Str time, Str action, Str entity_type, Str details)
{
    return str_printf(ctx->arena, "[%.*s] [%.*s] %.*s: %.*s", STR_FMT(time),
                      STR_FMT(upper(ctx->arena, action)), STR_FMT(entity_type), STR_FMT(details));
}

static void put_line(struct ctx *ctx, struct json_writer *w, const struct rows *rows, uint32_t row)
{
    Str time = clock_iso(ctx->arena, row_time(rows, row, WORKLOG_OF_ALL_TIMESTAMP));
    Str action = row_text(rows, row, WORKLOG_OF_ALL_ACTION);
    Str entity_type = row_text(rows, row, WORKLOG_OF_ALL_ENTITY_TYPE);
    Str details = details_of(ctx, rows, row);
    json_object_begin(w);
    json_field_uuid(w, "id", row_uuid(rows, row, WORKLOG_OF_ALL_ID));
    json_field_str(w, "timestamp", time);
    json_field_str(w, "formatted", formatted(ctx, time, action, entity_type, details));
    json_field_str(w, "type", type_of(action));
    put_uuid(w, "site_id", row_uuid(rows, row, WORKLOG_OF_ALL_SITE_ID));
    json_field_str(w, "action", action);
    put_text(w, "entity_type", entity_type);
    put_text(w, "entity_id", row_text(rows, row, WORKLOG_OF_ALL_ENTITY_ID));
    json_field_raw(w, "details", details);
    put_text(w, "level", row_text(rows, row, WORKLOG_OF_ALL_LEVEL));
    put_text(w, "status", row_text(rows, row, WORKLOG_OF_ALL_STATUS));
    put_uuid(w, "user", row_uuid(rows, row, WORKLOG_OF_ALL_USER_ID));
    put_text(w, "actor", row_text(rows, row, WORKLOG_OF_ALL_ACTOR));
    put_text(w, "ip", row_text(rows, row, WORKLOG_OF_ALL_IP));
    json_object_end(w);
}

static void put_cursor(struct ctx *ctx, struct json_writer *w, const struct rows *rows)
{
    uint32_t last = rows->count - 1;
    Str id = uuid_text(ctx->arena, row_uuid(rows, last, WORKLOG_OF_ALL_ID));
    json_field_str(w, "next_cursor",
                   str_printf(ctx->arena, "%" PRId64 "_%.*s",
                              row_time(rows, last, WORKLOG_OF_ALL_TIMESTAMP), STR_FMT(id)));
}

fiber_fn Err worklog_index(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    struct page page;
    TRY(page_read(ctx, request, &page));
    if (ctx->scope.kind == SCOPE_SITE || !uuid_is_nil(page.site))
        TRY(factory_enter(ctx, page.site, NULL));
    else if (ctx->scope.kind != SCOPE_PLATFORM)
        return fail_plain(ctx, ERR_FORBIDDEN);
    struct rows rows;
    TRY(page_ask(ctx, &page, &rows));

    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_key(w, STR("logs"));
    json_array_begin(w);
    for (uint32_t i = 0; i < rows.count; i++)
        put_line(ctx, w, &rows, i);
    json_array_end(w);
    if (rows.count == (uint32_t)page.limit)
        put_cursor(ctx, w, &rows);
    else
        json_field_null(w, "next_cursor");
    json_object_end(w);
    return OK;
}
