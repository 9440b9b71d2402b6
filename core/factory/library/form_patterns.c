#include "base/json/json.h"
#include "base/text/regex.h"
#include "factory/library/library.h"

static Str text_of(const struct json *object, Str key)
{
    const struct json *value = json_get(object, key);
    return json_kind(value) == JSON_STRING ? json_str(value) : STR_NONE;
}

static fiber_fn Err check_field(struct ctx *ctx, const struct json *field)
{
    Str pattern = text_of(field, STR("pattern"));
    const struct regex *regex;
    if (pattern.len == 0)
        return OK;
    if (regex_find(ctx, pattern, REGEX_WHOLE, &regex) != OK) {
        Str reason = ctx->diag.last->reason;
        diag_clear(ctx);
        return fail(ctx, ERR_FAILED_VALIDATION, "The pattern of \"%.*s\": %.*s",
                    STR_FMT(str_cut(text_of(field, STR("name")), 255)), STR_FMT(reason));
    }
    return fiber_breathe(ctx);
}

fiber_fn Err form_patterns_check(struct ctx *ctx, Str text)
{
    const struct json *fields;
    struct diag before = ctx->diag;
    if (json_parse(ctx, text, JSON_LIMITS_DEFAULT, &fields) != OK) {
        ctx->diag = before; /* the column's type check rejects it */
        return OK;
    }
    uint32_t count = json_kind(fields) == JSON_ARRAY ? json_len(fields) : 0;
    for (uint32_t i = 0; i < count; i++)
        TRY(check_field(ctx, json_at(fields, i)));
    return OK;
}
