#include "runtime/watch.h"

#include "access/grants/actor.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/log.h"

/* The site of the rows; before the write, the caller's site. */
static Str site_text(const struct ctx *ctx, const struct items_change *change)
{
    if (uuid_eq(change->site, UUID_LIBRARY_SITE))
        return STR_NONE;
    if (!uuid_is_nil(change->site))
        return uuid_text(ctx->arena, change->site);
    return ctx->scope.kind == SCOPE_SITE ? uuid_text(ctx->arena, ctx->scope.site) : STR_NONE;
}

spark_item_event event_make(const struct ctx *ctx, const struct items_change *change)
{
    spark_item_event event = {
        .size = sizeof event,
        .action = spark_of_str(items_action_name(change->action)),
        .collection = spark_of_str(change->collection),
        .site_id = spark_of_str(site_text(ctx, change)),
        .is_logged = change->is_audited,
    };
    if (ctx->actor != NULL && !uuid_is_nil(ctx->actor->user))
        event.user_id = spark_of_str(uuid_text(ctx->arena, ctx->actor->user));
    if (change->count == 0)
        return event;
    spark_str *keys = arena_array(ctx->arena, spark_str, change->count);
    for (uint32_t i = 0; i < change->count; i++)
        keys[i] = spark_of_str(change->keys[i]);
    event.keys = keys;
    event.key_count = change->count;
    return event;
}

struct watch watch_start(struct ctx *ctx)
{
    struct watch watch = {ctx, ctx->deadline_us, clock_now_us() + HOOK_US};
    if (ctx->deadline_us == 0 || watch.end_us < ctx->deadline_us)
        ctx->deadline_us = watch.end_us;
    return watch;
}

bool watch_stop(struct watch *watch)
{
    watch->ctx->deadline_us = watch->deadline_us;
    return clock_now_us() >= watch->end_us;
}

Err watch_late(struct spark_call *call)
{
    counter_inc(extension_failures);
    atomic_fetch_add(&call->extension->failures, 1);
    log_event(LOG_WARN, "extension_late", LOG_Z("extension", call->extension->name),
              LOG_I("limit_us", HOOK_US));
    return fail(call->ctx, ERR_EXTENSION, "The extension \"%s\" took longer than %d s.",
                call->extension->name, (int)(HOOK_US / SECOND_US));
}
