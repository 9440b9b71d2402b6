// The hello extension: an endpoint, a hook and a job, as people will copy them.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { buildFolder, makeFolder, startStack, until } from '../support/stack.mjs';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
let stack;
let site;

before(async () => {
    stack = await startStack({ extensionsPath: path.join(buildFolder, 'examples'), workers: 1, env: { HELLO_GREETING: 'Ahoy' } });
    site = (await stack.request('POST', '/items/sites', { name: 'Harbour "H"', domain: 'harbour.example' })).body.data.id;
});
after(() => stack?.stop());

/** Row security holds for psql too. */
const asPlatform = (text) => stack.sql(`set role spark_platform; set spark.scope = 'platform'; ${text}`);

test('an endpoint greets by name and by site', async () => {
    const named = await stack.request('GET', '/hello/J%C3%B6rg%20%22J%22', undefined, { authorization: '' });
    assert.equal(named.status, 200, named.text);
    assert.equal(named.body.message, 'Ahoy, Jörg "J"!');
    const everybody = await stack.request('GET', '/hello');
    assert.equal(everybody.body.message, 'Ahoy, everybody!');
    const atSite = await stack.request('GET', '/hello', undefined, { 'x-site-id': site });
    assert.ok('created' in everybody.body && !('created' in atSite.body) && !('created' in named.body), 'a number about all sites is the platform\'s');
    assert.equal(atSite.body.message, 'Ahoy, Harbour "H"!');
    const tooLong = await stack.request('GET', `/hello/${'x'.repeat(101)}`);
    assert.equal(tooLong.status, 400);
    assert.deepEqual(tooLong.body.errors[0].extensions.code, 'INVALID_PAYLOAD');
    assert.equal((await stack.request('PUT', '/hello')).status, 404);
});

test('a filter refuses, an action counts', async () => {
    const before = (await stack.request('GET', '/hello')).body.created;
    const refused = await stack.request('POST', '/items/posts', { site_id: site, title: 'forbidden' });
    assert.equal(refused.status, 400, refused.text);
    assert.equal(refused.body.errors[0].message, 'Invalid payload. The title "forbidden" is forbidden.');
    const made = await stack.request('POST', '/items/posts', [
        { site_id: site, title: 'one', slug: 'one' },
        { site_id: site, title: 'two', slug: 'two' },
    ]);
    assert.equal(made.status, 200, made.text);
    const half = await stack.request('POST', '/items/posts', [
        { site_id: site, title: 'three', slug: 'three' },
        { site_id: site, title: 'forbidden', slug: 'four' },
    ]);
    assert.equal(half.status, 400, half.text);
    const titles = await stack.request('GET', '/items/posts?fields=title&sort=title');
    assert.deepEqual(titles.body.data, [{ title: 'one' }, { title: 'two' }]);
    assert.equal((await stack.request('GET', '/hello')).body.created, before + 2);
});

test('a job writes its row once', async () => {
    const bad = await stack.request('POST', '/hello/greet', { name: 7 });
    assert.equal(bad.status, 400, bad.text);
    const anonymous = await stack.request('POST', '/hello/greet', { name: 'x' }, { authorization: '' });
    assert.equal(anonymous.status, 401);
    const accepted = await stack.request('POST', '/hello/greet', { name: 'Harbour' }, { 'x-site-id': site });
    assert.equal(accepted.status, 202, accepted.text);
    const id = accepted.body.job;
    await until(async () => (await asPlatform(`select state from spark.jobs where id = ${id}`))[0][0] === 'done', 'the job');
    const rows = await asPlatform("select site_id, action, details ->> 'name', details ->> 'attempt' from work_log where action = 'hello'");
    assert.deepEqual(rows, [[site, 'hello', 'Harbour', '1']]);
    assert.deepEqual(await asPlatform(`select result from spark.jobs where id = ${id}`), [['{"greeted": true}']]);
});

test('it builds with nothing but the public header, in plain C11', async () => {
    const folder = await makeFolder('hello');
    try {
        await run('cc', ['-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-shared', '-fPIC', '-I', path.join(root, 'include'),
            '-o', path.join(folder, 'hello.so'), path.join(root, 'extensions/hello/hello.c')]);
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
});
