// Servers and a worker behind a pooler in transaction mode: the sessions belong to nobody, and there are
// fewer of them than connections. PgBouncer as Debian 12 has it, which knows no prepared statements.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { call, makeTenant } from '../support/api.mjs';
import { startPooler } from '../support/pooler.mjs';
import { binary, Child, freePort, sql, startBackends, startStack, until } from '../support/stack.mjs';

const ROUNDS = 10;
const SESSIONS = 3; // of the pooler, for each login

let backends;
let pooler;
let stack;
let other; // the second server
let site;

before(async () => {
    backends = await startBackends();
    stack = await startStack({ backends, server: false, env: { READ_LANE_TIMEOUT: '250', SLOW_LANE_TIMEOUT: '300', STATEMENT_TIMEOUT: '600', GOD_SQL: 'true' } });
    pooler = await startPooler(backends, stack.databaseUrl, SESSIONS);
    Object.assign(stack.env, {
        DATABASE_DIRECT_URL: stack.databaseUrl,
        DATABASE_TENANT_URL: pooler.tenantUrl,
        DATABASE_PLATFORM_URL: pooler.platformUrl,
        DATABASE_POOLER: 'transaction',
        DATABASE_URL: '',
    });
    await stack.startServer();
    const port = await freePort();
    const server = new Child('second server', binary, ['server'], { env: { ...stack.env, PORT: String(port) } });
    other = { port, server, call: (request) => call({ port }, request) };
    stack.call = (request) => call(stack, request);
    stack.rows = (text) => stack.sql(`set spark.scope = 'platform'; ${text}`);
    for (const on of [stack, other]) await until(async () => (await on.call({ path: '/server/ready' }).catch(() => undefined))?.status === 200, 'readiness');
    site = await makeTenant(stack, 'A', 'a.example');
});
after(async () => {
    const end = await other?.server.stop();
    for (const child of [stack?.server, ...(stack?.workers ?? [])]) await child?.stop();
    await pooler?.stop(); // its sessions would keep the database from being dropped
    await stack?.stop();
    await backends?.stop();
    assert.ok(end === undefined || end.code === 0, other?.server.tail.join('\n'));
});

const admin = (on, method, pathname, body) => on.call({ method, path: pathname, token: stack.adminToken, body });
const god = (on, pathname, body) => on.call({ method: 'POST', path: pathname, headers: { 'x-god-token': stack.env.GOD_MODE_TOKEN }, body });
const metric = async (name) => Number((await admin(stack, 'GET', '/metrics')).text.match(new RegExp(`^spark_${name} (\\d+)`, 'm'))[1]);

test('a_right_that_one_server_gave_or_took_counts_at_once_on_the_other', async () => {
    for (let i = 0; i < ROUNDS; i++) {
        const [giver, user] = i % 2 ? [stack, other] : [other, stack];
        const { status, body, text } = await admin(giver, 'POST', '/api/admin/site-tokens', { site_id: site.id, name: `t${i}` });
        assert.equal(status, 201, text);
        const read = (on) => on.call({ path: '/items/posts?limit=1', token: body.token }).then((answer) => answer.status);
        assert.deepEqual([await read(user), await read(giver)], [200, 200]);
        const taken = await god(giver, '/god/sql/execute', { sql: `delete from spark.site_tokens where name = $1`, params: [`t${i}`] });
        assert.equal(taken.status, 200, taken.text);
        assert.deepEqual([await read(user), await read(giver)], [401, 401], `round ${i}`);
    }
});

test('a_collection_that_one_server_made_is_there_on_the_other', async () => {
    for (let i = 0; i < 4; i++) {
        const [maker, user] = i % 2 ? [stack, other] : [other, stack];
        const made = await god(maker, '/god/schema/collections/create', { collection: `made_${i}`, fields: [{ field: 'name', type: 'string' }] });
        assert.ok(made.status < 300, made.text);
        assert.equal((await admin(user, 'GET', `/items/made_${i}`)).status, 200);
    }
});

