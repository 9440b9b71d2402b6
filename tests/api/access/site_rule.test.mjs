// How a request finds its site (docs/sites.md): every kind of token, on every kind of host, from every kind of page,
// with and without X-Site-Id, against the rule in ten lines. X-Site-Id of the answer says which site it was.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, startApi } from '../../support/api.mjs';

let stack;
let a;
let b;
let tokens;
before(async () => {
    stack = await startApi({ env: { LOGIN_STALL_TIME: '0' } });
    a = await makeTenant(stack, 'A', 'a.example', ['alias.a.example']);
    b = await makeTenant(stack, 'B', 'b.example', ['localhost']); // as the demo owns it
    await stack.run(`insert into directus_users (id, email, password, site_id) select gen_random_uuid(), e.name, u.password, e.site from directus_users u,
        (values ('of-a@example.com', '${a.id}'::uuid), ('of-nobody@example.com', null)) e (name, site) where u.email = '${stack.env.ADMIN_EMAIL}'`);
    const login = async (email) => (await stack.call({ method: 'POST', path: '/auth/login', body: { email, password: stack.env.ADMIN_PASSWORD } })).body.data.access_token;
    tokens = [
        ['no token', undefined, undefined],
        ['a site token', a.token, a],
        ['a site token that may only read', a.readToken, a],
        ['a user of a site', await login('of-a@example.com'), a],
        ['ADMIN_TOKEN', stack.adminToken, 'platform'],
        ['an administrator', await login(stack.env.ADMIN_EMAIL), 'platform'],
        ['a user of no site', await login('of-nobody@example.com'), 'platform'],
    ];
});
after(() => stack?.stop());

const HOSTS = { 'a.example': 'a', 'ALIAS.a.example:8055': 'a', 'b.example': 'b', 'unknown.example': undefined, '127.0.0.1:8055': undefined, 'localhost:8055': 'b', '[::1]': undefined };
const ORIGINS = { '': undefined, 'https://a.example': 'a', 'http://b.example:3000': 'b', 'http://localhost:3000': 'b', 'https://evil.example': undefined, null: undefined };
const LOOPBACK = ['127.0.0.1:8055', 'localhost:8055', '[::1]'];

/* The rule: the id of the site, 'platform', 'none', or a refusal. */
function ruled(bound, host, origin, selector) {
    const named = (key) => ({ a, b })[key];
    if (selector === 'nonsense') return 'INVALID_PAYLOAD';
    if (bound === 'platform') return selector ?? 'platform';
    if (bound === undefined) return (named(HOSTS[host]) ?? named(ORIGINS[origin]))?.id ?? 'none';
    if (!LOOPBACK.includes(host) && HOSTS[host] && named(HOSTS[host]) !== bound) return 'FORBIDDEN';
    return selector && selector !== bound.id ? 'FORBIDDEN' : bound.id;
}

/* Whether a page may read it: what is of its site; of refusals before the site is known, those on no other's host. */
function readable(site, host, origin) {
    const page = ({ a, b })[ORIGINS[origin]];
    if (!page) return false;
    if (['INVALID_PAYLOAD', 'FORBIDDEN'].includes(site)) return LOOPBACK.includes(host) || [undefined, ORIGINS[origin]].includes(HOSTS[host]);
    return site === page.id;
}

test('token_then_selector_then_host_then_origin', async () => {
    let tried = 0;
    for (const [kind, token, bound] of tokens)
        for (const host of Object.keys(HOSTS))
            for (const origin of Object.keys(ORIGINS))
                for (const selector of [undefined, a.id, b.id, 'nonsense']) {
                    const headers = { ...(origin ? { origin } : {}), ...(selector ? { 'x-site-id': selector } : {}) };
                    const answer = await stack.call({ path: '/items/posts?fields=site_id&limit=-1', host, token, headers });
                    const what = `${kind} on ${host} from '${origin}' with ${selector}: ${answer.status} ${answer.text.slice(0, 200)}`;
                    const want = ruled(bound, host, origin, selector);
                    if (['INVALID_PAYLOAD', 'FORBIDDEN'].includes(want)) {
                        assert.equal(codeOf(answer), want, what);
                    } else {
                        assert.equal(answer.headers['x-site-id'], ['platform', 'none'].includes(want) ? undefined : want, what);
                        for (const post of answer.body.data ?? []) assert.ok(want === 'platform' || post.site_id === want, what);
                    }
                    assert.equal(answer.headers['access-control-allow-origin'], readable(want, host, origin) ? origin : undefined, what);
                    tried++;
                }
    assert.equal(tried, 7 * 7 * 6 * 4);
});

test('the_header_names_the_site_that_a_body_or_an_id_implies', async () => {
    const narrowed = await stack.call({ path: `/api/seo/stats?site_id=${b.id}`, token: stack.adminToken });
    assert.deepEqual([narrowed.status, narrowed.headers['x-site-id']], [200, b.id]);
    const refused = await stack.call({ path: '/items/leads', host: 'a.example' });
    assert.deepEqual([refused.status, refused.headers['x-site-id']], [403, a.id]);
    const robots = await stack.call({ path: '/robots.txt', host: 'a.example' });
    assert.equal(robots.headers['x-site-id'], a.id);
});

test('crawlers_routes_go_by_the_host_alone', async () => {
    const answer = await stack.call({ path: '/sitemap.xml', host: 'unknown.example', token: a.token, headers: { origin: 'https://a.example', 'x-site-id': a.id } });
    assert.equal(answer.headers['x-site-id'], undefined);
});

test('a_row_that_a_site_does_not_see_is_403_to_its_token_and_204_to_the_platform', async () => {
    const missing = '99999999-9999-4999-8999-999999999999';
    for (const id of [b.posts[0].id, missing])
        for (const request of [
            { method: 'PATCH', path: `/items/posts/${id}`, body: { title: 'x' } },
            { method: 'DELETE', path: `/items/posts/${id}` },
            { method: 'PATCH', path: '/items/posts', body: { keys: [a.posts[0].id, id], data: { title: 'x' } } },
            { method: 'PATCH', path: '/items/posts', body: [{ id: a.posts[0].id, title: 'x' }, { id, title: 'x' }] },
            { method: 'DELETE', path: '/items/posts', body: [a.posts[0].id, id] },
        ]) {
            const answer = await stack.call({ ...request, token: a.token });
            assert.deepEqual([answer.status, codeOf(answer)], [403, 'FORBIDDEN'], `${request.method} ${JSON.stringify(request.body)}`);
        }
    assert.deepEqual(await stack.rows(`select count(*) from posts where title = 'x'`), [['0']], 'all or nothing');
    assert.equal((await stack.rows(`select count(*) from posts where id in ('${a.posts[0].id}', '${b.posts[0].id}')`))[0][0], '2');
    for (const method of ['PATCH', 'DELETE'])
        assert.equal((await stack.call({ method, path: `/items/posts/${missing}`, token: stack.adminToken, body: method === 'PATCH' ? { title: 'x' } : undefined })).status, 204);
    assert.equal((await stack.call({ method: 'DELETE', path: `/items/posts/${a.posts[0].id}`, token: a.token })).status, 204);
});
