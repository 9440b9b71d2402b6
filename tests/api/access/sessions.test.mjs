// Sessions in Directus' three modes: who gets which token where, how long it lasts, and which pages a cookie
// works for.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { codeOf, jwt, makeTenant, startApi } from '../../support/api.mjs';
import { Child, binary, freePort, secrets, until } from '../../support/stack.mjs';

const USERS = ['plain', 'second', 'lost', 'foe'].map((name) => `${name}@example.com`);
const PASSWORD = secrets.ADMIN_PASSWORD;
const ADMIN = secrets.ADMIN_EMAIL;
let stack;
let a;
let b;
before(async () => {
    stack = await startApi({ env: { LOGIN_STALL_TIME: '0', SESSION_REFRESH_GRACE_PERIOD: '5', PUBLIC_URL: 'https://platform.example' } });
    a = await makeTenant(stack, 'A', 'a.example', ['api.a.example']);
    b = await makeTenant(stack, 'B', 'b.example', ['api.b.example']);
    await stack.run(`insert into directus_users (id, email, password, site_id) select gen_random_uuid(), e.name, u.password, e.site from directus_users u,
        (values ${USERS.map((name) => `('${name}', null::uuid)`).join(',')}, ('of-a@example.com', '${a.id}'), ('of-b@example.com', '${b.id}')) e (name, site) where u.email = '${ADMIN}'`);
});
after(() => stack?.stop());

const post = (target, body, more = {}) => stack.call({ method: 'POST', path: target, body, ...more });
const login = (mode, email = USERS[0], more = {}) => post('/auth/login', { email, password: PASSWORD, mode }, more);
const refresh = (body, cookie, more = {}) => post('/auth/refresh', body, { ...more, headers: { ...(cookie ? { cookie } : {}), ...more.headers } });
const logout = (body, cookie, more = {}) => post('/auth/logout', body, { ...more, headers: { ...(cookie ? { cookie } : {}), ...more.headers } });
const me = (cookie, headers = {}, more = {}) => stack.call({ path: '/users/me?fields=id', headers: { cookie, ...headers }, ...more });
/* "name=value" of the cookies that an answer sets. */
const cookies = (answer) => (answer.headers['set-cookie'] ?? []).map((text) => text.split(';')[0]);
const sessionOf = async (email, more) => cookies(await login('session', email, more))[0];
const claims = (token) => JSON.parse(Buffer.from(token.replace(/^[^=]*=/, '').split('.')[1], 'base64url'));
const outcome = (answer) => [answer.status, codeOf(answer)];
const CLEARED = 'directus_session_token=';

test('the_mode_says_which_token_is_in_the_body_and_which_in_a_cookie', async () => {
    const json = await login('json');
    assert.deepEqual(Object.keys(json.body.data), ['expires', 'refresh_token', 'access_token']);
    assert.equal(json.body.data.expires, 900000);
    assert.deepEqual(cookies(json), []);
    const cookie = await login('cookie');
    assert.deepEqual(Object.keys(cookie.body.data), ['expires', 'access_token']);
    assert.match(cookie.headers['set-cookie'][0], /^directus_refresh_token=[\w-]{64}; Max-Age=604800; Path=\/; Expires=\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT; HttpOnly; SameSite=Lax$/);
    const session = await login('session');
    assert.deepEqual(session.body, { data: { expires: 86400000 } });
    assert.match(session.headers['set-cookie'][0], /^directus_session_token=[\w.-]+; Max-Age=86400; Path=\/; Expires=[^;]+ GMT; HttpOnly; SameSite=Lax$/);
    const { id, session: key, iat, exp, iss } = claims(cookies(session)[0]);
    assert.deepEqual([typeof id, key.length, exp - iat, iss], ['string', 64, 86400, 'directus']);
    assert.equal(claims(json.body.data.access_token).session, undefined);
    for (const answer of [json, cookie, session]) assert.equal(answer.headers['cache-control'], 'no-store');
});

