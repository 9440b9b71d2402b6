#include "base/text/multipart.h"

#include <assert.h>
#include <string.h>

enum { BOUNDARY_MAX = 70 };

static Str unquoted(Str text)
{
    if (text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"')
        return str_of(text.data + 1, text.len - 2);
    return text;
}

/* The parameter of a header: `form-data; name="a"; filename="b"`. STR_NONE: it has none. */
static Str parameter(Str header, Str name)
{
    Str part;
    for (bool is_first = true; str_next(&header, ';', &part); is_first = false) {
        Str text = str_trim(part);
        ptrdiff_t equals = str_find_char(text, '=');
        if (!is_first && equals > 0 && str_eq_nocase(str_of(text.data, (size_t)equals), name))
            return unquoted(str_slice(text, (size_t)equals + 1, text.len));
    }
    return STR_NONE;
}

bool multipart_begin(Str content_type, Str body, struct multipart *ret)
{
    Str kind = STR_NONE;
    Str rest = content_type;
    *ret = (struct multipart){.rest = body};
    if (!str_next(&rest, ';', &kind) || !str_eq_nocase(str_trim(kind), STR("multipart/form-data")))
        return false;
    ret->boundary = parameter(content_type, STR("boundary"));
    return ret->boundary.len > 0 && ret->boundary.len <= BOUNDARY_MAX;
}

/* Where a line with the boundary begins: its dashes. */
static const char *boundary_at(Str text, Str boundary)
{
    const char *end = text.data + text.len;
    for (const char *at = text.data; at < end;) {
        at = memmem(at, (size_t)(end - at), boundary.data, boundary.len);
        if (at == NULL)
            return NULL;
        bool is_line = at - text.data >= 2 && at[-1] == '-' && at[-2] == '-' &&
                       (at - text.data == 2 || at[-3] == '\n');
        if (is_line)
            return at - 2;
        at++;
    }
    return NULL;
}

/* Up to and without the line break; moves behind it. */
static bool take_line(Str *text, Str *ret)
{
    ptrdiff_t end = str_find_char(*text, '\n');
    if (end < 0)
        return false;
    *ret = str_trim(str_slice(*text, 0, (size_t)end));
    *text = str_slice(*text, (size_t)end + 1, text->len);
    return true;
}

static void take_header(Str line, struct multipart_part *part)
{
    ptrdiff_t colon = str_find_char(line, ':');
    if (colon < 0)
        return;
    Str name = str_slice(line, 0, (size_t)colon);
    Str value = str_trim(str_slice(line, (size_t)colon + 1, line.len));
    if (str_eq_nocase(name, STR("content-type")))
        part->content_type = value;
    if (!str_eq_nocase(name, STR("content-disposition")))
        return;
    part->name = parameter(value, STR("name"));
    part->file_name = parameter(value, STR("filename"));
}

bool multipart_next(struct multipart *m, struct multipart_part *ret)
{
    assert(m->boundary.len > 0);
    *ret = (struct multipart_part){0};
    if (m->rest.len == 0)
        return false;
    const char *start = boundary_at(m->rest, m->boundary);
    if (start == NULL)
        return false;
    size_t skipped = (size_t)(start - m->rest.data) + 2 + m->boundary.len;
    Str rest = str_slice(m->rest, skipped, m->rest.len);
    Str line;
    if (str_starts_with(rest, STR("--")) || !take_line(&rest, &line) || line.len > 0)
        return false; /* the end, or something else that begins like the boundary */
    while (take_line(&rest, &line) && line.len > 0)
        take_header(line, ret);
    const char *end = rest.len == 0 ? NULL : boundary_at(rest, m->boundary);
    if (end == NULL)
        return false;
    m->rest = str_slice(rest, (size_t)(end - rest.data), rest.len);
    ret->body = str_slice(rest, 0, (size_t)(end - rest.data));
    if (ret->body.len > 0 && ret->body.data[ret->body.len - 1] == '\n')
        ret->body.len--;
    if (ret->body.len > 0 && ret->body.data[ret->body.len - 1] == '\r')
        ret->body.len--;
    return true;
}
