/*
 * Where rows go. Reads and writes of items put their rows into a sink, and the sink decides what
 * becomes of them: JSON, a value in memory, a file, an event. What stands around the rows on the
 * wire (Directus' "data" and "meta") is the business of a sink above this layer.
 *
 *   begin   take_row take_row take_row …   end
 *
 * What a write has changed but may not be read back begins nothing. A sink looks at a row as it
 * likes: row_write_json writes all of it in one step, row_walk tells each member with its typed
 * value.
 */
#pragma once

#include "base/json/json.h"
#include "content/plan/row_value.h"
#include "io/fiber/fiber.h"

struct row; /* one row, as the query wants it; there until take_row returns */

/* What is known before the first row. */
struct rows_head {
    bool is_list;   /* false: one row follows, of a key or of a singleton */
    bool has_total; /* counts are there when the query asks for them */
    bool has_filtered;
    int64_t total;    /* rows of the collection */
    int64_t filtered; /* rows that the filter lets through */
};

struct row_sink {
    void (*begin)(struct row_sink *sink, const struct rows_head *head);
    /* false: it is full and takes no more rows; `end` says why. May yield, waits for nothing else.
     */
    fiber_fn bool (*take_row)(struct row_sink *sink, const struct row *row);
    /* All rows are there. Its error becomes that of the read or write. */
    Err (*end)(struct row_sink *sink, struct ctx *ctx);
};

/* The whole row as compact JSON. Stops early when `out` is full. */
fiber_fn void row_write_json(const struct row *row, struct buf *out);

/*
 * Told of a row's members in the order of the answer. An object names each member before its value,
 * which is a value, an object or a list; a row that is its key alone is one value.
 */
struct row_visitor {
    void (*object_begin)(struct row_visitor *visitor);
    void (*object_end)(struct row_visitor *visitor);
    void (*list_begin)(struct row_visitor *visitor);
    void (*list_end)(struct row_visitor *visitor);
    void (*member)(struct row_visitor *visitor, Str name);
    void (*value)(struct row_visitor *visitor, const struct row_value *value);
    bool is_full; /* set by the visitor: no further rows, which may be many inside of one */
};
fiber_fn void row_walk(const struct row *row, struct row_visitor *visitor);

/* JSON into a buffer: an array of rows, or one row. */
struct json_sink {
    struct row_sink sink;
    struct buf *out;
    bool is_list;
    bool needs_comma;
};
struct json_sink json_sink(struct buf *out);
/* The steps of it, for a sink that writes something around them. */
void json_sink_begin(struct json_sink *to, const struct rows_head *head);
fiber_fn bool json_sink_take_row(struct json_sink *to, const struct row *row);
void json_sink_end(struct json_sink *to);
/* ERR_TOO_LARGE when the answer has passed the maximum of its buffer. */
Err json_sink_check(const struct json_sink *to, struct ctx *ctx);

/* A value in memory: an array of rows, or one row, as a client would read them from the JSON. */
struct value_sink;
/* ERR_TOO_LARGE at the end when the value takes more than bytes_max; ERR_UNAVAILABLE when there is
 * no room for so much. */
Err value_sink_new(struct ctx *ctx, uint64_t bytes_max, struct value_sink **ret);
struct row_sink *value_sink_rows(struct value_sink *to);
/* After `end`. Lives as long as ctx->arena. */
const struct json *value_sink_value(const struct value_sink *to);
