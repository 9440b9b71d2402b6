/* Plans by key, with statistics and without: never a scan of the site; and what fills a table sees
 * to its statistics. */
#include "../content_test.h"
#include "../pack_test.h"
#include "content/plan/plan.h"

#define SITE "aaaaaaaa-0000-7000-8000-00000000000a"
#define OTHER "bbbbbbbb-0000-7000-8000-00000000000b"
#define ROW "00000000-0000-4000-8000-00000000000f"

static PGconn *superuser; /* may become a tenant */

static int statistics_setup(void **state)
{
    if (pack_setup(state, "insert into sites (id, name) values ('" SITE "', 'A'), ('" OTHER
                          "', 'B')") != 0)
        return 1;
    const char *server = getenv("SPARK_TEST_DATABASE_ADMIN_URL");
    if (server == NULL)
        give_up("set SPARK_TEST_DATABASE_ADMIN_URL to the same server as a superuser");
    char own[sizeof test_url];
    memcpy(own, test_url, sizeof own);
    url_of_database(server, test_name);
    superuser = must_connect(test_url);
    memcpy(test_url, own, sizeof own);
    /* What the test says of statistics holds until it takes some. */
    must_run(test_admin, "alter table posts set (autovacuum_enabled = off)");
    return 0;
}

static int statistics_teardown(void **state)
{
    PQfinish(superuser);
    /* The owner may not send a superuser's sessions away: until they have noticed their end. */
    int64_t end_us = clock_now_us() + 20 * SECOND_US;
    while (strcmp(must_ask(test_admin, "select count(*) from pg_stat_activity where datname = "
                                       "current_database() and usename <> session_user"),
                  "0") != 0)
        assert_true(clock_now_us() < end_us);
    return database_teardown(state);
}

static int statistics_fixture(void **state)
{
    struct db_fixture *f = fixture_open(test_settings());
    test_offload = offload_new(1, 8);
    f->reactor.offload = test_offload;
    *state = f;
    return 0;
}

struct question {
    const char *collection;
    const char *sql; /* of its plan, once compiled */
};

static Err compile_body(struct ctx *ctx, void *arg)
{
    struct question *question = arg;
    ctx_be(ctx, &TEST_ADMIN, ctx->scope);
    const struct schema *schema;
    TRY(schema_current(ctx, &schema));
    struct query query;
    TRY(query_parse(ctx, STR("fields=*"), &query));
    struct plan_request request = {.op = PLAN_ONE, .query = &query};
    request.collection = schema_find(schema, str_from_z(question->collection));
    const struct plan *plan;
    TRY(plan_get(ctx, schema, &request, &plan));
    assert_int_equal(plan->root->param_count, 2); /* the key and the site, in this order */
    question->sql = plan->root->statement.sql;
    return OK;
}

static const char *by_key(void **state, const char *collection)
{
    struct question question = {.collection = collection};
    assert_int_equal(act(*state, AS_A, compile_body, &question), OK);
    return question.sql;
}

static void become_tenant(const char *sql)
{
    must_run(superuser, "deallocate all; set role spark_tenant; set spark.site = '" SITE "'; "
                        "set plan_cache_mode = force_generic_plan; set random_page_cost = 1.1");
    char text[16 * 1024];
    snprintf(text, sizeof text, "prepare asked (uuid, uuid) as %s", sql);
    must_run(superuser, text);
}

/* Does the plan that is kept find the row by (site_id, id), and filter nothing by id? */
static bool goes_by_key(void)
{
    PGresult *plan = PQexec(superuser, "explain (costs off) execute asked ('" ROW "', '" SITE "')");
    if (PQresultStatus(plan) != PGRES_TUPLES_OK)
        give_up("%s", PQresultErrorMessage(plan));
    bool is_indexed = false;
    bool is_filtered = false;
    for (int i = 0; i < PQntuples(plan); i++) {
        const char *line = PQgetvalue(plan, i, 0);
        const char *id = strstr(line, "(id = $1)");
        is_filtered |= strstr(line, "Filter:") != NULL && id != NULL;
        is_indexed |=
            strstr(line, "Index Cond:") != NULL && id != NULL &&
            (strstr(line, "(site_id = $2)") != NULL || strstr(line, "(site_id = (NULLIF") != NULL);
    }
    PQclear(plan);
    return is_indexed && !is_filtered;
}

