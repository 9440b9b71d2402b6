/*
 * Dynamic variables: $NOW, $NOW(-1 year), $CURRENT_USER, $CURRENT_USER.role.name, $CURRENT_ROLE,
 * $CURRENT_ROLES, $CURRENT_POLICIES.
 */
#include "base/memory/array.h"
#include "content/filter/filter.h"

#include <math.h>

static const struct {
    Str name;
    double ms;
} UNITS[] = {
    {STR_INIT("years"), 31557600000.0},
    {STR_INIT("year"), 31557600000.0},
    {STR_INIT("yrs"), 31557600000.0},
    {STR_INIT("yr"), 31557600000.0},
    {STR_INIT("y"), 31557600000.0},
    {STR_INIT("months"), 2629800000.0},
    {STR_INIT("month"), 2629800000.0},
    {STR_INIT("mth"), 2629800000.0},
    {STR_INIT("mo"), 2629800000.0},
    {STR_INIT("weeks"), 604800000.0},
    {STR_INIT("week"), 604800000.0},
    {STR_INIT("w"), 604800000.0},
    {STR_INIT("days"), 86400000.0},
    {STR_INIT("day"), 86400000.0},
    {STR_INIT("d"), 86400000.0},
    {STR_INIT(""), 86400000.0},
    {STR_INIT("hours"), 3600000.0},
    {STR_INIT("hour"), 3600000.0},
    {STR_INIT("hrs"), 3600000.0},
    {STR_INIT("hr"), 3600000.0},
    {STR_INIT("h"), 3600000.0},
    {STR_INIT("minutes"), 60000.0},
    {STR_INIT("minute"), 60000.0},
    {STR_INIT("mins"), 60000.0},
    {STR_INIT("min"), 60000.0},
    {STR_INIT("m"), 60000.0},
    {STR_INIT("seconds"), 1000.0},
    {STR_INIT("second"), 1000.0},
    {STR_INIT("secs"), 1000.0},
    {STR_INIT("sec"), 1000.0},
    {STR_INIT("s"), 1000.0},
    {STR_INIT("milliseconds"), 1.0},
    {STR_INIT("millisecond"), 1.0},
    {STR_INIT("msecs"), 1.0},
    {STR_INIT("msec"), 1.0},
    {STR_INIT("ms"), 1.0},
};

/* Ten thousand years in either direction: the range of timestamps. */
#define SHIFT_MAX_MS 315576000000000.0

int64_t dynamic_shift_ms(Str text)
{
    ptrdiff_t open = str_find_char(text, '(');
    ptrdiff_t close = str_find_char(text, ')');
    if (open < 0 || close < open)
        return 0;
    Str shift = str_trim(str_slice(text, (size_t)open + 1, (size_t)close));
    size_t digits = 0;
    while (digits < shift.len && strchr("+-0123456789.", shift.data[digits]) != NULL)
        digits++;
    Str number = str_slice(shift, str_starts_with(shift, STR("+")) ? 1 : 0, digits);
    double amount;
    if (!str_to_double(number, &amount))
        return 0;
    Str unit = str_trim(str_slice(shift, digits, shift.len));
    for (size_t i = 0; i < COUNT_OF(UNITS); i++) {
        double ms = amount * UNITS[i].ms;
        if (str_eq_nocase(unit, UNITS[i].name) && fabs(ms) <= SHIFT_MAX_MS)
            return (int64_t)ms;
    }
    return 0;
}

enum dynamic_kind dynamic_kind(Str text)
{
    if (text.len < 4 || text.data[0] != '$')
        return DYNAMIC_NONE;
    if (str_starts_with(text, STR("$NOW")))
        return DYNAMIC_NOW;
    if (str_starts_with(text, STR("$CURRENT_USER.")))
        return DYNAMIC_USER_FIELD;
    if (str_starts_with(text, STR("$CURRENT_ROLE.")))
        return DYNAMIC_ROLE_FIELD;
    if (str_eq(text, STR("$CURRENT_USER")))
        return DYNAMIC_USER;
    if (str_eq(text, STR("$CURRENT_ROLES")))
        return DYNAMIC_ROLES;
    if (str_eq(text, STR("$CURRENT_ROLE")))
        return DYNAMIC_ROLE;
    if (str_eq(text, STR("$CURRENT_POLICIES")))
        return DYNAMIC_POLICIES;
    return DYNAMIC_NONE;
}
