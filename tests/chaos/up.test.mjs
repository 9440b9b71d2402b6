// `spark up --backends-only`: the embedded PostgreSQL and Redis through bad days.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { writeFile, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { binary, makeFolder, sql, startBackends, until } from '../support/stack.mjs';

const run = promisify(execFile);

let folder;
let backends;
before(async () => {
    folder = await makeFolder('up');
    backends = await startBackends({ data: path.join(folder, 'var') });
    await sql(backends.databaseUrl, 'create table kept (n int); insert into kept values (1)');
});
after(async () => {
    await backends.stop();
    await rm(folder, { recursive: true, force: true });
});

/** A zombie has ended: the first process of a container may reap nobody. */
const runs = (pid) =>
    readFile(`/proc/${pid}/stat`, 'utf8').then(
        (line) => !/^[ZX]/.test(line.slice(line.lastIndexOf(')') + 2)),
        () => false,
    );
const allEnded = async (pids) => !(await Promise.all(pids.map(runs))).includes(true);

const kept = () => sql(backends.databaseUrl, 'select n from kept').catch(() => undefined);

test('second_up_on_the_same_data_is_refused_in_one_sentence', async () => {
    const refusal = await run(binary, ['up', '--backends-only', '--data', backends.data]).then(assert.fail, (error) => error);
    assert.equal(refusal.code, 1);
    assert.match(refusal.stderr, /already runs on .* \(process \d+\)/);
});

test('database_user_is_no_superuser_and_nothing_listens_on_tcp', async () => {
    assert.deepEqual(await sql(backends.databaseUrl, "select current_setting('is_superuser'), current_setting('listen_addresses'), current_setting('fsync')"), [['off', '', 'on']]);
});

test('killed_postgres_and_redis_are_started_again', async () => {
    const before = [await backends.postgresPid(), await backends.redisPid()];
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await until(() => kept(), 'PostgreSQL');
    await until(async () => (await backends.redis('ping').catch(() => '')) === 'PONG', 'Redis');
    assert.notEqual(await backends.postgresPid(), before[0]);
    assert.notEqual(await backends.redisPid(), before[1]);
});

test('killed_supervisor_takes_its_servers_along_and_the_next_one_starts_on_the_data', async () => {
    const before = [await backends.postgresPid(), await backends.redisPid()];
    await backends.kill();
    backends = await startBackends({ data: backends.data });
    assert.deepEqual(await kept(), [['1']]);
    await until(() => allEnded(before), 'the end of the servers before');
});

test('data_survive_when_everything_is_killed_at_once', async () => {
    const pids = [await backends.postgresPid(), await backends.redisPid()];
    assert.equal(await backends.redis('set', 'kept', '1'), 'OK');
    await until(async () => (await backends.redis('info', 'persistence')).includes('aof_pending_bio_fsync:0'), 'the append-only file');
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await backends.kill();
    backends = await startBackends({ data: backends.data });
    assert.deepEqual(await kept(), [['1']]);
    assert.equal(await backends.redis('get', 'kept'), '1');
});

test('sigterm_ends_everything_with_code_0_and_leaves_no_sockets', async () => {
    const pids = [await backends.postgresPid(), await backends.redisPid()];
    assert.deepEqual(await backends.stop(), { code: 0, signal: null });
    assert.ok(await allEnded(pids));
    await assert.rejects(stat(backends.sockets));
    backends = await startBackends({ data: backends.data });
});

test('stale_pid_file_that_names_a_stranger_is_no_obstacle', async () => {
    await backends.stop();
    await writeFile(path.join(backends.data, 'postgres/postmaster.pid'), `${process.pid}\n`);
    backends = await startBackends({ data: backends.data });
    assert.deepEqual(await kept(), [['1']]);
});

test('data_of_a_postgres_that_is_not_installed_are_refused_with_its_version', async () => {
    await backends.stop();
    const file = path.join(backends.data, 'postgres/PG_VERSION');
    const version = await readFile(file, 'utf8');
    await writeFile(file, '9\n');
    const refusal = await run(binary, ['up', '--backends-only', '--data', backends.data]).then(assert.fail, (error) => error);
    assert.match(refusal.stderr, /made by PostgreSQL 9, which is not installed/);
    await writeFile(file, version);
    backends = await startBackends({ data: backends.data });
});
