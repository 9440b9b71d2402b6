/* The steward: what it finds from PostgreSQL alone, whom it charges, and what it leaves in peace.
 */
#include "../jobs_test.h"

/* So many jobs of site A, queued; nothing in Redis knows of them. */
static void insert_jobs(const char *count)
{
    char sql[256];
    snprintf(sql, sizeof(sql),
             "insert into spark.jobs (site_id, kind) select "
             "'aaaaaaaa-0000-7000-8000-00000000000a', 'test' from generate_series(1, %s)",
             count);
    tell(sql);
}

static int64_t ids_in_redis(struct db_fixture *f)
{
    return REDIS_ANSWER(f, STR("SCARD"), STR(KEY_QUEUE_IDS));
}

static void rows_that_redis_never_had_are_pushed(void **state)
{
    struct db_fixture *f = *state;
    struct steward_call call = {.worker = W1};
    insert_jobs("2500"); /* more than two pages */
    steward(f, &call);
    assert_int_equal(ids_in_redis(f), 2500);
    insert_jobs("10");
    steward(f, &call);
    assert_int_equal(ids_in_redis(f), 2510);
    struct claim_call claimed = {0};
    assert_int_equal(claim(f, &claimed, W1, CLAIM_MAX), CLAIM_MAX);
}

/* More than a turn can push, and one row of another site that became due last. */
static void a_backlog_of_one_site_does_not_hide_the_rows_of_others(void **state)
{
    struct db_fixture *f = *state;
    struct steward_call call = {.worker = W1};
    insert_jobs("101000");
    tell("update spark.jobs set run_at = now() - interval '1 min';"
         "insert into spark.jobs (site_id, kind) values "
         "('bbbbbbbb-0000-7000-8000-00000000000b', 'test')");
    tell("analyze spark.jobs"); /* as autovacuum does, sooner or later in this very test */
    steward(f, &call);
    assert_true(call.steward.is_scanning);
    assert_int_equal(
        REDIS_ANSWER(f, STR("LLEN"), STR("{q:0}:r:bbbbbbbb-0000-7000-8000-00000000000b")), 1);
}

static void everything_is_pushed_again_after_a_flush(void **state)
{
    struct db_fixture *f = *state;
    struct steward_call call = {.worker = W1};
    insert_jobs("50");
    tell("update spark.jobs set run_at = now() - interval '1 hour'");
    steward(f, &call);
    assert_int_equal(act(f, AS_NONE, empty_redis, NULL), OK);
    steward(f, &call);
    assert_int_equal(ids_in_redis(f), 50);
}

static void a_delayed_job_is_pushed_when_it_is_due(void **state)
{
    struct db_fixture *f = *state;
    struct steward_call call = {.worker = W1};
    tell("insert into spark.jobs (kind, run_at) values ('test', now() + interval '1 hour')");
    steward(f, &call);
    assert_int_equal(ids_in_redis(f), 0);
    tell("update spark.jobs set run_at = now()");
    steward(f, &call);
    assert_int_equal(ids_in_redis(f), 1);
}

/* Ids that Redis remembers although no list has them. */
static void forgotten_ids_are_found_when_the_lists_are_empty(void **state)
{
    struct db_fixture *f = *state;
    struct steward_call call = {.worker = W1};
    insert_jobs("3");
    tell("update spark.jobs set run_at = now() - interval '2 min'");
    steward(f, &call);
    REDIS_ANSWER(f, STR("DEL"), STR("{q:0}:ring"),
                 STR("{q:0}:r:aaaaaaaa-0000-7000-8000-00000000000a"));
    struct claim_call claimed = {0};
    assert_int_equal(claim(f, &claimed, W1, 10), 0);
    call.steward.full_at_us = 0;
    steward(f, &call);
    assert_int_equal(claim(f, &claimed, W1, 10), 3);
}

