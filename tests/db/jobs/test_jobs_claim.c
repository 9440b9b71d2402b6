/* From enqueue to claim: what is committed is found, in which order, and by whom. */
#include "../jobs_test.h"

static Err enqueue_in_transaction(struct ctx *ctx, void *arg)
{
    bool commits = *(bool *)arg;
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    int64_t id;
    TRY(job_enqueue(&tx, &(struct job_spec){.kind = STR("test"), .payload = STR("{\"a\":1}")},
                    &id));
    assert_true(id > 0);
    return commits ? db_commit(&tx) : OK;
}

static void a_job_is_there_when_its_transaction_commits_and_only_then(void **state)
{
    struct db_fixture *f = *state;
    bool commits = false;
    assert_int_equal(act(f, AS_A, enqueue_in_transaction, &commits), OK);
    assert_int_equal(ask("select count(*) from spark.jobs"), 0);
    assert_int_equal(REDIS_ANSWER(f, STR("SCARD"), STR(KEY_QUEUE_IDS)), 0);

    commits = true;
    assert_int_equal(act(f, AS_A, enqueue_in_transaction, &commits), OK);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'queued' and site_id = "
                         "'aaaaaaaa-0000-7000-8000-00000000000a'"),
                     1);
    assert_int_equal(REDIS_ANSWER(f, STR("SCARD"), STR(KEY_QUEUE_IDS)), 1);
}

static void a_claimed_job_has_what_it_was_given(void **state)
{
    struct db_fixture *f = *state;
    bool commits = true;
    struct claim_call call = {0};
    assert_int_equal(act(f, AS_A, enqueue_in_transaction, &commits), OK);
    assert_int_equal(claim(f, &call, W1, 10), 1);
    const struct job *job = &call.claimed[0].job;
    expect_text(job->kind, "test");
    expect_text(job->payload_text, "{\"a\": 1}");
    assert_int_equal(job->attempt, 1);
    assert_int_equal(job->scope.kind, SCOPE_SITE);
    assert_true(uuid_eq(job->scope.site, SITE_A));
    assert_int_equal(claim(f, &call, W2, 10), 0);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'running' and worker = "
                         "'worker:1' and attempt = 1"),
                     1);
}

static void a_job_of_the_platform_has_no_site(void **state)
{
    struct db_fixture *f = *state;
    int64_t id;
    struct claim_call call = {0};
    assert_int_equal(act(f, AS_PLATFORM, enqueue_one, &id), OK);
    assert_int_equal(claim(f, &call, W1, 1), 1);
    assert_int_equal(call.claimed[0].job.scope.kind, SCOPE_PLATFORM);
    assert_int_equal(call.claimed[0].job.id, id);
}

static Err enqueue_keyed(struct ctx *ctx, void *arg)
{
    struct job_spec spec = {.kind = STR("test"), .dedup_key = STR("k")};
    return job_enqueue_now(ctx, &spec, arg);
}

static void one_live_job_a_key_and_site(void **state)
{
    struct db_fixture *f = *state;
    int64_t first, second, other;
    assert_int_equal(act(f, AS_A, enqueue_keyed, &first), OK);
    assert_int_equal(act(f, AS_A, enqueue_keyed, &second), OK);
    assert_int_equal(act(f, AS_B, enqueue_keyed, &other), OK);
    assert_true(first > 0 && other > 0);
    assert_int_equal(second, 0);
    tell("update spark.jobs set state = 'done'");
    assert_int_equal(act(f, AS_A, enqueue_keyed, &second), OK);
    assert_true(second > first);
}

static Err enqueue_large(struct ctx *ctx, void *arg)
{
    char *text = arena_alloc(ctx->arena, JOB_PAYLOAD_MAX + 1);
    memset(text, ' ', JOB_PAYLOAD_MAX + 1);
    struct job_spec spec = {.kind = STR("test"), .payload = {text, JOB_PAYLOAD_MAX + 1}};
    return job_enqueue_now(ctx, &spec, arg);
}

