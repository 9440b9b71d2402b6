#include "cli/commands/command.h"
#include "support/fixture.h"

static const struct command COMMAND_UNDER_TEST = {.noun = "thing", .verb = "", .arguments = ""};

struct outcome {
    bool is_read;
    bool flag;
    Str text;
    struct operands operands;
};

static struct outcome read_words(struct arena *arena, int argc, const char *const *words)
{
    struct outcome outcome = {.is_read = false};
    struct cli cli = {.ctx = {.arena = arena}, .command = &COMMAND_UNDER_TEST};
    const struct option options[] = {{.name = "fast", .flag = &outcome.flag},
                                     {.name = "data", .text = &outcome.text}};
    outcome.is_read =
        command_options(&cli, argc, (char **)(uintptr_t)words, options, 2, &outcome.operands);
    return outcome;
}

#define READ(...)                                                                                  \
    read_words(*state, sizeof((const char *[]){"thing", __VA_ARGS__}) / sizeof(char *),            \
               (const char *[]){"thing", __VA_ARGS__})

static void flags_and_values_are_read(void **state)
{
    struct outcome outcome = READ("--fast", "--data", "dir", "operand");
    assert_true(outcome.is_read);
    assert_true(outcome.flag);
    assert_true(str_eq(outcome.text, STR("dir")));
    assert_int_equal(outcome.operands.count, 1);
    assert_true(str_eq(outcome.operands.values[0], STR("operand")));
}

static void value_may_follow_an_equals_sign(void **state)
{
    assert_true(str_eq(READ("--data=a=b").text, STR("a=b")));
    assert_true(READ("--data=").is_read);
}

static void two_dashes_end_the_flags(void **state)
{
    struct outcome outcome = READ("--", "--fast");
    assert_true(outcome.is_read);
    assert_false(outcome.flag);
    assert_true(str_eq(outcome.operands.values[0], STR("--fast")));
}

static void wrong_usage_is_refused(void **state)
{
    assert_false(READ("--slow").is_read);
    assert_false(READ("--data").is_read);
    assert_false(READ("--fast=yes").is_read);
    assert_false(READ("1", "2", "3", "4", "5", "6", "7", "8", "9").is_read);
}

static void every_command_has_help_and_no_twin(void **state)
{
    (void)state;
    for (const struct command *c = COMMANDS; c->noun != NULL; c++) {
        assert_true(str_from_z(c->help).len > 0);
        for (const struct command *d = c + 1; d->noun != NULL; d++)
            assert_false(str_eq(str_from_z(c->noun), str_from_z(d->noun)) &&
                         str_eq(str_from_z(c->verb), str_from_z(d->verb)));
    }
}

static int make_arena(void **state)
{
    *state = arena_create();
    return 0;
}

static int destroy_arena(void **state)
{
    arena_destroy(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_and_values_are_read),
        cmocka_unit_test(value_may_follow_an_equals_sign),
        cmocka_unit_test(two_dashes_end_the_flags),
        cmocka_unit_test(wrong_usage_is_refused),
        cmocka_unit_test(every_command_has_help_and_no_twin),
    };
    return cmocka_run_group_tests(tests, make_arena, destroy_arena);
}
