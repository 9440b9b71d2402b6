/*
 * The reactor: what one thread owns. Made once at start, lives as long as the process.
 * Higher storeys keep their per-thread state in a slot (the schema snapshot, the token cache …).
 */
#pragma once

#include "base/settings/settings.h"
#include "io/fiber/loop.h"
#include "io/fiber/offload.h"
#include "io/net/http_client.h"
#include "io/net/mailer.h"
#include "io/pg/db.h"
#include "io/redis/redis.h"

enum reactor_slot {
    SLOT_SCHEMA,
    SLOT_PLANS,
    SLOT_ACCESS,
    SLOT_JOBS,
    SLOT_OUTBOUND,
    SLOT_FACTORY,
    SLOT_SERVER,
    SLOT_WORKER,
    SLOT_HOST,
    SLOT_COUNT
};

struct reactor {
    struct loop *loop;
    struct db *db;
    struct redis *redis;
    struct offload *offload; /* shared by all threads */
    struct http_client *http;
    struct mailer *mailer;
    const struct settings *settings;
    uint32_t index; /* 0 is the first thread */
    void *slots[SLOT_COUNT];
    void (*releases[SLOT_COUNT])(void *slot); /* NULL: nothing to do */
};

/* Database and Redis are connecting when this returns; see db_wait_ready. */
struct reactor *reactor_new(const struct settings *settings, struct offload *offload,
                            uint32_t index, const char *application);
/* No fiber may be alive. Slots that came with a release are let go. */
void reactor_free(struct reactor *reactor);
/* What reactor_free does with the slots first. */
void reactor_release(struct reactor *reactor);
/* The slot's content from now on; `release` runs with reactor_free. */
void reactor_keep(struct reactor *reactor, enum reactor_slot slot, void *content,
                  void (*release)(void *content));

/* A ctx for machinery of this thread: NONE scope, no actor, its own arena (caller destroys). */
struct ctx reactor_ctx(struct reactor *reactor, struct arena *arena, int64_t timeout_us);
/* The machinery's right to act on the platform; not for code that acts for a caller. */
struct platform reactor_platform(struct ctx *ctx);
