/* Sentences, fields and values out of what PostgreSQL says. */
#include "io/pg/db_error.h"
#include "io_test.h"

static struct ctx ctx; /* without scope and actor */

static int error_setup(void **state)
{
    (void)state;
    ctx.arena = arena_create();
    ctx.diag = (struct diag){0};
    return 0;
}

static int error_teardown(void **state)
{
    (void)state;
    arena_destroy(ctx.arena);
    return 0;
}

#define error_test(name) cmocka_unit_test_setup_teardown(name, error_setup, error_teardown)

static void expect(struct db_error error, Err want, const char *reason, const char *field,
                   const char *value)
{
    assert_int_equal(db_error_render(&ctx, &error), want);
    Str got = ctx.diag.last->reason;
    if (!str_eq(got, str_from_z(reason)))
        print_error("got \"%.*s\", want \"%s\"\n", STR_FMT(got), reason);
    assert_true(str_eq(got, str_from_z(reason)));
    Str got_field = STR(""), got_value = STR("");
    for (struct diag_note *note = ctx.diag.last->notes; note != NULL; note = note->next) {
        if (strcmp(note->key, "field") == 0)
            got_field = note->value;
        if (strcmp(note->key, "value") == 0)
            got_value = note->value;
    }
    assert_true(str_eq(got_field, str_from_z(field)));
    assert_true(str_eq(got_value, str_from_z(value)));
}

static void a_composite_key_names_its_last_column_beside_the_site(void **state)
{
    (void)state;
    expect((struct db_error){.sqlstate = "23505",
                             .table = STR("posts"),
                             .constraint = STR("posts_site_id_slug_key"),
                             .detail =
                                 STR("Key (site_id, slug)=(aaaaaaaa-0000-7000-8000-00000000000a, "
                                     "a, b) already exists.")},
           ERR_NOT_UNIQUE,
           "Value \"a, b\" for field \"slug\" in collection \"posts\" has to be unique.", "slug",
           "a, b");
    expect((struct db_error){.sqlstate = "23503",
                             .table = STR("posts"),
                             .detail = STR("Key (author, author_site_id)=(7, 8) is not present in "
                                           "table \"authors\".")},
           ERR_INVALID_FOREIGN_KEY,
           "Invalid foreign key \"7\" for field \"author\" in collection \"posts\".", "author",
           "7");
    expect(
        (struct db_error){.sqlstate = "23503",
                          .table = STR("posts"),
                          .detail = STR("Key (id)=(7) is still referenced from table \"posts\".")},
        ERR_INVALID_FOREIGN_KEY,
        "Invalid foreign key \"7\" for field \"id\" in collection \"posts\".", "id", "7");
}

static void an_expression_names_the_column_inside(void **state)
{
    (void)state;
    expect((struct db_error){.sqlstate = "23505",
                             .table = STR("directus_users"),
                             .detail = STR("Key (lower(email::text))=(a@b.c) already exists.")},
           ERR_NOT_UNIQUE,
           "Value \"a@b.c\" for field \"email\" in collection \"directus_users\" has to be unique.",
           "email", "a@b.c");
    expect((struct db_error){.sqlstate = "23505",
                             .table = STR("t"),
                             .detail = STR("Key (\"Name\")=() already exists.")},
           ERR_NOT_UNIQUE, "Value for field \"Name\" in collection \"t\" has to be unique.", "Name",
           "");
}

