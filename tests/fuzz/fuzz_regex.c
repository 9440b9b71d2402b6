/*
 * Any pattern against any subject, divided by the first line break: refused with a sentence, or
 * compiled within the deep stack and matched within its limits, the same from the cache.
 */
#include "base/system/ctx.h"
#include "base/text/regex.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct ctx *ctx, Str pattern, unsigned flags, Str subject)
{
    struct regex *regex;
    const struct regex *kept;
    Err err = regex_compile(ctx, pattern, flags, &regex);
    assert(err == OK || (err == ERR_FAILED_VALIDATION && ctx->diag.count > 0));
    diag_clear(ctx);
    assert(regex_find(ctx, pattern, flags, &kept) == err);
    diag_clear(ctx);
    if (err != OK)
        return;
    struct regex_match match;
    if (regex_match(regex, subject, &match)) {
        assert(match.count > 0 && match.count <= sizeof match.groups / sizeof match.groups[0]);
        (void)regex_match(kept, subject, NULL);
    }
    regex_free(regex);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx ctx = {.arena = arena_create()};
    Str subject = str_of((const char *)data, size);
    Str pattern;
    if (str_next(&subject, '\n', &pattern)) {
        unsigned flags = pattern.len > 0 ? (unsigned char)pattern.data[pattern.len - 1] & 3 : 0;
        check(&ctx, pattern, flags, subject);
    }
    arena_destroy(ctx.arena);
    return 0;
}