static void a_payload_over_the_limit_is_refused(void **state)
{
    struct db_fixture *f = *state;
    int64_t id;
    assert_int_equal(act(f, AS_A, enqueue_large, &id), ERR_TOO_LARGE);
    assert_int_equal(ask("select count(*) from spark.jobs"), 0);
}

/* Rows by SQL, as a restored database or another program would leave them, and one turn of the
 * reconcile. */
static void fill(struct db_fixture *f, const char *sql)
{
    tell(sql);
    struct steward_call call = {.worker = W1};
    steward(f, &call);
}

static void jobs_of_one_site_come_in_the_order_of_their_ids(void **state)
{
    struct db_fixture *f = *state;
    fill(f, "insert into spark.jobs (site_id, kind) select "
            "'aaaaaaaa-0000-7000-8000-00000000000a', 'test' from generate_series(1, 20)");
    struct claim_call call = {0};
    int64_t last = 0;
    for (int round = 0; round < 4; round++) {
        assert_int_equal(claim(f, &call, W1, 5), 5);
        int64_t lowest = INT64_MAX, highest = 0;
        for (uint32_t i = 0; i < 5; i++) {
            int64_t id = call.claimed[i].job.id;
            lowest = id < lowest ? id : lowest;
            highest = id > highest ? id : highest;
        }
        assert_true(lowest > last);
        last = highest;
    }
}

static uint32_t count_of_site(const struct claim_call *call, Uuid site)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < call->count; i++)
        count += uuid_eq(call->claimed[i].job.scope.site, site);
    return count;
}

