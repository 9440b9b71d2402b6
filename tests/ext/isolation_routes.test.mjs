// The routes that extensions add, tried as the wrong tenant. The list comes from the server that
// runs; a route that this file does not know fails it.

import assert from 'node:assert/strict';
import { cp, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../support/api.mjs';
import { buildFolder, makeFolder } from '../support/stack.mjs';

const MISSING = '99999999-9999-4999-8999-999999999999';
const PUBLIC_POLICY = 'abf8a154-5b1c-4a46-ac9c-7300570f4f17';

let stack;
let a;
let b;
let routes;
let folder; // all that are shipped, and the example
before(async () => {
    folder = await makeFolder('extensions');
    for (const place of ['extensions', 'examples']) await cp(path.join(buildFolder, place), folder, { recursive: true });
    stack = await startApi({ extensionsPath: folder, env: { GOD_SQL: 'true' } });
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
    const log = await readFile(path.join(stack.folder, 'server.log'), 'utf8');
    routes = [...log.matchAll(/extension_route\b.*?method"?[=:]\s*"?([A-Z]+)"?.*?pattern"?[=:]\s*"?(\/[^\s",}]*)/g)].map(([, method, pattern]) => ({ method, pattern }));
});
after(async () => {
    await stack?.stop();
    await rm(folder, { recursive: true, force: true });
});

/* How B's rows could be reached. `forGod`: what the holder of X-God-Token, narrowed to A, is told: a
 * refusal, or rows of A alone. */
const tries = {
    'GET /hello': () => [{}, { path: '/hello?x=1' }],
    'GET /hello/:name': (x) => [{ path: `/hello/${x.id}` }],
    'POST /hello/greet': (x) => [{ body: { name: 'x', site_id: x.id } }],
    'POST /god/schema/collections/create': (x) => [{ body: { collection: 'stolen', fields: [{ field: 'site_id', type: 'uuid', schema: { foreign_key_table: 'sites', default_value: x.id } }], meta: {} } }],
    'POST /god/schema/relations/create': () => [{ body: { collection: 'posts', field: 'title', related_collection: 'sites' } }],
    'GET /god/schema/snapshot': () => [{}],
    'POST /god/schema/apply': (x) => [
        { body: { schema: { version: 1, collections: [], fields: [], relations: [] }, allow_delete: true } },
        { body: { yaml: `version: 1\ncollections: []\nfields: []\nrelations: []\nsite: ${x.id}\n`, dry_run: true } },
    ],
    'POST /god/schema/fields/create': (x) => [{ body: { collection: 'posts', field: 'stolen', type: 'uuid', schema: { default_value: x.id }, meta: {} } }],
    'DELETE /god/schema/fields/:collection/:field': () => [{ path: '/god/schema/fields/posts/excerpt' }],
    'POST /god/data/bulk-insert': (x) => [{ body: { collection: 'posts', items: [{ site_id: x.id, title: 'stolen' }] } }],
    'GET /god/status': () => [{}],
    'GET /god/collections/all': () => [{}],
    'POST /god/permissions/grant': () => [{ body: { policy: PUBLIC_POLICY, collection: 'leads', actions: ['read'] } }],
    'POST /god/sql/execute': (x) => [
        { body: { sql: 'select id::text, title from posts' }, mayAnswer: true },
        { body: { sql: 'select title from posts where site_id = $1::uuid', params: [x.id] }, mayAnswer: true },
        { body: { sql: "update posts set title = 'stolen' where site_id = $1::uuid", params: [x.id] }, mayAnswer: true },
        { body: { sql: 'insert into posts (site_id, title) values ($1::uuid, $2)', params: [x.id, 'stolen'] } },
        { body: { sql: "select set_config('spark.site', $1, true)", params: [x.id] } },
        { body: { sql: "select set_config('spark.scope', 'platform', true)" } },
    ],
};
const requests = ({ method, pattern }, x) => (tries[`${method} ${pattern}`] ?? (() => []))(x).map((r) => ({ method, path: pattern, ...r }));
const fillIn = (pattern) => pattern.replace(/:\w+/g, 'x');

