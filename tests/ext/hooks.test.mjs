// Hooks around the writes of items: on every path, for five seconds, and no way around the site.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { buildFolder, startStack, until } from '../support/stack.mjs';

let stack;
let site;
let other;
let token;

before(async () => {
    stack = await startStack({ extensionsPath: path.join(buildFolder, 'tests/ext'), env: { SERVER_THREADS: '1' } });
    const make = async (name) => (await stack.request('POST', '/items/sites', { name, domain: `${name}.example` })).body.data.id;
    site = await make('a');
    other = await make('b');
    const made = await stack.request('POST', '/api/admin/site-tokens', { site_id: site, name: 'test' });
    token = { authorization: `Bearer ${made.body.token}` };
});
after(() => stack?.stop());

async function state() {
    const { text } = await stack.request('GET', '/probe/state');
    return Object.fromEntries([...text.matchAll(/(\w+)=(\d+)/g)].map(([, name, value]) => [name, Number(value)]));
}
const counter = async (name) =>
    Number(new RegExp(`^spark_${name}(?:_total)? (\\d+)$`, 'm').exec((await stack.request('GET', '/metrics')).text)[1]);
const author = (body, headers = token) => stack.request('POST', '/items/authors', body, headers);
const made = async (name, headers) => {
    const answer = await author({ name }, headers);
    assert.equal(answer.status, 200, answer.text);
    return answer.body.data.id;
};
const total = async () => Number((await stack.sql(`set spark.scope = 'platform'; select count(*) from authors`))[0][0]);

/** What a filter puts in place of {name: 'replace'} is told in `bio`. */
const replaced = (json, headers) => author({ name: 'replace', bio: JSON.stringify(json) }, headers);

test('what a filter puts in place is judged as if the client had sent it', async () => {
    const good = await replaced({ name: 'good' });
    assert.deepEqual([good.status, good.body.data.name, good.body.data.site_id], [200, 'good', site]);
    const before = await total();
    for (const [json, status] of [[{ name: 'x', site_id: other }, 403], [{ name: 7, id: 'no uuid' }, 403],
        [{ bio: 'nobody has no name' }, 400], [[], 500], ['text', 500]]) {
        const answer = await replaced(json);
        assert.equal(answer.status, status, `${JSON.stringify(json)} ${answer.text}`);
    }
    assert.equal(await total(), before);
    // The platform may name any site; what the filter names is what counts then.
    const moved = await replaced({ name: 'x', site_id: other }, {});
    assert.deepEqual([moved.status, moved.body.data.site_id], [200, other]);
});

test('a filter stands before every way to write', async () => {
    const id = await made('one');
    const two = await made('two');
    const before = await total();
    const { filtered } = await state();
    const refused = [
        ['POST', '/items/authors', [{ name: 'fine' }, { name: 'list' }], 500],
        ['POST', '/items/posts', { title: 't', slug: 'nested', author: { name: 'list' } }, 500],
        ['PATCH', `/items/authors/${id}`, { name: 'never' }, 403],
        ['PATCH', '/items/authors', { keys: [id, two], data: { name: 'never' } }, 403],
        ['PATCH', '/items/authors', [{ id, name: 'fine' }, { id: two, name: 'never' }], 403],
        ['PATCH', '/items/authors', { query: { filter: { name: { _eq: 'one' } } }, data: { name: 'never' } }, 403],
    ];
    for (const [method, pathname, body, status] of refused) {
        const answer = await stack.request(method, pathname, body, token);
        assert.equal(answer.status, status, `${method} ${JSON.stringify(body)} ${answer.text}`);
    }
    assert.equal((await state()).filtered, filtered + 1 + 2 + 2 + 1, 'it saw the keys');
    assert.equal(await total(), before);
    const names = await stack.request('GET', `/items/authors?filter[id][_in]=${id},${two}&fields=name&sort=name`, undefined, token);
    assert.deepEqual(names.body.data, [{ name: 'one' }, { name: 'two' }]);
    assert.deepEqual((await stack.request('GET', '/items/posts?filter[slug][_eq]=nested', undefined, token)).body.data, []);

    const changed = await stack.request('PATCH', '/items/authors', { keys: [id, two], data: { name: 'changed' } }, token);
    assert.deepEqual(changed.body.data.map(({ name }) => name), ['changed by a filter', 'changed by a filter']);
    const seen = (await state()).filtered;
    assert.equal((await stack.request('DELETE', '/items/authors', { query: { filter: { id: { _in: [id, two] } } } }, token)).status, 204);
    assert.equal((await state()).filtered, seen + 2);
});

