// Deep reads: the number of statements depends on the query, never on its rows; Server-Timing shows it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startApi } from '../../support/api.mjs';

const WIDTH = 25;
let stack;
before(async () => {
    stack = await startApi({ pack: false });
    // Five levels, each row with 25 below it as far as the third: 25 · 25 · 25 rows there, one below each from then on.
    await stack.run(`
        create table deep_a (id serial primary key, name text);
        create table deep_b (id serial primary key, up integer references deep_a (id), name text);
        create table deep_c (id serial primary key, up integer references deep_b (id), name text);
        create table deep_d (id serial primary key, up integer references deep_c (id), name text);
        create table deep_e (id serial primary key, up integer references deep_d (id), name text);
        create index on deep_b (up); create index on deep_c (up); create index on deep_d (up); create index on deep_e (up);
        insert into deep_a (name) select 'a' || n from generate_series(1, ${WIDTH}) n;
        insert into deep_b (up, name) select a.id, 'b' || n from deep_a a, generate_series(1, ${WIDTH}) n;
        insert into deep_c (up, name) select b.id, 'c' || n from deep_b b, generate_series(1, ${WIDTH}) n;
        insert into deep_d (up, name) select id, 'd' from deep_c;
        insert into deep_e (up, name) select id, 'e' from deep_d;
        insert into directus_collections (collection) values ('deep_a'), ('deep_b'), ('deep_c'), ('deep_d'), ('deep_e');
        insert into directus_fields (collection, field, special) values
            ('deep_a', 'down', 'o2m'), ('deep_b', 'down', 'o2m'), ('deep_c', 'down', 'o2m'), ('deep_d', 'down', 'o2m');
        insert into directus_relations (many_collection, many_field, one_collection, one_field) values
            ('deep_b', 'up', 'deep_a', 'down'), ('deep_c', 'up', 'deep_b', 'down'), ('deep_d', 'up', 'deep_c', 'down'), ('deep_e', 'up', 'deep_d', 'down');
        analyze;`);
});
after(() => stack.stop());

/** Now and then a request also asks whether its rights are those of the moment, so the fewest of three count. */
const read = async (path) => {
    const reads = [await readOnce(path), await readOnce(path), await readOnce(path)];
    return reads.sort((a, b) => a.statements - b.statements)[0];
};
const readOnce = async (path, token = stack.adminToken) => {
    const answer = await stack.call({ path, token });
    assert.equal(answer.status, 200, answer.text.slice(0, 300));
    const timing = /^db;dur=(\d+\.\d{3});desc="(\d+) statements"$/.exec(answer.headers['server-timing'] ?? '');
    return { data: answer.body.data, ms: Number(timing?.[1]), statements: timing ? Number(timing[2]) : undefined };
};
const FIELDS = 'fields=name,down.name,down.down.name,down.down.down.name,down.down.down.down.name';

test('five levels of 25 by 25 by 25 take as many statements as five levels of one row', async () => {
    await read(`/items/deep_a?limit=1&${FIELDS}`); // rights and schema are loaded
    const one = await read(`/items/deep_a?limit=1&deep[down][_limit]=1&deep[down][down][_limit]=1&${FIELDS}`);
    const all = await read(`/items/deep_a?limit=${WIDTH}&${FIELDS}`);
    assert.equal(one.statements, 5);
    assert.equal(all.statements, 5);
    assert.equal(all.data.length, WIDTH);
    assert.equal(all.data[24].down[24].down[24].down[0].down[0].name, 'e');
    assert.ok(all.ms > 0);
});

test('up again is a join, not a statement', async () => {
    const { statements } = await read(`/items/deep_e?limit=100&fields=name,up.up.up.up.name`);
    assert.equal(statements, 1);
});

test('counts are statements of their own, aggregates below a relation are not', async () => {
    assert.equal((await read('/items/deep_a?limit=3&fields=id&meta=*')).statements, 3);
    const { data, statements } = await read('/items/deep_a?fields=id,down&deep[down][_aggregate][count]=id&deep[down][_groupBy]=up');
    assert.equal(statements, 2);
    assert.deepEqual(data[7], { id: 8, down: [{ count: { id: '25' } }] });
});


test('others than administrators of the platform learn no times', async () => {
    await stack.run(`insert into directus_policies (id, name) values ('00000000-0000-4000-8000-0000000000aa', 'Public reads');
        insert into directus_access (id, policy) values ('00000000-0000-4000-8000-0000000000ab', '00000000-0000-4000-8000-0000000000aa');
        insert into directus_permissions (policy, collection, action, permissions, fields) values ('00000000-0000-4000-8000-0000000000aa', 'deep_a', 'read', '{}', '*')`);
    const answer = await stack.call({ path: '/items/deep_a?limit=1&fields=id' });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['server-timing'], undefined);
});
