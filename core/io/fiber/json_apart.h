/* Parses and writes large JSON texts on another thread: at about 200 MB/s they would block the
 * loop. */
#pragma once

#include "base/json/json.h"
#include "io/fiber/fiber.h"

enum { JSON_APART_FROM = 256 * 1024 /* bytes; smaller texts are processed inline */ };

/* Like json_parse; fault details are in ctx->diag. */
fiber_fn Err json_parse_apart(struct ctx *ctx, Str text, struct json_limits limits,
                              const struct json **ret);

/* YAML, in the same way: base/json/yaml.h. */
fiber_fn Err yaml_parse_apart(struct ctx *ctx, Str text, const struct json **ret);

/* Like json_text. Always returns a text; the caller gets a cancellation at its next wait. */
fiber_fn Str json_text_apart(struct ctx *ctx, const struct json *json);

/* Like json_check_members, for bodies with up to a million objects. */
fiber_fn Err json_check_members_apart(struct ctx *ctx, const struct json *object, Str known);
