#include "io/fiber/fiber.h"

#include <assert.h>

/* Allocated in the arena of the parent's ctx. */
struct group_child {
    struct group_child *next;
    struct group *group;
    struct fiber *fiber; /* NULL after it has ended */
    GroupFn *run;
    void *arg;
    Err result;
    struct ctx *ctx;
};

static void child_main(void *arg);
static void group_cancel(struct group *group);

void group_init(struct group *group, struct ctx *ctx)
{
    assert(fiber_self() != NULL && ctx != NULL);
    *group = (struct group){.loop = fiber_loop(fiber_self())};
}

void group_spawn(struct group *group, struct ctx *ctx, const char *name, GroupFn *run, void *arg)
{
    assert(group->loop != NULL && group->joiner == NULL);
    if (group->failed != NULL)
        return;
    if (group->children == NULL)
        fiber_hold(1); /* released by the join */

    struct arena *arena = arena_create_within(ctx->arena);
    struct group_child *child = arena_new(ctx->arena, struct group_child);
    *child = (struct group_child){.next = group->children, .group = group, .run = run, .arg = arg};
    child->ctx = ctx_new(ctx->arena, *ctx);
    child->ctx->arena = arena;
    child->ctx->diag = (struct diag){0};
    child->ctx->has_committed = false;
    group->children = child;
    group->running++;
    fiber_spawn(group->loop, name, child_main, child);
}

static void child_main(void *arg)
{
    struct group_child *child = arg;
    struct group *group = child->group;
    child->fiber = fiber_self();
    assert(child->fiber != NULL);
    Err err = child->run(child->ctx, child->arg);
    child->fiber = NULL;
    child->result = err;
    if (err != OK && group->failed == NULL) {
        group->failed = child;
        group_cancel(group);
    }
    assert(group->running > 0);
    if (--group->running == 0 && group->joiner != NULL)
        wait_end(group->joiner, OK);
}

fiber_fn Err group_join(struct ctx *ctx, struct group *group)
{
    assert(group->joiner == NULL);
    if (group->children == NULL)
        return OK;
    Err err = OK;
    struct wait wait = wait_begin();
    group->joiner = &wait;
    if (group->running > 0)
        err = fiber_wait(ctx, &wait);
    if (group->running > 0) {
        group_cancel(group);
        SCOPED_SHIELD struct fiber_shield shield = fiber_shield_begin(ctx, 0);
        err_ignore(fiber_wait(ctx, &wait), "the children end in any case; err has the reason");
    }
    group->joiner = NULL;
    fiber_hold(-1);

    for (struct group_child *child = group->children; child != NULL; child = child->next)
        ctx->has_committed |= child->ctx->has_committed;
    group->children = NULL;
    if (err != OK || group->failed == NULL)
        return err;
    ctx->diag = group->failed->ctx->diag; /* its arena lives as long as the parent's */
    return group->failed->result;
}

static void group_cancel(struct group *group)
{
    for (struct group_child *child = group->children; child != NULL; child = child->next)
        if (child->fiber != NULL)
            fiber_cancel(child->fiber);
}
