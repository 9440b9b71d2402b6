/*
 * Regular expressions: pcre2 with match and depth limits and a JIT stack of its own, so that
 * matching is safe on a fiber's small stack. Compiled ones are immutable and may be shared.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct regex;

/* For patterns from outside: at most 4096 bytes, 20 groups inside each other, UTF-8. One that does
 * not compile is ERR_FAILED_VALIDATION with the offset. regex_free ends it. */
Err regex_compile(struct ctx *ctx, Str pattern, bool ignore_case, struct regex **ret);
void regex_free(struct regex *regex);

/* A pattern of our own; aborts if it does not compile. Process lifetime. */
struct regex *regex_must_compile(const char *pattern);

struct regex_match {
    Str groups[8];
    uint32_t count;
};
/* Group 0 is the whole match; one that took no part is STR_NONE; those after the eighth are not
 * told. Views into the subject. False also for a subject that is not UTF-8 and when a limit was hit
 * (counter regex_limit_hits). */
bool regex_match(const struct regex *regex, Str subject, struct regex_match *ret /* may be NULL */);
