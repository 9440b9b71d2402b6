/* What the text of an extension's statement may not say, however it is written. */
#include "runtime/statement_check.h"
#include "support/fixture.h"

static bool is_refused(const char *sql)
{
    return statement_fault(str_from_z(sql)) != NULL;
}

static void plain_statements_pass(void **state)
{
    (void)state;
    static const char *const STATEMENTS[] = {
        "select 1",
        "select id, \"into\" from posts where title = 'set_config' and $1::text is not null",
        "insert into posts (title) values ($1)",
        "with x as (insert into posts (title) values ('a') returning id) select * from x",
        "merge into posts p using (select 1) s on true when matched then delete",
        "select $$set_config$$, $a$ into temp $a$, 'it''s set_config', e'\\' set_config', 1e5",
        "select 1 -- set_config\n, 2 /* set_config /* nested */ into */",
        "select pg_advisory_xact_lock(1), current_setting('spark.site', true)",
        "select e'a' -- x\n '\\' set_config '",
        "",
        "$",
        "'",
    };
    for (size_t i = 0; i < sizeof STATEMENTS / sizeof STATEMENTS[0]; i++)
        if (is_refused(STATEMENTS[i]))
            fail_msg("refused: %s", STATEMENTS[i]);
}

static void what_leaves_the_scope_is_refused_in_every_spelling(void **state)
{
    (void)state;
    static const char *const STATEMENTS[] = {
        "select set_config('spark.site', $1, true)",
        "select pg_catalog.SET_Config('role', 'none', false)",
        "select \"set_config\"('role', 'none', true)",
        "select set_config/**/('role', 'none', true)",
        "select U&\"set\\005fconfig\"('role', 'none', true)",
        "select u&\"\\0073et_config\"('role', 'none', true)",
        "select 'a''b', set_config('a', 'b', true)",
        "select e'\\\\', set_config('a', 'b', true)",
        "select e'a'\n'\\'', set_config('a', 'b', true), ''",
        "select e'a' -- '\n '\\'', set_config('a', 'b', true), ''",
        "select $1, $a$ $a$, set_config('a', 'b', true)",
        "select a$a$, set_config('a', 'b', true), b$a$ from x",
        "select /* /* */ */ set_config('a', 'b', true)",
        "select query_to_xml('select set_' || 'config(…)', true, true, '')",
        "select * from ts_stat('select …')",
        "select * into temp posts from leads",
        "select * INTO posts_2 from leads",
        "with x as (select 1) select * into x2 from x",
        "select 1 from pg_temp.posts",
        "select pg_advisory_lock(1)",
        "select pg_try_advisory_lock_shared(1)",
        "select pg_terminate_backend(1)",
        "select * from dblink_exec('x', 'y')",
    };
    for (size_t i = 0; i < sizeof STATEMENTS / sizeof STATEMENTS[0]; i++)
        if (!is_refused(STATEMENTS[i]))
            fail_msg("let through: %s", STATEMENTS[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_statements_pass),
        cmocka_unit_test(what_leaves_the_scope_is_refused_in_every_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
