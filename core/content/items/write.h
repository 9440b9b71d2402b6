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
Err write_forbidden(struct ctx *ctx, const struct write_scope *scope,
                    const struct payload *payload);

/* items_create.c, items_update.c, items_delete.c: the steps nested writes use as well. */
fiber_fn Err create_one(struct writer *w, const struct write_scope *scope, const struct json *body,
                        const struct query *query, struct run *run, Str *ret_key);
/* A whole request for one object: write, announce, answer. */
fiber_fn Err create_object(struct writer *w, const struct write_scope *scope,
                           const struct json *body, const struct query *query, struct buf *out,
                           bool *ret_has_body);
fiber_fn Err update_one(struct writer *w, const struct write_scope *scope, Str key,
                        const struct json *body, const struct query *query, struct run *run);
fiber_fn Err delete_keys(struct writer *w, const struct write_scope *scope, const Str *keys,
                         uint32_t count);

/* The keys of the rows a query names, under the read grants. */
fiber_fn Err keys_by_query(struct writer *w, const struct collection *collection,
                           const struct json *text, const Str **ret, uint32_t *ret_count);

/* nested.c */
bool nested_is_in(const struct collection *collection, const struct json *body);
fiber_fn Err nested_before(struct writer *w, const struct write_scope *scope,
                           struct payload *payload);
fiber_fn Err nested_after(struct writer *w, const struct write_scope *scope,
                          const struct payload *payload, Str key);

/* What several rows look like after a transaction; false (204) when they may not be read. */
fiber_fn Err read_back(struct writer *w, const struct collection *collection, const Str *keys,
                       uint32_t count, bool is_list, const struct query *query, struct buf *out,
                       bool *ret_has_body);
Err write_take_keys(struct ctx *ctx, const struct collection *collection, const struct json *list,
                    const Str **ret, uint32_t *ret_count);
bool key_of_json(struct arena *arena, const struct field *key, const struct json *json, Str *ret);
