/*
 * The changes of a diff, one after the other in one transaction. What goes, goes first: relations,
 * fields, collections; then what comes: collections with their fields, fields, relations.
 */
#include "base/json/json_build.h"
#include "content/ddl/apply_internal.h"
#include "content/ddl/ddl.h"
#include "content/ddl/ddl_internal.h"
#include "content/filter/filter_eval.h"
#include "gen/sql.h"

#include <assert.h>

typedef Err Step(struct db_tx *tx, const struct diff *diff, const struct change *change);

/* Where in the snapshot it was. Errors that are nobody's fault stay as they are. */
static Err with_path(struct ctx *ctx, const struct change *change, Err err)
{
    assert(change->path.len > 0);
    if (err == OK || err_info(err)->status >= 500 || err == ERR_CANCELLED || err == ERR_TIMEOUT ||
        ctx->diag.first == NULL)
        return err;
    Str said = diag_message(ctx, ctx->diag.first);
    return fail(ctx, err == ERR_CONFLICT ? ERR_CONFLICT : ERR_FAILED_VALIDATION, "%.*s: %.*s",
                STR_FMT(change->path), STR_FMT(said));
}

static fiber_fn Err each(struct db_tx *tx, const struct diff *diff, enum change_of of,
                         enum change_kind kind, Step *step)
{
    assert(of < CHANGE_OF_COUNT && kind < CHANGE_KIND_COUNT);
    for (uint32_t i = 0; i < diff->count; i++) {
        const struct change *change = &diff->list[i];
        if (change->of != of || change->kind != kind || change->kept != NULL)
            continue;
        TRY(with_path(tx->ctx, change, step(tx, diff, change)));
        TRY(ddl_resign_owner(tx));
    }
    return OK;
}

static fiber_fn Err drop_relation(struct db_tx *tx, const struct diff *diff,
                                  const struct change *change)
{
    (void)diff;
    return apply_drop_relation(tx, change);
}

static fiber_fn Err drop_field(struct db_tx *tx, const struct diff *diff,
                               const struct change *change)
{
    (void)diff;
    return ddl_field_delete(tx, change->collection, change->field);
}

static fiber_fn Err drop_collection(struct db_tx *tx, const struct diff *diff,
                                    const struct change *change)
{
    assert(change->of == OF_COLLECTION && change->current != NULL);
    (void)diff;
    return ddl_collection_delete(tx, change->collection);
}

/* A default of JSON stands in a snapshot as the text it has in the table. */
static Err build_default(struct ctx *ctx, struct json_builder *b, const struct change *field,
                         const struct json *value)
{
    const struct json *type = json_get(field->wanted, STR("type"));
    bool is_json = json_kind(type) == JSON_STRING && str_eq(json_str(type), STR("json"));
    if (is_json && json_kind(value) == JSON_STRING)
        return json_build_text(ctx, b, json_str(value), JSON_LIMITS_DEFAULT);
    json_build_value(b, value);
    return OK;
}

/* A field of the snapshot as the body that makes it. */
static Err build_field(struct ctx *ctx, struct json_builder *b, const struct change *field)
{
    assert(field->of == OF_FIELD && field->wanted != NULL);
    const struct json *schema = json_get(field->wanted, STR("schema"));
    json_build_object_begin(b);
    json_build_key(b, STR("collection"));
    json_build_str(b, field->collection);
    json_build_key(b, STR("field"));
    json_build_str(b, field->field);
    json_build_key(b, STR("type"));
    json_build_value(b, json_get(field->wanted, STR("type")));
    json_build_key(b, STR("meta"));
    json_build_value(b, json_get(field->wanted, STR("meta")));
    json_build_key(b, STR("schema"));
    json_build_object_begin(b);
    for (struct json_iter it = json_iter(schema); json_next(&it);) {
        json_build_key(b, it.key);
        if (str_eq(it.key, STR("default_value")))
            TRY(build_default(ctx, b, field, it.value));
        else
            json_build_value(b, it.value);
    }
    json_build_object_end(b);
    json_build_object_end(b);
    return OK;
}

/* Without its group, which may be made after it. */
static void build_meta(struct json_builder *b, const struct json *meta)
{
    json_build_object_begin(b);
    for (struct json_iter it = json_iter(meta); json_next(&it);) {
        json_build_key(b, it.key);
        json_build_value(b, str_eq(it.key, STR("group")) ? NULL : it.value);
    }
    json_build_object_end(b);
}

static fiber_fn Err build_collection(struct ctx *ctx, struct json_builder *b,
                                     const struct diff *diff, const struct change *change)
{
    assert(change->of == OF_COLLECTION && change->wanted != NULL);
    json_build_object_begin(b);
    json_build_key(b, STR("collection"));
    json_build_str(b, change->collection);
    json_build_key(b, STR("meta"));
    build_meta(b, json_get(change->wanted, STR("meta")));
    json_build_key(b, STR("schema"));
    json_build_value(b, json_get(change->wanted, STR("schema")));
    json_build_key(b, STR("fields"));
    json_build_array_begin(b);
    for (uint32_t i = 0; i < diff->count; i++) {
        TRY(fiber_breathe(ctx));
        const struct change *field = &diff->list[i];
        if (field->of == OF_FIELD && str_eq(field->collection, change->collection))
            TRY(with_path(ctx, field, build_field(ctx, b, field)));
    }
    json_build_array_end(b);
    json_build_object_end(b);
    return OK;
}

static fiber_fn Err collection_body(struct ctx *ctx, const struct diff *diff,
                                    const struct change *change, const struct json **ret)
{
    assert(change->kind == CHANGE_CREATE);
    struct json_builder *measuring = json_builder_measuring(ctx);
    struct json_builder *b;
    TRY(build_collection(ctx, measuring, diff, change));
    TRY(json_builder_new(ctx, json_builder_bytes(measuring), &b));
    TRY(build_collection(ctx, b, diff, change));
    return json_builder_end(ctx, b, ret);
}

