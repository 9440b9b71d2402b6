/* YAML as js-yaml dumps it: blocks, two spaces for each level, lists indented below their name. */
#include "server/rest/export.h"

enum { STEP = 2 };

static void put_spaces(struct buf *out, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        buf_put_char(out, ' ');
}

/* Name or dash of one more child of the level at `index`. */
static void lead(struct rest_export *to, uint32_t index)
{
    const struct export_level *level = &to->levels[index];
    bool is_beside = level->count == 0 && (index == 0 || !to->levels[index - 1].is_object);
    if (level->count == 0 && !is_beside)
        buf_put_char(to->out, '\n'); /* after the name */
    if (!is_beside)
        put_spaces(to->out, level->indent);
    if (level->is_object) {
        yaml_put_text(to->out, level->name, level->indent, true);
        buf_put_char(to->out, ':');
    } else {
        buf_put(to->out, STR("- "));
    }
}

static void begin(struct rest_export *to, bool is_list)
{
    (void)to;
    (void)is_list;
}

static void open(struct rest_export *to, bool is_object)
{
    (void)is_object;
    if (to->depth < 2)
        return;
    lead(to, to->depth - 2);
    export_top(to)->indent = to->levels[to->depth - 2].indent + STEP;
}

static void close(struct rest_export *to)
{
    const struct export_level *level = export_top(to);
    if (level->count > 0)
        return;
    bool is_named = to->depth > 1 && to->levels[to->depth - 2].is_object;
    if (is_named)
        buf_put_char(to->out, ' ');
    buf_put(to->out, level->is_object ? STR("{}\n") : STR("[]\n"));
}

/* 1e-10 is a number to readers only as 1.e-10. */
static void put_bare(struct buf *out, Str text)
{
    ptrdiff_t exponent = str_find_char(text, 'e');
    bool is_whole =
        exponent > 0 && text.data[0] != 't' && text.data[0] != 'f' && str_find_char(text, '.') < 0;
    if (!is_whole) {
        buf_put(out, text);
        return;
    }
    buf_put(out, str_slice(text, 0, (size_t)exponent));
    buf_put_char(out, '.');
    buf_put(out, str_slice(text, (size_t)exponent, text.len));
}

static void scalar(struct rest_export *to, enum export_scalar kind, Str text)
{
    const struct export_level *level = export_top(to);
    if (level != NULL) {
        lead(to, to->depth - 1);
        if (level->is_object)
            buf_put_char(to->out, ' ');
    }
    if (kind == SCALAR_TEXT)
        yaml_put_text(to->out, text, (level == NULL ? 0 : level->indent) + STEP, false);
    else
        put_bare(to->out, text);
    buf_put_char(to->out, '\n');
}

static void end(struct rest_export *to)
{
    (void)to;
}

const struct export_format EXPORT_FORMAT_YAML = {begin, open, close, scalar, end};
