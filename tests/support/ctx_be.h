/*
 * Scope and actor of a ctx are constant. A test that acts as one after the other writes over its
 * ctx, which lies in an arena.
 */
#pragma once

#include "base/system/ctx.h"

#include <string.h>

static inline void ctx_be(struct ctx *ctx, const struct actor *actor, Scope scope)
{
    memcpy((void *)(uintptr_t)&ctx->actor, &actor, sizeof actor);
    memcpy((void *)(uintptr_t)&ctx->scope, &scope, sizeof scope);
}

/* Assigns to an object that holds a ctx, which C does not allow for const members. */
#define REPLACE(object, ...)                                                                       \
    do {                                                                                           \
        const __typeof__(object) replacement_ = __VA_ARGS__;                                       \
        memcpy((void *)(uintptr_t) & (object), &replacement_, sizeof replacement_);                \
    } while (0)
