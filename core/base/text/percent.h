/*
 * Percent-encoding, RFC 3986.
 */
#pragma once

#include "base/text/str.h"

struct buf;

/* What "+" is: a character of paths, and the space of forms and queries. */
enum percent_plus { PERCENT_PLUS_STAYS, PERCENT_PLUS_IS_SPACE };

/* What clients send: a "%" without two digits stands for itself. May return `s` itself. */
Str percent_decode(struct arena *arena, Str s, enum percent_plus plus);
/* What operators write: false if a "%" is without its two digits. */
bool percent_decode_strict(struct arena *arena, Str s, Str *ret);

/* Everything is escaped but letters, digits, "-", ".", "_" and "~": for any part of a URL. */
Str percent_encode(struct arena *arena, Str s);
/* One character, whatever it is. */
void buf_put_percent(struct buf *out, char c);
