/*
 * A relation: its row and its foreign key.
 *
 * Between two tenant-owned collections the key is the pair (site, id), so that a row can only point
 * to rows of its own site; where the target is shared with every site, the row says beside the key
 * whose it is (spark.add_library_reference). Only what the server itself writes, who created and
 * who updated, may be anybody's.
 */
#include "base/json/json_build.h"
#include "base/memory/array.h"
#include "content/ddl/ddl.h"
#include "content/ddl/ddl_internal.h"
#include "gen/sql.h"

#include <assert.h>

enum { RELATION_MAX = 65536 };

struct relation_body {
    Str collection;
    Str field;
    Str related; /* STR_NONE: to any */
    Str on_delete;
    Str on_update;
    const struct json *meta; /* NULL: no row, the foreign key alone */
};

struct facts {
    struct rows rows;
};

static Str fact_text(const struct facts *facts, uint32_t column)
{
    assert(facts->rows.count == 1);
    return row_text(&facts->rows, 0, column);
}

static bool fact(const struct facts *facts, uint32_t column)
{
    assert(facts->rows.count == 1);
    return row_bool(&facts->rows, 0, column);
}

static Err take_action(struct ctx *ctx, const struct json *schema, const char *key, Str *ret)
{
    static const Str ACTIONS[] = {STR_INIT("NO ACTION"), STR_INIT("SET NULL"),
                                  STR_INIT("SET DEFAULT"), STR_INIT("CASCADE"),
                                  STR_INIT("RESTRICT")};
    Str text = STR_NONE;
    TRY(json_take_str(ctx, schema, key, 16, &text));
    *ret = ACTIONS[0];
    if (text.len == 0)
        return OK;
    for (size_t i = 0; i < COUNT_OF(ACTIONS); i++) {
        if (str_eq_nocase(text, ACTIONS[i])) {
            *ret = ACTIONS[i];
            return OK;
        }
    }
    return fail(
        ctx, ERR_INVALID_PAYLOAD,
        "\"schema.%s\" must be one of [NO ACTION, SET NULL, SET DEFAULT, CASCADE, RESTRICT]", key);
}

static Err body_read(struct ctx *ctx, const struct json *body, struct relation_body *ret)
{
    *ret = (struct relation_body){0};
    if (json_kind(body) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "The body must be an object, not %s",
                    json_kind_name(body));
    const struct json *schema = json_get(body, STR("schema"));
    const struct json *meta = json_get(body, STR("meta"));
    if (!json_is_null(meta) && json_kind(meta) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"meta\" must be an object");
    ret->meta = json_is_null(meta) ? NULL : meta;
    TRY(json_take_str(ctx, body, "collection", 255, &ret->collection));
    TRY(json_take_str(ctx, body, "field", 255, &ret->field));
    TRY(json_take_str(ctx, body, "related_collection", 255, &ret->related));
    TRY(take_action(ctx, schema, "on_delete", &ret->on_delete));
    TRY(take_action(ctx, schema, "on_update", &ret->on_update));
    if (ret->collection.len == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"collection\" is required");
    if (ret->field.len == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"field\" is required");
    return OK;
}

static bool is_integer(Str type)
{
    return str_eq(type, STR("integer")) || str_eq(type, STR("bigint")) ||
           str_eq(type, STR("smallint"));
}

static bool is_text(Str type)
{
    return str_eq(type, STR("text")) || str_eq(type, STR("character varying"));
}

static bool types_fit(Str a, Str b)
{
    return str_eq(a, b) || (is_integer(a) && is_integer(b)) || (is_text(a) && is_text(b));
}

static Err target_check(struct ctx *ctx, const struct relation_body *body,
                        const struct facts *facts)
{
    assert(body->collection.len > 0 && body->field.len > 0);
    if (body->related.len == 0)
        return OK; /* to any */
    if (!fact(facts, DDL_RELATION_FACTS_HAS_TARGET))
        return fail(ctx, ERR_INVALID_PAYLOAD, "Collection \"%.*s\" doesn't exist",
                    STR_FMT(body->related));
    Str key_type = fact_text(facts, DDL_RELATION_FACTS_KEY_TYPE);
    Str field_type = fact_text(facts, DDL_RELATION_FACTS_FIELD_TYPE);
    if (!fact(facts, DDL_RELATION_FACTS_IS_COLUMN) || types_fit(key_type, field_type))
        return OK;
    return fail(ctx, ERR_INVALID_PAYLOAD,
                "Field \"%.*s\" is a column of the type %.*s, but the key of \"%.*s\" is %.*s",
                STR_FMT(body->field), STR_FMT(field_type), STR_FMT(body->related),
                STR_FMT(key_type));
}

