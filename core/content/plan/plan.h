/*
 * Plans: compiled queries, cached per thread; the key contains everything that the plan depends on.
 */
#pragma once

#include "content/plan/compile.h"

enum plan_op {
    PLAN_LIST,      /* rows selected by the query */
    PLAN_ONE,       /* one row, selected by PARAM_KEY */
    PLAN_KEYS,      /* rows selected by PARAM_KEYS */
    PLAN_ONLY_KEYS, /* the keys of the rows that the query selects: the targets of an update by
                       query */
    PLAN_CREATE,
    PLAN_UPDATE,
    PLAN_DELETE,
    PLAN_CHECK, /* what an action may do with one row: `extend` adds everything */
};

struct plan_request {
    enum plan_op op;
    const struct collection *collection;
    const struct query *query;
    /* Writes: what else the statement depends on (names of the written columns), and the function
     * that adds the write to the compiled read-back. PLAN_ONE may have both, too: a read of
     * something else than the table. */
    Str detail;
    Err (*extend)(struct compiler *c, struct plan *plan, const void *arg);
    const void *extend_arg;
    /* Receives the values of a shared plan (struct run); NULL: the plan must not be shared. */
    const Str **ret_values;
    const struct query_fingerprint *lifted; /* private to plan_find.c */
};

/* Finds the collection for the actor. Unknown, forbidden and invisible collections give the same
 * error. */
Err plan_collection(struct ctx *ctx, const struct schema *schema, struct items_target target,
                    enum action action, const struct collection **ret);

/* The plan is pinned to ctx. */
Err plan_get(struct ctx *ctx, const struct schema *schema, const struct plan_request *request,
             const struct plan **ret);
/* Bypasses the cache; returns one reference. */
Err plan_compile(struct ctx *ctx, const struct schema *schema, const struct plan_request *request,
                 struct plan **ret);
void plan_unref(void *plan);

/* One plan for all queries of a fingerprint. */
void plan_keep_shared(struct plan *plan, const struct sharing *sharing);
/* Converts the literals of another query with the same fingerprint to the types of the plan's
 * fields; false when one is invalid or needs a different plan. */
bool plan_bind(struct ctx *ctx, const struct plan *plan, const Str *literals, uint32_t count,
               const Str **ret);

/* Where a query that is found by its text takes the literals of its plan from. */
struct plan_binding {
    uint32_t count;
    struct {
        uint32_t shaped; /* 1 + its index among the values of the shape; 0: always `text` */
        Str text;
    } values[FINGERPRINT_LITERALS_MAX];
};

/* A plan that is also found by text has an entry for each key. */
enum { PLAN_CACHE_MAX = 2048, PLAN_CACHE_TEXT_MAX = FINGERPRINT_MAX };
struct plan_cache;
struct plan_cache *plan_cache_new(void);
void plan_cache_free(void *cache);
/* The cache of this thread, without plans of another schema; NULL when a reload has replaced
 * `schema`. */
struct plan_cache *plan_cache_of(struct reactor *reactor, const struct schema *schema);
struct plan *plan_cache_find(struct plan_cache *cache, Str key,
                             const struct plan_binding **ret_binding /* may be NULL */);
/* Takes over the caller's reference; evicts the least recently used plan when the cache is full. */
void plan_cache_add(struct plan_cache *cache, Str key, struct plan *plan,
                    const struct plan_binding *binding /* may be NULL */);
