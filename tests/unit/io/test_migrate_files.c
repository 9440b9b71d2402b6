/* The files of the schema: their names, their order, and what a database may lack of them. */
#include "gen/embed.h"
#include "io/pg/migrate_files.h"
#include "io_test.h"

enum { FILES_MAX = 16 };

/* Paths up to a NULL; all hold the same statement. */
static Err collect(struct ctx *ctx, const char *const *paths, const char *renamed,
                   struct migrations *ret)
{
    struct embedded_file files[FILES_MAX + 2] = {{0}};
    uint32_t count = 0;
    for (; paths[count] != NULL; count++) {
        assert_true(count < FILES_MAX);
        files[count] = (struct embedded_file){paths[count], "select 1;", 9};
    }
    if (renamed != NULL)
        files[count] = (struct embedded_file){"schema/renamed", renamed, strlen(renamed)};
    return migrations_collect(ctx, files, ret);
}

static void migrations_and_functions_are_found_in_their_order(void **state)
{
    struct fixture *f = *state;
    struct ctx ctx = {.arena = f->arena};
    static const char *const PATHS[] = {
        "core/jobs/queue/cq.lua",
        "schema/functions/epoch.sql",
        "schema/functions/pack_sites.sql",
        "schema/migrations/0001_a.sql",
        "schema/migrations/0002_pack_b.sql",
        "schema/migrations/0010_c.sql",
        NULL,
    };
    struct migrations all;
    assert_int_equal(
        collect(&ctx, PATHS, "# comment\nold/b.sql schema/migrations/0002_pack_b.sql\n", &all), OK);
    assert_int_equal(all.count, 3);
    assert_true(str_eq(all.list[1].name, STR("schema/migrations/0002_pack_b.sql")));
    assert_true(all.list[1].is_pack && !all.list[2].is_pack);
    assert_true(str_eq(all.list[0].checksum,
                       STR("354b7196c9ba5fb4b21cf615bb6ec4cd5c07503c34229feef033fc081a8c03f4")));
    assert_ptr_equal(migrations_find(&all, STR("schema/migrations/0010_c.sql")), &all.list[2]);
    assert_ptr_equal(migrations_find(&all, STR("old/b.sql")), &all.list[1]);
    assert_null(migrations_find(&all, STR("d.sql")));
    assert_int_equal(all.function_count, 2);
    assert_true(all.functions[1].is_pack && !all.functions[0].is_pack);
    assert_ptr_equal(migrations_functions(&all, STR("epoch")), &all.functions[0]);
    assert_null(migrations_functions(&all, STR("epo")));
}

static void names_that_are_no_order_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const BAD[][3] = {
        {NULL},
        {"schema/migrations/a.sql", NULL},
        {"schema/migrations/12_a.sql", NULL},
        {"schema/migrations/0001a.sql", NULL},
        {"schema/migrations/0001_a.sql", "schema/migrations/0001_b.sql", NULL},
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(*BAD); i++) {
        struct ctx ctx = {.arena = f->arena};
        struct migrations all;
        assert_int_equal(collect(&ctx, BAD[i], NULL, &all), ERR_CONFIG);
    }
    static const char *const GOOD[] = {"schema/migrations/0001_a.sql", NULL};
    static const char *const RENAMED[] = {"old", "old schema/migrations/0002_b.sql"};
    for (size_t i = 0; i < 2; i++) {
        struct ctx ctx = {.arena = f->arena};
        struct migrations all;
        assert_int_equal(collect(&ctx, GOOD, RENAMED[i], &all), ERR_CONFIG);
    }
}

static void this_binary_carries_its_schema(void **state)
{
    struct fixture *f = *state;
    struct ctx ctx = {.arena = f->arena};
    struct migrations all;
    assert_int_equal(migrations_load(&ctx, &all), OK);
    assert_true(all.count > 10 && all.function_count > 10);
    assert_true(str_eq(all.list[0].name, STR("schema/migrations/0001_roles.sql")));
    assert_true(str_eq(all.list[0].old_name, STR("schema/system/01_roles.sql")));
}