static fiber_fn Err make_collection(struct db_tx *tx, const struct diff *diff,
                                    const struct change *change)
{
    assert(change->kind == CHANGE_CREATE);
    const struct json *body;
    uint32_t fields;
    TRY(collection_body(tx->ctx, diff, change, &body));
    return ddl_collection_create(tx, body, &fields);
}

static fiber_fn Err set_collection_meta(struct db_tx *tx, const struct diff *diff,
                                        const struct change *change)
{
    (void)diff;
    const struct json *meta = json_get(change->wanted, STR("meta"));
    if (json_is_null(meta))
        return OK;
    if (change->kind == CHANGE_ALTER)
        TRY(ddl_audit(tx, STR("collection_changed"), change->collection));
    return db_tx_query(tx, &SQL_APPLY_COLLECTION_META,
                       ARGS(db_text(change->collection), db_text(json_text(tx->ctx->arena, meta))),
                       NULL);
}

static Err field_body(struct ctx *ctx, const struct change *change, const struct json **ret)
{
    assert(change->of == OF_FIELD);
    struct json_builder *measuring = json_builder_measuring(ctx);
    struct json_builder *b;
    TRY(build_field(ctx, measuring, change));
    TRY(json_builder_new(ctx, json_builder_bytes(measuring), &b));
    TRY(build_field(ctx, b, change));
    return json_builder_end(ctx, b, ret);
}

/* The fields of a new collection were made with it. */
static bool is_born_with(const struct diff *diff, const struct change *field)
{
    assert(field->of == OF_FIELD);
    for (uint32_t i = 0; i < diff->count && diff->list[i].of == OF_COLLECTION; i++)
        if (diff->list[i].kind == CHANGE_CREATE &&
            str_eq(diff->list[i].collection, field->collection))
            return true;
    return false;
}

static fiber_fn Err make_field(struct db_tx *tx, const struct diff *diff,
                               const struct change *change)
{
    assert(change->kind == CHANGE_CREATE);
    struct ctx *ctx = tx->ctx;
    if (is_born_with(diff, change))
        return OK;
    const struct json *body;
    TRY(field_body(ctx, change, &body));
    return ddl_field_create(tx, body);
}

/* What the making of a field fills in by itself, a place in the order, is as the snapshot says. */
static fiber_fn Err set_field_meta(struct db_tx *tx, const struct diff *diff,
                                   const struct change *change)
{
    assert(change->of == OF_FIELD);
    (void)diff;
    struct ctx *ctx = tx->ctx;
    const struct json *meta = json_get(change->wanted, STR("meta"));
    DbArg collection = db_text(change->collection);
    DbArg field = db_text(change->field);
    if (json_is_null(meta))
        return OK;
    TRY(rule_check(ctx, json_get(meta, STR("validation"))));
    TRY(db_tx_query(tx, &SQL_APPLY_FIELD_META,
                    ARGS(collection, field, db_text(json_text(ctx->arena, meta))), NULL));
    const struct json *searchable = json_get(meta, STR("searchable"));
    if (json_kind(searchable) != JSON_BOOL)
        return OK;
    return db_tx_query(tx, &SQL_DDL_FIELD_SEARCHABLE,
                       ARGS(collection, field, db_bool(json_bool(searchable))), NULL);
}

static fiber_fn Err alter_field(struct db_tx *tx, const struct diff *diff,
                                const struct change *change)
{
    assert(change->kind == CHANGE_ALTER && (change->has_meta || change->has_schema));
    TRY(ddl_audit_field(tx, STR("field_changed"), change->collection, change->field));
    if (change->has_meta)
        TRY(set_field_meta(tx, diff, change));
    if (!change->has_schema)
        return OK;
    const struct json *body;
    TRY(field_body(tx->ctx, change, &body));
    return apply_alter_field(tx, change, body);
}

static fiber_fn Err make_relation(struct db_tx *tx, const struct diff *diff,
                                  const struct change *change)
{
    assert(change->wanted != NULL);
    (void)diff;
    return ddl_relation_create(tx, change->wanted);
}

static fiber_fn Err alter_relation(struct db_tx *tx, const struct diff *diff,
                                   const struct change *change)
{
    (void)diff;
    return apply_alter_relation(tx, change);
}

fiber_fn Err apply_steps(struct db_tx *tx, const struct diff *diff)
{
    assert(tx->connection != NULL);
    TRY(each(tx, diff, OF_RELATION, CHANGE_DELETE, drop_relation));
    TRY(each(tx, diff, OF_FIELD, CHANGE_DELETE, drop_field));
    TRY(each(tx, diff, OF_COLLECTION, CHANGE_DELETE, drop_collection));
    TRY(each(tx, diff, OF_COLLECTION, CHANGE_CREATE, make_collection));
    TRY(each(tx, diff, OF_COLLECTION, CHANGE_CREATE, set_collection_meta));
    TRY(each(tx, diff, OF_COLLECTION, CHANGE_ALTER, set_collection_meta));
    TRY(each(tx, diff, OF_FIELD, CHANGE_CREATE, make_field));
    TRY(each(tx, diff, OF_FIELD, CHANGE_CREATE, set_field_meta));
    TRY(each(tx, diff, OF_FIELD, CHANGE_ALTER, alter_field));
    TRY(each(tx, diff, OF_RELATION, CHANGE_CREATE, make_relation));
    return each(tx, diff, OF_RELATION, CHANGE_ALTER, alter_relation);
}
