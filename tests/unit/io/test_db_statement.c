/* Which statements get a name, and how arguments look to libpq. */
#include "io/pg/session/db_statement.h"
#include "io_test.h"

#include <stdio.h>

static struct statement_cache cache;

static int cache_setup(void **state)
{
    (void)state;
    statement_cache_init(&cache);
    return 0;
}

static int cache_teardown(void **state)
{
    (void)state;
    statement_cache_finish(&cache);
    return 0;
}

#define cache_test(name) cmocka_unit_test_setup_teardown(name, cache_setup, cache_teardown)

static const struct statement NAMED = {.name = "named", .sql = "select 1"};

static void a_shape_gets_a_name_at_its_third_sight(void **state)
{
    (void)state;
    struct statement shape = {.sql = "select $1"};
    assert_null(statement_find(&cache, &shape, ARGS(db_int(1))));
    assert_null(statement_find(&cache, &shape, ARGS(db_int(1))));
    struct db_statement *found = statement_find(&cache, &shape, ARGS(db_int(1)));
    assert_non_null(found);
    assert_false(found->is_prepared);
    assert_string_equal(found->name, "s1");
    assert_int_equal(found->oids[0], 20);
}

static void a_named_statement_is_prepared_at_once_and_once(void **state)
{
    (void)state;
    struct db_statement *found = statement_find(&cache, &NAMED, NO_ARGS);
    assert_non_null(found);
    found->is_prepared = true;
    assert_ptr_equal(statement_find(&cache, &NAMED, NO_ARGS), found);
    assert_int_equal(cache.names, 1);
}

/* What the server forgot is prepared under a new name; a late answer about the old one is not. */
static void a_forgotten_statement_gets_a_new_name(void **state)
{
    (void)state;
    struct db_statement *found = statement_find(&cache, &NAMED, NO_ARGS);
    found->is_prepared = true;
    statement_forget(found, found->number);
    assert_ptr_equal(statement_find(&cache, &NAMED, NO_ARGS), found);
    assert_int_equal(found->number, 2);
    found->is_prepared = true;
    statement_forget(found, 1);
    assert_true(found->is_prepared);
}

static void null_fits_every_type_and_others_only_their_own(void **state)
{
    (void)state;
    struct statement statement = {.name = "n", .sql = "select $1"};
    struct db_statement *found = statement_find(&cache, &statement, ARGS(db_null()));
    found->is_prepared = true;
    statement_find(&cache, &statement, ARGS(db_int(1)));
    assert_int_equal(found->number, 2);
    assert_int_equal(found->oids[0], 20);
    found->is_prepared = true;
    statement_find(&cache, &statement, ARGS(db_null()));
    assert_int_equal(found->number, 2);
    for (int i = 0; i < 100; i++) {
        found =
            statement_find(&cache, &statement, i % 2 ? ARGS(db_int(1)) : ARGS(db_text(STR("x"))));
        if (found != NULL)
            found->is_prepared = true;
    }
    assert_true(cache.names <= STATEMENT_PREPARES_MAX);
}

static void names_are_bounded_and_then_the_session_wears_out(void **state)
{
    (void)state;
    struct statement statement = {.name = NULL};
    char sql[32];
    for (int i = 0; i < 600; i++) {
        snprintf(sql, sizeof(sql), "select %d", i);
        statement.sql = sql;
        for (int sight = 0; sight < 3; sight++) {
            struct db_statement *found = statement_find(&cache, &statement, NO_ARGS);
            if (found != NULL)
                found->is_prepared = true;
        }
    }
    assert_int_equal(cache.names, STATEMENT_NAMES_MAX);
    assert_false(statement_cache_is_worn(&cache));
    for (int i = 0; i < STATEMENT_MISSES_MAX; i++)
        assert_null(statement_find(&cache, &statement, NO_ARGS));
    assert_true(statement_cache_is_worn(&cache));
}

static void rare_shapes_never_get_a_name(void **state)
{
    (void)state;
    struct statement statement = {.name = NULL};
    char sql[32];
    for (int i = 0; i < 50000; i++) {
        snprintf(sql, sizeof(sql), "select %d", i);
        statement.sql = sql;
        statement_find(&cache, &statement, NO_ARGS);
    }
    assert_int_equal(cache.names, 0);
}

static void text_arguments_end_with_a_nul(void **state)
{
    (void)state;
    struct db_params params = {0};
    Uuid uuid = {{1, 2, 3}};
    DbArg args[] = {db_text(str_of("abcdef", 3)), db_null(), db_uuid(uuid), db_text(STR(""))};
    db_params_set(&params, (struct db_args){args, 4});
    assert_string_equal(params.values[0], "abc");
    assert_null(params.values[1]);
    assert_memory_equal(params.values[2], uuid.bytes, 16);
    assert_int_equal(params.lengths[2], 16);
    assert_int_equal(params.formats[2], 1);
    assert_int_equal(params.types[2], 2950);
    assert_string_equal(params.values[3], "");
    db_params_finish(&params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cache_test(a_shape_gets_a_name_at_its_third_sight),
        cache_test(a_named_statement_is_prepared_at_once_and_once),
        cache_test(a_forgotten_statement_gets_a_new_name),
        cache_test(null_fits_every_type_and_others_only_their_own),
        cache_test(names_are_bounded_and_then_the_session_wears_out),
        cache_test(rare_shapes_never_get_a_name),
        cache_test(text_arguments_end_with_a_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
