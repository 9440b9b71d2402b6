/*
 * Uuid: 16 bytes, a value. New ones are version 7 (RFC 9562): time-ordered, made by the process.
 */
#pragma once

#include "base/text/str.h"

typedef struct Uuid {
    uint8_t bytes[16];
} Uuid;

enum { UUID_TEXT_LEN = 36 };

Uuid uuid_make(void);              /* version 7, strictly growing within a thread */
bool uuid_parse(Str s, Uuid *ret); /* 8-4-4-4-12 hex, either case; anything else is false */
void uuid_write(Uuid uuid, char out[UUID_TEXT_LEN]); /* lower case, no NUL */
Str uuid_text(struct arena *arena, Uuid uuid);
bool uuid_eq(Uuid a, Uuid b);
bool uuid_is_nil(Uuid uuid);

/* The reserved site that owns the rows meant for everybody (spark.library_site); null on the wire. */
extern const Uuid UUID_LIBRARY_SITE;
#define UUID_LIBRARY_SITE_TEXT "00000000-0000-7000-8000-000000000001"
