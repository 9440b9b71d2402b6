// What visitors send, and the tokens of sites: stored once, for the right site, or not at all.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, startApi } from '../../support/api.mjs';
import { until } from '../../support/stack.mjs';

let stack;
let a;
let b;
before(async () => {
    stack = await startApi({ workers: 1 });
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
});
after(() => stack.stop());

const lead = (body, rest) => stack.call({ method: 'POST', path: '/api/lead', host: 'a.example', body, ...rest });
const track = (body, rest) => stack.call({ method: 'POST', path: '/api/track/pageview', host: 'a.example', body, ...rest });
const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1';

test('lead_is_201_and_every_field_is_stored', async () => {
    const body = {
        email: 'Visitor@example.com', name: 'Väinö "x" <b>', phone: '+1 555', message: 'two\nlines', source: 'footer', page_url: 'https://a.example/x', referrer: 'https://r.example',
        utm_source: 's', utm_medium: 'm', utm_campaign: 'c',
    };
    const answer = await lead(body);
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual(Object.keys(answer.body), ['success', 'id']);
    const columns = Object.keys(body);
    const [row] = await stack.rows(`select row_to_json(x) from (select site_id, status, ip_address, ${columns.join(', ')} from leads where id = '${answer.body.id}') x`);
    assert.deepEqual(JSON.parse(row[0]), { site_id: a.id, status: 'new', ip_address: '127.0.0.1', ...body });
    const least = await lead({ email: 'b@example.com' });
    const [[source, name]] = await stack.rows(`select source, name is null from leads where id = '${least.body.id}'`);
    assert.deepEqual([source, name], ['website', 't']);
});

test('lead_with_faults_names_all_of_them_and_is_not_stored', async () => {
    const before = await stack.rows('select count(*) from leads');
    const cases = [
        [{}, 'FAILED_VALIDATION'], [{ email: '' }, 'FAILED_VALIDATION'], [{ email: null }, 'FAILED_VALIDATION'], [{ email: 'nobody' }, 'FAILED_VALIDATION'], [{ email: 'a@b' }, 'FAILED_VALIDATION'],
        [{ email: 'a@@b.c' }, 'FAILED_VALIDATION'], [{ email: 'a b@c.de' }, 'FAILED_VALIDATION'], [{ email: 'a@b.c\r\nBcc: x@y.z' }, 'FAILED_VALIDATION'], [{ email: 12 }, 'INVALID_PAYLOAD'],
        [{ email: 'a@b.de', name: { first: 'x' } }, 'INVALID_PAYLOAD'], [{ email: 'a@b.de', name: 'x'.repeat(256) }, 'INVALID_PAYLOAD'], [{ email: 'a@b.de', phone: 'x'.repeat(51) }, 'INVALID_PAYLOAD'],
        [{ email: 'a@b.de', site_id: 'zzz' }, 'INVALID_PAYLOAD'],
    ];
    for (const [body, code] of cases) {
        const answer = await lead(body);
        assert.deepEqual([answer.status, codeOf(answer)], [400, code], `${JSON.stringify(body)}: ${answer.text}`);
        assert.equal(answer.body.error, true);
    }
    const many = await lead({ email: 'a@b.de', name: 1, phone: [], message: {} });
    assert.deepEqual(many.body.errors.map((e) => e.field), ['name', 'phone', 'message']);
    assert.deepEqual(await stack.rows('select count(*) from leads'), before);
});

test('site_of_a_visitor_is_that_of_the_host_else_of_the_origin', async () => {
    const siteOf = async (rest, body = {}) => {
        const answer = await lead({ email: 'o@example.com', ...body }, rest);
        if (answer.status !== 201) return [answer.status, codeOf(answer)];
        return (await stack.rows(`select site_id from leads where id = '${answer.body.id}'`))[0][0];
    };
    const at = (host, origin) => ({ host, headers: origin ? { origin } : {} });
    assert.equal(await siteOf(at('A.EXAMPLE:8055')), a.id);
    assert.equal(await siteOf(at('api.unknown', 'https://b.example')), b.id);
    assert.equal(await siteOf(at('api.unknown', 'https://b.example:8443')), b.id);
    assert.equal(await siteOf(at('a.example', 'https://b.example')), a.id);
    assert.equal(await siteOf(at('a.example'), { site_id: a.id }), a.id);
    assert.deepEqual(await siteOf(at('a.example'), { site_id: b.id }), [403, 'FORBIDDEN']);
    for (const origin of [undefined, 'null', 'b.example', 'https://b.example.evil', 'https://xb.example', 'https://b.example@evil', 'https://'])
        assert.deepEqual(await siteOf(at('api.unknown', origin)), [404, 'UNKNOWN_SITE'], origin);
    assert.equal(await siteOf({ host: 'api.unknown', token: b.token }), b.id);
});

test('origin_selects_the_site_of_content_too_and_opens_no_more_of_it_than_the_host_would', async () => {
    const seen = async (headers, host = 'api.unknown') => (await stack.call({ path: '/items/posts?fields=site_id,status', host, headers })).body.data;
    const published = { site_id: a.id, status: 'published' };
    for (const posts of [await seen({ origin: 'https://a.example' }), await seen({}, 'a.example'), await seen({ origin: 'https://b.example' }, 'a.example')])
        assert.deepEqual(posts, [published, published]);
    assert.deepEqual(await seen({ origin: 'https://nobody.example' }), []);
});

