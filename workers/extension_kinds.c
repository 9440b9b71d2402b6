#include "workers/extension_kinds.h"

#include "base/system/clock.h"

/* Immutable after the start; a worker has one thread that runs jobs. */
static const struct job_kind *kinds;
static uint32_t kind_count;
static const struct host *kinds_host;

/* The kind was found when the job was started; its handler is found again by its name, so that all
 * kinds of extensions share this one. */
static fiber_fn Err extension_job(struct ctx *ctx, struct job *job)
{
    const struct job_kind *kind = extension_kind_find(job->kind);
    if (kind == NULL)
        return fail(ctx, ERR_NOT_FOUND, "no extension knows the kind '%.*s'", STR_FMT(job->kind));
    return host_job_run(ctx, kind->extension, job);
}

void extension_kinds_set(struct arena *arena, const struct host *host)
{
    const struct host_job_info *infos;
    uint32_t count = host_jobs(host, arena, &infos);
    struct job_kind *list = arena_array(arena, struct job_kind, count);
    for (uint32_t i = 0; i < count; i++)
        list[i] = (struct job_kind){
            .kind = infos[i].kind,
            .handler = extension_job,
            .timeout_us = infos[i].timeout_s * SECOND_US,
            .extension = (void *)(uintptr_t)infos[i].job,
        };
    kinds = list;
    kind_count = count;
    kinds_host = host;
}

Str extension_kind_is_off(struct arena *arena, Str kind)
{
    return kinds_host != NULL ? host_kind_is_off(kinds_host, arena, kind) : STR_NONE;
}

const struct job_kind *extension_kind_find(Str kind)
{
    for (uint32_t i = 0; i < kind_count; i++)
        if (str_eq(kinds[i].kind, kind))
            return &kinds[i];
    return NULL;
}

uint32_t extension_kinds_all(const struct job_kind **ret)
{
    *ret = kinds;
    return kind_count;
}
