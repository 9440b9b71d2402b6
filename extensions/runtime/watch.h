/*
 * What filters and actions share: the event as an extension sees it, and the clock of one hook.
 * Private to extensions/runtime/.
 */
#pragma once

#include "content/items/items.h"
#include "runtime/host_internal.h"

spark_item_event event_make(const struct ctx *ctx, const struct items_change *change);

/* HOOK_US from now; the caller's own deadline still counts. */
struct watch {
    struct ctx *ctx;
    int64_t deadline_us; /* the caller's */
    int64_t end_us;      /* the hook's */
};
struct watch watch_start(struct ctx *ctx);
/* Did the hook itself take too long, rather than come too late? */
bool watch_stop(struct watch *watch);
/* Counts, and says so. */
Err watch_late(struct spark_call *call);