test('page_views_are_202_and_stored_exactly_once', async () => {
    const sent = await Promise.all(Array.from({ length: 200 }, (_, n) =>
        track({ page_path: `/p${n}?utm_source=news&utm_term=t&x=1#top`, page_title: 'T', referrer: 'https://r.example', session_id: 's', visitor_id: `v${n}` },
            { host: n % 2 ? 'b.example' : 'a.example', headers: { 'user-agent': phone } })));
    for (const answer of sent) assert.deepEqual([answer.status, answer.body.success, answer.body.is_bot], [202, true, false]);
    const ids = sent.map((answer) => answer.body.event_id);
    const stored = () => stack.rows(`select id, site_id from pageviews where id in (${ids.map((id) => `'${id}'`).join(', ')})`);
    const rows = await until(async () => {
        const found = await stored();
        return found.length >= ids.length ? found : undefined;
    }, 'the worker');
    assert.equal(rows.length, 200);
    const site = new Map(rows);
    ids.forEach((id, n) => assert.equal(site.get(id), n % 2 ? b.id : a.id));
    const [row] = await stack.rows(`select page_path, utm_source, utm_term, page_title, device_type, browser, os, is_bot from pageviews where id = '${ids[7]}'`);
    assert.deepEqual(row, ['/p7', 'news', 't', 'T', 'mobile', 'Safari', 'iOS', 'f']);
});

test('robots_are_told_apart', async () => {
    const bots = { 'Mozilla/5.0 (compatible; Googlebot/2.1)': 'googlebot', 'GPTBot/1.0': 'gptbot', 'SomeCrawler 1': 'crawler' };
    for (const [agent, name] of Object.entries(bots)) {
        const answer = await track({ page_path: '/' }, { headers: { 'user-agent': agent } });
        assert.equal(answer.body.is_bot, true, agent);
        await until(async () => (await stack.rows(`select bot_name from pageviews where id = '${answer.body.event_id}'`))[0]?.[0] === name, agent);
    }
});

test('page_views_with_faults_are_refused', async () => {
    for (const body of [{}, { page_path: '' }, { page_path: 'x' }, { page_path: 1 }, { page_path: `/${'x'.repeat(500)}` }, { page_path: '/', page_title: 'x'.repeat(501) }]) {
        const answer = await track(body);
        assert.equal(answer.status, 400, JSON.stringify(body));
    }
    const odd = await track({ page_path: '/?utm_source=%ff%fe&utm_medium=a%00b' }, { headers: { 'user-agent': Buffer.from('x\xff\xfe', 'latin1').toString('latin1') } });
    assert.equal(odd.status, 202);
    await until(async () => (await stack.rows(`select count(*) from pageviews where id = '${odd.body.event_id}'`))[0][0] === '1', 'the odd one');
});

const make = (body, token = stack.adminToken) => stack.call({ method: 'POST', path: '/api/admin/site-tokens', token: token ?? undefined, body });

test('site_token_is_shown_once_works_and_expires', async () => {
    const made = await make({ site_id: a.id, name: 'front' });
    assert.deepEqual([made.status, Object.keys(made.body), made.headers['cache-control']], [201, ['id', 'token'], 'no-store']);
    const { id, token } = made.body;
    assert.ok(token.length >= 43);
    const [[stored]] = await stack.rows(`select x::text from spark.site_tokens x where id = '${id}'`);
    assert.ok(!stored.includes(token));
    const read = () => stack.call({ path: '/items/posts?fields=site_id', token });
    assert.deepEqual([...new Set((await read()).body.data.map((p) => p.site_id))], [a.id]);
    await stack.run(`update spark.site_tokens set expires_at = now() - interval '1 s' where id = '${id}'`);
    assert.deepEqual([(await read()).status, codeOf(await read())], [401, 'INVALID_CREDENTIALS']);
    await stack.run(`update spark.site_tokens set expires_at = null where id = '${id}'`);
    // Refused from memory, so for up to a second.
    await until(async () => (await read()).status === 200, 'the token without an end');
    await stack.run(`delete from spark.site_tokens where id = '${id}'`);
    assert.equal((await read()).status, 401);
});

test('site_tokens_are_the_platforms_to_make', async () => {
    const cases = [
        [{ site_id: a.id, name: 'x' }, a.token, 403, 'FORBIDDEN'],
        [{ site_id: a.id, name: 'x' }, null, 401, 'UNAUTHENTICATED'],
        [{ name: 'x' }, stack.adminToken, 400, 'FAILED_VALIDATION'],
        [{ site_id: a.id }, stack.adminToken, 400, 'FAILED_VALIDATION'],
        [{ site_id: a.id, name: 'x', expires_at: 'soon' }, stack.adminToken, 400, 'FAILED_VALIDATION'],
        [{ site_id: a.id, name: 'x', expires_at: '2001-01-01' }, stack.adminToken, 400, 'FAILED_VALIDATION'],
        [{ site_id: 'zzz', name: 'x' }, stack.adminToken, 400, 'INVALID_PAYLOAD'],
        [{ site_id: '99999999-9999-4999-8999-999999999999', name: 'x' }, stack.adminToken, 404, 'NOT_FOUND'],
        [{ site_id: '00000000-0000-7000-8000-000000000001', name: 'x' }, stack.adminToken, 404, 'NOT_FOUND'],
    ];
    const before = await stack.rows('select count(*) from spark.site_tokens');
    for (const [body, token, status, code] of cases) {
        const answer = await make(body, token);
        assert.deepEqual([answer.status, codeOf(answer)], [status, code], answer.text);
    }
    assert.deepEqual(await stack.rows('select count(*) from spark.site_tokens'), before);
});

test('token_of_an_archived_site_is_dead', async () => {
    const site = await makeTenant(stack, 'C', 'c.example');
    await stack.run(`update sites set status = 'archived' where id = '${site.id}'`);
    assert.equal((await stack.call({ path: '/items/posts', token: site.token })).status, 401);
    assert.deepEqual((await stack.call({ path: '/items/posts', host: 'c.example' })).body, { data: [] });
});
