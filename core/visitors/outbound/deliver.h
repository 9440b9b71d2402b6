/*
 * Shared by the jobs that deliver to external services. Private to this module.
 */
#pragma once

#include "io/net/mailer.h"
#include "visitors/outbound/outbound.h"

enum { DELIVER_TRIES = 16 /* about an hour with the backoff of job_fail */ };

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
 * Runs a handler if outbound calls are enabled and fewer than OUTBOUND_OF_A_SITE calls of its site
 * (or of the platform) are in progress in this worker. Otherwise the job is postponed for a second,
 * which does not count as a try: so an address that never answers occupies only a limited number of
 * the worker's slots.
 */
enum { OUTBOUND_OF_A_SITE = 16 };
fiber_fn Err outbound_run(struct ctx *ctx, struct job *job, JobHandler *deliver);
/* Enqueues a job of this module. */
fiber_fn Err outbound_put(struct db_tx *tx, const struct job_kind *kind, const void *payload);
/* The idempotency key of a job: "webhook-" and the id of what it reports. */
Str outbound_key(struct arena *arena, const char *prefix, Uuid id);
/* The creation time of a version 7 UUID. */
int64_t outbound_time_of(Uuid id);

struct outbound_call {
    Str url;
    Str key;
    Str body;   /* JSON */
    Str header; /* an additional header, "name: value"; STR_NONE: none */
};
/* OK: the response was 2xx. ERR_OUTBOUND_REFUSED, ERR_FORBIDDEN, ERR_INVALID_PAYLOAD: permanent.
 * ERR_UNAVAILABLE, ERR_TIMEOUT: temporary, retry after job->retry_after_us. */
fiber_fn Err outbound_post(struct ctx *ctx, struct job *job, const struct outbound_call *call);
/* Sends it from MAIL_FROM through the relay of the settings. ERR_CONFIG: there is none. */
fiber_fn Err outbound_mail(struct ctx *ctx, struct mail *mail);
bool outbound_has_mail(const struct ctx *ctx);
