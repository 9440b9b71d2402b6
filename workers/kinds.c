#include "base/memory/array.h"
#include "base/system/clock.h"
#include "gen/sql.h"
#include "io/pg/db.h"
#include "workers/extension_kinds.h"
#include "workers/handlers.h"
#include "workers/main.h"

static const struct job_kind KINDS[] = {
#define JOB(kind_, handler_, timeout_s, help)                                                      \
    {.kind = STR_INIT(kind_), .handler = handler_, .timeout_us = (timeout_s)*SECOND_US},
#include "workers/jobs.def"
#undef JOB
};

enum { KIND_COUNT = COUNT_OF(KINDS) };

const struct job_kind *job_kind_find(Str kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (str_eq(KINDS[i].kind, kind))
            return &KINDS[i];
    return extension_kind_find(kind);
}

const char *worker_kind_name(unsigned index)
{
    return index < KIND_COUNT ? KINDS[index].kind.data : NULL;
}

fiber_fn Err job_kinds_report(struct platform platform)
{
    struct arena *arena = platform.ctx->arena;
    const struct job_kind *others;
    uint32_t other_count = extension_kinds_all(&others);
    uint32_t count = KIND_COUNT + other_count;
    Str *names = arena_array(arena, Str, count);
    Str *extensions = arena_array(arena, Str, count);
    int64_t *timeouts_s = arena_array(arena, int64_t, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct job_kind *kind = i < KIND_COUNT ? &KINDS[i] : &others[i - KIND_COUNT];
        ptrdiff_t dot =
            str_find_char(kind->kind, '.'); /* of an extension: its name stands before */
        names[i] = kind->kind;
        extensions[i] =
            i < KIND_COUNT || dot < 0 ? STR_NONE : str_slice(kind->kind, 0, (size_t)dot);
        timeouts_s[i] = kind->timeout_us / SECOND_US;
    }
    return db_query_platform(platform, &SQL_JOB_KINDS_REPORT,
                             ARGS(db_text_array(arena, names, count),
                                  db_text_array(arena, extensions, count),
                                  db_int_array(arena, timeouts_s, count)),
                             NULL);
}
