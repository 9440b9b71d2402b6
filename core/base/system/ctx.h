/*
 * ctx: what every function that acts for somebody carries. Made at the edge (a request, a job, a
 * start-up step), lives on the stack of that fiber, never outlives it.
 *
 * It is not a bag: a new field needs a page in docs/decisions/.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/memory/arena.h"
#include "base/system/err.h"

struct actor;   /* access/grants/actor.h: who acts, with which grants */
struct reactor; /* io/reactor/reactor.h: the thread's loop, database lanes and Redis */

/* Whose rows may be seen. Computed once at the edge and never widened. */
enum scope_kind {
    SCOPE_NONE,     /* not one row that a tenant owns */
    SCOPE_SITE,     /* rows of one site */
    SCOPE_PLATFORM, /* every row that the actor's policies allow */
};

typedef struct Scope {
    enum scope_kind kind;
    Uuid site; /* SCOPE_SITE only */
} Scope;

/* The state that the rights of one site were in when they were remembered. The nil site stands for
 * hosts that no site has. */
typedef struct SiteStamp {
    Uuid site;
    int64_t epoch; /* 0: unchecked */
} SiteStamp;

struct ctx {
    struct arena *arena;
    struct reactor *reactor;      /* NULL in pure code and in the CLI */
    const struct actor *actor;    /* NULL: machinery or anonymous */
    const struct actor *asked_by; /* a job's: for the work log only, no right follows from it */
    Scope scope;
    Uuid account; /* whose turn its statements take in PLATFORM scope; nil: the machinery's */
    int64_t deadline_us; /* CLOCK_MONOTONIC, see clock_now_us(); 0 = none (start-up only) */
    int64_t epoch;      /* schema/access epoch its statements are compiled against; 0 = unchecked */
    SiteStamp stamp;    /* the same for what belongs to one site; counts only where epoch does */
    bool is_current;    /* a statement of its own found both stamps unchanged */
    Str trace;          /* id of this request or job in the log */
    bool has_committed; /* a write of this ctx is durable: do not run it again */
    struct diag diag;
};

/*
 * The right to act on the whole platform, as its own type so that the compiler keeps it apart from
 * a tenant's ctx. Made only by access/ (an actor in PLATFORM scope) and by the machinery.
 */
struct platform {
    struct ctx *ctx;
};
