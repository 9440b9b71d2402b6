/*
 * ctx: the context of every function that acts for a caller. Created for a request, a job or a
 * start-up step; on the stack of its fiber, or in the request's arena.
 *
 * Do not add fields lightly: a new field needs a page in docs/decisions/.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/memory/arena.h"
#include "base/system/err.h"

struct actor;   /* access/grants/actor.h: the actor and its grants */
struct reactor; /* io/reactor/reactor.h: the thread's loop, database lanes and Redis */

/* Whose rows are visible. */
enum scope_kind {
    SCOPE_NONE,     /* no row of a tenant */
    SCOPE_SITE,     /* rows of one site */
    SCOPE_PLATFORM, /* every row that the actor's policies allow */
};

typedef struct Scope {
    enum scope_kind kind;
    Uuid site; /* SCOPE_SITE only */
} Scope;

/* The state of one site's rights at the time when they were cached. The nil site stands for hosts
 * without a site. */
typedef struct SiteStamp {
    Uuid site;
    int64_t epoch; /* 0: unchecked */
} SiteStamp;

/* What a request has asked of the database so far, in all its contexts. */
struct db_tally {
    uint32_t statements;
    int64_t us; /* waiting for them, queues included */
};

struct ctx {
    struct arena *arena;
    struct reactor *reactor;         /* NULL in pure code and in the CLI */
    const struct actor *const actor; /* NULL: machinery or anonymous */
    const struct actor *asked_by;    /* of a job: for the work log only; grants nothing */
    const Scope scope;
    Uuid account; /* the flow of its statements in PLATFORM scope; nil: the platform itself */
    int64_t deadline_us; /* CLOCK_MONOTONIC, see clock_now_us(); 0 = none (start-up only) */
    int64_t epoch;    /* schema/access epoch its statements are compiled against; 0 = unchecked */
    SiteStamp stamp;  /* the same for one site; valid only together with epoch */
    bool is_repeated; /* the request runs again after a change of schema or rights */
    bool is_current;  /* one of its statements found both stamps unchanged */
    struct db_tally *tally; /* of the request; NULL: nobody counts */
    Str trace;              /* id of this request or job in the log */
    bool has_committed;     /* a write of this ctx is committed: do not restart it */
    struct diag diag;
    struct ctx *parent; /* of a child: receives its errors at its end */
    const char *why;    /* of a child: its purpose */
};

/*
 * Scope and actor of a ctx are constant. To act in another scope, make another ctx.
 *
 * A request begins without a scope and an actor (NONE, NULL). ctx_enter sets them when the caller
 * is known; ctx_narrow narrows a request of the platform to one site. Both return a successor in
 * the arena; the previous ctx must not be used any more.
 */
struct ctx *ctx_new(struct arena *arena, struct ctx value);
struct ctx *ctx_enter(const struct ctx *ctx, const struct actor *actor, Scope scope, Uuid account);
struct ctx *ctx_narrow(const struct ctx *ctx, Uuid site);

/*
 * A child acts for its parent in another scope, for the length of a block:
 *
 *     SCOPED_CTX struct ctx child = ctx_as_machinery(ctx, "policies belong to no tenant");
 *
 * It shares arena, deadline and trace; its epoch is unchecked. Errors of the block are recorded in
 * the child and copied to the parent at the end of the block. `why` is a literal and says why the
 * other scope is right (tests/arch/scopes.py lists all of them).
 */
struct ctx ctx_for_site(struct ctx *parent, Uuid site, const char *why);
/* Of the machinery only. */
struct ctx ctx_for_platform(struct ctx *parent, const char *why);
/* Without the caller's rights: for reactor_platform. */
struct ctx ctx_as_machinery(struct ctx *parent, const char *why);
/* With the rights of another actor, in that actor's scope, which is not wider than the parent's. */
struct ctx ctx_for_actor(struct ctx *parent, const struct actor *actor, Scope scope,
                         const char *why);
void ctx_end(struct ctx *child);
#define SCOPED_CTX __attribute__((cleanup(ctx_end)))

/*
 * PLATFORM access, as a type of its own so that the compiler distinguishes it from a tenant's ctx.
 * Created only by access/ (an actor in PLATFORM scope) and by the machinery.
 */
struct platform {
    struct ctx *ctx;
};
