/* Migrations against a real server: once, twice, from two at once, changed, from the future, under
 * old names; functions that have changed. */
#include "../db_test.h"

#include <pthread.h>

struct migration_run {
    struct ctx ctx;
    enum migrate_pack pack;
    struct migrate_result result;
    Err err;
};

static void *run_migration(void *arg)
{
    struct migration_run *run = arg;
    run->err =
        migrate_run(&run->ctx, str_from_z(test_url), run->pack, 20 * SECOND_US, &run->result);
    return NULL;
}

static struct migration_run migrate(enum migrate_pack pack)
{
    struct migration_run run = {.ctx = {.arena = arena_create()}, .pack = pack};
    run_migration(&run);
    return run;
}

/* An empty database for each test; the group's own is left alone. */
static int migrate_setup(void **state)
{
    *state = NULL;
    char name[80], sql[160];
    snprintf(name, sizeof(name), "%s_m", test_name);
    snprintf(sql, sizeof(sql), "create database %s template template0", name);
    must_run(test_server, sql);
    url_of_database(getenv("SPARK_TEST_DATABASE_URL"), name);
    return 0;
}

static int migrate_teardown(void **state)
{
    (void)state;
    char name[80];
    snprintf(name, sizeof(name), "%s_m", test_name);
    drop_database(name);
    url_of_database(getenv("SPARK_TEST_DATABASE_URL"), test_name);
    return 0;
}

#define migrate_test(name) cmocka_unit_test_setup_teardown(name, migrate_setup, migrate_teardown)

static void run_sql(const char *sql)
{
    PGconn *pg = must_connect(test_url);
    must_run(pg, sql);
    PQfinish(pg);
}

static void a_new_database_gets_everything_once(void **state)
{
    (void)state;
    struct migration_run first = migrate(PACK_IF_NEW);
    assert_int_equal(first.err, OK);
    assert_true(first.result.applied > 10 && first.result.present == 0);
    assert_true(first.result.installed_pack);
    struct migration_run second = migrate(PACK_IF_NEW);
    assert_int_equal(second.err, OK);
    assert_int_equal(second.result.applied, 0);
    assert_int_equal(second.result.present, first.result.applied);
    arena_destroy(first.ctx.arena);
    arena_destroy(second.ctx.arena);
}

static void the_pack_waits_until_it_is_asked_for(void **state)
{
    (void)state;
    static const enum migrate_pack PACKS[] = {PACK_NEVER, PACK_IF_NEW, PACK_ALWAYS};
    for (int i = 0; i < 3; i++) {
        struct migration_run run = migrate(PACKS[i]);
        assert_int_equal(run.err, OK);
        assert_int_equal(run.result.installed_pack, i == 2);
        arena_destroy(run.ctx.arena);
    }
}

static void two_processes_at_once_do_no_harm(void **state)
{
    (void)state;
    struct migration_run runs[3];
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        REPLACE(runs[i],
                (struct migration_run){.ctx = {.arena = arena_create()}, .pack = PACK_NEVER});
        assert_int_equal(pthread_create(&threads[i], NULL, run_migration, &runs[i]), 0);
    }
    uint32_t applied = 0;
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(runs[i].err, OK);
        applied += runs[i].result.applied;
    }
    assert_int_equal(applied, runs[0].result.applied + runs[0].result.present);
    for (int i = 0; i < 3; i++)
        arena_destroy(runs[i].ctx.arena);
}

static void a_changed_file_and_a_newer_database_are_refused(void **state)
{
    (void)state;
    struct migration_run run = migrate(PACK_NEVER);
    assert_int_equal(run.err, OK);
    arena_destroy(run.ctx.arena);

    run_sql("insert into spark.migrations values ('schema/migrations/9999_future.sql', 'x')");
    REPLACE(run, migrate(PACK_NEVER));
    assert_int_equal(run.err, ERR_CONFIG);
    assert_true(str_find(last_reason(&run.ctx), STR("newer than this binary")) >= 0);
    arena_destroy(run.ctx.arena);

    run_sql("delete from spark.migrations where checksum = 'x';"
            "update spark.migrations set checksum = 'y' where name like '%01_roles.sql'");
    REPLACE(run, migrate(PACK_NEVER));
    assert_int_equal(run.err, ERR_CONFIG);
    assert_true(str_find(last_reason(&run.ctx), STR("01_roles.sql has changed")) >= 0);
    arena_destroy(run.ctx.arena);
}

