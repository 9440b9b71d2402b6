#include "base/json/json_writer.h"
#include "base/system/range.h"
#include "io/fiber/json_apart.h"
#include "runtime/api.h"

enum { QUOTED_MAX = 64 * 1024 * 1024 };

fiber_fn spark_status api_json_parse(spark_call *call, spark_str text, const spark_json **json)
{
    const struct json *parsed;
    Err err = json_parse_apart(call->ctx, str_of_spark(text), JSON_LIMITS_DEFAULT, &parsed);
    if (err == OK)
        *json = spark_of_json(parsed);
    return call_status(call, err);
}

spark_json_kind api_json_kind(const spark_json *json)
{
    static const spark_json_kind KINDS[] = {
        [JSON_NULL] = SPARK_JSON_NULL,     [JSON_BOOL] = SPARK_JSON_BOOL,
        [JSON_INT] = SPARK_JSON_INT,       [JSON_REAL] = SPARK_JSON_REAL,
        [JSON_STRING] = SPARK_JSON_STRING, [JSON_ARRAY] = SPARK_JSON_ARRAY,
        [JSON_OBJECT] = SPARK_JSON_OBJECT,
    };
    return KINDS[json_kind(json_of_spark(json))];
}

const spark_json *api_json_get(const spark_json *object, spark_str key)
{
    return spark_of_json(json_get(json_of_spark(object), str_of_spark(key)));
}

const spark_json *api_json_at(const spark_json *array, size_t index)
{
    if (index >= json_len(json_of_spark(array)))
        return NULL;
    return spark_of_json(json_at(json_of_spark(array), (uint32_t)index));
}

size_t api_json_length(const spark_json *json)
{
    return json_len(json_of_spark(json));
}

bool api_json_next(spark_member *member)
{
    if (json_kind(json_of_spark(member->object)) != JSON_OBJECT)
        return false;
    struct json_iter it = {
        .object = json_of_spark(member->object),
        .cursor = member->cursor,
        .started = member->has_begun,
    };
    bool has_more = json_next(&it);
    member->cursor = it.cursor;
    member->has_begun = true;
    if (!has_more)
        return false;
    member->key = spark_of_str(it.key);
    member->value = spark_of_json(it.value);
    return true;
}

spark_str api_json_string(const spark_json *json)
{
    if (json_kind(json_of_spark(json)) != JSON_STRING)
        return (spark_str){NULL, 0};
    return spark_of_str(json_str(json_of_spark(json)));
}

int64_t api_json_integer(const spark_json *json)
{
    return json_kind(json_of_spark(json)) == JSON_INT ? json_int(json_of_spark(json)) : 0;
}

bool api_json_boolean(const spark_json *json)
{
    return json_bool(json_of_spark(json));
}

spark_str api_json_text(spark_call *call, const spark_json *json)
{
    if (json == NULL)
        return SPARK_STR("null");
    return spark_of_str(json_text(call->ctx->arena, json_of_spark(json)));
}

spark_str api_json_quote(spark_call *call, spark_str text)
{
    /* Without escapes the result is as long as the text and its quotes: short texts need no
     * malloc. */
    size_t first = min_size(text.len, QUOTED_MAX - 2) + 2;
    struct buf *out = buf_in_arena_from(call->ctx->arena, first, QUOTED_MAX);
    struct json_writer w = json_writer(out);
    json_put_str(&w, str_of_spark(text));
    return spark_of_str(buf_str(out));
}

spark_status api_json_check(spark_call *call, const spark_json *object, spark_str known)
{
    return call_status(
        call, json_check_members(call->ctx, json_of_spark(object), STR_NONE, str_of_spark(known)));
}
