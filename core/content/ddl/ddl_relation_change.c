/*
 * Relations that are there: what is said of them, what their foreign key does, their end.
 */
#include "base/json/json_build.h"
#include "content/ddl/apply_internal.h"
#include "content/ddl/ddl.h"
#include "content/ddl/ddl_rows.h"
#include "gen/sql.h"

#include <assert.h>

enum { BODY_MAX = 64 * 1024 };

/* ERR_FORBIDDEN: no such collection; ERR_INVALID_PAYLOAD: no such field, no relation. */
static fiber_fn Err find(struct db_tx *tx, Str collection, Str field, struct rows *ret)
{
    struct ctx *ctx = tx->ctx;
    struct rows facts;
    DbArg names[] = {db_text(collection), db_text(field)};
    TRY(db_tx_query(tx, &SQL_DDL_FIELD_FACTS, ARGS(names[0], names[1]), &facts));
    assert(facts.count == 1);
    if (!row_bool(&facts, 0, DDL_FIELD_FACTS_HAS_COLLECTION))
        return schema_forbidden_collection(ctx, collection, STR_NONE);
    if (schema_is_system_field(collection, field))
        return fail_plain(ctx, ERR_FORBIDDEN);
    if (!row_bool(&facts, 0, DDL_FIELD_FACTS_HAS_FIELD))
        return fail(ctx, ERR_INVALID_PAYLOAD, "Field \"%.*s\" doesn't exist in collection \"%.*s\"",
                    STR_FMT(field), STR_FMT(collection));
    TRY(db_tx_query(tx, &SQL_CATALOG_RELATIONS, ARGS(names[0], names[1]), ret));
    if (ret->count == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "Field \"%.*s\" in collection \"%.*s\" doesn't have a relationship.",
                    STR_FMT(field), STR_FMT(collection));
    if (!row_bool(&facts, 0, DDL_FIELD_FACTS_IS_OWN))
        return OK;
    return fail(ctx, ERR_CONFLICT, "The relation of \"%.*s\" belongs to the platform.",
                STR_FMT(field));
}

static const struct json *action_of(const struct json *now, const struct json *given,
                                    const char *key)
{
    const struct json *wanted = json_get(given, str_from_z(key));
    return json_is_null(wanted) ? json_get(now, str_from_z(key)) : wanted;
}

/* The relation with the actions that it keeps or gets. */
static Err key_body(struct ctx *ctx, const struct rows *now, const struct json *current,
                    const struct json *given, const struct json **ret)
{
    assert(now->count > 0);
    static const char *const ACTIONS[] = {"on_delete", "on_update"};
    struct json_builder *b;
    TRY(json_builder_new(ctx, BODY_MAX, &b));
    json_build_object_begin(b);
    json_build_key(b, STR("collection"));
    json_build_str(b, row_text(now, 0, CATALOG_RELATIONS_COLLECTION));
    json_build_key(b, STR("field"));
    json_build_str(b, row_text(now, 0, CATALOG_RELATIONS_FIELD));
    json_build_key(b, STR("related_collection"));
    json_build_str(b, row_text(now, 0, CATALOG_RELATIONS_RELATED));
    json_build_key(b, STR("schema"));
    json_build_object_begin(b);
    for (size_t i = 0; i < 2; i++) {
        json_build_key(b, str_from_z(ACTIONS[i]));
        json_build_value(b, action_of(current, given, ACTIONS[i]));
    }
    json_build_object_end(b);
    json_build_object_end(b);
    return json_builder_end(ctx, b, ret);
}

