// Starts on what an accident left: lost, cut or open secrets, a lost database, damaged Redis data,
// a database of another version, a SECRET that is another one. And what operators' commands say
// beside a running `spark up`.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { chmod, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { Child, binary, buildFolder, freePort, makeFolder, secrets, sql, startBackends, startRedis, until, withDatabase } from '../support/stack.mjs';

let folder;
let data;
let port;
before(async () => {
    folder = await makeFolder('starts');
    data = path.join(folder, 'var');
    port = await freePort();
});
after(async () => {
    await up?.stop();
    await rm(folder, { recursive: true, force: true });
});

let up;

const environment = () => ({ DATABASE_URL: '', REDIS_URL: '', SPARK_DATA: data, HOST: '127.0.0.1', PORT: String(port), WORKERS: '1', ADMIN_TOKEN: '', ADMIN_PASSWORD: '', SECRET: '' });

/** Starts `spark up` and waits until it is up; what it said is in up.tail. */
async function start(flags = [], env = {}) {
    up = new Child('spark up', binary, ['up', '--no-demo', '--data', data, ...flags], { env: { ...environment(), ...env } });
    await until(() => {
        if (!up.isRunning) throw new Error(`spark up ended\n${up.tail.join('\n')}`);
        return up.tail.some((line) => line.includes('Ctrl-C'));
    }, 'spark up', 180);
    return up.tail.join('\n');
}

async function stop() {
    const end = await up.stop();
    up = undefined;
    return end;
}

/** `spark …` with the environment of the folder; { code, stdout, stderr }. */
const spark = (words, env = {}) =>
    new Promise((resume) => {
        execFile(binary, words, { env: { ...process.env, ...environment(), ...env }, timeout: 120_000, maxBuffer: 64 << 20 }, (error, stdout, stderr) =>
            resume({ code: error ? error.code : 0, stdout, stderr }));
    });

/** A start that must be refused, in one sentence, with everything left as it was. */
async function refused(sentence, flags = ['--no-demo']) {
    const before = [await readFile(path.join(data, 'secrets.env'), 'utf8').catch(() => undefined), await readdir(data)];
    const { code, stderr } = await spark(['up', ...flags, '--data', data]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, sentence);
    assert.equal(stderr.split('\n').filter((line) => line !== '' && !line.startsWith('Spark ')).length, 1);
    assert.deepEqual([await readFile(path.join(data, 'secrets.env'), 'utf8').catch(() => undefined), await readdir(data)], before);
}

const secretsFile = () => path.join(data, 'secrets.env');
const inSecrets = async (name) => new RegExp(`^${name}=(.*)$`, 'm').exec(await readFile(secretsFile(), 'utf8'))?.[1];
const address = async (name) => new RegExp(`^${name}=(.*)$`, 'm').exec(await readFile(path.join(data, 'run/addresses.env'), 'utf8'))[1];

test('a_new_folder_starts_without_questions_and_so_does_the_second_start', async () => {
    assert.match(await start(), /admin token/);
    assert.equal((await stat(secretsFile())).mode & 0o777, 0o600);
    assert.deepEqual(await stop(), { code: 0, signal: null });
    const before = await readFile(secretsFile(), 'utf8');
    assert.match(await start(), /secrets  /);
    assert.equal(await readFile(secretsFile(), 'utf8'), before);
    assert.deepEqual(await readdir(data).then((names) => names.filter((name) => name.endsWith('.new') || name === 'first-start')), []);
});

const setting = async (name) => JSON.parse((await spark(['config', 'show', '--json'])).stdout).find((row) => row.name === name);

test('config_show_beside_a_running_up_shows_what_is_in_effect_and_where_it_came_from', async () => {
    const addresses = path.join(data, 'run/addresses.env');
    const database = await setting('DATABASE_URL');
    assert.deepEqual([database.value, database.origin], [await address('DATABASE_URL'), addresses]);
    const secret = await setting('SECRET');
    assert.deepEqual([secret.value, secret.origin], ['***', secretsFile()]);
    assert.equal((await setting('EXTENSIONS_PATH')).origin, 'beside the binary');
    assert.equal((await setting('STATEMENT_TIMEOUT')).unit, 'ms');
    const { stdout } = await spark(['config', 'show']);
    assert.match(stdout, new RegExp(`\\n {2}SECRET +set +\\(${secretsFile()}\\)\\n`));
    assert.ok(!stdout.includes(await inSecrets('SECRET')));
    assert.match(stdout, /\nPostgreSQL and Redis\n {2}DATABASE_URL/);
    assert.match((await spark(['config', 'show', 'PORT'])).stdout, /TCP port to listen on/);
    assert.equal((await spark(['config', 'show', 'PROT'])).code, 2);
});

