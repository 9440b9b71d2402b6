#include "base/memory/array.h"
#include "content/filter/filter.h"

#include <assert.h>

static const char *const NAMES[] = {
    [FUNCTION_NONE] = "",       [FUNCTION_YEAR] = "year",     [FUNCTION_MONTH] = "month",
    [FUNCTION_WEEK] = "week",   [FUNCTION_DAY] = "day",       [FUNCTION_WEEKDAY] = "weekday",
    [FUNCTION_HOUR] = "hour",   [FUNCTION_MINUTE] = "minute", [FUNCTION_SECOND] = "second",
    [FUNCTION_COUNT] = "count", [FUNCTION_JSON] = "json",     [FUNCTION_UNKNOWN] = "",
};

const char *function_name(enum function function)
{
    assert((size_t)function < COUNT_OF(NAMES));
    return NAMES[function];
}

enum function function_split(Str text, Str *ret_argument)
{
    ptrdiff_t open = str_find_char(text, '(');
    if (open <= 0 || !str_ends_with(text, STR(")")))
        return FUNCTION_NONE;
    Str name = str_slice(text, 0, (size_t)open);
    *ret_argument = str_trim(str_slice(text, (size_t)open + 1, text.len - 1));
    for (int i = FUNCTION_YEAR; i < FUNCTION_UNKNOWN; i++) {
        if (str_eq(name, str_from_z(NAMES[i])))
            return (enum function)i;
    }
    return FUNCTION_UNKNOWN;
}