static fiber_fn Err change_key(struct db_tx *tx, const struct rows *now, const struct json *given)
{
    assert(now->count > 0);
    struct ctx *ctx = tx->ctx;
    Str collection = row_text(now, 0, CATALOG_RELATIONS_COLLECTION);
    Str field = row_text(now, 0, CATALOG_RELATIONS_FIELD);
    Str text = row_text(now, 0, CATALOG_RELATIONS_SCHEMA);
    const struct json *current = NULL;
    const struct json *body;
    if (row_text(now, 0, CATALOG_RELATIONS_RELATED).len == 0 || json_len(given) == 0)
        return OK;
    if (str_eq(field, DDL_SITE_FIELD))
        return fail(ctx, ERR_CONFLICT,
                    "The relation of \"site_id\" says whose the rows are and cannot be changed.");
    if (text.len > 0)
        TRY(json_parse(ctx, text, JSON_LIMITS_DEFAULT, &current));
    TRY(key_body(ctx, now, current, given, &body));
    TRY(apply_drop_keys(tx, collection, field));
    return ddl_relation_key(tx, body);
}

static Err related_check(struct ctx *ctx, const struct rows *now, const struct json *body)
{
    assert(now->count > 0);
    const struct json *related = json_get(body, STR("related_collection"));
    Str current = row_text(now, 0, CATALOG_RELATIONS_RELATED);
    if (json_is_null(related) ||
        (json_kind(related) == JSON_STRING && str_eq(json_str(related), current)))
        return OK;
    return fail(ctx, ERR_INVALID_PAYLOAD,
                "\"related_collection\" can't be changed: make a new field");
}

static fiber_fn Err change_meta(struct db_tx *tx, const struct rows *now, const struct json *meta)
{
    assert(now->count > 0 && json_kind(meta) == JSON_OBJECT);
    struct rows rows;
    DbArg names[] = {db_text(row_text(now, 0, CATALOG_RELATIONS_COLLECTION)),
                     db_text(row_text(now, 0, CATALOG_RELATIONS_FIELD))};
    TRY(db_tx_query(tx, &SQL_APPLY_RELATION_META,
                    ARGS(names[0], names[1], db_text(json_text(tx->ctx->arena, meta))), &rows));
    struct ddl_row row = {.collection = row_text(now, 0, CATALOG_RELATIONS_COLLECTION),
                          .field = row_text(now, 0, CATALOG_RELATIONS_FIELD),
                          .related = row_text(now, 0, CATALOG_RELATIONS_RELATED),
                          .meta = meta};
    return rows.affected > 0 ? OK : ddl_rows_insert(tx, ROWS_OF_RELATIONS, &row, 1);
}

fiber_fn Err relation_update(struct platform platform, Str collection, Str field,
                             const struct json *body)
{
    struct ctx *ctx = platform.ctx;
    const struct json *meta = json_get(body, STR("meta"));
    SCOPED_TX struct db_tx tx = {0};
    struct rows now;
    TRY(ddl_begin(platform, &tx));
    TRY(find(&tx, collection, field, &now));
    TRY(related_check(ctx, &now, body));
    TRY(ddl_audit_field(&tx, STR("relation_changed"), collection, field));
    if (json_kind(meta) == JSON_OBJECT)
        TRY(change_meta(&tx, &now, meta));
    if (json_kind(json_get(body, STR("schema"))) == JSON_OBJECT)
        TRY(change_key(&tx, &now, json_get(body, STR("schema"))));
    return ddl_commit(&tx);
}

fiber_fn Err relation_delete(struct platform platform, Str collection, Str field)
{
    assert(collection.len > 0 && field.len > 0);
    SCOPED_TX struct db_tx tx = {0};
    struct rows now;
    TRY(ddl_begin(platform, &tx));
    TRY(find(&tx, collection, field, &now));
    if (str_eq(field, DDL_SITE_FIELD))
        return fail(platform.ctx, ERR_CONFLICT,
                    "The relation of \"site_id\" says whose the rows are and cannot be deleted.");
    TRY(ddl_audit_field(&tx, STR("relation_deleted"), collection, field));
    TRY(db_tx_query(&tx, &SQL_APPLY_RELATION_FORGET, ARGS(db_text(collection), db_text(field)),
                    NULL));
    TRY(apply_drop_keys(&tx, collection, field));
    return ddl_commit(&tx);
}
