#include "jobs/queue/job_kind.h"

#include "base/memory/array.h"

#include <assert.h>

enum { KINDS_FIRST = 32 };

static const struct job_kind **kinds; /* never freed */
static uint32_t kind_count;
static uint32_t kind_capacity;

void job_kind_add(const struct job_kind *kind)
{
    assert(kind->name.len > 0 && kind->name.len <= JOB_KIND_MAX);
    assert(kind->run != NULL && kind->timeout_s > 0);
    assert(job_kind_find(kind->name) == NULL);
    ARRAY_GROW(kinds, kind_count, kind_capacity, KINDS_FIRST);
    kinds[kind_count++] = kind;
}

const struct job_kind *job_kind_find(Str name)
{
    for (uint32_t i = 0; i < kind_count; i++)
        if (str_eq(kinds[i]->name, name))
            return kinds[i];
    return NULL;
}

uint32_t job_kind_count(void)
{
    return kind_count;
}

const struct job_kind *job_kind_at(uint32_t index)
{
    assert(index < kind_count);
    return kinds[index];
}

Str job_dedup_key(struct arena *arena, const struct job_kind *kind, Str what)
{
    assert(kind->name.len + 1 + what.len <= JOB_DEDUP_KEY_MAX);
    return str_printf(arena, "%.*s.%.*s", STR_FMT(kind->name), STR_FMT(what));
}

Err job_scope_check(struct ctx *ctx, const struct job_kind *kind, const struct job *job)
{
    if (kind->scope == JOB_OF_SITE && job->scope.kind != SCOPE_SITE)
        return fail(ctx, ERR_INVALID_PAYLOAD, "A job of kind %.*s needs a site",
                    STR_FMT(kind->name));
    if (kind->scope == JOB_OF_PLATFORM && job->scope.kind != SCOPE_PLATFORM)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "A job of kind %.*s belongs to the platform, not to a site",
                    STR_FMT(kind->name));
    return OK;
}
