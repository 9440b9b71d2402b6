// The stamps of schema and rights, with two servers on one database: what one of them made or took
// away holds for the next request on the other, whatever PostgreSQL went through in between.

import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { call, makeTenant, startApi } from '../support/api.mjs';
import { binary, buildFolder, Child, freePort, sql, startBackends, until, withDatabase } from '../support/stack.mjs';

const ROUNDS = 50;

let backends; // of its own: all connections to it are ended
let stack;
let other; // the second server, with call() like the stack
let a;
let b;

before(async () => {
    backends = await startBackends();
    stack = await startApi({ backends, extensionsPath: path.join(buildFolder, 'extensions') });
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
    const port = await freePort();
    const server = new Child('second server', binary, ['server'], { env: { ...stack.env, PORT: String(port) } });
    other = { port, server, call: (request) => call({ port }, request) };
    await until(async () => (await other.call({ path: '/server/health' }).catch(() => undefined))?.status === 200, 'the second server');
});
after(async () => {
    const end = await other?.server.stop();
    await stack?.stop();
    await backends?.stop();
    assert.ok(end === undefined || end.code === 0, other?.server.tail.join('\n'));
});

const admin = (on, method, pathname, body) => on.call({ method, path: pathname, token: stack.adminToken, body });
async function ok(promise, what) {
    const answer = await promise;
    assert.ok(answer.status >= 200 && answer.status < 300, `${what}: ${answer.status} ${answer.text}`);
    return answer.body;
}
const god = (on, pathname, body) => on.call({ method: 'POST', path: pathname, headers: { 'x-god-token': stack.env.GOD_MODE_TOKEN }, body });
const list = (on, collection, token, host) => on.call({ path: `/items/${collection}?limit=1`, token, host });
/** No trigger and no row security holds for this one. */
const asOwner = (text) => sql(withDatabase(backends.databaseAdminUrl, /\/([^/?]+)\?/.exec(stack.databaseUrl)[1]), text);
const stampOf = async () => (await stack.rows('select epoch from spark.epoch'))[0][0];
const siteStampOf = async (site) => (await stack.rows(`select epoch from spark.site_epochs where site_id = '${site}'`))[0]?.[0] ?? '1';
async function counters(on) {
    const { text } = await on.call({ path: '/metrics', token: stack.adminToken });
    return Object.fromEntries([...text.matchAll(/^spark_(\w+) (\d+)$/gm)].map(([, name, value]) => [name, Number(value)]));
}
const newToken = async (on, site) =>
    (await ok(admin(on, 'POST', '/api/admin/site-tokens', { site_id: site, name: 'test' }), 'a token')).token;

const uuid = () => randomUUID();
/** Users and rights are rows; `set` inserts one and gives its id. */
async function set(table, row) {
    const full = { id: uuid(), ...row };
    const names = Object.keys(full);
    const values = names.map((name) => (full[name] === null ? 'null' : `'${full[name]}'`));
    await stack.rows(`insert into ${table} (${names.map((name) => `"${name}"`)}) values (${values})`);
    return full.id;
}

/** A user of no site with a role that may read posts once `grant` was called, and until `revoke`. */
async function makeReader(name) {
    const policy = await set('directus_policies', { name });
    const role = await set('directus_roles', { name });
    await set('directus_access', { role, policy });
    const token = `token-of-${name}-0123456789`;
    const user = await set('directus_users', { email: `${name}@example.com`, role, token, status: 'active' });
    return {
        token, user, role, policy,
        grant: () => stack.rows(`insert into directus_permissions (policy, collection, action, fields) values ('${policy}', 'posts', 'read', '*')`),
        revoke: () => stack.rows(`delete from directus_permissions where policy = '${policy}'`),
    };
}

