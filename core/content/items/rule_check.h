/*
 * Patterns in rules (validation of fields and permissions), looked at when the rule is written: one
 * that does not compile would refuse every write that the rule is for.
 */
#pragma once

#include "base/json/json.h"
#include "io/fiber/fiber.h"

/* ERR_FAILED_VALIDATION names the first _regex that does not compile. */
fiber_fn Err rule_check(struct ctx *ctx, const struct json *rule);
/* The same for the text of a rule; what is no JSON is somebody else's to refuse. */
fiber_fn Err rule_text_check(struct ctx *ctx, Str text);

/* The pattern that a _regex holds, and its flags: "/…/i" is how JavaScript writes one. */
Str rule_pattern(Str text, unsigned *ret_flags);
