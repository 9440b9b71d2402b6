/* Groups: children are joined, the first error cancels the rest and tells its story. */
#include "io_test.h"

struct child {
    int number;
    int64_t sleep_us;
    Err end;
    Err got;
    bool ended;
    Str text;
};

static Err child_body(struct ctx *ctx, void *arg)
{
    struct child *child = arg;
    child->got = child->sleep_us > 0 ? fiber_sleep(ctx, child->sleep_us) : OK;
    child->ended = true;
    child->text = str_printf(ctx->arena, "child %d", child->number);
    TRY(child->got);
    ctx->has_committed = child->number == 1;
    return child->end == OK ? OK : fail(ctx, child->end, "child %d says no", child->number);
}

struct family {
    struct child *children;
    uint32_t count;
    struct fiber *parent;
    struct ctx *ctx;
};

static Err family_body(struct ctx *ctx, void *arg)
{
    struct family *family = arg;
    family->parent = fiber_self();
    family->ctx = ctx;
    struct group group;
    group_init(&group, ctx);
    for (uint32_t i = 0; i < family->count; i++)
        group_spawn(&group, ctx, "child", child_body, &family->children[i]);
    return group_join(ctx, &group);
}

static void empty_group_is_joined_at_once(void **state)
{
    struct family family = {.count = 0};
    assert_int_equal(run_in_fiber(*state, family_body, &family), OK);
}

static void join_waits_for_all_and_keeps_their_results(void **state)
{
    struct fixture *f = *state;
    struct child children[] = {
        {.number = 1, .sleep_us = 3000}, {.number = 2}, {.number = 3, .sleep_us = 1000}};
    struct family family = {children, 3, NULL, NULL};
    struct in_fiber run = in_fiber_make(f, family_body, &family);
    fiber_spawn(f->loop, "family", in_fiber_main, &run);
    turn_until_empty(f->loop);
    assert_int_equal(run.result, OK);
    assert_true(run.ctx.has_committed);
    for (int i = 0; i < 3; i++)
        assert_true(str_eq(children[i].text, str_printf(f->arena, "child %d", i + 1)));
}

static void first_error_cancels_the_rest_and_tells_its_story(void **state)
{
    struct fixture *f = *state;
    struct child children[] = {{.number = 1, .sleep_us = 60 * SECOND_US},
                               {.number = 2, .sleep_us = 500, .end = ERR_CONFLICT},
                               {.number = 3, .sleep_us = 60 * SECOND_US, .end = ERR_INTERNAL}};
    struct family family = {children, 3, NULL, NULL};
    struct in_fiber run = in_fiber_make(f, family_body, &family);
    fiber_spawn(f->loop, "family", in_fiber_main, &run);
    turn_until_empty(f->loop);
    assert_int_equal(run.result, ERR_CONFLICT);
    assert_int_equal(run.ctx.diag.count, 1);
    assert_true(str_eq(run.ctx.diag.last->reason, STR("child 2 says no")));
    assert_int_equal(children[0].got, ERR_CANCELLED);
    assert_int_equal(children[2].got, ERR_CANCELLED);
}

static void nothing_is_started_after_an_error(void **state)
{
    struct child children[] = {{.number = 1, .sleep_us = 60 * SECOND_US},
                               {.number = 2, .end = ERR_CONFLICT},
                               {.number = 3}};
    struct family family = {children, 3, NULL, NULL};
    assert_int_equal(run_in_fiber(*state, family_body, &family), ERR_CONFLICT);
    assert_int_equal(children[0].got, ERR_CANCELLED);
    assert_false(children[2].ended);
}

static void cancelled_parent_cancels_its_children_and_waits_for_them(void **state)
{
    struct fixture *f = *state;
    struct child children[] = {{.number = 1, .sleep_us = 60 * SECOND_US},
                               {.number = 2, .sleep_us = 60 * SECOND_US}};
    struct family family = {children, 2, NULL, NULL};
    struct in_fiber run = in_fiber_make(f, family_body, &family);
    fiber_spawn(f->loop, "family", in_fiber_main, &run);
    assert_int_equal(fiber_count(f->loop), 3);
    fiber_cancel(family.parent);
    turn_until_empty(f->loop);
    assert_int_equal(run.result, ERR_CANCELLED);
    assert_int_equal(run.ctx.diag.last->err, ERR_CANCELLED);
    assert_true(children[0].ended && children[1].ended);
}

static void deadline_of_the_parent_is_that_of_the_children(void **state)
{
    struct fixture *f = *state;
    struct child children[] = {{.number = 1, .sleep_us = 60 * SECOND_US}};
    struct family family = {children, 1, NULL, NULL};
    struct in_fiber run = in_fiber_make(f, family_body, &family);
    run.ctx.deadline_us = clock_now_us() + 1000;
    fiber_spawn(f->loop, "family", in_fiber_main, &run);
    turn_until_empty(f->loop);
    assert_int_equal(run.result, ERR_TIMEOUT);
    assert_true(children[0].ended);
}

static Err grandparent(struct ctx *ctx, void *arg)
{
    struct group group;
    group_init(&group, ctx);
    group_spawn(&group, ctx, "family", family_body, arg);
    return group_join(ctx, &group);
}

static void groups_nest(void **state)
{
    struct fixture *f = *state;
    struct child children[] = {{.number = 1, .sleep_us = 60 * SECOND_US},
                               {.number = 2, .sleep_us = 500, .end = ERR_CONFLICT}};
    struct family family = {children, 2, NULL, NULL};
    struct in_fiber run = in_fiber_make(f, grandparent, &family);
    fiber_spawn(f->loop, "grand", in_fiber_main, &run);
    turn_until_empty(f->loop);
    assert_int_equal(run.result, ERR_CONFLICT);
    assert_true(str_eq(run.ctx.diag.last->reason, STR("child 2 says no")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        io_test(empty_group_is_joined_at_once),
        io_test(join_waits_for_all_and_keeps_their_results),
        io_test(first_error_cancels_the_rest_and_tells_its_story),
        io_test(nothing_is_started_after_an_error),
        io_test(cancelled_parent_cancels_its_children_and_waits_for_them),
        io_test(deadline_of_the_parent_is_that_of_the_children),
        io_test(groups_nest),
    };
    return cmocka_run_group_tests_name("group", tests, NULL, NULL);
}
