/*
 * Writing rows: each write is one statement that changes the rows, records activity and revisions,
 * and returns the selected fields. Several writes of one request share a transaction.
 */
#pragma once

#include "content/items/items.h"
#include "content/items/payload.h"
#include "content/run/run.h"

/* Rows to announce after the commit. */
struct announcement {
    struct announcement *next;
    struct items_change change;
};

/* What rows of a transaction leave in activity and revisions: what is not written yet, and
 * revisions that were written before that of their parent. */
struct history {
    struct revision *first;
    struct revision *last;
    uint32_t count;
    struct adoption *adoptions;
};

struct writer {
    struct ctx *ctx;
    const struct schema *schema;
    struct db_tx *tx; /* NULL: every statement commits on its own */
    struct announcement *first;
    struct announcement *last;
    uint32_t rows; /* rows written so far, including nested ones */
    uint32_t depth;
    struct history history;
    struct queue *queue;       /* statements that are not sent yet; NULL: none */
    struct revision *revision; /* of the row that was written last, if its shape has a lineage */
    bool is_draft;             /* will be rolled back: extensions hear nothing of it */
};

/* The statement of a write: part of the key of its plan. */
struct write_shape {
    enum action action;
    const struct field *const *fields; /* the columns it sets */
    uint32_t field_count;
    const struct field *const *supplied; /* columns that the body supplies: they need a grant */
    uint32_t supplied_count;
    bool is_many;                     /* selected by PARAM_KEYS; creates: from a JSON array */
    bool has_lineage;                 /* has nested rows or is one: revisions name their parent */
    struct revision *parent_revision; /* an argument; NULL: none */
    struct access access;             /* of the action */
    const struct query *query;        /* what to return; NULL: keys only */
};

/* write_plan.c */
Err write_plan(struct writer *w, const struct collection *collection,
               const struct write_shape *shape, const struct plan **ret);

/* write.c */
fiber_fn Err write_run(struct writer *w, const struct plan *plan, const struct write_shape *shape,
                       const struct payload *payload, Str data, struct run *run);
/* Adds the refused value to the error of a constraint, if the rows leave no doubt which it is. */
Err write_name_value(struct ctx *ctx, Err err, const struct payload *payloads, uint32_t count);
/* Notifies Redis and the hooks. Call after the commit. */
void write_announce(struct writer *w);
/* The rules of the collection and the hooks of extensions: they may refuse, or replace the body. */
fiber_fn Err write_before(struct writer *w, enum items_action action,
                          const struct collection *collection, const Str *keys, uint32_t count,
                          const struct json *body, const struct json **ret);
/* The rules of the collection, after the rows were written. */
fiber_fn Err write_after(struct writer *w, enum items_action action,
                         const struct collection *collection, const Str *keys, uint32_t count,
                         const struct json *body);
/* Whether a write of this body needs a transaction: it has nested rows, or the collection rules. */
bool write_needs_tx(const struct collection *collection, const struct json *body);
bool write_has_lineage(const struct write_target *target, const struct payload *payload);
void write_columns(struct ctx *ctx, const struct payload *payload, struct write_shape *shape);
/* Whether a missing row counts as written: for administrators, but of the platform alone. */
bool write_ignores_missing(const struct ctx *ctx, const struct write_target *target);
/* "You don't have permissions to perform …" */
Err write_forbidden(struct ctx *ctx, const struct write_target *target,
                    const struct payload *payload);

/* write_keys.c: ERR_FORBIDDEN unless the actor may change all these rows in what the payload
 * gives. The statement of an update checks the same; this is for updates that send none, and to
 * tell a row that may not be changed before the payload is found invalid. */
fiber_fn Err write_check_access(struct writer *w, const struct write_target *target,
                                const struct payload *payload, const Str *keys, uint32_t count);

/* The collection exists, but the actor may not do this there: Directus has a message of its own for
 * that on some routes. OK if it does not exist. */
Err write_check_grant(struct ctx *ctx, const struct schema *schema, Str name, enum action action);

/* The first step of every write: finds the schema and the collection, and checks the grants. */
fiber_fn Err write_open(struct ctx *ctx, struct items_target target, enum action action,
                        struct writer *ret, struct write_target *ret_target);
/* Runs the steps in one transaction, or in the one that is open. */
typedef fiber_fn Err WriteSteps(struct writer *w, void *arg);
fiber_fn Err writer_in_tx(struct writer *w, WriteSteps *steps, void *arg);
/* Singletons have no routes for a new row, nor for a row by its key. */
Err write_refuse_singleton(struct ctx *ctx, const struct collection *collection, Str key);
/* ERR_INVALID_PAYLOAD when this is more than one request may write. */
Err write_check_rows(struct ctx *ctx, uint64_t rows);

/* items_create.c, items_update.c, items_delete.c: the steps, which nested writes use as well. */
fiber_fn Err write_create_one(struct writer *w, const struct write_target *target,
                              const struct json *body, const struct query *query, struct run *run,
                              Str *ret_key);
fiber_fn Err write_create_payload(struct writer *w, const struct write_target *target,
                                  const struct payload *payload, const struct query *query,
                                  struct run *run, Str *ret_key);
/* A whole request for one object: write, announce, answer. */
fiber_fn Err write_create_object(struct writer *w, const struct write_target *target,
                                 const struct json *body, const struct query *query,
                                 struct row_sink *sink);
fiber_fn Err write_update_one(struct writer *w, const struct write_target *target, Str key,
                              const struct json *body, const struct query *query, struct run *run);
/* The same change of several rows. */
fiber_fn Err write_update_keys(struct writer *w, const struct write_target *target, const Str *keys,
                               uint32_t count, const struct json *body);
fiber_fn Err write_delete_keys(struct writer *w, const struct write_target *target, const Str *keys,
                               uint32_t count);

/* write_keys.c: keys in a body, normalised so that equal keys have equal text. */
bool write_key_of_json(struct arena *arena, const struct field *key, const struct json *json,
                       Str *ret);
/* ERR_INVALID_PAYLOAD if a body of {keys, query} or {keys, query, data} has the wrong shape. */
Err write_check_batch(struct ctx *ctx, const struct json *body, bool has_data);
/* By {keys} or by {query}: exactly one of the two is not NULL. */
fiber_fn Err write_keys_of_body(struct writer *w, const struct collection *collection,
                                const struct json *by_keys, const struct json *by_query,
                                const Str **ret, uint32_t *ret_count);
/* The keys of the rows that a query selects, under the read grants. */
fiber_fn Err write_keys_by_query(struct writer *w, const struct collection *collection,
                                 const struct query *query, const Str **ret, uint32_t *ret_count);
/* The keys of rows that were read with PLAN_ONLY_KEYS. */
fiber_fn Err write_keys_of_rows(const struct run *run, const Str **ret, uint32_t *ret_count);

/* Answers with a row that the write returned, if it may be read. */
fiber_fn Err write_answer_row(struct writer *w, struct run *run, const struct query *query,
                              struct row_sink *sink);
/* The answer of the query holds each written row once, in the order of the keys: the write itself
 * can read it back. */
bool write_answers_all(const struct query *query);
/* Answers with the rows as they are after the transaction, if they may be read. */
fiber_fn Err write_read_back(struct writer *w, const struct collection *collection, const Str *keys,
                             uint32_t count, bool is_list, const struct query *query,
                             struct row_sink *sink);
