/*
 * What the jobs that call the outside have in common. Private to this module.
 */
#pragma once

#include "visitors/outbound/outbound.h"

enum { DELIVER_TRIES = 16 /* an hour, with the waits of job_fail */ };

struct submission_payload {
    Uuid submission_id;
};
extern const struct job_field SUBMISSION_FIELDS[1];

#define NETWORK_GOOGLE "google"
#define NETWORK_FACEBOOK "facebook"
struct conversion_payload {
    Uuid conversion_id;
    Str network;
};

/*
 * How every handler runs: calls are on, and no more than OUTBOUND_OF_A_SITE of
 * its site are under way in this worker. One more goes back to the queue for a second, which costs
 * no try: an address that never answers keeps the slots of a worker from its own site only.
 */
enum { OUTBOUND_OF_A_SITE = 16 };
fiber_fn Err outbound_run(struct ctx *ctx, struct job *job, JobHandler *deliver);
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
