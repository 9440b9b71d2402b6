/* What tests of schema changes share: a change as an administrator of the platform, and its answer.
 */
#pragma once

#include "../content_test.h"
#include "content/ddl/ddl.h"

struct change {
    Err (*run)(struct platform platform, const struct json *body, struct change *change);
    const char *body;
    uint32_t fields;
    char answer[512 * 1024];
    char sentence[4096];
};

static inline Err run_collection(struct platform platform, const struct json *body,
                                 struct change *change)
{
    return collection_create(platform, body, &change->fields);
}

static inline void keep_answer(struct change *change, Str text)
{
    assert_true(text.len < sizeof change->answer);
    memcpy(change->answer, text.data, text.len);
    change->answer[text.len] = '\0';
}

static inline Err change_body(struct ctx *ctx, void *arg)
{
    struct change *change = arg;
    ctx_be(ctx, &TEST_ADMIN, ctx->scope);
    const struct json *body;
    TRY(json_parse(ctx, str_from_z(change->body), JSON_LIMITS_DEFAULT, &body));
    Err err = change->run((struct platform){ctx}, body, change);
    change->sentence[0] = '\0';
    if (err != OK && ctx->diag.first != NULL)
        snprintf(change->sentence, sizeof change->sentence, "%.*s",
                 STR_FMT(diag_message(ctx, ctx->diag.first)));
    return err;
}

static struct change the_change;

static inline Err make(void **state, const char *body)
{
    the_change.run = run_collection;
    the_change.body = body;
    return act(*state, AS_PLATFORM, change_body, &the_change);
}

static inline void must_make(void **state, const char *body)
{
    Err err = make(state, body);
    if (err != OK)
        give_up("%s: %s: %s", body, err_info(err)->name, the_change.sentence);
}

static inline void drop(const char *table)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "set role spark_owner; drop table if exists public.\"%s\" cascade;"
             "delete from spark.collections where collection = '%s'; reset role;"
             "delete from directus_fields where collection = '%s';"
             "delete from directus_relations where many_collection = '%s';"
             "delete from directus_collections where collection = '%s'",
             table, table, table, table, table);
    must_run(test_admin, sql);
}
