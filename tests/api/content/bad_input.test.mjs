// Input that is wrong in every way known: the right status and code, a sentence, nothing written.

import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';

import { codeOf, jwt, makeTenant, raw, readErrors, readRoutes, startApi } from '../../support/api.mjs';
import { secrets } from '../../support/stack.mjs';

const BODY_MAX = 256 * 1024;
let stack;
let site;
let counts;
before(async () => {
    stack = await startApi({ env: { MAX_PAYLOAD_SIZE: String(BODY_MAX), BULK_PAYLOAD_SIZE: String(4 * BODY_MAX), TRUSTED_PROXIES: '127.0.0.0/8,10.0.0.1' } });
    site = await makeTenant(stack, 'A', 'a.example');
    counts = await countAll();
});
after(() => stack.stop());

const countAll = async () => {
    const tables = await stack.rows("select c.oid::regclass::text from pg_class c where c.oid <> 'spark.changes'::regclass and c.relkind in ('r', 'p') and c.relnamespace in ('public'::regnamespace, 'spark'::regnamespace) and not c.relispartition and has_table_privilege(c.oid, 'select') order by 1");
    // What was refused for want of rights is itself logged; and the lines of work-log come late. The change feed also tells of
    // rows that a test has made and removed again.
    const counted = ([t]) => `select '${t}', count(*) from ${t}${t === 'work_log' ? " where action not in ('denied', 'login_failed', 'created', 'updated', 'deleted')" : ''}`;
    return JSON.stringify(await stack.rows(tables.map(counted).join(' union all ')));
};
const nothingWritten = async () => assert.deepEqual(JSON.parse(await countAll()), JSON.parse(counts));
const post = (path, rest) => stack.call({ method: 'POST', path, token: stack.adminToken, host: 'a.example', ...rest });
const expect = (answer, status, code) => assert.deepEqual([answer.status, codeOf(answer)], [status, code], answer.text);
const past = Math.floor(Date.now() / 1000) - 60;
const future = past + 3600;
const claims = { id: '99999999-9999-4999-8999-999999999999', role: null, app_access: true, admin_access: true, iat: past - 60, exp: future, iss: 'directus' };

test('broken_json_is_refused_in_the_words_of_the_api', async () => {
    const broken = ['{"a":', '[1,]', '{"a":1}}', '{"a" 1}', 'nonsense', '{"a":"\\ud800"}', '{"a":1e999999}', '{"a":01}', "{'a':1}", '{"a":"\n"}', '\u0000{}'];
    for (const text of broken) {
        expect(await post('/items/authors', { text }), 400, 'INVALID_PAYLOAD');
        expect(await stack.call({ method: 'POST', path: '/api/lead', host: 'a.example', text }), 400, 'INVALID_JSON');
    }
    await nothingWritten();
});

test('json_that_is_no_text_hides_a_key_twice_or_holds_NUL_is_refused', async () => {
    for (const text of [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), '{"name":"a","name":"b"}', '{"name":"a\\u0000b"}', '{"a\\u0000":1}'])
        expect(await post('/items/authors', { text }), 400, 'INVALID_PAYLOAD');
    await nothingWritten();
});

test('deep_json_is_refused_before_anything_recurses', async () => {
    for (const depth of [17, 1000, 100_000]) {
        expect(await post('/items/authors', { text: '['.repeat(depth) + ']'.repeat(depth) }), 400, 'INVALID_PAYLOAD');
        expect(await post('/items/authors', { text: '{"a":'.repeat(Math.min(depth, 40_000)) + '1' + '}'.repeat(Math.min(depth, 40_000)) }), 400, 'INVALID_PAYLOAD');
    }
    const filter = (depth) => '{"_and":['.repeat(depth) + '{}' + ']}'.repeat(depth);
    expect(await stack.call({ path: `/items/posts?filter=${encodeURIComponent(filter(200))}`, token: stack.adminToken }), 400, 'INVALID_QUERY');
    const million = `POST /items/authors HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${2 ** 20}\r\n\r\n` + '['.repeat(2 ** 20);
    assert.ok((await raw(stack, million)).ended);
    assert.equal((await stack.call({ path: '/server/ping' })).text, 'pong');
    await nothingWritten();
});