static void what_a_forgotten_worker_held_in_redis_is_found(void **state)
{
    struct db_fixture *f = *state;
    struct steward_call call = {.worker = W1};
    insert_jobs("3");
    steward(f, &call);
    tell("insert into spark.workers (id, host, pid, version, lease_until) values "
         "('worker:1', 'h', 1, '0', now() + interval '1 min')");
    REDIS_ANSWER(f, STR("FCALL"), STR("cq_claim"), STR("1"), STR(KEY_QUEUE_TAG), STR("worker:9"),
                 STR("2"));
    struct claim_call claimed = {0};
    assert_int_equal(claim(f, &claimed, W1, 10), 1);
    call.steward.full_at_us = 0;
    steward(f, &call);
    assert_int_equal(claim(f, &claimed, W1, 10), 2);
    assert_int_equal(REDIS_ANSWER(f, STR("SCARD"), STR(KEY_QUEUE_WORKERS)), 1);
}

/* A worker whose lease has been over for a while, with jobs that it claimed. */
static void dead_worker(struct db_fixture *f, const char *jobs, uint32_t claimed_max)
{
    insert_jobs(jobs);
    struct steward_call call = {.worker = W1};
    steward(f, &call);
    struct claim_call claimed = {0};
    claim(f, &claimed, W2, claimed_max);
    tell("insert into spark.workers (id, host, pid, version, lease_until) values "
         "('worker:2', 'h', 1, '0', now() - interval '1 s')");
}

/* The steward has been the leader for a whole lease. */
static void steward_of_long_standing(struct db_fixture *f)
{
    struct steward_call call = {.worker = W1};
    steward(f, &call);
    call.steward.reap_from_us = 0;
    steward(f, &call);
}

static void a_new_leader_waits_a_whole_lease_before_it_reaps(void **state)
{
    struct db_fixture *f = *state;
    dead_worker(f, "3", 3);
    struct steward_call call = {.worker = W1};
    steward(f, &call);
    steward(f, &call);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'running'"), 3);
    assert_true(call.steward.reap_from_us > clock_now_us() + 10 * SECOND_US);
    call.steward.reap_from_us = 0;
    steward(f, &call);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'queued'"), 3);
    assert_int_equal(ask("select count(*) from spark.workers"), 0);
}

static void a_death_that_was_seen_is_reaped_at_once_and_charged_to_the_culprit(void **state)
{
    struct db_fixture *f = *state;
    dead_worker(f, "3", 3);
    char sql[200];
    int64_t culprit = ask("select id from spark.jobs order by id limit 1");
    snprintf(sql, sizeof(sql),
             "update spark.workers set lease_until = '-infinity', current_job = %jd",
             (intmax_t)culprit);
    tell(sql);
    struct steward_call call = {.worker = W1};
    steward(f, &call);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'queued'"), 3);
    assert_int_equal(ask("select sum(crashes) from spark.jobs"), 1);
    snprintf(sql, sizeof(sql),
             "select crashes from spark.jobs where id = %jd and error_class = 'crash'",
             (intmax_t)culprit);
    assert_int_equal(ask(sql), 1);
    struct claim_call claimed = {0};
    assert_int_equal(claim(f, &claimed, W1, 10), 3);
    for (int i = 0; i < 3; i++)
        assert_false(claimed.claimed[i].is_quarantined);
}

static void the_culprit_is_told_what_its_worker_died_of(void **state)
{
    struct db_fixture *f = *state;
    dead_worker(f, "2", 2);
    tell("update spark.workers set lease_until = '-infinity', crash_reason = 'it fell over', "
         "current_job = (select min(id) from spark.jobs)");
    struct steward_call call = {.worker = W1};
    steward(f, &call);
    assert_int_equal(ask("select count(*) from spark.jobs where error = 'it fell over' and "
                         "crashes = 1 and id = (select min(id) from spark.jobs)"),
                     1);
    assert_int_equal(ask("select count(*) from spark.jobs where error is null and crashes = 0"), 1);
}

