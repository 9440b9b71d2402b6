/*
 * The snapshot from the database, on the platform lane, in one sync group between two reads of the
 * epoch. Statements of a read group do not share a snapshot, so if the two reads differ, the schema
 * was changed in between and the load starts over.
 */
#include "base/json/json.h"
#include "base/system/counters.h"
#include "base/system/log.h"
#include "content/filter/filter.h"
#include "content/schema/schema.h"
#include "content/schema/schema_build.h"
#include "gen/sql.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"

#include <assert.h>

enum { LOAD_TRIES = 3, VALIDATION_DEPTH_MAX = 24, SNAPSHOT_COLUMNS_MAX = 100000 };

struct answers {
    struct rows epoch_before;
    struct rows columns;
    struct rows fields;
    struct rows relations;
    struct rows foreign_keys;
    struct rows collections;
    struct rows tenants;
    struct rows roles;
    struct rows epoch_after;
};

static fiber_fn Err ask(struct ctx *ctx, struct answers *ret)
{
    struct db_batch batch = {.lane = DB_READ};
    db_batch_add(&batch, &SQL_DB_EPOCH, NO_ARGS, &ret->epoch_before);
    db_batch_add(&batch, &SQL_SCHEMA_COLUMNS, NO_ARGS, &ret->columns);
    db_batch_add(&batch, &SQL_SCHEMA_FIELDS, NO_ARGS, &ret->fields);
    db_batch_add(&batch, &SQL_SCHEMA_RELATIONS, NO_ARGS, &ret->relations);
    db_batch_add(&batch, &SQL_SCHEMA_FOREIGN_KEYS, NO_ARGS, &ret->foreign_keys);
    db_batch_add(&batch, &SQL_SCHEMA_COLLECTIONS, NO_ARGS, &ret->collections);
    db_batch_add(&batch, &SQL_SCHEMA_TENANTS, NO_ARGS, &ret->tenants);
    db_batch_add(&batch, &SQL_SCHEMA_ROLES, NO_ARGS, &ret->roles);
    db_batch_add(&batch, &SQL_DB_EPOCH, NO_ARGS, &ret->epoch_after);
    assert(batch.count <= DB_BATCH_MAX);
    return db_batch_run_platform(reactor_platform(ctx), &batch);
}

static fiber_fn void add_columns(struct schema *schema, const struct rows *rows)
{
    assert(rows->count <= SNAPSHOT_COLUMNS_MAX);
    for (uint32_t i = 0; i < rows->count; i++) {
        fiber_pause();
        schema_add_column(schema,
                          &(struct column_facts){
                              .collection = row_text(rows, i, SCHEMA_COLUMNS_COLLECTION),
                              .field = row_text(rows, i, SCHEMA_COLUMNS_FIELD),
                              .type_oid = (uint32_t)row_int(rows, i, SCHEMA_COLUMNS_TYPE_OID),
                              .max_length = (int32_t)row_int(rows, i, SCHEMA_COLUMNS_MAX_LENGTH),
                              .is_nullable = row_bool(rows, i, SCHEMA_COLUMNS_IS_NULLABLE),
                              .has_default = row_bool(rows, i, SCHEMA_COLUMNS_HAS_DEFAULT),
                              .is_generated = row_bool(rows, i, SCHEMA_COLUMNS_IS_GENERATED),
                              .key_columns = (int32_t)row_int(rows, i, SCHEMA_COLUMNS_KEY_COLUMNS),
                              .is_own = row_bool(rows, i, SCHEMA_COLUMNS_IS_OWN),
                              .indexed = (enum field_index)row_int(rows, i, SCHEMA_COLUMNS_INDEXED),
                          });
    }
}

/* An invalid rule is ignored and logged. */
static const struct filter_value *parse_validation(struct ctx *ctx, struct schema *schema, Str text)
{
    if (text.len == 0 || str_eq(text, STR("null")))
        return NULL;
    struct ctx in_schema = {
        .arena = schema->arena, .reactor = ctx->reactor, .deadline_us = ctx->deadline_us};
    struct json_limits limits = {VALIDATION_DEPTH_MAX, JSON_KEYS_MAX};
    const struct json *parsed;
    const struct filter_value *rule;
    if (json_parse(&in_schema, str_dup(schema->arena, text), limits, &parsed) == OK &&
        filter_read(&in_schema, schema->arena, parsed, &rule) == OK)
        return rule;
    log_event(LOG_WARN, "field_validation_unreadable", LOG_I("bytes", text.len));
    return NULL;
}

static fiber_fn void add_fields(struct ctx *ctx, struct schema *schema, const struct rows *rows)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        fiber_pause();
        Str validation = row_text(rows, i, SCHEMA_FIELDS_VALIDATION);
        schema_set_field(schema, row_text(rows, i, SCHEMA_FIELDS_COLLECTION),
                         row_text(rows, i, SCHEMA_FIELDS_FIELD),
                         row_text(rows, i, SCHEMA_FIELDS_SPECIAL),
                         parse_validation(ctx, schema, validation),
                         row_bool(rows, i, SCHEMA_FIELDS_IS_SEARCHABLE));
    }
}

