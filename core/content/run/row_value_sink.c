/*
 * Rows as a value in memory.
 */
#include "base/json/json_build.h"
#include "base/system/ctx.h"
#include "content/run/row.h"

#include <assert.h>

/* For JSON in a column: keeps the value around it within JSON_DEPTH_CAP. */
#define COLUMN_LIMITS ((struct json_limits){32, JSON_KEYS_MAX})

struct value_sink {
    struct row_sink sink;
    struct row_visitor visitor;
    struct ctx *ctx;
    struct json_builder *builder;
    const struct json *value;
    bool is_list;
    Err err; /* of JSON in a column that cannot be parsed */
};

static struct value_sink *sink_of(struct row_visitor *visitor)
{
    return (struct value_sink *)((char *)visitor - offsetof(struct value_sink, visitor));
}

static struct json_builder *builder_of(struct row_visitor *visitor)
{
    return sink_of(visitor)->builder;
}

static void object_begin(struct row_visitor *visitor)
{
    json_build_object_begin(builder_of(visitor));
}

static void object_end(struct row_visitor *visitor)
{
    json_build_object_end(builder_of(visitor));
}

static void list_begin(struct row_visitor *visitor)
{
    json_build_array_begin(builder_of(visitor));
}

static void list_end(struct row_visitor *visitor)
{
    json_build_array_end(builder_of(visitor));
}

static void member(struct row_visitor *visitor, Str name)
{
    json_build_key(builder_of(visitor), name);
}

static void put_list(struct json_builder *b, Str rest)
{
    Str part;
    json_build_array_begin(b);
    if (rest.len == 0)
        rest = STR_NONE; /* the empty text is the empty list */
    while (str_next(&rest, ',', &part))
        json_build_str(b, part);
    json_build_array_end(b);
}

/* A separate document, with numbers of any length. */
static void put_parsed(struct value_sink *to, Str text)
{
    assert(text.len > 0);
    const struct json *parsed = NULL;
    if (to->err == OK)
        to->err = json_parse(to->ctx, text, COLUMN_LIMITS, &parsed);
    json_build_value(to->builder, parsed);
}

static void put_value(struct row_visitor *visitor, const struct row_value *value)
{
    struct value_sink *to = sink_of(visitor);
    assert(to->value == NULL);
    switch (value->kind) {
    case ROW_NULL:
        json_build_null(to->builder);
        break;
    case ROW_BOOL:
        json_build_bool(to->builder, value->boolean);
        break;
    case ROW_INT:
        json_build_int(to->builder, value->integer);
        break;
    case ROW_REAL:
        json_build_real(to->builder, value->real);
        break;
    case ROW_JSON:
    case ROW_NUMBER:
        put_parsed(to, value->text);
        break;
    case ROW_CSV:
        put_list(to->builder, value->text);
        break;
    default:
        json_build_str(to->builder, row_value_text(to->ctx->arena, value));
    }
    visitor->is_full = to->err != OK || json_builder_is_full(to->builder);
}

static void begin(struct row_sink *sink, const struct rows_head *head)
{
    struct value_sink *to = (struct value_sink *)sink;
    assert(to->value == NULL);
    to->is_list = head->is_list;
    if (to->is_list)
        json_build_array_begin(to->builder);
}

static fiber_fn bool take_row(struct row_sink *sink, const struct row *row)
{
    struct value_sink *to = (struct value_sink *)sink;
    row_walk(row, &to->visitor);
    return !to->visitor.is_full;
}

static Err end(struct row_sink *sink, struct ctx *ctx)
{
    struct value_sink *to = (struct value_sink *)sink;
    assert(to->value == NULL);
    TRY(to->err); /* what it left open is not to be closed */
    if (to->is_list)
        json_build_array_end(to->builder);
    return json_builder_end(ctx, to->builder, &to->value);
}

Err value_sink_new(struct ctx *ctx, uint64_t bytes_max, struct value_sink **ret)
{
    assert(bytes_max > 0);
    struct value_sink *to = arena_new(ctx->arena, struct value_sink);
    *to = (struct value_sink){
        .sink = {begin, take_row, end},
        .visitor = {.object_begin = object_begin,
                    .object_end = object_end,
                    .list_begin = list_begin,
                    .list_end = list_end,
                    .member = member,
                    .value = put_value},
        .ctx = ctx,
    };
    TRY(json_builder_new(ctx, bytes_max, &to->builder));
    *ret = to;
    return OK;
}

struct row_sink *value_sink_rows(struct value_sink *to)
{
    return &to->sink;
}

const struct json *value_sink_value(const struct value_sink *to)
{
    assert(to->value != NULL); /* `end` was called */
    return to->value;
}
