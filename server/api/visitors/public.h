/*
 * What the public endpoints share: whose visitor is this, and what may a form contain.
 */
#pragma once

#include "base/memory/array.h"
#include "server/dispatch/route.h"

enum { VISITOR_AGENT_MAX = 500 };

/* The visitor's site, by Host or Origin: ERR_UNKNOWN_SITE when neither is a site's. A body that
 * names another site (site_id, or `site`) is ERR_FORBIDDEN. */
Err visitor_site(struct ctx *ctx, const struct json *body, Uuid *ret);
/* One '@', a dot in the domain, no white space, at most 254 bytes. */
bool email_is_plausible(Str email);
/* What the browser calls itself, cut, and only text. */
Str visitor_agent(const struct request *request);
/* The visitor's address as it may be kept: with IP_TRUNCATION without its last part. */
Str visitor_ip(struct ctx *ctx, const struct request *request);

/* Several text members of one object; every fault is told, the first one's code is the answer's. */
struct text_field {
    const char *key;
    size_t max;
    Str *value;
};
Err visitor_take_texts(struct ctx *ctx, const struct json *body, const struct text_field *fields,
                       size_t count);
#define VISITOR_TAKE_TEXTS(ctx, body, fields)                                                      \
    visitor_take_texts((ctx), (body), (fields), COUNT_OF(fields))

/* ERR_FAILED_VALIDATION about one field, beside what was told before. */
Err visitor_refuse(struct ctx *ctx, const char *field, const char *sentence);

/* Where a visitor came from, when nobody says: the campaign's name, else whose click it was. */
Str visitor_source(Str utm_source, Str gclid, Str fbclid);

/* Money: a number of at most eight digits and two places, as text for numeric(10, 2); *ret stays
 * as it is when the member is absent. Below zero and beyond is ERR_FAILED_VALIDATION. */
Err visitor_take_value(struct ctx *ctx, const struct json *body, const char *key, Str *ret);

/* {"sent": {"google": false, "facebook": false}} of an answer: nothing is told to anybody while the
 * visitor waits, and what was not sent is not called sent. */
void visitor_write_sent(struct json_writer *w);

/* A lock of this transaction that only the same words take, for visitor_lock. */
int64_t visitor_lock_key(struct ctx *ctx, Uuid site, Str what);
