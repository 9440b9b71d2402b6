// The queue through bad days: processes are killed for real, and afterwards every job is done and
// has had its effect exactly once. SPARK_SOAK=1: more rounds.
//
// The effect of a job is a row that a trigger writes in the transaction that ends it.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { Child, binary, sql, startBackends, startStack, until } from '../support/stack.mjs';

const soak = process.env.SPARK_SOAK === '1';
const rounds = (few, many) => (soak ? many : few);

const LEASE = 2;
const settings = { WORKER_LEASE: String(LEASE), WORKER_CONCURRENCY: '16', WORKER_DRAIN: '10', LOG_LEVEL: 'info' };

let backends;
let stack;
let running = [];

/** Several statements as the platform's owner, whom row security lets see everything. */
const asOwner = (text) => sql(stack.databaseUrl, `set role spark_owner; set spark.scope = 'platform'; ${text}`);
const count = async (text) => Number((await asOwner(`select count(*) from ${text}`))[0][0]);

before(async () => {
    backends = await startBackends();
    stack = await startStack({ backends, server: false, pack: false, env: settings });
    await asOwner(`
        create table effects (job bigint not null, attempt int not null);
        create function note_effect() returns trigger language plpgsql security definer as $$
        begin insert into public.effects values (new.id, new.attempt); return null; end $$;
        create trigger note_effect after update of state on spark.jobs for each row
            when (new.state = 'done') execute function note_effect()`);
});
after(async () => {
    await stack?.stop();
    await backends?.stop();
});
afterEach(async () => {
    for (const worker of running) await worker.kill('SIGKILL');
    running = [];
    await asOwner('delete from spark.jobs; delete from spark.workers; delete from spark.leases; truncate effects');
    await backends.redis('flushall');
});

let started = 0;
function startWorker(env = {}) {
    const worker = new Child(`worker ${++started}`, binary, ['worker'], {
        env: { ...stack.env, ...env },
        logFile: `${stack.folder}/worker-${started}.log`,
    });
    running.push(worker);
    return worker;
}

const says = (worker, event) => worker.tail.some((line) => line.includes(`"event":"${event}"`));
const works = (worker) => until(() => says(worker, 'working'), `${worker.name} to work`);

/** Jobs of ten sites and of the platform, whose crashes nobody counts. */
const enqueue = (jobs, payload = '{}') =>
    asOwner(`insert into spark.jobs (site_id, kind, payload, max_crashes)
             select case when n % 11 > 0 then ('00000000-0000-7000-8000-0000000000' || lpad((10 + n % 11)::text, 2, '0'))::uuid end,
                    'bench-noop', '${payload}', 100
               from generate_series(1, ${jobs}) n`);

const done = () => count(`spark.jobs where state = 'done'`);
const allDone = (jobs, seconds = 90) => until(async () => (await done()) >= jobs, `${jobs} jobs to be done`, seconds);

/** The invariants of a quiet queue. */
async function expectOnce(jobs) {
    assert.deepEqual(await asOwner(`select state, count(*) from spark.jobs group by state`), [['done', String(jobs)]]);
    assert.deepEqual(await asOwner(`select count(*), count(distinct job) from effects`), [[String(jobs), String(jobs)]]);
    assert.equal(await count(`effects e join spark.jobs j on j.id = e.job where j.attempt <> e.attempt`), 0);
    await until(async () => (await backends.redis('scard', '{q:0}:ids')) === '0', 'Redis to have no ids');
    await until(async () => !(await backends.redis('keys', '{q:0}:w:*')), 'Redis to have no lists of workers');
    assert.equal(await backends.redis('hlen', '{q:0}:progress'), '0');
}

test('workers_killed_at_random_moments_lose_nothing_and_repeat_nothing', async () => {
    const jobs = rounds(1500, 20000);
    startWorker();
    startWorker();
    await enqueue(jobs, '{"wait_ms": 5}');
    for (let round = 0, before = 0; round < rounds(3, 40); round++) {
        const target = before + Math.random() * (jobs / (rounds(3, 40) + 1));
        await until(async () => (before = await done()) >= target, 'some jobs to be done', 90);
        const victim = running.splice(Math.floor(Math.random() * running.length), 1)[0];
        await victim.kill('SIGKILL');
        startWorker();
    }
    await allDone(jobs, rounds(90, 600));
    await expectOnce(jobs);
});

for (const fault of ['worker_after_claim', 'finish_before_commit', 'finish_after_commit'])
    test(`worker_that_dies_at_${fault}_costs_nothing`, async () => {
        await enqueue(40);
        const victim = startWorker({ SPARK_FAULT: `${fault}:${fault === 'worker_after_claim' ? 1 : 5}` });
        assert.equal((await victim.ended).signal, 'SIGKILL');
        startWorker();
        await allDone(40);
        await expectOnce(40);
    });

test('redis_that_forgets_everything_in_mid_run_loses_no_job', async () => {
    const jobs = rounds(3000, 30000);
    startWorker();
    startWorker();
    await enqueue(jobs, '{"wait_ms": 5}');
    for (let round = 1; round <= rounds(3, 20); round++) {
        await until(async () => (await done()) >= (jobs * round) / (rounds(3, 20) + 2), 'some jobs to be done');
        await backends.redis('flushall');
    }
    await allDone(jobs);
    await expectOnce(jobs);
});

