/*
 * Regular expressions: pcre2, made safe for a fiber's small stack and for the event loop.
 *
 * Compiling recurses with the pattern, so it runs on the deep stack (deep.h), after a cost
 * estimate. There is no JIT: its compiler needs up to 160 KB of stack and 20 ms where interpreting
 * an ordinary form takes microseconds, and match limits are less precise in it. A match is
 * abandoned after 100,000 backtracking steps, 4 million scanned characters, 50,000 levels or 8 MiB
 * of backtracking, or 20 to 40 ms of time (counter regex_limit_hits). Compiled patterns are
 * immutable and may be shared between threads.
 */
#pragma once

#include "base/system/err.h"
#include "base/text/str.h"

struct regex;

enum regex_flags {
    REGEX_NOCASE = 1, /* case-insensitive, beyond ASCII too */
    REGEX_WHOLE = 2,  /* must match the whole subject, not a part */
};

enum { REGEX_PATTERN_MAX = 4096 };
/* For external patterns: limited in bytes, at most 20 nested groups, UTF-8. A pattern that does not
 * compile is ERR_FAILED_VALIDATION with the offset. Free with regex_free. */
Err regex_compile(struct ctx *ctx, Str pattern, unsigned flags, struct regex **ret);
void regex_free(struct regex *regex);

/*
 * The same from this thread's cache: the most recently used patterns, at most REGEX_KEPT_MAX and
 * REGEX_KEPT_BYTES in total. Patterns that do not compile are cached as well. The cache owns *ret;
 * it is valid until the next regex_find of this thread: match without waiting.
 */
enum { REGEX_KEPT_MAX = 256, REGEX_KEPT_BYTES = 4 * 1024 * 1024 };
Err regex_find(struct ctx *ctx, Str pattern, unsigned flags, const struct regex **ret);

/* A constant pattern; aborts if it does not compile. Never freed. */
struct regex *regex_must_compile(const char *pattern);

struct regex_match {
    Str groups[8];
    uint32_t count;
};
/* Group 0 is the whole match; a group that did not take part is STR_NONE; groups after the eighth
 * are not returned. Views into the subject. Also false for a subject that is not UTF-8 and when a
 * limit was reached (counter regex_limit_hits). */
bool regex_match(const struct regex *regex, Str subject, struct regex_match *ret /* may be NULL */);
