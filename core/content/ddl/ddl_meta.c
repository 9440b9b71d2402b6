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

fiber_fn Err ddl_meta_field(struct db_tx *tx, Str collection, Str field, const struct json *meta)
{
    assert(collection.len > 0 && field.len > 0);
    TRY(rule_check(tx->ctx, json_get(meta, STR("validation"))));
    TRY(db_tx_query(tx, &SQL_DDL_FIELD_INSERT,
                    ARGS(db_text(collection), db_text(field), meta_arg(tx->ctx, meta)), NULL));
    bool is_searchable = true;
    TRY(json_take_bool(tx->ctx, meta, "searchable", &is_searchable));
    if (is_searchable)
        return OK;
    return db_tx_query(tx, &SQL_DDL_FIELD_SEARCHABLE,
                       ARGS(db_text(collection), db_text(field), db_bool(false)), NULL);
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
