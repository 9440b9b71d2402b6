/* Large JSON texts are parsed and written on another thread: at some 200 MB/s they would hold up
 * the loop. */
#pragma once

#include "base/json/json.h"
#include "io/fiber/fiber.h"

enum { JSON_APART_FROM = 256 * 1024 /* bytes; smaller texts are no matter */ };

/* As json_parse; what it says of a fault is in ctx->diag. */
fiber_fn Err json_parse_apart(struct ctx *ctx, Str text, struct json_limits limits,
                              const struct json **ret);

/* As json_text. There is a text whatever happens: who was cancelled meanwhile hears of it at the
 * next wait. */
fiber_fn Str json_text_apart(struct ctx *ctx, const struct json *json);

/* As json_check_members, for bodies: a million of objects may have to be looked at. */
fiber_fn Err json_check_members_apart(struct ctx *ctx, const struct json *object, Str known);
