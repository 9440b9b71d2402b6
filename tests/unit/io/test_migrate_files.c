/* The manifest: what a line may say. */
#include "io/pg/migrate_files.h"
#include "io_test.h"

static bool find_any(Str path, Str *ret)
{
    *ret = STR("select 1;");
    return !str_eq(path, STR("missing.sql"));
}

static Err parse(struct ctx *ctx, const char *manifest, struct migrations *ret)
{
    return migrations_parse(ctx, str_from_z(manifest), find_any, ret);
}

static void a_manifest_is_read_in_its_order(void **state)
{
    struct fixture *f = *state;
    struct ctx ctx = {.arena = f->arena};
    struct migrations all;
    assert_int_equal(parse(&ctx, "# comment\nsystem a.sql\n\npack b.sql\r\nsystem c.sql", &all),
                     OK);
    assert_int_equal(all.count, 3);
    assert_true(str_eq(all.list[1].name, STR("b.sql")));
    assert_true(all.list[1].is_pack && !all.list[2].is_pack);
    assert_true(str_eq(all.list[0].checksum,
                       STR("354b7196c9ba5fb4b21cf615bb6ec4cd5c07503c34229feef033fc081a8c03f4")));
    assert_ptr_equal(migrations_find(&all, STR("c.sql")), &all.list[2]);
    assert_null(migrations_find(&all, STR("d.sql")));
}

static void a_bad_manifest_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const BAD[] = {
        "a.sql", "pack", "pack ", "other a.sql", "system a.sql\npack a.sql", "system missing.sql",
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(*BAD); i++) {
        struct ctx ctx = {.arena = f->arena};
        struct migrations all;
        assert_int_equal(parse(&ctx, BAD[i], &all), ERR_CONFIG);
    }
}

static void this_binary_carries_its_schema(void **state)
{
    struct fixture *f = *state;
    struct ctx ctx = {.arena = f->arena};
    struct migrations all;
    assert_int_equal(migrations_load(&ctx, &all), OK);
    assert_true(all.count > 10);
    assert_true(str_eq(all.list[0].name, STR("schema/system/01_roles.sql")));
}

static Err judge(struct ctx *ctx, const Str *applied, uint32_t count)
{
    struct migrations all;
    assert_int_equal(parse(ctx,
                           "system a.sql\nsystem b.sql\npack c.sql\nsystem d.sql\n"
                           "system e.sql\npack f.sql",
                           &all),
                     OK);
    return migrations_judge(ctx, &all, applied, count);
}

static void missing_and_unknown_migrations_are_named(void **state)
{
    struct fixture *f = *state;
    struct ctx ctx = {.arena = f->arena};
    const Str all[] = {STR("a.sql"), STR("b.sql"), STR("c.sql"), STR("d.sql"),
                       STR("e.sql"), STR("f.sql"), STR("g.sql")};
    assert_int_equal(judge(&ctx, all, 6), OK);
    assert_int_equal(judge(&ctx, all, 7), ERR_CONFIG);
    assert_true(str_eq(ctx.diag.first->reason, STR("the database is newer than this binary: it has "
                                                   "g.sql; use a newer binary")));
    assert_int_equal(judge(&ctx, all, 5), ERR_CONFIG);
    assert_true(
        str_eq(ctx.diag.first->reason, STR("1 migration is missing (f.sql): run spark migrate")));
    assert_int_equal(judge(&ctx, all + 2, 1), ERR_CONFIG);
    assert_true(
        str_eq(ctx.diag.first->reason,
               STR("5 migrations are missing (a.sql, b.sql, d.sql, …): run spark migrate")));
}

static void a_pack_that_was_never_applied_is_not_missing(void **state)
{
    struct fixture *f = *state;
    struct ctx ctx = {.arena = f->arena};
    const Str system[] = {STR("a.sql"), STR("b.sql"), STR("d.sql"), STR("e.sql")};
    assert_int_equal(judge(&ctx, system, 4), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        io_test(a_manifest_is_read_in_its_order),
        io_test(a_bad_manifest_is_refused),
        io_test(this_binary_carries_its_schema),
        io_test(missing_and_unknown_migrations_are_named),
        io_test(a_pack_that_was_never_applied_is_not_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
