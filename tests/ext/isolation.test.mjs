// An extension's statement against the tenant beside it: neither its text nor what it does to its
// transaction reaches another site's rows.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { buildFolder, startStack } from '../support/stack.mjs';

let stack;
let siteA;
let siteB;

before(async () => {
    stack = await startStack({ extensionsPath: path.join(buildFolder, 'tests/ext'), env: { SERVER_THREADS: '1' } });
    const site = async (name) => (await stack.request('POST', '/items/sites', { name, domain: `${name}.example` })).body.data.id;
    siteA = await site('a');
    siteB = await site('b');
    for (const [site_id, title] of [[siteA, 'post of A'], [siteB, 'post of B']])
        assert.equal((await stack.request('POST', '/items/posts', { site_id, title, slug: 'x' })).status, 200);
});
after(() => stack?.stop());

const probe = (sql, args = [], site = siteA) => stack.request('POST', '/probe/sql', { sql, args }, { 'x-site-id': site });

test('no statement leaves its scope', async () => {
    const set = (name, value, isLocal) => `set_config('${name}', '${value}', ${isLocal})`;
    for (const sql of [
        `select ${set('spark.site', siteB, true)}`,
        `select ${set('spark.site', siteB, false)}`,
        `select ${set('spark.scope', 'platform', true)}`,
        `select ${set('role', 'none', true)}`,
        `select ${set('role', 'spark_platform', false)}`,
        `with s as materialized (select ${set('spark.site', siteB, true)}) select title from posts, s`,
        `select title from posts, (select "set_config"('spark.site', '${siteB}', true)) s`,
        `select title from posts where U&"set\\005fconfig"('spark.site', '${siteB}', true) is not null`,
        `select query_to_xml('select set_' || 'config(''spark.site'', ''${siteB}'', true)', true, true, '')::text`,
        'select * into temp posts from posts',
        'select 1 as id into temporary table authors',
    ]) {
        const answer = await probe(sql);
        assert.equal(answer.status, 500, `${sql}: ${answer.text}`);
        assert.match(answer.body.errors[0].message, /A statement of an extension may not/, sql);
        assert.ok(!answer.text.includes('post of B'));
    }
    assert.equal((await probe('select title from posts')).text, '1\npost of A\n');
    assert.equal((await probe('select title from posts', [], siteB)).text, '1\npost of B\n');
});

test('the functions of the machinery are not for it', async () => {
    for (const sql of ['select spark.raise_epoch()', "select spark.ensure_partitions('pageviews')",
        "select spark.protect_table('posts')", "select spark.set_row_policies('posts', 'site_id', false, true)",
        "select spark.raise_epoch_on('posts')"]) {
        const answer = await probe(sql);
        assert.equal(answer.status, 403, `${sql}: ${answer.status} ${answer.text}`);
    }
    const callable = await stack.sql(`select p.proname from pg_proc p where p.pronamespace = 'spark'::regnamespace and p.prosecdef
        and p.prorettype <> 'trigger'::regtype and has_function_privilege('spark_tenant', p.oid, 'execute') order by 1`);
    // They write into the log of the caller's site, say whether that site has a secret, analyze two tables.
    assert.deepEqual(callable, [['analyze_young'], ['audit'], ['has_site_secret'], ['refresh_statistics']]);
});

test('a visitor on an unknown host is no platform', async () => {
    const visitor = (pathname, body) => stack.request('POST', pathname, body, { authorization: '' });
    const sql = (text) => visitor('/probe/public/sql', { sql: text, args: [] });
    for (const table of ['posts', 'directus_users', 'directus_activity', 'spark.jobs'])
        assert.equal((await sql(`select count(*) from ${table}`)).text, '1\n0\n', table);
    for (const text of ['select count(*) from directus_policies', 'select count(*) from directus_settings', 'select count(*) from spark.site_tokens',
        "update directus_settings set project_name = 'x'", "insert into posts (title) values ('x')"]) {
        const answer = await sql(text);
        assert.ok(answer.status === 403 || answer.status === 400, `${text}: ${answer.status} ${answer.text}`);
    }
    assert.equal((await visitor('/probe/public/enqueue', {})).status, 403);
    assert.deepEqual(await stack.sql("set spark.scope = 'platform'; select count(*) from spark.jobs"), [['0']]);
});

test('many at once, of two sites, each see their own', async () => {
    const all = [];
    for (let i = 0; i < 60; i++) {
        const site = i % 2 ? siteA : siteB;
        const own = i % 2 ? 'post of A' : 'post of B';
        all.push(probe('select title from posts', [], site).then((answer) => assert.equal(answer.text, `1\n${own}\n`)));
        all.push(stack.request('GET', '/items/posts?fields=title', undefined, { 'x-site-id': site })
            .then((answer) => assert.deepEqual(answer.body.data, [{ title: own }])));
    }
    await Promise.all(all);
});

test('a bulk load does not tie two sites together', async () => {
    const other = await startStack({ extensionsPath: path.join(buildFolder, 'extensions') });
    try {
        const site = async (name) => (await other.request('POST', '/items/sites', { name, domain: `${name}.example` })).body.data.id;
        await other.sql(`set role spark_owner;
            create table racks (id integer primary key, site_id uuid not null references sites (id), parent integer references racks (id));
            select spark.protect_table('racks');
            reset role;
            insert into directus_collections (collection) values ('racks')`);
        const [own, foreign] = [await site('a'), await site('b')];
        const load = (items, options) => other.request('POST', '/god/data/bulk-insert', { collection: 'racks', items, ...options }, { authorization: '', 'x-god-token': other.env.GOD_MODE_TOKEN });
        const good = await load([{ id: 1, site_id: own }, { id: 2, site_id: own, parent: 1 }, { id: 3, site_id: foreign }, { id: 4, site_id: foreign, parent: null }]);
        assert.equal(good.status, 200, good.text);
        for (const items of [[{ id: 5, site_id: own, parent: 3 }], [{ id: 6, site_id: foreign }, { id: 7, site_id: own, parent: 6 }]])
            for (const atomic of [true, false]) {
                const answer = await load(items, { atomic });
                assert.equal(answer.status, 400, answer.text);
                assert.match(answer.text, /Invalid foreign key for field \\?"parent/);
            }
        assert.deepEqual(await other.sql("set spark.scope = 'platform'; select count(*) from racks"), [['4']]);
    } finally {
        await other.stop();
    }
});
