/*
 * A field that is there becomes another: its column, its metadata.
 */
#include "base/json/json_build.h"
#include "content/ddl/apply_internal.h"
#include "content/ddl/ddl_rows.h"
#include "gen/sql.h"

#include <assert.h>

enum { MERGED_MAX = 256 * 1024, BODY_MAX = 1024, NAME_TAKEN_MAX = 255 };

struct wish {
    Str field;
    Str type;
    bool is_retyped;
    const struct json *now;   /* the column as it is */
    const struct json *given; /* members of `schema` in the body */
};

/* Only this, of a field that came with the system. */
static Err system_body_check(struct ctx *ctx, const struct json *body)
{
    const struct json *schema = json_get(body, STR("schema"));
    bool is_index = json_len(schema) == 1 &&
                    json_kind(json_get(schema, STR("is_indexed"))) == JSON_BOOL &&
                    json_is_null(json_get(body, STR("meta")));
    return is_index ? OK
                    : fail(ctx, ERR_INVALID_PAYLOAD,
                           "Only \"schema.is_indexed\" may be modified for system fields");
}

static fiber_fn Err change_meta(struct db_tx *tx, Str collection, Str field,
                                const struct json *meta)
{
    assert(json_kind(meta) == JSON_OBJECT);
    struct ddl_row row = {.collection = collection, .field = field, .meta = meta};
    int64_t found;
    TRY(ddl_fields_describe(tx, &row, 1, &found));
    if (found == 0)
        TRY(ddl_rows_insert(tx, ROWS_OF_FIELDS, &row, 1));
    return ddl_history(tx, found > 0 ? ACTION_UPDATE : ACTION_CREATE, &row, 1);
}

/* Belongs to the type, not to the column. */
static bool is_of_type(Str member)
{
    return str_eq(member, STR("max_length")) || str_eq(member, STR("numeric_precision")) ||
           str_eq(member, STR("numeric_scale"));
}

/* The field with what its change does not name. */
static void build_merged(struct json_builder *b, const struct wish *wish)
{
    assert(wish->now != NULL && wish->type.len > 0);
    json_build_object_begin(b);
    json_build_key(b, STR("field"));
    json_build_str(b, wish->field);
    json_build_key(b, STR("type"));
    json_build_str(b, wish->type);
    json_build_key(b, STR("schema"));
    json_build_object_begin(b);
    for (struct json_iter it = json_iter(wish->now); json_next(&it);) {
        const struct json *given = json_get(wish->given, it.key);
        if (given == NULL && wish->is_retyped && is_of_type(it.key))
            continue;
        json_build_key(b, it.key);
        json_build_value(b, given != NULL ? given : it.value);
    }
    json_build_object_end(b);
    json_build_object_end(b);
}

static Err type_of_body(struct ctx *ctx, const struct json *body, Str now, Str *ret)
{
    *ret = now;
    const struct json *type = json_get(body, STR("type"));
    if (json_is_null(type))
        return OK;
    TRY(ddl_type_check(ctx, json_kind(type) == JSON_STRING ? json_str(type) : STR("")));
    *ret = json_str(type);
    if (ddl_is_alias_type(*ret) != str_eq(now, STR("alias")))
        return fail(ctx, ERR_INVALID_PAYLOAD, "Alias type cannot be changed");
    return OK;
}

static Str type_now(const struct rows *rows)
{
    assert(rows->count <= 1);
    if (rows->count == 0)
        return STR("alias");
    Str special = row_text(rows, 0, DDL_FIELD_NOW_SPECIAL);
    uint32_t oid = (uint32_t)row_int(rows, 0, DDL_FIELD_NOW_TYPE_OID);
    return str_from_z(field_type_name(field_type_of(oid, field_special_of(special), special)));
}

static Err null_check(struct ctx *ctx, const struct wish *wish)
{
    assert(wish->now != NULL);
    const struct json *nullable = json_get(wish->given, STR("is_nullable"));
    bool is_key = json_bool(json_get(wish->now, STR("is_primary_key")));
    if (is_key && json_kind(nullable) == JSON_BOOL && json_bool(nullable))
        return fail(ctx, ERR_INVALID_PAYLOAD, "Primary key cannot be null");
    return OK;
}

/* The platform relies on its columns as they are. */
static fiber_fn Err own_check(struct db_tx *tx, const struct change *change)
{
    struct rows facts;
    TRY(db_tx_query(tx, &SQL_DDL_FIELD_FACTS,
                    ARGS(db_text(change->collection), db_text(change->field)), &facts));
    assert(facts.count == 1);
    if (!row_bool(&facts, 0, DDL_FIELD_FACTS_IS_OWN))
        return OK;
    return fail(tx->ctx, ERR_CONFLICT,
                "Field \"%.*s\" cannot be changed: its column belongs to the platform.",
                STR_FMT(change->field));
}