test('a stamp has no order and never comes back', async () => {
    const seen = new Set();
    const steps = [];
    for (let i = 0; i < 10; i++) {
        await stack.rows('select spark.raise_epoch()');
        const stamp = BigInt(await stampOf());
        assert.ok(stamp > 1n && stamp < 1n << 63n);
        seen.add(stamp);
        steps.push(stamp);
    }
    assert.equal(seen.size, 10);
    assert.ok(steps.some((stamp, i) => i > 0 && stamp < steps[i - 1]), 'none is smaller than the one before');
});

test('health asks again when the stamp moved', async () => {
    for (let i = 0; i < ROUNDS; i++) {
        await stack.rows('select spark.raise_epoch()');
        const health = await stack.call({ path: '/server/health' });
        assert.equal(health.status, 200, `${i}: ${health.text}`);
    }
});

test('a collection that one server made is there on the other', async () => {
    for (let i = 0; i < ROUNDS; i++) {
        const [maker, user] = i % 2 ? [stack, other] : [other, stack];
        const collection = `made_${i}`;
        await ok(god(maker, '/god/schema/collections/create', { collection, fields: [{ field: 'name', type: 'string' }] }), 'a collection');
        assert.equal((await list(user, collection, stack.adminToken)).status, 200, `${collection} on the other server`);
        assert.equal((await list(maker, collection, stack.adminToken)).status, 200, `${collection} on its own server`);
        await ok(god(maker, '/god/schema/fields/create', { collection, field: 'size', type: 'integer' }), 'a field');
        const read = await user.call({ path: `/items/${collection}?fields=size&filter[size][_gt]=1`, token: stack.adminToken });
        assert.equal(read.status, 200, read.text);
    }
});

test('a grant counts at once where it was refused before', async () => {
    const reader = await makeReader('reader');
    for (let i = 0; i < ROUNDS; i++) {
        const [granter, far] = i % 2 ? [stack, other] : [other, stack];
        for (const on of [stack, other]) assert.equal((await list(on, 'posts', reader.token)).status, 403, 'before');
        await reader.grant();
        for (const on of [far, granter]) assert.equal((await list(on, 'posts', reader.token)).status, 200, `granted, round ${i}`);
        await reader.revoke();
        for (const on of [far, granter]) assert.equal((await list(on, 'posts', reader.token)).status, 403, `revoked, round ${i}`);
    }
});

test('a token that one server made or took away is known to the other', async () => {
    for (let i = 0; i < ROUNDS; i++) {
        const [maker, user] = i % 2 ? [stack, other] : [other, stack];
        const token = await newToken(maker, a.id);
        assert.equal((await list(user, 'posts', token)).status, 200, `made, round ${i}`);
        await stack.rows(`delete from spark.site_tokens where token_hash = '\\x${createHash('sha256').update(token).digest('hex')}'`);
        assert.equal((await list(user, 'posts', token)).status, 401, `taken away, round ${i}`);
    }
});

test('the host of a site that one server made is its host on the other', async () => {
    for (let i = 0; i < ROUNDS; i++) {
        const [maker, user] = i % 2 ? [stack, other] : [other, stack];
        const host = `new-${i}.example`;
        const path = '/sitemap.xml';
        assert.equal((await user.call({ path, host })).status, 404, 'before');
        const site = (await ok(admin(maker, 'POST', '/items/sites', { name: host, domain: host }), 'a site')).data.id;
        assert.equal((await user.call({ path, host })).status, 200, `round ${i}`);
        await ok(admin(maker, 'PATCH', `/items/sites/${site}`, { domain: null }), 'no domain');
        assert.equal((await user.call({ path, host })).status, 404, `without it, round ${i}`);
    }
});

test('a flood of refusals asks PostgreSQL little', async () => {
    const reader = await makeReader('flooder');
    await list(stack, 'posts', reader.token);
    const before = await counters(stack);
    const answers = await Promise.all(Array.from({ length: 2000 }, () => list(stack, 'posts', reader.token)));
    const after = await counters(stack);
    assert.ok(answers.every((answer) => answer.status === 403));
    const looks = after.access_looks - before.access_looks;
    assert.ok(looks >= 1 && looks < 1000, `${looks} looks for 2000 refusals`);
});

