#include "base/json/json_writer.h"

#include "base/system/clock.h"
#include "base/text/utf8.h"

#include <assert.h>
#include <endian.h>

struct json_writer json_writer(struct buf *out)
{
    return (struct json_writer){.out = out};
}

static void before_value(struct json_writer *w)
{
    if (w->needs_comma)
        buf_put_char(w->out, ',');
    w->needs_comma = true;
}

static void begin(struct json_writer *w, char bracket)
{
    assert(w->depth < UINT8_MAX);
    before_value(w);
    buf_put_char(w->out, bracket);
    w->needs_comma = false;
    w->depth++;
}

static void end(struct json_writer *w, char bracket)
{
    assert(w->depth > 0);
    buf_put_char(w->out, bracket);
    w->needs_comma = true;
    w->depth--;
}

void json_object_begin(struct json_writer *w)
{
    begin(w, '{');
}

void json_object_end(struct json_writer *w)
{
    end(w, '}');
}

void json_array_begin(struct json_writer *w)
{
    begin(w, '[');
}

void json_array_end(struct json_writer *w)
{
    end(w, ']');
}

void json_key(struct json_writer *w, Str key)
{
    json_put_str(w, key);
    buf_put_char(w->out, ':');
    w->needs_comma = false;
}

void json_put_str(struct json_writer *w, Str value)
{
    before_value(w);
    buf_put_char(w->out, '"');
    json_escape(w->out, value);
    buf_put_char(w->out, '"');
}

void json_put_int(struct json_writer *w, int64_t value)
{
    before_value(w);
    buf_put_i64(w->out, value);
}

void json_put_uint(struct json_writer *w, uint64_t value)
{
    before_value(w);
    buf_printf(w->out, "%ju", (uintmax_t)value);
}

void json_put_bool(struct json_writer *w, bool value)
{
    before_value(w);
    buf_put(w->out, value ? STR("true") : STR("false"));
}

void json_put_null(struct json_writer *w)
{
    before_value(w);
    buf_put(w->out, STR("null"));
}

void json_put_uuid(struct json_writer *w, Uuid value)
{
    before_value(w);
    char *out = buf_reserve(w->out, UUID_TEXT_LEN + 2);
    if (out == NULL)
        return;
    out[0] = '"';
    uuid_write(value, out + 1);
    out[UUID_TEXT_LEN + 1] = '"';
    buf_advance(w->out, UUID_TEXT_LEN + 2);
}

void json_put_time(struct json_writer *w, int64_t wall_us)
{
    before_value(w);
    char *out = buf_reserve(w->out, CLOCK_ISO_LEN + 2);
    if (out == NULL)
        return;
    out[0] = '"';
    clock_write_iso(wall_us, out + 1);
    out[CLOCK_ISO_LEN + 1] = '"';
    buf_advance(w->out, CLOCK_ISO_LEN + 2);
}

void json_put_raw(struct json_writer *w, Str json)
{
    before_value(w);
    buf_put(w->out, json);
}

void json_field_str(struct json_writer *w, const char *key, Str value)
{
    json_key(w, str_from_z(key));
    json_put_str(w, value);
}

void json_field_str_unless_empty(struct json_writer *w, const char *key, Str value)
{
    if (value.len > 0)
        json_field_str(w, key, value);
}

void json_field_int(struct json_writer *w, const char *key, int64_t value)
{
    json_key(w, str_from_z(key));
    json_put_int(w, value);
}

void json_field_bool(struct json_writer *w, const char *key, bool value)
{
    json_key(w, str_from_z(key));
    json_put_bool(w, value);
}

void json_field_null(struct json_writer *w, const char *key)
{
    json_key(w, str_from_z(key));
    json_put_null(w);
}

void json_field_uuid(struct json_writer *w, const char *key, Uuid value)
{
    json_key(w, str_from_z(key));
    json_put_uuid(w, value);
}

void json_field_raw(struct json_writer *w, const char *key, Str json)
{
    json_key(w, str_from_z(key));
    json_put_raw(w, json);
}

/* Sets the high bit of every byte of `word` that is below `bound` (≤ 0x80). Bytes above a hit may
 * be set too; the lowest one is exact. */
static uint64_t bytes_below(uint64_t word, uint8_t bound)
{
    return (word - UINT64_C(0x0101010101010101) * bound) & ~word & UTF8_HIGH_BITS;
}

static uint64_t bytes_equal(uint64_t word, uint8_t byte)
{
    return bytes_below(word ^ (UINT64_C(0x0101010101010101) * byte), 1);
}

/* How many of the eight bytes need no escaping, before the first that may need it. */
static size_t plain_of_8(const unsigned char *at)
{
    uint64_t word = le64toh(utf8_load8(at));
    uint64_t special = (word & UTF8_HIGH_BITS) | bytes_below(word, 0x20) | bytes_equal(word, '"') |
                       bytes_equal(word, '\\');
    return special == 0 ? 8 : (size_t)__builtin_ctzll(special) / 8;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static size_t plain_ascii(const unsigned char *data, size_t len)
{
    size_t at = 0;
    while (len - at >= 8) {
        size_t plain = plain_of_8(data + at);
        at += plain;
        if (plain < 8)
            return at;
    }
    while (at < len && is_plain(data[at]))
        at++;
    return at;
}

/* Length of the longest prefix that needs no escaping. */
static size_t plain_prefix(const unsigned char *data, size_t len)
{
    size_t at = 0;
    for (;;) {
        at += plain_ascii(data + at, len - at);
        if (at == len || data[at] < 0x80)
            return at;
        size_t step = utf8_step(data + at, len - at);
        if (step == 0)
            return at;
        at += step;
    }
}

static void put_escaped(struct buf *out, unsigned char c)
{
    static const char SHORT[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    static const char HEX[] = "0123456789abcdef";

    if (c == '"' || c == '\\')
        buf_put(out, str_of((const char[]){'\\', (char)c}, 2));
    else if (c >= 0x80)
        buf_put(out, STR("\xEF\xBF\xBD"));
    else if (c < sizeof(SHORT) && SHORT[c] != 0)
        buf_put(out, str_of((const char[]){'\\', SHORT[c]}, 2));
    else
        buf_put(out, str_of((const char[]){'\\', 'u', '0', '0', HEX[c >> 4], HEX[c & 15]}, 6));
}

void json_escape(struct buf *out, Str value)
{
    const unsigned char *at = (const unsigned char *)value.data;
    size_t left = value.len;
    while (left > 0) {
        size_t plain = plain_prefix(at, left);
        if (plain > 0)
            buf_put(out, str_of((const char *)at, plain));
        at += plain;
        left -= plain;
        if (left > 0) {
            put_escaped(out, *at);
            at++;
            left--;
        }
    }
}
