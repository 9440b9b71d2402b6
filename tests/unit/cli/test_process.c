#include "base/system/clock.h"
#include "cli/backends/set_aside.h"
#include "cli/process/process.h"
#include "support/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void missing_program_is_told_by_name(void **state)
{
    struct ctx ctx = {.arena = *state};
    const char *argv[] = {"/nonexistent/program", NULL};
    pid_t pid;
    assert_int_equal(process_start(&ctx, &(struct process_spec){.argv = argv}, &pid), ERR_CONFIG);
    assert_true(str_find(ctx.diag.first->reason, STR("/nonexistent/program")) >= 0);
}

static void exit_code_of_a_run_is_an_error(void **state)
{
    struct ctx ctx = {.arena = *state};
    const char *good[] = {"/bin/true", NULL};
    const char *bad[] = {"/bin/false", NULL};
    assert_int_equal(process_run(&ctx, &(struct process_spec){.argv = good}, 60 * SECOND_US), OK);
    assert_int_equal(process_run(&ctx, &(struct process_spec){.argv = bad}, 60 * SECOND_US),
                     ERR_CONFIG);
}

static void run_that_never_ends_is_ended(void **state)
{
    struct ctx ctx = {.arena = *state};
    const char *argv[] = {"/bin/sleep", "600", NULL};
    assert_int_equal(process_run(&ctx, &(struct process_spec){.argv = argv}, 50 * MS_US),
                     ERR_CONFIG);
}

static void service_does_not_inherit_our_secrets(void **state)
{
    struct ctx ctx = {.arena = *state};
    setenv("ADMIN_TOKEN", "secret", 1);
    const char *argv[] = {"/bin/sh", "-c", "test -z \"$ADMIN_TOKEN\" && test \"$LC_ALL\" = C.UTF-8",
                          NULL};
    struct process_spec spec = {.argv = argv, .has_clean_environment = true};
    assert_int_equal(process_run(&ctx, &spec, 60 * SECOND_US), OK);
    unsetenv("ADMIN_TOKEN");
}

static void child_that_ignores_the_signal_is_killed(void **state)
{
    struct ctx ctx = {.arena = *state};
    const char *argv[] = {"/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done", NULL};
    pid_t pid;
    int status;
    assert_int_equal(process_start(&ctx, &(struct process_spec){.argv = argv}, &pid), OK);
    process_stop(pid, SIGTERM, 50 * MS_US);
    assert_true(process_wait(pid, 0, &status)); /* already reaped */
    assert_int_equal(kill(pid, 0), -1);
}

static void process_is_known_by_program_and_folder(void **state)
{
    struct ctx ctx = {.arena = *state};
    const char *argv[] = {"/bin/sh", "-c", "cd / && exec sleep 600", NULL};
    pid_t pid;
    assert_int_equal(process_start(&ctx, &(struct process_spec){.argv = argv}, &pid), OK);
    int64_t end_us = clock_now_us() + 60 * SECOND_US;
    while (!process_is(pid, "sleep", "/") && clock_now_us() < end_us)
        continue;
    assert_true(process_is(pid, "sleep", "/"));
    assert_false(process_is(pid, "sleep", "/tmp"));
    assert_false(process_is(pid, "postgres", "/"));
    process_stop(pid, SIGKILL, SECOND_US);
    assert_false(process_is(pid, "sleep", "/"));
}

/* In a container whose first process reaps nobody, what ended stays in the table as a zombie. */
static void stray_that_nobody_reaps_has_ended(void **state)
{
    struct ctx ctx = {.arena = *state};
    const char *argv[] = {"/bin/sleep", "600", NULL};
    pid_t pid;
    int status;
    assert_int_equal(process_start(&ctx, &(struct process_spec){.argv = argv}, &pid), OK);
    assert_false(process_stop_stray(pid, 0, 0));
    assert_true(process_stop_stray(pid, SIGKILL, 60 * SECOND_US));
    assert_int_equal(kill(pid, 0), 0); /* ours to reap, and not reaped yet */
    assert_true(process_wait(pid, SECOND_US, &status));
    assert_true(process_stop_stray(pid, 0, 0));
}

static Str error_in(struct arena *arena, const char *text, int64_t from)
{
    struct ctx ctx = {.arena = arena};
    char path[] = "/tmp/spark-log-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    assert_int_equal(process_log_size(path), (int64_t)strlen(text));
    Str error = process_log_error(&ctx, path, from);
    unlink(path);
    return error;
}

#define assert_error(text, expected)                                                               \
    assert_string_equal(str_z(*state, error_in(*state, (text), 0)), expected)

static void error_of_a_log_is_found_among_what_stands_around_it(void **state)
{
    assert_error("1:M 28 Nov 2026 19:27:30.040 # Bad file format reading the append only file\n"
                 "1:M 28 Nov 2026 19:27:30.033 # WARNING Memory overcommit must be enabled!\n",
                 "Bad file format reading the append only file");
    assert_error("2026-11-28 19:00:00 UTC [7] FATAL:  could not open directory \"pg_notify\"\n"
                 "2026-11-28 19:00:00 UTC [7] FATAL:  the database system is starting up\n"
                 "2026-11-28 19:00:00 UTC [7] LOG:  database system is shut down\n",
                 "could not open directory \"pg_notify\"");
    assert_error("{\"level\":\"error\",\"event\":\"startup_failed\",\"reason\":\"roles\"}\n"
                 "{\"level\":\"info\",\"event\":\"stopped\",\"reason\":\"x\"}\n",
                 "roles");
    assert_error("The database is up to date\nspark: the database is newer\n",
                 "the database is newer");
    assert_error("initdb: error: directory exists\ninitdb: hint: remove it\n", "directory exists");
    assert_error("something odd\n\n", "something odd");
    assert_error("", "it said nothing");
}

static void error_of_an_earlier_start_is_not_this_ones(void **state)
{
    static const char EARLIER[] = "spark: an old story\n";
    Str error = error_in(*state, "spark: an old story\nnothing new\n", sizeof EARLIER - 1);
    assert_true(str_eq(error, STR("nothing new")));
    error = error_in(*state, "spark: of a new file\n", 1000);
    assert_true(str_eq(error, STR("of a new file")));
}

static void what_is_set_aside_comes_back_when_it_was_not_to_blame(void **state)
{
    struct ctx ctx = {.arena = *state};
    char folder[] = "/tmp/spark-aside-XXXXXX";
    const char *aside;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(set_aside(&ctx, folder, &aside), OK);
    assert_int_equal(access(folder, F_OK), -1);
    assert_int_equal(access(aside, F_OK), 0);
    assert_int_equal(set_aside_undo(&ctx, folder, aside), OK);
    assert_int_equal(access(folder, F_OK), 0);
    assert_int_equal(rmdir(folder), 0);
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
        cmocka_unit_test(missing_program_is_told_by_name),
        cmocka_unit_test(exit_code_of_a_run_is_an_error),
        cmocka_unit_test(run_that_never_ends_is_ended),
        cmocka_unit_test(service_does_not_inherit_our_secrets),
        cmocka_unit_test(child_that_ignores_the_signal_is_killed),
        cmocka_unit_test(process_is_known_by_program_and_folder),
        cmocka_unit_test(stray_that_nobody_reaps_has_ended),
        cmocka_unit_test(error_of_a_log_is_found_among_what_stands_around_it),
        cmocka_unit_test(error_of_an_earlier_start_is_not_this_ones),
        cmocka_unit_test(what_is_set_aside_comes_back_when_it_was_not_to_blame),
    };
    return cmocka_run_group_tests(tests, make_arena, destroy_arena);
}
