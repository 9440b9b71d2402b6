/*
 * XML: an element for each member, one for each element of a list under the list's name, <data> for
 * rows and around them.
 */
#include "base/text/ascii.h"
#include "server/rest/export.h"

#include <assert.h>

static bool is_name_char(char c, bool is_first)
{
    bool is_letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
    return is_letter || (!is_first && (ascii_is_digit(c) || c == '-' || c == '.'));
}

/* What a name may not hold becomes "_"; Directus refuses such rows. */
static void put_name(struct buf *out, Str name)
{
    if (name.len == 0)
        buf_put_char(out, '_');
    for (size_t i = 0; i < name.len; i++)
        buf_put_char(out, is_name_char(name.data[i], i == 0) ? name.data[i] : '_');
}

static void put_text(struct buf *out, Str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool ends_section =
            c == '>' && i >= 2 && text.data[i - 1] == ']' && text.data[i - 2] == ']';
        if (c == '&')
            buf_put(out, STR("&amp;"));
        else if (c == '<')
            buf_put(out, STR("&lt;"));
        else if (ends_section)
            buf_put(out, STR("&gt;"));
        else if (c == '\r')
            buf_put(out, STR("&#xD;"));
        else if ((unsigned char)c < ' ' && c != '\n' && c != '\t')
            buf_put(out, STR("\xEF\xBF\xBD")); /* XML 1.0 has no place for it */
        else
            buf_put_char(out, c);
    }
}

/* A list has no element of its own but at the root. */
static bool is_element(const struct rest_export *to, uint32_t index)
{
    return index == 0 || (index < EXPORT_DEPTH_MAX && to->levels[index].is_object);
}

static void put_line(struct rest_export *to, uint32_t indent)
{
    buf_put_char(to->out, '\n');
    for (uint32_t i = 0; i < indent; i++)
        buf_put(to->out, STR("    "));
}

/* Before a child: ends the start tag of the element around it, and starts a line. */
static uint32_t lead(struct rest_export *to, uint32_t depth)
{
    uint32_t around = 0;
    for (uint32_t i = 0; i < depth; i++) {
        struct export_level *level = &to->levels[i];
        if (!is_element(to, i))
            continue;
        around++;
        if (level->indent == 0)
            buf_put_char(to->out, '>');
        level->indent = 1; /* its start tag is complete */
    }
    if (depth > 0)
        put_line(to, around);
    return around;
}

static void begin(struct rest_export *to, bool is_list)
{
    (void)is_list;
    buf_put(to->out, STR("<?xml version='1.0'?>\n"));
}

static void open(struct rest_export *to, bool is_object)
{
    struct export_level *level = export_top(to);
    if (to->depth == 1 || (to->depth == 2 && !to->levels[0].is_object))
        level->own = STR("data");
    if (!is_object && to->depth > 1)
        return;
    lead(to, to->depth - 1);
    buf_put_char(to->out, '<');
    put_name(to->out, level->own);
}

static void put_end(struct rest_export *to, Str name)
{
    buf_put(to->out, STR("</"));
    put_name(to->out, name);
    buf_put_char(to->out, '>');
}

static void close(struct rest_export *to)
{
    assert(to->depth > 0);
    struct export_level *level = export_top(to);
    uint32_t index = to->depth - 1;
    if (!is_element(to, index))
        return;
    if (level->indent == 0) {
        buf_put(to->out, STR("/>"));
        return;
    }
    uint32_t around = 0;
    for (uint32_t i = 0; i < index; i++)
        around += is_element(to, i);
    put_line(to, around);
    put_end(to, level->own);
}

static void scalar(struct rest_export *to, enum export_scalar kind, Str text)
{
    bool is_row = to->depth == 0 || (to->depth == 1 && !to->levels[0].is_object);
    const struct export_level *top = export_top(to);
    Str name = is_row ? STR("data") : top->is_object ? top->name : top->own;
    (void)kind;
    lead(to, to->depth);
    buf_put_char(to->out, '<');
    put_name(to->out, name);
    if (text.len == 0) {
        buf_put(to->out, STR("/>"));
        return;
    }
    buf_put_char(to->out, '>');
    put_text(to->out, text);
    put_end(to, name);
}

static void end(struct rest_export *to)
{
    (void)to;
}

const struct export_format EXPORT_FORMAT_XML = {begin, open, close, scalar, end};