test('redis_killed_in_mid_run_loses_no_job_and_workers_go_on', async () => {
    const jobs = rounds(3000, 30000);
    const workers = [startWorker(), startWorker()];
    await enqueue(jobs, '{"wait_ms": 5}');
    for (let round = 1; round <= rounds(2, 10); round++) {
        await until(async () => (await done()) >= (jobs * round) / (rounds(2, 10) + 2), 'some jobs to be done');
        process.kill(await backends.redisPid(), 'SIGKILL');
        await until(async () => (await backends.redis('ping').catch(() => '')) === 'PONG', 'Redis');
    }
    await allDone(jobs);
    await expectOnce(jobs);
    assert.ok(workers.every((worker) => worker.isRunning));
});

test('without_redis_workers_poll', async () => {
    const worker = startWorker();
    await works(worker);
    process.kill(backends.supervisorPid, 'SIGSTOP'); // which else would start it again
    try {
        process.kill(await backends.redisPid(), 'SIGKILL');
        await enqueue(200);
        await allDone(200);
    } finally {
        process.kill(backends.supervisorPid, 'SIGCONT');
    }
    await until(async () => (await backends.redis('ping').catch(() => '')) === 'PONG', 'Redis');
    await enqueue(200);
    await allDone(400);
    await expectOnce(400);
});

test('postgresql_restarted_in_mid_run_loses_no_job_and_repeats_none', async () => {
    const jobs = rounds(2000, 20000);
    startWorker();
    startWorker();
    await enqueue(jobs, '{"wait_ms": 5}');
    for (let round = 1; round <= rounds(2, 10); round++) {
        await until(async () => (await done().catch(() => 0)) >= (jobs * round) / (rounds(2, 10) + 2), 'some jobs to be done', 90);
        const pid = await backends.postgresPid();
        process.kill(pid, 'SIGQUIT'); // pg_ctl stop -m immediate
        await until(() => backends.postgresPid().then((now) => now !== pid, () => false), 'another PostgreSQL');
        await until(() => done().then(() => true, () => false), 'PostgreSQL to answer');
    }
    await allDone(jobs, 120);
    await expectOnce(jobs);
    assert.ok(running.every((worker) => worker.isRunning));
});

test('worker_that_sleeps_past_its_lease_wakes_up_to_find_its_jobs_done_once', async () => {
    const zombie = startWorker();
    await works(zombie);
    await enqueue(10, '{"wait_ms": 300}');
    await until(async () => (await count(`spark.jobs where state = 'running'`)) === 10, 'all jobs to run');
    zombie.process.kill('SIGSTOP');
    startWorker();
    await allDone(10);
    zombie.process.kill('SIGCONT');
    await until(() => says(zombie, 'lease_lost'), 'the sleeper to notice');
    await until(() => zombie.tail.filter((line) => line.includes('"event":"working"')).length === 2, 'it to begin again');
    await expectOnce(10);
    await enqueue(50);
    await allDone(60);
    await expectOnce(60);
});

test('worker_asked_to_stop_finishes_what_it_runs', async () => {
    const worker = startWorker();
    await works(worker);
    await enqueue(200, '{"wait_ms": 100}');
    await until(async () => (await done()) > 0, 'some jobs to be done');
    assert.deepEqual(await worker.stop(), { code: 0, signal: null });
    assert.equal(await count(`spark.jobs where state = 'running' or failures > 0 or crashes > 0`), 0);
    assert.equal(await count('spark.workers'), 0);
    assert.equal(await count('effects'), await done());
    startWorker();
    await allDone(200);
    await expectOnce(200);
});

test('worker_that_may_not_wait_hands_its_jobs_back_and_that_costs_no_try', async () => {
    const worker = startWorker({ WORKER_DRAIN: '1' });
    await works(worker);
    await enqueue(10, '{"wait_ms": 60000}');
    await until(async () => (await count(`spark.jobs where state = 'running'`)) === 10, 'all jobs to run');
    assert.deepEqual(await worker.stop(), { code: 0, signal: null });
    assert.equal(await count(`spark.jobs where state = 'queued' and failures = 0 and crashes = 0 and worker is null`), 10);
    assert.equal(await backends.redis('keys', '{q:0}:w:*'), '');
});

test('job_of_a_kind_that_nobody_knows_is_dead_after_three_tries_with_a_sentence', async () => {
    startWorker({ JOB_RETRY_BASE: '1' });
    await asOwner(`insert into spark.jobs (kind) values ('unheard_of')`);
    await until(async () => (await count(`spark.jobs where state = 'dead'`)) === 1, 'the job to be dead');
    assert.deepEqual(await asOwner('select attempt, failures, error from spark.jobs'), [['3', '3', "no worker knows the kind 'unheard_of'"]]);
});

test('absent_backends_at_the_start_are_waited_for_and_named', async () => {
    process.kill(backends.supervisorPid, 'SIGSTOP');
    let patient;
    try {
        process.kill(await backends.redisPid(), 'SIGKILL');
        const hasty = startWorker({ STARTUP_TIMEOUT: '1' });
        assert.equal((await hasty.ended).code, 1);
        assert.match(hasty.tail.join('\n'), /"event":"startup_failed".*Redis/);
        patient = startWorker();
    } finally {
        process.kill(backends.supervisorPid, 'SIGCONT');
    }
    await works(patient);

    const nowhere = startWorker({ STARTUP_TIMEOUT: '1', DATABASE_URL: 'postgresql://spark@/spark?host=/nonexistent' });
    assert.equal((await nowhere.ended).code, 1);
    assert.match(nowhere.tail.join('\n'), /"event":"startup_failed".*PostgreSQL/);
    await enqueue(5);
    await allDone(5);
});
