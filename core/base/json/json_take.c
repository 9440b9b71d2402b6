/*
 * Typed reading of input, with error messages.
 */
#include "base/json/json.h"
#include "base/system/ctx.h"

#include <inttypes.h>
#include <math.h>

#define EXACT_MAX 9007199254740992.0 /* 2^53 */

/* Adds the field to the error that was just recorded. */
static Err name_field(struct ctx *ctx, Err err, const char *key)
{
    fail_note(ctx, "field", str_from_z(key));
    return err;
}

static Err refuse_kind(struct ctx *ctx, const char *key, const char *wanted,
                       const struct json *value)
{
    Err err = fail_also(ctx, ERR_INVALID_PAYLOAD, "\"%s\" must be %s, not %s", key, wanted,
                        json_kind_name(value));
    return name_field(ctx, err, key);
}

Err json_take_str(struct ctx *ctx, const struct json *object, const char *key, size_t max, Str *ret)
{
    const struct json *value = json_get(object, str_from_z(key));
    if (json_is_null(value))
        return OK;
    if (json_kind(value) != JSON_STRING)
        return refuse_kind(ctx, key, "a string", value);
    Str text = json_str(value);
    if (!str_has_codepoints(text, 0, max))
        return name_field(ctx,
                          fail_also(ctx, ERR_INVALID_PAYLOAD,
                                    "\"%s\" must have at most %zu characters", key, max),
                          key);
    *ret = text;
    return OK;
}

/* 5.0 counts as an integer: not every client distinguishes them. */
static bool as_integer(const struct json *value, int64_t *ret)
{
    if (json_kind(value) == JSON_INT) {
        *ret = json_int(value);
        return true;
    }
    if (json_kind(value) != JSON_REAL)
        return false;
    double real = json_number(value);
    if (fabs(real) > EXACT_MAX || real != (double)(int64_t)real)
        return false;
    *ret = (int64_t)real;
    return true;
}

Err json_take_int(struct ctx *ctx, const struct json *object, const char *key, int64_t min,
                  int64_t max, int64_t *ret)
{
    const struct json *value = json_get(object, str_from_z(key));
    if (json_is_null(value))
        return OK;
    int64_t number;
    if (!as_integer(value, &number))
        return refuse_kind(ctx, key, "an integer", value);
    if (number < min || number > max)
        return name_field(ctx,
                          fail_also(ctx, ERR_INVALID_PAYLOAD,
                                    "\"%s\" must be from %" PRId64 " to %" PRId64, key, min, max),
                          key);
    *ret = number;
    return OK;
}

Err json_take_bool(struct ctx *ctx, const struct json *object, const char *key, bool *ret)
{
    const struct json *value = json_get(object, str_from_z(key));
    if (json_is_null(value))
        return OK;
    if (json_kind(value) != JSON_BOOL)
        return refuse_kind(ctx, key, "a boolean", value);
    *ret = json_bool(value);
    return OK;
}

Err json_take_uuid(struct ctx *ctx, const struct json *object, const char *key, Uuid *ret)
{
    const struct json *value = json_get(object, str_from_z(key));
    if (json_is_null(value))
        return OK;
    if (json_kind(value) != JSON_STRING || !uuid_parse(json_str(value), ret))
        return refuse_kind(ctx, key, "a UUID", value);
    return OK;
}
