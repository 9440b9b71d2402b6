#include "support/fixture.h"

/* cmocka has a macro of the same name. */
#undef fail
#define fail(ctx, err, ...)                                                                        \
    never_ok(diag_fail((ctx), (err), false, __FILE__, __LINE__, __VA_ARGS__))

static void check_message(struct ctx *ctx, Err err, const char *reason, const char *want)
{
    assert_int_equal(fail(ctx, err, "%s", reason), err);
    Str message = diag_message(ctx, ctx->diag.first);
    assert_string_equal(str_z(ctx->arena, message), want);
}

static void every_error_has_a_status_a_code_and_a_message(void **state)
{
    struct ctx *ctx = *state;
    for (unsigned i = 1; i < ERR_COUNT; i++) {
        const struct err_info *info = err_info((Err)i);
        assert_true(info->status >= 400 && info->status < 600);
        assert_true(strlen(info->code) > 0);
        assert_int_equal(fail_plain(ctx, (Err)i), i);
        Str message = diag_message(ctx, ctx->diag.first);
        assert_true(message.len > 5);
        assert_true(str_ends_with(message, STR(".")));
        assert_int_equal(str_find(message, STR("%")), -1);
    }
}

static void reasons_stand_in_the_template(void **state)
{
    struct ctx *ctx = *state;
    check_message(ctx, ERR_INVALID_QUERY, "\"limit\" is no number",
                  "Invalid query. \"limit\" is no number.");
    check_message(ctx, ERR_INVALID_QUERY, "It is wrong.", "Invalid query. It is wrong.");
    check_message(ctx, ERR_ROUTE_NOT_FOUND, "/x", "Route /x doesn't exist.");
    check_message(ctx, ERR_INVALID_CREDENTIALS, "wrong password", "Invalid user credentials.");
    check_message(ctx, ERR_CONFLICT, "100% %s", "100% %s");
}

static void without_a_reason_the_message_is_still_a_sentence(void **state)
{
    struct ctx *ctx = *state;
    check_message(ctx, ERR_FORBIDDEN, "", "You don't have permission to access this.");
    check_message(ctx, ERR_INVALID_PAYLOAD, "", "Invalid payload.");
    check_message(ctx, ERR_ROUTE_NOT_FOUND, "", "Route doesn't exist.");
    check_message(ctx, ERR_UNPROCESSABLE, "", "Can't process content.");
}

static void a_new_failure_replaces_the_old_one(void **state)
{
    struct ctx *ctx = *state;
    (void)fail(ctx, ERR_CONFLICT, "first");
    (void)fail(ctx, ERR_NOT_FOUND, "second");
    assert_int_equal(ctx->diag.count, 1);
    assert_int_equal(ctx->diag.first->err, ERR_NOT_FOUND);
    assert_ptr_equal(ctx->diag.first, ctx->diag.last);
    assert_true(ctx->diag.first->line > 0);
    diag_clear(ctx);
    assert_null(ctx->diag.first);
}

static void several_failures_are_kept_in_order(void **state)
{
    struct ctx *ctx = *state;
    (void)fail_also(ctx, ERR_INVALID_PAYLOAD, "one");
    (void)fail_also(ctx, ERR_FAILED_VALIDATION, "two");
    assert_int_equal(ctx->diag.count, 2);
    assert_int_equal(ctx->diag.first->err, ERR_INVALID_PAYLOAD);
    assert_int_equal(ctx->diag.first->next->err, ERR_FAILED_VALIDATION);
}

static void entries_over_the_limit_are_counted_but_not_kept(void **state)
{
    struct ctx *ctx = *state;
    for (unsigned i = 0; i < DIAG_ENTRIES_MAX + 10; i++) {
        assert_int_equal(fail_also(ctx, ERR_INVALID_PAYLOAD, "%u", i), ERR_INVALID_PAYLOAD);
        fail_note(ctx, "n", STR("1"));
    }
    unsigned kept = 0;
    for (struct diag_entry *entry = ctx->diag.first; entry != NULL; entry = entry->next) {
        kept++;
        assert_non_null(entry->notes);
        assert_null(entry->notes->next);
    }
    assert_int_equal(kept, DIAG_ENTRIES_MAX);
    assert_int_equal(ctx->diag.count, DIAG_ENTRIES_MAX + 10);
}

static void notes_belong_to_the_latest_entry_in_order(void **state)
{
    struct ctx *ctx = *state;
    (void)fail(ctx, ERR_NOT_UNIQUE, "taken");
    fail_note(ctx, "field", STR("slug"));
    fail_note_json(ctx, "valid", STR("[1]"));
    const struct diag_note *note = ctx->diag.first->notes;
    assert_string_equal(note->key, "field");
    assert_true(str_eq(note->value, STR("slug")) && !note->is_json);
    assert_string_equal(note->next->key, "valid");
    assert_true(note->next->is_json);
}

static void long_reasons_end_between_characters(void **state)
{
    struct ctx *ctx = *state;
    for (int shift = 0; shift < 4; shift++) {
        Str long_text = str_printf(ctx->arena, "%.*s%0*d", shift, "abc", 1020, 0);
        (void)fail(ctx, ERR_CONFLICT, "%.*s\U0001F600\U0001F600", STR_FMT(long_text));
        Str reason = ctx->diag.first->reason;
        assert_true(reason.len <= 1024 && reason.len >= 1020);
        assert_true(str_is_utf8(reason));
    }
}

static Err try_to(struct ctx *ctx, Err err)
{
    if (err != OK)
        TRY(fail(ctx, err, "no"));
    return OK;
}

static void try_passes_an_error_up(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(try_to(ctx, OK), OK);
    assert_int_equal(try_to(ctx, ERR_TIMEOUT), ERR_TIMEOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(every_error_has_a_status_a_code_and_a_message),
        FIXTURE_TEST(reasons_stand_in_the_template),
        FIXTURE_TEST(without_a_reason_the_message_is_still_a_sentence),
        FIXTURE_TEST(a_new_failure_replaces_the_old_one),
        FIXTURE_TEST(several_failures_are_kept_in_order),
        FIXTURE_TEST(entries_over_the_limit_are_counted_but_not_kept),
        FIXTURE_TEST(notes_belong_to_the_latest_entry_in_order),
        FIXTURE_TEST(long_reasons_end_between_characters),
        FIXTURE_TEST(try_passes_an_error_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
