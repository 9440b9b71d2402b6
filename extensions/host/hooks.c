/*
 * Hooks around the writes of core/content. Each has five seconds: a filter that takes longer
 * refuses the write, an action that fails is counted and nothing else.
 */
#include "access/actor.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "content/items_hook.h"
#include "host/host_internal.h"

#include <assert.h>

/* Set before the threads start, taken off after they have ended. */
static const struct host *installed;

static Str action_text(enum items_action action)
{
    static const Str NAMES[] = {
        [ITEMS_CREATE] = STR_INIT("create"),
        [ITEMS_UPDATE] = STR_INIT("update"),
        [ITEMS_DELETE] = STR_INIT("delete"),
    };
    return NAMES[action];
}

static bool is_meant(const struct host_hook *hook, Str collection, Str action)
{
    return (str_eq(hook->collection, STR("*")) || str_eq(hook->collection, collection)) &&
           (str_eq(hook->action, STR("*")) || str_eq(hook->action, action)) &&
           extension_is_on(hook->extension);
}

static spark_item_event event_make(const struct ctx *ctx, Str action, Str collection)
{
    spark_item_event event = {
        .size = sizeof event,
        .action = spark_of_str(action),
        .collection = spark_of_str(collection),
    };
    if (ctx->scope.kind == SCOPE_SITE)
        event.site_id = spark_of_str(uuid_text(ctx->arena, ctx->scope.site));
    if (ctx->actor != NULL && !uuid_is_nil(ctx->actor->user))
        event.user_id = spark_of_str(uuid_text(ctx->arena, ctx->actor->user));
    return event;
}

/* The clock of one hook. The caller's own deadline still counts. */
struct watch {
    struct ctx *ctx;
    int64_t deadline_us; /* the caller's */
    int64_t end_us;      /* the hook's */
};

static struct watch watch_start(struct ctx *ctx)
{
    struct watch watch = {ctx, ctx->deadline_us, clock_now_us() + HOOK_US};
    if (ctx->deadline_us == 0 || watch.end_us < ctx->deadline_us)
        ctx->deadline_us = watch.end_us;
    return watch;
}

/* Did the hook itself take too long, rather than come too late? */
static bool watch_stop(struct watch *watch)
{
    watch->ctx->deadline_us = watch->deadline_us;
    return clock_now_us() >= watch->end_us;
}

static Err late(struct spark_call *call)
{
    counter_inc(extension_failures);
    atomic_fetch_add(&call->extension->failures, 1);
    log_event(LOG_WARN, "extension_late", LOG_Z("extension", call->extension->name),
              LOG_I("limit_us", HOOK_US));
    return fail(call->ctx, ERR_EXTENSION, "The extension \"%s\" took longer than %d s.",
                call->extension->name, (int)(HOOK_US / SECOND_US));
}

static fiber_fn Err run_filter(struct ctx *ctx, const struct host_hook *hook,
                               const spark_item_event *event, const spark_json **replacement)
{
    struct spark_call call = call_make(ctx, hook->extension);
    struct watch watch = watch_start(ctx);
    uint32_t before = extension_enter(hook->extension);
    spark_status status = hook->filter(&call, event, replacement, hook->user);
    extension_leave(before);
    bool is_late = watch_stop(&watch);
    Err err = is_late ? late(&call) : call_end(&call, status);
    extension_hook_ended(hook->extension, err == ERR_EXTENSION);
    return err;
}

static fiber_fn Err before_write(struct ctx *ctx, enum items_action action, Str collection,
                                 const struct json *payload, const struct json **ret)
{
    Str name = action_text(action);
    for (const struct host_hook *hook = installed->offers.hooks; hook != NULL; hook = hook->next) {
        if (hook->filter == NULL || !is_meant(hook, collection, name))
            continue;
        spark_item_event event = event_make(ctx, name, collection);
        event.payload = spark_of_json(payload);
        const spark_json *replacement = NULL;
        TRY(run_filter(ctx, hook, &event, &replacement));
        if (replacement != NULL && json_kind(json_of_spark(replacement)) != JSON_OBJECT)
            return fail(ctx, ERR_EXTENSION, "The extension \"%s\" made an item that is no object.",
                        hook->extension->name);
        if (replacement != NULL)
            payload = json_of_spark(replacement);
    }
    *ret = payload;
    return OK;
}

static fiber_fn void run_action(struct ctx *ctx, const struct host_hook *hook,
                                const spark_item_event *event)
{
    /* The write is done: whatever happens here is not the caller's story. */
    struct diag story = ctx->diag;
    ctx->diag = (struct diag){0};
    struct spark_call call = call_make(ctx, hook->extension);
    struct watch watch = watch_start(ctx);
    uint32_t before = extension_enter(hook->extension);
    spark_status status = hook->act(&call, event, hook->user);
    extension_leave(before);
    bool is_late = watch_stop(&watch);
    Err err = is_late ? late(&call) : call_end(&call, status);
    extension_hook_ended(hook->extension, err == ERR_EXTENSION);
    ctx->diag = story;
}

static fiber_fn void after_write(struct ctx *ctx, enum items_action action, Str collection,
                                 const Str *keys, uint32_t count)
{
    Str name = action_text(action);
    for (const struct host_hook *hook = installed->offers.hooks; hook != NULL; hook = hook->next) {
        if (hook->act == NULL || !is_meant(hook, collection, name))
            continue;
        spark_item_event event = event_make(ctx, name, collection);
        spark_str *list = arena_array(ctx->arena, spark_str, count);
        for (uint32_t i = 0; i < count; i++)
            list[i] = spark_of_str(keys[i]);
        event.keys = list;
        event.key_count = count;
        run_action(ctx, hook, &event);
    }
}

static const struct items_hooks HOOKS = {.before = before_write, .after = after_write};

void hooks_install(struct host *host)
{
    assert(installed == NULL);
    installed = host;
    items_set_hooks(&HOOKS);
}

void hooks_remove(void)
{
    if (installed == NULL)
        return;
    items_set_hooks(NULL);
    installed = NULL;
}
