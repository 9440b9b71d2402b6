/* What the triggers of articles and queues raise, as sentences and notes. */
#include "factory/review/review.h"
#include "support/fixture.h"

static const struct diag_note *note(const struct ctx *ctx, const char *key)
{
    for (const struct diag_note *n = ctx->diag.last->notes; n != NULL; n = n->next)
        if (strcmp(n->key, key) == 0)
            return n;
    return NULL;
}

static void a_move_that_a_state_machine_lacks_names_its_field(void **state)
{
    struct ctx *ctx = *state;
    db_error_add(&MOVE_ERROR);
    struct db_error error = {
        .sqlstate = "SPM01",
        .table = STR("generated_articles"),
        .column = STR("status"),
        .message = STR("An article that is qc cannot become published."),
    };
    assert_int_equal(db_error_render(ctx, &error), ERR_CONFLICT);
    assert_true(str_eq(ctx->diag.last->reason, error.message));
    assert_true(str_eq(note(ctx, "field")->value, STR("status")));
    assert_true(str_eq(note(ctx, "collection")->value, STR("generated_articles")));
}

static void the_quality_gate_says_what_is_missing_and_until_when(void **state)
{
    struct ctx *ctx = *state;
    db_error_add(&GATE_ERROR);
    struct db_error error = {
        .sqlstate = "SPG01",
        .message = STR("The quality gate holds this article back."),
        .constraint = STR("[\"duplicate\",\"publish_ramp\"]"),
        .detail = STR("2026-01-02T00:00:00Z"),
    };
    assert_int_equal(db_error_render(ctx, &error), ERR_QUALITY_GATE);
    assert_true(str_eq(ctx->diag.last->reason, error.message));
    assert_true(note(ctx, "conditions")->is_json);
    assert_true(str_eq(note(ctx, "conditions")->value, error.constraint));
    assert_true(str_eq(note(ctx, "opens_at")->value, error.detail));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_move_that_a_state_machine_lacks_names_its_field),
        FIXTURE_TEST(the_quality_gate_says_what_is_missing_and_until_when),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
