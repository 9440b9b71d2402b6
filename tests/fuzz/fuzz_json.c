/*
 * What json_parse accepts must be written back and read again as the same text.
 */
#include "base/json/json.h"
#include "base/json/json_writer.h"
#include "base/system/ctx.h"

#include <assert.h>

static void check_round_trip(struct ctx *ctx, const struct json *json)
{
    const struct json *again;
    Str text = json_text(ctx->arena, json);
    assert(str_is_utf8(text));
    assert(json_parse(ctx, text, JSON_LIMITS_DEFAULT, &again) == OK);
    assert(str_eq(json_text(ctx->arena, again), text));
}

/* Any bytes at all must come out as one valid JSON string. */
static void check_escape(struct ctx *ctx, Str bytes)
{
    struct json_writer w = json_writer(buf_in_arena(ctx->arena, 8 * bytes.len + 2));
    json_put_str(&w, bytes);
    assert(buf_check(ctx, w.out, "the string") == OK);
    const struct json *json;
    bool has_nul = str_find_char(bytes, '\0') >= 0;
    Err err = json_parse(ctx, buf_str(w.out), JSON_LIMITS_DEFAULT, &json);
    assert(err == (has_nul ? ERR_INVALID_JSON : OK));
    if (err == OK && str_is_utf8(bytes))
        assert(str_eq(json_str(json), bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx ctx = {.arena = arena_create()};
    Str text = str_of((const char *)data, size);
    const struct json *json;
    if (json_parse(&ctx, text, JSON_LIMITS_DEFAULT, &json) == OK)
        check_round_trip(&ctx, json);
    else
        assert(diag_message(&ctx, ctx.diag.first).len > 0);
    check_escape(&ctx, text);
    arena_destroy(ctx.arena);
    return 0;
}
