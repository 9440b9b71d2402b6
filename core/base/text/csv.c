#include "base/text/csv.h"

#include "base/system/range.h"

#include <assert.h>
#include <string.h>

/* The end of the cell that begins with a quote: the quote that closes it, or the end of the text.
 */
static size_t closing_quote(Str text, char separator)
{
    assert(text.len > 0 && text.data[0] == '"');
    for (size_t at = 1; at < text.len; at++) {
        if (text.data[at] != '"')
            continue;
        if (at + 1 < text.len && text.data[at + 1] == '"') {
            at++;
            continue;
        }
        Str after = str_slice(text, at + 1, text.len);
        if (after.len == 0 || after.data[0] == separator || after.data[0] == '\n' ||
            str_starts_with(after, STR("\r\n")))
            return at;
    }
    return text.len;
}

static char find_separator(Str text)
{
    static const char KNOWN[] = {',', '\t', '|', ';'};
    size_t counts[sizeof KNOWN] = {0};
    for (size_t at = 0; at < text.len && text.data[at] != '\n'; at++) {
        if (text.data[at] == '"')
            at += min_size(closing_quote(str_slice(text, at, text.len), ','), text.len - at - 1);
        const char *known = memchr(KNOWN, text.data[at], sizeof KNOWN);
        if (known != NULL)
            counts[known - KNOWN]++;
    }
    size_t best = 0;
    for (size_t i = 1; i < sizeof KNOWN; i++)
        if (counts[i] > counts[best])
            best = i;
    return KNOWN[best];
}

struct csv csv_begin(Str text)
{
    static const Str MARK = STR_INIT("\xef\xbb\xbf");
    if (str_starts_with(text, MARK))
        text = str_slice(text, MARK.len, text.len);
    Str first = str_slice(text, 0, CSV_ROW_MAX);
    return (struct csv){.rest = text, .separator = find_separator(first)};
}

/* Two quotes are one. */
static Str unquote(struct arena *arena, Str inner)
{
    if (str_find_char(inner, '"') < 0)
        return inner;
    char *out = arena_alloc_raw(arena, inner.len);
    size_t len = 0;
    for (size_t at = 0; at < inner.len; at++) {
        out[len++] = inner.data[at];
        if (inner.data[at] == '"' && at + 1 < inner.len && inner.data[at + 1] == '"')
            at++;
    }
    assert(len <= inner.len);
    return str_of(out, len);
}

static Str take_quoted(struct csv *csv, struct arena *arena)
{
    size_t end = closing_quote(csv->rest, csv->separator);
    Str inner = str_slice(csv->rest, 1, end);
    csv->rest = str_slice(csv->rest, min_size(end + 1, csv->rest.len), csv->rest.len);
    return unquote(arena, inner);
}

static Str take_plain(struct csv *csv)
{
    size_t end = 0;
    while (end < csv->rest.len && csv->rest.data[end] != csv->separator &&
           csv->rest.data[end] != '\n')
        end++;
    Str cell = str_slice(csv->rest, 0, end);
    bool is_last = end < csv->rest.len && csv->rest.data[end] == '\n';
    csv->rest = str_slice(csv->rest, end, csv->rest.len);
    if (is_last && cell.len > 0 && cell.data[cell.len - 1] == '\r')
        cell.len--;
    return cell;
}

static void read_row(struct csv *csv, struct arena *arena, Str *cells, uint32_t cells_max,
                     uint32_t *ret_count)
{
    assert(csv->rest.len > 0);
    for (;;) {
        bool is_quoted = csv->rest.len > 0 && csv->rest.data[0] == '"';
        Str cell = is_quoted ? take_quoted(csv, arena) : take_plain(csv);
        if (*ret_count < cells_max)
            cells[(*ret_count)++] = cell;
        bool has_more = csv->rest.len > 0 && csv->rest.data[0] == csv->separator;
        if (!has_more)
            break;
        csv->rest = str_slice(csv->rest, 1, csv->rest.len);
    }
    if (str_starts_with(csv->rest, STR("\r\n")))
        csv->rest = str_slice(csv->rest, 2, csv->rest.len);
    else if (csv->rest.len > 0)
        csv->rest = str_slice(csv->rest, 1, csv->rest.len);
}

bool csv_next(struct csv *csv, struct arena *arena, Str *cells, uint32_t cells_max,
              uint32_t *ret_count)
{
    assert(cells_max > 0);
    *ret_count = 0;
    Str whole = csv->rest;
    csv->rest = str_slice(whole, 0, CSV_ROW_MAX + 1);
    size_t seen = csv->rest.len;
    if (seen == 0)
        return false;
    read_row(csv, arena, cells, cells_max, ret_count);
    csv->is_too_long = csv->rest.len == 0 && seen < whole.len;
    csv->rest = csv->is_too_long ? STR_NONE : str_slice(whole, seen - csv->rest.len, whole.len);
    return !csv->is_too_long;
}
