/*
 * Rows of directus_collections, directus_fields and directus_relations.
 */
#include "base/json/json_build.h"
#include "content/ddl/ddl_internal.h"
#include "content/filter/filter_eval.h"
#include "gen/sql.h"

#include <assert.h>

enum { HIDDEN_BYTES = 2048 };

static DbArg meta_arg(struct ctx *ctx, const struct json *meta)
{
    return db_text(meta == NULL ? STR("{}") : json_text(ctx->arena, meta));
}

fiber_fn Err ddl_meta_collection(struct db_tx *tx, Str collection, const struct json *meta)
{
    assert(collection.len > 0);
    return db_tx_query(tx, &SQL_DDL_COLLECTION_INSERT,
                       ARGS(db_text(collection), meta_arg(tx->ctx, meta)), NULL);
}

/* Of the types, only JSON marks its field without being asked, as in Directus. */
static fiber_fn Err mark_json(struct db_tx *tx, Str collection, const struct ddl_field *field)
{
    if (!str_eq(field->type, STR("json")) || !json_is_null(json_get(field->meta, STR("special"))))
        return OK;
    return db_tx_query(tx, &SQL_DDL_FIELD_SPECIAL,
                       ARGS(db_text(collection), db_text(field->name), db_text(STR("cast-json"))),
                       NULL);
}

fiber_fn Err ddl_meta_field(struct db_tx *tx, Str collection, const struct ddl_field *field)
{
    assert(collection.len > 0 && field->name.len > 0);
    const struct json *meta = field->meta;
    DbArg names[] = {db_text(collection), db_text(field->name)};
    TRY(rule_check(tx->ctx, json_get(meta, STR("validation"))));
    bool is_new = field->type.len > 0; /* otherwise only its metadata is */
    TRY(db_tx_query(tx, &SQL_DDL_FIELD_INSERT,
                    ARGS(names[0], names[1], meta_arg(tx->ctx, meta), db_bool(is_new)), NULL));
    TRY(mark_json(tx, collection, field));
    bool is_searchable = true;
    TRY(json_take_bool(tx->ctx, meta, "searchable", &is_searchable));
    if (is_searchable)
        return OK;
    return db_tx_query(tx, &SQL_DDL_FIELD_SEARCHABLE, ARGS(names[0], names[1], db_bool(false)),
                       NULL);
}

fiber_fn Err ddl_meta_relation(struct db_tx *tx, Str collection, Str field, Str related,
                               const struct json *meta)
{
    assert(collection.len > 0 && field.len > 0);
    return db_tx_query(
        tx, &SQL_DDL_RELATION_INSERT,
        ARGS(db_text(collection), db_text(field), db_text_z(related), meta_arg(tx->ctx, meta)),
        NULL);
}

Err ddl_meta_hidden(struct ctx *ctx, Str interface, const struct json **ret)
{
    assert(interface.len > 0);
    struct json_builder *b;
    TRY(json_builder_new(ctx, HIDDEN_BYTES, &b));
    json_build_object_begin(b);
    json_build_key(b, STR("hidden"));
    json_build_bool(b, true);
    json_build_key(b, STR("readonly"));
    json_build_bool(b, true);
    json_build_key(b, STR("interface"));
    json_build_str(b, interface);
    json_build_object_end(b);
    return json_builder_end(ctx, b, ret);
}
