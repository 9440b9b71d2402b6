/* Processes that die in every way, and what the page that they leave says of it. */
#include "base/memory/deep.h"
#include "io/fiber/loop.h"
#include "jobs/queue/crash_page.h"
#include "support/fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char log_text[4096];     /* what the process that died wrote to its log */
static struct crash_page *page; /* the one that the children map too */
static char path[] = "/tmp/spark-crash-page-XXXXXX";

/* Its beginning; what a sanitizer says after it is read and forgotten. */
static void read_log(int fd)
{
    size_t len = 0;
    char rest[1024];
    ssize_t got;
    while ((got = read(fd, len < sizeof log_text - 1 ? log_text + len : rest,
                       len < sizeof log_text - 1 ? sizeof log_text - 1 - len : sizeof rest)) > 0)
        len += len < sizeof log_text - 1 ? (size_t)got : 0;
    log_text[len] = '\0';
    close(fd);
}

/* Runs `die` in a process that shows what it does; how it ended. */
static int status_of(void (*die)(void *arg))
{
    memset(page, 0, sizeof *page);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        for (int number = 1; number < SIGRTMIN; number++)
            signal(number, SIG_DFL); /* cmocka's handlers would go on with the tests */
        crash_page_show(0);
        crash_page_begin(STR("host:1:2:3"));
        crash_page_name(4, STR("file"), STR("name"));
        fiber_extension(5);
        die(NULL);
        _exit(0);
    }
    close(ends[1]);
    read_log(ends[0]);
    int status;
    waitpid(pid, &status, 0);
    return status;
}

static void die_by_abort(void *arg)
{
    (void)arg;
    abort();
}

static void die_by_fault(void *arg)
{
    (void)arg;
    int *volatile nowhere = (int *)8;
    *nowhere = 1;
}

static void die_by_kill(void *arg)
{
    (void)arg;
    raise(SIGKILL);
}

static void die_by_exit(void *arg)
{
    (void)arg;
    _exit(3);
}

static void the_extension_that_was_entered_is_to_blame(void **state)
{
    (void)state;
    void (*const WAYS[])(void *arg) = {die_by_abort, die_by_fault, die_by_kill, die_by_exit};
    for (size_t i = 0; i < sizeof WAYS / sizeof WAYS[0]; i++) {
        assert_int_not_equal(status_of(WAYS[i]), 0);
        assert_int_equal(crash_page_extension(page), 5);
        assert_int_equal(page->fatal_thread, i < 2 ? 1 : 0);
    }
    expect_str(str_from_z(page->extensions[4].file), "file");
    expect_str(str_from_z(page->extensions[4].name), "name");
    expect_str(str_from_z(page->incarnation), "host:1:2:3");
}

static void the_numberstill_ends_the_process(void **state)
{
    (void)state;
    int status = status_of(die_by_abort);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static int eat(volatile char *before, int levels)
{
    volatile char mine[1024];
    mine[0] = before[0];
    return levels > 0 ? eat(mine, levels - 1) + mine[0] : 0;
}

static void overflow(void *arg)
{
    (void)arg;
    fiber_extension(5);
    fiber_work(STR("GET"), STR("/somewhere/:id"));
    char first = 1;
    (void)eat(&first, 100 * 1000);
}

static void overflow_deep(void *arg)
{
    fiber_work(STR("job"), STR("a-job"));
    deep_call(overflow, arg);
}

static void die_by_deep_overflow(void *arg)
{
    fiber_spawn(loop_new(), "victim", overflow_deep, arg);
}

static void die_by_overflow(void *arg)
{
    fiber_spawn(loop_new(), "victim", overflow, arg);
}

static void a_stack_that_runs_out_is_seen_too(void **state)
{
    (void)state;
    assert_int_not_equal(status_of(die_by_overflow), 0);
    assert_int_equal(page->fatal_thread, 1);
    assert_int_equal(crash_page_extension(page), 5);
}

static void a_stack_that_runs_out_is_named_in_the_log(void **state)
{
    (void)state;
    Str text = str_of(log_text, 0);
    (void)status_of(die_by_overflow);
    text.len = strlen(log_text);
    expect_contains(text, "\"event\":\"stack_overflow\",\"fiber\":\"victim\",");
    expect_contains(text, "\"work\":\"GET /somewhere/:id\",\"stack\":\"fiber\"");
    (void)status_of(die_by_deep_overflow);
    text.len = strlen(log_text);
    expect_contains(text, "\"event\":\"stack_overflow\",\"fiber\":\"victim\",");
    expect_contains(text, "\"stack\":\"deep\"");
    (void)status_of(die_by_fault);
    expect_lacks(str_of(log_text, strlen(log_text)), "stack_overflow");
}

static void *abort_in_thread(void *arg)
{
    if (arg != NULL)
        crash_page_show(1);
    abort();
}

static void die_in_other_thread(void *arg)
{
    pthread_t thread;
    pthread_create(&thread, NULL, abort_in_thread, arg);
    pthread_join(thread, NULL);
}

static void die_in_second_loop(void *arg)
{
    (void)arg;
    die_in_other_thread(page);
}

static void who_only_was_there_is_not_to_blame(void **state)
{
    (void)state;
    assert_int_not_equal(status_of(die_in_other_thread), 0);
    assert_int_equal(crash_page_extension(page), 0);
    assert_int_not_equal(status_of(die_in_second_loop), 0);
    assert_int_equal(page->fatal_thread, 2);
    assert_int_equal(crash_page_extension(page), 0);
}

static void without_a_witness_two_candidates_are_none(void **state)
{
    (void)state;
    struct crash_page found = {0};
    found.threads[0].extension = 5;
    assert_int_equal(crash_page_extension(&found), 5);
    found.threads[3].extension = 5;
    assert_int_equal(crash_page_extension(&found), 5);
    found.threads[3].extension = 6;
    assert_int_equal(crash_page_extension(&found), 0);
}

static void a_hard_timeout_is_the_jobs_affair(void **state)
{
    (void)state;
    struct crash_page found = {0};
    found.threads[0].extension = 5;
    found.overrun_job = 12;
    assert_int_equal(crash_page_extension(&found), 0);
}

static void a_page_full_of_nonsense_blames_nobody(void **state)
{
    (void)state;
    struct crash_page found;
    memset(&found, 0xff, sizeof found);
    found.overrun_job = 0;
    assert_int_equal(crash_page_extension(&found), 0);
    found.fatal_thread = CRASH_THREADS_MAX;
    assert_int_equal(crash_page_extension(&found), 0);
}

static int page_setup(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0 || ftruncate(fd, sizeof *page) != 0)
        return -1;
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    setenv("SPARK_CRASH_PAGE", path, 1);
    return page != MAP_FAILED ? 0 : -1;
}

static int page_teardown(void **state)
{
    (void)state;
    unlink(path);
    return munmap(page, sizeof *page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_extension_that_was_entered_is_to_blame),
        cmocka_unit_test(the_numberstill_ends_the_process),
        cmocka_unit_test(a_stack_that_runs_out_is_seen_too),
        cmocka_unit_test(a_stack_that_runs_out_is_named_in_the_log),
        cmocka_unit_test(who_only_was_there_is_not_to_blame),
        cmocka_unit_test(without_a_witness_two_candidates_are_none),
        cmocka_unit_test(a_hard_timeout_is_the_jobs_affair),
        cmocka_unit_test(a_page_full_of_nonsense_blames_nobody),
    };
    return cmocka_run_group_tests_name("crash_page", tests, page_setup, page_teardown);
}
