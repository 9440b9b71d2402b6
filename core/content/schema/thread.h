/*
 * What one thread keeps for the content API, in reactor->slots[SLOT_SCHEMA]: the snapshot, the gate
 * that makes its loading single flight, and the plans compiled against it.
 */
#pragma once

#include "content/schema/schema.h"
#include "io/fiber/fiber.h"

struct plan_cache;
struct reactor;

struct content_thread {
    struct schema *schema; /* NULL: not loaded yet */
    bool is_stale;
    uint64_t losses; /* db_losses before the snapshot was loaded */
    struct gate load_gate;
    struct plan_cache *plans; /* dropped with the snapshot they were compiled against */
};

struct content_thread *content_thread(struct reactor *reactor); /* made at first use */
/* Takes over the caller's reference. */
void content_thread_set_schema(struct content_thread *thread, struct schema *schema);

/* Reads everything from the database; one reference. */
fiber_fn Err schema_load(struct ctx *ctx, struct schema **ret);
