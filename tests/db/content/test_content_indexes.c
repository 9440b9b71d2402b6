/* Which indexes serve the compiled filters under row security, with the functions marked and not.
 */
#include "../content_test.h"
#include "cli/backends/leakproof.h"
#include "content/plan/plan.h"

static PGconn *superuser;

static int indexes_setup(void **state)
{
    if (content_database_setup(state) != 0)
        return 1;
    const char *server = getenv("SPARK_TEST_DATABASE_ADMIN_URL");
    if (server == NULL)
        give_up("set SPARK_TEST_DATABASE_ADMIN_URL to the same server as a superuser");
    char own[sizeof test_url];
    memcpy(own, test_url, sizeof own);
    url_of_database(server, test_name);
    superuser = must_connect(test_url);
    /* As the owner of the database and no superuser, in the words of the decision. */
    must_run(test_admin, "create extension if not exists pg_trgm");
    must_run(test_admin, "create extension if not exists btree_gin");
    must_run(test_admin, "create index concurrently if not exists posts_title_trigrams "
                         "on posts using gin (site_id, lower(title) gin_trgm_ops)");
    must_run(test_admin, "create index on kinds (site_id, dec)");
    memcpy(test_url, own, sizeof own);
    return 0;
}

static int indexes_teardown(void **state)
{
    PQfinish(superuser);
    /* The owner may not send a superuser's sessions away: until they have noticed their end. */
    int64_t end_us = clock_now_us() + 20 * SECOND_US;
    while (strcmp(must_ask(test_admin, "select count(*) from pg_stat_activity where datname = "
                                       "current_database() and usename <> current_user"),
                  "0") != 0)
        assert_true(clock_now_us() < end_us);
    return database_teardown(state);
}

struct question {
    const char *collection;
    const char *query;
    const char *sql; /* of its plan, once compiled */
    uint32_t params;
};

static Err compile_body(struct ctx *ctx, void *arg)
{
    struct question *question = arg;
    ctx_be(ctx, &TEST_ADMIN, ctx->scope);
    const struct schema *schema;
    TRY(schema_current(ctx, &schema));
    struct query query;
    TRY(query_parse(ctx, str_from_z(question->query), &query));
    struct plan_request request = {.op = PLAN_LIST, .query = &query};
    request.collection = schema_find(schema, str_from_z(question->collection));
    const struct plan *plan;
    TRY(plan_get(ctx, schema, &request, &plan));
    question->sql = plan->root->statement.sql; /* lives as long as the ctx, which the fixture has */
    question->params = plan->root->param_count;
    return OK;
}

/* The plan for $1 = the site and $2, $3 = values, as the tenant's role gets it. */
static bool explain_has(const struct question *question, const char *condition, const char *part)
{
    char sql[4096];
    snprintf(sql, sizeof sql, "prepare asked as %s", question->sql);
    must_run(superuser, "begin; set local role spark_tenant; set local enable_seqscan = off; "
                        "set local spark.site = 'aaaaaaaa-0000-7000-8000-00000000000a'");
    must_run(superuser, sql);
    PGresult *plan = PQexec(
        superuser, question->params == 2 ? "explain (costs off) execute asked "
                                           "('aaaaaaaa-0000-7000-8000-00000000000a', '12')"
                                         : "explain (costs off) execute asked "
                                           "('aaaaaaaa-0000-7000-8000-00000000000a', '12', '13')");
    if (PQresultStatus(plan) != PGRES_TUPLES_OK)
        give_up("%s: %s", question->sql, PQresultErrorMessage(plan));
    bool has = false;
    for (int i = 0; i < PQntuples(plan); i++) {
        const char *line = PQgetvalue(plan, i, 0);
        has |= strstr(line, condition) != NULL && strstr(line, part) != NULL;
    }
    PQclear(plan);
    must_run(superuser, "rollback");
    must_run(superuser, "deallocate asked");
    return has;
}

static void mark_all(void)
{
    struct ctx ctx = {.arena = arena_create()};
    char own[sizeof test_url];
    memcpy(own, test_url, sizeof own);
    url_of_database(getenv("SPARK_TEST_DATABASE_ADMIN_URL"), test_name);
    struct sync_postgres *postgres;
    assert_int_equal(sync_postgres_open(&ctx, test_url, &postgres), OK);
    assert_int_equal(leakproof_mark(&ctx, postgres), OK);
    memcpy(test_url, own, sizeof own);
    arena_destroy(ctx.arena);
}

static void marked_functions_let_row_security_use_the_index(void **state)
{
    struct {
        struct question question;
        const char *part;
    } cases[] = {
        {{"posts", "filter[title][_icontains]=abc&aggregate[count]=*", NULL, 0}, "lower("},
        {{"posts", "filter[title][_istarts_with]=abc&aggregate[count]=*", NULL, 0}, "lower("},
        {{"posts", "filter[title][_iends_with]=abc&aggregate[count]=*", NULL, 0}, "lower("},
        {{"kinds", "filter[dec][_eq]=12&aggregate[count]=*", NULL, 0}, "\"dec\" = "},
        {{"kinds", "filter[dec][_lt]=12&aggregate[count]=*", NULL, 0}, "\"dec\" < "},
        {{"kinds", "filter[dec][_lte]=12&aggregate[count]=*", NULL, 0}, "\"dec\" <= "},
        {{"kinds", "filter[dec][_gt]=12&aggregate[count]=*", NULL, 0}, "\"dec\" > "},
        {{"kinds", "filter[dec][_gte]=12&aggregate[count]=*", NULL, 0}, "\"dec\" >= "},
        {{"kinds", "filter[dec][_between]=12,13&aggregate[count]=*", NULL, 0}, "\"dec\" >= "},
    };
    size_t count = sizeof cases / sizeof cases[0];
    for (size_t i = 0; i < count; i++) {
        struct question *question = &cases[i].question;
        assert_int_equal(act(*state, AS_A, compile_body, question), OK);
        if (explain_has(question, "Index Cond", cases[i].part))
            give_up("%s: unmarked, and still by its index", question->query);
    }
    mark_all();
    for (size_t i = 0; i < count; i++)
        if (!explain_has(&cases[i].question, "Index Cond", cases[i].part))
            give_up("%s: not by its index: %s", cases[i].question.query, cases[i].question.sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        content_test(marked_functions_let_row_security_use_the_index),
    };
    return cmocka_run_group_tests(tests, indexes_setup, indexes_teardown);
}
