/*
 * The reactor: what one thread owns. Created once at start (io/setup/setup.h), lives as long as the
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
 * A slot holds one object per thread for a higher layer, such as caches or counters. The module
 * declares it as a static variable; the first use in the process assigns its index. At most
 * REACTOR_SLOTS_MAX modules may have one.
 */
struct reactor_slot {
    size_t size; /* of the object; 0: only reactor_slot_set stores one, and it is not freed */
    void (*init)(void *object, struct reactor *reactor); /* NULL: zeroed is enough */
    void (*release)(void *object);                       /* NULL: free() */
    _Atomic uint32_t place;                              /* assigned by the reactor; 0: none yet */
};

/* The object of this thread, created on first use. */
void *reactor_slot(struct reactor *reactor, struct reactor_slot *slot);
/* The same, but NULL if it has not been created. */
void *reactor_slot_find(const struct reactor *reactor, const struct reactor_slot *slot);
/* Stores an object that the caller owns. */
void reactor_slot_set(struct reactor *reactor, struct reactor_slot *slot, void *object);
/* Releases the objects of all slots, in reverse order of assignment. */
void reactor_release(struct reactor *reactor);

/* A ctx for the machinery of this thread: NONE scope, no actor, its own arena (the caller destroys
 * it). */
struct ctx reactor_ctx(struct reactor *reactor, struct arena *arena, int64_t timeout_us);
/* The same for work that a request started earlier: a job, an action hook. */
struct ctx reactor_ctx_for(struct reactor *reactor, struct arena *arena, int64_t timeout_us,
                           Scope scope, const struct actor *actor);
/* PLATFORM access for the machinery; not for code that acts for a caller. */
struct platform reactor_platform(struct ctx *ctx);
