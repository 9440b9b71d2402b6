/* Whom an article speaks to: the words of one avatar variant, of the site or the library. */
#pragma once

#include "base/uuid.h"
#include "factory/grammar.h"
#include "io/fiber.h"

struct avatar {
    struct grammar_variant variant;
    Str identity; /* {Avatar} */
};

/* By the id of a variant or of the avatar. In ctx->arena. ERR_NOT_FOUND. */
fiber_fn Err avatar_find(struct ctx *ctx, Uuid id, struct avatar *ret);
