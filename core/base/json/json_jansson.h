/*
 * jansson under its own names: for the files of this module that create or read its trees. Private.
 */
#pragma once

#include "base/json/json.h"
#include "base/json/json_scan.h"

/* jansson's kinds have the same names as ours; here they are called JANSSON_…. */
#define JSON_NULL JANSSON_NULL
#define JSON_REAL JANSSON_REAL
#define JSON_STRING JANSSON_STRING
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_OBJECT JANSSON_OBJECT
#include <jansson.h>
#undef JSON_NULL
#undef JSON_REAL
#undef JSON_STRING
#undef JSON_ARRAY
#undef JSON_OBJECT
/* Its type-test macros would use our constants. */
#undef json_is_object
#undef json_is_array
#undef json_is_string
#undef json_is_real
#undef json_is_null

/* struct json is an opaque json_t, so that higher layers cannot access it. */
static inline const json_t *json_inside(const struct json *json)
{
    return (const json_t *)json;
}

static inline const struct json *json_outside(const json_t *value)
{
    return (const struct json *)value;
}

/* The owner that the trees of this ctx are charged to. */
Uuid json_owner(const struct ctx *ctx);
/* Reports that a tree of this size exceeds the limit, or the memory available now. */
Err json_no_room(struct ctx *ctx, uint64_t wanted);

/* The tree of a text that has passed the scan, in the memory that was entered; NULL:
 * json_no_grammar says why. */
json_t *json_load_scanned(const struct json_scanned *scanned, json_error_t *error);
Err json_no_grammar(struct ctx *ctx, const json_error_t *error);
