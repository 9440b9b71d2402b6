#include "base/json/json.h"
#include "support/fixture.h"

static const char KNOWN[] = "name date_range{start end{day}} rows{id} data";

static Err check(struct ctx *ctx, const char *text)
{
    const struct json *json;
    diag_clear(ctx);
    assert_int_equal(json_parse(ctx, str_from_z(text), JSON_LIMITS_DEFAULT, &json), OK);
    return json_check_members(ctx, json, STR_NONE, str_from_z(KNOWN));
}

static void refused(struct ctx *ctx, const char *text, const char *path, const char *known)
{
    assert_int_equal(check(ctx, text), ERR_INVALID_PAYLOAD);
    Str note = ctx->diag.first->notes->value;
    assert_true(str_eq(note, str_from_z(path)));
    assert_true(str_find(ctx->diag.first->reason, str_from_z(known)) >= 0);
}

static void known_members_pass_at_every_level(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(check(ctx, "{}"), OK);
    assert_int_equal(check(ctx, "{\"name\":1,\"date_range\":{\"start\":null,\"end\":{\"day\":1}},"
                                "\"rows\":[{\"id\":1},2,{}]}"),
                     OK);
}

static void members_without_a_list_may_hold_anything(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(check(ctx, "{\"data\":{\"any\":{\"thing\":1}},\"name\":[{\"x\":1}]}"), OK);
}

static void unknown_members_are_named_with_what_is_known(void **state)
{
    struct ctx *ctx = *state;
    refused(ctx, "{\"nam\":1}", "nam", "name, date_range, rows, data");
    refused(ctx, "{\"date_range\":{\"till\":1}}", "date_range.till", "start, end");
    refused(ctx, "{\"date_range\":{\"end\":{\"dy\":1}}}", "date_range.end.dy", ": day");
    refused(ctx, "{\"rows\":[{\"id\":1},{\"ID\":1}]}", "rows[1].ID", "id");
    refused(ctx, "[{\"start\":1}]", "[0].start", "name, date_range");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(known_members_pass_at_every_level),
        FIXTURE_TEST(members_without_a_list_may_hold_anything),
        FIXTURE_TEST(unknown_members_are_named_with_what_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