test('a_session_cookie_is_a_token_for_every_route_and_gives_way_to_others', async () => {
    const cookie = await sessionOf();
    const id = claims(cookie).id;
    assert.deepEqual((await me(cookie)).body, { data: { id } });
    const { access_token: other } = (await login('json', USERS[1])).body.data;
    assert.equal((await me(cookie, { authorization: `Bearer ${other}` })).body.data.id, claims(other).id);
    assert.equal((await stack.call({ path: `/users/me?fields=id&access_token=${other}`, headers: { cookie } })).body.data.id, claims(other).id);
    const both = await stack.call({ path: `/users/me?access_token=${other}`, token: other });
    assert.deepEqual([both.status, both.body.errors[0].extensions], [400, { reason: 'The request uses more than one method for including an access token', code: 'INVALID_PAYLOAD' }]);
    assert.equal((await me('directus_session_token=')).status, 401, 'an empty cookie is none');
    assert.equal((await stack.call({ path: '/server/info', headers: { cookie: 'directus_session_token=' } })).status, 200);
});

test('a_bad_token_in_the_cookie_is_refused_once_and_cleared', async () => {
    const expired = jwt({ id: a.id, role: null, app_access: false, admin_access: false, session: 'x', iat: 1, exp: 2, iss: 'directus' });
    const forged = jwt({ id: a.id, role: null, app_access: false, admin_access: true, iat: 1, exp: 9999999999, iss: 'directus' }, { secret: 'x'.repeat(40) });
    for (const [value, want] of [['garbage', [401, 'INVALID_CREDENTIALS']], [expired, [401, 'TOKEN_EXPIRED']], [forged, [403, 'INVALID_TOKEN']]])
        for (const target of ['/users/me', '/server/info', '/items/posts', '/nowhere']) {
            const answer = await stack.call({ path: target, headers: { cookie: `directus_session_token=${value}` } });
            assert.deepEqual([outcome(answer), cookies(answer)], [want, [CLEARED]], target);
        }
    const bearer = await stack.call({ path: '/users/me', token: 'garbage' });
    assert.deepEqual([bearer.status, cookies(bearer)], [401, []]);
    assert.equal((await stack.call({ path: '/server/ping', headers: { cookie: 'directus_session_token=garbage' } })).status, 200);
});

test('a_refreshed_session_is_new_and_the_old_one_lasts_a_moment_for_requests_on_their_way', async () => {
    const old = await sessionOf();
    const all = await Promise.all(Array.from({ length: 8 }, () => refresh({ mode: 'session' }, old)));
    for (const answer of all) assert.deepEqual([answer.status, answer.body], [200, { data: { expires: 86400000 } }]);
    const next = new Set(all.map((answer) => claims(cookies(answer)[0]).session));
    assert.equal(next.size, 1, 'one new session, however many tabs refresh it');
    assert.ok(!next.has(claims(old).session));
    assert.equal((await me(old)).status, 200);
    const fresh = cookies(all[0])[0];
    await until(async () => (await me(old)).status === 401, 'the end of the old session');
    assert.deepEqual(outcome(await refresh({ mode: 'session' }, old)), [401, 'INVALID_CREDENTIALS']);
    assert.equal((await me(fresh)).status, 200);
});

test('a_refresh_token_is_used_once_and_only_in_the_way_that_its_mode_says', async () => {
    const { refresh_token: token } = (await login('json')).body.data;
    const races = await Promise.all(Array.from({ length: 6 }, () => refresh({ refresh_token: token })));
    assert.equal(races.filter((answer) => answer.status === 200).length, 1);
    const cookie = cookies(await login('cookie'))[0];
    for (const [body, sent] of [[{ mode: 'json' }, cookie], [{ mode: 'session' }, cookie], [{ mode: 'cookie', refresh_token: 'x' }, undefined], [{ mode: 'session', refresh_token: 'x' }, undefined], [{}, undefined],
        [{ mode: 'json' }, await sessionOf()], [{ mode: 'cookie' }, await sessionOf()], [{ mode: 'wrong', refresh_token: 'x' }, undefined]]) {
        for (const call of [refresh, logout]) {
            const answer = await call(body, sent);
            assert.equal(answer.body.errors[0].extensions.reason, 'The refresh token is required in either the payload or cookie', JSON.stringify(body));
        }
    }
    const again = await refresh(undefined, cookie);
    assert.deepEqual([again.status, cookies(again).length, 'refresh_token' in again.body.data], [200, 1, false]);
    assert.equal((await refresh(undefined, cookie)).status, 401);
});

