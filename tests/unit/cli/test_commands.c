/* What the operator's commands refuse before they ask any database. */
#include "cli/commands/command.h"
#include "support/fixture.h"

#include <stdlib.h>

/* Called by name, so that the linker takes them out of their library. */
#define COMMAND(noun, verb, function, arguments, help)                                             \
    int function(struct cli *cli, int argc, char **argv);
#define FRONT_END(noun, function, arguments, help)
#include "cli/commands/commands.def"
#undef COMMAND
#undef FRONT_END

/* The words end with NULL. */
static int exit_code(struct ctx *ctx, command_fn command, const char *const *words)
{
    static const struct command ANY = {.noun = "noun", .verb = "verb", .arguments = ""};
    struct cli cli = {.ctx = {.arena = ctx->arena}, .command = &ANY};
    int argc = 0;
    while (words[argc] != NULL)
        argc++;
    return command(&cli, argc, (char **)(uintptr_t)words);
}

/* SPARK(command, NULL) is the command without arguments. */
#define SPARK(command, ...) exit_code(*state, command, (const char *[]){"verb", __VA_ARGS__, NULL})

static void a_site_needs_a_domain(void **state)
{
    assert_int_equal(SPARK(command_site_create, NULL), CLI_USAGE);
    assert_int_equal(SPARK(command_site_create, "--domain", "no domain"), CLI_USAGE);
    assert_int_equal(SPARK(command_site_create, "--domain", ""), CLI_USAGE);
    assert_int_equal(SPARK(command_site_list, "--all"), CLI_USAGE);
}

static void a_token_needs_a_site_and_a_future(void **state)
{
    assert_int_equal(SPARK(command_token_create, NULL), CLI_USAGE);
    assert_int_equal(SPARK(command_token_create, "--site", "a", "--name", ""), CLI_USAGE);
    assert_int_equal(SPARK(command_token_create, "--site", "a", "--expires", "soon"), CLI_USAGE);
    assert_int_equal(SPARK(command_token_create, "--site", "a", "--expires", "2001-01-01"),
                     CLI_USAGE);
    assert_int_equal(SPARK(command_token_revoke, NULL), CLI_USAGE);
    assert_int_equal(SPARK(command_token_revoke, "1"), CLI_USAGE);
}

static void a_job_needs_a_kind_an_object_and_a_sane_count(void **state)
{
    assert_int_equal(SPARK(command_job_enqueue, NULL), CLI_USAGE);
    assert_int_equal(SPARK(command_job_enqueue, "a", "b"), CLI_USAGE);
    assert_int_equal(SPARK(command_job_enqueue, "a", "--payload", "[1]"), CLI_USAGE);
    assert_int_equal(SPARK(command_job_enqueue, "a", "--payload", "{"), CLI_USAGE);
    assert_int_equal(SPARK(command_job_enqueue, "a", "--count", "0"), CLI_USAGE);
    assert_int_equal(SPARK(command_job_enqueue, "a", "--count", "1000001"), CLI_USAGE);
}

static void a_job_is_named_by_a_number(void **state)
{
    assert_int_equal(SPARK(command_job_show, NULL), CLI_USAGE);
    assert_int_equal(SPARK(command_job_show, "x"), CLI_USAGE);
    assert_int_equal(SPARK(command_job_retry, "0"), CLI_USAGE);
    assert_int_equal(SPARK(command_job_retry, "1", "2"), CLI_USAGE);
    assert_int_equal(SPARK(command_job_list, "--state", "broken"), CLI_USAGE);
    assert_int_equal(SPARK(command_job_list, "--limit", "many"), CLI_USAGE);
}

static void without_a_database_they_say_so(void **state)
{
    assert_int_equal(SPARK(command_job_counts, NULL), CLI_REFUSED);
    assert_int_equal(SPARK(command_site_list, NULL), CLI_REFUSED);
    assert_int_equal(SPARK(command_token_list, NULL), CLI_REFUSED);
}

int main(void)
{
    unsetenv("DATABASE_URL");
    unsetenv("DATABASE_PLATFORM_URL");
    setenv("SPARK_DATA", "/nonexistent", 1);
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_site_needs_a_domain),
        FIXTURE_TEST(a_token_needs_a_site_and_a_future),
        FIXTURE_TEST(a_job_needs_a_kind_an_object_and_a_sane_count),
        FIXTURE_TEST(a_job_is_named_by_a_number),
        FIXTURE_TEST(without_a_database_they_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
