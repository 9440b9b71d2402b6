/* The end of a job: effects with it or not at all, whoever comes late, and what a failure costs. */
#include "../jobs_test.h"

static const struct statement EFFECT = {
    .name = "test_effect",
    .sql = "insert into hits values ($1, $2)",
    .lane = DB_WRITE,
};

/* Claims one fresh job of site A for W1. */
static struct job *claimed_one(struct db_fixture *f, struct claim_call *call)
{
    int64_t id;
    assert_int_equal(act(f, AS_A, enqueue_one, &id), OK);
    assert_int_equal(claim(f, call, W1, 1), 1);
    return &call->claimed[0].job;
}

static Err finish_with_effect(struct ctx *ctx, void *arg)
{
    struct job *job = arg;
    struct db_batch effects = {.lane = DB_SHARED};
    db_batch_add(&effects, &EFFECT, ARGS(db_int(job->id), db_int(job->attempt)), NULL);
    return job_finish(ctx, job, &effects, STR("{\"made\":1}"));
}

static Err finish_in_transaction(struct ctx *ctx, void *arg)
{
    struct job *job = arg;
    SCOPED_TX struct db_tx tx = {0};
    TRY(job_finish_begin(ctx, job, &tx));
    TRY(db_tx_query(&tx, &EFFECT, ARGS(db_int(job->id), db_int(job->attempt)), NULL));
    return job_finish_commit(job, &tx, STR("{\"made\":1}"));
}

static void an_end_and_its_effects_come_together(void **state)
{
    struct db_fixture *f = *state;
    DbBody *const ways[] = {finish_with_effect, finish_in_transaction};
    for (size_t i = 0; i < 2; i++) {
        struct claim_call call = {0};
        struct job *job = claimed_one(f, &call);
        assert_int_equal(act(f, AS_A, ways[i], job), OK);
        assert_true(job->is_finished);
    }
    assert_int_equal(ask("select count(*) from spark.jobs j join hits h on h.id = j.id "
                         "where j.state = 'done' and j.result = '{\"made\": 1}' "
                         "and j.finished_at is not null"),
                     2);
}

static void a_late_attempt_leaves_nothing_behind(void **state)
{
    struct db_fixture *f = *state;
    DbBody *const ways[] = {finish_with_effect, finish_in_transaction};
    for (size_t i = 0; i < 2; i++) {
        struct claim_call stale = {0}, fresh = {0};
        struct job *late = claimed_one(f, &stale);
        tell("update spark.jobs set state = 'queued', worker = null where state = 'running'");
        fresh.is_polling = true;
        assert_int_equal(claim(f, &fresh, W2, 1), 1);
        assert_int_equal(act(f, AS_A, ways[i], late), ERR_FENCED);
        assert_int_equal(ask("select count(*) from hits where n = 1"), 0);
        assert_int_equal(act(f, AS_A, ways[i], &fresh.claimed[0].job), OK);
    }
    assert_int_equal(ask("select count(*) from hits where n = 2"), 2);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'done' and attempt = 2"),
                     2);
}

static void a_job_ends_once(void **state)
{
    struct db_fixture *f = *state;
    struct claim_call call = {0};
    struct job *job = claimed_one(f, &call);
    struct job twin = *job;
    assert_int_equal(act(f, AS_A, finish_with_effect, job), OK);
    assert_int_equal(act(f, AS_A, finish_with_effect, &twin), ERR_FENCED);
    assert_int_equal(ask("select count(*) from hits"), 1);
}

static void ends_that_share_a_commit_do_not_share_a_fence(void **state)
{
    struct db_fixture *f = *state;
    tell("insert into spark.jobs (site_id, kind) select unnest(array["
         "'aaaaaaaa-0000-7000-8000-00000000000a', 'bbbbbbbb-0000-7000-8000-00000000000b']::uuid[]),"
         " 'test' from generate_series(1, 20)");
    struct claim_call call = {.is_polling = true};
    assert_int_equal(claim(f, &call, W1, 40), 40);
    tell("update spark.jobs set attempt = 7 where id % 8 = 0");
    int64_t stale = ask("select count(*) from spark.jobs where attempt = 7");
    struct actor_fiber *actors[40];
    for (uint32_t i = 0; i < 40; i++)
        actors[i] =
            actor_start(f, call.claimed[i].job.scope, finish_with_effect, &call.claimed[i].job);
    turn_until_done(f);
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(actors[i]->result, call.claimed[i].job.id % 8 == 0 ? ERR_FENCED : OK);
    assert_int_equal(ask("select count(*) from hits"), 40 - stale);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'done'"), 40 - stale);
}

