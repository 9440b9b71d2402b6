// Whose rows a new collection holds: its sites' or the platform's, said in every answer; and the schema changes while
// others read and write.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../../support/api.mjs';
import { until } from '../../support/stack.mjs';

let stack;
let a;
let b;
before(async () => {
    stack = await startApi();
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
});
after(() => stack.stop());

const as = (token, method, path, body, rest = {}) => stack.call({ method, path, body, token, ...rest });
const admin = (method, path, body, rest) => as(stack.adminToken, method, path, body, rest);
const ok = async (method, path, body, rest) => {
    const answer = await admin(method, path, body, rest);
    assert.ok(answer.status === 200 || answer.status === 204, `${method} ${path} → ${answer.text}`);
    return answer.body?.data;
};
const make = (collection, rest = {}) => ok('POST', '/collections', { collection, schema: {}, meta: {}, ...rest });

/** Each site sees its own rows and no others; whoever names another site is refused. */
async function isOfSites(collection) {
    assert.equal((await ok('GET', `/collections/${collection}`)).meta.tenant, 'site_id');
    const mine = await as(a.token, 'POST', `/items/${collection}`, {});
    assert.equal(mine.status, 200, mine.text);
    assert.equal(mine.body.data.site_id, a.id);
    assert.deepEqual((await as(b.token, 'GET', `/items/${collection}`)).body.data, []);
    assert.equal((await as(b.token, 'PATCH', `/items/${collection}/${mine.body.data.id}`, { site_id: b.id })).status, 403);
    assert.equal((await as(a.token, 'POST', `/items/${collection}`, { site_id: b.id })).status, 403);
    assert.deepEqual((await as(b.token, 'POST', `/items/${collection}`, {})).body.data.id, mine.body.data.id + 1);
    assert.deepEqual((await as(a.token, 'GET', `/items/${collection}`)).body.data.map((r) => r.site_id), [a.id]);
    const [[enabled, forced]] = await stack.rows(`select relrowsecurity, relforcerowsecurity from pg_class where oid = 'public.${collection}'::regclass`);
    assert.deepEqual([enabled, forced], ['t', 't']);
    // Without any predicate of the server's, row security alone keeps the sites apart.
    assert.deepEqual(await stack.sql(`begin; set local role spark_tenant; select set_config('spark.site', '${b.id}', true); select count(*) from ${collection} where site_id = '${a.id}'; commit`).then((rows) => rows.at(-1)), ['0']);
}

test('a collection is of its sites by meta.tenant or by a field site_id', async () => {
    await make('by_meta', { meta: { tenant: true } });
    await make('by_name', { meta: { tenant: 'site_id' } });
    await make('by_field', { fields: [{ field: 'site_id', type: 'uuid', meta: {} }] });
    for (const name of ['by_meta', 'by_name', 'by_field']) await isOfSites(name);
});

