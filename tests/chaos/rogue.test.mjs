// Extensions that take their process with them. What one job or one endpoint does to a worker or a
// server costs nobody else anything: the job that never waits is charged and its neighbours are
// not, and after a crash in an extension the supervisor goes on without it.

import assert from 'node:assert/strict';
import { copyFile, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { Child, binary, buildFolder, createDatabase, freePort, makeFolder, secrets, sql, startBackends, startStack, until } from '../support/stack.mjs';

let folder;
let backends;

before(async () => {
    folder = await makeFolder('rogue');
    await copyFile(path.join(buildFolder, 'tests/ext/rogue.so'), path.join(folder, 'rogue.so'));
    await copyFile(path.join(buildFolder, 'examples/hello.so'), path.join(folder, 'hello.so'));
    backends = await startBackends();
});
after(async () => {
    await backends?.stop();
    await rm(folder, { recursive: true, force: true });
});

/** Several statements as the platform's owner, whom row security lets see everything. */
const asOwner = (url, text) => sql(url, `set role spark_owner; set spark.scope = 'platform'; ${text}`);

/** The hard time-out, with workers of our own ---------------------------------------------------- */

test('job_that_never_waits_is_charged_with_its_worker_and_its_neighbours_are_not', async () => {
    const stack = await startStack({ backends, server: false, pack: false, extensionsPath: folder,
        env: { JOB_HARD_TIMEOUT: '1', WORKER_CONCURRENCY: '16', WORKER_DRAIN: '1', LOG_LEVEL: 'info' } });
    const workers = [];
    const startWorker = () => {
        workers.push(new Child(`worker ${workers.length + 1}`, binary, ['worker'], { env: stack.env }));
        return workers.at(-1);
    };
    try {
        const ask = (text) => asOwner(stack.databaseUrl, text);
        const count = async (text) => Number((await ask(`select count(*) from spark.jobs where ${text}`))[0][0]);
        let worker = startWorker();
        await ask(`insert into spark.jobs (kind, payload) select 'bench-noop', '{"wait_ms": 60000}' from generate_series(1, 10)`);
        await until(async () => (await count(`state = 'running'`)) === 10, 'the neighbours to run');
        await ask(`insert into spark.jobs (kind, payload, max_crashes) values ('rogue.work', '{"how": "spin"}', 3)`);
        for (let attempt = 1; attempt <= 3; attempt++) {
            await until(() => !worker.isRunning, 'the end of the worker');
            assert.equal((await worker.ended).signal, 'SIGABRT', worker.tail.join('\n'));
            assert.match(worker.tail.join('\n'), /"event":"hard_timeout".*"limit_s":1,/);
            worker = startWorker();
        }
        await until(() => count(`state = 'dead'`), 'the job to be dead');
        assert.deepEqual(await ask(`select kind, attempt, failures, crashes, error_class, error from spark.jobs where state = 'dead'`),
            [['rogue.work', '3', '0', '3', 'crash', 'the hard timeout ended its worker: the job held the CPU for 1 s without ever waiting (JOB_HARD_TIMEOUT)']]);

        assert.equal(await count(`kind = 'bench-noop' and (failures > 0 or crashes > 0 or error_class is not null)`), 0);

        // Waiting is not holding the CPU: these take longer than the limit.
        await worker.stop();
        await ask(`update spark.jobs set payload = '{"wait_ms": 2500}' where kind = 'bench-noop'`);
        worker = startWorker();
        await until(async () => (await count(`kind = 'bench-noop' and state = 'done' and failures = 0 and crashes = 0`)) === 10, 'the neighbours to be done');
        assert.deepEqual(await worker.stop(), { code: 0, signal: null });
    } finally {
        await Promise.all(workers.map((worker) => worker.kill('SIGKILL')));
        await stack.stop();
    }
});

test('job_that_does_not_hear_that_its_time_is_over_is_charged_too', async () => {
    const stack = await startStack({ backends, server: false, pack: false, extensionsPath: folder, env: { JOB_HARD_TIMEOUT: '1', LOG_LEVEL: 'info' } });
    let worker = new Child('worker', binary, ['worker'], { env: stack.env });
    try {
        await asOwner(stack.databaseUrl, `insert into spark.jobs (kind, max_crashes) values ('rogue.deaf', 1)`);
        await until(() => !worker.isRunning, 'the end of the worker');
        assert.equal((await worker.ended).signal, 'SIGABRT', worker.tail.join('\n'));
        worker = new Child('worker', binary, ['worker'], { env: stack.env });
        const dead = () => asOwner(stack.databaseUrl, `select crashes, error from spark.jobs where state = 'dead'`);
        const [crashes, error] = await until(async () => (await dead())[0], 'the job to be dead');
        assert.equal(crashes, '1');
        assert.match(error, /^the hard timeout ended its worker: /);
        assert.deepEqual(await worker.stop(), { code: 0, signal: null });
    } finally {
        await worker.kill('SIGKILL');
        await stack.stop();
    }
});

/** The supervisor -------------------------------------------------------------------------------- */

async function startUp(database, data, env = {}) {
    const port = await freePort();
    const up = new Child('spark up', binary, ['up', '--no-demo', '--data', data], {
        env: { ...secrets, DATABASE_URL: database.url, REDIS_URL: backends.redisUrl, HOST: '127.0.0.1', PORT: String(port),
            EXTENSIONS_PATH: folder, EXTENSIONS_SHIPPED: 'false', SERVER_THREADS: '2', WORKERS: '2', WORKER_DRAIN: '5', JOB_HARD_TIMEOUT: '600', ...env },
    });
    await until(() => {
        if (!up.isRunning) throw new Error(`spark up ended\n${up.tail.join('\n')}`);
        return up.tail.some((line) => line.includes('Ctrl-C'));
    }, 'spark up', 120);
    const get = (pathname) => fetch(`http://127.0.0.1:${port}${pathname}`, { headers: { authorization: `Bearer ${secrets.ADMIN_TOKEN}` } });
    return {
        up,
        get,
        /** The status once somebody answers at all. */
        status: (pathname) => until(() => get(pathname).then(({ status }) => status, () => 0), pathname),
        said: (pattern) => up.tail.filter((line) => pattern.test(line)).length,
        log: (name) => readFile(path.join(data, 'log', name), 'utf8'),
        /** The server's process: the only one of ours that listens there. */
        serverPid: async () => {
            const children = await readFile(`/proc/${up.pid}/task/${up.pid}/children`, 'utf8');
            for (const pid of children.trim().split(' '))
                if ((await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')[1] === 'server') return Number(pid);
            return undefined;
        },
    };
}

test('after_a_crash_in_an_extension_the_supervisor_goes_on_without_it', async (t) => {
    const database = await createDatabase(backends.databaseUrl);
    const data = path.join(folder, 'var');
    const ask = (text) => asOwner(database.url, text);
    let spark = await startUp(database, data);
    try {
        await t.test('nobody_is_blamed_who_only_waits', async () => {
            const waiting = spark.get('/rogue/wait').catch(() => 'cut off');
            const asleep = () => sql(backends.databaseAdminUrl, `select 1 from pg_stat_activity where query like '%pg_sleep(5)%' and state = 'active' and pid <> pg_backend_pid()`);
            await until(async () => (await asleep()).length > 0, 'the endpoint to wait');
            process.kill(await spark.serverPid(), 'SIGKILL');
            assert.equal(await waiting, 'cut off');
            assert.equal(await spark.status('/rogue/none'), 200);
            assert.equal(spark.said(/server was ended by signal 9 .*starts again in/), 1);
        });

        await t.test('a_crash_in_an_endpoint_leaves_the_extension_out_of_the_server', async () => {
            await assert.rejects(spark.get('/rogue/fault'));
            await until(() => spark.said(/server was ended by signal .* in the extension/), 'the end of its other thread');
            assert.equal(await spark.status('/hello'), 200);
            assert.equal(await spark.status('/rogue/fault'), 404);
            assert.equal(spark.said(/server was ended by signal \d+ .* in the extension "rogue"; it starts again without it until the next `spark up`/), 1);
            const health = await (await spark.get('/server/health')).json();
            assert.equal(health.status, 'warn');
            const states = Object.fromEntries(health.extensions.map(({ name, state, reason }) => [name, `${state} ${reason ?? ''}`]));
            assert.deepEqual(states, { hello: 'on ', rogue: 'disabled it was switched off after a crash, until Spark is started again' });
            assert.match(await spark.log('server.log'), /"event":"extension_disabled".*"extension":"rogue".*after a crash/);
        });

        await t.test('workers_in_which_it_did_not_crash_go_on_with_it', async () => {
            await ask(`insert into spark.jobs (kind, payload) values ('rogue.work', '{}')`);
            await until(async () => (await ask(`select 1 from spark.jobs where kind = 'rogue.work' and state = 'done'`)).length, 'the job to be done');
            await ask(`delete from spark.jobs`);
        });

        await t.test('a_crash_in_a_job_is_charged_to_it_once_and_it_waits_for_its_extension', async () => {
            await ask(`insert into spark.jobs (kind, payload) values ('rogue.work', '{"how": "kill"}')`);
            const state = () => ask(`select state, failures, crashes, error from spark.jobs where kind = 'rogue.work' and error_class = 'postponed' and state = 'queued'`);
            const found = await until(async () => (await state())[0], 'the job to wait');
            assert.deepEqual(found, ['queued', '0', '1', 'it waits for the extension "rogue": it was switched off after a crash, until Spark is started again']);
            assert.ok(spark.said(/worker \d was ended by signal 9 .* in the extension "rogue"; the workers start again without it/) === 1, spark.up.tail.join('\n'));
            // Whichever worker takes it now, it is none that knows the kind, and no try is lost.
            for (let i = 0; i < 3; i++) {
                const [[attempt]] = await ask(`update spark.jobs set run_at = now() where kind = 'rogue.work' returning attempt`);
                await until(async () => (await ask(`select 1 from spark.jobs where attempt > ${attempt} and state = 'queued'`)).length, 'another look');
            }
            assert.deepEqual((await state())[0].slice(0, 3), ['queued', '0', '1']);
            await ask(`insert into spark.jobs (kind) values ('bench-noop')`);
            await until(async () => (await ask(`select 1 from spark.jobs where kind = 'bench-noop' and state = 'done'`)).length, 'another job');
        });

        await t.test('the_next_start_by_hand_loads_it_again', async () => {
            assert.deepEqual(await spark.up.stop(), { code: 0, signal: null });
            await ask(`update spark.jobs set payload = '{}', run_at = now() where kind = 'rogue.work'`);
            spark = await startUp(database, data);
            assert.equal(await spark.status('/rogue/none'), 200);
            await until(async () => (await ask(`select 1 from spark.jobs where kind = 'rogue.work' and state = 'done'`)).length, 'the job to be done');
        });

        await t.test('one_that_crashes_while_it_starts_does_not_keep_Spark_from_starting', async () => {
            assert.deepEqual(await spark.up.stop(), { code: 0, signal: null });
            spark = await startUp(database, data, { ROGUE_START: 'abort' });
            assert.equal(await spark.status('/rogue/none'), 404);
            assert.equal(await spark.status('/hello'), 200);
            assert.equal(spark.said(/server was ended by signal 6 .* in the extension "rogue"/), 1);
            await until(() => spark.said(/worker \d was ended by signal 6 .* in the extension "rogue"/), 'the workers');
            await ask(`delete from spark.jobs; insert into spark.jobs (kind) values ('bench-noop')`);
            await until(async () => (await ask(`select 1 from spark.jobs where state = 'done'`)).length, 'a job to be done');
        });

        await t.test('one_that_calls_exit_is_left_out_too', async () => {
            assert.deepEqual(await spark.up.stop(), { code: 0, signal: null });
            spark = await startUp(database, data, { WORKERS: '0' });
            await assert.rejects(spark.get('/rogue/exit'));
            await until(() => spark.said(/server ended with code 3 in the extension "rogue"/), 'the end of its other thread');
            assert.equal(await spark.status('/rogue/none'), 404);
        });
    } finally {
        await spark.up.stop();
        await database.drop();
    }
});
