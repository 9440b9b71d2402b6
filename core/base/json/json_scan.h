/*
 * Scans a JSON text iteratively before a recursive parser gets it. Stack use is constant.
 */
#pragma once

#include "base/json/json.h"

enum {
    JSON_DEPTH_CAP = 64 /* the maximum for any caller: fits the stack of a fiber */
};

/* The maximum memory of a tree's parts in addition to the bytes of its text, as jansson 2.14
 * allocates it: an empty object has eight buckets, and a key is copied twice. */
enum {
    JSON_CONTAINER_BYTES = 216,
    JSON_MEMBER_BYTES = 120,
    JSON_STRING_BYTES = 64,
    JSON_SCALAR_BYTES = 32,
    JSON_SLOT_BYTES = 16, /* a slot in the containing array or object */
};

struct json_scanned {
    Str text; /* the text to parse: unchanged, or a copy in which integers beyond 64 bits end in
                 ".0", because clients that only have doubles write 1e20 with all its zeros */
    uint64_t tree_max; /* approximate maximum size of its tree */
};

/* OK for a text whose nesting, keys per object and encoding are within the limits. Does not check
 * the grammar. ERR_INVALID_JSON otherwise. */
Err json_scan(struct ctx *ctx, Str text, struct json_limits limits, struct json_scanned *ret);
