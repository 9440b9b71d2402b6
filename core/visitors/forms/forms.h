/*
 * Data that visitors send to a site: form submissions, conversions, clicks on phone numbers. Each
 * is stored in one transaction with its lead, its conversion and its delivery jobs
 * (visitors/outbound), and is durable when a function returns OK. All act in the scope of ctx's
 * site.
 */
#pragma once

#include "base/json/json.h"
#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

/* One '@', a dot in the domain, no white space, at most 254 bytes. */
bool email_is_plausible(Str email);

/* The source of a click. */
struct click {
    Str utm_source, utm_medium, utm_campaign, gclid, fbclid;
};

/* Forms: submissions.c */

struct form {
    Uuid id;
    Str slug;
    const struct json *fields;
    Str thanks; /* empty: the form has no message of its own */
    Str redirect_url, conversion_value;
    bool has_webhook, has_mail;
};
/* Finds a form by id or, if that is nil, by slug. ERR_NOT_FOUND. */
fiber_fn Err form_find(struct ctx *ctx, Uuid id, Str slug, struct form *ret);

struct submission {
    struct click click;
    Str page_url, ip, user_agent;
    bool is_spam; /* stored with status "spam", without lead and conversion */
    Str data;     /* JSON; set by submission_read */
    Str name, email, phone, message;
    Uuid id, lead, conversion; /* set by submission_store */
};
/* Validates the data against the form's fields. ERR_FAILED_VALIDATION: all errors are added to
 * those already recorded, each with the note "field". */
fiber_fn Err submission_read(struct ctx *ctx, const struct form *form, const struct json *data,
                             struct submission *ret);
bool submission_has_lead(const struct submission *submission);
/* Sending the same data twice within a minute stores it once; both calls return the same ids. For
 * spam, lead and conversion are random ids, so that the response does not reveal the detection. */
fiber_fn Err submission_store(struct ctx *ctx, const struct form *form,
                              struct submission *submission);

/* Conversions: conversions.c */

struct conversion {
    Uuid lead; /* nil: without a lead */
    Str type, value, currency, source, campaign, gclid, fbclid;
    bool for_google, for_facebook; /* whether the page requests delivery to these networks */
    Uuid id;                       /* set by conversion_store */
};
/* At most one per lead and type: a repeated call returns the id of the first. ERR_NOT_FOUND: no
 * such lead. */
fiber_fn Err conversion_store(struct ctx *ctx, struct conversion *conversion);

/* A click on a phone number: stored as an event and a conversion. */
struct call_click {
    struct click click;
    Str phone, page_url, page_title, session_id, visitor_id, ip, user_agent;
};
fiber_fn Err call_click_store(struct ctx *ctx, const struct call_click *click,
                              Uuid *ret_conversion);
