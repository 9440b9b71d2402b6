#include "factory/blueprint/blueprint_take.h"

#include "base/system/ctx.h"
#include "factory/spin/spin.h"

#include <assert.h>

static Str path_of(struct ctx *ctx, Str where, const char *key)
{
    if (key == NULL)
        return where;
    if (where.len == 0)
        return str_dup(ctx->arena, str_from_z(key));
    return str_printf(ctx->arena, "%.*s.%s", STR_FMT(where), key);
}

Err blueprint_refuse(struct ctx *ctx, Str where, const char *key, const char *sentence)
{
    Str path = path_of(ctx, where, key);
    return fail_noted(ctx, ERR_FAILED_VALIDATION, "field", path, "%.*s %s.", STR_FMT(path),
                      sentence);
}

Err blueprint_text(struct ctx *ctx, const struct json *object, Str where, const char *key,
                   size_t max, bool is_required, Str *ret)
{
    const struct json *value = json_get(object, str_from_z(key));
    if (json_is_null(value) && !is_required)
        return OK;
    if (json_kind(value) != JSON_STRING)
        return blueprint_refuse(ctx, where, key, "has to be a text");
    Str text = json_str(value);
    if (is_required && str_trim(text).len == 0)
        return blueprint_refuse(ctx, where, key, "must not be empty");
    if (!str_has_codepoints(text, 0, max))
        return blueprint_refuse(
            ctx, where, key,
            str_z(ctx->arena, str_printf(ctx->arena, "may have %zu characters", max)));
    if (text.len > 0)
        *ret = text;
    return OK;
}

Err blueprint_number(struct ctx *ctx, const struct json *object, Str where, const char *key,
                     int64_t min, int64_t max, int64_t *ret)
{
    const struct json *value = json_get(object, str_from_z(key));
    if (json_is_null(value))
        return OK;
    if (json_kind(value) != JSON_INT || json_int(value) < min || json_int(value) > max)
        return blueprint_refuse(
            ctx, where, key,
            str_z(ctx->arena, str_printf(ctx->arena, "has to be a whole number from %jd to %jd",
                                         (intmax_t)min, (intmax_t)max)));
    *ret = json_int(value);
    return OK;
}

Err blueprint_spintax(struct ctx *ctx, Str where, const char *key, Str text)
{
    ArenaMark mark = arena_mark(ctx->arena);
    const struct spin *spin;
    Err err = spin_parse(ctx, text, &spin);
    if (err == OK) {
        arena_rewind(ctx->arena, mark);
        return OK;
    }
    struct diag_entry *cause = ctx->diag.last;
    Str path = path_of(ctx, where, key);
    err = fail(ctx, err, "%.*s: %.*s", STR_FMT(path), STR_FMT(cause->reason));
    for (const struct diag_note *note = cause->notes; note != NULL; note = note->next)
        if (note->is_json)
            fail_note_json(ctx, note->key, note->value);
        else
            fail_note(ctx, note->key, note->value);
    fail_note(ctx, "field", path);
    return err;
}

static void list_make(struct arena *arena, uint32_t count, uint32_t columns,
                      struct blueprint_list *ret)
{
    *ret = (struct blueprint_list){.count = count};
    for (uint32_t c = 0; c < columns; c++)
        ret->columns[c] = arena_array(arena, Str, count + 1);
    ret->numbers = arena_array(arena, int64_t, count + 1);
}

fiber_fn Err blueprint_rows(struct ctx *ctx, const struct json *object, const char *key, Str known,
                            uint32_t max, uint32_t columns, BlueprintRow *read,
                            struct blueprint_list *ret)
{
    assert(columns <= BLUEPRINT_COLUMNS_MAX);
    const struct json *array = json_get(object, str_from_z(key));
    *ret = (struct blueprint_list){0};
    if (json_is_null(array))
        return OK;
    if (json_kind(array) != JSON_ARRAY)
        return blueprint_refuse(ctx, STR_NONE, key, "has to be an array");
    if (json_len(array) > max)
        return blueprint_refuse(
            ctx, STR_NONE, key,
            str_z(ctx->arena,
                  str_printf(ctx->arena, "may have %u elements, not %u", max, json_len(array))));
    struct blueprint_list list;
    list_make(ctx->arena, json_len(array), columns, &list);
    for (uint32_t i = 0; i < list.count; i++) {
        TRY(fiber_breathe(ctx));
        Str where = str_printf(ctx->arena, "%s[%u]", key, i);
        TRY(json_check_members(ctx, json_at(array, i), where, known));
        TRY(read(ctx, json_at(array, i), where, &list, i));
    }
    *ret = list;
    return OK;
}
