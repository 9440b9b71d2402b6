#include "base/memory/array.h"
#include "base/text/ascii.h"
#include "factory/svg/internal.h"

#include <stdlib.h>

struct element {
    Str name;
    bool holds_text;
};

static const struct element ELEMENTS[] = {
#define SVG_ELEMENT(name, holds_text) {STR_INIT(name), holds_text},
#include "factory/svg/svg_names.def"
#undef SVG_ELEMENT
};

static const Str ATTRIBUTES[] = {
#define SVG_ATTRIBUTE(name) STR_INIT(name),
#include "factory/svg/svg_names.def"
#undef SVG_ATTRIBUTE
};

static const Str PROPERTIES[] = {
#define SVG_PROPERTY(name) STR_INIT(name),
#include "factory/svg/svg_names.def"
#undef SVG_PROPERTY
};

static int compare(const void *key, const void *element)
{
    return str_cmp(*(const Str *)key, *(const Str *)element);
}

static bool is_listed(Str name, const Str *list, size_t count)
{
    return bsearch(&name, list, count, sizeof *list, compare) != NULL;
}

/* Works because the name is the first member of the struct. */
static const struct element *find_element(Str name)
{
    return bsearch(&name, ELEMENTS, COUNT_OF(ELEMENTS), sizeof ELEMENTS[0], compare);
}

bool svg_allows_element(Str name)
{
    return find_element(name) != NULL;
}

bool svg_holds_text(Str element)
{
    const struct element *found = find_element(element);
    return found != NULL && found->holds_text;
}

static bool is_property(Str name)
{
    return is_listed(name, PROPERTIES, COUNT_OF(PROPERTIES));
}

bool svg_allows_attribute(Str name)
{
    return is_property(name) || is_listed(name, ATTRIBUTES, COUNT_OF(ATTRIBUTES));
}

/* Values */

static Str skip_space(Str s)
{
    size_t at = 0;
    while (at < s.len && (unsigned char)s.data[at] <= ' ')
        at++;
    return str_slice(s, at, s.len);
}

static bool starts_with_nocase(Str s, Str prefix)
{
    return s.len >= prefix.len && str_eq_nocase(str_slice(s, 0, prefix.len), prefix);
}

static bool contains_nocase(Str s, Str part)
{
    for (size_t i = 0; i + part.len <= s.len; i++)
        if (starts_with_nocase(str_slice(s, i, s.len), part))
            return true;
    return false;
}

/* Allows only url(#name); any other url fetches something. */
static bool urls_stay_inside(Str value)
{
    for (size_t i = 0; i < value.len; i++) {
        Str rest = str_slice(value, i, value.len);
        if (!starts_with_nocase(rest, STR("url")))
            continue;
        rest = skip_space(str_slice(rest, 3, rest.len));
        if (rest.len == 0 || rest.data[0] != '(')
            continue;
        rest = skip_space(str_slice(rest, 1, rest.len));
        if (rest.len > 0 && (rest.data[0] == '"' || rest.data[0] == '\''))
            rest = skip_space(str_slice(rest, 1, rest.len));
        if (rest.len == 0 || rest.data[0] != '#')
            return false;
    }
    return true;
}

/* Backslashes and comments could hide "url(" from this check but not from a browser. */
static bool is_plain_css(Str value, const char **ret_why)
{
    static const Str FETCHING[] = {
        STR_INIT("image("), STR_INIT("image-set("), STR_INIT("cross-fade("),
        STR_INIT("src("),   STR_INIT("element("),   STR_INIT("expression("),
        STR_INIT("attr("),  STR_INIT("var("),       STR_INIT("javascript:")};
    *ret_why = "may not have backslashes, comments or @ rules";
    if (str_find_char(value, '\\') >= 0 || str_find_char(value, '@') >= 0 ||
        str_find(value, STR("/*")) >= 0)
        return false;
    *ret_why = "refers to something outside of the picture";
    for (size_t i = 0; i < COUNT_OF(FETCHING); i++)
        if (contains_nocase(value, FETCHING[i]))
            return false;
    return urls_stay_inside(value);
}

/* Allows only properties that are allowed as attributes, so nothing can move the picture over the
 * page. */
static bool is_plain_style(Str value, const char **ret_why)
{
    if (!is_plain_css(value, ret_why))
        return false;
    *ret_why = "has a property that pictures may not have";
    for (Str rest = value; rest.len > 0;) {
        ptrdiff_t end = str_find_char(rest, ';');
        Str declaration = end < 0 ? rest : str_slice(rest, 0, (size_t)end);
        rest = end < 0 ? STR_NONE : str_slice(rest, (size_t)end + 1, rest.len);
        ptrdiff_t colon = str_find_char(declaration, ':');
        Str name = str_trim(colon < 0 ? declaration : str_slice(declaration, 0, (size_t)colon));
        if (name.len > 0 && !is_property(name))
            return false;
    }
    return true;
}

static bool is_base64(Str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!ascii_is_alnum(c) && c != '+' && c != '/' && c != '=' && (unsigned char)c > ' ')
            return false;
    }
    return true;
}

static bool is_image_data(Str value)
{
    static const Str TYPES[] = {
        STR_INIT("data:image/png;base64,"), STR_INIT("data:image/jpeg;base64,"),
        STR_INIT("data:image/gif;base64,"), STR_INIT("data:image/webp;base64,")};
    for (size_t i = 0; i < COUNT_OF(TYPES); i++)
        if (str_starts_with(value, TYPES[i]))
            return is_base64(str_slice(value, TYPES[i].len, value.len));
    return false;
}

static bool is_inner_reference(Str element, Str value, const char **ret_why)
{
    *ret_why = "refers to something outside of the picture";
    if (str_starts_with(value, STR("#")))
        return true;
    return str_eq(element, STR("image")) && is_image_data(value);
}

bool svg_allows_value(Str element, Str name, Str value, const char **ret_why)
{
    static const Str WORDS[] = {STR_INIT("aria-label"), STR_INIT("aria-labelledby"),
                                STR_INIT("class"), STR_INIT("id")};
    for (size_t i = 0; i < COUNT_OF(WORDS); i++)
        if (str_eq(name, WORDS[i]))
            return true;
    if (str_eq(name, STR("href")))
        return is_inner_reference(element, value, ret_why);
    if (str_eq(name, STR("style")))
        return is_plain_style(value, ret_why);
    return is_plain_css(value, ret_why);
}