test('a_job_of_a_kind_that_nobody_knows_is_refused_with_those_that_are_known', async () => {
    const { code, stderr } = await spark(['job', 'enqueue', 'nosuch']);
    assert.equal(code, 1);
    assert.match(stderr, /no worker knows the kind 'nosuch'; known kinds: bench-noop, .*generate-articles, .*scan-duplicates/);
    assert.equal((await spark(['job', 'enqueue', 'bench-noop'])).code, 0);
    assert.equal((await spark(['job', 'enqueue', 'nosuch', '--any-kind'])).code, 0);
});

test('job_kinds_lists_what_workers_can_do', async () => {
    await until(async () => JSON.parse((await spark(['job', 'kinds', '--json'])).stdout).every((row) => row.seen_at !== null), 'the worker');
    const rows = JSON.parse((await spark(['job', 'kinds', '--json'])).stdout);
    const row = rows.find(({ kind }) => kind === 'generate-articles');
    assert.deepEqual([row.extension, row.timeout_s], [null, 300]);
});

test('kinds_of_extensions_can_be_enqueued_by_name', async () => {
    const worker = new Child('worker', binary, ['worker'], { env: { ...environment(), DATABASE_URL: await address('DATABASE_URL'),
        REDIS_URL: await address('REDIS_URL'), EXTENSIONS_PATH: path.join(buildFolder, 'examples') } });
    try {
        await until(async () => (await spark(['job', 'kinds'])).stdout.includes('hello.'), 'the kinds of the extension');
    } finally {
        await worker.stop();
    }
    const kind = JSON.parse((await spark(['job', 'kinds', '--json'])).stdout).find(({ extension }) => extension === 'hello').kind;
    assert.equal((await spark(['job', 'enqueue', kind])).code, 0);
});

const asOwner = async (text) => sql(await address('DATABASE_URL'), `set role spark_owner; set spark.scope = 'platform'; ${text}`);
const doctor = async (subject) => JSON.parse((await spark(['doctor', '--json'])).stdout).find((finding) => finding.subject === subject);

/** Server, worker and doctor on the database as it is now. */
async function facesSay(sentence) {
    const env = { DATABASE_URL: await address('DATABASE_URL'), REDIS_URL: await address('REDIS_URL'), PORT: '0' };
    for (const face of ['server', 'worker']) {
        const { code, stderr } = await spark([face], env);
        assert.equal(code, 1);
        assert.match(stderr, new RegExp(`\nspark ${face}: ${sentence.source}`));
    }
    const { code } = await spark(['doctor']);
    assert.equal(code, 1);
    const schema = await doctor('schema');
    assert.equal(schema.state, 'bad');
    assert.match(schema.detail, sentence);
}

test('a_missing_migration_is_named_by_server_worker_and_doctor', async () => {
    await asOwner(`create table kept_row as select * from spark.migrations where name = 'schema/migrations/0009_crash_reason.sql';
        delete from spark.migrations where name = 'schema/migrations/0009_crash_reason.sql'`);
    await facesSay(/1 migration is missing \(schema\/migrations\/0009_crash_reason\.sql\): run spark migrate/);
    await asOwner('insert into spark.migrations select * from kept_row; drop table kept_row');
    assert.equal((await doctor('schema')).state, 'good');
});

test('a_database_that_is_newer_is_refused_by_server_and_worker_and_named_by_doctor', async () => {
    await asOwner(`insert into spark.migrations (name, checksum) values ('schema/migrations/9999_future.sql', 'x')`);
    const sentence = /the database is newer than this binary: it has schema\/migrations\/9999_future\.sql; use a newer binary/;
    await facesSay(sentence);
    await stop();
    await refused(new RegExp(`^spark: ${sentence.source}`, 'm'));
    const backends = await startBackends({ data });
    await sql(backends.databaseUrl, `set role spark_owner; delete from spark.migrations where name = 'schema/migrations/9999_future.sql'`);
    await backends.stop();
    await start();
});