static Err facts_check(struct ctx *ctx, const struct relation_body *body, const struct facts *facts)
{
    if (!fact(facts, DDL_RELATION_FACTS_HAS_COLLECTION))
        return fail(ctx, ERR_INVALID_PAYLOAD, "Collection \"%.*s\" doesn't exist",
                    STR_FMT(body->collection));
    if (!fact(facts, DDL_RELATION_FACTS_HAS_FIELD))
        return fail(ctx, ERR_INVALID_PAYLOAD, "Field \"%.*s\" doesn't exist in collection \"%.*s\"",
                    STR_FMT(body->field), STR_FMT(body->collection));
    if (fact(facts, DDL_RELATION_FACTS_HAS_RELATION))
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "Field \"%.*s\" in collection \"%.*s\" already has an associated relationship",
                    STR_FMT(body->field), STR_FMT(body->collection));
    return target_check(ctx, body, facts);
}

enum key_kind { KEY_NONE, KEY_PLAIN, KEY_SITE, KEY_PAIR, KEY_LIBRARY };

static bool is_written_by_server(Str special)
{
    return str_find(special, STR("user-created")) >= 0 ||
           str_find(special, STR("user-updated")) >= 0;
}

/* Of the system's own tables only these two can be reached by (site, id). */
static bool has_pair(Str table)
{
    return !str_starts_with(table, STR("directus_")) || str_eq(table, STR("directus_files")) ||
           str_eq(table, STR("directus_users"));
}

static enum key_kind key_kind(const struct relation_body *body, const struct facts *facts)
{
    assert(body->collection.len > 0 && body->field.len > 0);
    if (body->related.len == 0 || !fact(facts, DDL_RELATION_FACTS_IS_COLUMN) ||
        fact(facts, DDL_RELATION_FACTS_HAS_FOREIGN_KEY))
        return KEY_NONE;
    Str own = fact_text(facts, DDL_RELATION_FACTS_SITE_COLUMN);
    Str target = fact_text(facts, DDL_RELATION_FACTS_TARGET_SITE_COLUMN);
    if (own.len == 0 && str_eq(body->field, STR("site_id")) && str_eq(body->related, STR("sites")))
        return KEY_SITE;
    bool is_to_tenant =
        target.len > 0 && !str_eq(target, fact_text(facts, DDL_RELATION_FACTS_TARGET_KEY));
    if (!str_eq(own, STR("site_id")) || !is_to_tenant || !has_pair(body->related) ||
        is_written_by_server(fact_text(facts, DDL_RELATION_FACTS_SPECIAL)))
        /* A foreign key would need a key that is unique over all sites. */
        return fact(facts, DDL_RELATION_FACTS_TARGET_KEYED_BY_SITE) ? KEY_NONE : KEY_PLAIN;
    return fact(facts, DDL_RELATION_FACTS_TARGET_SHARED) ? KEY_LIBRARY : KEY_PAIR;
}

/* What happens to the row; of a pair only the reference is set, never the site. */
static Str action_text(struct arena *arena, Str action, Str column)
{
    assert(action.len > 0);
    if (column.len > 0 && str_starts_with(action, STR("SET ")))
        return str_printf(arena, "%.*s (%.*s)", STR_FMT(action), STR_FMT(column));
    return action;
}

/* Deleting a target looks for its references. The index is the relation's own, and goes with it:
 * the field is not "indexed" by it (spark.describe_columns). */
static fiber_fn Err index_key(struct db_tx *tx, const struct relation_body *body, bool is_pair)
{
    assert(tx->connection != NULL && body->related.len > 0);
    struct arena *arena = tx->ctx->arena;
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_APPLY_FIELD_INDEXES,
                    ARGS(db_text(body->collection), db_text(body->field)), &rows));
    for (uint32_t i = 0; i < rows.count; i++)
        if (!row_bool(&rows, i, APPLY_FIELD_INDEXES_IS_UNIQUE))
            return OK;
    Str name = str_cut(
        str_printf(arena, "spark_fk_%.*s_%.*s", STR_FMT(body->collection), STR_FMT(body->field)),
        DDL_NAME_MAX);
    return ddl_run(
        tx, str_printf(arena, "create index %.*s on %.*s (%s%.*s)", STR_FMT(sql_ident(arena, name)),
                       STR_FMT(sql_table(arena, body->collection)), is_pair ? "site_id, " : "",
                       STR_FMT(sql_ident(arena, body->field))));
}

