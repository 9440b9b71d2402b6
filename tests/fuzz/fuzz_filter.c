/*
 * Any JSON as a filter, a deep or an alias: read into a tree that prints as its source, and refused
 * with a sentence, or compiled with the site in every statement and no byte of it in the SQL.
 */
#include "../support/content_snapshot.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sql(const struct select *select)
{
    Str sql = str_from_z(select->statement.sql);
    assert(str_find(sql, STR("site_id")) >= 0);
    assert(str_find(sql, STR("zzinjectedzz")) < 0);
    for (const struct branch *b = select->first_branch; b != NULL; b = b->next)
        check_sql(b->select);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx ctx = {.arena = arena_create(), .scope = {.kind = SCOPE_SITE}};
    const struct json *json;
    struct json_limits limits = {QUERY_FILTER_DEPTH, QUERY_LIST_MAX};
    if (json_parse(&ctx, str_of((const char *)data, size), limits, &json) == OK) {
        struct schema *schema = snapshot_make();
        static const Str FIELDS[] = {STR_INIT("*.*"), STR_INIT("author.posts.comments.*")};
        struct query query = {.fields = FIELDS, .field_count = 2};
        struct plan *plan;
        Err err = filter_read(&ctx, ctx.arena, json, &query.filter);
        assert(err == OK);
        if (json_kind(json) == JSON_OBJECT)
            err = query_take(&ctx, STR("deep"), query.filter, &query);
        assert(err == OK);
        assert(str_eq(filter_json(ctx.arena, query.filter), json_text(ctx.arena, json)));
        err = snapshot_compile(&ctx, schema, "posts", &query, &plan);
        assert(err == OK || err == ERR_INVALID_QUERY || err == ERR_FORBIDDEN);
        if (err == OK)
            check_sql(plan->root);
        schema_unref(schema);
    }
    arena_destroy(ctx.arena);
    return 0;
}