test('a_logout_ends_the_session_on_every_server_and_clears_what_was_sent', async () => {
    const port = await freePort();
    const other = new Child('second server', binary, ['server'], { env: { ...stack.env, PORT: String(port) } });
    try {
        await until(async () => (await stack.call({ path: '/server/ping', port }).catch(() => ({}))).status === 200, 'the second server');
        const cookie = await sessionOf();
        for (let i = 0; i < 3; i++) assert.equal((await me(cookie, {}, { port })).status, 200);
        const ended = await logout({ mode: 'session' }, `${cookie}; directus_refresh_token=x`);
        assert.deepEqual([ended.status, ended.text, cookies(ended)], [204, '', ['directus_refresh_token=', CLEARED]]);
        assert.equal((await me(cookie, {}, { port })).status, 401);
        assert.equal((await me(cookie)).status, 401);
        assert.deepEqual(outcome(await refresh({ mode: 'session' }, cookie)), [401, 'INVALID_CREDENTIALS']);
        assert.deepEqual(outcome(await logout({ mode: 'session' }, cookie)), [401, 'INVALID_CREDENTIALS']);
    } finally {
        await other.stop();
    }
    assert.equal((await logout({ refresh_token: 'unknown' })).status, 204);
});

test('a_logout_leaves_its_activity_and_one_of_nobody_leaves_none', async () => {
    const { refresh_token: token } = (await login('json')).body.data;
    const left = () => stack.rows(`select "user"::text = item, collection, ip, user_agent from directus_activity where action = 'logout' order by id`);
    const before = await left();
    const send = (refresh_token) => stack.call({ method: 'POST', path: '/auth/logout', body: { refresh_token, mode: 'json' }, headers: { 'user-agent': 'who leaves' } });
    assert.equal((await send(token)).status, 204);
    assert.equal((await send(token)).status, 204);
    assert.deepEqual((await left()).slice(before.length), [['t', 'directus_users', '127.0.0.1', 'who leaves']]);
});

test('a_logout_in_the_grace_period_does_not_leave_the_session_that_was_replaced', async () => {
    const old = await sessionOf();
    const fresh = cookies(await refresh({ mode: 'session' }, old))[0];
    assert.equal((await logout({ mode: 'session' }, fresh)).status, 204);
    assert.equal((await me(old)).status, 401);
    assert.equal((await refresh({ mode: 'session' }, old)).status, 401);
});

test('a_user_who_is_no_longer_active_has_no_session_left', async () => {
    const statusTo = (status) => stack.run(`update directus_users set status = '${status}' where email = '${USERS[2]}'`);
    for (const [status, code] of [['suspended', 'USER_SUSPENDED'], ['archived', 'INVALID_CREDENTIALS']]) {
        const session = await sessionOf(USERS[2]);
        const { refresh_token: token } = (await login('json', USERS[2])).body.data;
        await statusTo(status);
        assert.equal((await me(session)).status, 401);
        assert.deepEqual(outcome(await login('session', USERS[2])), [401, 'INVALID_CREDENTIALS']);
        const refused = await refresh({ mode: 'session' }, session);
        assert.deepEqual([outcome(refused), cookies(refused)], [[401, code], [CLEARED]]);
        assert.deepEqual(outcome(await refresh({ refresh_token: token })), [401, code]);
        await statusTo('active');
        assert.equal((await me(session)).status, 401, 'the session went with the refusal');
        assert.deepEqual(outcome(await refresh({ refresh_token: token })), [401, 'INVALID_CREDENTIALS']);
    }
});

/* The code of an authenticator app for the secret "12345678901234567890", `steps` of 30 seconds from now. */
function otp(steps = 0) {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps));
    const mac = createHmac('sha1', '12345678901234567890').update(counter).digest();
    return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).padStart(6, '0');
}