test('users and tokens of a site leave the memory of all others alone', async () => {
    for (const token of [b.token, stack.adminToken]) await list(other, 'posts', token);
    const global = await stampOf();
    const stamps = { a: await siteStampOf(a.id), b: await siteStampOf(b.id) };
    const before = await counters(other);
    const user = (email) => set('directus_users', { email, site_id: a.id });
    const made = await user('one@a.example');
    assert.equal(await siteStampOf(a.id), stamps.a, 'a user that nothing remembered knows moves no stamp');
    for (let i = 0; i < 20; i++) {
        await user(`u${i}@a.example`);
        await stack.rows(`update directus_users set token = 'token-${i}-of-a-user-of-a' where id = '${made}'`);
        await newToken(stack, a.id);
        await stack.rows(`delete from spark.site_tokens where site_id = '${a.id}' and name = 'gone'`);
        assert.equal((await list(other, 'posts', b.token)).status, 200);
    }
    const after = await counters(other);
    assert.equal(await stampOf(), global, 'the stamp of all');
    assert.equal(await siteStampOf(b.id), stamps.b, "B's stamp");
    assert.notEqual(await siteStampOf(a.id), stamps.a, "A's stamp");
    assert.equal(after.db_stale_epochs - before.db_stale_epochs, 0, 'groups refused for all');
    assert.equal(after.db_stale_sites - before.db_stale_sites, 0, 'requests refused for a site');
    assert.equal(after.schema_loads - before.schema_loads, 0, 'schema loads');
});

test('a right of a user of a site ends on every server', async () => {
    const reader = await makeReader('site-reader');
    await reader.grant();
    const otherRole = (await makeReader('no-reader')).role;
    const token = 'token-of-a-user-of-a-0123456789';
    const user = await set('directus_users', { email: 'right@a.example', site_id: a.id, role: reader.role, token, status: 'active' });
    const change = async (what, status) => {
        await stack.rows(`update directus_users set ${what} where id = '${user}'`);
        for (const on of [other, stack]) assert.equal((await list(on, 'posts', token)).status, status, what);
    };
    for (const on of [other, stack]) assert.equal((await list(on, 'posts', token)).status, 200);
    await change("status = 'suspended'", 401);
    await change("status = 'active'", 200);
    await change(`role = '${otherRole}'`, 403);
    await change(`role = '${reader.role}'`, 200);
    await stack.rows(`update sites set status = 'archived' where id = '${a.id}'`);
    for (const on of [other, stack]) assert.equal((await list(on, 'posts', token)).status, 401, 'archived');
    await stack.rows(`update sites set status = 'active' where id = '${a.id}'`);
    for (const on of [other, stack]) assert.equal((await list(on, 'posts', token)).status, 200, 'active again');
});

/** Runs `text` again and again on connections of its own until the work is done. */
async function beside(text, connections, work) {
    let isOver = false;
    const loops = Array.from({ length: connections }, async () => {
        while (!isOver) await sql(stack.databaseUrl, text);
    });
    try {
        return await work();
    } finally {
        isOver = true;
        await Promise.all(loops);
    }
}
const many = (n, make) => Promise.all(Array.from({ length: n }, (_, i) => make(i)));

test('requests get through while schema and rights change all the time', async () => {
    const raise = `do $$ begin for i in 1 .. 200 loop perform spark.raise_epoch(); commit; end loop; end $$`;
    const before = await stampOf();
    const answers = await beside(raise, 3, async () => {
        const all = [];
        for (let round = 0; round < 20; round++) {
            all.push(...await many(10, (i) => list(i % 2 ? stack : other, 'posts', i % 3 ? a.token : b.token)));
            all.push(...await many(2, (i) => admin(i % 2 ? stack : other, 'POST', '/items/posts', { site_id: b.id, title: 'x', slug: `storm-${round}-${i}` })));
        }
        return all;
    });
    assert.notEqual(await stampOf(), before);
    const refused = answers.filter((answer) => answer.status !== 200);
    assert.equal(refused.length, 0, `${refused.length} of ${answers.length}: ${refused[0]?.text}`);
});

