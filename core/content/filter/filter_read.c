/*
 * Filters from JSON.
 */
#include "base/memory/list.h"
#include "base/system/ctx.h"
#include "content/filter/filter.h"

#include <assert.h>

struct reader {
    struct ctx *ctx;
    struct arena *arena;
    uint32_t count;
};

static Err read_value(struct reader *reader, const struct json *json, struct filter_value *ret);

static Err read_list(struct reader *reader, const struct json *json, struct filter_value *ret)
{
    assert(json_kind(json) == JSON_ARRAY);
    uint32_t count = json_len(json);
    struct filter_value *items = arena_array(reader->arena, struct filter_value, count);
    for (uint32_t i = 0; i < count; i++)
        TRY(read_value(reader, json_at(json, i), &items[i]));
    *ret = (struct filter_value){.kind = FILTER_LIST, .items = items, .count = count};
    return OK;
}

static Err read_members(struct reader *reader, const struct json *json, struct filter_value *ret)
{
    assert(json_kind(json) == JSON_OBJECT);
    struct filter *first = NULL;
    struct filter *last = NULL;
    uint32_t count = 0;
    for (struct json_iter it = json_iter(json); json_next(&it);) {
        struct filter_value *value = arena_new(reader->arena, struct filter_value);
        if (str_eq(it.key, STR("__proto__")))
            continue; /* no name in JavaScript */
        TRY(read_value(reader, it.value, value));
        LIST_APPEND(first, last, filter_member(reader->arena, it.key, value));
        count++;
    }
    *ret = (struct filter_value){.kind = FILTER_MEMBERS, .first = first, .count = count};
    return OK;
}

/* Recursion is limited by json_parse. */
static Err read_value(struct reader *reader, const struct json *json, struct filter_value *ret)
{
    uint32_t held = json_kind(json) == JSON_ARRAY ? json_len(json) : 0;
    if (reader->count >= FILTER_VALUES_MAX || held > FILTER_VALUES_MAX - reader->count)
        return fail(reader->ctx, ERR_INVALID_QUERY, "A filter has more than %d values",
                    FILTER_VALUES_MAX);
    reader->count++;
    switch (json_kind(json)) {
    case JSON_NULL:
        *ret = (struct filter_value){.kind = FILTER_NULL, .text = STR("null")};
        return OK;
    case JSON_BOOL:
        *ret = (struct filter_value){.kind = FILTER_BOOL,
                                     .text = json_bool(json) ? STR("true") : STR("false")};
        return OK;
    case JSON_INT:
    case JSON_REAL:
        *ret = (struct filter_value){.kind = FILTER_NUMBER, .text = json_text(reader->arena, json)};
        return OK;
    case JSON_STRING:
        *ret = filter_text(json_str(json));
        return OK;
    case JSON_ARRAY:
        return read_list(reader, json, ret);
    case JSON_OBJECT:
        return read_members(reader, json, ret);
    }
    return OK;
}

Err filter_read(struct ctx *ctx, struct arena *arena, const struct json *json,
                const struct filter_value **ret)
{
    assert(arena != NULL && ret != NULL);
    struct reader reader = {.ctx = ctx, .arena = arena};
    struct filter_value *value = arena_new(arena, struct filter_value);
    TRY(read_value(&reader, json, value));
    *ret = value;
    return OK;
}