const stateOf = async (site) => {
    const tables = await stack.rows('select collection, site_column from spark.collections where not site_optional order by 1');
    const parts = tables.map(([table, column]) => `select '${table}' as t, coalesce(md5(string_agg(x::text, '|' order by x::text)), '-') as h from "${table}" x where "${column}" = '${site}'${table === 'work_log' ? " and x.action <> 'denied'" : ''}`);
    return JSON.stringify(await stack.rows(parts.join(' union all ')));
};
const schemaOf = async () => JSON.stringify(await stack.rows(`select (select md5(string_agg(f::text, '|' order by id)) from directus_fields f),
    (select md5(string_agg(p::text, '|' order by id)) from directus_permissions p), (select count(*) from pg_class), (select count(*) from pg_attribute where attisdropped)`));
const leaks = (answer, sent) => [b.id, b.token, 'secret-of-B', 'B post', 'B campaign', 'b.example', b.author.id, ...b.posts.map((p) => p.id)]
    .filter((secret) => answer.text.includes(secret) && !JSON.stringify(sent).includes(secret));

test('this_file_knows_every_route_of_the_server_that_runs', () => {
    const names = routes.map(({ method, pattern }) => `${method} ${pattern}`);
    assert.ok(names.includes('POST /god/schema/apply') && names.includes('GET /hello'), JSON.stringify(names));
    assert.deepEqual(names.filter((name) => !(name in tries)), [], 'teach this file how to try these');
    assert.deepEqual(Object.keys(tries).filter((name) => !names.includes(name)), [], 'these are gone');
});

test('token_of_a_reaches_nothing_of_b_by_a_route_of_an_extension', async () => {
    const before = [await stateOf(b.id), await schemaOf()];
    for (const route of routes)
        for (const x of [b, { id: MISSING }])
            for (const host of [undefined, 'a.example', 'b.example']) {
                for (const request of requests(route, x)) {
                    const answer = await stack.call({ ...request, host, token: a.token });
                    const what = `${request.method} ${request.path} on ${host} → ${answer.status} ${answer.text.slice(0, 300)}`;
                    assert.deepEqual(leaks(answer, request), [], what);
                    assert.ok(answer.status < 500, what);
                    if (route.pattern.startsWith('/god/')) assert.ok([401, 403].includes(answer.status), what);
                    if (host === 'b.example') assert.equal(answer.status, 403, what);
                }
            }
    assert.deepEqual([await stateOf(b.id), await schemaOf()], before);
});

test('god_narrowed_to_a_reaches_nothing_of_b_and_changes_nothing_of_the_platform', async () => {
    const before = [await stateOf(b.id), await schemaOf()];
    for (const route of routes.filter(({ pattern }) => pattern.startsWith('/god/')))
        for (const request of requests(route, b)) {
            const answer = await stack.call({ ...request, headers: { 'x-god-token': stack.env.GOD_MODE_TOKEN, 'x-site-id': a.id } });
            const what = `${request.method} ${request.path} ${JSON.stringify(request.body)} → ${answer.status} ${answer.text.slice(0, 300)}`;
            assert.deepEqual(leaks(answer, request), [], what);
            if (request.mayAnswer) assert.ok(answer.status === 200 || answer.status === 403, what);
            else assert.ok(answer.status >= 400, what);
        }
    assert.deepEqual([await stateOf(b.id), await schemaOf()], before);
});

test('god_routes_want_their_token_in_its_header_alone', async () => {
    for (const { method, pattern } of routes.filter((r) => r.pattern.startsWith('/god/'))) {
        const target = fillIn(pattern);
        const token = stack.env.GOD_MODE_TOKEN;
        const ask = async (request) => (await stack.call({ method, path: target, body: method === 'POST' ? {} : undefined, ...request })).status;
        assert.equal(await ask({}), 401, `${method} ${pattern}`);
        assert.equal(await ask({ token: stack.adminToken }), 401, `${method} ${pattern}`);
        for (const wrong of ['x', `${token}x`, token.slice(0, -1), token.toUpperCase()])
            assert.equal(await ask({ headers: { 'x-god-token': wrong } }), 403, `${method} ${pattern} ${wrong}`);
        for (const name of ['god_token', 'x-god-token', 'token']) assert.equal(await ask({ path: `${target}?${name}=${token}` }), 401, name);
        for (const request of [{ token }, { path: `${target}?access_token=${token}` }])
            assert.ok([401, 403].includes(await ask(request)), `${method} ${pattern} as a bearer`);
    }
});
