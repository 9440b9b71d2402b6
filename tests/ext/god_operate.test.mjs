// The god extension on a platform that runs: fields, overview, permissions, and SQL where it is allowed.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { buildFolder, startStack, until } from '../support/stack.mjs';

const extensionsPath = path.join(buildFolder, 'extensions');
const PUBLIC_POLICY = 'abf8a154-5b1c-4a46-ac9c-7300570f4f17';

let stack;
let site;
before(async () => {
    stack = await startStack({ extensionsPath });
    site = (await stack.request('POST', '/items/sites', { name: 'A', domain: 'a.example' })).body.data.id;
    const made = await god('POST', '/god/schema/collections/create', {
        collection: 'shops',
        fields: [
            { field: 'id', type: 'uuid', schema: { is_primary_key: true }, meta: { special: ['uuid'] } },
            { field: 'site_id', type: 'uuid', schema: { foreign_key_table: 'sites' }, meta: {} },
            { field: 'name', type: 'string', meta: {} },
        ],
    });
    assert.equal(made.status, 200, made.text);
    assert.equal((await stack.request('POST', '/items/shops', { site_id: site, name: 'one' })).status, 200);
});
after(() => stack?.stop());

const god = (method, pathname, body, headers = {}, on = stack) =>
    on.request(method, pathname, body, { authorization: '', 'x-god-token': on.env.GOD_MODE_TOKEN, ...headers });
const logged = async (action) => (await stack.request('GET', `/api/admin/worklog?action=${action}`)).body.logs;

test('without the token none of them answers', async () => {
    for (const [method, pathname] of [['POST', '/god/schema/fields/create'], ['DELETE', '/god/schema/fields/shops/name'], ['GET', '/god/status'],
        ['GET', '/god/collections/all'], ['POST', '/god/permissions/grant'], ['POST', '/god/schema/apply']]) {
        const body = method === 'POST' ? {} : undefined;
        assert.equal((await god(method, pathname, body, { 'x-god-token': '' })).status, 401, pathname);
        assert.equal((await god(method, pathname, body, { 'x-god-token': 'wrong' })).status, 403, pathname);
    }
});

test('a field comes, is used and goes', async () => {
    const made = await god('POST', '/god/schema/fields/create', { collection: 'shops', field: 'size', type: 'integer', schema: { default_value: 3, is_indexed: true }, meta: { note: 'n' } });
    assert.deepEqual([made.status, made.body], [200, { success: true, collection: 'shops', field: 'size' }]);
    assert.deepEqual((await stack.request('GET', '/items/shops?fields=name,size')).body.data, [{ name: 'one', size: 3 }]);
    assert.deepEqual((await logged('field_created')).map(({ entity_id, actor }) => [entity_id, actor]), [['shops.size', 'god']]);
    const gone = await god('DELETE', '/god/schema/fields/shops/size');
    assert.deepEqual([gone.status, gone.body], [200, { success: true, collection: 'shops', field: 'size' }]);
    assert.equal((await stack.request('GET', '/items/shops?fields=size')).status, 403);
    assert.equal((await god('DELETE', '/god/schema/fields/shops/size')).status, 404);
    assert.equal((await logged('field_deleted')).length, 1);
});

