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
    bool is_filtered;         /* the items went through the hooks already */
    struct payload *payloads; /* NULL: not made yet */
    Str *keys;                /* set as the rows are written … */
    int64_t *revisions;       /* … and so are these; 0: none */
};
/* In as few statements as the rows allow, with the rows nested in them. Takes a transaction. */
fiber_fn Err write_create_rows(struct writer *w, struct new_rows *rows);
fiber_fn Err write_make_payloads(struct writer *w, struct new_rows *rows);
/* How many payloads, from the first on, one statement can write. */
uint32_t write_are_alike(const struct writer *w, const struct payload *payloads, uint32_t count);
fiber_fn Err write_payloads(struct writer *w, const struct write_target *target,
                            const struct payload *payloads, uint32_t count,
                            const struct query *query, struct run *run);

/* nested.c */
bool nested_is_in(const struct collection *collection, const struct json *body);
/* The rows that these rows point to; sets their keys in the payloads. */
fiber_fn Err nested_before(struct writer *w, const struct write_target *target,
                           struct payload *payloads, uint32_t count);
/* The revisions of those rows get that of this row as their parent. */
void nested_adopt(struct writer *w, const struct payload *payload, int64_t revision);
/* They have one. */
void nested_forget(struct payload *payload);
/* The rows that point to this row. `is_new`: it has none yet. */
fiber_fn Err nested_after(struct writer *w, const struct write_target *target,
                          const struct payload *payload, Str key, bool is_new);

/* write_history.c */
/* What new rows of a lineage leave is written by one statement for all of them: before another
 * statement that leaves something, so that ids follow the order of the writes, and at the end. */
bool write_history_waits(const struct write_shape *shape);
void write_history_add(struct writer *w, const struct plan *plan, const struct payload *payloads,
                       int64_t parent, const struct rows *rows);
fiber_fn Err write_history_flush(struct writer *w);
/* The revision gets this parent, before the commit. */
void write_history_adopt(struct writer *w, int64_t revision, int64_t parent);
/* Before the commit. */
fiber_fn Err write_history_end(struct writer *w);

/* nested_many.c */
/* The parent of rows that are written. */
struct nested_parent {
    Str key;
    bool is_new;
    int64_t revision;
    const struct nested_path *path; /* ends with the field */
};
fiber_fn Err nested_to_many(struct writer *w, const struct relation *relation,
                            const struct json *value, const struct nested_parent *parent);
/* What both use: opens a target of this path. */
Err nested_open(struct writer *w, const struct collection *child, enum action action,
                const struct nested_path *path, struct write_target *ret);
fiber_fn Err nested_exists(struct writer *w, const struct collection *collection, Str key,
                           bool *ret);
