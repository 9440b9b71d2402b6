/*
 * How a request finds its site: the cached lookups of hostnames, and the rule. Private to access/.
 */
#pragma once

#include "access/identity/authenticate.h"
#include "access/identity/cache.h"

/* A cached site is valid while its stamp is the last one seen and was revalidated recently. */
fiber_fn Err site_is_fresh(struct ctx *ctx, struct access_cache *cache, Uuid site,
                           int64_t site_epoch, bool *ret);
/* request_sites_find, with the cache that ctx already has. */
fiber_fn Err sites_find(struct ctx *ctx, struct access_cache *cache, Str host, Str origin,
                        struct request_sites *ret);
/* The rule of docs/sites.md. ERR_FORBIDDEN: the host or X-Site-Id contradicts a site's token. */
fiber_fn Err scope_find(struct ctx *ctx, struct access_cache *cache,
                        const struct credentials *credentials, const struct identity *identity,
                        Scope *ret);