test('values_of_the_wrong_type_are_400', async () => {
    const bad = [
        { name: { a: 1 }, avatar: 'no-uuid' }, { name: 'x', date_created: 'yesterday' }, { name: 'x', site_id: 'zzz' }, { name: 'x', site_id: 12 }, { name: 'x', avatar: 'zzz' }, { name: null },
    ];
    for (const body of bad) {
        const answer = await post('/items/authors', { body: { site_id: site.id, ...body } });
        assert.ok(answer.status === 400 || answer.status === 403, answer.text);
    }
    for (const body of ['x', 1, null, true].map((v) => JSON.stringify(v))) expect(await post('/items/authors', { text: body }), 400, 'INVALID_PAYLOAD');
    await nothingWritten();
});

test('ids_that_are_none_find_nothing', async () => {
    for (const id of ['abc', "'; drop table posts; --", '%00', 'a%00b', '%ff', '..%2f..', '1e400', ' ', '{}', 'x'.repeat(5000)]) {
        const path = `/items/posts/${id.includes('%') ? id : encodeURIComponent(id)}`;
        for (const method of ['GET', 'PATCH', 'DELETE']) {
            const answer = await stack.call({ method, path, token: stack.adminToken, body: method === 'PATCH' ? { title: 'x' } : undefined });
            assert.ok([400, 403].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`);
        }
    }
    await nothingWritten();
});

test('names_values_and_operators_from_outside_never_become_sql', async () => {
    const nasty = [`"`, `'`, `";--`, `' or 1=1--`, `title" from posts; drop table posts;--`, 'a%00b', '\\', '$1', '%s%n', '${x}', '\u202e', '__proto__'];
    for (const text of nasty) {
        const word = text.includes('%00') ? text : encodeURIComponent(text);
        for (const query of [`fields=${word}`, `sort=${word}`, `filter[${word}][_eq]=1`, `filter[title][_${word}]=1`, `filter[title][_eq]=${word}`, `search=${word}`, `alias[${word}]=title`,
            `alias[x]=${word}&fields=id,x`, `groupBy=${word}`, `aggregate[count]=${word}`, `aggregate[${word}]=id`, `deep[${word}][_limit]=1`, `limit=${word}`, `meta=${word}`]) {
            const answer = await stack.call({ path: `/items/posts?${query}`, token: stack.adminToken });
            assert.ok(answer.status < 500, `${query}: ${answer.text}`);
            if (answer.status === 200 && /^filter\[title\]\[_eq\]/.test(query)) assert.deepEqual(answer.body.data, [], query);
        }
        const answer = await stack.call({ path: `/items/${word}`, token: stack.adminToken });
        assert.equal(answer.status, 403, answer.text);
    }
    await nothingWritten();
});

test('one_byte_over_the_limit_of_each_kind_of_route_is_413', async () => {
    const limits = { BODY_NONE: 64 * 1024, BODY_TRACK: 8 * 1024, BODY_PUBLIC: 16 * 1024, BODY_FORM: 64 * 1024, BODY_CONTENT: BODY_MAX, BODY_BULK: 4 * BODY_MAX };
    const tried = new Set();
    for (const route of await readRoutes()) {
        const max = limits[route.body];
        if (route.pattern.endsWith('/events') || tried.has(route.body + route.guard)) continue;
        tried.add(route.body + route.guard);
        const path = route.pattern.replace(':collection', 'posts').replace(':id', site.posts[0].id);
        const send = (size) => stack.call({
            method: route.method, path, host: 'a.example', token: route.guard === 'GUARD_VISITOR' ? undefined : stack.adminToken,
            text: ' '.repeat(size - 2) + '[]', agent: false,
        }).catch((error) => ({ status: error.code }));
        const over = await send(max + 1);
        // libh2o itself refuses what is larger than any route takes, in its own words.
        if (route.body === 'BODY_BULK') assert.ok([413, 'ECONNRESET', 'EPIPE'].includes(over.status), `${path}: ${over.status}`);
        else expect(over, 413, 'CONTENT_TOO_LARGE');
        assert.notEqual((await send(max)).status, 413, `${route.method} ${path} takes ${max} bytes`);
    }
    assert.ok(tried.size >= 5);
    await nothingWritten();
});

test('endless_chunked_body_is_closed', async () => {
    const socket = net.connect(stack.port, '127.0.0.1');
    socket.on('error', () => {});
    const closed = new Promise((resume) => socket.on('close', resume));
    socket.write('POST /api/track/pageview HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `8000\r\n${' '.repeat(0x8000)}\r\n`;
    let sent = 0;
    const more = () => {
        while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
        sent += chunk.length;
        assert.ok(sent < 256 << 20, 'it is still taken');
    };
    socket.on('drain', more);
    more();
    await closed;
    await nothingWritten();
});

test('heads_that_are_too_many_or_too_large_are_refused', async () => {
    const many = (count) => `GET /server/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${Array.from({ length: count }, (_, n) => `X-${n}: y\r\n`).join('')}\r\n`;
    assert.match((await raw(stack, many(90))).text, /^HTTP\/1\.1 200 /);
    assert.match((await raw(stack, many(120))).text, /^HTTP\/1\.1 400 /);
    const large = await raw(stack, `GET /server/ping HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(600_000)}\r\n\r\n`);
    assert.ok(large.ended && !large.text.includes(' 200 '));
    assert.equal((await stack.call({ path: '/server/ping' })).text, 'pong');
});

test('tokens_of_every_wrong_kind_are_refused', async () => {
    const none = (text) => Buffer.from(JSON.stringify(text)).toString('base64url');
    const bad = [
        ['wrong', 401, 'INVALID_CREDENTIALS'],
        ['x'.repeat(64 * 1024), 403, 'INVALID_TOKEN'],
        [jwt({ ...claims, exp: past }), 401, 'TOKEN_EXPIRED'],
        [jwt(claims, { secret: 'another-secret' }), 403, 'INVALID_TOKEN'],
        [jwt(claims), 401, 'INVALID_CREDENTIALS'], // signed by us, for nobody
        [jwt({ iss: 'directus', exp: future }), 403, 'INVALID_TOKEN'],
        [jwt({ ...claims, id: 'no-uuid' }), 403, 'INVALID_TOKEN'],
        [jwt({ ...claims, exp: 'soon' }), 403, 'INVALID_TOKEN'],
        [jwt({ ...claims, exp: undefined }), 403, 'INVALID_TOKEN'],
        [jwt({ ...claims, iss: 'somebody' }), 401, 'INVALID_CREDENTIALS'],
        [jwt(claims, { header: { alg: 'HS512', typ: 'JWT' } }), 403, 'INVALID_TOKEN'],
        [`${none({ alg: 'none' })}.${none(claims)}.`, 401, 'INVALID_CREDENTIALS'],
        [`${none({ alg: 'none' })}.${none(claims)}.x`, 403, 'INVALID_TOKEN'],
        [`${none({ alg: 'HS256' })}.${'A'.repeat(4000)}.x`, 401, 'INVALID_CREDENTIALS'],
        [jwt({ ...claims, deep: JSON.parse('['.repeat(900) + ']'.repeat(900)) }), 401, 'INVALID_CREDENTIALS'],
        ['a.b.c', 401, 'INVALID_CREDENTIALS'],
        ['..', 401, 'INVALID_CREDENTIALS'],
    ];
    for (const [token, status, code] of bad) {
        const answer = await stack.call({ path: '/items/posts', token });
        assert.deepEqual([answer.status, codeOf(answer)], [status, code], `${token.slice(0, 60)}: ${answer.text}`);
        assert.ok(!answer.text.includes(token.slice(0, 40)), 'a token is not repeated');
    }
    expect(await stack.call({ path: '/items/posts?access_token=a', token: 'b' }), 400, 'INVALID_PAYLOAD');
    expect(await stack.call({ path: '/items/posts', headers: { 'x-god-token': 'wrong' } }), 403, 'FORBIDDEN');
    expect(await stack.call({ path: '/items/posts', headers: { 'x-god-token': secrets.GOD_MODE_TOKEN.slice(0, -1) } }), 403, 'FORBIDDEN');
    assert.equal((await stack.call({ path: '/items/posts', headers: { 'x-god-token': secrets.GOD_MODE_TOKEN } })).status, 200);
    assert.equal((await stack.call({ path: '/items/posts', host: 'a.example', headers: { authorization: 'Basic Zm9vOmJhcg==' } })).status, 200);
    assert.equal((await stack.call({ path: '/items/posts', headers: { authorization: `bEaReR ${stack.adminToken}` } })).status, 200);
});

test('secrets_stand_in_no_answer_and_no_log_line', async () => {
    await stack.call({ path: `/items/posts?access_token=${stack.adminToken}` });
    await stack.call({ path: `/items/nope?access_token=${site.token}` });
    const log = stack.server.tail.join('\n');
    for (const secret of [stack.adminToken, site.token, secrets.ADMIN_PASSWORD, secrets.SECRET, secrets.GOD_MODE_TOKEN]) assert.ok(!log.includes(secret), secret);
    assert.ok(log.includes('"event":"request"'));
});

test('log_lines_stay_one_json_object_whatever_is_asked_for', async () => {
    await raw(stack, Buffer.from('GET /a\x01"\xff\x7f HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 'latin1'));
    await stack.call({ path: '/a%0d%0a%22injected', headers: { 'user-agent': '"} {"event":"forged"' } });
    for (const line of stack.server.tail) JSON.parse(line);
});

test('forwarded_addresses_count_only_as_far_as_trusted_proxies_wrote_them', async () => {
    const seen = async (forwarded) => {
        const answer = await post('/items/authors', { headers: { 'x-forwarded-for': forwarded }, body: { site_id: site.id, name: 'ip' } });
        const [[ip]] = await stack.rows(`select ip from directus_activity where item = '${answer.body.data.id}'`);
        await stack.run(`delete from authors where id = '${answer.body.data.id}'; delete from directus_revisions where item = '${answer.body.data.id}'; delete from directus_activity where item = '${answer.body.data.id}'`);
        return ip;
    };
    assert.equal(await seen('203.0.113.7'), '203.0.113.7');
    assert.equal(await seen('1.1.1.1, 203.0.113.7'), '203.0.113.7');
    assert.equal(await seen('1.1.1.1, 203.0.113.7, 10.0.0.1'), '203.0.113.7');
    assert.equal(await seen('203.0.113.7, nonsense'), '127.0.0.1');
    assert.equal(await seen('2001:db8::1'), '2001:db8::1');
});

/* How a client brings about each error; those it cannot, with the reason. */
const provoke = {
    FORBIDDEN: () => stack.call({ path: '/items/nope' }),
    INVALID_CREDENTIALS: () => stack.call({ path: '/items/posts', token: 'wrong' }),
    INVALID_TOKEN: () => stack.call({ path: '/items/posts', token: jwt(claims, { secret: 'x' }) }),
    TOKEN_EXPIRED: () => stack.call({ path: '/items/posts', token: jwt({ ...claims, exp: past }) }),
    INVALID_PAYLOAD: () => post('/items/posts', { text: '{' }),
    INVALID_QUERY: () => stack.call({ path: '/items/posts?limit=x', token: stack.adminToken }),
    FAILED_VALIDATION: () => stack.call({ method: 'POST', path: '/api/lead', host: 'a.example', body: {} }),
    NOT_UNIQUE: () => post('/items/posts', { body: { id: site.posts[0].id, site_id: site.id } }),
    NOT_NULL: () => post('/items/posts', { body: { title: 'without a site' } }),
    VALUE_TOO_LONG: () => post('/items/posts', { body: { site_id: site.id, title: 'x'.repeat(300) } }),
    VALUE_OUT_OF_RANGE: () => post('/items/page_blocks', { body: { site_id: site.id, page_id: site.page.id, block_type: 'x', order: 3_000_000_000 } }),
    INVALID_FOREIGN_KEY: () => post('/items/posts', { body: { site_id: site.id, author: '99999999-9999-4999-8999-999999999999' } }),
    ROUTE_NOT_FOUND: () => stack.call({ path: '/no/such' }),
    METHOD_NOT_ALLOWED: () => stack.call({ path: '/api/lead' }),
    UNSUPPORTED_MEDIA_TYPE: () => stack.call({ method: 'POST', path: '/api/lead', host: 'a.example', text: 'a=b', headers: { 'content-type': 'text/plain' } }),
    TOO_LARGE: () => stack.call({ method: 'POST', path: '/api/track/pageview', host: 'a.example', text: ' '.repeat(9000) }),
    RATE_LIMITED: async () => {
        const login = () => post('/auth/login', { token: undefined, headers: { 'x-forwarded-for': '192.0.2.98' }, body: { email: 'victim@example.com', password: 'wrong' } });
        return (await Promise.all(Array.from({ length: 14 }, login))).find(({ status }) => status === 429);
    },
    INVALID_JSON: () => stack.call({ method: 'POST', path: '/api/lead', host: 'a.example', text: '{' }),
    UNAUTHENTICATED: () => stack.call({ path: '/metrics' }),
    NOT_FOUND: () => post('/api/admin/site-tokens', { body: { site_id: '99999999-9999-4999-8999-999999999999', name: 'x' } }),
    UNKNOWN_SITE: () => stack.call({ method: 'POST', path: '/api/lead', host: 'nobody.example', body: { email: 'a@b.example' } }),
};
const elsewhere = {
    USER_SUSPENDED: 'tests/api/access/sessions',
    INVALID_OTP: 'tests/api/access/sessions',
    INVALID_PATH_PARAMETER: 'no route with an id of our own API yet',
    UNPROCESSABLE: 'no route of this surface',
    UNAVAILABLE: 'tests/api/http/http: without PostgreSQL, too many requests',
    TIMEOUT: 'tests/api/http/http: a database that stands still',
    INTERNAL: 'a fault of ours',
    CONFLICT: 'tests of the factory',
    AMBIGUOUS_KEY: 'tests/api/access/keys',
    QUALITY_GATE: 'tests/api/factory/gate',
    INVALID_SPINTAX: 'tests of the factory',
    EXTENSION: 'tests/ext',
    CANCELLED: 'there is nobody left to read it',
    STALE_EPOCH: 'tried again by the dispatcher',
    DEADLOCK: 'tried again by the dispatcher: tests/api/schema/storm_mutations',
    FENCED: 'jobs only',
    CONTAINS_NULLS: 'writes first: tests/api/schema/collections',
    DATABASE: 'a fault of ours',
    CONFIG: 'start only',
    OUTBOUND_REFUSED: 'jobs only: tests/api/visitors/outbound',
};

test('every_error_of_the_table_is_provoked_or_accounted_for', async () => {
    const errors = await readErrors();
    for (const { name, status, code } of errors) {
        if (name in elsewhere) continue;
        assert.ok(name in provoke, `nobody provokes ${name}`);
        const answer = await provoke[name]();
        assert.deepEqual([answer.status, codeOf(answer)], [status, code], `${name}: ${answer.text}`);
        assert.ok((answer.body.errors?.[0].message ?? answer.body.message).length > 5, name);
    }
    const names = errors.map((e) => e.name);
    assert.deepEqual([...Object.keys(provoke), ...Object.keys(elsewhere)].filter((n) => !names.includes(n)), [], 'gone from err.def');
    const refused = await provoke.METHOD_NOT_ALLOWED();
    assert.equal(refused.headers.allow, 'POST');
    await nothingWritten();
});
