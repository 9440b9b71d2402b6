/*
 * Whether SECRET is still the one that the secrets of sites were sealed with (core/jobs/
 * site_secrets.h). A lost SECRET is found out at the start and by `spark doctor`, not by the first
 * webhook that is not signed.
 */
#pragma once

#include "base/system/ctx.h"

struct seals {
    uint32_t looked_at; /* at most SEALS_MAX */
    uint32_t closed;    /* those that do not open */
};
enum { SEALS_MAX = 1000 };

/* Nothing to look at where the database has no such table yet. `url`: a login that may read it. */
Err seals_check(struct ctx *ctx, const char *url, Str secret, struct seals *ret);
Str seals_sentence(struct ctx *ctx, const struct seals *seals);