static fiber_fn void add_relations(struct schema *schema, const struct rows *rows)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        fiber_pause();
        schema_add_relation(
            schema, &(struct relation_facts){
                        .many_collection = row_text(rows, i, SCHEMA_RELATIONS_MANY_COLLECTION),
                        .many_field = row_text(rows, i, SCHEMA_RELATIONS_MANY_FIELD),
                        .one_collection = row_text(rows, i, SCHEMA_RELATIONS_ONE_COLLECTION),
                        .one_field = row_text(rows, i, SCHEMA_RELATIONS_ONE_FIELD),
                        .collection_field = row_text(rows, i, SCHEMA_RELATIONS_COLLECTION_FIELD),
                        .allowed = row_text(rows, i, SCHEMA_RELATIONS_ALLOWED),
                        .sort_field = row_text(rows, i, SCHEMA_RELATIONS_SORT_FIELD),
                        .deselect_deletes = row_bool(rows, i, SCHEMA_RELATIONS_DELETES),
                    });
    }
}

static fiber_fn void add_collections(struct schema *schema, const struct answers *answers)
{
    const struct rows *rows = &answers->collections;
    for (uint32_t i = 0; i < rows->count; i++) {
        fiber_pause();
        schema_set_collection(schema, row_text(rows, i, SCHEMA_COLLECTIONS_COLLECTION),
                              row_text(rows, i, SCHEMA_COLLECTIONS_SORT_FIELD),
                              row_text(rows, i, SCHEMA_COLLECTIONS_ACCOUNTABILITY),
                              row_bool(rows, i, SCHEMA_COLLECTIONS_IS_SINGLETON));
    }
    rows = &answers->tenants;
    for (uint32_t i = 0; i < rows->count; i++)
        schema_set_tenant(schema,
                          &(struct tenant_facts){
                              .collection = row_text(rows, i, SCHEMA_TENANTS_COLLECTION),
                              .site_column = row_text(rows, i, SCHEMA_TENANTS_SITE_COLUMN),
                              .is_shared_read = row_bool(rows, i, SCHEMA_TENANTS_SHARED_READ),
                              .is_site_optional = row_bool(rows, i, SCHEMA_TENANTS_SITE_OPTIONAL),
                              .is_read_only = row_bool(rows, i, SCHEMA_TENANTS_READ_ONLY),
                              .is_audited = row_bool(rows, i, SCHEMA_TENANTS_AUDITED),
                              .is_keyed_by_site = row_bool(rows, i, SCHEMA_TENANTS_KEYED_BY_SITE),
                          });
    rows = &answers->roles;
    for (uint32_t i = 0; i < rows->count; i++)
        schema_set_role(schema, row_uuid(rows, i, SCHEMA_ROLES_ID),
                        row_uuid(rows, i, SCHEMA_ROLES_PARENT));
}

static fiber_fn void add_foreign_keys(struct schema *schema, const struct rows *rows)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        fiber_pause();
        Str collection = row_text(rows, i, SCHEMA_FOREIGN_KEYS_COLLECTION);
        Str field = row_text(rows, i, SCHEMA_FOREIGN_KEYS_FIELD);
        Str target = row_text(rows, i, SCHEMA_FOREIGN_KEYS_TARGET);
        schema_add_foreign_key(schema, collection, field, target,
                               row_text(rows, i, SCHEMA_FOREIGN_KEYS_TARGET_FIELD));
        schema_set_reference(
            schema, &(struct reference_facts){
                        .collection = collection,
                        .field = field,
                        .target = target,
                        .target_field = row_text(rows, i, SCHEMA_FOREIGN_KEYS_TARGET_FIELD),
                        .site_field = row_text(rows, i, SCHEMA_FOREIGN_KEYS_SITE_FIELD),
                    });
        if (row_bool(rows, i, SCHEMA_FOREIGN_KEYS_KEEPS_SITE))
            schema_set_keeps_site(schema, collection, field, target);
    }
}

/* The new schema is private until it is complete: other fibers use the current one, or wait at the
 * gate of schema_find.c. */
static fiber_fn struct schema *build(struct ctx *ctx, const struct answers *answers)
{
    assert(answers->epoch_before.count == 1 && answers->epoch_after.count == 1);
    struct schema *schema = schema_new(row_int(&answers->epoch_after, 0, DB_EPOCH_EPOCH));
    add_columns(schema, &answers->columns);
    schema_add_system(schema);
    add_fields(ctx, schema, &answers->fields);
    add_collections(schema, answers);
    add_relations(schema, &answers->relations);
    add_foreign_keys(schema, &answers->foreign_keys);
    schema_finish(schema);
    return schema;
}

fiber_fn Err schema_load(struct ctx *ctx, struct schema **ret)
{
    SCOPED_CTX struct ctx loader = ctx_as_machinery(ctx, "all tenants share the schema");
    for (int i = 0; i < LOAD_TRIES; i++) {
        struct answers answers;
        TRY(ask(&loader, &answers));
        if (answers.epoch_before.count != 1 || answers.epoch_after.count != 1)
            return fail(ctx, ERR_CONFIG, "the database has no epoch: run `spark migrate`");
        if (answers.columns.count > SNAPSHOT_COLUMNS_MAX)
            return fail(ctx, ERR_CONFIG, "more than %d columns", SNAPSHOT_COLUMNS_MAX);
        if (row_int(&answers.epoch_before, 0, DB_EPOCH_EPOCH) !=
            row_int(&answers.epoch_after, 0, DB_EPOCH_EPOCH))
            continue;
        counter_inc(schema_loads);
        *ret = build(&loader, &answers);
        assert((*ret)->references == 1);
        return OK;
    }
    return fail(ctx, ERR_STALE_EPOCH, "the schema keeps changing");
}
