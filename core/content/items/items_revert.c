/*
 * Reverting: a row gets the values that one of its revisions holds.
 */
#include "base/json/json_build.h"
#include "content/items/write.h"

#include <assert.h>

enum { REVISION_MAX = 64 * 1024 * 1024 };

/* The revision as the actor may read it: an object with collection, item and data. */
static fiber_fn Err read_revision(struct ctx *ctx, Str key, const struct json **ret)
{
    static const Str FIELDS[] = {STR_INIT("collection"), STR_INIT("item"), STR_INIT("data")};
    const struct query query = {.fields = FIELDS, .field_count = 3};
    const struct items_target revisions = {STR("directus_revisions"), ITEMS_SYSTEM};
    struct value_sink *sink;
    TRY(value_sink_new(ctx, REVISION_MAX, &sink));
    TRY(items_read(ctx, revisions, key, &query, value_sink_rows(sink)));
    *ret = value_sink_value(sink);
    return OK;
}

static void build_shown(struct json_builder *b, const struct collection *collection,
                        const struct json *data)
{
    json_build_object_begin(b);
    for (struct json_iter it = json_iter(data); json_next(&it);) {
        const struct field *field = collection_field(collection, it.key);
        if (field == NULL || field->is_alias || payload_hides(field))
            continue;
        json_build_key(b, it.key);
        json_build_value(b, it.value);
    }
    json_build_object_end(b);
}

/* Without secrets, of which a revision holds only asterisks, and without fields that are gone. */
static Err shown_values(struct ctx *ctx, const struct collection *collection,
                        const struct json *data, const struct json **ret)
{
    struct json_builder *measure = json_builder_measuring(ctx);
    build_shown(measure, collection, data);
    struct json_builder *builder;
    TRY(json_builder_new(ctx, json_builder_bytes(measure), &builder));
    build_shown(builder, collection, data);
    return json_builder_end(ctx, builder, ret);
}

fiber_fn Err items_revert(struct ctx *ctx, Str revision)
{
    const struct json *found;
    TRY(read_revision(ctx, revision, &found));
    const struct json *data = json_get(found, STR("data"));
    if (json_kind(data) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Revision doesn't contain data to revert to");
    const struct schema *schema;
    Str name = json_str(json_get(found, STR("collection")));
    TRY(schema_current(ctx, &schema));
    const struct collection *collection = schema_find(schema, name);
    if (collection == NULL)
        return schema_forbidden_collection(ctx, name, STR_NONE);
    const struct json *body;
    TRY(shown_values(ctx, collection, data, &body));
    const struct items_target target = {name, collection->is_system ? ITEMS_SYSTEM : ITEMS_USER};
    return items_change(ctx, target, json_str(json_get(found, STR("item"))), body);
}
