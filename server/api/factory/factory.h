/*
 * What the routes of the factory share: which site a request is for. A site token's own; a request
 * of the platform names it (site_id, or `site` as older clients say) or means the site of the row
 * it asks for. From then on the ctx has that site's scope: narrower than before, never wider.
 */
#pragma once

#include "factory/library/library.h"
#include "server/dispatch/route.h"

/* What is asked for, and the statement that says whose it is. */
struct factory_subject {
    const struct statement *sites; /* $1: ids */
    const char *noun;              /* "campaign" */
    const Uuid *ids;
    uint32_t count;
};

/* site_id or site of the body; nil if absent. ERR_INVALID_PAYLOAD if it is no uuid. */
Err factory_named_site(struct ctx *ctx, const struct json *body, Uuid *ret);

/* ERR_FORBIDDEN: another site than the token's. ERR_UNKNOWN_SITE, ERR_NOT_FOUND,
 * ERR_FAILED_VALIDATION: it cannot be told which site. `subject` NULL: the site must be named. */
fiber_fn Err factory_enter(struct ctx *ctx, Uuid named, const struct factory_subject *subject);

/* The same for a campaign named in the body, which it returns. */
fiber_fn Err factory_enter_campaign(struct ctx *ctx, const struct json *body, Uuid *ret);

/* ERR_FORBIDDEN for a token that may only read. */
Err factory_check_write(struct ctx *ctx);

/* ERR_FAILED_VALIDATION with note "field". */
Err factory_refuse(struct ctx *ctx, const char *field, const char *sentence);

/* A list of uuids in the body: 1 to `max`, each once. */
Err factory_take_ids(struct ctx *ctx, const struct json *body, const char *key, uint32_t max,
                     Uuid **ret, uint32_t *ret_count);

/* avatar_id (or avatar), avatar_key, variant_type in any case: all optional. */
Err factory_take_avatar(struct ctx *ctx, const struct json *body, struct avatar_choice *ret);
