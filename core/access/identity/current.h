/*
 * Whether what is remembered of schema and rights is still so. A statement finds out by itself: its
 * group compares the stamps. What is answered from memory alone asks here: a refusal is given only
 * when the stamps were looked at after the request had come, so that what one server made exists
 * for the next request on any other.
 *
 * Looks are single flight: one serves all who came before it was sent, however many they are.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/pg/db.h"

struct reactor;

/* How old may be what an answer rests on that needs no statement and refuses nothing. */
enum { ACCESS_AGE_US = 1000 * 1000 };

/* `err`, when it is none that could rest on memory, or when the stamps of ctx were the database's
 * at some time since `since_us`; ERR_STALE_EPOCH when they were not, and the work must begin
 * again. Nothing is asked when a statement of ctx has met them, or when ctx has none. */
fiber_fn Err access_settle(struct ctx *ctx, Err err, int64_t since_us);

/* After ERR_STALE_EPOCH: looks, so that the next try begins with what is so now. *ret_of_all:
 * schema or rights of all had moved, not only those of the site of ctx. */
fiber_fn Err access_catch_up(struct ctx *ctx, bool *ret_of_all);

/* For whom one change after the other makes begin again: until its end nobody changes the rights of
 * the site of ctx, and `of_all` nor the schema and everybody's rights. Changes wait for a second at
 * most (spark.wait_for_pause), then they go on; and where there is no pause to be had in two, the
 * request tries without. */
struct access_pause {
    struct ctx *ctx; /* its own: unchecked, as the platform */
    struct db_tx tx;
    struct gate *gate; /* NULL: not begun */
};
#define SCOPED_ACCESS_PAUSE __attribute__((cleanup(access_pause_end)))
fiber_fn void access_pause_begin(struct ctx *ctx, bool of_all, struct access_pause *pause);
void access_pause_end(struct access_pause *pause);

/* What the last look of this thread has found; 0: nothing yet. */
int64_t access_epoch(struct reactor *reactor);

/* Looks unless one was sent since `since_us` and its answer is here; for the stamp of `site` too,
 * when it is not NULL. `is_refusal`: with a moment in between, so that a flood of refusals stays
 * cheap. */
fiber_fn Err access_look(struct ctx *ctx, int64_t since_us, const Uuid *site, bool is_refusal);