test('a_user_with_an_authenticator_app_needs_its_code_after_the_password', async () => {
    const email = 'careful@example.com';
    await stack.run(`insert into directus_users (id, email, password, tfa_secret) select gen_random_uuid(), '${email}', password, 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' from directus_users where email = '${ADMIN}'`);
    const tried = (code, password = PASSWORD) => post('/auth/login', { email, password, ...(code === undefined ? {} : { otp: code }) });
    assert.deepEqual(outcome(await tried(undefined)), [401, 'INVALID_OTP']);
    for (const code of ['', '000000', 'x', otp(2), otp(-3)]) assert.deepEqual(outcome(await tried(code)), [401, 'INVALID_OTP'], code);
    assert.deepEqual(outcome(await tried(otp(), 'wrong')), [401, 'INVALID_CREDENTIALS']);
    assert.deepEqual(outcome(await tried(5)), [400, 'INVALID_PAYLOAD']);
    assert.equal((await tried(otp())).status, 200);
    assert.equal((await post('/auth/login', { email: USERS[0], password: PASSWORD, otp: '123456' })).status, 200, 'nobody asks the others');
    // Guesses of the code are guesses: six digits are few.
    const guesses = await Promise.all(Array.from({ length: 12 }, (_, n) => tried(String(100000 + n))));
    assert.ok(guesses.some((answer) => answer.status === 429));
    assert.equal((await tried(undefined)).status, 429);
});

test('a_session_is_of_its_user_and_cannot_be_borrowed', async () => {
    const mine = claims(await sessionOf(USERS[3]));
    const theirs = claims(await sessionOf(USERS[0]));
    // A token that Spark would sign for one user, with the session of another: nobody can make it, and it is worth nothing.
    const mixed = jwt({ ...mine, session: theirs.session });
    assert.equal((await me(`directus_session_token=${mixed}`)).status, 401);
    const admin = (await stack.rows(`select id from directus_users where email = '${ADMIN}'`))[0][0];
    assert.equal((await me(`directus_session_token=${jwt({ ...mine, id: admin })}`)).status, 401);
});

test('a_session_that_a_client_brings_is_never_taken_over_by_a_login', async () => {
    const brought = await sessionOf(USERS[3]);
    const answer = await login('session', USERS[0], { headers: { cookie: brought } });
    assert.equal(answer.status, 200);
    assert.notEqual(claims(cookies(answer)[0]).session, claims(brought).session);
    assert.equal((await me(brought)).body.data.id, claims(brought).id);
});

test('sessions_and_tokens_are_in_no_log', async () => {
    const cookie = await sessionOf();
    const fresh = cookies(await refresh({ mode: 'session' }, cookie))[0];
    const { refresh_token: token, access_token: access } = (await login('json')).body.data;
    await me('directus_session_token=garbage-of-the-log-test');
    await stack.call({ path: `/users/me?access_token=${access}` });
    const text = await readFile(path.join(stack.folder, 'server.log'), 'utf8');
    for (const secret of [claims(cookie).session, claims(fresh).session, token, access, 'garbage-of-the-log-test']) assert.ok(!text.includes(secret), secret);
    const rows = await stack.rows(`select count(*) from directus_activity where action = 'login' and (coalesce(item, '') like '%${token}%')`);
    assert.deepEqual(rows, [['0']]);
});

test('an_administrators_list_of_sessions_conceals_their_tokens', async () => {
    const cookie = await sessionOf();
    const { refresh_token: token } = (await login('json')).body.data;
    for (const target of ['/users?fields=*.*', '/activity?limit=-1&fields=*.*', '/items/directus_sessions', '/sessions']) {
        const { text } = await stack.call({ path: target, token: stack.adminToken });
        for (const secret of [token, claims(cookie).session]) assert.ok(!text.includes(secret), target);
    }
});

