/*
 * Calls to external services, as jobs: a form's webhook and mail, conversions for advertising
 * networks, mail that invites to a share. Disabled unless OUTBOUND_CALLS is set. A job is enqueued
 * in the transaction of what it reports. The call happens at least once, with the same idempotency
 * key at every attempt; it counts as sent only after a 2xx (docs/decisions/0017).
 */
#pragma once

#include "base/system/ctx.h"
#include "io/pg/db.h"
#include "jobs/queue/job_kind.h"

/* The deliveries to make. */
struct outbound {
    bool webhook, mail; /* of the form */
    bool google, facebook;
};
bool outbound_is_wanted(const struct outbound *outbound);

/* The networks that are configured for the site: an active site_analytics row with the id, and the
 * secret. All false if outbound calls are disabled. */
fiber_fn Err outbound_networks_find(struct ctx *ctx, Uuid site, struct outbound *ret);

/* Enqueues one job for each: webhook and mail deliver `submission`, the networks `conversion`. */
fiber_fn Err outbound_enqueue(struct db_tx *tx, const struct outbound *outbound, Uuid submission,
                              Uuid conversion);

/* Mail that invites to a share, one for each address. */
enum { INVITATION_EMAILS_MAX = 50, INVITATION_SENDER_MAX = 200 };
struct invitation {
    Uuid share;
    Str sender; /* who invites, as the mail names them */
    const Str *emails;
    uint32_t email_count;
};
/* Enqueues the mails, all or none. ERR_UNAVAILABLE: no mail can be sent, or there is no PUBLIC_URL
 * to link to. ERR_INVALID_PAYLOAD names an invalid address. */
fiber_fn Err outbound_invite(struct ctx *ctx, const struct invitation *invitation);

/* The jobs (*_job.c). */
extern const struct job_kind JOB_DELIVER_WEBHOOK;
extern const struct job_kind JOB_DELIVER_MAIL;
extern const struct job_kind JOB_DELIVER_CONVERSION;
extern const struct job_kind JOB_DELIVER_INVITATION;

/*
 * Credentials of a site for external services: tokens of advertising networks, keys for signing
 * webhooks. Encrypted with SECRET and outside every collection; administrators write them, jobs
 * read them, no endpoint returns them (docs/decisions/0009).
 */

enum { SITE_SECRET_NAME_MAX = 100, SITE_SECRET_MAX = 4096 };

#define SECRET_FACEBOOK "facebook_access_token"
#define SECRET_GOOGLE "google_api_secret"
/* For all forms of the site; with ":" and a form's id, for that form only. */
#define SECRET_WEBHOOK "webhook_secret"

bool site_secret_name_is_known(Str name);

/* Stores a secret; STR_NONE deletes it. ERR_NOT_FOUND: no such site. ERR_CONFIG: SECRET is not set.
 * Written to the work log, without the value. */
fiber_fn Err site_secret_set(struct platform platform, Uuid site, Str name, Str value);
/* *ret is STR_NONE if there is none. ERR_CONFIG: it cannot be decrypted because SECRET has
 * changed. */
fiber_fn Err site_secret_find(struct platform platform, Uuid site, Str name, Str *ret);
/* Whether `secret` decrypts a row of spark.site_secrets. */
bool site_secret_opens(struct ctx *ctx, Str secret, Uuid site, Str name, Str sealed);
/* The number of rows, among the first ones, that SECRET does not decrypt; checked at startup. */
fiber_fn Err site_secrets_closed(struct platform platform, uint32_t *ret);
/* Names and times (SITE_SECRET_LIST_…). ERR_NOT_FOUND: no such site. */
fiber_fn Err site_secret_list(struct platform platform, Uuid site, struct rows *ret);
