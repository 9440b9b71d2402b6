/*
 * Calls to the outside, as jobs: a form's webhook and mail, conversions told to advertising
 * networks. Off unless OUTBOUND_CALLS says otherwise. A job is made in the transaction of what it
 * tells of; the call happens at least once, under a key that is the same for every attempt; what
 * was not answered with a 2xx was not sent (docs/decisions/0017).
 */
#pragma once

#include "jobs/queue/job.h"

/* Whom to tell. */
struct outbound {
    bool webhook, mail; /* of a form */
    bool google, facebook;
};
bool outbound_is_wanted(const struct outbound *outbound);

/* The networks that the site is set up for: an active site_analytics with the id, and the secret.
 * All false while outbound calls are off. */
fiber_fn Err outbound_networks_find(struct ctx *ctx, Uuid site, struct outbound *ret);

/* One job for each; `submission` is told to webhook and mail, `conversion` to the networks. */
fiber_fn Err outbound_enqueue(struct db_tx *tx, const struct outbound *outbound, Uuid submission,
                              Uuid conversion);

/*
 * How every handler runs: a job of one site, calls are on, and no more than OUTBOUND_OF_A_SITE of
 * its site are under way in this worker. One more goes back to the queue for a second, which costs
 * no try: an address that never answers keeps the slots of a worker from its own site only.
 */
enum { OUTBOUND_OF_A_SITE = 16 };
fiber_fn Err outbound_run(struct ctx *ctx, struct job *job, JobHandler *deliver);
/* The uuid that a payload carries under `key`. */
Err outbound_take_id(struct ctx *ctx, const struct job *job, const char *key, Uuid *ret);
/* The job's identity: "webhook-" and the id of what it tells of. */
Str outbound_key(struct arena *arena, const char *prefix, Uuid id);
/* When a version 7 id was made. */
int64_t outbound_time_of(Uuid id);

struct outbound_call {
    Str url;
    Str key;
    Str body;   /* JSON */
    Str header; /* one more, "name: value"; STR_NONE: none */
};
/* OK: it answered 2xx. ERR_OUTBOUND_REFUSED, ERR_FORBIDDEN, ERR_INVALID_PAYLOAD: never again;
 * ERR_UNAVAILABLE, ERR_TIMEOUT: later, not before job->retry_after_us. */
fiber_fn Err outbound_post(struct ctx *ctx, struct job *job, const struct outbound_call *call);
