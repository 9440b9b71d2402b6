/*
 * Sealed text: authenticated encryption (AES-256-GCM) with the key SECRET, bound to its purpose, so
 * that it cannot be opened for another one. Only seal.c uses OpenSSL for this.
 */
#pragma once

#include "base/text/str.h"

enum {
    SEAL_OVERHEAD = 28, /* a nonce of 12 bytes before the text, a tag of 16 bytes after it */
    SEAL_TEXT_MAX = 1 << 20,
};

/* Two seals of one text differ. `key` is any sufficiently long secret, `purpose` the intended
 * use. */
Str seal_make(struct arena *arena, Str key, Str purpose, Str text);
/* False when it was sealed with another key or for another purpose, or was modified. */
bool seal_open(struct arena *arena, Str key, Str purpose, Str sealed, Str *ret);
