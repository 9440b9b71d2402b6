/*
 * What visitors leave behind for a site to keep: forms that they fill in, conversions, clicks on
 * phone numbers. Each is stored in one transaction with its lead, its conversion and the jobs that
 * tell others (visitors/outbound), and is durable when a function returns OK. All act in the scope
 * of ctx's site.
 */
#pragma once

#include "base/json/json.h"
#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

/* One '@', a dot in the domain, no white space, at most 254 bytes. */
bool email_is_plausible(Str email);

/* Where a click came from. */
struct click {
    Str utm_source, utm_medium, utm_campaign, gclid, fbclid;
};

/* Forms: submissions.c */

struct form {
    Uuid id;
    Str slug;
    const struct json *fields;
    Str thanks; /* empty: the site has no words of its own */
    Str redirect_url, conversion_value;
    bool has_webhook, has_mail;
};
/* By its id or, where that is nil, its slug. ERR_NOT_FOUND. */
fiber_fn Err form_find(struct ctx *ctx, Uuid id, Str slug, struct form *ret);

struct submission {
    struct click click;
    Str page_url, ip, user_agent;
    bool is_spam; /* stored as such, with neither lead nor conversion */
    Str data;     /* JSON: by submission_read */
    Str name, email, phone, message;
    Uuid id, lead, conversion; /* by submission_store */
};
/* What the visitor filled in, against the form's fields. ERR_FAILED_VALIDATION: every fault is told
 * at once, beside what was told before, each with the note "field". */
fiber_fn Err submission_read(struct ctx *ctx, const struct form *form, const struct json *data,
                             struct submission *ret);
bool submission_has_lead(const struct submission *submission);
/* The same form twice within a minute is one: both are told the same ids. Who is told spam's ids
 * need not know that they belong to nothing. */
fiber_fn Err submission_store(struct ctx *ctx, const struct form *form,
                              struct submission *submission);

/* Conversions: conversions.c */

struct conversion {
    Uuid lead; /* nil: of nobody in particular */
    Str type, value, currency, source, campaign, gclid, fbclid;
    bool for_google, for_facebook; /* whether the page wants them to be told */
    Uuid id;                       /* by conversion_store */
};
/* At most one a lead and type: the first one's id is told again. ERR_NOT_FOUND: no such lead. */
fiber_fn Err conversion_store(struct ctx *ctx, struct conversion *conversion);

/* An event and a conversion. */
struct call_click {
    struct click click;
    Str phone, page_url, page_title, session_id, visitor_id, ip, user_agent;
};
fiber_fn Err call_click_store(struct ctx *ctx, const struct call_click *click,
                              Uuid *ret_conversion);