/* Pages: { origin, host } of a request, and whose cookie counts there. */
const PAGES = [
    [{ host: 'unknown.example' }, ['admin', 'a', 'b']], // no page, such as curl
    [{ host: 'unknown.example', origin: 'http://unknown.example' }, ['admin', 'a', 'b']],
    [{ host: 'unknown.example:8055', origin: 'https://unknown.example:8055' }, ['admin', 'a', 'b']],
    [{ host: 'unknown.example', origin: 'https://platform.example' }, ['admin', 'a', 'b']], // PUBLIC_URL
    [{ host: '127.0.0.1:8055', origin: 'https://hidden.example', fetch: 'same-origin' }, ['admin', 'a', 'b']], // a proxy that replaces Host
    [{ host: 'api.a.example', origin: 'https://a.example' }, ['a']],
    [{ host: 'a.example', origin: 'https://a.example' }, ['admin', 'a']], // B's token contradicts the host
    [{ host: 'api.a.example', origin: 'https://b.example' }, []],
    [{ host: 'unknown.example', origin: 'https://a.example' }, []],
    [{ host: 'unknown.example', origin: 'https://a.example', fetch: 'same-site' }, []],
    [{ host: 'unknown.example', origin: 'https://evil.example', fetch: 'cross-site' }, []],
    [{ host: 'unknown.example', origin: 'https://unknown.example.evil' }, []],
    [{ host: 'unknown.example', origin: 'null' }, []],
];

test('a_cookie_counts_for_own_pages_and_on_a_host_of_a_site_for_its_pages_and_users', async () => {
    const who = { admin: await sessionOf(ADMIN), a: await sessionOf('of-a@example.com'), b: await sessionOf('of-b@example.com') };
    for (const [{ host, origin, fetch }, want] of PAGES) {
        const counts = [];
        for (const [name, cookie] of Object.entries(who)) {
            const headers = { ...(origin ? { origin } : {}), ...(fetch ? { 'sec-fetch-site': fetch } : {}) };
            const answer = await me(cookie, headers, { host });
            if (answer.status === 200) counts.push(name);
            else assert.ok([401, 403].includes(answer.status));
            assert.deepEqual(cookies(answer), [], 'a good cookie is not cleared');
        }
        assert.deepEqual(counts, want, JSON.stringify({ host, origin, fetch }));
    }
});

test('a_page_of_another_origin_writes_nothing_with_a_cookie_and_gets_none', async () => {
    const admin = await sessionOf(ADMIN);
    const refreshCookie = cookies(await login('cookie', ADMIN))[0];
    const before = await stack.rows('select count(*) from posts');
    for (const origin of ['https://evil.example', 'https://a.example', 'null']) {
        const page = { host: 'unknown.example', headers: { origin } };
        for (const request of [
            { method: 'POST', path: '/items/posts', body: { title: 'x', site_id: a.id } },
            { method: 'POST', path: '/items/posts', text: '{}', headers: { 'content-type': 'text/plain' } },
            { method: 'DELETE', path: `/items/posts/${a.posts[0].id}` },
        ]) {
            const answer = await stack.call({ ...request, host: page.host, headers: { ...request.headers, origin, cookie: admin } });
            assert.equal(answer.status, 403, `${request.method} from ${origin}: ${answer.text}`);
        }
        for (const [call, body, cookie] of [[refresh, { mode: 'session' }, admin], [refresh, { mode: 'cookie' }, refreshCookie], [logout, { mode: 'session' }, admin], [logout, { mode: 'cookie' }, refreshCookie]]) {
            const answer = await call(body, cookie, page);
            assert.deepEqual([answer.status, cookies(answer)], [400, []], origin);
        }
        for (const mode of ['cookie', 'session']) assert.deepEqual(outcome(await login(mode, ADMIN, page)), [403, 'FORBIDDEN']);
        assert.equal((await login('json', ADMIN, page)).status, 200);
    }
    assert.deepEqual(await stack.rows('select count(*) from posts'), before);
    assert.equal((await me(admin)).status, 200);
    assert.equal((await refresh({ mode: 'cookie' }, refreshCookie)).status, 200);
});

