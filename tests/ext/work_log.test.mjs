// work-log, the shipped extension: a line for each change of items, and none twice.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { buildFolder, startStack, until } from '../support/stack.mjs';

const extensionsPath = path.join(buildFolder, 'extensions');
let stack;
let site;
let other;
let token;

async function makeSite(made, name) {
    const answer = await made.request('POST', '/items/sites', { name, domain: `${name}.example` });
    assert.equal(answer.status, 200, answer.text);
    return answer.body.data.id;
}

before(async () => {
    stack = await startStack({ extensionsPath });
    site = await makeSite(stack, 'a');
    other = await makeSite(stack, 'b');
    const made = await stack.request('POST', '/api/admin/site-tokens', { site_id: site, name: 'test' });
    assert.equal(made.status, 201, made.text);
    token = { authorization: `Bearer ${made.body.token}` };
});
after(() => stack?.stop());

const read = async (query, from = stack) => (await from.request('GET', `/api/admin/worklog?limit=1000&${query}`)).body.logs;

/** A line is written after the reply. */
async function lines(query, count) {
    let found;
    await until(async () => (found = await read(query)).length === count, `${count} lines of ${query}`);
    return found;
}

/** All of them, once that of a later change has come. */
let marks = 0;
async function settled(query, from = stack) {
    const name = `mark ${++marks}`;
    const made = await from.request('POST', '/items/navigation', { site_id: from === stack ? other : undefined, label: name, url: '/' });
    assert.equal(made.status, 200, made.text);
    await until(async () => (await read(`entity_id=${made.body.data.id}`, from)).length === 1, 'the line of the mark');
    return read(query, from);
}

test('each change of an item leaves one line with who, where and whose', async () => {
    const made = await stack.request('POST', '/items/posts', { title: 't', slug: 't' }, token);
    const id = made.body.data.id;
    await until(async () => (await read(`entity_id=${id}`)).length === 1, 'the line of the creation');
    assert.equal((await stack.request('PATCH', `/items/posts/${id}`, { title: 'u' }, token)).status, 200);
    await until(async () => (await read(`entity_id=${id}`)).length === 2, 'the line of the update');
    assert.equal((await stack.request('DELETE', `/items/posts/${id}`, undefined, token)).status, 204);
    await until(async () => (await read(`entity_id=${id}`)).length === 3, 'the line of the deletion');
    const seen = (await settled(`entity_id=${id}`)).map(({ action, entity_type, site_id, actor, ip, level, status }) =>
        ({ action, entity_type, site_id, actor, ip, level, status }));
    const who = { entity_type: 'posts', site_id: site, actor: 'site_token', ip: '127.0.0.1', level: 'info', status: 'done' };
    assert.deepEqual(seen, [{ action: 'deleted', ...who }, { action: 'updated', ...who }, { action: 'created', ...who }]);
});

test('a change that is refused leaves none', async () => {
    assert.equal((await stack.request('POST', '/items/posts', { site_id: other, title: 'x', slug: 'x' }, token)).status, 403);
    assert.equal((await stack.request('POST', '/items/posts', { id: 'no uuid' }, token)).status, 403);
    assert.deepEqual((await settled(`entity_type=posts&site_id=${other}`)), []);
});

test('what the platform writes for a site stands in the log of that site', async () => {
    const made = await stack.request('POST', '/items/authors', [{ site_id: site, name: 'x' }, { site_id: other, name: 'y' }]);
    assert.equal(made.status, 200, made.text);
    assert.deepEqual((await lines('entity_type=authors', 2)).map((line) => [line.site_id, line.actor, line.entity_id]).sort(),
        made.body.data.map((row) => [row.site_id, 'admin', row.id]).sort());
});

test('rows that one statement wrote are one line, with their keys', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => ({ title: `n${i}`, slug: `n${i}` }));
    const made = await stack.request('POST', '/items/posts', rows, token);
    assert.equal(made.status, 200, made.text);
    const [line] = await lines('entity_type=posts&action=created', 2);
    assert.equal(line.entity_id, null);
    assert.equal(line.details.count, 60);
    assert.deepEqual(line.details.keys, made.body.data.slice(0, 50).map(({ id }) => id));
    const removed = await stack.request('DELETE', '/items/posts', { query: { filter: { slug: { _starts_with: 'n' } } } }, token);
    assert.equal(removed.status, 204, removed.text);
    assert.equal((await lines('entity_type=posts&action=deleted', 2))[0].details.count, 60);
});