test('a_pack_that_is_not_installed_is_not_missing', async () => {
    const url = withDatabase(await address('DATABASE_URL'), 'plain');
    await sql(await address('DATABASE_URL'), 'create database plain');
    assert.equal((await spark(['migrate', '--no-pack'], { DATABASE_URL: url })).code, 0);
    const { stdout } = await spark(['doctor', '--json'], { DATABASE_URL: url, REDIS_URL: await address('REDIS_URL'), SECRET: secrets.SECRET });
    assert.equal(JSON.parse(stdout).find(({ subject }) => subject === 'schema').state, 'good');
});

test('a_redis_that_refuses_us_is_the_reason_that_is_repeated_at_the_end', async () => {
    const redis = await startRedis();
    await redis.command('config', 'set', 'requirepass', 'known');
    const env = { DATABASE_URL: await address('DATABASE_URL'), REDIS_URL: redis.url, PORT: '0', STARTUP_TIMEOUT: '3' };
    for (const face of ['server', 'worker']) {
        const { code, stderr } = await spark([face], env);
        assert.equal(code, 1);
        assert.match(stderr, /"event":"waiting_for_redis","reason":"[^"]*NOAUTH/);
        assert.match(stderr, new RegExp(`\nspark ${face}: Redis at unix:.*: NOAUTH`));
    }
    await redis.stop();
});

test('another_secret_than_the_stored_secrets_of_sites_is_named_by_the_start_and_by_doctor', async () => {
    const headers = { authorization: `Bearer ${await inSecrets('ADMIN_TOKEN')}`, 'content-type': 'application/json' };
    const post = async (pathname, body) => {
        const response = await fetch(`http://127.0.0.1:${port}${pathname}`, { method: 'POST', headers, body: JSON.stringify(body) });
        const text = await response.text();
        assert.ok(response.ok, text);
        return text === '' ? undefined : JSON.parse(text);
    };
    const { data: site } = await post('/items/sites', { name: 'Sealed', domain: 'sealed.example' });
    await post(`/api/admin/site-secrets`, { site_id: site.id, name: 'webhook_secret', value: 'key' });
    assert.equal((await doctor('secrets of sites')).state, 'good');
    await stop();
    const sentence = /1 of 1 stored secrets of sites cannot be opened: SECRET is not the one/;
    assert.match(await start([], { SECRET: 'another-secret-0123456789-0123456789' }), sentence);
    await until(async () => /"event":"site_secrets_sealed_otherwise","secrets":1/.test(await readFile(path.join(data, 'log/server.log'), 'utf8')), 'the line of the log');
    const { stdout } = await spark(['doctor', '--json'], { SECRET: 'another-secret-0123456789-0123456789' });
    const finding = JSON.parse(stdout).find(({ subject }) => subject === 'secrets of sites');
    assert.equal(finding.state, 'bad');
    assert.match(finding.detail, sentence);
    await stop();
});

test('lost_secrets_beside_a_database_are_refused', async () => {
    await rename(secretsFile(), path.join(folder, 'kept.env'));
    await refused(/secrets\.env is missing beside an existing database: restore it from a backup, set ADMIN_TOKEN, ADMIN_PASSWORD, SECRET in the environment, or let `spark up --new-secrets`/);
    await rename(path.join(folder, 'kept.env'), secretsFile());
});

test('empty_cut_partial_and_open_secrets_are_refused_each_with_what_to_do', async () => {
    const whole = await readFile(secretsFile(), 'utf8');
    const written = (text) => writeFile(secretsFile(), text, { mode: 0o600 });
    await written('');
    await refused(/secrets\.env is empty: restore it/);
    await written(whole.replace(/^SECRET=.*\n/m, ''));
    await refused(/secrets\.env has no SECRET: restore it from a backup, set SECRET in the environment/);
    await written(whole.replace(/^(SECRET=.{9}).*\n/m, '$1'));
    await refused(/secrets\.env gives SECRET 9 characters of at least 32: it was cut off/);
    await written(whole.slice(0, whole.indexOf('SECRET=') + 4));
    await refused(/secrets\.env has no SECRET/);
    await written(whole);
    await chmod(secretsFile(), 0o644);
    await refused(/secrets\.env holds secrets and others may read or write it \(mode 0644\): chmod 600 /);
    await chmod(secretsFile(), 0o600);
});

