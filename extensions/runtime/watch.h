/*
 * Shared by filters and actions: the event for an extension, and the time limit of one hook.
 * Private to extensions/runtime/.
 */
#pragma once

#include "content/items/items.h"
#include "runtime/host_internal.h"

spark_item_event event_make(const struct ctx *ctx, const struct items_change *change);

/* HOOK_US from now; an earlier deadline of the caller still applies. */
struct watch {
    struct ctx *ctx;
    int64_t deadline_us; /* the caller's */
    int64_t end_us;      /* the hook's */
};
struct watch watch_start(struct ctx *ctx);
/* Whether the hook itself exceeded its time, rather than the caller's deadline. */
bool watch_stop(struct watch *watch);
/* Counts the failure, and logs it. */
Err watch_late(struct spark_call *call);