test('on_a_host_of_a_site_its_page_logs_in_refreshes_and_logs_out_its_users_alone', async () => {
    const page = { host: 'api.a.example', headers: { origin: 'https://a.example' } };
    for (const email of [ADMIN, 'of-b@example.com']) assert.equal((await login('session', email, page)).status, 401, email);
    const admin = await sessionOf(ADMIN);
    const adminRefresh = cookies(await login('cookie', ADMIN))[0];
    assert.equal((await refresh({ mode: 'session' }, admin, page)).status, 401);
    assert.equal((await refresh({ mode: 'cookie' }, adminRefresh, page)).status, 401);
    assert.equal((await logout({ mode: 'cookie' }, adminRefresh, page)).status, 204);
    assert.equal((await refresh({ mode: 'cookie' }, adminRefresh)).status, 200, 'it was not ended from there');
    const own = cookies(await login('session', 'of-a@example.com', page))[0];
    assert.equal((await me(own, page.headers, { host: page.host })).status, 200);
    const next = cookies(await refresh({ mode: 'session' }, own, page))[0];
    assert.equal((await me(next, page.headers, { host: page.host })).status, 200);
    assert.equal((await logout({ mode: 'session' }, next, page)).status, 204);
});

test('users_me_is_the_user_of_the_token_whatever_it_may_read', async () => {
    for (const [token, want] of [[undefined, 401], [a.token, 401], ['nonsense', 401], [stack.adminToken, 200]])
        for (const [method, target, body] of [['GET', '/users/me'], ['PATCH', '/users/me', { title: 'x' }], ['PATCH', '/users/me/track/page', { last_page: '/x' }]]) {
            const answer = await stack.call({ method, path: target, body, token });
            assert.equal(answer.status === 204 ? 200 : answer.status, want, `${method} ${target}: ${answer.text}`);
        }
    const { access_token: token } = (await login('json')).body.data;
    const { id } = claims(token);
    for (const query of ['', '?fields=email', '?fields=*', '?fields=role.*'])
        assert.deepEqual((await stack.call({ path: `/users/me${query}`, token })).body, { data: { id } }, query);
    assert.deepEqual(outcome(await stack.call({ path: '/users/me?limit=x', token })), [400, 'INVALID_QUERY']);
    assert.deepEqual(outcome(await stack.call({ method: 'PATCH', path: '/users/me', token, body: { title: 'x' } })), [403, 'FORBIDDEN']);
    const admin = await stack.call({ path: '/users/me?fields=email,title,last_page,password', token: stack.adminToken });
    assert.deepEqual(admin.body.data, { email: ADMIN, title: 'x', last_page: '/x', password: '**********' });
});

test('the_last_page_is_kept_without_a_right_and_changes_nothing_else', async () => {
    const { access_token: token } = (await login('json')).body.data;
    const track = (body) => stack.call({ method: 'PATCH', path: '/users/me/track/page', token, body });
    const before = await stack.rows(`select count(*) from directus_activity where collection = 'directus_users' and action = 'update'`);
    assert.equal((await track({ last_page: '/content/posts', title: 'hijacked', role: a.id })).status, 204);
    assert.deepEqual(await stack.rows(`select last_page, title, role from directus_users where email = '${USERS[0]}'`), [['/content/posts', '', '']]);
    assert.deepEqual(await stack.rows(`select count(*) from directus_activity where collection = 'directus_users' and action = 'update'`), before);
    for (const body of [{}, { last_page: null }, { last_page: '' }, { last_page: 'x'.repeat(256) }, { last_page: { a: 1 } }])
        assert.deepEqual(outcome(await track(body)), [400, 'INVALID_PAYLOAD'], JSON.stringify(body).slice(0, 60));
});