static void a_hundred_thousand_of_one_site_do_not_starve_another(void **state)
{
    struct db_fixture *f = *state;
    fill(f, "insert into spark.jobs (site_id, kind) select "
            "'aaaaaaaa-0000-7000-8000-00000000000a', 'test' from generate_series(1, 100000)");
    struct claim_call call = {0};
    assert_int_equal(claim(f, &call, W1, 64), 64);
    assert_int_equal(count_of_site(&call, SITE_A), 64);

    int64_t ids[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(act(f, AS_B, enqueue_one, &ids[i]), OK);
    assert_int_equal(claim(f, &call, W1, 8), 8);
    assert_int_equal(count_of_site(&call, SITE_B), 3);
}

static void shares_of_a_claim_are_equal_and_the_ring_goes_on(void **state)
{
    struct db_fixture *f = *state;
    fill(f, "insert into spark.jobs (site_id, kind) select "
            "('00000000-0000-7000-8000-' || lpad(s::text, 12, '0'))::uuid, 'test' "
            "from generate_series(101, 110) s, generate_series(1, 10)");
    uint32_t seen[10] = {0};
    struct claim_call call = {0};
    for (int round = 0; round < 5; round++) {
        assert_int_equal(claim(f, &call, W1, 6), 6);
        for (uint32_t i = 0; i < 6; i++) {
            const uint8_t *bytes = call.claimed[i].job.scope.site.bytes;
            seen[bytes[15] == 0x10 ? 0 : bytes[15] & 15]++;
        }
    }
    for (int i = 0; i < 10; i++)
        assert_int_equal(seen[i], 3); /* 30 claimed, 10 sites */
}

/* Sixteen slots: one site gets eight, the next four of the eight that are left, and so on. */
static void site_gets_no_more_slots_than_it_leaves_free(void **state)
{
    struct db_fixture *f = *state;
    /* Known, so that the steward of `fill` does not give back what they hold. */
    tell("insert into spark.workers (id, host, pid, version, lease_until) select "
         "'worker:' || n, 'h', n, '0', now() + interval '1 hour' from generate_series(1, 2) n");
    for (int polls = 0; polls < 2; polls++) {
        struct claim_call call = {.slots = 16, .is_polling = polls == 1};
        Str worker = polls == 1 ? W2 : W1;
        fill(f, "insert into spark.jobs (site_id, kind) select "
                "'aaaaaaaa-0000-7000-8000-00000000000a', 'test' from generate_series(1, 50)");
        assert_int_equal(claim(f, &call, worker, 16), 8);
        assert_int_equal(claim(f, &call, worker, 8), 0);
        assert_int_equal(call.is_held_back, polls == 0);
        fill(f, "insert into spark.jobs (site_id, kind) select "
                "'bbbbbbbb-0000-7000-8000-00000000000b', 'test' from generate_series(1, 50)");
        assert_int_equal(claim(f, &call, worker, 8), 4);
        assert_int_equal(count_of_site(&call, SITE_B), 4);
        fill(f, "insert into spark.jobs (kind) select 'test' from generate_series(1, 50)");
        assert_int_equal(claim(f, &call, worker, 4), 4); /* the platform's own take what there is */
        assert_int_equal(count_of_site(&call, SITE_B), 0);
        tell("delete from spark.jobs where site_id is null or state = 'queued'");
        REDIS_ANSWER(f, STR("FLUSHALL"));
    }
}

static void last_slot_of_a_worker_is_anybodys(void **state)
{
    struct db_fixture *f = *state;
    fill(f, "insert into spark.jobs (site_id, kind) select "
            "'aaaaaaaa-0000-7000-8000-00000000000a', 'test' from generate_series(1, 5)");
    struct claim_call call = {.slots = 1};
    assert_int_equal(claim(f, &call, W1, 1), 1);
}

static void jobs_not_due_cancelled_or_expired_are_not_claimed(void **state)
{
    struct db_fixture *f = *state;
    tell("insert into spark.jobs (kind, run_at) values ('test', now() + interval '1 hour');"
         "insert into spark.jobs (kind, cancel_requested) values ('test', true);"
         "insert into spark.jobs (kind, expires_at) values ('test', now() - interval '1 s');"
         "insert into spark.jobs (kind, state) values ('test', 'done')");
    const char *ids = must_ask(jobs_admin, "select string_agg(id::text, ' ' order by id) "
                                           "from spark.jobs");
    Str rest = str_from_z(ids);
    Str id;
    char copies[4][24];
    for (int i = 0; i < 4 && str_next(&rest, ' ', &id); i++) {
        snprintf(copies[i], sizeof(copies[i]), "%.*s", STR_FMT(id));
        REDIS_ANSWER(f, STR("FCALL"), STR("cq_enq"), STR("1"), STR(KEY_QUEUE_TAG),
                     str_from_z(copies[i]), STR("-"));
    }
    struct claim_call call = {0};
    assert_int_equal(claim(f, &call, W1, 10), 0);
    /* Forgotten, and free to be pushed again when they are due. */
    assert_int_equal(REDIS_ANSWER(f, STR("SCARD"), STR(KEY_QUEUE_IDS)), 0);
    assert_int_equal(REDIS_ANSWER(f, STR("LLEN"), STR(KEY_QUEUE_TAG ":w:worker:1")), 0);
}

static void an_id_delivered_twice_runs_once(void **state)
{
    struct db_fixture *f = *state;
    int64_t id;
    assert_int_equal(act(f, AS_A, enqueue_one, &id), OK);
    Str text = str_printf(f->arena, "%jd", (intmax_t)id);
    for (int i = 0; i < 4; i++)
        REDIS_ANSWER(f, STR("FCALL"), STR("cq_force"), STR("1"), STR(KEY_QUEUE_TAG), text,
                     STR("aaaaaaaa-0000-7000-8000-00000000000a"));
    struct claim_call call = {0};
    assert_int_equal(claim(f, &call, W1, 2), 1);
    assert_int_equal(claim(f, &call, W2, 10), 0);
    assert_int_equal(ask("select attempt from spark.jobs"), 1);
}

static void polling_takes_turns_and_sees_past_a_backlog(void **state)
{
    struct db_fixture *f = *state;
    tell("insert into spark.jobs (site_id, kind, run_at) select "
         "'aaaaaaaa-0000-7000-8000-00000000000a', 'test', now() - interval '1 h' "
         "from generate_series(1, 5000);"
         "insert into spark.jobs (site_id, kind) select "
         "'bbbbbbbb-0000-7000-8000-00000000000b', 'test' from generate_series(1, 10)");
    struct claim_call call = {.is_polling = true};
    assert_int_equal(claim(f, &call, W1, 20), 20);
    assert_int_equal(count_of_site(&call, SITE_B), 10);
    assert_int_equal(claim(f, &call, W2, 20), 20);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'running'"), 40);
}

static void without_redis_a_claim_polls(void **state)
{
    struct db_fixture *f = *state;
    tell("insert into spark.jobs (kind) values ('test')");
    kill(redis_server.pid, SIGSTOP);
    struct claim_call call = {0};
    assert_int_equal(claim(f, &call, W1, 10), 1);
    kill(redis_server.pid, SIGCONT);
}

static void flushed_functions_are_loaded_again(void **state)
{
    struct db_fixture *f = *state;
    int64_t id;
    struct claim_call call = {0};
    REDIS_ANSWER(f, STR("FUNCTION"), STR("FLUSH"));
    assert_int_equal(act(f, AS_A, enqueue_one, &id), OK);
    assert_int_equal(claim(f, &call, W1, 10), 1); /* polled */
    assert_int_equal(act(f, AS_A, enqueue_one, &id), OK);
    assert_int_equal(REDIS_ANSWER(f, STR("SCARD"), STR(KEY_QUEUE_IDS)), 1);
}

static Err check_queue(struct ctx *ctx, void *arg)
{
    (void)arg;
    return queue_check(ctx);
}

static void a_redis_that_evicts_is_refused(void **state)
{
    struct db_fixture *f = *state;
    assert_int_equal(act(f, AS_NONE, check_queue, NULL), OK);
    REDIS_ANSWER(f, STR("CONFIG"), STR("SET"), STR("maxmemory-policy"), STR("allkeys-lru"));
    assert_int_equal(act(f, AS_NONE, check_queue, NULL), OK); /* no maxmemory: nothing is evicted */
    REDIS_ANSWER(f, STR("CONFIG"), STR("SET"), STR("maxmemory"), STR("1000000000"));
    assert_int_equal(act(f, AS_NONE, check_queue, NULL), ERR_CONFIG);
    REDIS_ANSWER(f, STR("CONFIG"), STR("SET"), STR("maxmemory"), STR("0"));
    REDIS_ANSWER(f, STR("CONFIG"), STR("SET"), STR("maxmemory-policy"), STR("noeviction"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        jobs_test(a_job_is_there_when_its_transaction_commits_and_only_then),
        jobs_test(a_claimed_job_has_what_it_was_given),
        jobs_test(a_job_of_the_platform_has_no_site),
        jobs_test(one_live_job_a_key_and_site),
        jobs_test(a_payload_over_the_limit_is_refused),
        jobs_test(jobs_of_one_site_come_in_the_order_of_their_ids),
        jobs_test(a_hundred_thousand_of_one_site_do_not_starve_another),
        jobs_test(shares_of_a_claim_are_equal_and_the_ring_goes_on),
        jobs_test(site_gets_no_more_slots_than_it_leaves_free),
        jobs_test(last_slot_of_a_worker_is_anybodys),
        jobs_test(jobs_not_due_cancelled_or_expired_are_not_claimed),
        jobs_test(an_id_delivered_twice_runs_once),
        jobs_test(polling_takes_turns_and_sees_past_a_backlog),
        jobs_test(without_redis_a_claim_polls),
        jobs_test(flushed_functions_are_loaded_again),
        jobs_test(a_redis_that_evicts_is_refused),
    };
    return RUN_JOBS_TESTS(tests);
}
