/*
 * Regular expressions: pcre2, made safe for a fiber's small stack and for the loop behind it.
 *
 * Compiling recurses with the pattern, so it runs on the deep stack (deep.h), after a look at what
 * it could cost. There is no JIT: its compiler needs up to 160 KB of stack and 20 ms where
 * interpreting an ordinary form takes microseconds, and the limits of a match hold less well in it.
 * A match is given up after 100,000 steps back, 4 million characters walked over, 50,000 levels or
 * 8 MiB of backtracking, or 20 to 40 ms of time (counter regex_limit_hits).
 * Compiled ones are immutable and may be shared between threads.
 */
#pragma once

#include "base/system/err.h"
#include "base/text/str.h"

struct regex;

enum regex_flags {
    REGEX_NOCASE = 1, /* case is ignored, beyond ASCII too */
    REGEX_WHOLE = 2,  /* the subject as a whole must match, not a part of it */
};

enum { REGEX_PATTERN_MAX = 4096 };
/* For patterns from outside: at most so many bytes, 20 groups inside each other, UTF-8. One that
 * does not compile is ERR_FAILED_VALIDATION with the offset. regex_free ends it. */
Err regex_compile(struct ctx *ctx, Str pattern, unsigned flags, struct regex **ret);
void regex_free(struct regex *regex);

/*
 * The same from what this thread keeps compiled: the patterns used last, at most
 * REGEX_KEPT_MAX of them and REGEX_KEPT_BYTES together. What does not compile is kept too, as such.
 * *ret is the cache's and good until the next regex_find of this thread: match, do not wait.
 */
enum { REGEX_KEPT_MAX = 256, REGEX_KEPT_BYTES = 4 * 1024 * 1024 };
Err regex_find(struct ctx *ctx, Str pattern, unsigned flags, const struct regex **ret);

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
