/*
 * Values of rows as JSON and as text. Only this file formats dates and times.
 */
#include "content/plan/row_value.h"

#include "base/json/json_writer.h"
#include "base/memory/arena.h"
#include "base/system/clock.h"

#include <assert.h>

/* The quoted text of a real number, a bigint, a UUID or a timestamp. */
enum { SCALAR_ROOM = 64 };

/* The length of the ISO text for each kind. */
static const size_t ISO_LEN[] = {
    [ROW_DATE] = sizeof "2024-02-29" - 1,
    [ROW_DATE_TIME] = sizeof "2024-02-29T10:20:30" - 1,
    [ROW_TIMESTAMP] = CLOCK_ISO_LEN,
};

static void put_quoted(struct buf *out, Str text)
{
    buf_put_char(out, '"');
    json_escape(out, text);
    buf_put_char(out, '"');
}

static void put_uuid(struct buf *out, Uuid uuid)
{
    char *to = buf_reserve(out, UUID_TEXT_LEN + 2);
    if (to == NULL)
        return;
    to[0] = '"';
    uuid_write(uuid, to + 1);
    to[UUID_TEXT_LEN + 1] = '"';
    buf_advance(out, UUID_TEXT_LEN + 2);
}

/* The first `len` characters of the ISO form. */
static void put_iso(struct buf *out, int64_t wall_us, size_t len)
{
    assert(len <= CLOCK_ISO_LEN);
    char *to = buf_reserve(out, CLOCK_ISO_LEN + 2);
    if (to == NULL)
        return;
    to[0] = '"';
    clock_write_iso(wall_us, to + 1);
    to[len + 1] = '"';
    buf_advance(out, len + 2);
}

/* With as many digits of the second's fraction as it takes, as PostgreSQL prints it. */
static void put_time_of_day(struct buf *out, int64_t time_us)
{
    assert(time_us >= 0);
    int64_t seconds = time_us / SECOND_US;
    int fraction = (int)(time_us % SECOND_US);
    int digits = fraction == 0 ? 0 : 6;
    buf_printf(out, "\"%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
               (int)(seconds % 60));
    for (; digits > 0 && fraction % 10 == 0; digits--)
        fraction /= 10;
    if (digits > 0)
        buf_printf(out, ".%0*d", digits, fraction);
    buf_put_char(out, '"');
}

/* The type json preserves whitespace; it is removed on the wire. */
static void put_compact(struct buf *out, Str json)
{
    assert(json.data != NULL);
    size_t start = 0;
    bool in_string = false;
    for (size_t i = 0; i < json.len; i++) {
        char ch = json.data[i];
        if (in_string && ch == '\\') {
            i++;
        } else if (ch == '"') {
            in_string = !in_string;
        } else if (!in_string && (ch == ' ' || ch == '\n' || ch == '\t' || ch == '\r')) {
            buf_put(out, str_slice(json, start, i));
            start = i + 1;
        }
    }
    buf_put(out, str_slice(json, start, json.len));
}

static void put_list(struct buf *out, Str rest)
{
    buf_put_char(out, '[');
    Str part;
    if (rest.len == 0)
        rest = STR_NONE; /* the empty text is the empty list */
    for (bool is_first = true; str_next(&rest, ',', &part); is_first = false) {
        if (!is_first)
            buf_put_char(out, ',');
        put_quoted(out, part);
    }
    buf_put_char(out, ']');
}

static void put_real(struct buf *out, double value)
{
    struct json_writer w = json_writer(out);
    json_put_real(&w, value);
}

static void put_big_int(struct buf *out, int64_t value)
{
    buf_put_char(out, '"');
    buf_put_i64(out, value);
    buf_put_char(out, '"');
}

void row_value_json(struct buf *out, const struct row_value *value)
{
    switch (value->kind) {
    case ROW_NULL:
        buf_put(out, STR("null"));
        return;
    case ROW_BOOL:
        buf_put(out, value->boolean ? STR("true") : STR("false"));
        return;
    case ROW_INT:
        buf_put_i64(out, value->integer);
        return;
    case ROW_BIG_INT:
        put_big_int(out, value->integer);
        return;
    case ROW_REAL:
        put_real(out, value->real);
        return;
    case ROW_NUMBER:
        buf_put(out, value->text);
        return;
    case ROW_TEXT:
        put_quoted(out, value->text);
        return;
    case ROW_UUID:
        put_uuid(out, value->uuid);
        return;
    case ROW_DATE:
    case ROW_DATE_TIME:
    case ROW_TIMESTAMP:
        put_iso(out, value->time_us, ISO_LEN[value->kind]);
        return;
    case ROW_TIME:
        put_time_of_day(out, value->time_us);
        return;
    case ROW_JSON:
        put_compact(out, value->text);
        return;
    case ROW_CSV:
        put_list(out, value->text);
        return;
    }
}

static Str json_of(struct arena *arena, const struct row_value *value, size_t room)
{
    struct buf *out = buf_in_arena(arena, room);
    row_value_json(out, value);
    assert(!out->is_full);
    return buf_str(out);
}

static Str unquoted(Str json)
{
    assert(json.len > 0);
    return json.data[0] == '"' ? str_slice(json, 1, json.len - 1) : json;
}

Str row_value_text(struct arena *arena, const struct row_value *value)
{
    switch (value->kind) {
    case ROW_NULL:
        return STR_NONE;
    case ROW_NUMBER:
    case ROW_TEXT:
    case ROW_CSV:
        return value->text;
    case ROW_JSON:
        return json_of(arena, value, value->text.len);
    default:
        return unquoted(json_of(arena, value, SCALAR_ROOM));
    }
}
