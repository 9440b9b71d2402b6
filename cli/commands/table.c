#include "cli/commands/table.h"

#include "base/json/json_writer.h"
#include "base/system/range.h"

#include <stdio.h>

enum { OUTPUT_MAX = 64 << 20, COLUMNS_MAX = 32, WIDTH_MAX = 80 };

static void write_object(struct json_writer *w, const struct sync_rows *rows, uint32_t row,
                         const struct table_column *columns)
{
    json_object_begin(w);
    for (uint32_t c = 0; c < rows->columns; c++) {
        Str value = sync_rows_get(rows, row, c);
        if (value.data == NULL)
            json_field_null(w, columns[c].name);
        else if (columns[c].is_raw)
            json_field_raw(w, columns[c].name, value);
        else
            json_field_str(w, columns[c].name, value);
    }
    json_object_end(w);
}

/* A value for one line: truncated, without control characters. */
static Str cell(const struct sync_rows *rows, uint32_t row, uint32_t column)
{
    Str value = str_cut(sync_rows_get(rows, row, column), WIDTH_MAX);
    ptrdiff_t end = str_find_char(value, '\n');
    return end >= 0 ? str_slice(value, 0, (size_t)end) : value;
}

static void put_padded(struct buf *out, Str value, size_t width)
{
    buf_put(out, value);
    for (size_t i = str_count_codepoints(value); i < width + 2; i++)
        buf_put_char(out, ' ');
}

/* The last column is not padded. */
static void put_row(struct buf *out, const Str *cells, const size_t *widths, uint32_t columns)
{
    for (uint32_t c = 0; c + 1 < columns; c++)
        put_padded(out, cells[c], widths[c]);
    buf_put(out, cells[columns - 1]);
    buf_put_char(out, '\n');
}

static void write_lines(struct buf *out, const struct sync_rows *rows,
                        const struct table_column *columns)
{
    size_t widths[COLUMNS_MAX];
    Str cells[COLUMNS_MAX];
    for (uint32_t c = 0; c < rows->columns; c++) {
        cells[c] = str_from_z(columns[c].name);
        widths[c] = cells[c].len;
        for (uint32_t r = 0; r < rows->count; r++) {
            size_t width = str_count_codepoints(cell(rows, r, c));
            widths[c] = max_size(width, widths[c]);
        }
    }
    put_row(out, cells, widths, rows->columns);
    for (uint32_t r = 0; r < rows->count; r++) {
        for (uint32_t c = 0; c < rows->columns; c++)
            cells[c] = cell(rows, r, c);
        put_row(out, cells, widths, rows->columns);
    }
}

void table_write(struct buf *out, const struct sync_rows *rows, const struct table_column *columns,
                 bool is_json)
{
    if (rows->columns > COLUMNS_MAX || rows->columns == 0)
        return;
    if (!is_json) {
        write_lines(out, rows, columns);
        return;
    }
    struct json_writer w = json_writer(out);
    json_array_begin(&w);
    for (uint32_t r = 0; r < rows->count; r++)
        write_object(&w, rows, r, columns);
    json_array_end(&w);
    buf_put_char(out, '\n');
}

void table_print(struct cli *cli, const struct sync_rows *rows, const struct table_column *columns,
                 bool is_json, const char *nothing)
{
    if (rows->count == 0 && !is_json) {
        printf("%s\n", nothing);
        return;
    }
    struct buf *out = buf_in_arena(cli->ctx.arena, OUTPUT_MAX);
    table_write(out, rows, columns, is_json);
    printf("%.*s", STR_FMT(buf_str(out)));
}

void table_print_one(struct cli *cli, const struct sync_rows *rows,
                     const struct table_column *columns, bool is_json)
{
    struct buf *out = buf_in_arena(cli->ctx.arena, OUTPUT_MAX);
    if (is_json) {
        struct json_writer w = json_writer(out);
        write_object(&w, rows, 0, columns);
        printf("%.*s\n", STR_FMT(buf_str(out)));
        return;
    }
    for (uint32_t c = 0; c < rows->columns; c++) {
        Str value = sync_rows_get(rows, 0, c);
        if (value.data != NULL)
            printf("%-14s %.*s\n", columns[c].name, STR_FMT(value));
    }
}
