/*
 * Revalidation: checks whether the cached schema and rights are current. Statements need no
 * revalidation, because their sync group compares the stamps. Answers from the cache alone do: a
 * request is refused only after the stamps have been compared since it arrived, so an object that
 * one server creates exists for the next request on every other server.
 *
 * Revalidations are single flight: one serves all requests that arrived before it was sent.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/pg/db.h"

struct reactor;

/* The maximum age of the cache for answers that need no statement and refuse nothing. */
enum { ACCESS_AGE_US = 1000 * 1000 };

/* Returns `err` if it cannot result from a stale cache, or if the stamps of ctx were current at
 * some time since `since_us`; else ERR_STALE_EPOCH: the request must start over. Sends nothing if a
 * statement of ctx has already compared the stamps, or if ctx has none. */
fiber_fn Err access_settle(struct ctx *ctx, Err err, int64_t since_us);

/* For an answer that is itself about rights, and so must be as current as a refusal: OK, or
 * ERR_STALE_EPOCH as above. */
fiber_fn Err access_confirm(struct ctx *ctx, int64_t since_us);

/* After ERR_STALE_EPOCH: revalidates, so that the next try begins with current data. *ret_of_all:
 * the epoch has changed, not only the stamp of the site of ctx. */
fiber_fn Err access_catch_up(struct ctx *ctx, bool *ret_of_all);

/* For requests that concurrent changes keep restarting: during the pause, no transaction changes
 * the rights of the site of ctx and, with `of_all`, the schema and global rights. Changes wait for
 * at most a second (spark.wait_for_pause), then proceed. A request that gets no pause within two
 * seconds continues without one. */
struct access_pause {
    struct ctx *ctx; /* a separate one: unchecked, PLATFORM scope */
    struct db_tx tx;
    struct gate *gate; /* NULL: not started */
};
#define SCOPED_ACCESS_PAUSE __attribute__((cleanup(access_pause_end)))
fiber_fn void access_pause_begin(struct ctx *ctx, bool of_all, struct access_pause *pause);
void access_pause_end(struct access_pause *pause);
/* Ends the pause of the request that ctx is of, if it has one: its transaction has begun, is not
 * checked again, and would wait for the pause itself when it changes schema or rights. */
void access_pause_release(const struct ctx *ctx);

/* The epoch that the last revalidation of this thread found; 0: none yet. */
int64_t access_epoch(struct reactor *reactor);

/* Revalidates the epoch and, when `site` is not NULL, its stamp, unless a revalidation sent since
 * `since_us` has been answered. `is_refusal`: keeps a minimum interval, so that a flood of refusals
 * stays cheap. */
fiber_fn Err access_revalidate(struct ctx *ctx, int64_t since_us, const Uuid *site,
                               bool is_refusal);
