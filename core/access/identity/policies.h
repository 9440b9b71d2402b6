/*
 * The policies in force for a user or for the public, and the grants compiled from them. Private to
 * access/.
 */
#pragma once

#include "access/identity/cache.h"

enum { POLICIES_MAX = 256 };

/* Policies that apply at one address, in the order in which presets are merged. */
struct policies {
    Uuid ids[POLICIES_MAX];
    uint32_t count;
    bool is_admin;
    bool has_app_access;
    bool enforces_tfa;
    bool depends_on_ip; /* some policy names addresses: not to be cached */
};

/* A nil `role`: none. */
fiber_fn Err policies_of_user(struct ctx *ctx, Uuid user, Uuid role, Str ip, struct policies *ret);
fiber_fn Err policies_of_public(struct ctx *ctx, Str ip, struct policies *ret);
/* Sets the rights of `identity`: flags, grants and the ids of the policies. */
fiber_fn Err policies_grant(struct ctx *ctx, struct access_cache *cache,
                            const struct policies *policies, struct identity *identity);
