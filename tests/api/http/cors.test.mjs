// Which pages may read answers: the platform's own all of them, those of a site what is their site's.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../../support/api.mjs';

const OWN = ['https://platform.example', 'https://admin.example:8443', 'http://localhost:4321', 'https://plain.example'];
const FOREIGN = ['null', 'https://platform.example.evil', 'https://evil.platform.example', 'https://xplatform.example', 'http://platform.example',
    'https://platform.example:8443', 'https://platform.example:443', 'https://admin.example', 'https://admin.example:844', 'https://platform.example/', 'https://platform.example@evil',
    'https://platform.example evil', 'https://', 'https', '*', 'true', 'file://platform.example', 'https://localhost:4321', 'http://localhost', 'https://other.example'];

let stack;
let a;
let b;
before(async () => {
    stack = await startApi({ env: { PUBLIC_URL: 'https://platform.example:443/base/', CORS_ORIGINS: 'https://admin.example:8443, http://localhost:4321 ,https://plain.example/,null,evil' } });
    a = await makeTenant(stack, 'A', 'a.example', ['alias.a.example']);
    b = await makeTenant(stack, 'B', 'b.example');
});
after(() => stack?.stop());

const allowed = ({ headers }) => [headers['access-control-allow-origin'], headers['access-control-allow-credentials']];
const preflight = (path, origin, method = 'PATCH', on = stack) =>
    on.call({ method: 'OPTIONS', path, headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization' } });

test('own_pages_read_every_answer_with_credentials_refusals_too', async () => {
    for (const origin of [...OWN, 'HTTPS://Platform.Example'])
        for (const [request, status] of [
            [{ path: '/items/posts', token: stack.adminToken }, 200],
            [{ path: '/items/posts', token: 'nonsense' }, 401],
            [{ path: '/items/leads' }, 403],
            [{ path: '/nowhere' }, 404],
            [{ path: '/api/nowhere' }, 404],
            [{ path: '/server/ping' }, 200],
            [{ path: '/api/admin/worklog' }, 401],
            [{ method: 'POST', path: '/api/lead', host: 'a.example', body: {} }, 400],
            [{ method: 'POST', path: '/auth/login', body: { email: 'x@example.com', password: 'x' } }, 401],
            [{ method: 'POST', path: '/items/posts', token: stack.adminToken, text: '{' }, 400],
        ]) {
            const answer = await stack.call({ ...request, headers: { origin } });
            assert.equal(answer.status, status, `${request.path}: ${answer.text}`);
            assert.deepEqual(allowed(answer), [origin, 'true'], `${request.path} from ${origin}`);
            assert.match(answer.headers['access-control-expose-headers'], /content-range/);
            assert.equal(answer.headers.vary, 'origin');
        }
});

test('other_pages_read_nothing', async () => {
    for (const origin of FOREIGN)
        for (const path of ['/items/posts', '/server/ping', '/nowhere', '/api/admin/worklog']) {
            const answer = await stack.call({ path, headers: { origin } });
            assert.deepEqual(allowed(answer), [undefined, undefined], `${path} from ${origin}`);
            assert.equal(answer.headers.vary, 'origin', 'a cache may not give it to another page');
        }
    const without = await stack.call({ path: '/items/posts' });
    assert.deepEqual([allowed(without), without.headers.vary], [[undefined, undefined], 'origin']);
});

test('a_preflight_of_an_own_page_is_204_and_names_methods_and_headers', async () => {
    for (const path of ['/items/posts', '/items/posts/1', '/api/seo/publish-article', '/god/schema/snapshot', '/api/lead', '/auth/login', '/nowhere']) {
        const { status, text, headers } = await preflight(path, OWN[1]);
        assert.deepEqual([status, text], [204, ''], path);
        assert.deepEqual([headers['access-control-allow-origin'], headers['access-control-allow-credentials'], headers['access-control-max-age'], headers.vary], [OWN[1], 'true', '86400', 'origin']);
        assert.deepEqual(headers['access-control-allow-methods'].split(', ').sort(), ['DELETE', 'GET', 'PATCH', 'POST', 'PUT', 'SEARCH']);
        for (const name of ['content-type', 'authorization', 'x-god-token']) assert.ok(headers['access-control-allow-headers'].split(', ').includes(name), name);
    }
});

test('a_preflight_of_another_page_opens_nothing', async () => {
    for (const origin of FOREIGN)
        for (const path of ['/items/posts', '/api/seo/publish-article', '/god/schema/snapshot']) {
            const answer = await preflight(path, origin);
            assert.deepEqual([allowed(answer), answer.headers['access-control-allow-headers'], answer.headers['access-control-allow-methods']], [[undefined, undefined], undefined, undefined], `${path} from ${origin}`);
            assert.ok(answer.status >= 400);
        }
});

test('pages_of_a_site_read_its_content_with_credentials_and_visitors_routes_without', async () => {
    const visitor = await preflight('/api/lead', 'https://a.example', 'POST');
    assert.deepEqual([visitor.status, allowed(visitor), visitor.headers['access-control-allow-headers']], [204, ['https://a.example', undefined], 'content-type']);
    for (const origin of ['https://a.example', 'http://a.example:3000', 'https://alias.a.example'])
        for (const [request, status] of [
            [{ path: '/items/posts', host: 'a.example', token: a.token }, 200],
            [{ path: '/items/posts', host: 'a.example' }, 200],
            [{ path: '/items/posts', token: a.token }, 200],
            [{ path: '/items/posts', token: 'nonsense' }, 401],
            [{ path: '/items/leads', host: 'a.example' }, 403],
            [{ path: '/users/me', host: 'a.example' }, 401],
            [{ method: 'SEARCH', path: '/items/posts', host: 'a.example', body: {} }, 200],
            [{ method: 'POST', path: '/auth/login', host: 'a.example', body: { email: 'x@example.com', password: 'x' } }, 401],
            [{ method: 'POST', path: '/items/posts', token: a.token, text: '{' }, 400],
        ]) {
            const answer = await stack.call({ ...request, headers: { origin } });
            assert.equal(answer.status, status, `${request.path}: ${answer.text}`);
            assert.deepEqual(allowed(answer), [origin, 'true'], `${request.path} from ${origin}`);
            for (const name of ['content-range', 'x-site-id', 'etag']) assert.ok(answer.headers['access-control-expose-headers'].split(', ').includes(name), name);
            assert.equal(answer.headers.vary, 'origin');
        }
});

test('a_preflight_of_a_sites_page_opens_the_content_api_on_its_hosts_alone', async () => {
    for (const method of ['GET', 'PATCH', 'SEARCH', 'DELETE'])
        for (const [host, status] of [['a.example', 204], ['alias.a.example', 204], ['127.0.0.1', 204], ['localhost:8055', 204], ['unknown.example', 204], ['b.example', 403]]) {
            const answer = await stack.call({ method: 'OPTIONS', path: '/items/posts', host, headers: { origin: 'https://a.example', 'access-control-request-method': method, 'access-control-request-headers': 'authorization' } });
            assert.equal(answer.status, status, `${method} on ${host}: ${answer.text}`);
            assert.deepEqual(allowed(answer), status === 204 ? ['https://a.example', 'true'] : [undefined, undefined], host);
            if (status !== 204) continue;
            assert.deepEqual(answer.headers['access-control-allow-methods'].split(', ').sort(), ['DELETE', 'GET', 'PATCH', 'POST', 'PUT', 'SEARCH']);
            assert.equal(answer.headers['access-control-allow-headers'], 'content-type, authorization, x-site-id');
        }
    for (const path of ['/api/seo/publish-article', '/api/admin/site-tokens', '/god/schema/snapshot', '/nowhere'])
        assert.deepEqual(allowed(await preflight(path, 'https://a.example', 'POST')), [undefined, undefined], path);
});

test('a_page_of_a_site_reads_nothing_of_another_or_of_the_platform', async () => {
    for (const [request, status] of [
        [{ path: '/items/posts', token: stack.adminToken }, 200],
        [{ path: '/items/posts', token: stack.adminToken, headers: { 'x-site-id': b.id } }, 200],
        [{ path: '/items/posts', token: b.token }, 200],
        [{ path: '/items/posts', host: 'b.example' }, 200],
        [{ path: '/items/posts', host: 'b.example', token: 'nonsense' }, 401],
        [{ path: '/metrics', token: stack.adminToken }, 200],
        [{ path: '/api/admin/worklog', token: a.token }, 200],
        [{ path: '/server/ping', host: 'b.example' }, 200],
    ]) {
        const answer = await stack.call({ ...request, headers: { ...request.headers, origin: 'https://a.example' } });
        assert.equal(answer.status, status, `${request.path}: ${answer.text}`);
        assert.deepEqual(allowed(answer), [undefined, undefined], JSON.stringify(request));
    }
    const narrowed = await stack.call({ path: '/items/posts', token: stack.adminToken, headers: { origin: 'https://a.example', 'x-site-id': a.id } });
    assert.deepEqual(allowed(narrowed), ['https://a.example', 'true']);
});

test('star_lets_every_page_read_but_never_with_credentials', async () => {
    // What a Directus project calls it.
    const open = await startApi({ env: { CORS_ENABLED: 'true', CORS_ORIGIN: 'true' } });
    try {
        for (const origin of ['https://anybody.example', 'null']) {
            const answer = await open.call({ path: '/items/posts', headers: { origin } });
            assert.deepEqual([allowed(answer), answer.headers.vary], [['*', undefined], 'origin']);
            const { status, headers } = await preflight('/items/posts', origin, 'SEARCH', open);
            assert.deepEqual([status, headers['access-control-allow-origin'], headers['access-control-allow-credentials']], [204, '*', undefined]);
            assert.doesNotMatch(headers['access-control-allow-headers'], /god/);
            assert.match(headers['access-control-allow-headers'], /authorization/);
        }
    } finally {
        await open.stop();
    }
});

test('switched_off_or_not_named_no_page_reads_and_nothing_depends_on_it', async () => {
    for (const env of [{ CORS_ENABLED: 'false', CORS_ORIGINS: OWN[1], PUBLIC_URL: OWN[0] }, {}]) {
        const closed = await startApi({ env });
        try {
            const answer = await closed.call({ path: '/items/posts', headers: { origin: OWN[0] } });
            assert.deepEqual(allowed(answer), [undefined, undefined]);
            assert.equal((await closed.call({ path: '/api/admin/worklog', headers: { origin: OWN[0] } })).headers.vary, undefined);
            assert.ok((await preflight('/items/posts', OWN[0], 'PATCH', closed)).status >= 400);
        } finally {
            await closed.stop();
        }
    }
});
