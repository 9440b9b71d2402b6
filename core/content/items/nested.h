/*
 * Several new rows of one collection, and nested rows: what a payload writes of other rows, before
 * and after its own.
 */
#pragma once

#include "content/items/write.h"

/* write_rows.c: rows of one collection. */
struct new_rows {
    const struct write_target *target; /* order_value: of the first row */
    const struct json *const *items;
    uint32_t count;
    bool is_filtered;            /* the items went through the hooks already */
    struct payload *payloads;    /* NULL: not made yet */
    Str *keys;                   /* set as the rows are written … */
    struct revision **revisions; /* … and so are these; NULL: none */
};
/* In as few statements as the rows allow, with the rows nested in them. Takes a transaction. */
fiber_fn Err write_create_rows(struct writer *w, struct new_rows *rows);
fiber_fn Err write_make_payloads(struct writer *w, struct new_rows *rows);
/* How many payloads, from the first on, one statement can write. */
/* The rows as one JSON array, with values in the text form of their columns. */
fiber_fn Str write_rows_json(struct ctx *ctx, const struct payload *payloads, uint32_t count,
                             const struct write_shape *shape);
uint32_t write_are_alike(const struct writer *w, const struct payload *payloads, uint32_t count);
fiber_fn Err write_payloads(struct writer *w, const struct write_target *target,
                            const struct payload *payloads, uint32_t count,
                            const struct query *query, struct run *run);

/* write.c: statements of a transaction that wait for each other, to be sent together. */
/* Creates rows; the payloads are in the arena of the request. Sends at once if somebody needs a key
 * that only the statement can tell. keys and revisions, of the rows, are set now or, keys that
 * nobody needs, when the statement is sent. */
fiber_fn Err write_queue_add(struct writer *w, const struct write_target *target,
                             const struct write_shape *shape, const struct payload *payloads,
                             uint32_t count, Str *keys, struct revision **revisions);
/* Sends what waits. Call before any other statement of the transaction. */
fiber_fn Err write_queue_run(struct writer *w);
/* The first fault: that of a statement that waits, or `err`, which was found after it. */
fiber_fn Err write_queue_settle(struct writer *w, Err err);

/* nested.c */
bool nested_is_in(const struct collection *collection, const struct json *body);
/* The rows that these rows point to; sets their keys in the payloads. */
fiber_fn Err nested_before(struct writer *w, const struct write_target *target,
                           struct payload *payloads, uint32_t count);
/* The revisions of those rows get that of this row as their parent. */
void nested_adopt(struct writer *w, const struct payload *payload, struct revision *revision);
/* They have one. */
void nested_forget(struct payload *payload);
/* The rows that point to this row. `is_new`: it has none yet. */
fiber_fn Err nested_after(struct writer *w, const struct write_target *target,
                          const struct payload *payload, Str key, bool is_new);

/* write_history.c */
/* Activity and revision of a row. */
struct revision {
    struct revision *next;
    const struct revision *parent; /* NULL: none, or not yet */
    Str collection;
    Str item;
    Str data;
    Uuid site;  /* nil: none */
    int64_t id; /* 0: only activity, or the row is not written yet */
    bool is_written;
};
/* What new rows of a lineage leave is written by one statement for all of them: before another
 * statement that leaves something, so that ids follow the order of the writes, and at the end. */
bool write_history_waits(const struct write_shape *shape);
/* NULL if the collection is not tracked. */
struct revision *write_history_add(struct writer *w, const struct plan *plan,
                                   const struct payload *payload, const struct revision *parent);
void write_history_of_row(struct writer *w, const struct plan *plan, const struct rows *rows,
                          uint32_t row, struct revision *ret);
fiber_fn Err write_history_flush(struct writer *w);
/* The revision gets this parent, before the commit. */
void write_history_adopt(struct writer *w, struct revision *revision,
                         const struct revision *parent);
/* What is still to be sent, before or with the commit. */
fiber_fn Err write_history_end(struct writer *w, struct db_batch *batch);

/* nested_many.c */
/* The parent of rows that are written. */
struct nested_parent {
    Str key;
    bool is_new;
    struct revision *revision;
    const struct nested_path *path; /* ends with the field */
};
fiber_fn Err nested_to_many(struct writer *w, const struct relation *relation,
                            const struct json *value, const struct nested_parent *parent);
/* What both use: opens a target of this path. */
Err nested_open(struct writer *w, const struct collection *child, enum action action,
                const struct nested_path *path, struct write_target *ret);
fiber_fn Err nested_exists(struct writer *w, const struct collection *collection, Str key,
                           bool *ret);