test('new_secrets_are_made_when_they_are_asked_for_and_only_those_that_are_missing', async () => {
    const whole = await readFile(secretsFile(), 'utf8');
    const token = await inSecrets('ADMIN_TOKEN');
    const secret = await inSecrets('SECRET');
    await writeFile(secretsFile(), whole.replace(/^SECRET=.*\n/m, ''), { mode: 0o600 });
    await start(['--new-secrets']);
    await stop();
    assert.equal(await inSecrets('ADMIN_TOKEN'), token);
    assert.equal((await inSecrets('SECRET')).length, 43);
    assert.notEqual(await inSecrets('SECRET'), secret);
    await writeFile(secretsFile(), whole, { mode: 0o600 });
});

test('a_lost_or_empty_database_beside_secrets_is_refused', async () => {
    const away = path.join(folder, 'postgres');
    await rename(path.join(data, 'postgres'), away);
    const sentence = /postgres is missing or empty, but this installation had a database: restore or mount it, set DATABASE_URL if it is elsewhere, or let `spark up --new-database`/;
    await refused(sentence);
    await refused(sentence, ['--backends-only']);
    await mkdir(path.join(data, 'postgres'));
    await refused(sentence);
    await writeFile(path.join(data, 'postgres/base'), '');
    await refused(/postgres has files but no PG_VERSION, so it is not a complete database/);
    await rm(path.join(data, 'postgres'), { recursive: true });
    await rename(away, path.join(data, 'postgres'));
});

test('the_error_of_a_postgres_that_does_not_start_is_what_is_printed', async () => {
    const control = path.join(data, 'postgres/global/pg_control');
    await rename(control, path.join(folder, 'pg_control'));
    await refused(/^spark: PostgreSQL does not start: .*pg_control.* \(its log: .*postgres\.log\)$/m);
    await rename(path.join(folder, 'pg_control'), control);
});

for (const [what, damage] of [
    ['rubbish in the append-only file', (file) => writeFile(file('incr.aof'), randomBytes(100))],
    ['a base that is cut off', (file) => readFile(file('base.rdb')).then((bytes) => writeFile(file('base.rdb'), bytes.subarray(0, 40)))],
    ['a manifest that is none', (file) => writeFile(file('manifest'), 'rubbish\n')],
    ['a base that is gone', (file) => rm(file('base.rdb'))],
])
    test(`redis with ${what} is set aside and starts empty`, async () => {
        const own = path.join(folder, 'redis-' + what.replaceAll(' ', '-'));
        let backends = await startBackends({ data: own });
        assert.equal(await backends.redis('set', 'kept', '1'), 'OK');
        await backends.stop();
        const inside = path.join(own, 'redis/appendonlydir');
        const names = await readdir(inside);
        await damage((end) => path.join(inside, names.find((name) => name.endsWith(end))));
        const child = new Child('up', binary, ['up', '--backends-only', '--data', own], { env: { DATABASE_URL: '', REDIS_URL: '' } });
        await until(() => {
            assert.ok(child.isRunning, child.tail.join('\n'));
            return child.tail.includes('ready');
        }, 'the backends', 120);
        await child.stop();
        const said = child.tail.filter((line) => line.includes('nothing in Redis is needed'));
        assert.equal(said.length, 1);
        assert.match(said[0], /Redis does not start: (Bad file format|Unexpected|Internal error|Invalid AOF manifest|Unable to obtain|Short read|.*RDB).*its data are in .*redis\.damaged-\d{8}T\d{6}Z now, and it started empty/);
        assert.doesNotMatch(said[0], /overcommit/);
        const aside = (await readdir(own)).filter((name) => name.startsWith('redis.damaged-'));
        assert.equal(aside.length, 1);
        assert.ok((await readdir(path.join(own, aside[0]))).includes('appendonlydir'));
        await rm(own, { recursive: true, force: true });
    });

