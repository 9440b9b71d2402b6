#include "base/text/str.h"

#include "base/memory/arena.h"
#include "base/system/range.h"
#include "base/text/ascii.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_TEXT_MAX = 128, PRINT_FIRST_TRY = 256 };

Str str_from_z(const char *z)
{
    return z == NULL ? STR_NONE : (Str){z, strlen(z)};
}

char *str_z(struct arena *arena, Str s)
{
    char *z = arena_alloc_raw(arena, s.len + 1);
    if (s.len > 0)
        memcpy(z, s.data, s.len);
    z[s.len] = '\0';
    return z;
}

bool str_eq(Str a, Str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool str_eq_nocase(Str a, Str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i]))
            return false;
    }
    return true;
}

int str_cmp(Str a, Str b)
{
    size_t shared = min_size(a.len, b.len);
    int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool str_starts_with(Str s, Str prefix)
{
    return s.len >= prefix.len && str_eq(str_of(s.data, prefix.len), prefix);
}

bool str_ends_with(Str s, Str suffix)
{
    return s.len >= suffix.len && str_eq(str_slice(s, s.len - suffix.len, s.len), suffix);
}

ptrdiff_t str_find_char(Str s, char c)
{
    const char *at = s.len == 0 ? NULL : memchr(s.data, c, s.len);
    return at == NULL ? -1 : at - s.data;
}

ptrdiff_t str_find(Str s, Str needle)
{
    if (needle.len == 0)
        return 0;
    if (s.len < needle.len)
        return -1;
    const char *at = memmem(s.data, s.len, needle.data, needle.len);
    return at == NULL ? -1 : at - s.data;
}

Str str_slice(Str s, size_t from, size_t to)
{
    if (s.data == NULL)
        return STR_NONE;
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return (Str){s.data + from, to - from};
}

Str str_trim(Str s)
{
    while (s.len > 0 && ascii_is_space(s.data[s.len - 1]))
        s.len--;
    while (s.len > 0 && ascii_is_space(s.data[0])) {
        s.data++;
        s.len--;
    }
    return s;
}

bool str_next(Str *rest, char sep, Str *ret_part)
{
    if (rest->data == NULL)
        return false;
    ptrdiff_t at = str_find_char(*rest, sep);
    if (at < 0) {
        *ret_part = *rest;
        *rest = STR_NONE;
        return true;
    }
    *ret_part = str_of(rest->data, (size_t)at);
    *rest = str_of(rest->data + at + 1, rest->len - (size_t)at - 1);
    return true;
}

Str str_dup(struct arena *arena, Str s)
{
    if (s.data == NULL)
        return STR_NONE;
    char *copy = arena_alloc_raw(arena, s.len);
    memcpy(copy, s.data, s.len);
    return (Str){copy, s.len};
}

Str str_lower(struct arena *arena, Str s)
{
    if (s.data == NULL)
        return STR_NONE;
    char *copy = arena_alloc_raw(arena, s.len);
    for (size_t i = 0; i < s.len; i++)
        copy[i] = ascii_lower(s.data[i]);
    return (Str){copy, s.len};
}

Str str_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str text = str_vprintf(arena, format, args);
    va_end(args);
    return text;
}

Str str_vprintf(struct arena *arena, const char *format, va_list args)
{
    char first[PRINT_FIRST_TRY];
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(first, sizeof first, format, args);
    assert(len >= 0);
    char *text = arena_alloc_raw(arena, (size_t)len + 1);
    if ((size_t)len < sizeof first)
        memcpy(text, first, (size_t)len + 1);
    else
        (void)vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return (Str){text, (size_t)len};
}

bool str_to_u64(Str s, uint64_t *ret)
{
    if (s.len == 0)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_is_digit(s.data[i]))
            return false;
        uint64_t digit = (uint64_t)(s.data[i] - '0');
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret = value;
    return true;
}

bool str_to_i64(Str s, int64_t *ret)
{
    bool is_negative = s.len > 0 && s.data[0] == '-';
    uint64_t magnitude;
    if (!str_to_u64(is_negative ? str_slice(s, 1, s.len) : s, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + (is_negative ? 1 : 0))
        return false;
    *ret = (int64_t)(is_negative ? 0 - magnitude : magnitude);
    return true;
}

static size_t skip_digits(Str s, size_t at)
{
    while (at < s.len && ascii_is_digit(s.data[at]))
        at++;
    return at;
}

bool str_is_number(Str s)
{
    size_t at = s.len > 0 && s.data[0] == '-' ? 1 : 0;
    size_t end = skip_digits(s, at);
    if (end == at)
        return false;
    if (end < s.len && s.data[end] == '.') {
        at = end + 1;
        end = skip_digits(s, at);
        if (end == at)
            return false;
    }
    if (end < s.len && (s.data[end] == 'e' || s.data[end] == 'E')) {
        at = end + 1;
        if (at < s.len && (s.data[at] == '+' || s.data[at] == '-'))
            at++;
        end = skip_digits(s, at);
        if (end == at)
            return false;
    }
    return end == s.len;
}

bool str_to_double(Str s, double *ret)
{
    char z[NUMBER_TEXT_MAX + 1];
    if (s.len > NUMBER_TEXT_MAX || !str_is_number(s))
        return false;
    memcpy(z, s.data, s.len);
    z[s.len] = '\0';
    double value = strtod(z, NULL);
    if (isinf(value))
        return false;
    *ret = value;
    return true;
}

size_t str_count_codepoints(Str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        count += ((unsigned char)s.data[i] & 0xC0) != 0x80;
    return count;
}

bool str_has_codepoints(Str s, size_t least, size_t most)
{
    enum { BYTES_MAX = 4 };
    if (s.len < least || s.len / BYTES_MAX > most)
        return false;
    if (least == 0 && s.len <= most)
        return true;
    size_t count = str_count_codepoints(s);
    return count >= least && count <= most;
}