static void a_file_that_fails_leaves_nothing_of_itself(void **state)
{
    (void)state;
    run_sql("create schema spark; create table spark.epoch (in_the_way int)");
    struct migration_run run = migrate(PACK_NEVER);
    assert_int_equal(run.err, ERR_CONFIG);
    Str reason = last_reason(&run.ctx);
    assert_true(str_find(reason, STR("schema/migrations/0002_machinery.sql")) == 0);
    assert_true(str_find(reason, STR("already exists")) > 0);
    arena_destroy(run.ctx.arena);
    PGconn *pg = must_connect(test_url);
    assert_string_equal(must_ask(pg, "select string_agg(name, ',') from spark.migrations"),
                        "schema/migrations/0001_roles.sql");
    assert_string_equal(must_ask(pg, "select to_regclass('spark.collections') is null"), "t");
    PQfinish(pg);
}

static void names_of_the_first_releases_become_todays(void **state)
{
    (void)state;
    struct migration_run run = migrate(PACK_NEVER);
    assert_int_equal(run.err, OK);
    uint32_t applied = run.result.applied;
    arena_destroy(run.ctx.arena);
    run_sql("update spark.migrations set name = 'schema/system/01_roles.sql' where name like "
            "'%/0001_roles.sql'; update spark.migrations set name = 'schema/system/19_starts.sql' "
            "where name like '%/0043_starts.sql'");
    REPLACE(run, migrate(PACK_NEVER));
    assert_int_equal(run.err, OK);
    assert_int_equal(run.result.applied, 0);
    assert_int_equal(run.result.present, applied);
    arena_destroy(run.ctx.arena);
    PGconn *pg = must_connect(test_url);
    assert_string_equal(must_ask(pg, "select count(*) from spark.migrations where name not like "
                                     "'schema/migrations/%'"),
                        "0");
    PQfinish(pg);
}

static void functions_are_renewed_when_they_have_changed(void **state)
{
    (void)state;
    struct migration_run run = migrate(PACK_NEVER);
    assert_int_equal(run.err, OK);
    assert_true(run.result.functions > 5);
    arena_destroy(run.ctx.arena);
    run_sql("update spark.functions set checksum = 'x' where name like '%/site.sql';"
            "insert into spark.functions values ('schema/functions/gone.sql', 'x');"
            "create or replace function spark.current_site() returns uuid language sql stable "
            "return null::uuid");
    REPLACE(run, migrate(PACK_NEVER));
    assert_int_equal(run.err, OK);
    assert_int_equal(run.result.applied, 0);
    assert_int_equal(run.result.functions, 1);
    arena_destroy(run.ctx.arena);
    PGconn *pg = must_connect(test_url);
    assert_string_equal(must_ask(pg, "select prosrc like '%spark.site%' or "
                                     "pg_get_functiondef(oid) like '%spark.site%' from pg_proc "
                                     "where proname = 'current_site'"),
                        "t");
    assert_string_equal(must_ask(pg, "select count(*) from spark.functions where checksum = 'x'"),
                        "0");
    PQfinish(pg);
}

static void an_absent_server_is_waited_for_and_then_told(void **state)
{
    (void)state;
    struct ctx ctx = {.arena = arena_create()};
    struct migrate_result result;
    assert_int_equal(migrate_run(&ctx, STR("host=/nonexistent"), PACK_NEVER, 1000, &result),
                     ERR_UNAVAILABLE);
    assert_true(str_find(last_reason(&ctx), STR("PostgreSQL is not reachable")) == 0);
    assert_int_equal(migrate_run(&ctx, STR("nonsense://"), PACK_NEVER, 1000, &result),
                     ERR_UNAVAILABLE);
    arena_destroy(ctx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        migrate_test(a_new_database_gets_everything_once),
        migrate_test(the_pack_waits_until_it_is_asked_for),
        migrate_test(two_processes_at_once_do_no_harm),
        migrate_test(a_changed_file_and_a_newer_database_are_refused),
        migrate_test(a_file_that_fails_leaves_nothing_of_itself),
        migrate_test(names_of_the_first_releases_become_todays),
        migrate_test(functions_are_renewed_when_they_have_changed),
        migrate_test(an_absent_server_is_waited_for_and_then_told),
    };
    return RUN_DB_TESTS(tests);
}
