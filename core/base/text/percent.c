#include "base/text/percent.h"

#include "base/memory/arena.h"
#include "base/text/ascii.h"
#include "base/text/buf.h"

enum { ESCAPE_LEN = 3 };

/* The byte of the escape at the start of `s`, or -1. */
static int escaped_byte(Str s)
{
    if (s.len < ESCAPE_LEN || s.data[0] != '%')
        return -1;
    int high = ascii_hex_value(s.data[1]);
    int low = ascii_hex_value(s.data[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* False at the first invalid escape if `is_strict`. */
static bool decode(struct arena *arena, Str s, enum percent_plus plus, bool is_strict, Str *ret)
{
    char *out = arena_alloc_raw(arena, s.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        int byte = c == '%' ? escaped_byte(str_of(s.data + i, s.len - i)) : -1;
        if (byte >= 0) {
            c = (char)byte;
            i += ESCAPE_LEN - 1;
        } else if (c == '%' && is_strict) {
            return false;
        } else if (c == '+' && plus == PERCENT_PLUS_IS_SPACE) {
            c = ' ';
        }
        out[len++] = c;
    }
    *ret = str_of(out, len);
    return true;
}

Str percent_decode(struct arena *arena, Str s, enum percent_plus plus)
{
    bool has_plus = plus == PERCENT_PLUS_IS_SPACE && str_find_char(s, '+') >= 0;
    if (!has_plus && str_find_char(s, '%') < 0)
        return s;
    Str decoded = s;
    (void)decode(arena, s, plus, false, &decoded);
    return decoded;
}

bool percent_decode_strict(struct arena *arena, Str s, Str *ret)
{
    return decode(arena, s, PERCENT_PLUS_STAYS, true, ret);
}

static void escape(char c, char ret[ESCAPE_LEN])
{
    static const char DIGITS[] = "0123456789ABCDEF";
    unsigned char byte = (unsigned char)c;
    ret[0] = '%';
    ret[1] = DIGITS[byte >> 4];
    ret[2] = DIGITS[byte & 15];
}

Str percent_encode(struct arena *arena, Str s)
{
    char *out = arena_alloc_raw(arena, ESCAPE_LEN * s.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (ascii_is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
            out[len++] = c;
            continue;
        }
        escape(c, out + len);
        len += ESCAPE_LEN;
    }
    return str_of(out, len);
}

void buf_put_percent(struct buf *out, char c)
{
    char text[ESCAPE_LEN];
    escape(c, text);
    buf_put(out, str_of(text, ESCAPE_LEN));
}
