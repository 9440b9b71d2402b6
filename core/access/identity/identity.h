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
fiber_fn Err identity_of_user(struct ctx *ctx, struct access_cache *cache, Uuid user, Str ip,
                              struct identity *ret, bool *ret_cacheable);
