// Whose host it is, from the bytes on the wire to the row: exact, whatever way it is written, and
// believed from nobody but the client's own request and proxies that are ours.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { makeTenant, raw, startApi } from '../../support/api.mjs';

let stack;
let proxied;
let a;
let b;
let names;
const sites = {};
before(async () => {
    stack = await startApi();
    a = await makeTenant(stack, 'A', 'a.example', ['alias.a.example']);
    b = await makeTenant(stack, 'B', 'b.example');
    sites.munich = await makeTenant(stack, 'München', 'München.example', ['[2001:0DB8:0:0::1]', 'STRASSE。example.']);
    sites.cyrillic = await makeTenant(stack, 'Cyrillic', '\u0430.example');
    sites.puny = await makeTenant(stack, 'Puny', 'xn--bcher-kva.example');
    names = new Map([a, b, ...Object.values(sites)].map((t) => [t.id, t.name]));
});
after(async () => {
    await proxied?.stop();
    await stack?.stop();
});

/* Who answers to these bytes: the name of the site whose posts are seen, '-' if none, or a status. */
async function whose(head, on = stack) {
    const bytes = Buffer.from(`${head.replaceAll('\n', '\r\n')}\r\nConnection: close\r\n\r\n`, 'utf8');
    const { text } = await raw(on, bytes);
    const status = Number(text.slice(9, 12));
    if (status !== 200) return status;
    const ids = [...new Set(JSON.parse(text.slice(text.indexOf('\r\n\r\n'))).data.map((post) => post.site_id))];
    assert.ok(ids.length <= 1, text);
    return ids.length === 0 ? '-' : names.get(ids[0]);
}
const PATH = '/items/posts?fields=site_id';
const at = (host) => whose(`GET ${PATH} HTTP/1.1\nHost: ${host}`);
const check = async (want, hosts) => {
    for (const host of hosts) assert.equal(await at(host), want, JSON.stringify(host));
};

test('a_name_is_one_host_however_it_is_written', async () => {
    await check('A', ['a.example', 'A.EXAMPLE', 'a.example.', 'a.example:8055', 'A.Example.:80', '  a.example  ', 'alias.a.example', 'ALIAS.a.example.', 'a\u3002example']);
    await check('B', ['b.example']);
});

test('neighbours_of_a_name_are_nobody', async () => {
    await check('-', ['aa.example', 'a.example.evil', 'evil.a.example', 'xa.example', 'example', '.a.example', 'a.example..', 'a..example', 'a.example.b.example',
        'a_example', 'a-example', 'www.a.example', '*.a.example', '127.0.0.1', 'localhost', '']);
});

test('what_is_no_host_is_nobody', async () => {
    for (const host of ['a.example:evil', 'a.example:80:80', 'a.example:123456', 'a.example@b.example', 'b.example@a.example', 'a%2eexample', 'a.example/', 'a.example?', 'a.example#',
        "a.example'--", 'a.example,b.example', 'a.example b.example', 'http://a.example', '[a.example]', '[]', '[::1', '::1', 'a\u2100example', 'x'.repeat(300), `${'a.'.repeat(140)}example`])
        assert.ok(['-', 400].includes(await at(host)), host);
});

test('unicode_and_punycode_of_a_name_are_one_host_and_lookalikes_are_not', async () => {
    await check('München', ['m\u00fcnchen.example', 'M\u00dcNCHEN.EXAMPLE', 'mu\u0308nchen.example', 'xn--mnchen-3ya.example', 'XN--MNCHEN-3YA.example.:8055', 'strasse.example']);
    await check('Cyrillic', ['\u0430.example', 'xn--80a.example']);
    await check('Puny', ['b\u00fccher.example', 'xn--bcher-kva.example']);
    await check('-', ['munchen.example', 'xn--mnchen-3yb.example', 'm\u00fcnchen.example.evil', 'stra\u00dfe.example']);
    assert.equal(await whose(`GET ${PATH} HTTP/1.1\nHost: \u0430.example`), 'Cyrillic');
});

