/*
 * What a form takes: the array forms.fields, each {name, type, required, pattern, min, max,
 * options}, against what a visitor has filled in.
 */
#pragma once

#include "base/json/json.h"
#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

enum { FORM_FIELDS_MAX = 256, FORM_DATA_MAX = 128 * 1024 };

/*
 * Every fault is told at once, each with the note "field": names that the form does not have, what
 * is required and missing, values that are none of their type, outside min and max, beside the
 * pattern or not among the options. ERR_FAILED_VALIDATION then.
 * OK: *ret is the data as JSON text with the form's fields in the form's order, so that equal
 * answers are equal texts.
 *
 * A pattern that does not compile is the form's fault, not the visitor's: it is logged and passed
 * over (forms are checked when they are written, but may be older than that check). Fields beyond
 * FORM_FIELDS_MAX, or of a name that came before, do not count.
 */
fiber_fn Err form_check(struct ctx *ctx, const struct json *fields, const struct json *data,
                        Str *ret);

/* The first of `names` that the visitor has filled in with text, trimmed and at most `max` bytes;
 * STR_NONE when there is none. */
Str form_text(const struct json *data, const char *const *names, size_t max);
