/*
 * Whether SECRET is still the one that the secrets of sites were encrypted with
 * (visitors/outbound/outbound.h). So a lost SECRET is detected at startup and by `spark doctor`,
 * not by the first unsigned webhook.
 */
#pragma once

#include "base/system/ctx.h"

struct seals {
    uint32_t looked_at; /* at most SEALS_MAX */
    uint32_t closed;    /* those that cannot be decrypted */
};
enum { SEALS_MAX = 1000 };

/* Reports none if the database has no such table yet. `url`: a login that may read it. */
Err seals_check(struct ctx *ctx, const char *url, Str secret, struct seals *ret);
Str seals_sentence(struct ctx *ctx, const struct seals *seals);