static Err tell_crash(struct ctx *ctx, void *arg)
{
    int64_t *job = arg;
    Str reason = str_printf(ctx->arena, "sentence %jd", (intmax_t)*job);
    return db_query_platform(as_platform(ctx), &SQL_WORKER_CRASHED,
                             ARGS(db_text(W2), db_int(*job), db_text(reason)), NULL);
}

static void the_first_sentence_about_a_death_counts(void **state)
{
    struct db_fixture *f = *state;
    dead_worker(f, "2", 2);
    int64_t job = ask("select min(id) from spark.jobs");
    assert_int_equal(act(f, AS_NONE, tell_crash, &job), OK);
    assert_int_equal(act(f, AS_NONE, tell_crash, &job), OK);
    assert_int_equal(ask("select count(*) from spark.workers where lease_until = '-infinity' and "
                         "crash_reason like 'sentence %' and current_job is not null"),
                     1);
}

static void without_a_culprit_all_are_suspects_and_none_is_charged(void **state)
{
    struct db_fixture *f = *state;
    dead_worker(f, "3", 3);
    steward_of_long_standing(f);
    assert_int_equal(ask("select sum(crashes) from spark.jobs"), 0);
    struct claim_call claimed = {0};
    assert_int_equal(claim(f, &claimed, W1, 10), 3);
    for (int i = 0; i < 3; i++)
        assert_true(claimed.claimed[i].is_quarantined);
}

static void a_job_that_kills_alone_is_dead_after_its_budget(void **state)
{
    struct db_fixture *f = *state;
    dead_worker(f, "1", 1);
    steward_of_long_standing(f);
    assert_int_equal(ask("select crashes from spark.jobs where state = 'queued'"), 1);
    struct claim_call claimed = {.is_polling = true};
    assert_int_equal(claim(f, &claimed, W2, 1), 1);
    tell("insert into spark.workers (id, host, pid, version, lease_until) values "
         "('worker:2', 'h', 1, '0', now() - interval '1 s')");
    steward_of_long_standing(f);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'dead' and crashes = 2 "
                         "and error_class = 'crash'"),
                     1);
}

static Err suspect(struct ctx *ctx, void *arg)
{
    return worker_suspects(as_platform(ctx), W2, *(int64_t *)arg);
}

static void the_suspect_that_ran_alone_is_charged(void **state)
{
    struct db_fixture *f = *state;
    dead_worker(f, "3", 3);
    int64_t id = ask("select max(id) from spark.jobs");
    assert_int_equal(act(f, AS_NONE, suspect, &id), OK);
    steward_of_long_standing(f);
    assert_int_equal(ask("select crashes from spark.jobs order by id desc limit 1"), 1);
    assert_int_equal(ask("select sum(crashes) from spark.jobs"), 1);
}

static void jobs_of_a_worker_that_has_no_row_are_reaped(void **state)
{
    struct db_fixture *f = *state;
    dead_worker(f, "2", 2);
    tell("delete from spark.workers");
    steward_of_long_standing(f);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'queued'"), 2);
}

static void a_living_worker_keeps_its_jobs(void **state)
{
    struct db_fixture *f = *state;
    dead_worker(f, "2", 2);
    tell("update spark.workers set lease_until = now() + interval '10 s'");
    steward_of_long_standing(f);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'running'"), 2);
}

static void two_stewards_are_harmless(void **state)
{
    struct db_fixture *f = *state;
    dead_worker(f, "20", 10);
    struct steward_call one = {.worker = W1}, two = {.worker = STR("worker:3")};
    steward(f, &one);
    steward(f, &two);
    assert_true(one.steward.is_leader);
    assert_false(two.steward.is_leader);
    for (int i = 0; i < 3; i++) { /* the lease row as each finds it: both lead, at once */
        tell("delete from spark.leases");
        steward(f, &one);
        one.steward.reap_from_us = 0;
        tell("delete from spark.leases");
        steward(f, &two);
        two.steward.reap_from_us = 0;
        tell("delete from spark.leases");
        struct actor_fiber *a = actor_start(f, AS_NONE, turn_steward, &one);
        struct actor_fiber *b = actor_start(f, AS_NONE, turn_steward, &two);
        turn_until_done(f);
        assert_int_equal(a->result, OK);
        assert_int_equal(b->result, OK);
    }
    assert_int_equal(ask("select sum(crashes) from spark.jobs"), 0);
    struct claim_call claimed = {0};
    assert_int_equal(claim(f, &claimed, W1, 100), 20);
    assert_int_equal(claim(f, &claimed, W1, 100), 0);
}

