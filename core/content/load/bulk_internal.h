/*
 * A bulk load in progress: rows are read and checked (bulk_read.c), written as lines of COPY
 * (bulk_value.c), loaded (bulk_load.c) and announced (bulk_publish.c). Private to bulk_*.c.
 *
 * COPY FROM is refused on a table with row-level security, even for the platform's role. So the
 * lines go into a temporary table, and from there, 1,000 rows per statement, through the row
 * policies.
 */
#pragma once

#include "base/text/buf.h"
#include "content/ddl/ddl.h"
#include "content/load/load.h"
#include "content/schema/schema.h"
#include "io/pg/db.h"

enum { BULK_COLUMNS_MAX = 256, BULK_SHAPES_MAX = 64, BULK_CHUNK = 1000, BULK_REFUSALS_MAX = 1000 };

/* The column set of a row: rows with the same set go into one INSERT, so that PostgreSQL supplies
 * the defaults of omitted columns. */
struct bulk_shape {
    uint64_t columns[BULK_COLUMNS_MAX / 64];
};

struct bulk_row {
    const struct json *json;
    uint32_t shape;
    Uuid site; /* of a tenant-owned collection */
    Str key;   /* text; STR_NONE until known */
    Str fault; /* why it is skipped; STR_NONE: it is valid */
    bool is_stored;
};

struct bulk {
    struct platform platform;
    struct ctx *ctx;
    const struct schema *schema;
    const struct collection *collection;
    struct bulk_row *rows;
    uint32_t count;
    const struct field *columns[BULK_COLUMNS_MAX];
    bool is_unchecked[BULK_COLUMNS_MAX]; /* copied as text, checked by the INSERT */
    uint32_t column_count;
    struct bulk_shape shapes[BULK_SHAPES_MAX];
    uint32_t shape_count;
    uint32_t *order; /* the valid rows, by column set: the numbering of the temporary table */
    uint32_t order_count;
    uint32_t refusals; /* rows that PostgreSQL refused */
    Str now;           /* for date-created */
};

static inline bool shape_has(const struct bulk_shape *shape, uint32_t column)
{
    return (shape->columns[column / 64] >> (column % 64) & 1) != 0;
}

/* bulk_read.c: finds the columns and the column set of each row, checks sites, orders the valid
 * rows. */
fiber_fn Err bulk_read(struct bulk *bulk, const struct json *items);
/* Marks a row as invalid; the first fault is kept. */
void bulk_fault(struct bulk *bulk, uint32_t row, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* bulk_value.c: one value in COPY's text format. False when it does not fit the column: then the
 * content of `out` is undefined and *ret_fault says what was expected. */
fiber_fn bool bulk_value_write(struct ctx *ctx, const struct field *field, const struct json *value,
                               struct buf *out, Str *ret_fault);
/* Text unchanged except for escaping. */
fiber_fn void bulk_text_write(struct buf *out, Str text);
/* Types that only PostgreSQL can check (numeric(10,2), enums, domains). */
bool bulk_is_unchecked(const struct field *field);

/* bulk_lines.c: the valid rows as lines; a row that turns out to be invalid is removed from the
 * order. */
fiber_fn Err bulk_lines(struct bulk *bulk, struct buf *out);

/* bulk_load.c */
fiber_fn Err bulk_load(struct bulk *bulk, Str lines, bool atomic);

/* bulk_publish.c: call after the commit. */
fiber_fn void bulk_publish(struct bulk *bulk);