test('a filter stands before bulk loads, for each item', async () => {
    const load = (body) => stack.request('POST', '/probe/bulk', body);
    const items = [{ site_id: site, name: 'bulk' }, { site_id: site, name: 'list' }, { site_id: site, name: 'rename me' }];
    const before = await total();
    const all = await load({ atomic: true, items });
    assert.equal(all.status, 400, all.text);
    assert.match(all.text, /returned an item that is not an object/);
    assert.equal(await total(), before);
    const some = await load({ atomic: false, items });
    assert.deepEqual([some.body.inserted, some.body.failed.map(({ index }) => index)], [2, [1]], some.text);
    const name = await stack.request('GET', `/items/authors/${some.body.ids[1]}?fields=name,site_id`);
    assert.deepEqual(name.body.data, { name: 'renamed', site_id: site });
});

test('an action sees every way to write, once the reply is on its way', async () => {
    const start = (await state()).actions;
    const id = await made('first');
    await until(async () => (await state()).actions === start + 1, 'the creation');
    await stack.request('PATCH', `/items/authors/${id}`, { name: 'second' }, token);
    await until(async () => (await state()).actions === start + 2, 'the update');
    await author([{ name: 'x' }, { name: 'y' }, { name: 'z' }]);
    await until(async () => (await state()).actions === start + 5, 'three at once');
    await stack.request('POST', '/items/posts', { title: 't', slug: 'n', author: { name: 'nested' } }, token);
    await until(async () => (await state()).actions === start + 6, 'the nested one');
    await stack.request('POST', '/probe/bulk', { atomic: true, items: [{ site_id: site, name: 'b1' }, { site_id: other, name: 'b2' }] });
    await until(async () => (await state()).actions === start + 8, 'the bulk load');
    await stack.request('DELETE', '/items/authors', { query: { filter: { name: { _in: ['x', 'y'] } } } }, token);
    await until(async () => (await state()).actions === start + 10, 'the deletion by query');
    assert.equal((await author({ id: 'no uuid', name: 'x' })).status, 403);
    await made('good');
    await until(async () => (await state()).actions === start + 11, 'what was refused is no event');
});

test('events that waited for their turn all have it, and those that wait after them', async () => {
    // One event for each neighbour of another site; 128 of them run at once.
    const start = (await state()).actions;
    for (let turn = 1; turn <= 3; turn++) {
        const templates = Array.from({ length: 300 }, (_, i) => ({ site_id: i % 2 ? site : other, name: `${turn}.${i}` }));
        const answer = await stack.request('POST', '/items/article_templates?fields=id', templates);
        assert.equal(answer.status, 200, answer.text);
        await until(async () => (await state()).actions === start + turn * 300, `the actions of turn ${turn}`);
    }
});

test('an action that hangs holds neither the reply nor other actions, and ends', async () => {
    const before = await state();
    const failures = await counter('extension_failures');
    const lead = await stack.request('POST', '/items/leads', { email: 'a@b.example' }, token);
    assert.equal(lead.status, 200, lead.text);
    await until(async () => (await state()).hanging === before.hanging + 1, 'the action to hang');
    await made('while it hangs');
    await until(async () => (await state()).actions === before.actions + 1, 'the other action');
    assert.equal((await state()).hung, before.hung, 'it still hangs');
    await until(async () => (await state()).hung === before.hung + 1, 'its end');
    assert.equal(await counter('extension_failures'), failures + 1);
    assert.ok(stack.server.tail.some((line) => line.includes('"event":"extension_late"')));
});