test('names_and_attributes_of_the_cookies_are_settings', async () => {
    const env = { SESSION_COOKIE_NAME: 'my.session', SESSION_COOKIE_SECURE: 'true', SESSION_COOKIE_SAME_SITE: 'none', SESSION_COOKIE_DOMAIN: '.example.com', SESSION_COOKIE_TTL: '1h',
        REFRESH_TOKEN_COOKIE_NAME: 'my-refresh', REFRESH_TOKEN_COOKIE_SAME_SITE: 'strict', REFRESH_TOKEN_TTL: '2h', LOGIN_STALL_TIME: '0' };
    const port = await freePort();
    const other = new Child('its server', binary, ['server'], { env: { ...stack.env, ...env, PORT: String(port) } });
    try {
        await until(async () => (await stack.call({ path: '/server/ping', port }).catch(() => ({}))).status === 200, 'the server');
        const session = await login('session', USERS[0], { port });
        assert.match(session.headers['set-cookie'][0], /^my\.session=[\w.-]+; Max-Age=3600; Domain=\.example\.com; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=None$/);
        assert.equal((await me(cookies(session)[0], {}, { port })).status, 200);
        assert.equal((await me(cookies(session)[0].replace('my.session', 'directus_session_token'), {}, { port })).status, 401);
        const refreshed = await login('cookie', USERS[0], { port });
        assert.match(refreshed.headers['set-cookie'][0], /^my-refresh=[\w-]{64}; Max-Age=7200; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/);
    } finally {
        await other.stop();
    }
    for (const [name, value] of [['SESSION_COOKIE_NAME', 'a=b'], ['SESSION_COOKIE_NAME', 'a;b'], ['SESSION_COOKIE_SAME_SITE', 'maybe'], ['SESSION_COOKIE_DOMAIN', 'a; b'], ['REFRESH_TOKEN_COOKIE_SAME_SITE', 'none']]) {
        const refused = new Child('refused', binary, ['server'], { env: { ...stack.env, [name]: value, PORT: String(port) } });
        assert.notEqual((await refused.ended).code, 0, `${name}=${value}`);
        assert.match(refused.tail.join('\n'), new RegExp(name.replace(/_(NAME|DOMAIN|SAME_SITE)$/, '')));
    }
});

test('what_the_admin_app_asks_at_its_start_is_answered', async () => {
    const cookie = await sessionOf(ADMIN);
    const ask = (target, more = {}) => stack.call({ path: target, headers: { cookie }, ...more });
    assert.deepEqual((await stack.call({ path: '/auth?sessionOnly' })).body, { data: [], disableDefault: false });
    const module = await stack.call({ path: '/extensions/sources/index.js' });
    assert.match(module.headers['content-type'], /^application\/javascript/);
    assert.match(module.text, /export \{ displays, interfaces, layouts, modules, operations, panels, themes \}/);
    assert.deepEqual((await ask('/extensions')).body, { data: [] });
    assert.deepEqual(outcome(await stack.call({ path: '/extensions' })), [403, 'FORBIDDEN']);
    assert.deepEqual(outcome(await post('/server/setup', { admin: {} })), [403, 'FORBIDDEN']);
    const open = (await stack.call({ path: '/server/info' })).body.data;
    assert.deepEqual([Object.keys(open), open.setupCompleted], [['project', 'setupCompleted'], true]);
    const info = await ask('/server/info');
    assert.deepEqual(Object.keys(info.body.data), ['project', 'setupCompleted', 'mcp_enabled', 'ai_enabled', 'files', 'rateLimit', 'rateLimitGlobal', 'extensions', 'queryLimit', 'websocket', 'version']);
    assert.deepEqual(Object.keys((await stack.call({ path: '/server/health' })).body), ['status']);
    assert.deepEqual(Object.keys((await ask('/server/health')).body).slice(0, 4), ['status', 'releaseId', 'serviceId', 'checks']);
    const known = await ask('/server/info', { headers: { cookie, 'if-none-match': info.headers.etag } });
    assert.deepEqual([known.status, known.text], [304, '']);
    for (const target of ['/server/info', '/SERVER/Info/', '//server//info']) {
        const head = await ask(target, { method: 'HEAD' });
        assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', String(Buffer.byteLength(info.text))], target);
    }
    assert.deepEqual([(await stack.call({ method: 'PUT', path: '/users/me' })).status, (await stack.call({ method: 'GET', path: '/auth/login' })).status], [404, 404]);
});