test('nested rows leave their lines too', async () => {
    const made = await stack.request('POST', '/items/posts', { title: 'p', slug: 'p', author: { name: 'nested' } }, token);
    assert.equal(made.status, 200, made.text);
    const author = made.body.data.author;
    assert.deepEqual((await lines(`entity_id=${author}`, 1)).map((line) => [line.entity_type, line.action]), [['authors', 'created']]);
    await lines(`entity_id=${made.body.data.id}`, 1);
});

test('configuration has its line in the same transaction, and no second one', async () => {
    const made = await stack.request('POST', '/items/forms', { name: 'contact', slug: 'contact' }, token);
    assert.equal(made.status, 200, made.text);
    const id = made.body.data.id;
    assert.equal((await read(`entity_id=${id}`)).length, 1, 'it is there when the reply is');
    assert.equal((await stack.request('PATCH', `/items/forms/${id}`, { name: 'secret name' }, token)).status, 200);
    assert.equal((await stack.request('PATCH', `/items/sites/${site}`, { name: 'renamed' })).status, 200);
    assert.equal((await stack.request('DELETE', `/items/forms/${id}`, undefined, token)).status, 204);
    const seen = await settled(`entity_id=${id}`);
    assert.deepEqual(seen.map(({ action, actor, ip, site_id }) => [action, actor, ip, site_id]),
        ['deleted', 'updated', 'created'].map((action) => [action, 'site_token', '127.0.0.1', site]));
    assert.deepEqual(seen[1].details, { fields: ['name'] });
    assert.ok(!JSON.stringify(seen).includes('secret name'));
    const ofSite = await read(`entity_id=${site}&entity_type=sites`);
    assert.deepEqual(ofSite.map(({ action, actor, site_id }) => [action, actor, site_id]), [['updated', 'admin', site], ['created', 'admin', site]]);
    const failed = await stack.request('POST', '/items/forms', { name: 'x', slug: null, nope: 1 });
    assert.notEqual(failed.status, 200);
});

test('a site that is removed leaves its last line with the platform', async () => {
    const gone = await makeSite(stack, 'gone');
    assert.equal((await stack.request('DELETE', `/items/sites/${gone}`)).status, 204);
    const [line] = await read(`entity_id=${gone}&action=deleted`);
    assert.deepEqual([line.entity_type, line.site_id, line.actor], ['sites', null, 'admin']);
});

test('a bulk load is one line, and what visitors fill is none', async () => {
    const god = { authorization: '', 'x-god-token': stack.env.GOD_MODE_TOKEN };
    const loaded = await stack.request('POST', '/god/data/bulk-insert',
        { collection: 'posts', items: Array.from({ length: 30 }, (_, i) => ({ site_id: site, title: `b${i}`, slug: `b${i}` })) }, god);
    assert.equal(loaded.body.inserted, 30, loaded.text);
    assert.equal((await stack.request('POST', '/items/events', { event_name: 'e' }, token)).status, 200);
    assert.deepEqual((await settled('action=bulk_insert')).map(({ entity_type, actor, ip, site_id }) => [entity_type, actor, ip, site_id]), [['posts', 'god', '127.0.0.1', null]]);
    assert.ok((await read('entity_type=posts&action=created')).every((line) => line.details?.count !== 30));
    assert.deepEqual(await read('entity_type=events'), []);
});

test('EXTENSIONS_DISABLED switches it off, and configuration is logged all the same', async () => {
    const without = await startStack({ extensionsPath, env: { EXTENSIONS_DISABLED: 'work-log,cache-bust' } });
    try {
        const made = await makeSite(without, 'c');
        const post = await without.request('POST', '/items/posts', { site_id: made, title: 't', slug: 't' });
        assert.equal(post.status, 200, post.text);
        const form = await without.request('POST', '/items/forms', { site_id: made, name: 'f', slug: 'f' });
        assert.equal((await read(`entity_id=${form.body.data.id}`, without)).length, 1);
        await without.server.stop(); // whatever was under way is done
        await without.startServer();
        assert.deepEqual(await read('entity_type=posts', without), []);
    } finally {
        await without.stop();
    }
});
