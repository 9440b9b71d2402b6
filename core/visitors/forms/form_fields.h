/*
 * Validates what a visitor has filled in against the array forms.fields, whose elements are {name,
 * type, required, pattern, min, max, options}.
 */
#pragma once

#include "base/json/json.h"
#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

enum { FORM_FIELDS_MAX = 256, FORM_DATA_MAX = 128 * 1024 };

/*
 * Reports all errors at once, each with the note "field": unknown names, missing required fields,
 * values of the wrong type, outside min and max, not matching the pattern or not among the options.
 * ERR_FAILED_VALIDATION then. OK: *ret is the data as JSON text in the order of the form's fields,
 * so that equal answers give equal texts.
 *
 * A pattern that does not compile is an error of the form, not of the visitor: it is logged and
 * ignored (forms are checked when they are written, but may be older than that check). Fields
 * beyond FORM_FIELDS_MAX, and duplicate names, are ignored.
 */
fiber_fn Err form_check(struct ctx *ctx, const struct json *fields, const struct json *data,
                        Str *ret);

/* The first of `names` that has a text, trimmed and at most `max` bytes; STR_NONE if there is
 * none. */
Str form_text(const struct json *data, const char *const *names, size_t max);