static fiber_fn Err change_column(struct db_tx *tx, Str collection, struct wish *wish, Str now)
{
    assert(collection.len > 0 && now.len > 0);
    struct ctx *ctx = tx->ctx;
    struct json_builder *b;
    struct change change = {
        .of = OF_FIELD,
        .kind = CHANGE_ALTER,
        .collection = collection,
        .field = wish->field,
        .is_retyped = wish->is_retyped,
    };
    TRY(json_parse(ctx, now, JSON_LIMITS_DEFAULT, &change.current));
    wish->now = json_get(change.current, STR("schema"));
    TRY(null_check(ctx, wish));
    TRY(json_builder_new(ctx, MERGED_MAX, &b));
    build_merged(b, wish);
    TRY(json_builder_end(ctx, b, &change.wanted));
    apply_compare(ctx, &change);
    if (!change.has_schema && !wish->is_retyped)
        return OK;
    TRY(own_check(tx, &change));
    change.has_schema = true;
    return apply_alter_field(tx, &change, change.wanted);
}

static fiber_fn Err update_one(struct db_tx *tx, Str collection, Str field, const struct json *body)
{
    assert(tx->connection != NULL && field.len > 0);
    struct ctx *ctx = tx->ctx;
    const struct json *meta = json_get(body, STR("meta"));
    const struct json *schema = json_get(body, STR("schema"));
    struct rows now;
    if (json_kind(body) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "A field must be an object, not %s",
                    json_kind_name(body));
    bool is_system = schema_is_system_field(collection, field);
    if (is_system)
        TRY(system_body_check(ctx, body));
    TRY(db_tx_query(tx, &SQL_DDL_FIELD_NOW, ARGS(db_text(collection), db_text(field)), &now));
    TRY(ddl_audit_field(tx, STR("field_changed"), collection, field));
    Str type;
    TRY(type_of_body(ctx, body, type_now(&now), &type));
    if (json_kind(meta) == JSON_OBJECT)
        TRY(change_meta(tx, collection, field, meta));
    if (json_kind(schema) != JSON_OBJECT || now.count == 0)
        return OK;
    struct wish wish = {.field = field, .type = type, .given = schema};
    wish.is_retyped = !str_eq(type, type_now(&now));
    return change_column(tx, collection, &wish, row_text(&now, 0, DDL_FIELD_NOW_ENTRY));
}

/* ERR_FORBIDDEN as reads of it answer. */
static fiber_fn Err collection_check(struct db_tx *tx, Str collection)
{
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_DDL_COLLECTION_OWN, ARGS(db_text(collection)), &rows));
    assert(rows.count == 1);
    if (row_bool(&rows, 0, DDL_COLLECTION_OWN_IS_THERE))
        return OK;
    return schema_forbidden_collection(tx->ctx, collection, STR_NONE);
}

fiber_fn Err ddl_index_system(struct db_tx *tx, Str collection, Str field, bool is_indexed)
{
    struct json_builder *b;
    const struct json *body;
    if (!schema_is_system_field(collection, field))
        return fail(tx->ctx, ERR_INVALID_PAYLOAD, "\"%.*s.%.*s\" is not a field of the system",
                    STR_FMT(collection), STR_FMT(field));
    TRY(json_builder_new(tx->ctx, BODY_MAX, &b));
    json_build_object_begin(b);
    json_build_key(b, STR("schema"));
    json_build_object_begin(b);
    json_build_key(b, STR("is_indexed"));
    json_build_bool(b, is_indexed);
    json_build_object_end(b);
    json_build_object_end(b);
    TRY(json_builder_end(tx->ctx, b, &body));
    return update_one(tx, collection, field, body);
}

fiber_fn Err field_update(struct platform platform, Str collection, Str field,
                          const struct json *body)
{
    assert(collection.len > 0 && field.len > 0);
    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin(platform, &tx));
    TRY(collection_check(&tx, collection));
    TRY(update_one(&tx, collection, field, body));
    return ddl_commit(&tx);
}

fiber_fn Err fields_update(struct platform platform, Str collection, const struct json *list)
{
    struct ctx *ctx = platform.ctx;
    if (json_kind(list) != JSON_ARRAY)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Submitted body has to be an array");
    if (json_len(list) > DDL_FIELDS_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "More than %d fields cannot be changed at once",
                    DDL_FIELDS_MAX);
    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin(platform, &tx));
    TRY(collection_check(&tx, collection));
    for (uint32_t i = 0; i < json_len(list); i++) {
        Str field = STR_NONE;
        TRY(json_take_str(ctx, json_at(list, i), "field", NAME_TAKEN_MAX, &field));
        if (field.len == 0)
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"field\" is required");
        TRY(update_one(&tx, collection, field, json_at(list, i)));
    }
    return ddl_commit(&tx);
}
