// What requests nest as deep as they may, and how much of a fiber's stack is left then; what the
// log says of a fiber whose stack runs out all the same.

import assert from 'node:assert/strict';
import { copyFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../support/api.mjs';
import { Child, binary, buildFolder, makeFolder, sql, startStack, until } from '../support/stack.mjs';

let stack;
let a;
let folder;
before(async () => {
    stack = await startApi({ extensionsPath: path.join(buildFolder, 'extensions'), workers: 1 });
    a = await makeTenant(stack, 'A', 'a.example');
    folder = await makeFolder('rogue');
    await copyFile(path.join(buildFolder, 'tests/ext/rogue.so'), path.join(folder, 'rogue.so'));
});
after(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
});

const nest = (depth, wrap, inner) => (depth === 0 ? inner : wrap(nest(depth - 1, wrap, inner)));
const arrays = (depth) => '['.repeat(depth) + ']'.repeat(depth);
const metric = async (name) => Number((await stack.call({ path: '/metrics', token: stack.adminToken })).text.match(new RegExp(`^spark_${name} (\\d+)$`, 'm'))[1]);
const call = (method, target, body) => stack.call({ method, path: target, token: a.token, body });
const god = (target, body) => stack.call({ method: 'POST', path: target, body, headers: { 'x-god-token': stack.env.GOD_MODE_TOKEN } });

test('the_deepest_requests_leave_a_quarter_of_the_stack', async () => {
    const filters = [
        nest(11, (inner) => ({ _and: [inner] }), { title: { _eq: 'x' } }),
        nest(10, (inner) => ({ _or: [inner, { id: { _nnull: true } }] }), { author: { name: { _contains: 'x' } } }),
        nest(4, (inner) => ({ author: { posts: { _some: inner } } }), { title: { _icontains: 'x' } }),
    ];
    const answers = [];
    const ask = async (...request) => {
        const { status } = await call(...request);
        assert.ok(status < 500, `${request[0]} ${request[1].slice(0, 200)}: ${status}`);
        answers.push(status);
    };
    for (const filter of filters) {
        await ask('GET', `/items/posts?filter=${encodeURIComponent(JSON.stringify(filter))}`);
        await ask('SEARCH', '/items/posts', { query: { filter, fields: ['*.*.*.*'], deep: { author: { _filter: { name: { _neq: 'x' } } } } } });
        await ask('PATCH', '/items/posts', { query: { filter }, data: { title: 'y' } });
    }
    await ask('GET', '/items/posts?fields=author.posts.author.posts.author.posts.author.posts.title&limit=5');
    await ask('GET', `/items/posts?${'filter'}${'[_and][0]'.repeat(5)}[title][_eq]=x`);
    const write = (depth) => nest(depth, (inner) => ({ name: 'n', posts: [{ title: 't', slug: `s${Math.random()}`, author: inner }] }), { name: 'last' });
    for (const depth of [3, 4, 5, 6]) await ask('POST', '/items/authors', write(depth));
    await ask('POST', '/items/generated_articles', { title: 'x', slug: 'x', content: '<p>'.repeat(20000) });
    await ask('POST', '/items/campaign_masters', { name: 'c', headline_spintax_root: '{a|'.repeat(15) + 'b' + '}'.repeat(15), niche_variables: nest(28, (inner) => ({ x: inner }), 1) });
    await ask('POST', '/api/admin/import-blueprint', { format: 'spark-site/1', site_id: a.id, forms: [{ name: 'f', slug: 'deep', fields: nest(20, (inner) => [inner], {}) }] });
    for (const depth of [31, 32, 33, 64, 5000])
        answers.push((await stack.call({ method: 'POST', path: '/items/posts', token: a.token, text: arrays(depth) })).status);
    for (const yaml of ['a: '.repeat(1) + '['.repeat(13) + ']'.repeat(13), '['.repeat(5000), '- '.repeat(5000)])
        answers.push((await god('/god/schema/apply', { yaml })).status);
    assert.ok(answers.filter((status) => status === 200).length > 8, String(answers));
    assert.equal(await metric('fiber_stacks_deep'), 0);
});

/* In a build with AddressSanitizer its own handler says where a stack ran out, and ours is not installed. */
const hasSanitizer = path.basename(buildFolder) === 'asan';
const testOfRelease = hasSanitizer ? () => {} : test;

testOfRelease('a_request_whose_stack_runs_out_is_named_in_the_log', async () => {
    const rogue = await startStack({ extensionsPath: folder, env: { LOG_LEVEL: 'info' } });
    try {
        await assert.rejects(fetch(`${rogue.url}/rogue/overflow`));
        const { code, signal } = await rogue.server.ended;
        assert.ok(signal !== null || code !== 0, 'it died of it');
        const line = rogue.server.tail.find((text) => text.includes('"stack_overflow"'));
        const { event, level, fiber, work, stack: which } = JSON.parse(line);
        assert.deepEqual({ event, level, fiber, work, which }, { event: 'stack_overflow', level: 'error', fiber: 'request', work: 'GET /rogue/:how', which: 'fiber' });
    } finally {
        await rogue.server.kill();
        await rogue.stop().catch((error) => assert.match(error.message, /server ended with/));
    }
});

testOfRelease('a_job_whose_stack_runs_out_is_named_in_the_log', async () => {
    const rogue = await startStack({ server: false, pack: false, extensionsPath: folder, env: { LOG_LEVEL: 'info' } });
    const worker = new Child('worker', binary, ['worker'], { env: rogue.env });
    try {
        await until(() => worker.tail.some((text) => text.includes('"working"') || text.includes('"ready"')), 'the worker');
        await sql(rogue.databaseUrl, `set role spark_owner; set spark.scope = 'platform'; insert into spark.jobs (kind, payload) values ('rogue.work', '{"how": "overflow"}')`);
        await until(() => !worker.isRunning, 'the end of the worker');
        await worker.ended;
        const line = await until(() => worker.tail.find((text) => text.includes('"stack_overflow"')), 'the line', 10);
        const { fiber, work, stack: which, incarnation } = JSON.parse(line);
        assert.deepEqual({ fiber, work, which }, { fiber: 'job', work: 'job rogue.work', which: 'fiber' });
        assert.match(incarnation, /:/);
    } finally {
        await worker.kill();
        await rogue.stop();
    }
});
