/*
 * Shared by the public endpoints: visitor data to store, and parts of the answers.
 */
#pragma once

#include "server/dispatch/route.h"
#include "visitors/forms/forms.h"

enum { VISITOR_AGENT_MAX = 500 };

/* The User-Agent, truncated and made valid text. */
Str visitor_agent(const struct request *request);
/* The visitor's address for storage: truncated if IP_TRUNCATION is set. */
Str visitor_ip(struct ctx *ctx, const struct request *request);

/* GROUP(utm) and GROUP(clicks) of routes.def. */
#define CLICK(input)                                                                               \
    ((struct click){.utm_source = (input)->utm_source,                                             \
                    .utm_medium = (input)->utm_medium,                                             \
                    .utm_campaign = (input)->utm_campaign,                                         \
                    .gclid = (input)->gclid,                                                       \
                    .fbclid = (input)->fbclid})
