/*
 * Sealed text: encrypted and signed (AES-256-GCM) under the key SECRET, and bound to what it is
 * for, so that it opens nowhere else. OpenSSL stays in seal.c.
 */
#pragma once

#include "base/text/str.h"

enum { SEAL_OVERHEAD = 28 /* a nonce of 12 bytes before the text, a tag of 16 behind it */ };

/* Two seals of one text differ. `key` is any secret of some length, `purpose` what it is for. */
Str seal_make(struct arena *arena, Str key, Str purpose, Str text);
/* False when it was sealed with another key or for another purpose, or was changed. */
bool seal_open(struct arena *arena, Str key, Str purpose, Str sealed, Str *ret);
