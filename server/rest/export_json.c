/* JSON as JSON.stringify(rows, null, '\t') prints it. */
#include "base/json/json_writer.h"
#include "server/rest/export.h"

static void put_quoted(struct buf *out, Str text)
{
    buf_put_char(out, '"');
    json_escape(out, text);
    buf_put_char(out, '"');
}

static void put_line(struct rest_export *to, uint32_t depth)
{
    buf_put_char(to->out, '\n');
    for (uint32_t i = 0; i < depth; i++)
        buf_put_char(to->out, '\t');
}

/* Comma, line and name before a child of the level. */
static void lead(struct rest_export *to, const struct export_level *parent, uint32_t depth)
{
    if (parent->count > 0)
        buf_put_char(to->out, ',');
    put_line(to, depth);
    if (parent->is_object) {
        put_quoted(to->out, parent->name);
        buf_put(to->out, STR(": "));
    }
}

static void begin(struct rest_export *to, bool is_list)
{
    (void)to;
    (void)is_list;
}

static void open(struct rest_export *to, bool is_object)
{
    if (to->depth > 1)
        lead(to, &to->levels[to->depth - 2], to->depth - 1);
    buf_put_char(to->out, is_object ? '{' : '[');
}

static void close(struct rest_export *to)
{
    const struct export_level *level = export_top(to);
    if (level->count > 0)
        put_line(to, to->depth - 1);
    buf_put_char(to->out, level->is_object ? '}' : ']');
}

static void scalar(struct rest_export *to, enum export_scalar kind, Str text)
{
    if (to->depth > 0)
        lead(to, export_top(to), to->depth);
    if (kind == SCALAR_TEXT)
        put_quoted(to->out, text);
    else
        buf_put(to->out, text);
}

static void end(struct rest_export *to)
{
    (void)to;
}

const struct export_format EXPORT_FORMAT_JSON = {begin, open, close, scalar, end};
