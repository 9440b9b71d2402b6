/* Functions of regex.c for regex_cache.c. */
#pragma once

#include "base/text/regex.h"

enum { REGEX_FOLDS_TOO_MUCH = 1 }; /* in addition to pcre2's codes, which are from 100 or below 0 */

struct regex_fault {
    int code;
    size_t offset;
};

/* NULL and the fault when it does not compile. */
struct regex *regex_try_compile(Str pattern, unsigned flags, struct regex_fault *ret_fault);
Err regex_refuse(struct ctx *ctx, struct regex_fault fault);
size_t regex_size(const struct regex *regex); /* bytes */
