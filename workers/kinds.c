#include "base/clock.h"
#include "workers/extension_kinds.h"
#include "workers/handlers.h"

static const struct job_kind KINDS[] = {
#define JOB(kind_, handler_, timeout_s, help)                                                      \
    {.kind = STR_INIT(kind_), .handler = handler_, .timeout_us = (timeout_s)*SECOND_US},
#include "workers/jobs.def"
#undef JOB
};

const struct job_kind *job_kind_find(Str kind)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
        if (str_eq(KINDS[i].kind, kind))
            return &KINDS[i];
    return extension_kind_find(kind);
}
