#include "runtime/actions.h"

#include "access/audit/audit.h"
#include "access/grants/grants_build.h"
#include "base/memory/list.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/log.h"
#include "io/reactor/reactor.h"
#include "runtime/watch.h"

#include <assert.h>

/* One event for one hook. Allocated in its own arena, because the request may end first. */
struct action_event {
    struct action_event *next;
    struct arena *arena;
    struct reactor *reactor;
    const struct host_hook *hook;
    struct actor *actor;
    Scope scope;
    Str trace;
    struct items_change change;
};

/* The pending actions of one extension in one thread. */
struct queue {
    struct action_event *first;
    struct action_event *last;
    uint32_t running;
    uint32_t waiting;
    bool is_full; /* logged once, until the queue is empty again */
};

/* All of one thread. */
struct actions {
    struct queue queues[EXTENSIONS_MAX];
    uint32_t running;
    uint32_t open;
};

static struct reactor_slot slot = {.size = sizeof(struct actions)};

static struct actions *actions_of(struct reactor *reactor)
{
    return reactor_slot(reactor, &slot);
}

static struct queue *queue_of(struct actions *actions, const struct host_hook *hook)
{
    assert(hook->extension->number > 0 && hook->extension->number <= EXTENSIONS_MAX);
    return &actions->queues[hook->extension->number - 1];
}

uint32_t actions_open(const struct reactor *reactor)
{
    const struct actions *actions = reactor_slot_find(reactor, &slot);
    return actions == NULL ? 0 : actions->open;
}

/* Copies the actor without the grants, which belong to a cache that may be freed. */
static struct actor *actor_dup(struct arena *arena, const struct actor *actor)
{
    struct actor *copy = arena_new(arena, struct actor);
    if (actor != NULL)
        *copy = *actor;
    copy->grants = actor != NULL && actor->is_admin ? grants_full() : grants_new(arena);
    copy->ip = str_dup(arena, copy->ip);
    copy->user_agent = STR_NONE;
    copy->origin = STR_NONE;
    return copy;
}

static struct action_event *action_make(const struct ctx *ctx, const struct host_hook *hook,
                                        const struct items_change *change)
{
    struct arena *arena = arena_create();
    struct action_event *action = arena_new(arena, struct action_event);
    const struct actor *actor = audit_doer(ctx);
    *action = (struct action_event){
        .arena = arena,
        .reactor = ctx->reactor,
        .hook = hook,
        .actor = actor != NULL ? actor_dup(arena, actor) : NULL,
        .scope = ctx->scope,
        .trace = str_dup(arena, ctx->trace),
        .change = *change,
    };
    Str *keys = arena_array(arena, Str, change->count + 1);
    for (uint32_t i = 0; i < change->count; i++)
        keys[i] = str_dup(arena, change->keys[i]);
    action->change.keys = keys;
    action->change.collection = str_dup(arena, change->collection);
    return action;
}

static void action_free(struct action_event *action)
{
    actions_of(action->reactor)->open--;
    arena_destroy(action->arena);
}

static fiber_fn Err action_run(struct action_event *action)
{
    struct extension *extension = action->hook->extension;
    struct ctx ctx =
        reactor_ctx_for(action->reactor, action->arena, HOOK_US, action->scope, action->actor);
    ctx.trace = action->trace;
    struct spark_call call = call_make(&ctx, extension);
    spark_item_event event = event_make(&ctx, &action->change);
    struct watch watch = watch_start(&ctx);
    uint32_t before = extension_enter(extension);
    spark_status status = action->hook->act(&call, &event, action->hook->user);
    extension_leave(before);
    Err err = watch_stop(&watch) ? watch_late(&call) : call_end(&call, status);
    extension_hook_ended(extension, err == ERR_EXTENSION);
    return err;
}

static struct action_event *queue_take(struct queue *queue)
{
    struct action_event *action = LIST_TAKE(queue->first, queue->last);
    if (action == NULL)
        return NULL;
    queue->waiting--;
    queue->is_full &= queue->waiting > 0;
    return action;
}

static void queue_drop(struct queue *queue)
{
    for (struct action_event *action; (action = queue_take(queue)) != NULL;) {
        counter_inc(extension_actions_dropped);
        action_free(action);
    }
}

/* The fiber also runs events that arrive meanwhile. It is cancelled when the thread stops; then the
 * waiting events are dropped. */
static void run(void *arg)
{
    struct action_event *action = arg;
    struct actions *actions = actions_of(action->reactor);
    struct queue *queue = queue_of(actions, action->hook);
    queue->running++;
    actions->running++;
    while (action != NULL) {
        Err err = extension_is_on(action->hook->extension) ? action_run(action) : OK;
        action_free(action);
        if (err == ERR_CANCELLED)
            queue_drop(queue);
        action = queue_take(queue);
    }
    queue->running--;
    actions->running--;
}

static void drop(struct queue *queue, struct action_event *action)
{
    counter_inc(extension_actions_dropped);
    if (!queue->is_full)
        log_event(LOG_WARN, "extension_actions_dropped",
                  LOG_Z("extension", action->hook->extension->name),
                  LOG_S("collection", action->change.collection), LOG_I("waiting", queue->waiting));
    queue->is_full = true;
    action_free(action);
}

void action_start(const struct ctx *ctx, const struct host_hook *hook,
                  const struct items_change *change)
{
    struct actions *actions = actions_of(ctx->reactor);
    struct queue *queue = queue_of(actions, hook);
    struct action_event *action = action_make(ctx, hook, change);
    actions->open++;
    bool has_room =
        queue->running < ACTIONS_RUNNING_MAX && actions->running < ACTIONS_RUNNING_ALL_MAX;
    if (has_room || queue->running == 0) { /* a running fiber takes the waiting event */
        fiber_spawn(ctx->reactor->loop, "action", run, action);
        return;
    }
    if (queue->waiting == ACTIONS_WAITING_MAX) {
        drop(queue, action);
        return;
    }
    LIST_APPEND(queue->first, queue->last, action);
    queue->waiting++;
}