static void without_detail_the_constraint_tells_the_field(void **state)
{
    (void)state;
    static const struct {
        const char *constraint;
        const char *field;
    } CASES[] = {
        {"posts_site_id_slug_key", "slug"},
        {"posts_pkey", "id"},
        {"posts_author_foreign", "author"},
        {"posts_email_unique", "email"},
        {"elsewhere_x_key", "elsewhere_x"},
        {"posts_site_id_key", "site_id"},
        {"posts_date_published_idx", "date_published"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        Str reason = str_printf(ctx.arena,
                                "Value for field \"%s\" in collection \"posts\" has to be unique.",
                                CASES[i].field);
        expect((struct db_error){.sqlstate = "23505",
                                 .table = STR("posts"),
                                 .constraint = str_from_z(CASES[i].constraint)},
               ERR_NOT_UNIQUE, str_z(ctx.arena, reason), CASES[i].field, "");
    }
}

static void mangled_details_are_survived(void **state)
{
    (void)state;
    static const char *const DETAILS[] = {
        "",
        "Key (",
        "Key ()=() already exists.",
        ") already exists)=(Key (",
        "Key (a)=(",
        "Key (a, b, c)=(1) already exists.",
        "Key (((a)=(1) already exists.",
    };
    for (size_t i = 0; i < sizeof(DETAILS) / sizeof(*DETAILS); i++) {
        struct db_error error = {
            .sqlstate = "23505", .table = STR("t"), .detail = str_from_z(DETAILS[i])};
        assert_int_equal(db_error_render(&ctx, &error), ERR_NOT_UNIQUE);
    }
}

static void every_state_has_its_error(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate;
        Err err;
    } CASES[] = {
        {"SPE01", ERR_STALE_EPOCH}, {"SPE02", ERR_STALE_EPOCH},       {"40001", ERR_DEADLOCK},
        {"40P01", ERR_DEADLOCK},    {"57014", ERR_TIMEOUT},           {"53100", ERR_UNAVAILABLE},
        {"25006", ERR_UNAVAILABLE}, {"0A000", ERR_UNAVAILABLE},       {"42501", ERR_FORBIDDEN},
        {"42P01", ERR_DATABASE},    {"22012", ERR_DATABASE},          {"XX000", ERR_DATABASE},
        {"23502", ERR_NOT_NULL},    {"23514", ERR_FAILED_VALIDATION}, {"22001", ERR_VALUE_TOO_LONG},
        {"", ERR_DATABASE},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        struct db_error error = {.sqlstate = CASES[i].sqlstate};
        assert_int_equal(db_error_render(&ctx, &error), CASES[i].err);
    }
}

static Err report_field(struct ctx *c, const struct db_error *error, Err err)
{
    err = fail(c, err, "%.*s", STR_FMT(error->message));
    fail_note(c, "field", error->column);
    return err;
}

static void a_registered_state_is_its_owners(void **state)
{
    (void)state;
    static const struct db_error_rule RULE = {"SPX01", ERR_CONFLICT, report_field};
    struct db_error error = {.sqlstate = "SPX01", .message = STR("Not so."), .column = STR("a")};
    assert_int_equal(db_error_render(&ctx, &error), ERR_DATABASE);
    db_error_add(&RULE);
    expect(error, ERR_CONFLICT, "Not so.", "a", "");
    expect((struct db_error){.sqlstate = "SPX02"}, ERR_DATABASE, "", "", "");
}

static void what_the_server_said_stays_out_of_the_sentence(void **state)
{
    (void)state;
    expect((struct db_error){.sqlstate = "XX000", .message = STR("secret internals")}, ERR_DATABASE,
           "", "", "");
}

static void a_missing_epoch_table_means_no_migration(void **state)
{
    (void)state;
    expect((struct db_error){.sqlstate = "42P01",
                             .message = STR("relation \"spark.epoch\" does not exist")},
           ERR_CONFIG, "the database is not migrated: run `spark migrate`", "", "");
}

static void a_pooler_in_between_is_named(void **state)
{
    (void)state;
    expect((struct db_error){.sqlstate = "42P05",
                             .message = STR("prepared statement \"s1\" already exists")},
           ERR_DATABASE,
           "a prepared statement already exists: is a pooler in transaction mode between Spark and "
           "PostgreSQL? It must keep prepared statements apart (PgBouncer 1.21 or newer with "
           "max_prepared_statements)",
           "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        error_test(a_composite_key_names_its_last_column_beside_the_site),
        error_test(an_expression_names_the_column_inside),
        error_test(without_detail_the_constraint_tells_the_field),
        error_test(mangled_details_are_survived),
        error_test(every_state_has_its_error),
        error_test(a_registered_state_is_its_owners),
        error_test(what_the_server_said_stays_out_of_the_sentence),
        error_test(a_missing_epoch_table_means_no_migration),
        error_test(a_pooler_in_between_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