test('rows_of_many_sites_are_never_mixed_on_sessions_that_all_share', async () => {
    const tenants = [site, await makeTenant(stack, 'B', 'b.example'), await makeTenant(stack, 'C', 'c.example')];
    const sessions = await sql(backends.databaseAdminUrl, `select count(*) from pg_stat_activity where usename like 'pooled_%'`);
    assert.ok(Number(sessions[0][0]) <= 2 * SESSIONS, `${sessions} sessions`);
    const asked = Array.from({ length: 120 }, async (_, n) => {
        const tenant = tenants[n % 3];
        const answer = await (n % 2 ? stack : other).call({ path: `/items/posts?fields=title&limit=${(n % 5) + 1}`, token: tenant.token });
        assert.equal(answer.status, 200, answer.text);
        for (const { title } of answer.body.data) assert.ok(title.startsWith(`${tenant.name} post`), title);
    });
    await Promise.all(asked);
    // Nothing stays behind in a session, whoever gets it next.
    for (let i = 0; i < 2 * SESSIONS; i++)
        assert.deepEqual(await sql(pooler.tenantUrl, `select coalesce(current_setting('spark.site', true), ''), current_setting('statement_timeout'), count(*) from posts`), [['', '0', '0']]);
});

test('articles_are_generated', async () => {
    const fragments = ['intro', 'end'].flatMap((fragment_type) =>
        [1, 2].map((n) => ({ fragment_type, content_body: `<p>${fragment_type} ${n} {one|two|three} for {Niche}.</p>` })));
    const imported = await admin(stack, 'POST', '/api/admin/import-blueprint', {
        site_id: site.id,
        template: { name: 'Two parts', structure_json: ['intro', 'end'] },
        campaign: { name: 'one', headline_spintax_root: '{A|B|C|D} title', target_word_count: 10, niche_variables: { Niche: 'gardens' } },
        fragments,
    });
    assert.equal(imported.status, 200, imported.text);
    const { campaign_id } = imported.body;
    const headlines = await admin(other, 'POST', '/api/seo/generate-headlines', { campaign_id });
    assert.equal(headlines.status, 200, headlines.text);
    stack.startWorker();
    const queued = await admin(stack, 'POST', '/api/seo/generate-article', { campaign_id, batch_size: 4, async: true });
    assert.ok(queued.status < 300, queued.text);
    await until(async () => (await stack.rows('select count(*) from generated_articles'))[0][0] === '4', 'the articles');
});

test('each_lane_ends_its_statements_after_its_own_time', async () => {
    const outran = await metric('db_outran');
    const held = sql(stack.databaseUrl, `begin; lock table authors in access exclusive mode; select pg_sleep(600)`).catch(() => 'ended');
    const holder = () => sql(stack.databaseUrl, `select pid from pg_locks where relation = 'authors'::regclass and mode = 'AccessExclusiveLock' and granted`);
    const [[pid]] = await until(async () => { const found = await holder(); return found.length > 0 && found; }, 'the lock');
    const [read, written] = await Promise.all([
        stack.call({ path: '/items/authors', token: site.token }),
        admin(stack, 'POST', '/items/authors', { site_id: site.id, name: 'late' }),
    ]);
    assert.equal((await holder()).length, 1, 'both were answered while the table was locked');
    assert.equal(read.status, 408, read.text);
    assert.equal(written.status, 408, written.text);
    assert.equal((await metric('db_outran')) - outran, 2, 'from the read lane to the slow one, and on to the long one');
    assert.equal(await metric('db_silences'), 0);
    await sql(backends.databaseAdminUrl, `select pg_terminate_backend(${pid})`);
    assert.equal(await held, 'ended');
    assert.equal((await stack.call({ path: '/items/authors', token: site.token })).status, 200);
});

test('a_pooler_without_both_logins_or_in_another_mode_is_refused_by_name', async () => {
    for (const [env, sentence] of [
        [{ DATABASE_TENANT_URL: '' }, /DATABASE_POOLER needs DATABASE_TENANT_URL and DATABASE_PLATFORM_URL/],
        [{ DATABASE_POOLER: 'session' }, /DATABASE_POOLER is 'session'; it must be transaction/],
    ]) {
        const refused = new Child('refused', binary, ['server'], { env: { ...stack.env, DATABASE_URL: stack.databaseUrl, PORT: String(await freePort()), ...env } });
        assert.equal((await refused.ended).code, 2);
        assert.match(refused.tail.join('\n'), sentence);
    }
});
