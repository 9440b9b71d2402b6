#include "io/fiber/json_apart.h"

#include "base/json/yaml.h"
#include "io/fiber/offload.h"
#include "io/reactor/reactor.h"

#include <assert.h>

struct parse_task {
    struct ctx *ctx; /* safe to use: its fiber waits */
    Str text;
    bool is_yaml;
    struct json_limits limits;
    struct json_tree *tree;
    Err result;
    struct diag diag; /* saved, because the wait for a thread would overwrite it */
};

static void parse(void *arg)
{
    struct parse_task *task = arg;
    assert(task->tree == NULL);
    task->result = task->is_yaml
                       ? yaml_parse_tree(task->ctx, task->text, &task->tree)
                       : json_parse_tree(task->ctx, task->text, task->limits, &task->tree);
    task->diag = task->ctx->diag;
}

static void release(void *tree)
{
    offload_discard(json_tree_free, tree);
}

static fiber_fn Err run(struct parse_task *task, const struct json **ret)
{
    struct ctx *ctx = task->ctx;
    struct reactor *reactor = ctx->reactor;
    assert(reactor != NULL && reactor->offload != NULL);
    Err err = offload_run(ctx, reactor->offload, parse, task);
    if (task->tree != NULL) /* the result may exist even if the deadline passed first */
        arena_defer(ctx->arena, release, task->tree);
    TRY(err);
    if (task->result != OK)
        ctx->diag = task->diag;
    if (task->result == OK)
        *ret = json_tree_root(task->tree);
    return task->result;
}

fiber_fn Err json_parse_apart(struct ctx *ctx, Str text, struct json_limits limits,
                              const struct json **ret)
{
    struct reactor *reactor = ctx->reactor;
    if (text.len < JSON_APART_FROM || reactor == NULL || reactor->offload == NULL)
        return json_parse(ctx, text, limits, ret);
    return run(&(struct parse_task){.ctx = ctx, .text = text, .limits = limits}, ret);
}

fiber_fn Err yaml_parse_apart(struct ctx *ctx, Str text, const struct json **ret)
{
    return run(&(struct parse_task){.ctx = ctx, .text = text, .is_yaml = true}, ret);
}

struct text_task {
    struct arena *arena; /* safe to use: its fiber waits */
    const struct json *json;
    Str text;
    bool is_done;
};

static void write_text(void *arg)
{
    struct text_task *task = arg;
    assert(!task->is_done);
    task->text = json_text(task->arena, task->json);
    task->is_done = true;
}

fiber_fn Str json_text_apart(struct ctx *ctx, const struct json *json)
{
    struct reactor *reactor = ctx->reactor;
    struct text_task task = {.arena = ctx->arena, .json = json};
    struct diag diag = ctx->diag;
    if (reactor != NULL && reactor->offload != NULL && json_is_long(json, JSON_APART_FROM))
        err_ignore(offload_run(ctx, reactor->offload, write_text, &task),
                   "without a thread it is written inline; the next wait reports a cancellation");
    ctx->diag = diag;
    if (!task.is_done)
        write_text(&task);
    return task.text;
}

struct members_task {
    struct ctx *ctx; /* safe to use: its fiber waits */
    const struct json *object;
    Str known;
    Err result;
    struct diag diag;
};

static void check_members(void *arg)
{
    struct members_task *task = arg;
    task->result = json_check_members(task->ctx, task->object, STR_NONE, task->known);
    task->diag = task->ctx->diag;
}

fiber_fn Err json_check_members_apart(struct ctx *ctx, const struct json *object, Str known)
{
    struct reactor *reactor = ctx->reactor;
    if (reactor == NULL || reactor->offload == NULL || !json_is_long(object, JSON_APART_FROM))
        return json_check_members(ctx, object, STR_NONE, known);
    struct members_task task = {.ctx = ctx, .object = object, .known = known};
    TRY(offload_run(ctx, reactor->offload, check_members, &task));
    if (task.result != OK)
        ctx->diag = task.diag;
    return task.result;
}
