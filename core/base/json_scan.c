#include "base/json_scan.h"

#include <assert.h>

struct scan {
    const char *at;
    const char *end;
    uint32_t depth;
    uint32_t keys[JSON_DEPTH_CAP + 1]; /* of the open object at each depth */
};

/* at: after the opening quote. Leaves it after the closing one, or at the end if there is none.
 * False if the string names the character NUL. */
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

static Err scan_one(struct ctx *ctx, struct scan *scan, struct json_limits limits)
{
    switch (*scan->at++) {
    case '"':
        if (!skip_string(scan))
            return fail(ctx, ERR_INVALID_JSON, "The JSON text contains the character NUL.");
        break;
    case '{':
    case '[':
        if (scan->depth == limits.depth_max)
            return fail(ctx, ERR_INVALID_JSON, "The JSON text is nested deeper than %u levels.",
                        limits.depth_max);
        scan->keys[++scan->depth] = 0;
        break;
    case '}':
    case ']':
        if (scan->depth > 0) /* else the parser will say what is wrong */
            scan->depth--;
        break;
    case ':':
        if (++scan->keys[scan->depth] > limits.keys_max)
            return fail(ctx, ERR_INVALID_JSON,
                        "The JSON text has an object with more than %u keys.", limits.keys_max);
        break;
    default:
        break;
    }
    return OK;
}

Err json_scan(struct ctx *ctx, Str text, struct json_limits limits)
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
    return OK;
}