static void another_site_cannot_end_a_job(void **state)
{
    struct db_fixture *f = *state;
    struct claim_call call = {0};
    struct job *job = claimed_one(f, &call);
    assert_int_equal(act(f, AS_B, finish_with_effect, job), ERR_FENCED);
    assert_int_equal(ask("select count(*) from hits"), 0);
    assert_int_equal(act(f, AS_A, finish_with_effect, job), OK);
}

static Err postpone(struct ctx *ctx, void *arg)
{
    return job_postpone(ctx, arg, 60 * SECOND_US, STR("not while it rains"));
}

static void a_job_that_is_postponed_waits_and_loses_no_try(void **state)
{
    struct db_fixture *f = *state;
    struct claim_call call = {0};
    struct job *job = claimed_one(f, &call);
    assert_int_equal(act(f, AS_A, postpone, job), OK);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'queued' and failures = 0 "
                         "and crashes = 0 and worker is null and error = 'not while it rains' "
                         "and run_at > now() + interval '50 s'"),
                     1);
    assert_int_equal(act(f, AS_A, postpone, job), ERR_FENCED);
    tell("update spark.jobs set run_at = now(), error_class = 'quarantine'");
    call.is_polling = true;
    assert_int_equal(claim(f, &call, W1, 1), 1);
    assert_int_equal(act(f, AS_A, postpone, &call.claimed[0].job), OK);
    assert_int_equal(ask("select count(*) from spark.jobs where error_class = 'quarantine'"), 1);
}

static Err fail_job(struct ctx *ctx, void *arg)
{
    bool is_dead_letter;
    return job_fail(ctx, arg, ERR_UNAVAILABLE, STR("the far end is away"), &is_dead_letter);
}

static Err fail_job_for_good(struct ctx *ctx, void *arg)
{
    bool is_dead_letter = false;
    TRY(job_fail(ctx, arg, ERR_INVALID_PAYLOAD, STR("nonsense"), &is_dead_letter));
    assert_true(is_dead_letter);
    return OK;
}

/* The wait doubles from one second on; jitter takes at most half of it away. */
static void three_tries_each_later_than_the_last(void **state)
{
    struct db_fixture *f = *state;
    struct claim_call call = {0};
    struct job *job = claimed_one(f, &call);
    for (int failures = 1; failures <= 2; failures++) {
        assert_int_equal(act(f, AS_A, fail_job, job), OK);
        char sql[256];
        snprintf(sql, sizeof(sql),
                 "select count(*) from spark.jobs where state = 'queued' and failures = %d "
                 "and worker is null and run_at - now() between interval '%d s' / 2 - "
                 "interval '0.4 s' and interval '%d s'",
                 failures, failures, failures);
        assert_int_equal(ask(sql), 1);
        tell("update spark.jobs set run_at = now()");
        call.is_polling = true;
        assert_int_equal(claim(f, &call, W1, 1), 1);
        job = &call.claimed[0].job;
        assert_int_equal(job->failures, failures);
    }
    assert_int_equal(act(f, AS_A, fail_job, job), OK);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'dead' and failures = 3 "
                         "and attempt = 3 and error = 'the far end is away' "
                         "and error_class = 'UNAVAILABLE' and finished_at is not null"),
                     1);
}

static void waits_have_a_most(void **state)
{
    struct db_fixture *f = *state;
    struct claim_call call = {0};
    struct job *job = claimed_one(f, &call);
    tell("update spark.jobs set failures = 40, max_failures = 100");
    assert_int_equal(act(f, AS_A, fail_job, job), OK);
    assert_int_equal(ask("select count(*) from spark.jobs where run_at - now() "
                         "between interval '299 s' and interval '600 s'"),
                     1);
}

static void what_no_retry_cures_is_dead_at_once(void **state)
{
    struct db_fixture *f = *state;
    struct claim_call call = {0};
    assert_int_equal(act(f, AS_A, fail_job_for_good, claimed_one(f, &call)), OK);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'dead' and failures = 1"),
                     1);
}

static Err fail_with_odd_reason(struct ctx *ctx, void *arg)
{
    char *text = arena_alloc(ctx->arena, 5000);
    for (size_t i = 0; i < 4998; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3);
    bool is_dead_letter;
    return job_fail(ctx, arg, ERR_UNAVAILABLE, str_of(text, 4998), &is_dead_letter);
}

static Err fail_with_bytes(struct ctx *ctx, void *arg)
{
    bool is_dead_letter;
    return job_fail(ctx, arg, ERR_UNAVAILABLE, STR("\xff\xfe"), &is_dead_letter);
}

static void any_reason_can_be_written_down(void **state)
{
    struct db_fixture *f = *state;
    struct claim_call call = {0};
    assert_int_equal(act(f, AS_A, fail_with_odd_reason, claimed_one(f, &call)), OK);
    assert_int_equal(act(f, AS_A, fail_with_bytes, claimed_one(f, &call)), OK);
    assert_int_equal(ask("select count(*) from spark.jobs where error in (repeat('€', 666), "
                         "'UNAVAILABLE')"),
                     2);
}

