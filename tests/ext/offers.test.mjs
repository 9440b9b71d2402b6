// What an extension hears: that a route is taken, and why PostgreSQL refused; what the operator sees of
// it; and which folders extensions come from.

import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { buildFolder, makeFolder, startStack, until } from '../support/stack.mjs';

const fixtures = path.join(buildFolder, 'tests/ext');
let stack;
let folders;
const log = (of) => readFile(path.join(of.folder, 'server.log'), 'utf8').catch(() => '');

before(async () => {
    folders = await makeFolder('folders');
    for (const [folder, file] of [['one', 'probe.so'], ['two', 'taker.so'], ['two', 'probe.so']]) {
        await mkdir(path.join(folders, folder), { recursive: true });
        await copyFile(path.join(fixtures, file), path.join(folders, folder, file));
    }
    const one = path.join(folders, 'one');
    stack = await startStack({ env: { EXTENSIONS_PATH: `${one}:${path.join(folders, 'two')}:${one}/`, SERVER_THREADS: '1' } });
});
after(async () => {
    await stack?.stop();
    await rm(folders, { recursive: true, force: true });
});

test('a_route_that_is_taken_is_a_conflict_by_a_parameter_too', async () => {
    // Ours, ours in other letters, ours by a parameter (twice), free, the same again, another extension's, free.
    assert.equal((await stack.request('GET', '/taker/statuses')).text, '5 5 5 5 0 5 5 0 ');
    assert.equal((await stack.request('GET', '/server/ping')).text, 'pong');
    assert.equal((await stack.request('GET', '/taker/else')).text, 'taker');
});

test('an_extension_hears_why_postgresql_refused_and_a_visitor_does_not', async () => {
    assert.equal((await stack.request('GET', '/taker/heard')).text, '42P01 relation "no_such_table" does not exist');
    const answer = await stack.request('GET', '/taker/broken', undefined, { authorization: '' });
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.text, /no_such_table|42P01/);
    await until(async () => /extension_statement_refused.*no_such_table/.test(await log(stack)), 'the reason in the log');
});

test('folders_add_to_those_of_spark_and_one_name_twice_is_refused', async () => {
    const text = await log(stack);
    const started = [...text.matchAll(/"extension_started".*"extension":"([^"]+)".*"file":"([^"]+)"/g)].map(([, name, file]) => [name, file]);
    const names = started.map(([name]) => name).sort();
    assert.deepEqual(names, ['cache-bust', 'god', 'probe', 'taker', 'work-log']);
    assert.ok(started.find(([name]) => name === 'probe')[1].startsWith(path.join(folders, 'one')));
    assert.match(text, /"extension_refused".*"probe.*as another one is: keep one of the two/);
});

test('the_shipped_ones_can_be_left_out', async () => {
    const bare = await startStack({ extensionsPath: path.join(folders, 'two') });
    try {
        const names = [...(await log(bare)).matchAll(/"extension_started".*?"extension":"([^"]+)"/g)].map(([, name]) => name);
        assert.deepEqual(names.sort(), ['probe', 'taker']);
    } finally {
        await bare.stop();
    }
});
