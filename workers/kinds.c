#include "workers/kinds.h"

#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>

/* Immutable after startup. */
static const struct host *kinds_host;

/* The handler of every kind that an extension added. */
static fiber_fn Err extension_run(struct ctx *ctx, struct job *job)
{
    const struct job_kind *kind = job_kind_find(job->kind);
    assert(kind != NULL && kind->extension != NULL);
    return host_job_run(ctx, kind->extension, job);
}

void kinds_add_extensions(struct arena *arena, const struct host *host)
{
    const struct host_job_info *infos;
    uint32_t count = host_jobs(host, arena, &infos);
    struct job_kind *list = arena_array(arena, struct job_kind, count);
    for (uint32_t i = 0; i < count; i++) {
        list[i] = (struct job_kind){
            .name = infos[i].kind,
            .run = extension_run,
            .scope = JOB_OF_ANY,
            .timeout_s = infos[i].timeout_s,
            .extension = infos[i].job,
        };
        job_kind_add(&list[i]);
    }
    kinds_host = host;
}

Str kind_is_off(struct arena *arena, Str kind)
{
    return kinds_host != NULL ? host_kind_is_off(kinds_host, arena, kind) : STR_NONE;
}

fiber_fn Err kinds_report(struct platform platform)
{
    struct arena *arena = platform.ctx->arena;
    uint32_t count = job_kind_count();
    Str *names = arena_array(arena, Str, count);
    Str *extensions = arena_array(arena, Str, count);
    int64_t *timeouts_s = arena_array(arena, int64_t, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct job_kind *kind = job_kind_at(i);
        ptrdiff_t dot = str_find_char(kind->name, '.'); /* after the name of the extension */
        names[i] = kind->name;
        extensions[i] =
            kind->extension == NULL || dot < 0 ? STR_NONE : str_slice(kind->name, 0, (size_t)dot);
        timeouts_s[i] = kind->timeout_s;
    }
    return db_query_platform(platform, &SQL_JOB_KINDS_REPORT,
                             ARGS(db_text_array(arena, names, count),
                                  db_text_array(arena, extensions, count),
                                  db_int_array(arena, timeouts_s, count)),
                             NULL);
}
