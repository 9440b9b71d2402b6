/*
 * Percent-encoding, RFC 3986.
 */
#pragma once

#include "base/text/str.h"

struct buf;

/* The meaning of "+": a literal in paths, a space in forms and queries. */
enum percent_plus { PERCENT_PLUS_STAYS, PERCENT_PLUS_IS_SPACE };

/* For client input: a "%" without two hex digits is literal. May return `s` itself. */
Str percent_decode(struct arena *arena, Str s, enum percent_plus plus);
/* For operator input: false if a "%" lacks its two hex digits. */
bool percent_decode_strict(struct arena *arena, Str s, Str *ret);

/* Escapes everything except letters, digits, "-", ".", "_" and "~": for any part of a URL. */
Str percent_encode(struct arena *arena, Str s);
/* One character, always escaped. */
void buf_put_percent(struct buf *out, char c);
