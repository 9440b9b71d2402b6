/*
 * Which members an object may have, at every level: an unknown member is a typing error of the
 * client or an unsupported request, and ignoring it would look like acceptance.
 */
#include "base/json/json.h"
#include "base/system/ctx.h"
#include "base/text/buf.h"

#include <assert.h>

static bool is_name_char(char c)
{
    return c != ' ' && c != '{' && c != '}';
}

/* Takes one name of `rest` and, in *ret_below, the text between its braces. */
static bool next_member(Str *rest, Str *ret_name, Str *ret_below)
{
    *rest = str_trim(*rest);
    size_t len = 0;
    while (len < rest->len && is_name_char(rest->data[len]))
        len++;
    if (len == 0)
        return false;
    *ret_name = str_slice(*rest, 0, len);
    *ret_below = STR_NONE;
    size_t end = len;
    if (end < rest->len && rest->data[end] == '{') {
        uint32_t depth = 0;
        do {
            assert(end < rest->len); /* the list is a constant with balanced braces */
            depth += rest->data[end] == '{';
            depth -= rest->data[end] == '}';
            end++;
        } while (depth > 0);
        *ret_below = str_slice(*rest, len + 1, end - 1);
    }
    *rest = str_slice(*rest, end, rest->len);
    return true;
}

static bool member_find(Str known, Str name, Str *ret_below)
{
    Str candidate;
    while (next_member(&known, &candidate, ret_below)) {
        if (str_eq(candidate, name))
            return true;
    }
    return false;
}

Str json_member_names(struct arena *arena, Str known)
{
    struct buf *out = buf_in_arena(arena, known.len * 2 + 8);
    Str name;
    Str below;
    while (next_member(&known, &name, &below))
        buf_printf(out, "%s%.*s", buf_str(out).len > 0 ? ", " : "", STR_FMT(name));
    return buf_str(out);
}

/* The path of a value: printed only when it is refused, because a body may have a million
 * values. */
struct place {
    const struct place *above;
    Str name;       /* of a member or of the root; STR_NONE: an element */
    uint32_t index; /* of an element */
};

static Str place_text(struct arena *arena, const struct place *place)
{
    if (place == NULL)
        return STR_NONE;
    Str above = place_text(arena, place->above);
    if (place->name.data == NULL)
        return str_printf(arena, "%.*s[%u]", STR_FMT(above), place->index);
    return above.len == 0 ? place->name
                          : str_printf(arena, "%.*s.%.*s", STR_FMT(above), STR_FMT(place->name));
}

static Err refuse(struct ctx *ctx, const struct place *place, Str known)
{
    enum { SHOWN_MAX = 100 };
    Str names = json_member_names(ctx->arena, known);
    Str shown = str_cut(place_text(ctx->arena, place), SHOWN_MAX);
    Err err = fail_also(ctx, ERR_INVALID_PAYLOAD, "\"%.*s\" is not known here; known: %.*s",
                        STR_FMT(shown), STR_FMT(names.len > 0 ? names : STR("none")));
    fail_note(ctx, "field", shown);
    return err;
}

static Err check_value(struct ctx *ctx, const struct json *json, const struct place *place,
                       Str known);

static Err check_object(struct ctx *ctx, const struct json *object, const struct place *place,
                        Str known)
{
    for (struct json_iter it = json_iter(object); json_next(&it);) {
        Str below;
        bool is_known = member_find(known, it.key, &below);
        if (is_known && below.data == NULL)
            continue;
        const struct place member = {.above = place, .name = it.key};
        if (!is_known)
            return refuse(ctx, &member, known);
        TRY(check_value(ctx, it.value, &member, below));
    }
    return OK;
}

/* An array contains such objects; the reader of the value refuses other types. */
static Err check_value(struct ctx *ctx, const struct json *json, const struct place *place,
                       Str known)
{
    if (json_kind(json) == JSON_OBJECT)
        return check_object(ctx, json, place, known);
    for (uint32_t i = 0; json_kind(json) == JSON_ARRAY && i < json_len(json); i++) {
        if (json_kind(json_at(json, i)) == JSON_OBJECT)
            TRY(check_object(ctx, json_at(json, i),
                             &(struct place){.above = place, .name = STR_NONE, .index = i}, known));
    }
    return OK;
}

Err json_check_members(struct ctx *ctx, const struct json *object, Str where, Str known)
{
    const struct place whole = {.name = where};
    return check_value(ctx, object, where.len > 0 ? &whole : NULL, known);
}
