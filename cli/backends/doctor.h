/*
 * The findings of `spark doctor`: what was checked, its state, and advice.
 */
#pragma once

#include "base/settings/settings.h"
#include "base/system/ctx.h"

enum finding_state { FINDING_GOOD, FINDING_ODD, FINDING_BAD };

struct finding {
    enum finding_state state;
    Str subject;
    Str detail;
    Str advice; /* empty when good */
};

enum { FINDINGS_MAX = 64 };
struct findings {
    struct finding rows[FINDINGS_MAX];
    uint32_t count;
};

void finding_add(struct findings *findings, enum finding_state state, Str subject, Str detail,
                 Str advice);

/* Each checks one server; an unreachable one is a finding, not an error. */
void doctor_postgres(struct ctx *ctx, const struct settings *settings, struct findings *findings);
void doctor_redis(struct ctx *ctx, const struct settings *settings, struct findings *findings);
