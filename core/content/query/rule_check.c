#include "base/system/ctx.h"
#include "base/text/regex.h"
#include "content/query/query.h"

Str rule_pattern(Str text, unsigned *ret_flags)
{
    bool ignores_case = str_ends_with(text, STR("/i"));
    *ret_flags = 0;
    if (text.len <= 2 || text.data[0] != '/' || !(ignores_case || str_ends_with(text, STR("/"))))
        return text;
    *ret_flags = ignores_case ? REGEX_NOCASE : 0;
    return str_slice(text, 1, text.len - (ignores_case ? 2 : 1));
}

static fiber_fn Err check_pattern(struct ctx *ctx, const struct json *value)
{
    if (json_kind(value) != JSON_STRING || dynamic_kind(json_str(value)) != DYNAMIC_NONE)
        return OK;
    unsigned flags;
    Str pattern = rule_pattern(json_str(value), &flags);
    const struct regex *regex;
    TRY(regex_find(ctx, pattern, flags, &regex));
    return fiber_breathe(ctx);
}

/* As deep as JSON may be (JSON_DEPTH_MAX). */
fiber_fn Err rule_check(struct ctx *ctx, const struct json *rule)
{
    if (json_kind(rule) == JSON_ARRAY)
        for (uint32_t i = 0; i < json_len(rule); i++)
            TRY(rule_check(ctx, json_at(rule, i)));
    if (json_kind(rule) != JSON_OBJECT)
        return OK;
    for (struct json_iter it = json_iter(rule); json_next(&it);)
        TRY(str_eq(it.key, STR("_regex")) ? check_pattern(ctx, it.value)
                                          : rule_check(ctx, it.value));
    return OK;
}

fiber_fn Err rule_text_check(struct ctx *ctx, Str text)
{
    const struct json *rule;
    struct diag before = ctx->diag;
    if (json_parse(ctx, text, JSON_LIMITS_DEFAULT, &rule) == OK)
        return rule_check(ctx, rule);
    ctx->diag = before;
    return OK;
}
