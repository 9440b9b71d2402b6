/*
 * The reactor: what one thread owns. Made once at start (io/setup/setup.h), lives as long as the
 * process.
 */
#pragma once

#include "base/system/ctx.h"

#include <stddef.h>
#include <stdint.h>

struct db;
struct http_client;
struct loop;
struct mailer;
struct offload;
struct redis;
struct settings;

enum { REACTOR_SLOTS_MAX = 16 };

struct reactor {
    struct loop *loop;
    struct db *db;
    struct redis *redis;
    struct offload *offload; /* shared by all threads */
    struct http_client *http;
    struct mailer *mailer;
    const struct settings *settings;
    uint32_t index; /* 0 is the first thread */
    void *slots[REACTOR_SLOTS_MAX];
};

/*
 * A slot holds one object per thread for a module above: its caches, its counters of what is under
 * way. The module declares it as a static variable; the first use in the process hands out its
 * place. At most REACTOR_SLOTS_MAX modules may have one.
 */
struct reactor_slot {
    size_t size; /* of the object; 0: only reactor_slot_set puts one there, and it is not freed */
    void (*init)(void *object, struct reactor *reactor); /* NULL: zeroed is enough */
    void (*release)(void *object);                       /* NULL: free() */
    _Atomic uint32_t place;                              /* the reactor's own; 0: none yet */
};

/* The object of this thread, made at first use. */
void *reactor_slot(struct reactor *reactor, struct reactor_slot *slot);
/* The same, but NULL when it was not made yet. */
void *reactor_slot_find(const struct reactor *reactor, const struct reactor_slot *slot);
/* Puts an object there that somebody else owns. */
void reactor_slot_set(struct reactor *reactor, struct reactor_slot *slot, void *object);
/* Releases the objects of all slots, the one handed out last first. */
void reactor_release(struct reactor *reactor);

/* A ctx for machinery of this thread: NONE scope, no actor, its own arena (caller destroys). */
struct ctx reactor_ctx(struct reactor *reactor, struct arena *arena, int64_t timeout_us);
/* The same for work that somebody asked for earlier: a job, an action hook. */
struct ctx reactor_ctx_for(struct reactor *reactor, struct arena *arena, int64_t timeout_us,
                           Scope scope, const struct actor *actor);
/* The machinery's right to act on the platform; not for code that acts for a caller. */
struct platform reactor_platform(struct ctx *ctx);
