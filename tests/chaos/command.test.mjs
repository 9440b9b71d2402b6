// The command line without any server: what is wrong is said at once, in a sentence, with the exit
// code 2 for a wrong command line or settings and 1 for what was refused.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { Child, binary, freePort, makeFolder, secrets, until } from '../support/stack.mjs';

let folder;
before(async () => (folder = await makeFolder('command')));
after(() => rm(folder, { recursive: true, force: true }));

const NOWHERE = { DATABASE_URL: 'postgresql://u:hush@127.0.0.1:1/x', REDIS_URL: 'redis://:hush@127.0.0.1:1' };

/** `spark …` with nothing but `env`; { code, stdout, stderr }. */
const spark = (words, env = {}) =>
    new Promise((resume) => {
        const bare = { PATH: process.env.PATH, SPARK_DATA: path.join(folder, 'none'), ...env };
        for (const name of ['ASAN_OPTIONS', 'UBSAN_OPTIONS']) if (process.env[name]) bare[name] = process.env[name];
        execFile(binary, words, { env: bare, cwd: folder, timeout: 120_000 }, (error, stdout, stderr) =>
            resume({ code: error ? error.code : 0, stdout, stderr }));
    });

test('server_and_worker_without_their_servers_say_so_at_once', async () => {
    for (const face of ['server', 'worker']) {
        const { code, stderr } = await spark([face]);
        assert.equal(code, 2);
        assert.match(stderr, new RegExp(`^spark ${face}: DATABASE_URL is not set: .*\nspark ${face}: REDIS_URL is not set: .*\n$`));
    }
});

test('urls_are_refused_by_their_shape_and_without_their_password', async () => {
    const bad = { DATABASE_URL: 'mysql://u:hush@host/x', DATABASE_DIRECT_URL: 'garbage', DATABASE_TENANT_URL: 'u:hush@host',
        DATABASE_PLATFORM_URL: 'http://x', REDIS_URL: 'rediss://:hush@host', PUBLIC_URL: 'example.com', SMTP_URL: 'host:25',
        FACEBOOK_URL: 'ftp://x', GOOGLE_MEASUREMENT_URL: 'https://' };
    for (const words of [['server'], ['worker'], ['migrate'], ['config', 'show'], ['job', 'counts'], ['up']]) {
        const { code, stderr } = await spark(words, bad);
        assert.equal(code, 2, words.join(' '));
        for (const name of Object.keys(bad)) assert.match(stderr, new RegExp(`${name} is '.*'; it must be `), `${words.join(' ')}: ${name}`);
        assert.doesNotMatch(stderr, /hush/);
    }
});

test('connection_strings_of_libpq_are_addresses_too', async () => {
    const { code, stderr } = await spark(['migrate'], { DATABASE_URL: 'host=/nonexistent dbname=x', STARTUP_TIMEOUT: '1' });
    assert.equal(code, 1);
    assert.match(stderr, /PostgreSQL is not reachable/);
});

test('short_secrets_are_refused_by_who_would_use_them', async () => {
    for (const [name, min] of [['SECRET', 32], ['ADMIN_TOKEN', 16], ['ADMIN_PASSWORD', 8], ['GOD_MODE_TOKEN', 16]])
        for (const words of [['server'], ['worker'], ['up', '--data', path.join(folder, 'short')]]) {
            const { code, stderr } = await spark(words, { ...NOWHERE, [name]: 'x'.repeat(min - 1) });
            assert.equal(code, 2);
            assert.match(stderr, new RegExp(`${name} has ${min - 1} characters; it must have at least ${min} `));
        }
});

test('doctor_marks_a_short_secret_as_bad', async () => {
    const { code, stdout } = await spark(['doctor', '--json'], { ...NOWHERE, SECRET: 'short' });
    assert.equal(code, 1);
    assert.match(JSON.parse(stdout).find(({ state }) => state === 'bad').detail, /SECRET has 5 characters/);
});

const setting = async (name, words, env) => JSON.parse((await spark(['config', 'show', '--json', ...words], env)).stdout).find((row) => row.name === name);

test('a_config_file_is_read_and_the_environment_wins_over_it', async () => {
    const file = path.join(folder, 'my.conf');
    await writeFile(file, '# mine\nexport PORT="1234"\nWORKERS=3\nWORKERS=5\nHOST = ::1 \n');
    const port = await setting('PORT', ['--config', file]);
    assert.deepEqual([port.value, port.origin], ['1234', file]);
    assert.equal((await setting('WORKERS', [`--config=${file}`])).value, '5');
    const host = await setting('HOST', ['--config', file], { HOST: '127.0.0.2' });
    assert.deepEqual([host.value, host.origin], ['127.0.0.2', 'environment']);
});

test('every_command_reads_the_config_file', async () => {
    const file = path.join(folder, 'bad.conf');
    await writeFile(file, 'DATABASE_URL=garbage\n');
    for (const words of [['server'], ['worker'], ['migrate'], ['site', 'list'], ['token', 'list'], ['job', 'counts'], ['config', 'show'], ['up']]) {
        const { code, stderr } = await spark([...words, '--config', file]);
        assert.equal(code, 2, words.join(' '));
        assert.match(stderr, /DATABASE_URL is 'garbage'/, words.join(' '));
    }
    assert.match((await spark(['doctor', '--config', file])).stdout, /DATABASE_URL is 'garbage'/);
});

