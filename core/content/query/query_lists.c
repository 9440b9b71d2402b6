/*
 * Names and numbers in the values of parameters.
 */
#include "base/memory/array.h"
#include "base/text/ascii.h"
#include "content/query/query_input.h"

#include <assert.h>
#include <math.h>

enum { LIST_FIRST = 8 };

/* The name before the next comma outside parentheses. */
static bool next_name(Str *rest, Str *ret)
{
    if (rest->data == NULL)
        return false;
    int open = 0;
    for (size_t i = 0; i < rest->len; i++) {
        char c = rest->data[i];
        open += (c == '(') - (c == ')');
        if (c == ',' && open <= 0) {
            *ret = str_trim(str_slice(*rest, 0, i));
            *rest = str_slice(*rest, i + 1, rest->len);
            return true;
        }
    }
    *ret = str_trim(*rest);
    *rest = STR_NONE;
    return true;
}

Err query_list_push(struct ctx *ctx, struct query_list *list, const char *name, Str item)
{
    assert(list->count <= QUERY_LIST_MAX);
    if (list->count == QUERY_LIST_MAX)
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must contain less than or equal to %d items",
                    name, QUERY_LIST_MAX);
    ARRAY_GROW_IN(ctx->arena, list->items, list->count, list->capacity, LIST_FIRST);
    list->items[list->count++] = item;
    return OK;
}

static Err list_add(struct ctx *ctx, struct query_list *list, struct query_input input, Str csv)
{
    assert(input.name != NULL && list->count <= QUERY_LIST_MAX);
    Str item;
    while (next_name(&csv, &item)) {
        if (item.len == 0 && input.blanks == BLANKS_REFUSED)
            return fail(ctx, ERR_INVALID_QUERY, "\"%s[%u]\" is not allowed to be empty", input.name,
                        list->count);
        if (item.len > 0 || input.blanks == BLANKS_KEPT)
            TRY(query_list_push(ctx, list, input.name, item));
    }
    return OK;
}

Err query_split(struct ctx *ctx, Str csv, const Str **ret, uint32_t *ret_count)
{
    struct query_list list = {0};
    TRY(list_add(ctx, &list, (struct query_input){.name = "fields"}, csv));
    assert(list.count <= QUERY_LIST_MAX);
    *ret = list.items;
    *ret_count = list.count;
    return OK;
}

/* A CSV text, or a list of texts, each of which may be CSV. */
Err query_take_list(struct ctx *ctx, struct query_input input, struct query_list *ret)
{
    const struct filter_value *value = input.value;
    assert(value != NULL);
    if (value->kind == FILTER_NULL)
        return OK;
    if (value->kind == FILTER_TEXT && value->text.len == 0 && input.blanks != BLANKS_KEPT)
        return OK;
    if (value->kind == FILTER_TEXT)
        return list_add(ctx, ret, input, value->text);
    if (value->kind != FILTER_LIST)
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be a string or array", input.name);
    for (uint32_t i = 0; i < value->count; i++) {
        if (value->items[i].kind != FILTER_TEXT)
            return fail(ctx, ERR_INVALID_QUERY, "\"%s[%u]\" must be a string", input.name, i);
        TRY(list_add(ctx, ret, input, value->items[i].text));
    }
    return OK;
}

/* Names before dots, but not inside a function's parentheses. */
static uint32_t path_depth(Str path)
{
    uint32_t depth = 1;
    int open = 0;
    for (size_t i = 0; i < path.len; i++) {
        char c = path.data[i];
        open += (c == '(') - (c == ')');
        depth += c == '.' && open <= 0;
    }
    return depth;
}

Err query_take_paths(struct ctx *ctx, struct query_input input, struct query_list *ret)
{
    input.blanks = BLANKS_REFUSED;
    TRY(query_take_list(ctx, input, ret));
    for (uint32_t i = 0; i < ret->count; i++)
        if (path_depth(ret->items[i]) > QUERY_DEPTH_MAX)
            return fail(ctx, ERR_INVALID_QUERY, "Max relational depth exceeded");
    return OK;
}

/* "0x1f" */
static bool hexadecimal(Str text, double *ret)
{
    enum { DIGITS_MAX = 15 };
    if (text.len < 3 || text.len > 2 + DIGITS_MAX || text.data[0] != '0' ||
        (text.data[1] | 0x20) != 'x')
        return false;
    *ret = 0;
    for (size_t i = 2; i < text.len; i++) {
        int digit = ascii_hex_value(text.data[i]);
        if (digit < 0)
            return false;
        *ret = *ret * 16 + digit;
    }
    return true;
}

/* What JavaScript's Number() makes of it; also of a list of one. */
static bool number_of(const struct filter_value *value, double *ret)
{
    if (value->kind == FILTER_LIST && value->count == 1)
        value = &value->items[0];
    if (value->kind == FILTER_BOOL)
        *ret = str_eq(value->text, STR("true"));
    if (value->kind == FILTER_BOOL)
        return true;
    if (value->kind != FILTER_TEXT && value->kind != FILTER_NUMBER)
        return false;
    Str text = str_trim(value->text);
    *ret = 0;
    return text.len == 0 || hexadecimal(text, ret) || str_to_double(text, ret);
}

static bool is_infinity(const struct filter_value *value)
{
    Str text = value->kind == FILTER_TEXT ? str_trim(value->text) : STR_NONE;
    return str_eq(text, STR("Infinity")) || str_eq(text, STR("-Infinity"));
}

#define SAFE_INTEGER_MAX 9007199254740991.0 /* 2^53 - 1 */

Err query_take_integer(struct ctx *ctx, struct query_input input, int64_t min, int64_t max,
                       int64_t *ret)
{
    assert(min <= max);
    double value;
    if (is_infinity(input.value))
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" cannot be infinity", input.name);
    if (!number_of(input.value, &value) || !isfinite(value))
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be a number", input.name);
    if (fabs(value) > SAFE_INTEGER_MAX)
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be a safe number", input.name);
    if (value != floor(value))
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be an integer", input.name);
    if (value < (double)min)
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be greater than or equal to %jd",
                    input.name, (intmax_t)min);
    if (value > (double)max)
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be less than or equal to %jd", input.name,
                    (intmax_t)max);
    *ret = (int64_t)value;
    assert(*ret >= min && *ret <= max);
    return OK;
}
