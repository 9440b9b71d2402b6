/*
 * One callback: its arguments, and the effect of its status on the request or job.
 */
#include "access/grants/actor.h"
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/log.h"
#include "runtime/host_internal.h"

#include <assert.h>

struct spark_call call_make(struct ctx *ctx, struct extension *extension)
{
    assert(ctx != NULL && extension->block != NULL);
    return (struct spark_call){.ctx = ctx, .extension = extension};
}

bool extension_is_on(const struct extension *extension)
{
    return atomic_load_explicit(&extension->state, memory_order_relaxed) == EXTENSION_ON;
}

static spark_status status_of_err(Err err)
{
    switch (err_info(err)->status) {
    case 400:
    case 413:
    case 415:
    case 422:
        return err == ERR_NOT_UNIQUE ? SPARK_CONFLICT : SPARK_BAD_INPUT;
    case 401:
    case 403:
        return SPARK_FORBIDDEN;
    case 404:
        return SPARK_NOT_FOUND;
    case 408:
        return SPARK_TIMEOUT;
    case 409:
        return err == ERR_FENCED ? SPARK_CANCELLED : SPARK_CONFLICT;
    case 499:
        return SPARK_CANCELLED;
    case 429:
    case 503:
        return SPARK_UNAVAILABLE;
    default:
        return SPARK_FAILED;
    }
}

spark_status call_status(struct spark_call *call, Err err)
{
    if (err == OK)
        return SPARK_OK;
    call->last = err;
    return status_of_err(err);
}

Str call_reason(const struct spark_call *call)
{
    struct ctx *ctx = call->ctx;
    Str sqlstate = STR_NONE;
    Str message = STR_NONE;
    for (const struct diag_note *note = ctx->diag.last->notes; note != NULL; note = note->next) {
        if (str_eq(str_from_z(note->key), STR("_sqlstate")))
            sqlstate = note->value;
        if (str_eq(str_from_z(note->key), STR("_message")))
            message = note->value;
    }
    if (sqlstate.len == 0)
        return diag_message(ctx, ctx->diag.last);
    return str_printf(ctx->arena, "%.*s %.*s", STR_FMT(sqlstate), STR_FMT(message));
}

Err err_of_status(spark_status status)
{
    static const Err ERRS[] = {
        [SPARK_FAILED] = ERR_EXTENSION,    [SPARK_BAD_INPUT] = ERR_INVALID_PAYLOAD,
        [SPARK_NOT_FOUND] = ERR_NOT_FOUND, [SPARK_FORBIDDEN] = ERR_FORBIDDEN,
        [SPARK_CONFLICT] = ERR_CONFLICT,   [SPARK_UNAVAILABLE] = ERR_UNAVAILABLE,
        [SPARK_TIMEOUT] = ERR_TIMEOUT,     [SPARK_CANCELLED] = ERR_CANCELLED,
    };
    bool is_known = status > SPARK_OK && (size_t)status < COUNT_OF(ERRS);
    return is_known ? ERRS[status] : ERR_EXTENSION;
}

static void note_failure(struct spark_call *call, Err err)
{
    struct extension *extension = call->extension;
    counter_inc(extension_failures);
    atomic_fetch_add(&extension->failures, 1);
    const struct diag_entry *entry = call->ctx->diag.first;
    log_event(LOG_WARN, "extension_failed", LOG_Z("extension", extension->name),
              LOG_Z("error", err_info(err)->name),
              LOG_S("reason", entry != NULL ? entry->reason : STR_NONE));
}

/* Whether the extension caused the failure. */
static bool is_own_failure(Err err)
{
    return err == ERR_EXTENSION || err == ERR_DATABASE || err == ERR_INTERNAL;
}

Err call_end(struct spark_call *call, spark_status status)
{
    struct ctx *ctx = call->ctx;
    if (status == SPARK_OK) {
        diag_clear(ctx); /* errors that it has handled do not concern the caller */
        return OK;
    }
    Err err = call->last;
    bool is_same = err != OK && status_of_err(err) == status && ctx->diag.first != NULL;
    if (!is_same && (status == SPARK_CANCELLED || status == SPARK_TIMEOUT))
        err = fail_plain(ctx, err_of_status(status));
    else if (!is_same)
        err = fail(ctx, ERR_EXTENSION, "The extension \"%s\" failed without giving a reason.",
                   call->extension->name);
    if (is_own_failure(err))
        note_failure(call, err);
    return err;
}

