#include "base/text/utf8.h"

bool str_is_utf8(Str s)
{
    const unsigned char *at = (const unsigned char *)s.data;
    size_t left = s.len;
    while (left > 0) {
        while (left >= 8 && (utf8_load8(at) & UTF8_HIGH_BITS) == 0) {
            at += 8;
            left -= 8;
        }
        if (left == 0)
            break;
        size_t step = utf8_step(at, left);
        if (step == 0)
            return false;
        at += step;
        left -= step;
    }
    return true;
}

Str str_cut(Str s, size_t max)
{
    if (s.len <= max)
        return s;
    while (max > 0 && ((unsigned char)s.data[max] & 0xC0) == 0x80)
        max--;
    return str_of(s.data, max);
}
