/*
 * The destination of rows. Reads and writes of items pass their rows to a sink, which produces
 * JSON, a value in memory, a file or an event. A sink of a higher layer adds the envelope
 * (Directus' "data" and "meta").
 *
 *   begin   take_row take_row take_row …   end
 *
 * If a written row may not be read back, the sink is not called at all. To read a row, a sink uses
 * row_write_json for the whole row, or row_walk for each member with its typed value.
 */
#pragma once

#include "base/json/json.h"
#include "content/plan/row_value.h"
#include "io/fiber/fiber.h"

struct row; /* one row, in the projection of the query; valid until take_row returns */

/* Known before the first row. */
struct rows_head {
    bool is_list;   /* false: one row follows, from a read by key or of a singleton */
    bool has_total; /* the query requests the counts */
    bool has_filtered;
    int64_t total;    /* rows of the collection */
    int64_t filtered; /* rows that match the filter */
};

struct row_sink {
    void (*begin)(struct row_sink *sink, const struct rows_head *head);
    /* false: the sink is full and takes no more rows; `end` reports the error. May yield but must
     * not wait. */
    fiber_fn bool (*take_row)(struct row_sink *sink, const struct row *row);
    /* Called after the last row. Its error becomes the result of the read or write. */
    Err (*end)(struct row_sink *sink, struct ctx *ctx);
};

/* The whole row as compact JSON. Stops early when `out` is full. */
fiber_fn void row_write_json(const struct row *row, struct buf *out);

/*
 * Callbacks for a row's members in the order of the answer. In an object each name precedes its
 * value, which is a value, an object or a list; a row that is reduced to its key is one value.
 */
struct row_visitor {
    void (*object_begin)(struct row_visitor *visitor);
    void (*object_end)(struct row_visitor *visitor);
    void (*list_begin)(struct row_visitor *visitor);
    void (*list_end)(struct row_visitor *visitor);
    void (*member)(struct row_visitor *visitor, Str name);
    void (*value)(struct row_visitor *visitor, const struct row_value *value);
    bool is_full; /* set by the visitor to stop the walk early */
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
/* The individual steps, for a sink that adds an envelope. */
void json_sink_begin(struct json_sink *to, const struct rows_head *head);
fiber_fn bool json_sink_take_row(struct json_sink *to, const struct row *row);
void json_sink_end(struct json_sink *to);
/* ERR_TOO_LARGE when the answer has exceeded the maximum of its buffer. */
Err json_sink_check(const struct json_sink *to, struct ctx *ctx);

/* A value in memory: an array of rows, or one row, equal to the parsed JSON answer. */
struct value_sink;
/* `end` returns ERR_TOO_LARGE when the value exceeds bytes_max. ERR_UNAVAILABLE when that much
 * memory is not available. */
Err value_sink_new(struct ctx *ctx, uint64_t bytes_max, struct value_sink **ret);
struct row_sink *value_sink_rows(struct value_sink *to);
/* Call after `end`. Valid as long as ctx->arena. */
const struct json *value_sink_value(const struct value_sink *to);
