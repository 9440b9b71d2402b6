/*
 * Hooks around the writes of core/content: filters run in the fiber of the write, which waits at
 * most five seconds for each; actions run in their own fibers (actions.h).
 */
#include "runtime/actions.h"
#include "runtime/watch.h"

#include <assert.h>

/* Set before the threads start, reset after they have ended. */
static const struct host *installed;

static bool is_for(Str wanted, Str given)
{
    return str_eq(wanted, STR("*")) || str_eq(wanted, given);
}

static bool hook_matches(const struct host_hook *hook, const struct items_change *change)
{
    return is_for(hook->collection, change->collection) &&
           is_for(hook->action, items_action_name(change->action)) &&
           extension_is_on(hook->extension);
}

static bool is_filtered(enum items_action action, Str collection)
{
    struct items_change change = {.action = action, .collection = collection};
    for (const struct host_hook *hook = installed->offers.hooks; hook != NULL; hook = hook->next)
        if (hook->filter != NULL && hook_matches(hook, &change))
            return true;
    return false;
}

static fiber_fn Err run_filter(struct ctx *ctx, const struct host_hook *hook,
                               const spark_item_event *event, const spark_json **replacement)
{
    struct spark_call call = call_make(ctx, hook->extension);
    struct watch watch = watch_start(ctx);
    uint32_t before = extension_enter(hook->extension);
    spark_status status = hook->filter(&call, event, replacement, hook->user);
    extension_leave(before);
    Err err = watch_stop(&watch) ? watch_late(&call) : call_end(&call, status);
    extension_hook_ended(hook->extension, err == ERR_EXTENSION);
    return err;
}

static fiber_fn Err before_write(struct ctx *ctx, const struct items_change *change,
                                 const struct json *payload, const struct json **ret)
{
    for (const struct host_hook *hook = installed->offers.hooks; hook != NULL; hook = hook->next) {
        if (hook->filter == NULL || !hook_matches(hook, change))
            continue;
        spark_item_event event = event_make(ctx, change);
        event.payload = spark_of_json(payload);
        const spark_json *replacement = NULL;
        TRY(run_filter(ctx, hook, &event, &replacement));
        if (replacement != NULL && json_kind(json_of_spark(replacement)) != JSON_OBJECT)
            return fail(ctx, ERR_EXTENSION,
                        "The extension \"%s\" returned an item that is not an object.",
                        hook->extension->name);
        if (replacement != NULL && payload != NULL) /* a delete has no payload to replace */
            payload = json_of_spark(replacement);
    }
    *ret = payload;
    return OK;
}

static void after_write(struct ctx *ctx, const struct items_change *change)
{
    for (const struct host_hook *hook = installed->offers.hooks; hook != NULL; hook = hook->next)
        if (hook->act != NULL && hook_matches(hook, change))
            action_start(ctx, hook, change);
}

static const struct items_hooks HOOKS = {
    .is_filtered = is_filtered, .before = before_write, .after = after_write};

void hooks_install(struct host *host)
{
    assert(installed == NULL);
    installed = host;
    items_set_hooks(&HOOKS);
}

bool host_is_idle(const struct reactor *reactor)
{
    return actions_open(reactor) == 0;
}

void hooks_remove(void)
{
    if (installed == NULL)
        return;
    items_set_hooks(NULL);
    installed = NULL;
}
