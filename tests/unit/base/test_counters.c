#include "base/system/counters.h"
#include "support/fixture.h"

#include <pthread.h>

static void sums_follow_additions(void **state)
{
    (void)state;
    int64_t before = counter_sum(COUNTER_logins);
    counter_inc(logins);
    counter_add(COUNTER_logins, 5);
    counter_add(COUNTER_logins, -2);
    assert_int_equal(counter_sum(COUNTER_logins), before + 4);
}

static void *count_a_thousand(void *unused)
{
    for (unsigned i = 0; i < 1000; i++)
        counter_inc(jobs_done);
    return unused;
}

static void counts_of_ended_threads_are_kept(void **state)
{
    (void)state;
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    int64_t before = counter_sum(COUNTER_jobs_done);
    counter_inc(jobs_done);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_a_thousand, NULL), 0);
    (void)counter_sum(COUNTER_jobs_done); /* beside the writers */
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(counter_sum(COUNTER_jobs_done), before + 1 + THREADS * 1000);
}

static void metrics_are_prometheus_text(void **state)
{
    struct ctx *ctx = *state;
    struct buf *out = buf_in_arena(ctx->arena, 1 << 16);
    int64_t in_flight = counter_sum(COUNTER_http_in_flight);
    counter_add(COUNTER_http_in_flight, 3 - in_flight);
    counters_write(out);
    assert_int_equal(buf_check(ctx, out, "metrics"), OK);
    Str text = buf_str(out);
    assert_true(str_starts_with(text, STR("# HELP spark_http_requests ")));
    assert_true(str_find(text, STR("\n# TYPE spark_http_requests counter\n")) > 0);
    assert_true(str_find(text, STR("\n# TYPE spark_http_in_flight gauge\n")) > 0);
    assert_true(str_find(text, STR("\nspark_http_in_flight 3\n")) > 0);
    unsigned lines = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    assert_int_equal(lines, 3 * COUNTER_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_follow_additions),
        cmocka_unit_test(counts_of_ended_threads_are_kept),
        FIXTURE_TEST(metrics_are_prometheus_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
