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
        and p.prorettype <> 'trigger'::regtype and has_function_privilege('spark_tenant', p.oid, 'execute')`);
    assert.deepEqual(callable, [['refresh_statistics']], 'which analyzes two tables, and takes nothing from its caller');
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
