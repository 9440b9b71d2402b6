#include "cli/commands/table.h"
#include "support/fixture.h"

static const struct table_column COLUMNS[] = {RAW_COLUMN("id"), TEXT_COLUMN("name"),
                                              RAW_COLUMN("payload")};

static Str written(struct ctx *ctx, const Str *values, uint32_t count, bool is_json)
{
    struct sync_rows rows = {count, 3, (Str *)(uintptr_t)values};
    struct buf *out = buf_in_arena(ctx->arena, 4096);
    table_write(out, &rows, COLUMNS, is_json);
    return buf_str(out);
}

static void json_keeps_numbers_and_json_as_they_are(void **state)
{
    const Str values[] = {STR("7"), STR("say \"a\"\n"), STR("{\"a\": 1}"),
                          STR("8"), STR_NONE,           STR_NONE};
    assert_true(str_eq(written(*state, values, 2, true),
                       STR("[{\"id\":7,\"name\":\"say \\\"a\\\"\\n\",\"payload\":{\"a\": 1}},"
                           "{\"id\":8,\"name\":null,\"payload\":null}]\n")));
    assert_true(str_eq(written(*state, values, 0, true), STR("[]\n")));
}

static void columns_are_as_wide_as_their_widest_value(void **state)
{
    const Str values[] = {STR("7"), STR("naïve"), STR("1"), STR("1234"), STR_NONE, STR("2")};
    assert_true(str_eq(written(*state, values, 2, false), STR("id    name   payload\n"
                                                              "7     naïve  1\n"
                                                              "1234         2\n")));
}

static void a_value_of_several_lines_shows_its_first(void **state)
{
    char wide[300];
    memset(wide, 'w', sizeof wide);
    const Str values[] = {STR("7"), STR("one\ntwo"), str_of(wide, sizeof wide)};
    Str text = written(*state, values, 1, false);
    assert_true(str_find(text, STR("two")) < 0);
    assert_true(text.len < 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(json_keeps_numbers_and_json_as_they_are),
        FIXTURE_TEST(columns_are_as_wide_as_their_widest_value),
        FIXTURE_TEST(a_value_of_several_lines_shows_its_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
