/*
 * Rows as JSON, written directly into the buffer of an answer.
 */
#include "content/run/row.h"

#include <assert.h>

enum { PAUSE_ROWS = 16, PAUSE_BYTES = 4096 };

/* A look at the clock costs as much as a short row, so the function pauses after some of them. */
static fiber_fn void put_rows(const struct row *first, uint32_t count, struct buf *out)
{
    struct row row = *first;
    size_t paused_at = out->len;
    buf_put_char(out, '[');
    for (uint32_t i = 0; i < count && !out->is_full; i++, row.index++) {
        if (i > 0)
            buf_put_char(out, ',');
        if (i % PAUSE_ROWS == 0 || out->len - paused_at >= PAUSE_BYTES) {
            fiber_pause();
            paused_at = out->len;
        }
        row_write_json(&row, out);
    }
    buf_put_char(out, ']');
}

static fiber_fn void put_object(const struct row *row, struct buf *out)
{
    assert(!row->shape->is_key_only);
    const struct shape *shape = row->shape;
    struct member member;
    buf_put_char(out, '{');
    for (uint32_t i = 0; i < shape->count; i++) {
        buf_put(out, shape->outs[i].json_key);
        row_member(row, &shape->outs[i], &member);
        if (member.kind == MEMBER_VALUE)
            row_value_json(out, &member.value);
        else if (member.kind == MEMBER_OBJECT)
            row_write_json(&member.row, out);
        else
            put_rows(&member.row, member.count, out);
    }
    buf_put_char(out, '}');
}

/* Nested rows multiply, so the function stops as soon as the buffer is full. */
fiber_fn void row_write_json(const struct row *row, struct buf *out)
{
    if (out->is_full)
        return;
    if (!row->shape->is_key_only) {
        put_object(row, out);
        return;
    }
    struct row_value key;
    row_key(row, &key);
    row_value_json(out, &key);
}

void json_sink_begin(struct json_sink *to, const struct rows_head *head)
{
    assert(!to->needs_comma);
    to->is_list = head->is_list;
    to->needs_comma = false;
    if (head->is_list)
        buf_put_char(to->out, '[');
}

fiber_fn bool json_sink_take_row(struct json_sink *to, const struct row *row)
{
    assert(to->is_list || !to->needs_comma); /* without a list there is exactly one row */
    if (to->needs_comma)
        buf_put_char(to->out, ',');
    to->needs_comma = true;
    fiber_pause();
    row_write_json(row, to->out);
    return !to->out->is_full;
}

void json_sink_end(struct json_sink *to)
{
    if (to->is_list)
        buf_put_char(to->out, ']');
}

Err json_sink_check(const struct json_sink *to, struct ctx *ctx)
{
    return buf_check(ctx, to->out, "the answer");
}

static void begin(struct row_sink *sink, const struct rows_head *head)
{
    json_sink_begin((struct json_sink *)sink, head);
}

static fiber_fn bool take_row(struct row_sink *sink, const struct row *row)
{
    return json_sink_take_row((struct json_sink *)sink, row);
}

static Err end(struct row_sink *sink, struct ctx *ctx)
{
    struct json_sink *to = (struct json_sink *)sink;
    json_sink_end(to);
    return json_sink_check(to, ctx);
}

struct json_sink json_sink(struct buf *out)
{
    return (struct json_sink){.sink = {begin, take_row, end}, .out = out};
}
