#include "cli/places/environment.h"
#include "cli/places/places.h"
#include "cli/supervise/installation.h"
#include "support/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct ctx ctx;
    char folder[64];
    const char *file;
    struct installation installation;
};

static int make_fixture(void **state)
{
    static struct fixture fixture;
    REPLACE(fixture,
            (struct fixture){.ctx = {.arena = arena_create()}, .folder = "/tmp/spark-XXXXXX"});
    if (mkdtemp(fixture.folder) == NULL)
        return 1;
    fixture.file = path_format(fixture.ctx.arena, "%s/secrets.env", fixture.folder);
    fixture.installation = (struct installation){.data = fixture.folder};
    const char *const names[] = {"ADMIN_TOKEN", "DIRECTUS_ADMIN_TOKEN", "ADMIN_PASSWORD",
                                 "SECRET",      "SECRET_FILE",          "SPARK_A"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unsetenv(names[i]);
    *state = &fixture;
    return 0;
}

static int remove_fixture(void **state)
{
    struct fixture *fixture = *state;
    unlink(fixture->file);
    rmdir(fixture->folder);
    arena_destroy(fixture->ctx.arena);
    return 0;
}

static void secrets_are_made_once_and_kept(void **state)
{
    struct fixture *fixture = *state;
    bool is_made;
    assert_int_equal(installation_secrets(&fixture->ctx, &fixture->installation, &is_made), OK);
    assert_true(is_made);
    Str first = str_dup(fixture->ctx.arena, str_from_z(getenv("SECRET")));
    assert_int_equal(first.len, 43);

    unsetenv("SECRET");
    assert_int_equal(installation_secrets(&fixture->ctx, &fixture->installation, &is_made), OK);
    assert_false(is_made);
    assert_true(str_eq(first, str_from_z(getenv("SECRET"))));
}

static void secrets_file_is_private(void **state)
{
    struct fixture *fixture = *state;
    bool is_made;
    struct stat info;
    assert_int_equal(installation_secrets(&fixture->ctx, &fixture->installation, &is_made), OK);
    assert_int_equal(stat(fixture->file, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void given_secret_is_used_and_not_written(void **state)
{
    struct fixture *fixture = *state;
    bool is_made;
    setenv("DIRECTUS_ADMIN_TOKEN", "given-by-the-operator", 1);
    assert_int_equal(installation_secrets(&fixture->ctx, &fixture->installation, &is_made), OK);
    assert_string_equal(getenv("ADMIN_TOKEN"), "given-by-the-operator");

    FILE *file = fopen(fixture->file, "re");
    char text[4096] = "";
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    assert_null(strstr(text, "given-by-the-operator"));
    assert_null(strstr(text, "ADMIN_TOKEN"));
    assert_non_null(strstr(text, "ADMIN_PASSWORD="));
}

static void environment_wins_over_a_file(void **state)
{
    struct fixture *fixture = *state;
    setenv("SPARK_A", "set", 1);
    assert_int_equal(environment_write(&fixture->ctx, fixture->file, STR("SPARK_A=file\n")), OK);
    assert_int_equal(environment_read(&fixture->ctx, fixture->file), OK);
    assert_string_equal(getenv("SPARK_A"), "set");
}

static void line_without_a_name_is_refused_with_its_number(void **state)
{
    struct fixture *fixture = *state;
    Str text = STR("# comment\n\nSPARK_A = b=c \nnonsense\n");
    assert_int_equal(environment_write(&fixture->ctx, fixture->file, text), OK);
    assert_int_equal(environment_read(&fixture->ctx, fixture->file), ERR_CONFIG);
    assert_string_equal(getenv("SPARK_A"), "b=c");
    assert_true(str_find(fixture->ctx.diag.first->reason, STR(":4:")) >= 0);
}

static void later_line_of_one_file_counts_and_the_source_is_known(void **state)
{
    struct fixture *fixture = *state;
    Str text = STR("export SPARK_A='one'\nSPARK_A=\"two\"\n");
    assert_int_equal(environment_write(&fixture->ctx, fixture->file, text), OK);
    assert_int_equal(environment_read(&fixture->ctx, fixture->file), OK);
    assert_string_equal(getenv("SPARK_A"), "two");
    assert_string_equal(environment_source("SPARK_A"), fixture->file);
    assert_null(environment_source("PATH"));
}

static void secret_that_a_file_gives_is_not_made(void **state)
{
    struct fixture *fixture = *state;
    bool is_made;
    setenv("SECRET_FILE", "/run/secrets/secret", 1);
    assert_int_equal(installation_secrets(&fixture->ctx, &fixture->installation, &is_made), OK);
    assert_null(getenv("SECRET"));
    unsetenv("SECRET_FILE");
}

static void named_file_has_to_be_there(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(environment_read_config(&fixture->ctx, fixture->file), ERR_NOT_FOUND);
    assert_true(str_find(fixture->ctx.diag.first->reason, str_from_z(fixture->file)) >= 0);
}

static void missing_file_is_no_error(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(environment_read(&fixture->ctx, fixture->file), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(secrets_are_made_once_and_kept, make_fixture,
                                        remove_fixture),
        cmocka_unit_test_setup_teardown(secrets_file_is_private, make_fixture, remove_fixture),
        cmocka_unit_test_setup_teardown(given_secret_is_used_and_not_written, make_fixture,
                                        remove_fixture),
        cmocka_unit_test_setup_teardown(environment_wins_over_a_file, make_fixture, remove_fixture),
        cmocka_unit_test_setup_teardown(line_without_a_name_is_refused_with_its_number,
                                        make_fixture, remove_fixture),
        cmocka_unit_test_setup_teardown(later_line_of_one_file_counts_and_the_source_is_known,
                                        make_fixture, remove_fixture),
        cmocka_unit_test_setup_teardown(secret_that_a_file_gives_is_not_made, make_fixture,
                                        remove_fixture),
        cmocka_unit_test_setup_teardown(named_file_has_to_be_there, make_fixture, remove_fixture),
        cmocka_unit_test_setup_teardown(missing_file_is_no_error, make_fixture, remove_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
