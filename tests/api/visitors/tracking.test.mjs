// Events, conversions, clicks on phone numbers; who may read the answers from another origin.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, readRoutes, startApi } from '../../support/api.mjs';
import { until } from '../../support/stack.mjs';

let stack;
let a;
let b;
before(async () => {
    stack = await startApi({ workers: 1, env: { IP_TRUNCATION: 'true' } });
    a = await makeTenant(stack, 'A', 'a.example', ['alias.a.example']);
    b = await makeTenant(stack, 'B', 'b.example');
});
after(() => stack.stop());

const send = (what, body, rest) => stack.call({ method: 'POST', path: `/api/track/${what}`, host: 'a.example', body, ...rest });
const rowOf = async (table, id) => {
    const [row] = await stack.rows(`select row_to_json(x) from ${table} x where id = '${id}'`);
    return row && JSON.parse(row[0]);
};
const leadOf = async (host) => (await stack.call({ method: 'POST', path: '/api/lead', host, body: { email: 'l@example.com' } })).body.id;

test('events_are_202_and_stored_as_they_were', async () => {
    const body = {
        event_name: 'video\tplay', event_category: 'media', event_label: '\\N', event_value: 12.5, page_path: '/p', session_id: 's', visitor_id: 'v',
        metadata: { a: [1, { b: 'tab\t"quote" \\ € \n' }] },
    };
    const answer = await send('event', body, { headers: { 'user-agent': 'agent' } });
    assert.deepEqual([answer.status, Object.keys(answer.body)], [202, ['success', 'event_id']], answer.text);
    const row = await until(() => rowOf('events', answer.body.event_id), 'the worker');
    const { id, site_id: site, timestamp, ...rest } = row;
    assert.deepEqual([id, site, Boolean(timestamp)], [answer.body.event_id, a.id, true]);
    assert.deepEqual(rest, { ...body, event_value: '12.5', user_agent: 'agent', ip_address: '127.0.0.0' });
});

test('metadata_that_is_null_is_none', async () => {
    const answer = await send('event', { event_name: 'e', metadata: null });
    assert.equal(answer.status, 202, answer.text);
    await until(() => rowOf('events', answer.body.event_id), 'the worker');
    assert.deepEqual(await stack.rows(`select metadata is null from events where id = '${answer.body.event_id}'`), [['t']]);
});

test('many_events_and_views_at_once_are_stored_once_for_the_right_site', async () => {
    const sent = await Promise.all(Array.from({ length: 300 }, (_, n) => (n % 3 === 2
        ? send('pageview', { page_path: '/both' })
        : send('event', { event_name: `e${n}` }, { host: n % 3 ? 'b.example' : 'a.example' }))));
    const ids = sent.map((x) => x.body.event_id);
    const list = ids.map((id) => `'${id}'`).join(', ');
    const rows = await until(async () => {
        const found = await stack.rows(`select id, site_id from events where id in (${list}) union all select id, site_id from pageviews where id in (${list})`);
        return found.length >= 300 ? found : undefined;
    }, 'the worker');
    assert.equal(rows.length, 300);
    const site = new Map(rows);
    ids.forEach((id, n) => assert.equal(site.get(id), n % 3 === 1 ? b.id : a.id));
});

test('limits_of_events_are_reached_and_not_passed', async () => {
    const most = { event_name: 'x'.repeat(255), event_category: 'ü'.repeat(255), event_label: 'x'.repeat(255), event_value: 'x'.repeat(255), page_path: `/${'x'.repeat(499)}`, metadata: { a: 'x'.repeat(4096 - 8) } };
    const answer = await send('event', most);
    assert.equal(answer.status, 202, answer.text);
    await until(() => rowOf('events', answer.body.event_id), 'the longest one');
    const bad = [
        {}, { event_name: '' }, { event_name: ' ' }, { event_name: 1 }, { event_name: null }, { event_name: 'x', metadata: [] }, { event_name: 'x', metadata: 'x' }, { event_name: 'x', metadata: { a: 'x'.repeat(4096 - 7) } },
        { event_name: 'x', event_value: {} }, { event_name: 'x', site_id: 'zzz' }, { event_name: 'x', session_id: 'x'.repeat(256) },
        ...Object.entries(most).filter(([key]) => key !== 'metadata').map(([key, value]) => ({ ...most, [key]: value + 'x' })),
    ];
    for (const body of bad) {
        const refused = await send('event', body);
        assert.equal(refused.status, 400, JSON.stringify(body).slice(0, 100));
        assert.equal(refused.body.error, true);
    }
    const over = await send('event', undefined, { text: `{"event_name":"x"}${' '.repeat(8192 - 17)}` });
    assert.deepEqual([over.status, codeOf(over)], [413, 'CONTENT_TOO_LARGE']);
});