test('two_spellings_of_a_name_belong_to_one_site', async () => {
    for (const domain of ['XN--mnchen-3ya.example', 'MÜNCHEN.example.', 'xn--80a.example', 'bücher.example', 'A.EXAMPLE.']) {
        const answer = await stack.call({ method: 'POST', path: '/items/sites', token: stack.adminToken, body: { name: 'thief', domain } });
        assert.equal(answer.status, 400, `${domain}: ${answer.text}`);
    }
    const rows = await stack.rows('select domain from spark.site_domains order by 1');
    assert.ok(rows.every(([domain]) => /^[\x21-\x7e]+$/.test(domain)), JSON.stringify(rows));
});

test('an_ipv6_literal_is_an_address_not_a_text', async () => {
    await check('München', ['[2001:db8::1]', '[2001:DB8::1]:8055', '[2001:0db8:0000:0000:0000:0000:0000:0001]', '[2001:db8:0:0:0:0:0:1]:1']);
    await check('-', ['[2001:db8::2]', '[::1]', '[::1]:8055', '[2001:db8::1%25eth0]']);
});

test('one_host_header_and_one_target_that_agrees_with_it', async () => {
    assert.equal(await whose(`GET ${PATH} HTTP/1.1\nHost: a.example\nHost: b.example`), 400);
    assert.equal(await whose(`GET ${PATH} HTTP/1.1\nHost: a.example\nhOsT: a.example`), 400);
    assert.equal(await whose(`GET ${PATH} HTTP/1.1\nHost: a.example\n Host: b.example`), 400);
    assert.equal(await whose(`GET ${PATH} HTTP/1.1\nAccept: x`), 400);
    assert.equal(await whose(`GET http://a.example${PATH} HTTP/1.1\nHost: a.example`), 'A');
    assert.equal(await whose(`GET HTTP://A.example${PATH} HTTP/1.1\nHost: a.EXAMPLE`), 'A');
    assert.equal(await whose(`GET http://b.example${PATH} HTTP/1.1\nHost: a.example`), 400);
    assert.equal(await whose(`GET http://a.example@b.example${PATH} HTTP/1.1\nHost: a.example`), 400);
    assert.equal(await whose(`GET //b.example${PATH} HTTP/1.1\nHost: a.example`), 404);
});

test('a_forwarded_host_is_believed_from_our_proxies_alone', async () => {
    const ask = (headers, on) => whose(`GET ${PATH} HTTP/1.1\nHost: a.example\n${headers}`, on);
    for (const name of ['X-Forwarded-Host', 'Forwarded', 'X-Host', 'X-Original-Host', 'X-HTTP-Host-Override'])
        assert.equal(await ask(`${name}: b.example`), 'A', name);
    proxied = await startApi({ env: { TRUSTED_PROXIES: '127.0.0.1' } });
    const [x, y] = [await makeTenant(proxied, 'A', 'a.example'), await makeTenant(proxied, 'B', 'b.example')];
    names.set(x.id, 'A').set(y.id, 'B');
    assert.equal(await ask('X-Forwarded-Host: b.example', proxied), 'B');
    assert.equal(await ask('X-Forwarded-Host: a.example, B.example.:443', proxied), 'B', 'what the nearest proxy added counts');
    assert.equal(await ask('X-Forwarded-Host: a.example\nX-Forwarded-Host: b.example', proxied), 'B');
    assert.equal(await ask('X-Forwarded-Host: evil.example', proxied), '-');
    assert.equal(await ask('X-Forwarded-Host:', proxied), 'A');
    assert.equal(await ask('Forwarded: host=b.example', proxied), 'A');
    const away = await proxied.call({ path: PATH, host: 'a.example', token: x.token, headers: { 'x-forwarded-host': 'b.example' } });
    assert.equal(away.status, 403, 'a token of A on the host of B');
});

test('a_change_of_hosts_counts_with_the_next_request', async () => {
    const change = (body) => stack.call({ method: 'PATCH', path: `/items/sites/${b.id}`, token: stack.adminToken, body });
    await check('-', ['new.example']);
    assert.equal((await change({ domain_aliases: ['NEW.example'] })).status, 200);
    await check('B', ['new.example', 'b.example']);
    assert.equal((await change({ status: 'inactive' })).status, 200);
    await check('-', ['new.example', 'b.example']);
    assert.equal((await change({ status: 'active', domain_aliases: [] })).status, 200);
    await check('-', ['new.example']);
    await check('B', ['b.example']);
});
