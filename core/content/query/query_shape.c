#include "base/memory/array.h"
#include "base/text/percent.h"
#include "content/query/query.h"
#include "content/query/query_qs.h"

#include <assert.h>

/* Query strings with control characters get no shape, so the markers are unambiguous. */
#define MARK_VALUE '\x01'
#define MARK_JSON_END '\x02'

enum { TEXT_MAX = 4096 };

struct shaper {
    struct arena *arena;
    char *text;
    size_t len;
    size_t room;
    Str *values;
    uint32_t count;
    bool is_unusable; /* the query gets no shape */
};

static bool is_comparison(Str name)
{
    if (name.len == 0 || name.data[0] != '_')
        return false;
    const struct filter_operator *op = filter_operator_find(name);
    return op != NULL && op->meaning == MEANS_COMPARE;
}

static bool has_control(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] < ' ')
            return true;
    return false;
}

/* Null and variables change the query; a value that is not text is left to the compiler. */
static bool is_plain(Str value)
{
    return value.len > 0 && value.len <= SHAPE_VALUE_LEN_MAX && value.data[0] != '$' &&
           !str_eq(value, STR("null")) && !str_eq(value, STR("NULL")) && !has_control(value) &&
           str_is_utf8(value);
}

static void put(struct shaper *shaper, Str s)
{
    assert(s.len <= shaper->room - shaper->len);
    if (s.len > 0)
        memcpy(shaper->text + shaper->len, s.data, s.len);
    shaper->len += s.len;
}

static void put_char(struct shaper *shaper, char c)
{
    assert(shaper->len < shaper->room);
    shaper->text[shaper->len++] = c;
}

static void take(struct shaper *shaper, Str value)
{
    assert(shaper->count <= SHAPE_VALUES_MAX);
    if (shaper->count == SHAPE_VALUES_MAX) {
        shaper->is_unusable = true;
        return;
    }
    shaper->values[shaper->count++] = value;
    put_char(shaper, MARK_VALUE);
}

/* "filter[a][_eq]" and "filter%5Ba%5D%5B_eq%5D" → "_eq"; else STR_NONE. */
static Str comparison_of(Str name)
{
    static const Str OPEN[] = {STR_INIT("["), STR_INIT("%5B"), STR_INIT("%5b")};
    static const Str CLOSE[] = {STR_INIT("]"), STR_INIT("%5D"), STR_INIT("%5d")};
    static_assert(COUNT_OF(OPEN) == COUNT_OF(CLOSE), "brackets come in pairs");
    if (!str_starts_with(name, STR("filter")))
        return STR_NONE;
    for (size_t i = 0; i < 3; i++) {
        Str rest = str_slice(name, 6, name.len);
        if (!str_starts_with(rest, OPEN[i]) || !str_ends_with(rest, CLOSE[i]))
            continue;
        rest = str_slice(rest, 0, rest.len - CLOSE[i].len);
        ptrdiff_t at;
        while ((at = str_find(rest, OPEN[i])) >= 0)
            rest = str_slice(rest, (size_t)at + OPEN[i].len, rest.len);
        return rest;
    }
    return STR_NONE;
}

/* The end of the string that begins at `start`, after its closing quote; 0: unterminated. */
static size_t string_end(Str json, size_t start, bool *ret_has_escape)
{
    assert(start > 0 && start <= json.len); /* behind the quote that opens it */
    *ret_has_escape = false;
    for (size_t i = start; i < json.len; i++) {
        if (json.data[i] == '"')
            return i;
        if (json.data[i] == '\\') {
            *ret_has_escape = true;
            i++;
        }
    }
    return 0;
}

static bool is_key(Str json, size_t after)
{
    while (after < json.len && json.data[after] == ' ')
        after++;
    return after < json.len && json.data[after] == ':';
}

/* Copies JSON, replacing each text that follows a comparison's name with a marker. Invalid JSON is
 * copied unchanged: no cached plan matches it. */
static void put_json(struct shaper *shaper, Str json)
{
    Str key = STR_NONE;
    for (size_t i = 0; i < json.len; i++) {
        char c = json.data[i];
        put_char(shaper, c);
        if (c == '[' || c == '{' || c == ',')
            key = STR_NONE;
        if (c != '"')
            continue;
        bool has_escape;
        size_t end = string_end(json, i + 1, &has_escape);
        if (end == 0) {
            shaper->is_unusable = true;
            return;
        }
        assert(end > i && end < json.len);
        Str string = str_slice(json, i + 1, end);
        bool is_value = !is_key(json, end + 1);
        if (is_value && !has_escape && is_comparison(key) && is_plain(string))
            take(shaper, string);
        else
            put(shaper, string);
        put_char(shaper, '"');
        key = is_value ? STR_NONE : string;
        i = end;
    }
    put_char(shaper, MARK_JSON_END);
}

static void put_parameter(struct shaper *shaper, Str part)
{
    ptrdiff_t equals = str_find_char(part, '=');
    Str name = equals < 0 ? part : str_slice(part, 0, (size_t)equals);
    Str raw = equals < 0 ? STR_NONE : str_slice(part, (size_t)equals + 1, part.len);
    put(shaper, name);
    put_char(shaper, equals < 0 ? '&' : '=');
    if (equals < 0)
        return;
    bool is_filter = str_eq(name, STR("filter"));
    if (!is_filter && !is_comparison(comparison_of(name))) {
        put(shaper, raw);
        put_char(shaper, '&');
        return;
    }
    Str value = percent_decode(shaper->arena, raw, PERCENT_PLUS_IS_SPACE);
    shaper->is_unusable |= has_control(value);
    if (is_filter)
        put_json(shaper, value);
    else if (is_plain(value))
        take(shaper, value);
    else
        put(shaper, raw);
    put_char(shaper, '&');
}

struct query_shape query_shape(struct arena *arena, Str query_string)
{
    struct query_shape none = {.text = STR_NONE};
    if (query_string.len == 0 || query_string.len > TEXT_MAX ||
        str_find(query_string, STR("filter")) < 0 || has_control(query_string))
        return none;
    /* A marker is shorter than its value, except for the two that end a parameter. */
    struct shaper shaper = {.arena = arena, .room = query_string.len * 2 + 8};
    shaper.text = arena_alloc_raw(arena, shaper.room);
    shaper.values = arena_alloc_raw(arena, sizeof(Str) * SHAPE_VALUES_MAX);
    Str part;
    while (!shaper.is_unusable && str_next(&query_string, '&', &part))
        put_parameter(&shaper, part);
    if (shaper.is_unusable || shaper.count == 0)
        return none;
    return (struct query_shape){str_of(shaper.text, shaper.len), shaper.values, shaper.count};
}
