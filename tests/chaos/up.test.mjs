// `spark up --backends-only`: the embedded PostgreSQL and Redis through bad days.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { writeFile, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { binary, makeFolder, secrets, sql, startBackends, until, withDatabase } from '../support/stack.mjs';

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

/** What `spark doctor` says of a subject; it exits 1 when anything is bad, here the missing schema. */
async function doctor(subject, databaseUrl = backends.databaseUrl) {
    const env = { ...process.env, ...secrets, DATABASE_URL: databaseUrl, DATABASE_DIRECT_URL: '', DATABASE_TENANT_URL: '', REDIS_URL: backends.redisUrl };
    const { stdout } = await run(binary, ['doctor', '--json'], { env }).catch((error) => error);
    return JSON.parse(stdout).find((finding) => finding.subject === subject);
}

const marked = async (url) =>
    (await sql(url, `select oid::regprocedure from pg_proc where proleakproof and pronamespace = 'pg_catalog'::regnamespace
        and proname in ('textlike', 'texticlike', 'lower', 'numeric_eq', 'numeric_lt', 'numeric_le', 'numeric_gt', 'numeric_ge', 'jsonb_contains')`)).flat().sort();
const MARKS = ['jsonb_contains(jsonb,jsonb)', 'lower(text)', 'numeric_eq(numeric,numeric)', 'numeric_ge(numeric,numeric)',
    'numeric_gt(numeric,numeric)', 'numeric_le(numeric,numeric)', 'numeric_lt(numeric,numeric)', 'texticlike(text,text)', 'textlike(text,text)'];
const extensions = async (url) => (await sql(url, "select extname from pg_extension where extname in ('pg_trgm', 'btree_gin') order by 1")).flat();

test('a_new_database_lets_row_security_use_indexes_and_doctor_says_so', async () => {
    assert.deepEqual(await marked(backends.databaseUrl), MARKS);
    assert.deepEqual(await extensions(backends.databaseUrl), ['btree_gin', 'pg_trgm']);
    assert.equal((await doctor('leakproof')).state, 'good');
    assert.equal((await doctor('trigrams')).state, 'good');
});

test('the_sql_that_doctor_advises_is_all_an_operator_needs', async () => {
    const name = `other_${process.pid}`;
    const asOwner = withDatabase(backends.databaseUrl, name);
    const asSuperuser = withDatabase(backends.databaseAdminUrl, name);
    await sql(backends.databaseUrl, `create database ${name}`);
    const marks = await doctor('leakproof', asOwner);
    assert.equal(marks.state, 'odd');
    assert.match(marks.advice, new RegExp(`as superuser in the database ${name}: `));
    await sql(asSuperuser, marks.advice.slice(marks.advice.indexOf(': ') + 2));
    assert.deepEqual(await marked(asOwner), MARKS);
    assert.equal((await doctor('leakproof', asOwner)).state, 'good');
    const trigrams = await doctor('trigrams', asOwner);
    assert.equal(trigrams.state, 'odd');
    await sql(asOwner, trigrams.advice.slice(trigrams.advice.indexOf(': ') + 2));
    assert.equal((await doctor('trigrams', asOwner)).state, 'good');
    await sql(backends.databaseUrl, `drop database ${name}`);
});

test('marks_and_extensions_that_are_missing_come_back_with_the_next_start', async () => {
    const asSuperuser = withDatabase(backends.databaseAdminUrl, 'spark');
    await sql(asSuperuser, 'alter function lower(text) not leakproof; alter function numeric_lt(numeric, numeric) not leakproof; drop extension pg_trgm');
    const { detail } = await doctor('leakproof');
    assert.equal(detail, 'indexes are kept from lower(text), numeric_lt(numeric,numeric)');
    assert.deepEqual(await backends.stop(), { code: 0, signal: null });
    backends = await startBackends({ data: backends.data });
    assert.deepEqual(await marked(backends.databaseUrl), MARKS);
    assert.deepEqual(await extensions(backends.databaseUrl), ['btree_gin', 'pg_trgm']);
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