test('a_config_file_that_is_not_there_or_not_one_is_named', async () => {
    for (const words of [['server'], ['up'], ['config', 'show'], ['help']]) {
        const { code, stderr } = await spark([...words, '--config', 'nowhere.conf']);
        assert.equal(code, 2);
        assert.equal(stderr, 'spark: cannot read nowhere.conf: No such file or directory\n');
    }
    await writeFile(path.join(folder, 'text'), '\n# fine\nPORT=1\nwhat is this\n');
    assert.match((await spark(['config', 'show', '--config', 'text'])).stderr, /text:4: expected NAME=value/);
    await writeFile(path.join(folder, 'large'), `A=${'x'.repeat(65536)}\n`);
    assert.match((await spark(['config', 'show', '--config', 'large'])).stderr, /large is not a file of NAME=value lines of less than 64 KiB/);
    assert.equal((await spark(['config', 'show', '--config'])).code, 2);
});

test('help_config_tells_the_form_of_the_file', async () => {
    const { code, stdout } = await spark(['help', 'config']);
    assert.equal(code, 0);
    assert.match(stdout, /--config FILE: lines of NAME=value/);
});

test('what_is_misspelt_is_guessed_and_a_noun_alone_shows_its_verbs', async () => {
    const cases = [[['serve'], /did you mean 'server'\?/], [['sit', 'list'], /did you mean 'site'\?/], [['help', 'wokrer'], /did you mean 'worker'\?/],
        [['site', 'lst'], /did you mean 'site list'\?/], [['site'], /'site' needs a verb:\n {2}spark site create/], [['zzzzzz'], /see spark help/],
        [['server', 'now'], /'now' is too much/], [['job', 'list', '--stat=x'], /there is no --stat/]];
    for (const [words, sentence] of cases) {
        const { code, stdout, stderr } = await spark(words);
        assert.match(stderr, sentence);
        assert.equal(code, 2, words.join(' '));
        assert.equal(stdout, '');
    }
    for (const words of [['-v'], ['--version'], ['help'], []]) assert.equal((await spark(words)).code, 0);
});

test('a_host_that_is_none_is_one_sentence', async () => {
    for (const words of [['server'], ['up', '--data', path.join(folder, 'host')]]) {
        const { code, stderr } = await spark(words, { ...NOWHERE, ...secrets, HOST: 'not-a-host.invalid' });
        assert.equal(code, 2);
        assert.match(stderr, /^spark( server)?: HOST is 'not-a-host.invalid'; it must be an address of this machine.*\n$/);
    }
});

test('a_taken_port_is_refused_before_anything_is_made', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const data = path.join(folder, 'taken');
    const { code, stderr } = await spark(['up', '--no-demo', '--data', data], { PORT: String(taken.address().port) });
    taken.close();
    assert.equal(code, 1);
    assert.match(stderr, /port \d+ is in use: stop what listens there, or set PORT/);
    assert.deepEqual((await readdir(data)).sort(), ['log', 'run']);
});

test('migrate_says_what_it_waits_for_and_repeats_why_at_the_end', async () => {
    const { code, stderr } = await spark(['migrate'], { ...NOWHERE, STARTUP_TIMEOUT: '3' });
    assert.equal(code, 1);
    assert.match(stderr, /^spark: waiting for PostgreSQL at 127\.0\.0\.1:1: .*Connection refused.*\nspark: PostgreSQL is not reachable: .*Connection refused.*\n$/);
    assert.doesNotMatch(stderr, /hush/);
});

test('up_says_what_it_waits_for', async () => {
    const up = new Child('spark up', binary, ['up', '--no-demo', '--data', path.join(folder, 'waits')], {
        env: { ...secrets, ...NOWHERE, PORT: String(await freePort()), STARTUP_TIMEOUT: '60' } });
    await until(() => up.tail.some((line) => line.includes('waiting for PostgreSQL at 127.0.0.1:1: ')), 'the sentence');
    await up.kill();
});

test('server_and_worker_say_what_they_wait_for_and_repeat_why_at_the_end', async () => {
    for (const face of ['server', 'worker']) {
        const { code, stderr } = await spark([face], { ...NOWHERE, PORT: '0', STARTUP_TIMEOUT: '3' });
        assert.equal(code, 1);
        assert.match(stderr, /"event":"waiting_for_postgres","address":"127\.0\.0\.1:1","reason":".*Connection refused/);
        assert.match(stderr, new RegExp(`\nspark ${face}: PostgreSQL is not reachable: .*Connection refused`));
        assert.doesNotMatch(stderr, /hush/);
    }
});

/** Stands where PostgreSQL should be: keeps what a client asks for at the start and refuses it. */
async function startRefuser(message) {
    const asked = [];
    const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('data', (bytes) => {
            asked.push(bytes.subarray(8).toString('latin1').split('\0'));
            const fields = Buffer.from(`SFATAL\0VFATAL\0C08P01\0M${message}\0\0`);
            const head = Buffer.alloc(5);
            head.write('E');
            head.writeInt32BE(fields.length + 4, 1);
            socket.end(Buffer.concat([head, fields]));
        });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { asked, server, url: `postgresql://u@127.0.0.1:${server.address().port}/x?sslmode=disable&options=` };
}

test('an_empty_options_in_a_url_sends_none_and_a_refused_parameter_is_the_reason', async () => {
    const { asked, server, url } = await startRefuser('unsupported startup parameter: search_path');
    const { code, stderr } = await spark(['worker'], { DATABASE_TENANT_URL: url, DATABASE_PLATFORM_URL: url, REDIS_URL: NOWHERE.REDIS_URL, STARTUP_TIMEOUT: '2' });
    server.close();
    assert.equal(code, 1);
    assert.match(stderr, /\nspark worker: PostgreSQL is not reachable: .*unsupported startup parameter: search_path/);
    const starts = asked.filter((words) => words.includes('application_name'));
    assert.ok(starts.length > 0);
    for (const words of starts) assert.ok(!words.includes('options'), words.join(' '));
});