test('a field that cannot be is refused with a sentence, and nothing is left', async () => {
    const cases = [
        [{ field: 'a', type: 'string' }, /"collection" is required/],
        [{ collection: 'shops', type: 'string' }, /"field" is required/],
        [{ collection: 'shops', field: 'name', type: 'string' }, /already exists/],
        [{ collection: 'nope', field: 'a', type: 'string' }, /doesn't exist/],
        [{ collection: 'directus_users', field: 'a', type: 'string' }, /directus_/],
        [{ collection: 'shops', field: 'a', type: 'nope' }, /must be one of/],
        [{ collection: 'shops', field: 'k', type: 'uuid', schema: { is_primary_key: true } }, /from the start/],
        [{ collection: 'shops', field: 'a"; drop table posts; --', type: 'string' }, /can't contain/],
        [{ collection: 'shops', field: 'bad', type: 'integer', schema: { default_value: 'x' } }, /integer/],
    ];
    for (const [body, sentence] of cases) {
        const answer = await god('POST', '/god/schema/fields/create', body);
        assert.equal(answer.status, 400, answer.text);
        assert.match(answer.body.message, sentence);
    }
    assert.deepEqual(await stack.sql(`select count(*) from directus_fields where collection = 'shops' and field in ('k', 'bad')`), [['0']]);
});

test('key, site and what others depend on stay', async () => {
    for (const [collection, field] of [['shops', 'id'], ['shops', 'site_id'], ['sites', 'id'], ['campaign_masters', 'article_template']]) {
        const answer = await god('DELETE', `/god/schema/fields/${collection}/${field}`);
        assert.deepEqual([answer.status, answer.body.code], [409, 'CONFLICT'], `${collection}.${field} ${answer.text}`);
    }
});

test('what came with the platform stays, and what was added beside it goes', async () => {
    for (const [collection, field] of [['posts', 'excerpt'], ['leads', 'phone'], ['generated_articles', 'slug'], ['work_log', 'details'], ['forms', 'fields'], ['avatar_intelligence', 'pain_points']]) {
        const answer = await god('DELETE', `/god/schema/fields/${collection}/${field}`);
        assert.deepEqual([answer.status, answer.body.code], [409, 'CONFLICT'], `${collection}.${field} ${answer.text}`);
        assert.match(answer.body.message, /belongs to the platform|depend on it/);
    }
    assert.equal((await god('POST', '/god/schema/fields/create', { collection: 'posts', field: 'mood', type: 'string', meta: {} })).status, 200);
    assert.equal((await god('DELETE', '/god/schema/fields/posts/mood')).status, 200);
});

test('every column of a fresh database is known as the platforms own', async () => {
    const unknown = await stack.sql(`select c.relname, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0
          and not a.attisdropped and c.relname not like 'directus\\_%' and c.relname <> 'shops'
          and not exists (select from spark.own_fields o where o.collection = c.relname and o.field = a.attname)`);
    assert.deepEqual(unknown, []);
    const fields = await stack.sql(`select collection, field from directus_fields f where collection <> 'shops' and collection not like 'directus\\_%'
        and not exists (select from spark.own_fields o where o.collection = f.collection and o.field = f.field)`);
    assert.deepEqual(fields, []);
});

test('the overview counts, and lists every collection', async () => {
    const status = await god('GET', '/god/status');
    assert.equal(status.status, 200, status.text);
    const { tables, collections, permissions } = status.body.database;
    assert.ok(status.body.god_mode && tables > 60 && collections > 40 && permissions > 0, status.text);
    const all = await god('GET', '/god/collections/all');
    const shops = all.body.collections.find((c) => c.collection === 'shops');
    assert.deepEqual([all.body.collections.length, shops.fields], [collections, 3]);
    for (const pathname of ['/god/status', '/god/collections/all'])
        assert.equal((await god('GET', pathname, undefined, { 'x-site-id': site })).status, 403);
});

test('permissions are granted once, and count soon', async () => {
    const anonymous = () => stack.request('GET', '/items/shops', undefined, { authorization: '' });
    assert.equal((await anonymous()).status, 403);
    const body = { policy: PUBLIC_POLICY, collection: 'shops', actions: ['read', 'create'] };
    assert.deepEqual((await god('POST', '/god/permissions/grant', body)).body, { success: true, granted: 2 });
    await until(async () => (await anonymous()).status === 200, 'the new right');
    assert.deepEqual((await anonymous()).body.data, [], 'a grant does not reach into a site');
    assert.deepEqual((await god('POST', '/god/permissions/grant', body)).body, { success: true, granted: 0 });
    assert.equal((await logged('permissions_granted')).length, 1);
    for (const [change, status] of [[{ policy: 'x' }, 404], [{ collection: 'nope' }, 404], [{ actions: ['own'] }, 400], [{ actions: [] }, 400], [{ actions: 'read' }, 400]])
        assert.equal((await god('POST', '/god/permissions/grant', { ...body, ...change })).status, status, JSON.stringify(change));
});

test('raw SQL and make-admin do not exist', async () => {
    assert.equal((await god('POST', '/god/sql/execute', { sql: 'select 1' })).status, 404);
    for (const pathname of ['/god/user/make-admin', '/god/setup/database', '/god/permissions/grant-all'])
        assert.equal((await god('POST', pathname, {})).status, 404, pathname);
});

test('raw SQL exists where the operator switched it on, one statement at a time', async () => {
    const other = await startStack({ extensionsPath, env: { GOD_SQL: 'on' } });
    try {
        const run = (sql, params) => god('POST', '/god/sql/execute', { sql, params }, {}, other);
        const answer = await run("select 'a'::text, $1::text, null, 7", ['x"y']);
        assert.deepEqual([answer.status, answer.body.rows], [200, [['a', 'x"y', null, '7']]], answer.text);
        for (const sql of ['select 1; select 2', 'drop table posts', "select set_config('spark.scope', '', false)", 'commit'])
            assert.ok((await run(sql)).status >= 400, sql);
        assert.equal((await run('select 1 from generate_series(1, 1001)')).status, 400);
        assert.equal((await god('POST', '/god/sql/execute', { sql: 'select 1' }, { 'x-god-token': '' }, other)).status, 401);
        assert.equal((await god('POST', '/god/sql/execute', { sql: 'select 1' }, { 'x-god-token': 'x' }, other)).status, 403);
    } finally {
        await other.stop();
    }
});

test('without GOD_MODE_TOKEN there are no such routes', async () => {
    const other = await startStack({ extensionsPath, env: { GOD_MODE_TOKEN: '' } });
    try {
        for (const [method, pathname] of [['GET', '/god/status'], ['GET', '/god/collections/all'], ['GET', '/god/schema/snapshot'],
            ['POST', '/god/schema/apply'], ['POST', '/god/schema/collections/create'], ['POST', '/god/schema/relations/create'],
            ['POST', '/god/schema/fields/create'], ['DELETE', '/god/schema/fields/shops/name'], ['POST', '/god/data/bulk-insert'],
            ['POST', '/god/permissions/grant'], ['POST', '/god/sql/execute']])
            for (const token of ['x', ''])
                assert.equal((await god(method, pathname, method === 'POST' ? {} : undefined, { 'x-god-token': token }, other)).status, 404, pathname);
    } finally {
        await other.stop();
    }
});
