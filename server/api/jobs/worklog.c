/*
 * GET /api/admin/worklog: the work log, newest first. A page ends with a cursor, the time and the
 * id of its last row: rows written meanwhile are newer and do not shift pages. A site token sees
 * the entries of its site; the platform sees all, or those of the site it names.
 */
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "base/text/ascii.h"
#include "gen/routes/jobs.h"
#include "gen/sql.h"

#include <inttypes.h>

/* 9999-12-31: later than any row. */
#define END_OF_TIME_US (INT64_C(253402214400) * SECOND_US)

/* "<µs since 1970>_<id>", from next_cursor. Ignored unless it is before `until`. */
Err route_worklog_index_check(struct ctx *ctx, struct worklog_index_input *input)
{
    Str rest = input->cursor;
    Str time;
    int64_t time_us;
    Uuid id;
    input->before_us = input->has_until ? input->until : END_OF_TIME_US;
    if (rest.len == 0)
        return OK;
    bool is_one = str_next(&rest, '_', &time) && str_to_i64(time, &time_us) && time_us >= 0 &&
                  time_us <= END_OF_TIME_US && uuid_parse(rest, &id);
    if (!is_one)
        return field_refuse(ctx, "cursor", "cursor must be the next_cursor of a page");
    if (time_us < input->before_us) {
        input->before_us = time_us;
        input->before_id = id;
    }
    return OK;
}

static fiber_fn Err page_ask(struct ctx *ctx, const struct worklog_index_input *page,
                             struct rows *ret)
{
    if (ctx->scope.kind == SCOPE_SITE) {
        struct worklog_of_site_args args = {
            .site = ctx->scope.site,
            .before = page->before_us,
            .before_id = page->before_id,
            .since = page->since,
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
        .since = page->since,
        .level = page->level,
        .action = page->action,
        .entity_type = page->entity_type,
        .entity_id = page->entity_id,
        .most = page->limit,
    };
    return db_query(ctx, &SQL_WORKLOG_OF_ALL, worklog_of_all_args(ctx->arena, &args), ret);
}

/* The type of an entry, which selects its colour in the panel: derived from its action. */
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

/* Details that are too long for a page are replaced by their size. */
static Str details_of(struct ctx *ctx, const struct rows *rows, uint32_t row)
{
    int64_t bytes = row_int(rows, row, WORKLOG_OF_ALL_DETAILS_BYTES);
    Str details = row_text(rows, row, WORKLOG_OF_ALL_DETAILS);
    if (details.data == NULL && bytes > 0)
        return str_printf(ctx->arena, "{\"left_out_bytes\":%" PRId64 "}", bytes);
    return details.data == NULL ? STR("null") : details;
}

/* "[2024-12-29T23:56:42.000Z] [APPROVED] generated_articles: {…}" */
static Str formatted(struct ctx *ctx, Str time, Str action, Str entity_type, Str details)
{
    return str_printf(ctx->arena, "[%.*s] [%.*s] %.*s: %.*s", STR_FMT(time),
                      STR_FMT(upper(ctx->arena, action)), STR_FMT(entity_type), STR_FMT(details));
}

static Uuid site_or_nil(Uuid site)
{
    return uuid_eq(site, UUID_LIBRARY_SITE) ? (Uuid){0} : site;
}

static struct log_line_reply line_of(struct ctx *ctx, const struct rows *rows, uint32_t row)
{
    Str time = clock_iso(ctx->arena, row_time(rows, row, WORKLOG_OF_ALL_TIMESTAMP));
    Str action = row_text(rows, row, WORKLOG_OF_ALL_ACTION);
    Str entity_type = row_text(rows, row, WORKLOG_OF_ALL_ENTITY_TYPE);
    Str details = details_of(ctx, rows, row);
    return (struct log_line_reply){
        .id = row_uuid(rows, row, WORKLOG_OF_ALL_ID),
        .timestamp = time,
        .formatted = formatted(ctx, time, action, entity_type, details),
        .type = type_of(action),
        .site_id = site_or_nil(row_uuid(rows, row, WORKLOG_OF_ALL_SITE_ID)),
        .action = action,
        .entity_type = entity_type,
        .entity_id = row_text(rows, row, WORKLOG_OF_ALL_ENTITY_ID),
        .details = details,
        .level = row_text(rows, row, WORKLOG_OF_ALL_LEVEL),
        .status = row_text(rows, row, WORKLOG_OF_ALL_STATUS),
        .user = site_or_nil(row_uuid(rows, row, WORKLOG_OF_ALL_USER_ID)),
        .actor = row_text(rows, row, WORKLOG_OF_ALL_ACTOR),
        .ip = row_text(rows, row, WORKLOG_OF_ALL_IP),
    };
}

static Str cursor_of(struct ctx *ctx, const struct rows *rows)
{
    uint32_t last = rows->count - 1;
    Str id = uuid_text(ctx->arena, row_uuid(rows, last, WORKLOG_OF_ALL_ID));
    return str_printf(ctx->arena, "%" PRId64 "_%.*s",
                      row_time(rows, last, WORKLOG_OF_ALL_TIMESTAMP), STR_FMT(id));
}

fiber_fn Err route_worklog_index(struct ctx *ctx, const struct request *request,
                                 const struct worklog_index_input *input, struct reply *reply)
{
    (void)request;
    struct rows rows;
    TRY(page_ask(ctx, input, &rows));

    struct log_line_reply *lines = arena_array(ctx->arena, struct log_line_reply, rows.count);
    for (uint32_t i = 0; i < rows.count; i++)
        lines[i] = line_of(ctx, &rows, i);
    bool is_full = rows.count == (uint32_t)input->limit;
    worklog_index_reply_write(&reply->json,
                              &(struct worklog_index_reply){
                                  .logs = {lines, rows.count},
                                  .next_cursor = is_full ? cursor_of(ctx, &rows) : STR_NONE,
                              });
    return OK;
}