static fiber_fn Err leave(struct ctx *ctx, void *arg)
{
    const Str *worker = arg;
    return db_query_platform(reactor_platform(ctx), &SQL_WORKER_LEAVE, ARGS(db_text(*worker)),
                             NULL);
}

static void who_leaves_is_followed_at_once(void **state)
{
    struct db_fixture *f = *state;
    struct steward_call one = {.worker = W1}, two = {.worker = W2};
    steward(f, &one);
    steward(f, &two);
    assert_false(two.steward.is_leader);
    assert_int_equal(act(f, AS_NONE, leave, &(Str){W1.data, W1.len}), OK);
    steward(f, &two);
    assert_true(two.steward.is_leader);
}

static void jobs_that_ended_long_ago_are_removed_and_dead_ones_stay(void **state)
{
    struct db_fixture *f = *state;
    tell("insert into spark.jobs (kind, state, finished_at) select 'test', s, now() - "
         "interval '80 h' from unnest(array['done', 'dead', 'cancelled', 'expired']) s;"
         "insert into spark.jobs (kind, state, finished_at) values "
         "('test', 'done', now() - interval '70 h');"
         "insert into spark.jobs (kind, run_at) values ('test', now() - interval '100 h')");
    struct steward_call call = {.worker = W1};
    steward(f, &call);
    assert_int_equal(ask("select count(*) from spark.jobs"), 3);
    assert_int_equal(ask("select count(*) from spark.jobs where state in ('dead', 'queued')"), 2);
}

static void a_page_without_anything_to_remove_does_not_stop_the_sweep(void **state)
{
    struct db_fixture *f = *state;
    tell("insert into spark.jobs (kind, state, finished_at) select 'test', 'dead', now() - "
         "interval '80 h' from generate_series(1, 5000);"
         "insert into spark.jobs (kind, state, finished_at) values "
         "('test', 'done', now() - interval '80 h')");
    struct steward_call call = {.worker = W1};
    steward(f, &call);
    steward(f, &call);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'done'"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        jobs_test(rows_that_redis_never_had_are_pushed),
        jobs_test(a_backlog_of_one_site_does_not_hide_the_rows_of_others),
        jobs_test(everything_is_pushed_again_after_a_flush),
        jobs_test(a_delayed_job_is_pushed_when_it_is_due),
        jobs_test(forgotten_ids_are_found_when_the_lists_are_empty),
        jobs_test(what_a_forgotten_worker_held_in_redis_is_found),
        jobs_test(a_new_leader_waits_a_whole_lease_before_it_reaps),
        jobs_test(a_death_that_was_seen_is_reaped_at_once_and_charged_to_the_culprit),
        jobs_test(the_culprit_is_told_what_its_worker_died_of),
        jobs_test(the_first_sentence_about_a_death_counts),
        jobs_test(without_a_culprit_all_are_suspects_and_none_is_charged),
        jobs_test(a_job_that_kills_alone_is_dead_after_its_budget),
        jobs_test(the_suspect_that_ran_alone_is_charged),
        jobs_test(jobs_of_a_worker_that_has_no_row_are_reaped),
        jobs_test(a_living_worker_keeps_its_jobs),
        jobs_test(two_stewards_are_harmless),
        jobs_test(who_leaves_is_followed_at_once),
        jobs_test(jobs_that_ended_long_ago_are_removed_and_dead_ones_stay),
        jobs_test(a_page_without_anything_to_remove_does_not_stop_the_sweep),
    };
    return RUN_JOBS_TESTS(tests);
}