static void a_late_failure_is_refused(void **state)
{
    struct db_fixture *f = *state;
    struct claim_call call = {0};
    struct job *job = claimed_one(f, &call);
    tell("update spark.jobs set attempt = 2, worker = 'worker:2'");
    assert_int_equal(act(f, AS_A, fail_job, job), ERR_FENCED);
    assert_int_equal(ask("select failures from spark.jobs"), 0);
}

struct hand_back_call {
    const int64_t *kept;
    uint32_t kept_count;
    uint32_t rows;
    uint32_t members;
};

static Err hand_back(struct ctx *ctx, void *arg)
{
    struct hand_back_call *call = arg;
    TRY(jobs_hand_back(as_platform(ctx), W1, call->kept, call->kept_count, &call->rows));
    return queue_audit(ctx, W1, call->kept, call->kept_count, &call->members);
}

static void what_a_worker_does_not_have_goes_back_and_costs_no_try(void **state)
{
    struct db_fixture *f = *state;
    int64_t id;
    struct claim_call call = {0};
    for (int i = 0; i < 5; i++)
        assert_int_equal(act(f, AS_A, enqueue_one, &id), OK);
    assert_int_equal(claim(f, &call, W1, 5), 5);
    const int64_t kept[] = {call.claimed[1].job.id, call.claimed[3].job.id};
    struct hand_back_call back = {.kept = kept, .kept_count = 2};
    assert_int_equal(act(f, AS_NONE, hand_back, &back), OK);
    assert_int_equal(back.rows, 3);
    assert_int_equal(back.members, 3);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'queued' "
                         "and failures = 0 and crashes = 0 and worker is null"),
                     3);
    assert_int_equal(claim(f, &call, W2, 10), 3);

    back = (struct hand_back_call){0};
    assert_int_equal(act(f, AS_NONE, hand_back, &back), OK);
    assert_int_equal(back.rows, 2);
}

static Err checkpoint(struct ctx *ctx, void *arg)
{
    return job_checkpoint(ctx, arg, STR("{\"n\":7}"));
}

static void a_checkpoint_is_what_the_next_attempt_starts_from(void **state)
{
    struct db_fixture *f = *state;
    struct claim_call call = {0};
    struct job *job = claimed_one(f, &call);
    assert_int_equal(act(f, AS_A, checkpoint, job), OK);
    tell("update spark.jobs set state = 'queued', worker = null");
    struct claim_call second = {.is_polling = true};
    assert_int_equal(claim(f, &second, W2, 1), 1);
    expect_text(second.claimed[0].job.checkpoint, "{\"n\": 7}");
    assert_int_equal(act(f, AS_A, checkpoint, job), ERR_FENCED);
}

static Err show_progress(struct ctx *ctx, void *arg)
{
    return job_progress(ctx, arg, 3, 10);
}

static Err tell_done(struct ctx *ctx, void *arg)
{
    struct job *job = arg;
    queue_done(ctx, W1, &(struct queue_member){job->id, job->scope.site}, 1);
    return OK;
}

static void progress_is_shown_and_goes_with_the_job(void **state)
{
    struct db_fixture *f = *state;
    struct claim_call call = {0};
    struct job *job = claimed_one(f, &call);
    assert_int_equal(act(f, AS_A, show_progress, job), OK);
    assert_int_equal(REDIS_ANSWER(f, STR("HLEN"), STR(KEY_QUEUE_PROGRESS)), 1);
    assert_int_equal(act(f, AS_A, tell_done, job), OK);
    assert_int_equal(REDIS_ANSWER(f, STR("HLEN"), STR(KEY_QUEUE_PROGRESS)), 0);
    assert_int_equal(REDIS_ANSWER(f, STR("SCARD"), STR(KEY_QUEUE_IDS)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        jobs_test(a_job_that_is_postponed_waits_and_loses_no_try),
        jobs_test(an_end_and_its_effects_come_together),
        jobs_test(a_late_attempt_leaves_nothing_behind),
        jobs_test(a_job_ends_once),
        jobs_test(ends_that_share_a_commit_do_not_share_a_fence),
        jobs_test(another_site_cannot_end_a_job),
        jobs_test(three_tries_each_later_than_the_last),
        jobs_test(waits_have_a_most),
        jobs_test(what_no_retry_cures_is_dead_at_once),
        jobs_test(any_reason_can_be_written_down),
        jobs_test(a_late_failure_is_refused),
        jobs_test(what_a_worker_does_not_have_goes_back_and_costs_no_try),
        jobs_test(a_checkpoint_is_what_the_next_attempt_starts_from),
        jobs_test(progress_is_shown_and_goes_with_the_job),
    };
    return RUN_JOBS_TESTS(tests);
}