test('conversion_is_stored_before_it_is_answered_and_nothing_is_called_sent', async () => {
    const lead = await leadOf('a.example');
    const body = { conversion_type: 'sale', lead_id: lead, value: 99999999.99, currency: 'EUR', source: 's', campaign: 'c', gclid: 'g', fbclid: 'f', send_to_google: true, send_to_facebook: true };
    await stack.run(`insert into site_analytics (site_id, google_ads_id, google_ads_conversion_label, fb_pixel_id) values ('${a.id}', 'AW-1', 'l', '1')`);
    const answer = await send('conversion', body);
    assert.deepEqual([answer.status, answer.body.success, answer.body.sent], [200, true, { google: false, facebook: false }], answer.text);
    const { id, timestamp, ...row } = await rowOf('conversions', answer.body.conversion_id);
    const { send_to_google: g, send_to_facebook: f, ...kept } = body;
    assert.deepEqual(row, { site_id: a.id, ...kept, sent_to_google: false, sent_to_facebook: false });
    assert.ok(id && timestamp && g && f);
});

test('conversion_of_a_lead_and_type_is_one_however_many_ask', async () => {
    const lead = await leadOf('a.example');
    const answers = await Promise.all(Array.from({ length: 60 }, () => send('conversion', { conversion_type: 'call', lead_id: lead })));
    for (const answer of answers) assert.equal(answer.status, 200, answer.text);
    assert.equal(new Set(answers.map((x) => x.body.conversion_id)).size, 1);
    const others = [await send('conversion', { conversion_type: 'sale', lead: lead }), await send('conversion', { conversion_type: 'call' }), await send('conversion', { conversion_type: 'call' })];
    assert.equal(new Set([...others, answers[0]].map((x) => x.body.conversion_id)).size, 4);
    assert.equal((await stack.rows(`select count(*) from conversions where lead_id = '${lead}'`))[0][0], '2');
});

test('lead_of_another_site_is_as_good_as_none', async () => {
    const theirs = await leadOf('b.example');
    const before = await stack.rows('select count(*) from conversions');
    const refused = await send('conversion', { conversion_type: 'form', lead_id: theirs });
    const missing = await send('conversion', { conversion_type: 'form', lead_id: '99999999-9999-4999-8999-999999999999' });
    assert.deepEqual([refused.status, codeOf(refused), refused.text], [404, 'NOT_FOUND', missing.text]);
    assert.deepEqual(await stack.rows('select count(*) from conversions'), before);
});

test('conversions_with_faults_are_400', async () => {
    const type = { conversion_type: 'x' };
    for (const body of [{}, { conversion_type: '' }, { conversion_type: 'x'.repeat(101) }, { ...type, value: '5' }, { ...type, value: -1 }, { ...type, value: 100000000 }, { ...type, value: 99999999.999 }, { ...type, currency: 'usd' },
        { ...type, currency: 'US' }, { ...type, currency: '€€€' }, { ...type, lead_id: 'x' }, { ...type, gclid: 'x'.repeat(256) }, { ...type, send_to_google: 'yes' }])
        assert.equal((await send('conversion', body)).status, 400, JSON.stringify(body).slice(0, 80));
});

test('call_click_is_an_event_and_a_conversion', async () => {
    const answer = await send('call-click', { phone_number: '+1 555 0100', page_url: 'https://a.example/p/q?x=1#y', page_title: 'T', utm_campaign: 'c', gclid: 'g', visitor_id: 'v', session_id: 's' });
    assert.deepEqual([answer.status, answer.body.sent], [200, { google: false, facebook: false }], answer.text);
    const conversion = await rowOf('conversions', answer.body.conversion_id);
    assert.deepEqual([conversion.site_id, conversion.conversion_type, conversion.value, conversion.source, conversion.campaign], [a.id, 'call', 75, 'google_ads', 'c']);
    const [[text]] = await stack.rows(`select row_to_json(x) from events x where event_label = '+1 555 0100'`);
    const event = JSON.parse(text);
    assert.deepEqual([event.site_id, event.event_name, event.event_category, event.page_path, event.visitor_id, event.metadata],
        [a.id, 'call_click', 'engagement', '/p/q', 'v', { page_url: 'https://a.example/p/q?x=1#y', page_title: 'T', utm_campaign: 'c' }]);
    for (const body of [{}, { phone_number: ' ' }, { phone_number: 5 }, { phone_number: '1'.repeat(51) }, { phone_number: '1', page_url: 'x'.repeat(2049) }])
        assert.equal((await send('call-click', body)).status, 400);
});

