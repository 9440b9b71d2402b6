#include "base/system/ctx.h"
#include "base/text/regex.h"
#include "content/filter/filter_eval.h"

Str rule_pattern(Str text, unsigned *ret_flags)
{
    bool ignores_case = str_ends_with(text, STR("/i"));
    *ret_flags = 0;
    if (text.len <= 2 || text.data[0] != '/' || !(ignores_case || str_ends_with(text, STR("/"))))
        return text;
    *ret_flags = ignores_case ? REGEX_NOCASE : 0;
    return str_slice(text, 1, text.len - (ignores_case ? 2 : 1));
}

static fiber_fn Err check_pattern(struct ctx *ctx, Str text)
{
    unsigned flags;
    const struct regex *regex;
    Str pattern = rule_pattern(text, &flags);
    TRY(regex_find(ctx, pattern, flags, &regex));
    return fiber_breathe(ctx);
}

/* Recursion is limited by JSON_DEPTH_MAX. */
static fiber_fn Err check_value(struct ctx *ctx, const struct filter_value *value)
{
    for (uint32_t i = 0; value->kind == FILTER_LIST && i < value->count; i++)
        TRY(check_value(ctx, &value->items[i]));
    if (value->kind != FILTER_MEMBERS)
        return OK;
    for (const struct filter *member = value->first; member != NULL; member = member->next) {
        bool is_pattern = member->op == filter_operator(OPERATOR_REGEX);
        bool is_plain =
            member->value->kind == FILTER_TEXT && member->value->dynamic == DYNAMIC_NONE;
        if (!is_pattern)
            TRY(check_value(ctx, member->value));
        else if (is_plain)
            TRY(check_pattern(ctx, member->value->text));
    }
    return OK;
}

fiber_fn Err rule_check(struct ctx *ctx, const struct json *rule)
{
    const struct filter_value *value;
    TRY(filter_read(ctx, ctx->arena, rule, &value));
    return check_value(ctx, value);
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
