#include "content/system/version_secrets.h"

#include "base/json/json_build.h"
#include "content/schema/sealed.h"
#include "content/system/versions.h"

#include <assert.h>

struct converter {
    struct ctx *ctx;
    const struct schema *schema;
    struct json_builder *out;
    enum secrets form;
};

static Err put_row(struct converter *c, const struct collection *collection, const struct json *row,
                   int depth);

/* Sealed is the JSON of a value, so that it opens as it was. */
static Err put_sealed(struct converter *c, const struct field *field, const struct json *value)
{
    Str sealed;
    Str text = json_text(c->ctx->arena, value);
    if (text.len > FIELD_SEAL_MAX)
        return fail(c->ctx, ERR_VALUE_TOO_LONG, "Value for field \"%.*s\" is too long.",
                    STR_FMT(field->name));
    TRY(field_seal(c->ctx, field, text, &sealed));
    json_build_str(c->out, sealed);
    return OK;
}

static Err put_opened(struct converter *c, const struct field *field, const struct json *value)
{
    Str opened;
    if (json_kind(value) == JSON_STRING && field_unseal(c->ctx, field, json_str(value), &opened))
        return json_build_text(c->ctx, c->out, opened, JSON_LIMITS_DEFAULT);
    json_build_value(c->out, value);
    return OK;
}

static Err put_secret(struct converter *c, const struct field *field, const struct json *value)
{
    assert(field_is_sealed(field));
    bool is_empty = json_kind(value) == JSON_STRING && json_str(value).len == 0;
    if (json_is_null(value) || is_empty)
        json_build_value(c->out, value);
    else if (c->form == SECRETS_SEALED)
        return put_sealed(c, field, value);
    else if (c->form == SECRETS_OPEN)
        return put_opened(c, field, value);
    else
        json_build_str(c->out, STR(FIELD_MASK));
    return OK;
}

static Err put_rows(struct converter *c, const struct collection *target, const struct json *rows,
                    int depth)
{
    if (json_kind(rows) == JSON_OBJECT)
        return put_row(c, target, rows, depth);
    if (json_kind(rows) != JSON_ARRAY) {
        json_build_value(c->out, rows);
        return OK;
    }
    json_build_array_begin(c->out);
    for (uint32_t i = 0; i < json_len(rows); i++)
        TRY(put_rows(c, target, json_at(rows, i), depth + 1));
    json_build_array_end(c->out);
    return OK;
}

/* A list of rows, or {"create": […], "update": […], "delete": […]}. */
static Err put_children(struct converter *c, const struct collection *target,
                        const struct json *children, int depth)
{
    if (json_kind(children) != JSON_OBJECT)
        return put_rows(c, target, children, depth);
    json_build_object_begin(c->out);
    for (struct json_iter it = json_iter(children); json_next(&it);) {
        json_build_key(c->out, it.key);
        TRY(put_rows(c, target, it.value, depth + 1));
    }
    json_build_object_end(c->out);
    return OK;
}

/* NULL: a to-any reference that does not say to which collection. */
static const struct collection *target_of(const struct converter *c,
                                          const struct relation *relation, const struct json *row)
{
    if (relation->kind != RELATION_TO_ANY)
        return relation->target;
    const struct json *name = json_get(row, relation->collection_field->name);
    return json_kind(name) == JSON_STRING ? schema_find(c->schema, json_str(name)) : NULL;
}

static Err put_member(struct converter *c, const struct field *field, const struct json *row,
                      const struct json *value, int depth)
{
    if (field != NULL && field_is_sealed(field))
        return put_secret(c, field, value);
    const struct collection *target =
        field == NULL || field->relation == NULL ? NULL : target_of(c, field->relation, row);
    if (target == NULL)
        json_build_value(c->out, value);
    else if (field->relation->kind == RELATION_TO_MANY)
        return put_children(c, target, value, depth + 1);
    else
        return put_rows(c, target, value, depth + 1);
    return OK;
}

/* Recursion is limited by the depth of the JSON. */
static Err put_row(struct converter *c, const struct collection *collection, const struct json *row,
                   int depth)
{
    assert(json_kind(row) == JSON_OBJECT && depth <= JSON_DEPTH_MAX);
    json_build_object_begin(c->out);
    for (struct json_iter it = json_iter(row); json_next(&it);) {
        json_build_key(c->out, it.key);
        TRY(put_member(c, collection_field(collection, it.key), row, it.value, depth));
    }
    json_build_object_end(c->out);
    return OK;
}

Err version_secrets(struct ctx *ctx, const struct schema *schema,
                    const struct collection *collection, const struct json *members,
                    enum secrets form, const struct json **ret)
{
    assert(json_kind(members) == JSON_OBJECT);
    struct converter c = {.ctx = ctx, .schema = schema, .form = form};
    TRY(json_builder_new(ctx, VERSION_ITEM_MAX, &c.out));
    TRY(put_row(&c, collection, members, 0));
    return json_builder_end(ctx, c.out, ret);
}
