/*
 * What the public endpoints share: what is kept of the visitor, and a part of the answers.
 */
#pragma once

#include "server/dispatch/route.h"
#include "visitors/forms/forms.h"

enum { VISITOR_AGENT_MAX = 500 };

/* What the browser calls itself, cut, and only text. */
Str visitor_agent(const struct request *request);
/* The visitor's address as it may be kept: with IP_TRUNCATION without its last part. */
Str visitor_ip(struct ctx *ctx, const struct request *request);

/* GROUP(utm) and GROUP(clicks) of routes.def. */
#define CLICK(input)                                                                               \
    ((struct click){.utm_source = (input)->utm_source,                                             \
                    .utm_medium = (input)->utm_medium,                                             \
                    .utm_campaign = (input)->utm_campaign,                                         \
                    .gclid = (input)->gclid,                                                       \
                    .fbclid = (input)->fbclid})