test('a line of the work log is of the own site, by the caller, and within its limits', async () => {
    const log = (body, headers) => stack.request('POST', '/probe/log', body, headers);
    assert.equal((await log({ action: 'probed', details: { n: 1 }, level: 'warning' }, token)).status, 204);
    const [line] = (await stack.request('GET', '/api/admin/worklog?action=probed')).body.logs;
    assert.deepEqual([line.site_id, line.actor, line.ip, line.details, line.level, line.status], [site, 'site_token', '127.0.0.1', { n: 1 }, 'warning', 'done']);
    assert.equal((await log({ action: 'probed', site_id: site }, token)).status, 204);
    assert.equal((await log({ action: 'probed', site_id: other })).status, 204, 'the platform writes for any site');
    for (const [body, headers, status] of [
        [{ action: 'probed', site_id: other }, token, 403],
        [{ action: 'probed' }, { authorization: '' }, 403],
        [{}, token, 400],
        [{ action: 'x'.repeat(101) }, token, 400],
        [{ action: 'a\u0000b' }, token, 400],
        [{ action: 'x', level: 'loud' }, token, 400],
        [{ action: 'x', details: [] }, token, 400],
        [{ action: 'x', details: { t: 'x'.repeat(17000) } }, token, 400],
        [{ action: 'x', site_id: 'b' }, token, 400],
    ]) {
        const answer = await log(body, headers);
        assert.equal(answer.status, status, `${JSON.stringify(body).slice(0, 80)} ${answer.text}`);
    }
    assert.equal((await stack.request('GET', '/api/admin/worklog?action=probed')).body.logs.length, 3);
    // Neither a statement nor the function behind the lines writes for another site.
    const sql = (text, headers) => stack.request('POST', '/probe/sql', { sql: text, args: [] }, headers);
    const own = (id) => `select spark.audit('${id}', 'forged', null, null, null, 'info', 'done', null, 'admin', null)`;
    assert.equal((await sql(own(other), { 'x-site-id': site })).status, 403);
    for (const headers of [{ 'x-site-id': site }, {}])
        assert.equal((await sql(`insert into work_log (site_id, action) values ('${site}', 'forged')`, headers)).status, 403);
    assert.deepEqual((await stack.request('GET', '/api/admin/worklog?action=forged')).body.logs, []);
});

test('counters and messages stay with the site of the caller and the name of the extension', async () => {
    const count = (body, headers) => stack.request('POST', '/probe/count', { message: 'm', ...body }, headers);
    assert.equal((await count({ name: 'n' }, token)).text, '1');
    assert.equal((await count({ name: 'n', site_id: site })).text, '2');
    assert.equal((await count({ name: 'n' })).text, '1');
    assert.equal(await stack.redis.command('GET', `spark:ext:{${site}}:probe:n`), '2');
    assert.equal(await stack.redis.command('GET', 'spark:ext:{all}:probe:n'), '1');
    for (const [body, headers, status] of [
        [{ name: 'n', site_id: other }, token, 403],
        [{ name: 'n' }, { authorization: '' }, 403],
        [{ name: '' }, token, 400],
        [{ name: 'x'.repeat(101) }, token, 400],
        [{ name: 'a:b' }, token, 400],
        [{ name: 'n}' }, token, 400],
        [{ name: 'n', message: 'x'.repeat(65537) }, token, 400],
    ])
        assert.equal((await count(body, headers)).status, status, JSON.stringify(body).slice(0, 80));
});

// Last: afterwards the extension is off.
test('of an extension that hangs at most 5,000 events wait; what is dropped is counted, and ten failures end it', async () => {
    const before = await counter('extension_actions_dropped');
    // One event for each neighbour of another site.
    const leads = Array.from({ length: 1000 }, (_, i) => ({ site_id: i % 2 ? site : other, email: `a${i}@b.example` }));
    for (let i = 0; i < 6; i++) {
        const answer = await stack.request('POST', '/items/leads?fields=id', leads);
        assert.equal(answer.status, 200, answer.text.slice(0, 300));
    }
    assert.ok(await counter('extension_actions_dropped') > before);
    await until(async () => (await stack.request('GET', '/probe/state')).status === 503, 'the extension to be switched off');
    const lead = await stack.request('POST', '/items/leads', { email: 'z@b.example' }, token);
    assert.equal(lead.status, 200, lead.text);
});