static fiber_fn Err add_key(struct db_tx *tx, const struct relation_body *body,
                            const struct facts *facts, bool is_pair)
{
    assert(!is_pair || str_eq(fact_text(facts, DDL_RELATION_FACTS_SITE_COLUMN), DDL_SITE_FIELD));
    assert(body->related.len > 0 && tx->connection != NULL);
    struct arena *arena = tx->ctx->arena;
    Str table = sql_table(arena, body->collection);
    Str column = sql_ident(arena, body->field);
    Str name = str_cut(
        str_printf(arena, "%.*s_%.*s_foreign", STR_FMT(body->collection), STR_FMT(body->field)),
        DDL_NAME_MAX);
    const char *site = is_pair ? "site_id, " : "";
    Str on_delete = action_text(arena, body->on_delete, is_pair ? column : STR_NONE);
    Str target_key = sql_ident(arena, fact_text(facts, DDL_RELATION_FACTS_TARGET_KEY));
    TRY(ddl_run(tx, str_printf(arena,
                               "alter table %.*s add constraint %.*s foreign key (%s%.*s) "
                               "references %.*s (%s%.*s) on update %.*s on delete %.*s",
                               STR_FMT(table), STR_FMT(sql_ident(arena, name)), site,
                               STR_FMT(column), STR_FMT(sql_table(arena, body->related)), site,
                               STR_FMT(target_key), STR_FMT(body->on_update), STR_FMT(on_delete))));
    TRY(index_key(tx, body, is_pair));
    return is_pair ? ddl_renew_key(tx, body->collection) : OK;
}

static fiber_fn Err add_library_key(struct db_tx *tx, const struct relation_body *body,
                                    const struct facts *facts)
{
    assert(fact(facts, DDL_RELATION_FACTS_TARGET_SHARED));
    assert(body->related.len > 0);
    struct arena *arena = tx->ctx->arena;
    Str site = str_printf(arena, "%.*s_site_id", STR_FMT(body->field));
    TRY(ddl_field_name_check(tx->ctx, site));
    Str table = sql_table(arena, body->collection);
    TRY(ddl_run(tx, str_printf(arena, "alter table %.*s add column if not exists %.*s uuid",
                               STR_FMT(table), STR_FMT(sql_ident(arena, site)))));
    Str target_key = fact_text(facts, DDL_RELATION_FACTS_TARGET_KEY);
    TRY(ddl_run(tx, str_printf(arena,
                               "select spark.add_library_reference(%.*s::regclass, %.*s, %.*s, "
                               "%.*s::regclass, %.*s, %.*s)",
                               STR_FMT(sql_literal(arena, table)),
                               STR_FMT(sql_literal(arena, body->field)),
                               STR_FMT(sql_literal(arena, site)),
                               STR_FMT(sql_literal(arena, sql_table(arena, body->related))),
                               STR_FMT(sql_literal(arena, target_key)),
                               STR_FMT(sql_literal(arena, str_lower(arena, body->on_delete))))));
    return ddl_renew_key(tx, body->collection);
}

/* From now on its rows are their sites'. */
static fiber_fn Err add_site_key(struct db_tx *tx, const struct relation_body *body,
                                 const struct facts *facts)
{
    assert(str_eq(body->field, STR("site_id")));
    struct arena *arena = tx->ctx->arena;
    Str key = fact_text(facts, DDL_RELATION_FACTS_OWN_KEY);
    if (key.len == 0)
        return fail(tx->ctx, ERR_INVALID_PAYLOAD, "Collection \"%.*s\" has no primary key",
                    STR_FMT(body->collection));
    TRY(add_key(tx, body, facts, false));
    TRY(ddl_run(tx, str_printf(arena,
                               "alter table %.*s alter column site_id "
                               "set default spark.current_site()",
                               STR_FMT(sql_table(arena, body->collection)))));
    return ddl_table_protect(tx, body->collection, key);
}

static fiber_fn Err add_foreign_key(struct db_tx *tx, const struct relation_body *body,
                                    const struct facts *facts)
{
    enum key_kind kind = key_kind(body, facts);
    if (kind == KEY_NONE)
        return OK;
    TRY(ddl_become_owner(tx));
    switch (kind) {
    case KEY_SITE:
        return add_site_key(tx, body, facts);
    case KEY_LIBRARY:
        return add_library_key(tx, body, facts);
    case KEY_PAIR:
        return add_key(tx, body, facts, true);
    case KEY_PLAIN:
    case KEY_NONE:
        break;
    }
    assert(kind == KEY_PLAIN);
    return add_key(tx, body, facts, false);
}

