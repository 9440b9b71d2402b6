/*
 * Faults exist in special builds only, so the code under test is compiled into the test.
 */
#ifndef SPARK_FAULTS
#define SPARK_FAULTS
#endif
#include "base/system/fault.c"
#include "support/fixture.h"

#include <sys/wait.h>
#include <unistd.h>

/* Arming happens once a process, so each case is a child. Its exit status is the answer. */
static int in_child(const char *faults, int (*run)(void))
{
    assert_int_equal(fflush(NULL), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)setenv("SPARK_FAULT", faults, 1);
        _exit(run());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* One bit for each of five passes that fired. */
static int five_passes(void)
{
    int fired = 0;
    for (int i = 0; i < 5; i++)
        fired |= (fault_fires(FAULT_redis_push_fails) ? 1 : 0) << i;
    return fired;
}

static int die_by_fault(void)
{
    fault_die(FAULT_worker_after_claim);
    return 0;
}

static int use_any(void)
{
    (void)signal(SIGABRT, SIG_DFL);
    (void)close(STDERR_FILENO);
    return fault_fires(FAULT_connect_refused) ? 1 : 0;
}

static void a_fault_fires_at_its_pass_only(void **state)
{
    (void)state;
    assert_int_equal(WEXITSTATUS(in_child("redis_push_fails", five_passes)), 1);
    assert_int_equal(WEXITSTATUS(in_child("redis_push_fails:3", five_passes)), 4);
    assert_int_equal(WEXITSTATUS(in_child("connect_refused", five_passes)), 0);
    assert_int_equal(WEXITSTATUS(in_child("", five_passes)), 0);
    assert_int_equal(WEXITSTATUS(in_child("connect_refused,redis_push_fails:2", five_passes)), 2);
}

static void dying_is_sudden(void **state)
{
    (void)state;
    int status = in_child("worker_after_claim", die_by_fault);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_int_equal(in_child("worker_after_claim:2", die_by_fault), 0);
}

static void a_misspelt_fault_ends_the_process(void **state)
{
    (void)state;
    static const char *const BAD[] = {"no_such_fault", "connect_refused:0", "connect_refused:x",
                                      "connect_refused:"};
    for (unsigned i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        int status = in_child(BAD[i], use_any);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_fires_at_its_pass_only),
        cmocka_unit_test(dying_is_sudden),
        cmocka_unit_test(a_misspelt_fault_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
