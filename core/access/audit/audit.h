/*
 * The audit: a work log entry for everything that changes a state or a right, written in the
 * transaction of the change, so that neither exists without the other. Without the factory's pack
 * there is no work log, and these functions do nothing.
 */
#pragma once

#include "access/grants/actor.h"
#include "io/pg/db.h"

/* One entry. Actor, user and address default to those of the ctx; in a job, to those of the actor
 * whose request created it. */
struct audit {
    Str action;      /* "approved", "login" …; text members except details are cut at 100 bytes */
    Str entity_type; /* a collection, or another type of object */
    Str entity_id;
    Str details;        /* a JSON object; STR_NONE: none */
    const char *level;  /* "info", "success", "warning", "error"; NULL: info */
    const char *status; /* "done", "refused", "failed"; NULL: done */
    Uuid site;          /* nil: the site of the scope, or the log of the platform */
    Uuid user;
    Str ip;
    const char *actor;
};

/* Writes in the caller's transaction, or as one more statement of its batch. */
fiber_fn Err audit_write(struct db_tx *tx, const struct audit *audit);
/* The same entry for many entities: one statement. Of the platform, done without more to say. */
fiber_fn Err audit_write_each(struct db_tx *tx, Str action, Str entity_type, const Str *entity_ids,
                              uint32_t count);
void audit_add(struct ctx *ctx, struct db_batch *batch, const struct audit *audit);
/* Writes in its own transaction, in the scope of ctx: for work that took several commits. */
fiber_fn Err audit_now(struct ctx *ctx, const struct audit *audit);
/* Writes in its own transaction, for events that changed nothing, such as a refusal. */
fiber_fn Err audit_note(struct platform platform, const struct audit *audit);

/* The actor columns, for statements that insert their own entries: user_id, actor, ip. */
DbArg audit_user(const struct ctx *ctx);
DbArg audit_actor(const struct ctx *ctx);
DbArg audit_ip(const struct ctx *ctx);
/* The responsible actor: of ctx or, in a job, of the request that created it; NULL: the system. */
const struct actor *audit_doer(const struct ctx *ctx);
const char *audit_actor_name(const struct actor *actor); /* "site_token" …; NULL: "machinery" */
enum actor_kind audit_actor_kind(Str name);              /* the inverse */
