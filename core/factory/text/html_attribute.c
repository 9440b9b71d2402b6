#include "factory/text/text.h"

#include <assert.h>

static size_t skip_spaces(Str s, size_t at)
{
    while (at < s.len && html_is_space(s.data[at]))
        at++;
    return at;
}

/* The value at `at`, after "=" and white space; *ret_end is the position after it. */
static Str take_value(Str s, size_t at, size_t *ret_end)
{
    if (at < s.len && (s.data[at] == '"' || s.data[at] == '\'')) {
        Str rest = str_slice(s, at + 1, s.len);
        ptrdiff_t close = str_find_char(rest, s.data[at]);
        size_t len = close < 0 ? rest.len : (size_t)close;
        *ret_end = at + 1 + len + (close < 0 ? 0 : 1);
        return str_slice(rest, 0, len);
    }
    size_t end = at;
    while (end < s.len && !html_is_space(s.data[end]) && s.data[end] != '>')
        end++;
    *ret_end = end;
    return str_slice(s, at, end);
}

static size_t name_end(Str s, size_t at)
{
    size_t end = at + 1; /* a name may start with "=" */
    while (end < s.len && !html_is_space(s.data[end]) && s.data[end] != '/' && s.data[end] != '>' &&
           s.data[end] != '=')
        end++;
    return end;
}

bool html_attribute(Str tag, Str name, Str *ret)
{
    assert(tag.len > 1 && tag.data[0] == '<');
    size_t at = 1;
    while (at < tag.len && !html_is_space(tag.data[at]) && tag.data[at] != '/' &&
           tag.data[at] != '>')
        at++;
    for (;;) {
        while (at < tag.len && (html_is_space(tag.data[at]) || tag.data[at] == '/'))
            at++;
        if (at >= tag.len || tag.data[at] == '>')
            return false;
        size_t end = name_end(tag, at);
        Str found = str_slice(tag, at, end);
        Str value = STR("");
        at = skip_spaces(tag, end);
        if (at < tag.len && tag.data[at] == '=')
            value = take_value(tag, skip_spaces(tag, at + 1), &at);
        if (str_eq_nocase(found, name)) {
            *ret = value;
            return true;
        }
    }
}
