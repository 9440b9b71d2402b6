/*
 * Reading JSON with limits. The text is first scanned iteratively (depth, UTF-8, keys), so that the
 * recursive parser gets no hostile document, then parsed by jansson.
 *
 * Values are views into a tree that lives until ctx->arena is rewound or freed. Objects keep the
 * order of the text. Duplicate keys and NUL are refused. Integers beyond 64 bits are read as
 * JSON_REAL.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/system/err.h"
#include "base/text/str.h"

struct json; /* one value */

enum json_kind { JSON_NULL, JSON_BOOL, JSON_INT, JSON_REAL, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

enum {
    JSON_DEPTH_MAX = 16,
    JSON_KEYS_MAX = 256,          /* per object */
    JSON_VALUES_MAX = 3000 * 1000 /* per text */
};

struct json_limits {
    uint32_t depth_max;
    uint32_t keys_max;
};
#define JSON_LIMITS_DEFAULT ((struct json_limits){JSON_DEPTH_MAX, JSON_KEYS_MAX})

/* ERR_INVALID_JSON with line and column, or with the exceeded limit; ERR_TOO_LARGE when the tree
 * would exceed JSON_MEMORY, ERR_UNAVAILABLE when other trees use that memory. */
Err json_parse(struct ctx *ctx, Str text, struct json_limits limits, const struct json **ret);

/* The same, for a tree that its owner frees, on any thread. */
struct json_tree;
Err json_parse_tree(struct ctx *ctx, Str text, struct json_limits limits, struct json_tree **ret);
const struct json *json_tree_root(const struct json_tree *tree);
void json_tree_free(void *tree);

/* All functions below accept NULL as JSON null, so that lookups can be chained. */
enum json_kind json_kind(const struct json *json);
const char *json_kind_name(const struct json *json); /* "an object", "a string" … */
bool json_is_null(const struct json *json);
bool json_bool(const struct json *json);     /* false unless true */
int64_t json_int(const struct json *json);   /* asserts JSON_INT */
double json_number(const struct json *json); /* JSON_INT or JSON_REAL */
Str json_str(const struct json *json);       /* asserts JSON_STRING; a view */

const struct json *json_get(const struct json *object, Str key); /* NULL if absent */
uint32_t json_len(const struct json *json);                      /* members or elements, else 0 */
const struct json *json_at(const struct json *array, uint32_t index);

/* for (struct json_iter it = json_iter(object); json_next(&it);) … it.key, it.value */
struct json_iter {
    const struct json *object;
    void *cursor;
    Str key;
    const struct json *value;
    bool started;
};
struct json_iter json_iter(const struct json *object);
bool json_next(struct json_iter *it);

/* Compact text of a value, in the arena. For possibly large values: json_text_apart
 * (io/fiber/json_apart.h). */
Str json_text(struct arena *arena, const struct json *json);
/* Whether the text has about `bytes` or more; stops as soon as that is known. */
bool json_is_long(const struct json *json, size_t bytes);

/*
 * Typed reading of input. Each returns OK and leaves *ret unchanged when the member is absent or
 * null; for a wrong type or an exceeded limit it adds an entry (fail_also, note "field") and
 * returns ERR_INVALID_PAYLOAD. The max of a string counts characters; 5.0 is accepted as an
 * integer.
 */
Err json_take_str(struct ctx *ctx, const struct json *object, const char *key, size_t max,
                  Str *ret);
Err json_take_int(struct ctx *ctx, const struct json *object, const char *key, int64_t min,
                  int64_t max, int64_t *ret);
Err json_take_bool(struct ctx *ctx, const struct json *object, const char *key, bool *ret);
Err json_take_uuid(struct ctx *ctx, const struct json *object, const char *key, Uuid *ret);

/*
 * Refuses the first member of `object`, or of the objects in an array, that is not in `known`:
 * names separated by blanks; a name may be followed by braces with the members of the object or
 * objects that it contains, as in "name date_range{start end}". A name without braces may have any
 * value. ERR_INVALID_PAYLOAD contains the path, which begins with `where`, and the known names.
 */
Err json_check_members(struct ctx *ctx, const struct json *object, Str where, Str known);
/* "a, b, c", without the parts in braces. */
Str json_member_names(struct arena *arena, Str known);
