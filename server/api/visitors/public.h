/*
 * What the public endpoints share: whose visitor is this, and what may a form contain.
 */
#pragma once

#include "server/dispatch/route.h"

enum { VISITOR_AGENT_MAX = 500 };

/* One '@', a dot in the domain, no white space, at most 254 bytes. */
bool email_is_plausible(Str email);
/* What the browser calls itself, cut, and only text. */
Str visitor_agent(const struct request *request);
/* The visitor's address as it may be kept: with IP_TRUNCATION without its last part. */
Str visitor_ip(struct ctx *ctx, const struct request *request);

/* Where a visitor came from, when nobody says: the campaign's name, else whose click it was. */
Str visitor_source(Str utm_source, Str gclid, Str fbclid);

/* {"sent": {"google": false, "facebook": false}} of an answer: nothing is told to anybody while the
 * visitor waits, and what was not sent is not called sent. */
void visitor_write_sent(struct json_writer *w);

/* A lock of this transaction that only the same words take, for visitor_lock. */
int64_t visitor_lock_key(struct ctx *ctx, Uuid site, Str what);