test('an empty collection becomes its sites’ later; one with items does not, and says why', async () => {
    await make('later');
    assert.equal((await ok('PATCH', '/collections/later', { meta: { tenant: true } })).meta.tenant, 'site_id');
    await isOfSites('later');
    await make('field_later');
    await ok('POST', '/fields/field_later', { field: 'site_id', type: 'uuid' });
    await isOfSites('field_later');
    await make('filled');
    await ok('POST', '/items/filled', {});
    for (const [method, path, body] of [['PATCH', '/collections/filled', { meta: { tenant: true } }], ['POST', '/fields/filled', { field: 'site_id', type: 'uuid' }]]) {
        const answer = await admin(method, path, body);
        assert.equal(answer.status, 400, answer.text);
        assert.match(answer.body.errors[0].message, /can't belong to sites: it has items, and nothing says whose they are/);
    }
    assert.match((await admin('PATCH', '/collections/later', { meta: { tenant: false } })).body.errors[0].message, /can't be taken back/);
    assert.match((await admin('PATCH', '/collections/later', { meta: { tenant: 'owner' } })).body.errors[0].message, /"meta.tenant" must be true, false or "site_id"/);
});

test('the answer says that a collection is the platform’s, and no site sees it', async () => {
    const made = await make('ours', { fields: [{ field: 'title', type: 'string', meta: {} }] });
    assert.equal(made.meta.tenant, null);
    assert.equal((await make('ours_too', { meta: { tenant: false }, fields: [{ field: 'site_id', type: 'uuid', meta: {} }] })).meta.tenant, null);
    await ok('POST', '/items/ours', { title: 'x' });
    for (const name of ['ours', 'ours_too']) {
        for (const path of [`/items/${name}`, `/collections/${name}`, `/fields/${name}`, `/fields/${name}/id`, `/relations/${name}`])
            assert.equal((await as(a.token, 'GET', path)).status, 403, path);
        assert.ok(!(await as(a.token, 'GET', '/collections')).body.data.some((c) => c.collection === name));
        assert.ok(!(await as(a.token, 'GET', '/fields')).body.data.some((f) => f.collection === name));
    }
});

test('a relation between collections of sites stays in its site', async () => {
    await make('t_many', { meta: { tenant: true }, fields: [{ field: 'one', type: 'integer', meta: {} }] });
    await make('t_one', { meta: { tenant: true } });
    await ok('POST', '/relations', { collection: 't_many', field: 'one', related_collection: 't_one', schema: { on_delete: 'SET NULL' } });
    const of = async (site) => (await as(site.token, 'POST', '/items/t_one', {})).body.data.id;
    const [mine, theirs] = [await of(a), await of(b)];
    assert.equal((await as(a.token, 'POST', '/items/t_many', { one: mine })).status, 200);
    assert.equal((await as(a.token, 'POST', '/items/t_many', { one: theirs })).status, 400);
    await as(a.token, 'DELETE', `/items/t_one/${mine}`);
    assert.deepEqual((await as(a.token, 'GET', '/items/t_many')).body.data.map((r) => [r.one, r.site_id]), [[null, a.id]]);
});

test('an administrator of one site, or for one site, changes no schema', async () => {
    for (const [token, headers] of [[a.token, {}], [stack.adminToken, { 'x-site-id': a.id }]])
        for (const [method, path, body] of [['POST', '/collections', { collection: 'nope', schema: {} }], ['PATCH', '/collections/by_meta', { meta: { note: 'x' } }], ['DELETE', '/collections/by_meta'],
            ['POST', '/fields/by_meta', { field: 'f', type: 'string' }], ['DELETE', '/fields/by_meta/id'], ['GET', '/schema/snapshot'], ['POST', '/schema/apply', { hash: 'x', diff: {} }]])
            assert.equal((await as(token, method, path, body, { headers })).status, 403, `${method} ${path}`);
    const seen = await as(stack.adminToken, 'GET', '/collections', undefined, { headers: { 'x-site-id': a.id } });
    assert.ok(seen.body.data.some((c) => c.collection === 'by_meta') && seen.body.data.some((c) => c.collection === 'directus_users'));
});

test('the schema changes while others read and write: every answer is of one state or the next', async () => {
    await make('busy', { meta: { tenant: true }, fields: [{ field: 'title', type: 'string', meta: {} }] });
    let going = true;
    const counts = { reads: 0, writes: 0 };
    const strange = [];
    const look = (answer, allowed) => {
        if (!allowed.includes(answer.status)) strange.push(`${answer.status} ${answer.text.slice(0, 300)}`);
    };
    const reader = async (site) => {
        while (going) {
            look(await as(site.token, 'GET', '/items/busy?fields=id,title,site_id&limit=5'), [200]);
            look(await as(site.token, 'GET', '/items/busy?fields=extra'), [200, 403]);
            look(await admin('GET', '/fields/busy'), [200]);
            counts.reads++;
        }
    };
    const writer = async (site) => {
        while (going) {
            const made = await as(site.token, 'POST', '/items/busy', { title: site.id });
            look(made, [200]);
            if (made.status === 200 && made.body.data.site_id !== site.id) strange.push(made.text);
            counts.writes++;
        }
    };
    const others = [reader(a), reader(b), writer(a), writer(b)];
    for (let round = 0; round < 6; round++) {
        const field = await admin('POST', '/fields/busy', { field: 'extra', type: 'string', schema: { is_indexed: true }, meta: {} });
        look(field, [200]);
        look(await admin('PATCH', '/fields/busy/extra', { type: 'text', schema: {}, meta: { note: `round ${round}` } }), [200]);
        // Two at once: one makes it, the other hears that it is there.
        const twins = await Promise.all([1, 2].map(() => admin('POST', '/collections', { collection: 'twin', schema: {}, meta: {} })));
        assert.deepEqual(twins.map((t) => t.status).sort(), [200, 400], twins.map((t) => t.text).join());
        look(await admin('DELETE', '/collections/twin'), [204]);
        look(await admin('DELETE', '/fields/busy/extra'), [204]);
    }
    await until(() => counts.reads > 2 && counts.writes > 2, 'reads and writes beside the changes');
    going = false;
    await Promise.all(others);
    assert.deepEqual(strange, []);
    for (const site of [a, b])
        assert.ok((await as(site.token, 'GET', '/items/busy?limit=-1')).body.data.every((r) => r.title === site.id));
});

test('a row whose columns change their type while it waits to be written is answered as it is then', async () => {
    await make('waiting', { meta: { tenant: true }, fields: [{ field: 'n', type: 'integer', meta: {} }] });
    const of = (n) => [{ n }, { n }];
    assert.equal((await as(a.token, 'POST', '/items/waiting', { n: 1 })).status, 200);
    for (const [body, want] of [[{ n: 2 }, { n: '2' }], [of(3), of('3')]]) {
        const changed = stack.sql(`begin; alter table waiting alter column n type text; update directus_fields set note = 'text' where collection = 'waiting';
            do $$ begin while not exists (select from pg_locks where not granted and relation = 'waiting'::regclass) loop perform pg_sleep(0.01); end loop; end $$;
            commit`);
        const blocked = () => stack.rows("select 1 from pg_locks where granted and relation = 'waiting'::regclass and mode = 'AccessExclusiveLock'");
        await until(async () => (await blocked()).length > 0, 'the change');
        const answer = await as(a.token, 'POST', '/items/waiting?fields=n', body);
        await changed;
        assert.deepEqual([answer.status, answer.body.data], [200, want], answer.text);
        await stack.sql('alter table waiting alter column n type integer using n::integer');
        await stack.sql("update directus_fields set note = 'integer' where collection = 'waiting'");
    }
    assert.equal((await as(a.token, 'GET', '/items/waiting?aggregate[count]=*')).body.data[0].count, '4');
});

test('while the schema keeps changing, requests are answered, those that have changed it too', async () => {
    await make('moving', { fields: [{ field: 'title', type: 'string', meta: {} }] });
    await stack.sql('create table public.enough (n integer)');
    const changes = stack.sql(`do $$ begin while not exists (select from enough) loop perform spark.raise_epoch(); commit; end loop; end $$`);
    const strange = [];
    for (let round = 0; round < 10; round++) {
        const answers = await Promise.all([
            admin('PATCH', '/fields/moving/title', { meta: { note: `round ${round}` } }),
            admin('GET', '/fields/moving/title'),
            admin('GET', '/items/moving'),
        ]);
        for (const { status, text } of answers) if (status !== 200) strange.push(`${status} ${text}`);
        if (answers[0].body.data?.meta.note !== `round ${round}`) strange.push(answers[0].text);
    }
    await stack.sql('insert into enough values (1)');
    await changes;
    await stack.sql('drop table enough');
    assert.deepEqual(strange, []);
});
