/*
 * Str: a view of bytes, pointer and length, not NUL-terminated. Passed and copied by value.
 *
 * A Str owns nothing; the owner of the bytes determines their lifetime. Functions that create new
 * bytes take an arena. Nothing here waits.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct arena;

typedef struct Str {
    const char *data;
    size_t len;
} Str;

/* A literal, and the two arguments for "%.*s". */
#define STR(literal) ((Str){("" literal ""), sizeof(literal) - 1})
#define STR_INIT(literal)                                                                          \
    {                                                                                              \
        ("" literal ""), sizeof(literal) - 1                                                       \
    }
#define STR_FMT(s) ((int)(s).len), ((s).data)
#define STR_NONE ((Str){NULL, 0})

static inline Str str_of(const char *data, size_t len)
{
    return (Str){data, len};
}

/* A view of a NUL-terminated string; NULL gives STR_NONE. The only strlen in the tree. */
Str str_from_z(const char *z);

/* A NUL-terminated copy in the arena, for libraries. Ends at an embedded NUL. */
char *str_z(struct arena *arena, Str s);

bool str_eq(Str a, Str b);
bool str_eq_nocase(Str a, Str b); /* ASCII only */
int str_cmp(Str a, Str b);        /* bytewise, shorter first: <0, 0, >0 */
bool str_starts_with(Str s, Str prefix);
bool str_ends_with(Str s, Str suffix);

/* Offset of the first match, or -1. */
ptrdiff_t str_find_char(Str s, char c);
ptrdiff_t str_find(Str s, Str needle);

/* s[from, to), both clamped to the length. */
Str str_slice(Str s, size_t from, size_t to);
Str str_trim(Str s); /* without ASCII white space at both ends */

/* Takes the part before the next `sep` off `*rest` into `*ret_part`; false at the end. "a,,b," has
 * the parts "a", "", "b", "" and "" has one empty part; only STR_NONE has none. */
bool str_next(Str *rest, char sep, Str *ret_part);

/* Copies into the arena. */
Str str_dup(struct arena *arena, Str s);
Str str_lower(struct arena *arena, Str s); /* ASCII only */
Str str_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
Str str_vprintf(struct arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Whole-string decimal numbers; false (and *ret untouched) on anything else or on overflow. No
 * leading '+', no white space; a double's text has at most 128 characters. */
bool str_to_i64(Str s, int64_t *ret);
bool str_to_u64(Str s, uint64_t *ret);
bool str_to_double(Str s, double *ret);
/* Spelled like a number, whether a double can hold it or not: -?digits[.digits][e[+-]digits]. */
bool str_is_number(Str s);

bool str_is_utf8(Str s);            /* valid UTF-8 without surrogates */
size_t str_count_codepoints(Str s); /* of valid UTF-8 */
/* Whether the number of code points is within the bounds; a far too long text is not counted. */
bool str_has_codepoints(Str s, size_t least, size_t most);
Str str_cut(Str s, size_t max);  /* at most `max` bytes, never splits a UTF-8 character */
uint64_t str_hash(Str s);        /* seeded per process: not stable across restarts */
uint64_t str_hash_stable(Str s); /* FNV-1a 64: stable, for names and fingerprints, not for tables */
