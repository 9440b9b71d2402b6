/*
 * The flat look at a JSON text before a recursive parser may see it. No stack grows with the text.
 */
#pragma once

#include "base/json/json.h"

enum {
    JSON_DEPTH_CAP = 64 /* no caller may ask for more: fits the stack of a fiber */
};

/* What the parts of a tree take at most beside the bytes of their text, as jansson 2.14 allocates:
 * an empty object has eight buckets, and a key is copied twice. */
enum {
    JSON_CONTAINER_BYTES = 216,
    JSON_MEMBER_BYTES = 120,
    JSON_STRING_BYTES = 64,
    JSON_SCALAR_BYTES = 32,
    JSON_SLOT_BYTES = 16, /* the place of any value in what holds it */
};

struct json_scanned {
    Str text; /* to parse: the same, or a copy in which integers beyond 64 bits end in ".0",
                 because clients that know only doubles write 1e20 with all its zeros */
    uint64_t tree_max; /* bytes that its tree takes at most, about */
};

/* OK for a text whose nesting, keys per object and encoding are within bounds. Says nothing about
 * the grammar. ERR_INVALID_JSON otherwise. */
Err json_scan(struct ctx *ctx, Str text, struct json_limits limits, struct json_scanned *ret);
