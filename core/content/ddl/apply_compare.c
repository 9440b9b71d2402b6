/*
 * Where two entries of snapshots differ. Only what the wanted one names counts: a snapshot of an
 * older server lacks members that have been added since.
 */
#include "base/memory/array.h"
#include "content/ddl/apply_internal.h"

#include <assert.h>

static bool is_same(const struct json *a, const struct json *b, int depth);

static bool is_same_object(const struct json *a, const struct json *b, int depth)
{
    assert(json_kind(a) == JSON_OBJECT && json_kind(b) == JSON_OBJECT);
    if (json_len(a) != json_len(b))
        return false;
    for (struct json_iter it = json_iter(a); json_next(&it);) {
        const struct json *other = json_get(b, it.key);
        if (other == NULL || !is_same(it.value, other, depth + 1))
            return false;
    }
    return true;
}

static bool is_same_array(const struct json *a, const struct json *b, int depth)
{
    assert(json_kind(a) == JSON_ARRAY && json_kind(b) == JSON_ARRAY);
    if (json_len(a) != json_len(b))
        return false;
    for (uint32_t i = 0; i < json_len(a); i++)
        if (!is_same(json_at(a, i), json_at(b, i), depth + 1))
            return false;
    return true;
}

static bool is_number(const struct json *json)
{
    return json_kind(json) == JSON_INT || json_kind(json) == JSON_REAL;
}

static bool is_same(const struct json *a, const struct json *b, int depth)
{
    assert(depth <= JSON_DEPTH_MAX);
    if (is_number(a) && is_number(b))
        return !(json_number(a) < json_number(b)) && !(json_number(a) > json_number(b));
    if (json_kind(a) != json_kind(b))
        return false;
    switch (json_kind(a)) {
    case JSON_BOOL:
        return json_bool(a) == json_bool(b);
    case JSON_STRING:
        return str_eq(json_str(a), json_str(b));
    case JSON_ARRAY:
        return is_same_array(a, b, depth);
    case JSON_OBJECT:
        return is_same_object(a, b, depth);
    default:
        return true;
    }
}

bool apply_is_same(const struct json *a, const struct json *b)
{
    return is_same(a, b, 0);
}

/* They say again which entry it is. */
static bool is_key(Str member)
{
    static const Str KEYS[] = {STR_INIT("id"),         STR_INIT("collection"),
                               STR_INIT("field"),      STR_INIT("many_collection"),
                               STR_INIT("many_field"), STR_INIT("one_collection")};
    for (size_t i = 0; i < COUNT_OF(KEYS); i++)
        if (str_eq(member, KEYS[i]))
            return true;
    return false;
}

/* Of a column what may be changed; of a foreign key its actions. The rest follows from other
 * members, or is a name that nobody asks for. */
static bool is_compared(const struct change *change, Str member)
{
    static const Str COLUMN[] = {STR_INIT("default_value"), STR_INIT("is_nullable"),
                                 STR_INIT("is_unique"), STR_INIT("is_indexed"),
                                 STR_INIT("is_primary_key")};
    static const Str NUMERIC[] = {STR_INIT("numeric_precision"), STR_INIT("numeric_scale")};
    if (change->of == OF_RELATION)
        return str_eq(member, STR("on_delete")) || str_eq(member, STR("on_update"));
    if (change->of == OF_COLLECTION)
        return false;
    for (size_t i = 0; i < COUNT_OF(COLUMN); i++)
        if (str_eq(member, COLUMN[i]))
            return true;
    const struct json *type = json_get(change->wanted, STR("type"));
    Str name = json_kind(type) == JSON_STRING ? json_str(type) : STR_NONE;
    if (str_eq(name, STR("string")))
        return str_eq(member, STR("max_length"));
    return str_eq(name, STR("decimal")) &&
           (str_eq(member, NUMERIC[0]) || str_eq(member, NUMERIC[1]));
}

static uint32_t compare_half(struct ctx *ctx, struct change *change, const char *half, Str *members)
{
    assert(half[0] == 'm' || half[0] == 's');
    const struct json *wanted = json_get(change->wanted, str_from_z(half));
    const struct json *current = json_get(change->current, str_from_z(half));
    bool is_meta = half[0] == 'm';
    uint32_t before = change->member_count;
    for (struct json_iter it = json_iter(wanted); json_next(&it);) {
        const struct json *now = json_get(current, it.key);
        bool counts = is_meta ? !is_key(it.key) : is_compared(change, it.key);
        if (counts && now != NULL && !is_same(it.value, now, 0))
            members[change->member_count++] =
                str_printf(ctx->arena, "%s.%.*s", half, STR_FMT(it.key));
    }
    return change->member_count - before;
}

void apply_compare(struct ctx *ctx, struct change *change)
{
    assert(change->wanted != NULL && change->current != NULL);
    uint32_t most = json_len(json_get(change->wanted, STR("meta"))) +
                    json_len(json_get(change->wanted, STR("schema")));
    Str *members = arena_array(ctx->arena, Str, most + 1);
    change->member_count = 0;
    change->has_meta = compare_half(ctx, change, "meta", members) > 0;
    change->has_schema = compare_half(ctx, change, "schema", members) > 0;
    assert(change->member_count <= most);
    change->members = members;
}

bool change_names(const struct change *change, Str member)
{
    assert(change->member_count == 0 || change->members != NULL);
    for (uint32_t i = 0; i < change->member_count; i++)
        if (str_eq(change->members[i], member))
            return true;
    return false;
}
