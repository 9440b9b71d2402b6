/*
 * The small parsers of core/base: times, ids, numbers, base64url. What they
 * accept they write again and accept again.
 */
#include "base/crypto/crypto.h"
#include "base/system/clock.h"
#include "base/system/ctx.h"

#include <assert.h>

static void check_time(struct arena *arena, Str text)
{
    int64_t us, again;
    if (!clock_parse_iso(text, &us))
        return;
    assert(clock_parse_iso(clock_iso(arena, us), &again));
    /* Years 0000 and 9999 can be left by a zone; the writer clamps those. */
    int64_t apart = us - again;
    assert((apart >= 0 && apart < MS_US) || again < -62167200000 * SECOND_US ||
           again > 253402200000 * SECOND_US);
}

static void check_uuid(struct arena *arena, Str text)
{
    Uuid uuid;
    if (uuid_parse(text, &uuid))
        assert(str_eq_nocase(uuid_text(arena, uuid), text));
}

static void check_numbers(struct arena *arena, Str text)
{
    int64_t i, again;
    double real;
    if (!str_to_i64(text, &i))
        return;
    assert(str_to_i64(str_printf(arena, "%lld", (long long)i), &again) && again == i);
    assert(text.len > 128 || str_to_double(text, &real));
}

static void check_base64url(struct arena *arena, Str text)
{
    Str decoded;
    if (base64url_decode(arena, text, &decoded))
        assert(str_eq(base64url(arena, decoded), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    Str text = str_of((const char *)data, size);
    check_time(arena, text);
    check_uuid(arena, text);
    check_numbers(arena, text);
    check_base64url(arena, text);
    arena_destroy(arena);
    return 0;
}