static fiber_fn Err describe(struct platform platform, const struct relation_body *body, Str *ret)
{
    assert(body->collection.len > 0 && body->field.len > 0);
    struct ctx *ctx = platform.ctx;
    struct rows rows;
    TRY(db_query_platform(platform, &SQL_SNAPSHOT_RELATIONS,
                          ARGS(db_text(body->collection), db_text(body->field)), &rows));
    bool is_tracked = rows.count > 0;
    Str schema = is_tracked ? row_text(&rows, 0, SNAPSHOT_RELATIONS_SCHEMA) : STR_NONE;
    Str meta = is_tracked ? row_text(&rows, 0, SNAPSHOT_RELATIONS_META) : STR_NONE;
    struct json_writer w = json_writer(buf_in_arena(ctx->arena, RELATION_MAX));
    json_object_begin(&w);
    json_field_str(&w, "collection", body->collection);
    json_field_str(&w, "field", body->field);
    json_key(&w, STR("related_collection"));
    if (body->related.len > 0)
        json_put_str(&w, body->related);
    else
        json_put_null(&w);
    json_field_raw(&w, "schema", schema.len > 0 ? schema : STR("null"));
    json_field_raw(&w, "meta", meta.len > 0 ? meta : STR("null"));
    json_object_end(&w);
    *ret = buf_str(w.out);
    return buf_check(ctx, w.out, "The relation");
}

/* The column that says whose the target is comes with the relation, unless it is there already, as
 * where a snapshot brought it. */
static fiber_fn Err track_companion(struct db_tx *tx, const struct relation_body *body,
                                    const struct facts *facts)
{
    assert(tx->connection != NULL);
    struct ctx *ctx = tx->ctx;
    if (key_kind(body, facts) != KEY_LIBRARY || !fact(facts, DDL_RELATION_FACTS_IS_TRACKED) ||
        fact(facts, DDL_RELATION_FACTS_HAS_COMPANION))
        return OK;
    const struct json *hidden;
    TRY(ddl_meta_hidden(ctx, STR("input"), &hidden));
    struct ddl_field companion = {
        .name = str_printf(ctx->arena, "%.*s_site_id", STR_FMT(body->field)),
        .type = STR("uuid"),
        .meta = hidden,
    };
    return ddl_meta_field(tx, body->collection, &companion);
}

static fiber_fn Err create_in(struct db_tx *tx, const struct relation_body *relation)
{
    assert(tx->connection != NULL);
    struct ctx *ctx = tx->ctx;
    struct facts facts;
    TRY(db_tx_query(
        tx, &SQL_DDL_RELATION_FACTS,
        ARGS(db_text(relation->collection), db_text(relation->field), db_text_z(relation->related)),
        &facts.rows));
    TRY(facts_check(ctx, relation, &facts));
    TRY(ddl_audit_field(tx, STR("relation_created"), relation->collection, relation->field));
    if (relation->meta != NULL)
        TRY(ddl_meta_relation(tx, relation->collection, relation->field, relation->related,
                              relation->meta));
    TRY(track_companion(tx, relation, &facts));
    return add_foreign_key(tx, relation, &facts);
}

fiber_fn Err ddl_relation_create(struct db_tx *tx, const struct json *body)
{
    assert(tx->connection != NULL);
    struct relation_body relation;
    TRY(body_read(tx->ctx, body, &relation));
    return create_in(tx, &relation);
}

fiber_fn Err ddl_relation_key(struct db_tx *tx, const struct json *body)
{
    assert(tx->connection != NULL);
    struct relation_body relation;
    struct facts facts;
    TRY(body_read(tx->ctx, body, &relation));
    TRY(db_tx_query(
        tx, &SQL_DDL_RELATION_FACTS,
        ARGS(db_text(relation.collection), db_text(relation.field), db_text_z(relation.related)),
        &facts.rows));
    return add_foreign_key(tx, &relation, &facts);
}

fiber_fn Err relation_create(struct platform platform, const struct json *body, Str *ret)
{
    struct relation_body relation;
    TRY(body_read(platform.ctx, body, &relation));

    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin(platform, &tx));
    TRY(create_in(&tx, &relation));
    TRY(ddl_commit(&tx));
    return describe(platform, &relation, ret);
}

fiber_fn Err relation_create_tracked(struct platform platform, const struct json *body)
{
    struct relation_body relation;
    TRY(body_read(platform.ctx, body, &relation));
    if (relation.meta == NULL)
        TRY(json_of_no_members(platform.ctx, &relation.meta));

    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin(platform, &tx));
    TRY(create_in(&tx, &relation));
    return ddl_commit(&tx);
}
