#include "base/system/ctx.h"
#include "base/system/process.h"
#include "support/fixture.h"

static void a_reason_is_never_empty(void **state)
{
    struct ctx *ctx = *state;
    assert_true(str_eq(process_reason(ctx, ERR_DATABASE), STR("DATABASE")));
    assert_int_equal(fail_also(ctx, ERR_DATABASE, "%s", ""), ERR_DATABASE);
    assert_true(str_eq(process_reason(ctx, ERR_DATABASE), STR("DATABASE")));
    fail_note(ctx, "_message", STR("what PostgreSQL said"));
    assert_true(str_eq(process_reason(ctx, ERR_DATABASE), STR("what PostgreSQL said")));
    diag_clear(ctx);
    assert_int_equal(fail_also(ctx, ERR_CONFIG, "a sentence"), ERR_CONFIG);
    assert_true(str_eq(process_reason(ctx, ERR_CONFIG), STR("a sentence")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_reason_is_never_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
