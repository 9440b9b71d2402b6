/*
 * The seam for extensions: called by core/content around every write, set once by the host.
 */
#pragma once

#include "base/json.h"
#include "content/schema.h"

enum items_action { ITEMS_CREATE, ITEMS_UPDATE, ITEMS_DELETE };

struct items_hooks {
    /* Before validation, outside any transaction: may refuse, or put another payload in *ret (in
     * ctx->arena). Deletes have no payload. */
    Err (*before)(struct ctx *ctx, enum items_action action, Str collection,
                  const struct json *payload, const struct json **ret);
    /* After the commit. May wait; its failure does not reach the caller. */
    void (*after)(struct ctx *ctx, enum items_action action, Str collection, const Str *keys,
                  uint32_t count);
};

/* NULL takes them off. `hooks` must live as long as the process. */
void items_set_hooks(const struct items_hooks *hooks);
const struct items_hooks *items_hooks(void);