test('redis_that_cannot_read_its_data_any_more_while_it_runs_starts_empty_and_few_are_kept', async () => {
    const own = path.join(folder, 'redis-runs');
    const backends = await startBackends({ data: own });
    try {
        for (const year of [2001, 2002, 2003]) await mkdir(path.join(own, `redis.damaged-${year}0101T000000Z`));
        await rm(path.join(own, 'redis/appendonlydir'), { recursive: true });
        await writeFile(path.join(own, 'redis/appendonlydir'), 'rubbish');
        const before = await backends.redisPid();
        process.kill(before, 'SIGKILL');
        await until(async () => (await backends.redis('ping').catch(() => '')) === 'PONG', 'Redis', 120);
        assert.equal(await backends.redis('dbsize'), '0');
        const aside = (await readdir(own)).filter((name) => name.startsWith('redis.damaged-')).sort();
        assert.equal(aside.length, 3);
        assert.deepEqual(aside.slice(0, 2), ['redis.damaged-20020101T000000Z', 'redis.damaged-20030101T000000Z']);
    } finally {
        await backends.stop();
    }
    await rm(own, { recursive: true, force: true });
});

test('redis_that_does_not_start_for_another_reason_keeps_its_data', async () => {
    const own = path.join(folder, 'redis-other');
    const backends = await startBackends({ data: own });
    assert.equal(await backends.redis('set', 'kept', '1'), 'OK');
    await backends.stop();
    const bin = path.join(folder, 'bin');
    await mkdir(bin);
    await writeFile(path.join(bin, 'redis-server'), '#!/bin/sh\necho "no redis today"; exit 1\n', { mode: 0o755 });
    const { code, stderr } = await spark(['up', '--backends-only', '--data', own], { PATH: `${bin}:${process.env.PATH}` });
    assert.equal(code, 1);
    assert.match(stderr, /Redis does not start: no redis today/);
    assert.deepEqual((await readdir(own)).filter((name) => name.startsWith('redis')), ['redis']);
    const again = await startBackends({ data: own });
    assert.equal(await again.redis('get', 'kept'), '1');
    await again.stop();
    await rm(own, { recursive: true, force: true });
});

test('redis_that_is_told_to_end_while_it_reads_its_data_keeps_them', async () => {
    const own = path.join(folder, 'redis-loading');
    const backends = await startBackends({ data: own });
    for (let i = 0; i < 50; i++) assert.equal(await backends.redis('set', `kept-${i}`, '1'), 'OK');
    await backends.stop();
    const { stdout: real } = await new Promise((resume) => execFile('sh', ['-c', 'command -v redis-server'], (_, stdout) => resume({ stdout: stdout.trim() })));
    const bin = path.join(folder, 'slow-bin');
    await mkdir(bin);
    await writeFile(path.join(bin, 'redis-server'), `#!/bin/sh\nexec ${real} "$@" --key-load-delay 100000\n`, { mode: 0o755 });
    const child = new Child('spark up', binary, ['up', '--backends-only', '--data', own], { env: { DATABASE_URL: '', REDIS_URL: '', PATH: `${bin}:${process.env.PATH}` } });
    const log = path.join(own, 'log/redis.log');
    const from = (await readFile(log, 'utf8')).length;
    const pid = await until(async () => /^(\d+):M .*(Loading|Reading) /m.exec((await readFile(log, 'utf8')).slice(from))?.[1], 'Redis to read its data');
    process.kill(Number(pid), 'SIGTERM');
    // It reads to the end and leaves with 0, which is no start, unless we have reached it in between.
    await until(() => !child.isRunning || child.tail.includes('ready'), 'the end of that start', 120);
    await child.stop();
    assert.deepEqual((await readdir(own)).filter((name) => name.startsWith('redis')), ['redis']);
    const again = await startBackends({ data: own });
    assert.equal(await again.redis('dbsize'), '50');
    await again.stop();
    await rm(own, { recursive: true, force: true });
});

test('a_first_start_that_was_interrupted_goes_on_without_questions', async () => {
    const interrupted = new Child('spark up', binary, ['up', '--no-demo', '--data', path.join(folder, 'first')], {
        env: { ...environment(), PORT: String(await freePort()) } });
    await until(() => stat(path.join(folder, 'first/secrets.env')).then(() => true, () => false), 'the secrets');
    await interrupted.kill();
    const kept = await readFile(path.join(folder, 'first/secrets.env'), 'utf8');
    const again = new Child('spark up', binary, ['up', '--no-demo', '--data', path.join(folder, 'first')], {
        env: { ...environment(), PORT: String(await freePort()) } });
    await until(() => {
        assert.ok(again.isRunning, again.tail.join('\n'));
        return again.tail.some((line) => line.includes('Ctrl-C'));
    }, 'spark up', 180);
    await again.stop();
    assert.equal(await readFile(path.join(folder, 'first/secrets.env'), 'utf8'), kept);
});