test('addresses_are_cut_when_the_operator_says_so', async () => {
    const lead = await rowOf('leads', await leadOf('a.example'));
    assert.equal(lead.ip_address, '127.0.0.0');
});

test('i9_forwarded_address_is_nobodys_word_but_a_proxys', async () => {
    const answer = await stack.call({ method: 'POST', path: '/api/lead', host: 'a.example', body: { email: 'x@example.com' }, headers: { 'x-forwarded-for': '203.0.113.9', 'x-real-ip': '203.0.113.9' } });
    assert.equal((await rowOf('leads', answer.body.id)).ip_address, '127.0.0.0');
});

test('i6_host_that_only_looks_like_the_sites_stores_nothing', async () => {
    const tables = ['events', 'conversions', 'leads'];
    const count = () => stack.rows(tables.map((table) => `select count(*) from ${table}`).join(' union all '));
    const before = await count();
    for (const host of ['aa.example', 'a.example.evil', 'example', 'xa.example', '[::1]', 'a.example@b.example', 'unknown'])
        for (const [path, body] of [['event', { event_name: 'x' }], ['conversion', { conversion_type: 'x' }], ['call-click', { phone_number: '1' }], ['pageview', { page_path: '/' }]]) {
            const answer = await send(path, { ...body, site_id: a.id }, { host });
            const refusal = host.includes('@') ? [400, 'INVALID_PAYLOAD'] : [404, 'UNKNOWN_SITE'];
            assert.deepEqual([answer.status, codeOf(answer)], refusal, `${path} on ${host}`);
        }
    assert.deepEqual(await count(), before);
});

test('pages_of_the_sites_own_domains_may_read_the_answers_and_no_others', async () => {
    const visitors = (await readRoutes()).filter((route) => route.guard === 'GUARD_VISITOR');
    assert.equal(visitors.length, 6);
    for (const { pattern: path } of visitors) {
        const ask = (origin, host = 'api.platform', rest = {}) => stack.call({ method: 'POST', path, host, headers: { origin }, body: {}, ...rest });
        const preflight = (origin, host = 'api.platform') =>
            stack.call({ method: 'OPTIONS', path, host, headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' } });
        for (const origin of ['https://a.example', 'http://alias.a.example:8080', 'https://A.example']) {
            for (const host of ['api.platform', 'a.example']) {
                const answer = await preflight(origin, host);
                assert.deepEqual([answer.status, answer.text], [204, ''], `${path} ${origin}: ${answer.text}`);
                const { headers } = answer;
                assert.deepEqual(
                    [headers['access-control-allow-origin'], headers['access-control-allow-methods'], headers['access-control-allow-headers'], headers['access-control-max-age'], headers.vary, headers['access-control-allow-credentials']],
                    [origin, 'POST', 'content-type', '86400', 'origin', undefined]);
            }
            const refused = await ask(origin); // a 400, which the page must be able to read too
            assert.deepEqual([refused.headers['access-control-allow-origin'], refused.headers.vary], [origin, 'origin'], `${path}: ${refused.status} ${refused.text}`);
            assert.equal(refused.headers['access-control-allow-credentials'], undefined);
        }
        for (const [origin, host] of [['https://b.example', 'a.example'], ['https://a.example.evil', 'a.example'], ['null', 'a.example'], ['https://xa.example', 'a.example'], ['file://a.example', 'a.example'], ['https://a.example@evil', 'a.example'], ['https://nobody.example', 'api.platform']]) {
            assert.deepEqual([(await preflight(origin, host)).status, codeOf(await preflight(origin, host))], [403, 'FORBIDDEN'], `${origin} on ${host}`);
            assert.equal((await ask(origin, host)).headers['access-control-allow-origin'], undefined, origin);
        }
        assert.equal((await stack.call({ method: 'OPTIONS', path, host: 'a.example' })).status, 405);
    }
    const other = await stack.call({ method: 'OPTIONS', path: '/api/admin/site-tokens', host: 'a.example', headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' } });
    assert.deepEqual([other.status, other.headers['access-control-allow-origin']], [405, undefined]);
});