void extension_hook_ended(struct extension *extension, bool has_failed)
{
    if (!has_failed) {
        if (atomic_load_explicit(&extension->in_row, memory_order_relaxed) > 0)
            atomic_store(&extension->in_row, 0);
        return;
    }
    if (atomic_fetch_add(&extension->in_row, 1) + 1 != FAILURES_IN_ROW_MAX)
        return;
    atomic_store(&extension->state, EXTENSION_OFF);
    log_event(LOG_ERROR, "extension_switched_off", LOG_Z("extension", extension->name),
              LOG_I("failures_in_a_row", FAILURES_IN_ROW_MAX));
}

static Err off(struct ctx *ctx, const struct extension *extension)
{
    return fail(ctx, ERR_UNAVAILABLE,
                "The extension \"%s\" was disabled after %d consecutive failures.", extension->name,
                FAILURES_IN_ROW_MAX);
}

static spark_str site_text(const struct ctx *ctx)
{
    if (ctx->scope.kind != SCOPE_SITE)
        return (spark_str){NULL, 0};
    return spark_of_str(uuid_text(ctx->arena, ctx->scope.site));
}

static spark_str user_text(const struct ctx *ctx)
{
    if (ctx->actor == NULL || uuid_is_nil(ctx->actor->user))
        return (spark_str){NULL, 0};
    return spark_of_str(uuid_text(ctx->arena, ctx->actor->user));
}

fiber_fn Err host_endpoint_run(struct ctx *ctx, const struct host_endpoint *endpoint,
                               const struct host_request *request, struct host_exchange *exchange,
                               bool *ret_replied)
{
    if (!extension_is_on(endpoint->extension))
        return off(ctx, endpoint->extension);
    struct spark_call call = call_make(ctx, endpoint->extension);
    call.exchange = exchange;
    spark_request seen = {
        .size = sizeof seen,
        .method = spark_of_str(request->method),
        .path = spark_of_str(request->path),
        .query = spark_of_str(request->query),
        .body = spark_of_str(request->body),
        .site_id = site_text(ctx),
        .user_id = user_text(ctx),
        .is_admin = ctx->actor != NULL && ctx->actor->is_admin,
        .is_platform = ctx->scope.kind == SCOPE_PLATFORM,
    };
    uint32_t before = extension_enter(endpoint->extension);
    spark_status status = endpoint->run(&call, &seen, endpoint->user);
    extension_leave(before);
    TRY(call_end(&call, status));
    *ret_replied = call.has_replied;
    return OK;
}

fiber_fn Err host_job_run(struct ctx *ctx, const struct host_job *handler, struct job *job)
{
    if (!extension_is_on(handler->extension))
        return off(ctx, handler->extension);
    struct spark_call call = call_make(ctx, handler->extension);
    call.job = job;
    uint32_t before = extension_enter(handler->extension);
    spark_status status = handler->run(&call, spark_of_json(job->payload), handler->user);
    extension_leave(before);
    return call_end(&call, status);
}

uint32_t host_endpoints(const struct host *host, struct arena *arena,
                        const struct host_endpoint_info **ret)
{
    uint32_t count = 0;
    for (const struct host_endpoint *e = host->offers.endpoints; e != NULL; e = e->next)
        count++;
    struct host_endpoint_info *list = arena_array(arena, struct host_endpoint_info, count);
    struct host_endpoint_info *at = list;
    for (const struct host_endpoint *e = host->offers.endpoints; e != NULL; e = e->next)
        *at++ = (struct host_endpoint_info){e,        e->method, e->pattern,
                                            e->guard, e->body,   e->extension->name};
    *ret = list;
    return count;
}

uint32_t host_jobs(const struct host *host, struct arena *arena, const struct host_job_info **ret)
{
    uint32_t count = 0;
    for (const struct host_job *job = host->offers.jobs; job != NULL; job = job->next)
        count++;
    struct host_job_info *list = arena_array(arena, struct host_job_info, count);
    struct host_job_info *at = list;
    for (const struct host_job *job = host->offers.jobs; job != NULL; job = job->next)
        *at++ = (struct host_job_info){job, job->kind, job->timeout_s, job->extension->name};
    *ret = list;
    return count;
}
