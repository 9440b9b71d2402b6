/*
 * Patterns of forms, looked at when the form is written: visitors meet only those that compile.
 */
#pragma once

#include "io/fiber/fiber.h"

/* forms.fields as JSON text: ERR_FAILED_VALIDATION names the field whose pattern does not compile.
 */
fiber_fn Err form_patterns_check(struct ctx *ctx, Str fields);
