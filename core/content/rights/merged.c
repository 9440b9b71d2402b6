#include "content/rights/merged.h"

#include "base/memory/map.h"
#include "content/run/run.h"

#include <assert.h>

bool merged_is_partial(const struct grant *grant)
{
    assert(grant->rule_count > 0);
    for (uint32_t i = 0; i < grant->rule_count; i++)
        if (grant->rules[i].filter != NULL)
            return true;
    return false;
}

static void put_names(struct json_writer *w, struct map *seen, Str csv)
{
    Str name;
    while (str_next(&csv, ',', &name)) {
        name = str_trim(name);
        if (name.len > 0 && map_put(seen, name, seen) == NULL)
            json_put_str(w, name);
    }
}

void merged_put_fields(struct ctx *ctx, struct json_writer *w, const struct grant *grant)
{
    assert(grant->rule_count > 0);
    bool has_all = false;
    bool has_any = false;
    for (uint32_t i = 0; i < grant->rule_count; i++) {
        has_all |= grant->rules[i].all_fields;
        has_any |= grant->rules[i].has_fields;
    }
    if (!has_any)
        return;
    struct map *seen = map_in_arena(ctx->arena);
    json_key(w, STR("fields"));
    json_array_begin(w);
    if (has_all)
        json_put_str(w, STR("*"));
    for (uint32_t i = 0; i < grant->rule_count && !has_all; i++)
        put_names(w, seen, grant->rules[i].fields_text);
    json_array_end(w);
}

static void put_list(struct json_writer *w, const Str *items, uint32_t count)
{
    assert(count == 0 || items != NULL);
    json_array_begin(w);
    for (uint32_t i = 0; i < count; i++)
        json_put_str(w, items[i]);
    json_array_end(w);
}

static fiber_fn Err put_text(struct ctx *ctx, const struct schema *schema, struct json_writer *w,
                             Str text)
{
    const Str *items;
    uint32_t count;
    bool is_dynamic;
    Str value;
    if (dynamic_list(ctx, schema, text, &items, &count)) {
        put_list(w, items, count);
        return OK;
    }
    TRY(dynamic_text(ctx, schema, text, &is_dynamic, &value));
    if (!is_dynamic)
        json_put_str(w, text);
    else if (value.data == NULL)
        json_put_null(w);
    else
        json_put_str(w, value);
    return OK;
}

static fiber_fn Err put_value(struct ctx *ctx, const struct schema *schema, struct json_writer *w,
                              const struct json *value, int depth)
{
    if (depth > RIGHTS_VALUE_DEPTH_MAX)
        return fail(ctx, ERR_INTERNAL, "a stored permission is nested too deep");
    switch (json_kind(value)) {
    case JSON_STRING:
        return put_text(ctx, schema, w, json_str(value));
    case JSON_ARRAY:
        json_array_begin(w);
        for (uint32_t i = 0; i < json_len(value); i++)
            TRY(put_value(ctx, schema, w, json_at(value, i), depth + 1));
        json_array_end(w);
        return OK;
    case JSON_OBJECT:
        json_object_begin(w);
        for (struct json_iter it = json_iter(value); json_next(&it);) {
            json_key(w, it.key);
            TRY(put_value(ctx, schema, w, it.value, depth + 1));
        }
        json_object_end(w);
        return OK;
    default:
        json_put_value(w, value);
        return OK;
    }
}

fiber_fn Err merged_put_value(struct ctx *ctx, const struct schema *schema, struct json_writer *w,
                              const struct json *value)
{
    return put_value(ctx, schema, w, value, 0);
}

/* Whether a later rule presets the same field. */
static bool is_overridden(const struct grant *grant, uint32_t rule, Str field)
{
    assert(rule < grant->rule_count);
    for (uint32_t i = rule + 1; i < grant->rule_count; i++)
        if (json_get(grant->rules[i].presets, field) != NULL)
            return true;
    return false;
}

fiber_fn Err merged_put_presets(struct ctx *ctx, const struct schema *schema, struct json_writer *w,
                                const struct grant *grant)
{
    assert(grant->rule_count > 0);
    bool has_any = false;
    for (uint32_t i = 0; i < grant->rule_count; i++) {
        for (struct json_iter it = json_iter(grant->rules[i].presets); json_next(&it);) {
            if (is_overridden(grant, i, it.key))
                continue;
            if (!has_any) {
                json_key(w, STR("presets"));
                json_object_begin(w);
            }
            has_any = true;
            json_key(w, it.key);
            TRY(merged_put_value(ctx, schema, w, it.value));
        }
    }
    if (has_any)
        json_object_end(w);
    return OK;
}
