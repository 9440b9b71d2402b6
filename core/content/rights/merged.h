/*
 * Rules of one action taken together, and their values with variables replaced. Private to this
 * module.
 */
#pragma once

#include "base/json/json_writer.h"
#include "content/plan/compile.h"
#include "io/fiber/fiber.h"

enum { RIGHTS_VALUE_DEPTH_MAX = 16 };

/* The fields of all rules in the order of the rules, ["*"] if one has all; nothing is written if no
 * rule has any, as with null. */
void merged_put_fields(struct ctx *ctx, struct json_writer *w, const struct grant *grant);
/* The presets of all rules; of a field that several set, the value of the last. Nothing is written
 * if there is none. */
fiber_fn Err merged_put_presets(struct ctx *ctx, const struct schema *schema, struct json_writer *w,
                                const struct grant *grant);
/* A filter or a value with its variables replaced. */
fiber_fn Err merged_put_value(struct ctx *ctx, const struct schema *schema, struct json_writer *w,
                              const struct json *value);
bool merged_is_partial(const struct grant *grant); /* some rule has a filter */
