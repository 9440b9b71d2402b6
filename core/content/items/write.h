/*
 * Writing rows: each write is one statement that changes the rows, notes activity and revisions,
 * and returns what was asked for. Several writes of one request share a transaction.
 */
#pragma once

#include "content/items/items.h"
#include "content/items/payload.h"
#include "content/run/run.h"

enum { WRITE_DEPTH_MAX = 10 };

/* What is told to others after the commit. */
struct written {
    struct written *next;
    struct items_change change;
};

struct writer {
    struct ctx *ctx;
    const struct schema *schema;
    struct db_tx *tx; /* NULL: every statement is a commit of its own */
    struct written *first;
    struct written *last;
    uint32_t rows; /* written so far: nested ones count */
    uint32_t depth;
};

/* Which statement: part of the key of its plan. */
struct write_shape {
    enum action action;
    const struct field *const *fields; /* the columns it sets */
    uint32_t field_count;
    const struct field *const *asked; /* those that the body names: they need a right */
    uint32_t asked_count;
    bool is_many;              /* by PARAM_KEYS; creates: from a JSON array */
    struct access access;      /* of the action */
    const struct query *query; /* what to return; NULL: keys only */
};

/* write_plan.c */
Err write_plan(struct writer *w, const struct collection *collection,
               const struct write_shape *shape, const struct plan **ret);
/* Arguments every write takes first; the cells follow. */
enum { GIVEN_USER, GIVEN_IP, GIVEN_AGENT, GIVEN_ORIGIN, GIVEN_DATA, GIVEN_CELLS };

/* write.c */
fiber_fn Err write_run(struct writer *w, const struct plan *plan, const struct write_shape *shape,
                       const struct payload *payload, Str data, struct run *run);
/* write_audit.c: the lines of the work log about rows of a collection that is audited, in the
 * transaction of the write. */
fiber_fn Err write_audit(struct writer *w, const struct plan *plan, const struct write_shape *shape,
                         const struct rows *rows);
/* Tells Redis and the hooks. After the commit. */
void write_announce(struct writer *w);
fiber_fn Err write_before(struct writer *w, enum items_action action,
                          const struct collection *collection, const Str *keys, uint32_t count,
                          const struct json *body, const struct json **ret);
void write_columns(struct ctx *ctx, const struct payload *payload, struct write_shape *shape);
/* "You don't have permissions to perform …" */
Err write_forbidden(struct ctx *ctx, const struct write_target *target,
                    const struct payload *payload);

/* What every write does first: the schema, the collection, the right to write. */
fiber_fn Err write_open(struct ctx *ctx, struct items_target target, enum action action,
                        struct writer *ret, struct write_target *ret_target);
/* The steps as one transaction, or within the one that is open. */
typedef fiber_fn Err WriteSteps(struct writer *w, void *arg);
fiber_fn Err writer_in_tx(struct writer *w, WriteSteps *steps, void *arg);
/* ERR_INVALID_PAYLOAD when one request may not write so many. */
Err write_check_rows(struct ctx *ctx, uint64_t rows);

/* items_create.c, items_update.c, items_delete.c: the steps nested writes use as well. */
fiber_fn Err write_create_one(struct writer *w, const struct write_target *target,
                              const struct json *body, const struct query *query, struct run *run,
                              Str *ret_key);
/* A whole request for one object: write, announce, answer. */
fiber_fn Err write_create_object(struct writer *w, const struct write_target *target,
                                 const struct json *body, const struct query *query,
                                 struct row_sink *sink);
fiber_fn Err write_update_one(struct writer *w, const struct write_target *target, Str key,
                              const struct json *body, const struct query *query, struct run *run);
fiber_fn Err write_delete_keys(struct writer *w, const struct write_target *target, const Str *keys,
                               uint32_t count);

/* write_keys.c: keys that a body names, one spelling for each. */
bool write_key_of_json(struct arena *arena, const struct field *key, const struct json *json,
                       Str *ret);
/* By {keys} or by {query}: one of the two is given, the other is NULL. */
fiber_fn Err write_keys_of_body(struct writer *w, const struct collection *collection,
                                const struct json *by_keys, const struct json *by_query,
                                const Str **ret, uint32_t *ret_count);
/* The keys of the rows a query names, under the read grants. */
fiber_fn Err write_keys_by_query(struct writer *w, const struct collection *collection,
                                 const struct query *query, const Str **ret, uint32_t *ret_count);
/* Of rows that were read for their keys alone (PLAN_ONLY_KEYS). */
fiber_fn Err write_keys_of_rows(const struct run *run, const Str **ret, uint32_t *ret_count);

/* nested.c */
bool nested_is_in(const struct collection *collection, const struct json *body);
fiber_fn Err nested_before(struct writer *w, const struct write_target *target,
                           struct payload *payload);
fiber_fn Err nested_after(struct writer *w, const struct write_target *target,
                          const struct payload *payload, Str key);

/* Answers with a row that the write has returned, unless it may not be read. */
fiber_fn Err write_answer_row(struct writer *w, struct run *run, struct row_sink *sink);
/* Answers with what rows look like after a transaction, unless they may not be read. */
fiber_fn Err write_read_back(struct writer *w, const struct collection *collection, const Str *keys,
                             uint32_t count, bool is_list, const struct query *query,
                             struct row_sink *sink);
