/*
 * A schema snapshot made by hand, and compiling against it without a database: for unit tests of
 * the query compiler and for its fuzzer.
 */
#pragma once

#include "access/grants/actor.h"
#include "content/plan/plan.h"
#include "content/schema/schema.h"
#include "content/schema/schema_build.h"
#include "ctx_be.h"

static inline void snapshot_column(struct schema *schema, const char *collection, const char *field,
                                   uint32_t oid, bool is_key)
{
    schema_add_column(schema, &(struct column_facts){.collection = str_from_z(collection),
                                                     .field = str_from_z(field),
                                                     .type_oid = oid,
                                                     .is_nullable = !is_key,
                                                     .key_columns = is_key});
}

/* Two sites' blog: authors ← posts ← comments, all owned by tenants; a shared library; a table of
 * nobody's. */
static inline struct schema *snapshot_make(void)
{
    static const struct {
        const char *collection;
        const char *field;
        uint32_t oid;
        bool is_key;
    } COLUMNS[] = {
        {"sites", "id", OID_UUID, true},
        {"sites", "name", OID_TEXT, false},
        {"authors", "id", OID_UUID, true},
        {"authors", "site_id", OID_UUID, false},
        {"authors", "name", OID_VARCHAR, false},
        {"authors", "secret", OID_TEXT, false},
        {"posts", "id", OID_UUID, true},
        {"posts", "site_id", OID_UUID, false},
        {"posts", "title", OID_VARCHAR, false},
        {"posts", "n", OID_INT4, false},
        {"posts", "big", OID_INT8, false},
        {"posts", "dec", OID_NUMERIC, false},
        {"posts", "f", OID_FLOAT8, false},
        {"posts", "ok", OID_BOOL, false},
        {"posts", "at", OID_TIMESTAMPTZ, false},
        {"posts", "day", OID_DATE, false},
        {"posts", "meta", OID_JSONB, false},
        {"posts", "author", OID_UUID, false},
        {"comments", "id", OID_INT4, true},
        {"comments", "site_id", OID_UUID, false},
        {"comments", "post", OID_UUID, false},
        {"comments", "body", OID_TEXT, false},
        {"snippets", "id", OID_UUID, true},
        {"snippets", "site_id", OID_UUID, false},
        {"nobodys", "id", OID_INT4, true},
        {"nobodys", "na\"me", OID_TEXT, false},
        {"directus_users", "id", OID_UUID, true},
        {"directus_users", "site_id", OID_UUID, false},
        {"directus_users", "email", OID_TEXT, false},
        {"directus_users", "password", OID_TEXT, false},
    };
    struct schema *schema = schema_new(1);
    for (size_t i = 0; i < sizeof COLUMNS / sizeof COLUMNS[0]; i++)
        snapshot_column(schema, COLUMNS[i].collection, COLUMNS[i].field, COLUMNS[i].oid,
                        COLUMNS[i].is_key);
    schema_add_system(schema);
    schema_set_field(schema, STR("authors"), STR("secret"), STR("hash,conceal"), NULL, true);
    schema_add_relation(schema, &(struct relation_facts){.many_collection = STR("posts"),
                                                         .many_field = STR("author"),
                                                         .one_collection = STR("authors"),
                                                         .one_field = STR("posts")});
    schema_add_relation(schema, &(struct relation_facts){.many_collection = STR("comments"),
                                                         .many_field = STR("post"),
                                                         .one_collection = STR("posts"),
                                                         .one_field = STR("comments")});
    schema_add_foreign_key(schema, STR("posts"), STR("site_id"), STR("sites"), STR("id"));
    schema_set_tenant(schema,
                      &(struct tenant_facts){.collection = STR("sites"), .site_column = STR("id")});
    schema_set_tenant(schema, &(struct tenant_facts){.collection = STR("authors"),
                                                     .site_column = STR("site_id")});
    schema_set_tenant(
        schema, &(struct tenant_facts){.collection = STR("posts"), .site_column = STR("site_id")});
    schema_set_tenant(schema, &(struct tenant_facts){.collection = STR("comments"),
                                                     .site_column = STR("site_id")});
    schema_set_tenant(schema, &(struct tenant_facts){.collection = STR("snippets"),
                                                     .site_column = STR("site_id"),
                                                     .is_shared_read = true});
    schema_set_tenant(schema, &(struct tenant_facts){.collection = STR("directus_users"),
                                                     .site_column = STR("site_id"),
                                                     .is_site_optional = true});
    schema_finish(schema);
    return schema;
}

static const struct actor SNAPSHOT_ADMIN = {
    .kind = ACTOR_ADMIN, .is_admin = true, .may_write = true};

/* Compiles a list; the plan is released with the ctx's arena. */
static inline Err snapshot_compile(struct ctx *ctx, const struct schema *schema,
                                   const char *collection, const struct query *query,
                                   struct plan **ret)
{
    if (ctx->actor == NULL)
        ctx_be(ctx, &SNAPSHOT_ADMIN, ctx->scope);
    struct plan_request request = {.op = PLAN_LIST, .query = query};
    struct items_target target = {str_from_z(collection), ITEMS_SYSTEM};
    TRY(plan_collection(ctx, schema, target, ACTION_READ, &request.collection));
    TRY(plan_compile(ctx, schema, &request, ret));
    arena_defer(ctx->arena, plan_unref, *ret);
    return OK;
}
