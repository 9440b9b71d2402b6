#include "base/json/json_scan.h"

#include "base/system/ctx.h"
#include "base/system/range.h"
#include "base/text/ascii.h"
#include "base/text/buf.h"

#include <assert.h>

struct scan {
    const char *at;
    const char *end;
    size_t wide; /* integers beyond 64 bits */
    size_t values;
    size_t containers; /* objects and arrays */
    size_t members;
    size_t strings;      /* including keys */
    size_t string_bytes; /* of all of them */
    size_t key_bytes;
    size_t last; /* length of the last string */
    size_t longest;
    uint32_t depth;
    uint32_t keys[JSON_DEPTH_CAP + 1]; /* of the open object at each depth */
};

/* at: after the opening quote. Advances past the closing one, or to the end if there is none. False
 * if the string contains the escaped character NUL. */
static bool skip_string(struct scan *scan)
{
    while (scan->at < scan->end) {
        char c = *scan->at++;
        if (c == '"')
            return true;
        if (c != '\\' || scan->at == scan->end)
            continue;
        if (*scan->at++ != 'u')
            continue;
        if (scan->end - scan->at >= 4 && memcmp(scan->at, "0000", 4) == 0)
            return false;
    }
    return true;
}

/* at: on a digit or '-'. Advances past the digits; true if they are an integer beyond 64 bits. */
static bool skip_digits(struct scan *scan)
{
    enum { DIGITS_SAFE = 18 };
    const char *from = scan->at++;
    while (scan->at < scan->end && ascii_is_digit(*scan->at))
        scan->at++;
    if (scan->at - from <= DIGITS_SAFE)
        return false;
    bool is_real =
        scan->at < scan->end && (*scan->at == '.' || *scan->at == 'e' || *scan->at == 'E');
    int64_t value;
    return !is_real && !str_to_i64(str_of(from, (size_t)(scan->at - from)), &value);
}

/* The digits after a point or an exponent are not an integer. */
static void skip_rest_of_number(struct scan *scan)
{
    while (scan->at < scan->end &&
           (ascii_is_digit(*scan->at) || strchr(".eE+-", *scan->at) != NULL))
        scan->at++;
}

static bool is_number_start(char c)
{
    return ascii_is_digit(c) || c == '-';
}

/* Counts a value: called for the root, and after a comma or an opening bracket. */
static Err count_value(struct ctx *ctx, struct scan *scan)
{
    if (++scan->values < JSON_VALUES_MAX)
        return OK;
    return fail(ctx, ERR_TOO_LARGE, "The JSON text has more than %d values.", JSON_VALUES_MAX);
}

static Err scan_string(struct ctx *ctx, struct scan *scan)
{
    const char *from = scan->at;
    if (!skip_string(scan))
        return fail(ctx, ERR_INVALID_JSON, "The JSON text contains the character NUL.");
    scan->last = (size_t)(scan->at - from);
    scan->strings++;
    scan->string_bytes += scan->last;
    scan->longest = max_size(scan->last, scan->longest);
    return OK;
}

/* A string passes through a buffer that doubles. The result is arbitrary for invalid JSON. */
static uint64_t tree_max(const struct scan *scan)
{
    enum { LONGEST = 4 };
    size_t nodes = scan->values + 1;
    size_t strings = scan->strings > scan->members ? scan->strings - scan->members : 0;
    size_t others = scan->containers + strings;
    return (uint64_t)scan->string_bytes + scan->key_bytes +
           scan->containers * JSON_CONTAINER_BYTES + scan->members * JSON_MEMBER_BYTES +
           strings * JSON_STRING_BYTES + (nodes > others ? nodes - others : 0) * JSON_SCALAR_BYTES +
           nodes * JSON_SLOT_BYTES + scan->longest * LONGEST;
}

static Err scan_one(struct ctx *ctx, struct scan *scan, struct json_limits limits)
{
    if (is_number_start(*scan->at)) {
        scan->wide += skip_digits(scan);
        skip_rest_of_number(scan);
        return OK;
    }
    switch (*scan->at++) {
    case '"':
        return scan_string(ctx, scan);
    case ',':
        return count_value(ctx, scan);
    case '{':
    case '[':
        TRY(count_value(ctx, scan));
        scan->containers++;
        if (scan->depth == limits.depth_max)
            return fail(ctx, ERR_INVALID_JSON, "The JSON text is nested deeper than %u levels.",
                        limits.depth_max);
        scan->keys[++scan->depth] = 0;
        break;
    case '}':
    case ']':
        if (scan->depth > 0) /* else the parser will report the error */
            scan->depth--;
        break;
    case ':':
        scan->members++;
        scan->key_bytes += scan->last;
        if (++scan->keys[scan->depth] > limits.keys_max)
            return fail(ctx, ERR_INVALID_JSON,
                        "The JSON text has an object with more than %u keys.", limits.keys_max);
        break;
    default:
        break;
    }
    return OK;
}

/* The text has passed the scan, so skip_string finds the end of every string. */
static Str widen(struct arena *arena, Str text, size_t wide)
{
    struct buf *out = buf_in_arena(arena, text.len + 2 * wide);
    struct scan scan = {.at = text.data, .end = text.data + text.len};
    while (scan.at < scan.end) {
        const char *from = scan.at;
        bool is_wide = false;
        if (is_number_start(*from)) {
            is_wide = skip_digits(&scan);
            skip_rest_of_number(&scan);
        } else if (*scan.at++ == '"') {
            (void)skip_string(&scan);
        }
        buf_put(out, str_of(from, (size_t)(scan.at - from)));
        if (is_wide)
            buf_put(out, STR(".0"));
    }
    assert(!out->is_full);
    return buf_str(out);
}

Err json_scan(struct ctx *ctx, Str text, struct json_limits limits, struct json_scanned *ret)
{
    assert(limits.depth_max <= JSON_DEPTH_CAP);
    if (str_trim(text).len == 0)
        return fail(ctx, ERR_INVALID_JSON, "The JSON text is empty.");
    if (str_find_char(text, '\0') >= 0)
        return fail(ctx, ERR_INVALID_JSON, "The JSON text contains the character NUL.");
    if (!str_is_utf8(text))
        return fail(ctx, ERR_INVALID_JSON, "The JSON text is not valid UTF-8.");
    struct scan scan = {.at = text.data, .end = text.data + text.len};
    while (scan.at < scan.end)
        TRY(scan_one(ctx, &scan, limits));
    *ret = (struct json_scanned){
        .text = scan.wide == 0 ? text : widen(ctx->arena, text, scan.wide),
        .tree_max = tree_max(&scan),
    };
    return OK;
}
