#include "cli/table.h"

#include "base/buf.h"
#include "base/json_writer.h"

#include <stdio.h>

enum { OUTPUT_MAX = 64 << 20, WIDTH_MAX = 60 };

/* "2026-01-02 03:04:05.678+00" → "2026-01-02T03:04:05.678Z": a session of ours is in UTC. */
static void put_time(struct buf *out, Str value)
{
    size_t zone = value.len > 3 ? value.len - 3 : 0;
    buf_put(out, str_slice(value, 0, 10));
    buf_put_char(out, 'T');
    buf_put(out, str_slice(value, 11, zone));
    buf_put_char(out, 'Z');
}

static bool is_utc(Str value)
{
    return value.len > 14 && value.data[10] == ' ' && str_ends_with(value, STR("+00"));
}

static void write_value(struct buf *out, struct json_writer *w, const struct table_column *column,
                        Str value)
{
    (void)out;
    if (value.data == NULL) {
        json_field_null(w, column->name);
        return;
    }
    switch (column->kind) {
    case TABLE_NUMBER:
    case TABLE_JSON:
        json_field_raw(w, column->name, value);
        return;
    case TABLE_TIME:
        if (is_utc(value)) {
            struct buf *text = buf_in_arena(w->arena, 64);
            put_time(text, value);
            json_field_str(w, column->name, buf_str(text));
            return;
        }
        break;
    case TABLE_TEXT:
        break;
    }
    json_field_str(w, column->name, value);
}