test('schema changes get through too, with as few connections as a pause needs', async () => {
    const port = await freePort();
    const server = new Child('third server', binary, ['server'], { env: { ...stack.env, PORT: String(port),
        SERVER_THREADS: '2', DATABASE_EXCLUSIVE_LANES: '4', REQUEST_TIMEOUT: '20000' } });
    const third = { call: (request) => call({ port }, request) };
    try {
        await until(async () => (await third.call({ path: '/server/health' }).catch(() => undefined))?.status === 200, 'the third server');
        const raise = `do $$ begin for i in 1 .. 200 loop perform spark.raise_epoch(); commit; end loop; end $$`;
        const answers = await beside(raise, 3, () => many(6, (i) => god(third, '/god/schema/collections/create', { collection: `stormy_${i}` })));
        for (const answer of answers) assert.equal(answer.status, 200, answer.text);
    } finally {
        await server.stop();
    }
});

test('requests of a site get through while its own rights change all the time', async () => {
    const raise = `do $$ begin for i in 1 .. 200 loop perform spark.raise_site_epoch('${a.id}'); commit; end loop; end $$`;
    assert.equal((await list(other, 'posts', b.token)).status, 200); // what changed before this is known by now
    const before = await counters(other);
    const answers = await beside(raise, 3, async () => {
        const all = [];
        for (let round = 0; round < 20; round++) {
            all.push(...await many(10, (i) => list(stack, 'posts', i % 2 ? a.token : b.token)));
            all.push(...await many(10, () => list(other, 'posts', b.token)));
        }
        return all;
    });
    const after = await counters(other);
    const refused = answers.filter((answer) => answer.status !== 200);
    assert.equal(refused.length, 0, `${refused.length} of ${answers.length}: ${refused[0]?.text}`);
    assert.equal(after.db_stale_epochs + after.db_stale_sites - before.db_stale_epochs - before.db_stale_sites, 0, 'stale on the server of B alone');
});

test('what was remembered is forgotten when PostgreSQL was lost', async () => {
    const token = await newToken(stack, a.id);
    for (const on of [stack, other]) assert.equal((await list(on, 'posts', token)).status, 200);
    // What a failover that lost transactions may leave: the row is gone, and no stamp says so.
    const hash = createHash('sha256').update(token).digest('hex');
    const stamps = [await stampOf(), await siteStampOf(a.id)];
    await asOwner(`set session_replication_role = replica; delete from spark.site_tokens where token_hash = '\\x${hash}'`);
    await asOwner(`select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`);
    assert.deepEqual([await stampOf(), await siteStampOf(a.id)], stamps);
    for (const on of [stack, other]) {
        await until(async () => (await on.call({ path: '/server/health' })).status === 200, 'the connections');
        assert.equal((await list(on, 'posts', token)).status, 401);
    }
});

test('a server is ready when it can serve, and says why it is not', async () => {
    const ready = await stack.call({ path: '/server/ready' });
    assert.deepEqual([ready.status, ready.body], [200, { status: 'ok' }]);
    await stack.sql('alter table spark.epoch rename to epoch_away');
    const away = await stack.call({ path: '/server/ready' });
    await stack.sql('alter table spark.epoch_away rename to epoch');
    assert.deepEqual([away.status, away.body.status], [503, 'error']);
    assert.match(away.body.reason, /./);
    await until(async () => (await stack.call({ path: '/server/ready' })).status === 200, 'ready again');
});