#define M(name) "schema/migrations/" name

static const char *const SIX[] = {
    "schema/functions/a.sql", "schema/functions/pack_b.sql", M("0001_a.sql"),
    M("0002_b.sql"),          M("0003_pack_c.sql"),          M("0004_d.sql"),
    M("0005_e.sql"),          M("0006_pack_f.sql"),          NULL,
};

static Err compare(struct ctx *ctx, const Str *applied, uint32_t count)
{
    struct migrations all;
    assert_int_equal(collect(ctx, SIX, NULL, &all), OK);
    return migrations_compare(ctx, &all, applied, count);
}

static void missing_and_unknown_migrations_are_named(void **state)
{
    struct fixture *f = *state;
    struct ctx ctx = {.arena = f->arena};
    const Str all[] = {STR(M("0001_a.sql")), STR(M("0002_b.sql")), STR(M("0003_pack_c.sql")),
                       STR(M("0004_d.sql")), STR(M("0005_e.sql")), STR(M("0006_pack_f.sql")),
                       STR(M("0007_g.sql"))};
    assert_int_equal(compare(&ctx, all, 6), OK);
    assert_int_equal(compare(&ctx, all, 7), ERR_CONFIG);
    assert_true(
        str_eq(ctx.diag.first->reason, STR("the database is newer than this binary: it has "
                                           "schema/migrations/0007_g.sql; use a newer binary")));
    assert_int_equal(compare(&ctx, all, 5), ERR_CONFIG);
    assert_true(str_eq(ctx.diag.first->reason,
                       STR("1 migration is missing (schema/migrations/0006_pack_f.sql): run spark "
                           "migrate")));
    assert_int_equal(compare(&ctx, all + 2, 1), ERR_CONFIG);
    assert_true(str_eq(ctx.diag.first->reason,
                       STR("5 migrations are missing (schema/migrations/0001_a.sql, "
                           "schema/migrations/0002_b.sql, schema/migrations/0004_d.sql, …): run "
                           "spark migrate")));
}

static void a_pack_that_was_never_applied_is_not_missing(void **state)
{
    struct fixture *f = *state;
    struct ctx ctx = {.arena = f->arena};
    const Str system[] = {STR(M("0001_a.sql")), STR(M("0002_b.sql")), STR(M("0004_d.sql")),
                          STR(M("0005_e.sql"))};
    assert_int_equal(compare(&ctx, system, 4), OK);
}

static void functions_of_another_binary_are_told(void **state)
{
    struct fixture *f = *state;
    struct ctx ctx = {.arena = f->arena};
    struct migrations all;
    assert_int_equal(collect(&ctx, SIX, NULL, &all), OK);
    Str own = str_printf(f->arena, "schema/functions/a.sql %.*s", STR_FMT(all.list[0].checksum));
    Str pack =
        str_printf(f->arena, "schema/functions/pack_b.sql %.*s", STR_FMT(all.list[0].checksum));
    const Str both[] = {own, pack, STR("schema/functions/z.sql x")};
    assert_int_equal(migrations_compare_functions(&ctx, &all, both, 1), OK);
    assert_int_equal(migrations_compare_functions(&ctx, &all, both, 2), OK);
    assert_int_equal(migrations_compare_functions(&ctx, &all, both, 3), ERR_CONFIG);
    assert_int_equal(migrations_compare_functions(&ctx, &all, both, 0), ERR_CONFIG);
    assert_true(str_eq(ctx.diag.first->reason,
                       STR("the functions of the database are not those of this binary "
                           "(schema/functions/a.sql): run spark migrate")));
    const Str changed[] = {STR("schema/functions/a.sql 00")};
    assert_int_equal(migrations_compare_functions(&ctx, &all, changed, 1), ERR_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        io_test(migrations_and_functions_are_found_in_their_order),
        io_test(names_that_are_no_order_are_refused),
        io_test(this_binary_carries_its_schema),
        io_test(missing_and_unknown_migrations_are_named),
        io_test(a_pack_that_was_never_applied_is_not_missing),
        io_test(functions_of_another_binary_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
