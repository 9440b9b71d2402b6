/*
 * Any form and any data for it, {"fields": …, "data": …}: refused with faults, or written down; and
 * what was written down is taken again, word for word.
 */
#include "base/memory/arena.h"
#include "visitors/forms/form_fields.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct ctx *ctx, const struct json *both)
{
    const struct json *fields = json_get(both, STR("fields"));
    const struct json *again;
    Str first;
    Str second;
    Err err = form_check(ctx, fields, json_get(both, STR("data")), &first);
    assert(err == OK || err == ERR_FAILED_VALIDATION || err == ERR_TOO_LARGE);
    assert((err == ERR_FAILED_VALIDATION) <= (ctx->diag.count > 0));
    if (err != OK)
        return;
    bool is_json = json_parse(ctx, first, JSON_LIMITS_DEFAULT, &again) == OK;
    assert(is_json && json_kind(again) == JSON_OBJECT);
    err = form_check(ctx, fields, again, &second);
    assert(err == OK && str_eq(first, second));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx ctx = {.arena = arena_create()};
    const struct json *both;
    if (json_parse(&ctx, str_of((const char *)data, size), JSON_LIMITS_DEFAULT, &both) == OK)
        check(&ctx, both);
    arena_destroy(ctx.arena);
    return 0;
}
