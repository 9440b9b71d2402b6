// How often one address may ask one site: the numbers of core/access/limits/rates.def, reached and passed.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, readRoutes, startApi } from '../../support/api.mjs';

let stack;
before(async () => {
    stack = await startApi({ env: { RATE_LIMITER_ENABLED: 'true', TRUSTED_PROXIES: '127.0.0.1' } });
    for (const name of ['a', 'b']) await makeTenant(stack, name.toUpperCase(), `${name}.example`);
});
after(() => stack.stop());

let address = 0;
/** An address that nobody has used yet. */
const somebody = () => `198.51.100.${++address}`;
const send = (path, ip, rest = {}) => stack.call({ method: 'POST', path, host: 'a.example', headers: { 'x-forwarded-for': ip }, body: {}, ...rest });

const limits = {
    '/api/lead': 5, '/api/forms/submit': 5, '/api/track/pageview': 60, '/api/track/event': 120, '/api/track/conversion': 20, '/api/track/call-click': 20,
};

test('every_route_of_visitors_has_its_limit_and_says_how_much_is_left', async () => {
    const routes = (await readRoutes()).filter((route) => route.guard === 'GUARD_VISITOR').map((route) => route.pattern);
    assert.deepEqual(routes.sort(), Object.keys(limits).sort());
    for (const [path, limit] of Object.entries(limits)) {
        const ip = somebody();
        const answers = await Promise.all(Array.from({ length: limit + 3 }, () => send(path, ip)));
        const passed = answers.filter((answer) => answer.status !== 429);
        // A token may come back while a slow machine sends.
        assert.ok(passed.length >= limit && passed.length <= limit + 2, `${path}: ${passed.length}`);
        assert.ok(passed.every((answer) => answer.headers['ratelimit-limit'] === String(limit)));
        assert.deepEqual(Math.max(...passed.map((answer) => Number(answer.headers['ratelimit-remaining']))), limit - 1);
        const refused = answers.find((answer) => answer.status === 429);
        assert.deepEqual([codeOf(refused), refused.body.error, refused.headers['ratelimit-remaining']], ['REQUESTS_EXCEEDED', true, '0']);
        const wait = Number(refused.headers['retry-after']);
        assert.ok(wait >= 1 && wait <= 60, `${path}: ${wait}`);
    }
});

test('hashes_for_strangers_have_a_limit_on_every_host_and_administrators_none', async () => {
    for (const host of ['a.example', undefined]) {
        const ip = somebody();
        const hash = (path, rest = {}) => send(`/utils/hash/${path}`, ip, { host, ...rest });
        const answers = await Promise.all(Array.from({ length: 33 }, (_, n) => hash(n % 2 ? 'generate' : 'verify')));
        const passed = answers.filter((answer) => answer.status === 400);
        assert.ok(passed.length >= 30 && passed.length <= 32, `${host}: ${passed.length}`);
        assert.ok(answers.every((answer) => [400, 429].includes(answer.status)));
        assert.equal((await hash('generate', { token: stack.adminToken, host: undefined })).status, 400);
    }
});

test('invitations_have_a_limit_and_administrators_none', async () => {
    const ip = somebody();
    const answers = await Promise.all(Array.from({ length: 8 }, () => send('/shares/invite', ip)));
    const passed = answers.filter((answer) => answer.status === 400);
    assert.ok(passed.length >= 5 && passed.length <= 7, passed.length);
    assert.ok(answers.every((answer) => [400, 429].includes(answer.status)));
    assert.equal((await send('/shares/invite', ip, { token: stack.adminToken, host: undefined })).status, 400);
});

test('addresses_sites_and_classes_are_counted_apart', async () => {
    const ip = somebody();
    for (let n = 0; n < 5; n++) await send('/api/lead', ip);
    assert.equal((await send('/api/lead', ip)).status, 429);
    assert.equal((await send('/api/forms/submit', ip)).status, 429); // one class
    assert.equal((await send('/api/lead', somebody())).status, 400);
    assert.equal((await send('/api/lead', ip, { host: 'b.example' })).status, 400);
    assert.equal((await send('/api/track/event', ip)).status, 400);
});

test('a_network_of_ipv6_is_one_address', async () => {
    for (let n = 0; n < 5; n++) await send('/api/lead', `2001:db8:1:2::${n}`);
    assert.equal((await send('/api/lead', '2001:db8:1:2:ffff::1')).status, 429);
    assert.equal((await send('/api/lead', '2001:db8:1:3::1')).status, 400);
});

test('i9_address_that_a_visitor_makes_up_is_not_the_one_that_counts', async () => {
    const ip = somebody();
    for (let n = 0; n < 5; n++) await send('/api/lead', `203.0.113.${n}, ${ip}`);
    assert.equal((await send('/api/lead', `203.0.113.200, ${ip}`)).status, 429);
});

test('an_hour_has_its_own_limit', async () => {
    const ip = somebody();
    await send('/api/lead', ip);
    const keys = (await stack.redis.command('keys', '{r:*}:FORM:h')).split('\n');
    // As if thirty had been sent in this hour, long before this minute.
    const now = Date.now() * 1000;
    for (const key of keys) await stack.redis.command('set', key, String(now + 3600e6));
    const refused = await send('/api/lead', ip);
    assert.equal(refused.status, 429, refused.text);
    const wait = Number(refused.headers['retry-after']);
    assert.ok(wait > 60 && wait <= 121, String(wait));
});

test('redis_keeps_no_address', async () => {
    await send('/api/lead', '203.0.113.77');
    assert.doesNotMatch(await stack.redis.command('keys', '*'), /203\.0|cb00/i);
});

test('refused_requests_can_be_read_from_the_sites_pages', async () => {
    const ip = somebody();
    const ask = () => send('/api/lead', ip, { headers: { 'x-forwarded-for': ip, origin: 'https://a.example' } });
    for (let n = 0; n < 5; n++) await ask();
    const { status, headers } = await ask();
    assert.deepEqual([status, headers['access-control-allow-origin']], [429, 'https://a.example']);
    assert.match(headers['access-control-expose-headers'], /retry-after/);
});

test('without_redis_conversions_go_on_and_leads_wait', async () => {
    const ip = somebody();
    await stack.redis.kill();
    const before = await stack.rows('select count(*) from leads');
    const lead = await send('/api/lead', ip, { body: { email: 'a@example.com' } });
    assert.deepEqual([lead.status, codeOf(lead), lead.headers['retry-after']], [503, 'SERVICE_UNAVAILABLE', '1']);
    assert.equal((await send('/api/forms/submit', ip)).status, 503);
    for (let n = 0; n < 25; n++) assert.equal((await send('/api/track/conversion', ip, { body: { conversion_type: 'x' } })).status, 200);
    assert.deepEqual(await stack.rows('select count(*) from leads'), before);
    await stack.redis.start();
});
