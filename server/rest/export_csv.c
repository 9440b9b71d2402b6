/*
 * CSV: nested objects become columns with dotted names, lists are JSON text. The columns are those
 * of all rows, in order of first appearance, so the rows wait until the last one; then missing
 * cells are added.
 *
 * Cells that a spreadsheet would take for a formula are written as they are, as Directus does: the
 * file has the data, and nothing that reads it again would know what was added.
 */
#include "base/json/json_writer.h"
#include "base/memory/array.h"
#include "server/rest/export.h"

#include <assert.h>

enum { COLUMNS_MAX = 2000, NAME_MAX_LEN = 1024 };

struct export_csv {
    struct map *columns; /* name → number of the column, from 1 */
    Str *names;
    uint32_t count;
    Str *cells;              /* of the row that is being read, by column */
    uint32_t cell_count;     /* columns up to the last that it has */
    struct buf *rows;        /* finished rows, each with the number of its cells before it */
    struct json_writer json; /* of a list; its text is in `list` */
    struct buf *list;
    uint32_t list_depth; /* 0: not in a list */
};

static void begin(struct rest_export *to, bool is_list)
{
    (void)is_list;
    struct export_csv *csv = arena_new(to->ctx->arena, struct export_csv);
    csv->columns = map_in_arena(to->ctx->arena);
    csv->names = arena_array(to->ctx->arena, Str, COLUMNS_MAX);
    csv->cells = arena_array(to->ctx->arena, Str, COLUMNS_MAX);
    csv->rows = buf_in_arena(to->ctx->arena, to->out->max);
    csv->list = buf_in_arena(to->ctx->arena, to->out->max);
    to->csv = csv;
}

/* The dotted name of the value: of all objects around it below the row. */
static Str column_name(struct rest_export *to)
{
    uint32_t first = to->levels[0].is_object ? 0 : 1;
    struct buf *name = buf_in_arena(to->scratch, NAME_MAX_LEN);
    for (uint32_t i = first; i < to->depth; i++) {
        if (i > first)
            buf_put_char(name, '.');
        buf_put(name, to->levels[i].name);
    }
    return name->len == 0 ? STR("key") : buf_str(name); /* a row that is its bare key */
}

static void put_cell(struct rest_export *to, Str text)
{
    struct export_csv *csv = to->csv;
    Str name = column_name(to);
    uint32_t number = (uint32_t)(uintptr_t)map_get(csv->columns, name);
    if (number == 0 && csv->count == COLUMNS_MAX) {
        to->visitor.is_full = true;
        return;
    }
    if (number == 0) {
        number = ++csv->count;
        csv->names[number - 1] = str_dup(to->ctx->arena, name);
        map_put(csv->columns, csv->names[number - 1], (void *)(uintptr_t)number);
    }
    csv->cells[number - 1] = str_dup(to->scratch, text);
    if (number > csv->cell_count)
        csv->cell_count = number;
}

static void put_quoted(struct buf *out, Str text)
{
    buf_put_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"')
            buf_put_char(out, '"');
        buf_put_char(out, text.data[i]);
    }
    buf_put_char(out, '"');
}

static Str quoted(struct rest_export *to, Str text)
{
    struct buf *out = buf_in_arena(to->scratch, text.len * 2 + 2);
    put_quoted(out, text);
    return buf_str(out);
}

static void finish_row(struct rest_export *to)
{
    struct export_csv *csv = to->csv;
    uint32_t count = csv->cell_count;
    buf_put(csv->rows, str_of((const char *)&count, sizeof count));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t len = (uint32_t)csv->cells[i].len;
        buf_put(csv->rows, str_of((const char *)&len, sizeof len));
        buf_put(csv->rows, csv->cells[i]);
        csv->cells[i] = STR_NONE;
    }
    csv->cell_count = 0;
    to->visitor.is_full |= csv->rows->is_full;
    to->out->is_full |= csv->rows->is_full;
}

static bool is_row_level(const struct rest_export *to)
{
    return to->depth == (to->levels[0].is_object ? 1 : 2);
}

static void open(struct rest_export *to, bool is_object)
{
    struct export_csv *csv = to->csv;
    bool is_root_list = to->depth == 1 && !is_object;
    if (is_root_list || (is_object && csv->list_depth == 0))
        return;
    if (csv->list_depth == 0) {
        buf_clear(csv->list);
        csv->json = json_writer(csv->list);
    } else if (to->levels[to->depth - 2].is_object) {
        json_key(&csv->json, to->levels[to->depth - 2].name);
    }
    csv->list_depth++;
    if (is_object)
        json_object_begin(&csv->json);
    else
        json_array_begin(&csv->json);
}

/* The end of a list in a cell, of an object without members, or of a row. */
static void close(struct rest_export *to)
{
    struct export_csv *csv = to->csv;
    struct export_level level = *export_top(to);
    if (csv->list_depth > 0) {
        if (level.is_object)
            json_object_end(&csv->json);
        else
            json_array_end(&csv->json);
        if (--csv->list_depth == 0) {
            to->depth--; /* the list's column is named by what is around it */
            put_cell(to, quoted(to, buf_str(csv->list)));
            to->depth++;
        }
        return;
    }
    if (to->depth == 1 && !level.is_object)
        return;
    if (is_row_level(to)) {
        finish_row(to);
    } else if (level.count == 0) {
        to->depth--;
        put_cell(to, STR("\"{}\""));
        to->depth++;
    }
}

static void scalar(struct rest_export *to, enum export_scalar kind, Str text)
{
    struct export_csv *csv = to->csv;
    if (csv->list_depth > 0) {
        if (export_top(to)->is_object)
            json_key(&csv->json, export_top(to)->name);
        if (kind == SCALAR_TEXT)
            json_put_str(&csv->json, text);
        else
            json_put_raw(&csv->json, text);
        return;
    }
    put_cell(to, kind == SCALAR_NULL ? STR_NONE : kind == SCALAR_TEXT ? quoted(to, text) : text);
    bool is_bare_row = to->depth == 0 || (to->depth == 1 && !to->levels[0].is_object);
    if (is_bare_row)
        finish_row(to);
}

static uint32_t take_number(const char **from)
{
    uint32_t number;
    memcpy(&number, *from, sizeof number);
    *from += sizeof number;
    return number;
}

static void end(struct rest_export *to)
{
    struct export_csv *csv = to->csv;
    Str rows = buf_str(csv->rows);
    const char *from = rows.data;
    for (uint32_t i = 0; i < csv->count; i++) {
        if (i > 0)
            buf_put_char(to->out, ',');
        put_quoted(to->out, csv->names[i]);
    }
    while (from < rows.data + rows.len && !to->out->is_full) {
        uint32_t count = take_number(&from);
        buf_put_char(to->out, '\n');
        for (uint32_t i = 0; i < csv->count; i++) {
            uint32_t len = i < count ? take_number(&from) : 0;
            if (i > 0)
                buf_put_char(to->out, ',');
            buf_put(to->out, str_of(from, len));
            from += len;
        }
    }
}

const struct export_format EXPORT_FORMAT_CSV = {begin, open, close, scalar, end};
