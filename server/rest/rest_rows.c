#include "server/rest/rest_rows.h"

#include <assert.h>

static void put_count(struct buf *out, Str name, int64_t count)
{
    buf_put(out, name);
    buf_put_i64(out, count);
}

static void put_meta(struct buf *out, const struct rows_head *head)
{
    if (!head->has_total && !head->has_filtered)
        return;
    buf_put(out, STR("\"meta\":{"));
    if (head->has_total)
        put_count(out, STR("\"total_count\":"), head->total);
    if (head->has_total && head->has_filtered)
        buf_put_char(out, ',');
    if (head->has_filtered)
        put_count(out, STR("\"filter_count\":"), head->filtered);
    buf_put(out, STR("},"));
}

static void begin(struct row_sink *sink, const struct rows_head *head)
{
    struct rest_rows *to = (struct rest_rows *)sink;
    assert(!to->has_begun);
    to->has_begun = true;
    buf_put_char(to->json.out, '{');
    put_meta(to->json.out, head);
    buf_put(to->json.out, STR("\"data\":"));
    json_sink_begin(&to->json, head);
}

static fiber_fn bool take_row(struct row_sink *sink, const struct row *row)
{
    return json_sink_take_row(&((struct rest_rows *)sink)->json, row);
}

static Err end(struct row_sink *sink, struct ctx *ctx)
{
    struct rest_rows *to = (struct rest_rows *)sink;
    json_sink_end(&to->json);
    buf_put_char(to->json.out, '}');
    return json_sink_check(&to->json, ctx);
}

struct rest_rows rest_rows(struct buf *out)
{
    return (struct rest_rows){.sink = {begin, take_row, end}, .json = json_sink(out)};
}
