#include "content/filter/filter_compare.h"

#include "base/crypto/uuid.h"
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "base/text/utf8.h"

#include <assert.h>

#define DAY_US (86400 * SECOND_US)

static int64_t floor_div(int64_t a, int64_t b)
{
    assert(b > 0);
    return a / b - (a % b < 0);
}

static int sign(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static bool order_numbers(Str a, Str b, int *ret)
{
    int64_t i;
    int64_t j;
    double x;
    double y;
    if (str_to_i64(a, &i) && str_to_i64(b, &j)) {
        *ret = sign(i, j);
        return true;
    }
    if (!str_to_double(a, &x) || !str_to_double(b, &y))
        return false;
    *ret = (x > y) - (x < y);
    return true;
}

/* "08:20" → that time on an arbitrary day. */
static bool parse_time(Str text, int64_t *ret_us)
{
    char iso[CLOCK_ISO_LEN * 2] = "2000-01-01T";
    size_t len = strlen(iso);
    if (text.len < 5 || text.len > CLOCK_ISO_LEN)
        return false;
    memcpy(iso + len, text.data, text.len);
    len += text.len;
    if (text.len == 5) {
        memcpy(iso + len, ":00", 3);
        len += 3;
    }
    return clock_parse_iso(str_of(iso, len), ret_us);
}

static bool parse_moment(enum field_type type, Str text, int64_t *ret_us)
{
    if (type == FIELD_TIME)
        return parse_time(text, ret_us);
    if (!clock_parse_iso(text, ret_us))
        return false;
    if (type == FIELD_DATE)
        *ret_us = floor_div(*ret_us, DAY_US) * DAY_US;
    return true;
}

static bool order_moments(enum field_type type, Str a, Str b, int *ret)
{
    int64_t t;
    int64_t u;
    if (!parse_moment(type, a, &t) || !parse_moment(type, b, &u))
        return false;
    *ret = sign(t, u);
    return true;
}

static bool truth_of(Str text, int *ret)
{
    *ret = str_eq(text, STR("true")) || str_eq(text, STR("1"));
    return *ret == 1 || str_eq(text, STR("false")) || str_eq(text, STR("0"));
}

static int order_loosely(Str a, Str b)
{
    int order;
    if (order_numbers(a, b, &order) || order_moments(FIELD_TIMESTAMP, a, b, &order))
        return order;
    return sign(str_cmp(a, b), 0);
}

int filter_order(enum field_type type, Str a, Str b)
{
    int order;
    int x;
    int y;
    Uuid u;
    Uuid v;
    switch (type) {
    case FIELD_INTEGER:
    case FIELD_BIG_INTEGER:
    case FIELD_FLOAT:
    case FIELD_DECIMAL:
        return order_numbers(str_trim(a), str_trim(b), &order) ? order : order_loosely(a, b);
    case FIELD_DATE:
    case FIELD_DATE_TIME:
    case FIELD_TIME:
    case FIELD_TIMESTAMP:
        return order_moments(type, str_trim(a), str_trim(b), &order) ? order : order_loosely(a, b);
    case FIELD_BOOLEAN:
        return truth_of(a, &x) && truth_of(b, &y) ? sign(x, y) : order_loosely(a, b);
    case FIELD_UUID:
        if (uuid_parse(a, &u) && uuid_parse(b, &v))
            return sign(memcmp(&u, &v, sizeof u), 0);
        return order_loosely(a, b);
    default:
        return order_loosely(a, b);
    }
}

bool filter_equal(enum field_type type, Str a, Str b)
{
    switch (type) {
    case FIELD_STRING:
    case FIELD_TEXT:
    case FIELD_CSV:
    case FIELD_BINARY:
        return str_eq(a, b);
    default:
        return filter_order(type, a, b) == 0;
    }
}

/* The position of the last %, for backtracking. */
struct like {
    Str text;
    Str pattern;
    size_t at;
    size_t in_pattern;
    size_t retry_at;
    size_t retry_in_pattern;
    bool has_retry;
};

static bool like_step(struct like *like)
{
    assert(like->at < like->text.len && like->in_pattern < like->pattern.len);
    char c = like->pattern.data[like->in_pattern];
    if (c == '_') {
        const unsigned char *at = (const unsigned char *)like->text.data + like->at;
        size_t step = utf8_step(at, like->text.len - like->at);
        like->at += step == 0 ? 1 : step;
    } else if (c == like->text.data[like->at]) {
        like->at++;
    } else {
        return false;
    }
    like->in_pattern++;
    return true;
}

static bool like_matches(Str text, Str pattern)
{
    struct like like = {.text = text, .pattern = pattern};
    while (like.at < text.len) {
        bool has_more = like.in_pattern < pattern.len;
        if (has_more && pattern.data[like.in_pattern] == '%') {
            like.retry_at = like.at;
            like.retry_in_pattern = ++like.in_pattern;
            like.has_retry = true;
        } else if (!has_more || !like_step(&like)) {
            if (!like.has_retry)
                return false;
            like.at = ++like.retry_at;
            like.in_pattern = like.retry_in_pattern;
        }
    }
    while (like.in_pattern < pattern.len && pattern.data[like.in_pattern] == '%')
        like.in_pattern++;
    return like.in_pattern == pattern.len;
}

bool filter_like(struct arena *arena, const char *detail, bool is_plain, Str text, Str part)
{
    assert(detail[0] != '\0');
    bool before = detail[0] == '%';
    bool after = detail[strlen(detail) - 1] == '%';
    assert(before || after);
    if (is_plain && before && after)
        return str_find(text, part) >= 0;
    if (is_plain)
        return before ? str_ends_with(text, part) : str_starts_with(text, part);
    ArenaMark mark = arena_mark(arena);
    Str pattern = str_printf(arena, "%s%.*s%s", before ? "%" : "", STR_FMT(part), after ? "%" : "");
    bool matches = like_matches(text, pattern);
    arena_rewind(arena, mark);
    return matches;
}

/* The ISO 8601 week number of a day is that of its Thursday. Day 0 was a Thursday. */
static int64_t week_of(struct arena *arena, int64_t day)
{
    int64_t thursday = floor_div(day + 3, 7) * 7;
    Str iso = clock_iso(arena, thursday * DAY_US);
    Str new_year = str_printf(arena, "%.*s-01-01", 4, iso.data);
    int64_t first_us = 0;
    bool is_date = clock_parse_iso(new_year, &first_us);
    assert(is_date);
    return (thursday - floor_div(first_us, DAY_US)) / 7 + 1;
}

static int64_t digits_of(Str iso, size_t from, size_t to)
{
    int64_t number = 0;
    bool is_number = str_to_i64(str_slice(iso, from, to), &number);
    assert(is_number);
    return number;
}

static int64_t part_of(struct arena *arena, enum function function, int64_t wall_us)
{
    static const struct {
        uint8_t from;
        uint8_t to;
    } PARTS[] = {
        [FUNCTION_YEAR] = {0, 4},   [FUNCTION_MONTH] = {5, 7},    [FUNCTION_DAY] = {8, 10},
        [FUNCTION_HOUR] = {11, 13}, [FUNCTION_MINUTE] = {14, 16},
    };
    int64_t day = floor_div(wall_us, DAY_US);
    if (function == FUNCTION_WEEK)
        return week_of(arena, day);
    if (function == FUNCTION_WEEKDAY)
        return (day + 4) - floor_div(day + 4, 7) * 7;
    assert((size_t)function < COUNT_OF(PARTS));
    return digits_of(clock_iso(arena, wall_us), PARTS[function].from, PARTS[function].to);
}

Str filter_part(struct arena *arena, enum function function, enum field_type type, Str text)
{
    assert(function != FUNCTION_NONE && function < FUNCTION_COUNT);
    int64_t wall_us;
    if (!parse_moment(type, str_trim(text), &wall_us))
        return text;
    if (function != FUNCTION_SECOND)
        return str_printf(arena, "%jd", (intmax_t)part_of(arena, function, wall_us));
    int64_t in_minute = wall_us - floor_div(wall_us, 60 * SECOND_US) * 60 * SECOND_US;
    return in_minute % SECOND_US == 0
               ? str_printf(arena, "%jd", (intmax_t)(in_minute / SECOND_US))
               : str_printf(arena, "%jd.%06jd", (intmax_t)(in_minute / SECOND_US),
                            (intmax_t)(in_minute % SECOND_US));
}
