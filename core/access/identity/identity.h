/*
 * Identities: what a token proves, cached per epoch. Private to access/.
 */
#pragma once

#include "access/identity/cache.h"

/* The public policy. */
fiber_fn Err identity_public(struct ctx *ctx, struct access_cache *cache, Str ip,
                             struct identity *ret, bool *ret_cacheable);
/* A static token: ADMIN_TOKEN, a site token, or a user's. ERR_INVALID_CREDENTIALS. */
fiber_fn Err identity_of_static_token(struct ctx *ctx, struct access_cache *cache, Str token,
                                      Str ip, struct identity *ret, bool *ret_cacheable);
/* The user of a verified access token. ERR_INVALID_CREDENTIALS when deleted or not active. */
/* share_identity.c: a share that still holds. ERR_INVALID_CREDENTIALS otherwise. What it reaches
 * changes with the rows, so it is never cached. */
fiber_fn Err identity_of_share(struct ctx *ctx, struct access_cache *cache, Uuid share, Str ip,
                               struct identity *ret, bool *ret_cacheable);
/* The policies of a user, or of a role alone, at an address. */
enum { IDENTITY_POLICIES_MAX = 256 };
struct identity_policies {
    Uuid ids[IDENTITY_POLICIES_MAX];
    uint32_t count;
    bool is_admin;
};
fiber_fn Err identity_policies(struct ctx *ctx, Uuid user, Uuid role, Str ip,
                               struct identity_policies *ret);
/* ERR_INVALID_CREDENTIALS when the site is closed. */
fiber_fn Err identity_site_check(struct ctx *ctx, const struct access_cache *cache, Uuid site);
fiber_fn Err identity_of_user(struct ctx *ctx, struct access_cache *cache, Uuid user, Str ip,
                              struct identity *ret, bool *ret_cacheable);
