// Who may log in: strangers who guess lock themselves out, and nobody else. The addresses are those
// that a trusted proxy names.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { codeOf, startApi } from '../../support/api.mjs';
import { Child, binary, freePort, until } from '../../support/stack.mjs';

const OWNER = 'owner@example.com';
let stack;

const loginAt = (port) => (email, password, address) =>
    stack.call({ method: 'POST', path: '/auth/login', headers: { 'x-forwarded-for': address }, body: { email, password }, port });
const login = (...words) => loginAt(undefined)(...words);
const statuses = async (tries) => (await Promise.all(tries)).map((answer) => answer.status).sort();
const many = (count, make) => Array.from({ length: count }, (_, n) => make(n));

before(async () => {
    stack = await startApi({ env: { TRUSTED_PROXIES: '127.0.0.0/8', LOGIN_WINDOW: '86400', LOGIN_FAILURES: '3', LOGIN_FAILURES_ADDRESS: '5', LOGIN_FAILURES_ACCOUNT: '4', LOGIN_QUEUE: '8', REQUEST_TIMEOUT: '120000' } });
    // The administrator's hash is of ADMIN_PASSWORD: every account of this file has that one.
    await stack.run(`insert into directus_users (id, email, password) select gen_random_uuid(), e, u.password
        from directus_users u, unnest('{${OWNER},second@example.com,third@example.com,fourth@example.com,fifth@example.com}'::text[]) e where u.email = '${stack.env.ADMIN_EMAIL}'`);
});
after(() => stack?.stop());
const right = () => stack.env.ADMIN_PASSWORD;

test('wrong_passwords_from_one_address_lock_out_that_address_alone', async () => {
    assert.deepEqual(await statuses(many(6, () => login(OWNER, 'wrong', '192.0.2.1'))), [...Array(3).fill(401), ...Array(3).fill(429)]);
    const limited = await login(OWNER, right(), '192.0.2.1');
    assert.equal(limited.status, 429);
    assert.equal(codeOf(limited), 'REQUESTS_EXCEEDED');
    assert.ok(Number(limited.headers['retry-after']) > 1 && Number(limited.headers['retry-after']) <= 86400);
    assert.equal((await login(OWNER, right(), '192.0.2.2')).status, 200);
});

test('a_distributed_attack_slows_strangers_and_not_the_addresses_that_the_account_is_known_at', async () => {
    const account = 'second@example.com';
    assert.equal((await login(account, right(), '198.51.100.1')).status, 200);
    assert.deepEqual(await statuses(many(7, (n) => login(account, 'wrong', `203.0.113.${n}`))), [...Array(4).fill(401), ...Array(3).fill(429)]);
    assert.equal((await login(account, right(), '203.0.113.200')).status, 429);
    assert.equal((await login(account, right(), '198.51.100.1')).status, 200);
    assert.equal((await login(OWNER, right(), '203.0.113.201')).status, 200);
});

test('what_is_said_of_an_account_is_said_of_none_as_well', async () => {
    const said = async (email) => {
        const told = [];
        for (let n = 0; n < 6; n++) {
            const { status, text } = await login(email, 'wrong', `192.0.2.${30 + n}`);
            told.push(`${status} ${text.replace(/\d+ s\./, 'N s.')}`);
        }
        return told;
    };
    const [known, unknown] = await Promise.all([said('third@example.com'), said('nobody@example.com')]);
    assert.deepEqual(known, unknown);
    assert.equal(known.filter((answer) => answer.startsWith('429')).length, 2);
});

test('an_address_that_tries_many_accounts_is_limited_by_itself', async () => {
    assert.deepEqual(await statuses(many(8, (n) => login(`guess-${n}@example.com`, 'wrong', `2001:db8:7:7::${n + 1}`))), [...Array(5).fill(401), ...Array(3).fill(429)]);
    assert.equal((await login('guess@example.com', 'wrong', '2001:db8:7:8::1')).status, 401);
});

test('another_server_knows_the_address_and_this_one_does_while_redis_is_away', async () => {
    const account = 'fourth@example.com';
    assert.equal((await login(account, right(), '198.51.100.4')).status, 200);
    await Promise.all(many(5, (n) => login(account, 'wrong', `203.0.113.${n + 100}`)));
    const port = await freePort();
    const other = new Child('second server', binary, ['server'], { env: { ...stack.env, PORT: String(port) } });
    try {
        await until(async () => (await stack.call({ path: '/server/ping', port }).catch(() => ({}))).status === 200, 'the second server');
        const there = loginAt(port);
        await Promise.all(many(5, (n) => there(account, 'wrong', `203.0.113.${n + 100}`)));
        assert.equal((await there(account, right(), '198.51.100.5')).status, 429);
        assert.equal((await there(account, right(), '198.51.100.4')).status, 200);
    } finally {
        await other.stop();
    }
    await stack.redis.kill();
    assert.equal((await login(account, right(), '198.51.100.5')).status, 429);
    assert.equal((await login(account, right(), '198.51.100.4')).status, 200);
    await stack.redis.start();
    await until(async () => (await stack.call({ path: '/server/health', token: stack.adminToken })).body.status === 'ok', 'Redis to be back');
});

test('redis_keeps_few_addresses_of_an_account_for_a_time_and_no_name_of_either', async () => {
    const account = 'fifth@example.com';
    const known = async () => (await stack.redis.command('KEYS', 'l:*')).split('\n');
    const before = new Set(await known());
    for (const address of ['198.51.100.10', '198.51.100.12'])
        assert.equal((await login(account, right(), address)).status, 200);
    // Of an earlier test an account may still be noted: that has one address.
    const key = await until(async () => {
        for (const name of await known())
            if (!before.has(name) && (await stack.redis.command('ZCARD', name)) === '2') return name;
        return undefined;
    }, 'the addresses in Redis');
    const others = many(40, (n) => [String(Date.now() - n), `other-${n}`]).flat();
    await stack.redis.command('ZADD', key, ...others);
    assert.equal((await login(account, right(), '198.51.100.11')).status, 200);
    await until(async () => (await stack.redis.command('ZCARD', key)) === '32', 'no more than the latest');
    const left = Number(await stack.redis.command('TTL', key));
    assert.ok(left > 29 * 86400 && left <= 30 * 86400, `${left}`);
    const held = (await stack.redis.command('ZRANGE', key, '0', '-1')) + key;
    assert.doesNotMatch(held, /example|198\.51/);
});

test('more_logins_at_once_than_can_be_checked_are_refused_and_known_addresses_have_places_left', async () => {
    assert.equal((await login(OWNER, right(), '198.51.100.99')).status, 200);
    const refused = async () => Number(/^spark_login_failures (\d+)/m.exec((await stack.call({ path: '/metrics', token: stack.adminToken })).text)[1]);
    const before = await refused();
    const flood = many(24, (n) => login(`flood-${n}@example.com`, 'wrong', `10.1.${n}.1`));
    await until(async () => (await refused()) > before, 'the flood to be refused');
    assert.equal((await login(OWNER, right(), '198.51.100.99')).status, 200);
    const seen = new Set((await Promise.all(flood)).map((answer) => answer.status));
    assert.deepEqual([...seen].sort(), [401, 503]);
});
