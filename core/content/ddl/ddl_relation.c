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
#include "base/memory/map.h"
#include "content/ddl/ddl.h"
#include "content/ddl/ddl_rows.h"
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
    Str path;                /* see ddl_at */
};

/* What the database says of one relation: a row of SQL_DDL_RELATION_FACTS. */
struct facts {
    const struct rows *rows;
    uint32_t row;
};

static Str fact_text(const struct facts *facts, uint32_t column)
{
    assert(facts->row < facts->rows->count);
    return row_text(facts->rows, facts->row, column);
}

static bool fact(const struct facts *facts, uint32_t column)
{
    assert(facts->row < facts->rows->count);
    return row_bool(facts->rows, facts->row, column);
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
static void index_key(struct ddl_script *script, const struct relation_body *body,
                      const struct facts *facts, bool is_pair)
{
    assert(body->related.len > 0);
    struct arena *arena = script->tx->ctx->arena;
    if (fact(facts, DDL_RELATION_FACTS_IS_INDEXED))
        return;
    Str name = str_cut(
        str_printf(arena, "spark_fk_%.*s_%.*s", STR_FMT(body->collection), STR_FMT(body->field)),
        DDL_NAME_MAX);
    ddl_add(script, "create index %.*s on %.*s (%s%.*s)", STR_FMT(sql_ident(arena, name)),
            STR_FMT(sql_table(arena, body->collection)), is_pair ? "site_id, " : "",
            STR_FMT(sql_ident(arena, body->field)));
}

static void add_key(struct ddl_script *script, const struct relation_body *body,
                    const struct facts *facts, bool is_pair)
{
    assert(!is_pair || str_eq(fact_text(facts, DDL_RELATION_FACTS_SITE_COLUMN), DDL_SITE_FIELD));
    assert(body->related.len > 0);
    struct arena *arena = script->tx->ctx->arena;
    Str column = sql_ident(arena, body->field);
    Str name = str_cut(
        str_printf(arena, "%.*s_%.*s_foreign", STR_FMT(body->collection), STR_FMT(body->field)),
        DDL_NAME_MAX);
    const char *site = is_pair ? "site_id, " : "";
    Str on_delete = action_text(arena, body->on_delete, is_pair ? column : STR_NONE);
    Str target_key = sql_ident(arena, fact_text(facts, DDL_RELATION_FACTS_TARGET_KEY));
    ddl_add(script,
            "alter table %.*s add constraint %.*s foreign key (%s%.*s) "
            "references %.*s (%s%.*s) on update %.*s on delete %.*s",
            STR_FMT(sql_table(arena, body->collection)), STR_FMT(sql_ident(arena, name)), site,
            STR_FMT(column), STR_FMT(sql_table(arena, body->related)), site, STR_FMT(target_key),
            STR_FMT(body->on_update), STR_FMT(on_delete));
    index_key(script, body, facts, is_pair);
    if (is_pair)
        ddl_renew_key(script, body->collection);
}

static Str companion_of(struct arena *arena, const struct relation_body *body)
{
    return str_printf(arena, "%.*s_site_id", STR_FMT(body->field));
}

static Err add_library_key(struct ddl_script *script, const struct relation_body *body,
                           const struct facts *facts)
{
    assert(fact(facts, DDL_RELATION_FACTS_TARGET_SHARED));
    assert(body->related.len > 0);
    struct arena *arena = script->tx->ctx->arena;
    Str site = companion_of(arena, body);
    TRY(ddl_field_name_check(script->tx->ctx, site));
    Str table = sql_table(arena, body->collection);
    ddl_add(script, "alter table %.*s add column if not exists %.*s uuid", STR_FMT(table),
            STR_FMT(sql_ident(arena, site)));
    Str target_key = fact_text(facts, DDL_RELATION_FACTS_TARGET_KEY);
    ddl_add(script,
            "select spark.add_library_reference(%.*s::regclass, %.*s, %.*s, %.*s::regclass, %.*s, "
            "%.*s)",
            STR_FMT(sql_literal(arena, table)), STR_FMT(sql_literal(arena, body->field)),
            STR_FMT(sql_literal(arena, site)),
            STR_FMT(sql_literal(arena, sql_table(arena, body->related))),
            STR_FMT(sql_literal(arena, target_key)),
            STR_FMT(sql_literal(arena, str_lower(arena, body->on_delete))));
    ddl_renew_key(script, body->collection);
    return OK;
}

/* From now on its rows are their sites'. */
static Err add_site_key(struct ddl_script *script, const struct relation_body *body,
                        const struct facts *facts)
{
    assert(str_eq(body->field, DDL_SITE_FIELD));
    struct ctx *ctx = script->tx->ctx;
    Str key = fact_text(facts, DDL_RELATION_FACTS_OWN_KEY);
    if (key.len == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Collection \"%.*s\" has no primary key",
                    STR_FMT(body->collection));
    add_key(script, body, facts, false);
    ddl_add(script, "alter table %.*s alter column site_id set default spark.current_site()",
            STR_FMT(sql_table(ctx->arena, body->collection)));
    ddl_table_protect(script, body->collection, key);
    return OK;
}

static Err add_foreign_key(struct ddl_script *script, const struct relation_body *body,
                           const struct facts *facts)
{
    switch (key_kind(body, facts)) {
    case KEY_NONE:
        return OK;
    case KEY_SITE:
        return add_site_key(script, body, facts);
    case KEY_LIBRARY:
        return add_library_key(script, body, facts);
    case KEY_PAIR:
        add_key(script, body, facts, true);
        return OK;
    case KEY_PLAIN:
        break;
    }
    add_key(script, body, facts, false);
    return OK;
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

static fiber_fn Err facts_load(struct db_tx *tx, const struct relation_body *list, uint32_t count,
                               struct rows *ret)
{
    struct arena *arena = tx->ctx->arena;
    Str *collections = arena_array(arena, Str, count);
    Str *fields = arena_array(arena, Str, count);
    Str *related = arena_array(arena, Str, count);
    for (uint32_t i = 0; i < count; i++) {
        collections[i] = list[i].collection;
        fields[i] = list[i].field;
        related[i] = list[i].related;
    }
    TRY(db_tx_query(tx, &SQL_DDL_RELATION_FACTS,
                    ARGS(db_text_array(arena, collections, count),
                         db_text_array(arena, fields, count), db_text_array(arena, related, count)),
                    ret));
    assert(ret->count == count);
    return OK;
}

/* Relations whose facts were read together, and what is to be done for them. */
struct making {
    struct ddl_script script;
    struct map *changed; /* of what the facts are no longer true: collections, and their fields */
    struct ddl_row *relations;
    uint32_t relation_count;
    struct ddl_row *companions;
    uint32_t companion_count;
    Str *names;
    uint32_t count;
};

static void change(struct making *making, Str collection, Str field)
{
    static char mark;
    struct arena *arena = making->script.tx->ctx->arena;
    Str key = field.len == 0 ? collection
                             : str_printf(arena, "%.*s.%.*s", STR_FMT(collection), STR_FMT(field));
    map_put(making->changed, key, &mark);
}

static bool has_changed(const struct making *making, const struct relation_body *body)
{
    struct arena *arena = making->script.tx->ctx->arena;
    Str field = str_printf(arena, "%.*s.%.*s", STR_FMT(body->collection), STR_FMT(body->field));
    return map_get(making->changed, field) != NULL ||
           map_get(making->changed, body->collection) != NULL ||
           map_get(making->changed, body->related) != NULL;
}

/* The column that says whose the target is comes with the relation, unless it is there already, as
 * where a snapshot brought it. */
static Err add_companion(struct making *making, const struct relation_body *body,
                         const struct facts *facts)
{
    struct ctx *ctx = making->script.tx->ctx;
    const struct json *hidden;
    Str name = companion_of(ctx->arena, body);
    change(making, body->collection, name);
    if (!fact(facts, DDL_RELATION_FACTS_IS_TRACKED) ||
        fact(facts, DDL_RELATION_FACTS_HAS_COMPANION))
        return OK;
    TRY(ddl_meta_hidden(ctx, STR("input"), &hidden));
    making->companions[making->companion_count++] = (struct ddl_row){.collection = body->collection,
                                                                     .field = name,
                                                                     .type = STR("uuid"),
                                                                     .meta = hidden,
                                                                     .path = body->path};
    return OK;
}

static Err make(struct making *making, const struct relation_body *body, const struct facts *facts)
{
    struct ctx *ctx = making->script.tx->ctx;
    TRY(facts_check(ctx, body, facts));
    making->names[making->count++] =
        str_printf(ctx->arena, "%.*s.%.*s", STR_FMT(body->collection), STR_FMT(body->field));
    if (body->meta != NULL)
        making->relations[making->relation_count++] =
            (struct ddl_row){.collection = body->collection,
                             .field = body->field,
                             .related = body->related,
                             .meta = body->meta,
                             .path = body->path};
    change(making, body->collection, body->field);
    enum key_kind kind = key_kind(body, facts);
    if (kind == KEY_SITE)
        change(making, body->collection, STR_NONE);
    if (kind == KEY_LIBRARY)
        TRY(add_companion(making, body, facts));
    making->script.path = body->path;
    return add_foreign_key(&making->script, body, facts);
}

static fiber_fn Err carry_out(struct making *making)
{
    struct db_tx *tx = making->script.tx;
    TRY(ddl_rows_insert(tx, ROWS_OF_RELATIONS, making->relations, making->relation_count));
    TRY(ddl_rows_insert(tx, ROWS_OF_FIELDS, making->companions, making->companion_count));
    TRY(ddl_audit_each(tx, STR("relation_created"), making->names, making->count));
    return ddl_script_run(&making->script);
}

/* As many as the same facts are true of, usually all. */
static fiber_fn Err create_together(struct db_tx *tx, const struct relation_body *list,
                                    uint32_t count, uint32_t *ret_made)
{
    struct arena *arena = tx->ctx->arena;
    struct rows rows;
    struct making making = {.script = {.tx = tx},
                            .changed = map_in_arena(arena),
                            .relations = arena_array(arena, struct ddl_row, count),
                            .companions = arena_array(arena, struct ddl_row, count),
                            .names = arena_array(arena, Str, count)};
    TRY(facts_load(tx, list, count, &rows));
    while (making.count < count && !has_changed(&making, &list[making.count])) {
        TRY(fiber_breathe(tx->ctx));
        const struct relation_body *body = &list[making.count];
        struct facts facts = {&rows, making.count};
        TRY(ddl_at(tx->ctx, body->path, make(&making, body, &facts)));
    }
    assert(making.count > 0);
    *ret_made = making.count;
    return carry_out(&making);
}

static fiber_fn Err create_all(struct db_tx *tx, const struct relation_body *list, uint32_t count)
{
    uint32_t made;
    for (uint32_t from = 0; from < count; from += made)
        TRY(create_together(tx, list + from, count - from, &made));
    return OK;
}

fiber_fn Err ddl_relations_create(struct db_tx *tx, const struct ddl_relation *list, uint32_t count)
{
    struct ctx *ctx = tx->ctx;
    struct relation_body *bodies = arena_array(ctx->arena, struct relation_body, count);
    for (uint32_t i = 0; i < count; i++) {
        TRY(ddl_at(ctx, list[i].path, body_read(ctx, list[i].body, &bodies[i])));
        bodies[i].path = list[i].path;
    }
    return create_all(tx, bodies, count);
}

fiber_fn Err ddl_relation_key(struct db_tx *tx, const struct json *body)
{
    struct relation_body relation;
    struct rows rows;
    struct ddl_script script = {.tx = tx};
    TRY(body_read(tx->ctx, body, &relation));
    TRY(facts_load(tx, &relation, 1, &rows));
    TRY(add_foreign_key(&script, &relation, &(struct facts){&rows, 0}));
    return ddl_script_run(&script);
}

fiber_fn Err relation_create(struct platform platform, const struct json *body, Str *ret)
{
    struct relation_body relation;
    TRY(body_read(platform.ctx, body, &relation));

    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin(platform, &tx));
    TRY(create_all(&tx, &relation, 1));
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
    TRY(create_all(&tx, &relation, 1));
    return ddl_commit(&tx);
}
