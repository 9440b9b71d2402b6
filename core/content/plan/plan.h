/*
 * Plans: compiled queries, cached per thread by everything their meaning hangs on.
 */
#pragma once

#include "content/plan/compile.h"

enum plan_op {
    PLAN_LIST,      /* rows by the query */
    PLAN_ONE,       /* one row by PARAM_KEY */
    PLAN_KEYS,      /* rows by PARAM_KEYS, as many as there are keys */
    PLAN_ONLY_KEYS, /* the keys of the rows by the query: what an update by query changes */
    PLAN_CREATE,
    PLAN_UPDATE,
    PLAN_DELETE,
};

struct plan_request {
    enum plan_op op;
    const struct collection *collection;
    const struct query *query;
    /* Writes: what else the statement hangs on (names of the columns written), and who adds the
     * write to the compiled read-back. */
    Str detail;
    Err (*extend)(struct compiler *c, struct plan *plan, const void *arg);
    const void *extend_arg;
    /* Where the values of a shared plan go (struct run); NULL: the plan is not to be shared. */
    const Str **ret_values;
    const struct query_fingerprint *lifted; /* plan_find.c's own */
};

/* Finds the collection for the actor: unknown, forbidden and invisible look alike. */
Err plan_collection(struct ctx *ctx, const struct schema *schema, struct items_target target,
                    enum action action, const struct collection **ret);

/* Pinned to ctx. */
Err plan_get(struct ctx *ctx, const struct schema *schema, const struct plan_request *request,
             const struct plan **ret);
/* Without cache; one reference. */
Err plan_compile(struct ctx *ctx, const struct schema *schema, const struct plan_request *request,
                 struct plan **ret);
void plan_unref(void *plan);

/* plan_share.c: one plan for all queries of a fingerprint. */
void plan_keep_shared(struct plan *plan, const struct sharing *sharing);
/* The literals of another query of the fingerprint in the form that the plan's fields want; false
 * when one of them would need another plan, or is refused. */
bool plan_bind(struct ctx *ctx, const struct plan *plan, const Str *literals, uint32_t count,
               const Str **ret);

/* How a query that is found by its text fills the literals of its plan. */
struct plan_binding {
    uint32_t count;
    struct {
        uint32_t shaped; /* 1 + its place among the values of the text's shape; 0: always `text` */
        Str text;
    } values[FINGERPRINT_LITERALS_MAX];
};

/* A plan that is found by a text, too, has an entry for each. */
enum { PLAN_CACHE_MAX = 2048, PLAN_CACHE_TEXT_MAX = FINGERPRINT_MAX };
struct plan_cache;
struct plan_cache *plan_cache_new(void);
void plan_cache_free(void *cache);
/* That of this thread, without plans of another schema; NULL when `schema` is not the thread's any
 * more: a reload came between. */
struct plan_cache *plan_cache_of(struct reactor *reactor, const struct schema *schema);
struct plan *plan_cache_find(struct plan_cache *cache, Str key,
                             const struct plan_binding **ret_binding /* may be NULL */);
/* Takes over the caller's reference; the plan used longest ago goes when the cache is full. */
void plan_cache_add(struct plan_cache *cache, Str key, struct plan *plan,
                    const struct plan_binding *binding /* may be NULL */);
