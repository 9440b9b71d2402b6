/*
 * Calls to the outside, as jobs: a form's webhook and mail, conversions told to advertising
 * networks. Off unless OUTBOUND_CALLS says otherwise. A job is made in the transaction of what it
 * tells of; the call happens at least once, under a key that is the same for every attempt; what
 * was not answered with a 2xx was not sent (docs/decisions/0017).
 */
#pragma once

#include "base/system/ctx.h"
#include "io/pg/db.h"
#include "jobs/queue/job_kind.h"

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

/* The jobs (*_job.c). */
extern const struct job_kind JOB_DELIVER_WEBHOOK;
extern const struct job_kind JOB_DELIVER_MAIL;
extern const struct job_kind JOB_DELIVER_CONVERSION;

/*
 * What a site needs to talk to others: tokens of advertising networks, keys that webhooks are
 * signed with. Sealed under SECRET, outside every collection; written by administrators, read by
 * jobs, shown to nobody (docs/decisions/0009).
 */

enum { SITE_SECRET_NAME_MAX = 100, SITE_SECRET_MAX = 4096 };

#define SECRET_FACEBOOK "facebook_access_token"
#define SECRET_GOOGLE "google_api_secret"
/* Of all forms of the site; with ":" and a form's id of that form alone. */
#define SECRET_WEBHOOK "webhook_secret"

bool site_secret_name_is_known(Str name);

/* STR_NONE removes it. ERR_NOT_FOUND: no such site. ERR_CONFIG: SECRET is not set. Logged as a
 * change, without the value. */
fiber_fn Err site_secret_set(struct platform platform, Uuid site, Str name, Str value);
/* STR_NONE when there is none. ERR_CONFIG when it cannot be opened: SECRET is another one now. */
fiber_fn Err site_secret_find(struct platform platform, Uuid site, Str name, Str *ret);
/* Whether SECRET opens a row of spark.site_secrets. */
bool site_secret_opens(struct ctx *ctx, Str secret, Uuid site, Str name, Str sealed);
/* How many of the first rows it does not open: at a start. */
fiber_fn Err site_secrets_closed(struct platform platform, uint32_t *ret);
/* Names and times (SITE_SECRET_LIST_…). ERR_NOT_FOUND: no such site. */
fiber_fn Err site_secret_list(struct platform platform, Uuid site, struct rows *ret);