static void without_statistics_a_key_is_found_by_its_index(void **state)
{
    /* `items` is the tests' own, and keyed by its id alone. */
    PGresult *tables = PQexec(
        test_admin,
        "select t.collection from spark.collections t join pg_class c on c.relname = "
        "t.collection and c.relkind = 'r' where not t.site_optional and not "
        "t.shared_read and t.site_column = 'site_id' and t.collection <> 'items' order by 1");
    assert_int_equal(PQresultStatus(tables), PGRES_TUPLES_OK);
    assert_true(PQntuples(tables) > 20);
    for (int i = 0; i < PQntuples(tables); i++) {
        const char *name = PQgetvalue(tables, i, 0);
        become_tenant(by_key(state, name));
        if (!goes_by_key())
            give_up("%s: a row is not found by its key", name);
        must_run(superuser, "reset role");
    }
    PQclear(tables);
}

static void fill(const char *rows)
{
    char sql[1024];
    snprintf(sql, sizeof sql,
             "insert into posts (site_id, title, slug, content) select '" SITE "', 'x', "
             "gen_random_uuid()::text, repeat('x', 500) from generate_series(1, %s)",
             rows);
    must_run(test_admin, sql);
}

static void a_later_index_does_not_take_its_place(void **state)
{
    must_run(test_admin, "create index later on posts (site_id, category)");
    must_run(test_admin, "select spark.renew_key('posts')");
    become_tenant(by_key(state, "posts"));
    assert_true(goes_by_key());
    must_run(superuser, "reset role");
    must_run(test_admin, "drop index later");
}

static void a_kept_plan_goes_when_the_table_has_grown(void **state)
{
    fill("3");
    must_run(test_admin, "analyze posts");
    become_tenant(by_key(state, "posts"));
    assert_false(goes_by_key()); /* three rows of one page are read at once */
    fill("5000");
    assert_false(goes_by_key()); /* and the plan is kept */
    assert_int_equal(number("select spark.analyze_young('posts')"), 1);
    assert_true(goes_by_key());
    assert_int_equal(number("select spark.analyze_young('posts')"), 0); /* only when it is due */

    /* A table that was emptied is young again. */
    must_run(superuser, "reset role");
    must_run(test_admin, "truncate posts cascade");
    fill("5000");
    assert_int_equal(number("select spark.analyze_young()"), 1);
    assert_true(number("select reltuples from pg_class where oid = 'posts'::regclass") == 5000);
}

static void who_is_no_owner_asks_for_statistics_too(void **state)
{
    (void)state;
    must_run(test_admin, "truncate posts cascade");
    fill("5000");
    must_run(superuser, "set role spark_tenant; set spark.site = '" SITE "'");
    assert_string_equal(must_ask(superuser, "select spark.refresh_statistics()"), "t");
    must_run(superuser, "reset role");
    assert_true(number("select reltuples from pg_class where oid = 'posts'::regclass") == 5000);
}

#define statistics_test(name)                                                                      \
    cmocka_unit_test_setup_teardown(name, statistics_fixture, content_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        statistics_test(without_statistics_a_key_is_found_by_its_index),
        statistics_test(a_later_index_does_not_take_its_place),
        statistics_test(a_kept_plan_goes_when_the_table_has_grown),
        statistics_test(who_is_no_owner_asks_for_statistics_too),
    };
    return cmocka_run_group_tests(tests, statistics_setup, statistics_teardown);
}
