// No turn of the server takes long: the heaviest input of every route that the shipped extensions add, on a schema as
// large as a snapshot may be.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../support/api.mjs';
import { extensionRoutes, measureRequests, MOST_MS, SHOWN_MS } from './measure.mjs';
import { MIB, seedSchema, TEXT } from './seed.mjs';

/* A snapshot may have 20,000 fields; what is done to each gives way, so that a fifth of them do. */
const TABLES = Number(process.env.TURNS_TABLES ?? 40);
const COLUMNS = 100;
const PUBLIC_POLICY = 'abf8a154-5b1c-4a46-ac9c-7300570f4f17';

let stack;
let sites;
let snapshot;
let made = 0;

const god = (method, path, body, rest = {}) => ({ method, path, body, headers: { 'x-god-token': stack.env.GOD_MODE_TOKEN }, ...rest });
const numbers = (count) => Array.from({ length: count }, (_, n) => n);

before(async () => {
    stack = await startApi({ env: { LOOP_TURN_MAX: String(SHOWN_MS), GOD_SQL: 'true', JSON_MEMORY: String(512 * MIB) } });
    sites = [];
    for (const name of ['A', 'B', 'C']) sites.push((await makeTenant(stack, name, `${name.toLowerCase()}.example`)).id);
    const loaded = await stack.call(god('POST', '/god/schema/collections/create', {
        collection: 'loaded',
        fields: [
            { field: 'id', type: 'uuid', schema: { is_primary_key: true }, meta: { special: ['uuid'] } },
            { field: 'site_id', type: 'uuid', schema: { foreign_key_table: 'sites' }, meta: {} },
            { field: 'name', type: 'string', schema: { max_length: 10000000 }, meta: {} },
            { field: 'words', type: 'csv', meta: { special: ['cast-csv'] } },
            { field: 'extra', type: 'json', meta: { special: ['cast-json'] } },
            ...numbers(100).map((n) => ({ field: `f${n}`, type: n % 2 ? 'integer' : 'text', meta: {} })),
        ],
    }));
    assert.equal(loaded.status, 200, loaded.text);
    await seedSchema(stack, TABLES, COLUMNS);
});
after(() => stack?.stop());

const bulk = (items, rest = {}, answer = {}) => god('POST', '/god/data/bulk-insert', { collection: 'loaded', items, ...rest }, answer);
const at = (n) => sites[n % sites.length];
const fields = (count, note) => numbers(count).map((n) => ({ field: `f${n}`, type: 'string', schema: { is_nullable: n % 2 === 0 }, meta: { note, options: { choices: [{ text: 'a', value: 'b' }] } } }));
const wish = (collections, count) => ({
    version: 1, vendor: 'postgres', relations: [],
    collections: numbers(collections).map((n) => ({ collection: `wish_${made}_${n}`, meta: { note: 'n' }, schema: { name: `wish_${made}_${n}` } })),
    fields: numbers(collections).flatMap((n) => fields(count, 'n').map((field) => ({ collection: `wish_${made}_${n}`, ...field }))),
});
/** Entries as many as fit. */
const yaml = (bytes) => `version: 1\nvendor: postgres\ncollections:\n${'  - collection: x\n    meta:\n      note: "a ä"\n'.repeat(Math.floor(bytes / 49))}`;

/* A body of 64 MiB is large as such (measure.mjs); what is done with it here is measured with half of it. */
const HALF = 24 * MIB;

/* Functions: each body is made when it is sent. */
const heaviest = {
    'POST /god/schema/collections/create': [
        () => god('POST', '/god/schema/collections/create', { collection: `made_${++made}`, meta: {}, schema: {}, fields: fields(499, 'x'.repeat(1700)) }),
        () => god('POST', '/god/schema/collections/create', { collection: `made_${++made}`, fields: numbers(140000) }, { status: 400 }),
    ],
    'POST /god/schema/relations/create': [
        () => god('POST', '/god/schema/relations/create', { collection: 'many_1', field: `r${++made}`, related_collection: 'many_2', schema: { on_delete: 'SET NULL' }, meta: { note: 'x'.repeat(MIB - 1000) } }, { status: 400 }),
    ],
    'GET /god/schema/snapshot': [() => god('GET', '/god/schema/snapshot')],
    'POST /god/data/bulk-insert': [
        () => bulk(numbers(100000).map((n) => ({ site_id: at(n), name: `row ${n}` }))),
        () => bulk(numbers(100000).map((n) => ({ site_id: at(n), nope: n })), { atomic: false }),
        () => bulk(numbers(100000).map((n) => ({ site_id: at(n), f1: 'no number' })), {}, { status: 400 }),
        () => bulk(numbers(100000).map((n) => ({ site_id: `99999999-9999-4999-8999-${String(n).padStart(12, '0')}`, name: 'x' })), { atomic: false }),
        () => bulk(numbers(20000).map((n) => ({ site_id: at(n), ...Object.fromEntries(numbers(60).map((f) => [`f${(f * 2 + n) % 100}`, n])) })), {}, {}),
        () => bulk(numbers(20000).map((n) => ({ site_id: at(n), [`f${n % 60}`]: n }))),
        () => bulk([{ site_id: at(0), name: TEXT(HALF) }], {}, { status: 400 }),
        () => bulk([{ site_id: at(0), f0: 'a\tb\\ é'.repeat(HALF / 8) }]),
        () => bulk([{ site_id: at(0), words: numbers(800000) }]),
        () => bulk([{ site_id: at(0), extra: numbers(800000) }]),
        () => bulk([{ site_id: at(0), ['x'.repeat(HALF)]: 1 }], { atomic: false }),
    ],
    'POST /god/schema/apply': [
        () => god('POST', '/god/schema/apply', { yaml: snapshot, dry_run: true }),
        () => god('POST', '/god/schema/apply', { yaml: snapshot }),
        () => god('POST', '/god/schema/apply', { schema: wish(160, 120), dry_run: true }),
        () => god('POST', '/god/schema/apply', { schema: { ...wish(0, 0), fields: [], collections: [] }, dry_run: true, allow_delete: true }),
        () => (made++, god('POST', '/god/schema/apply', { schema: wish(3, 60) })),
        /* Half of the 16 MiB that a YAML may have: what the second half adds is memory. */
        () => god('POST', '/god/schema/apply', { yaml: yaml(8 * MIB) }, { status: 400 }),
        () => god('POST', '/god/schema/apply', { yaml: `# ${TEXT(8 * MIB)}` }, { status: 400 }),
        () => god('POST', '/god/schema/apply', { yaml: `a: "${'é\\t'.repeat(2 * MIB)}"` }, { status: 400 }),
        () => god('POST', '/god/schema/apply', { yaml: `a: [${'1,'.repeat(1400000)}1]` }, { status: 400 }),
        () => god('POST', '/god/schema/apply', { schema: { ...wish(1, 1), fields: [{ collection: `wish_${made}_0`, field: 'f', type: 'string', meta: { options: numbers(1400000) } }] } }, { status: 400 }),
    ],
    'POST /god/schema/fields/create': [() => god('POST', '/god/schema/fields/create', { collection: 'many_1', field: `g${++made}`, type: 'string', schema: { is_indexed: true }, meta: { options: { choices: numbers(9000).map((n) => ({ text: `text ${n}`, value: `value ${n}` })) } } })],
    'DELETE /god/schema/fields/:collection/:field': [() => god('DELETE', `/god/schema/fields/many_2/f${++made % COLUMNS}`)],
    'GET /god/status': [() => god('GET', '/god/status')],
    'GET /god/collections/all': [() => god('GET', '/god/collections/all')],
    'POST /god/permissions/grant': [() => god('POST', '/god/permissions/grant', { policy: PUBLIC_POLICY, collection: 'many_3', actions: ['create', 'read', 'update', 'delete'] })],
    'POST /god/sql/execute': [
        () => god('POST', '/god/sql/execute', { sql: `select '${'x'.repeat(MIB - 200)}'`, params: [] }),
        () => god('POST', '/god/sql/execute', { sql: `select 1 where ${numbers(45000).map((n) => `${n} = ${n + 1}`).join(' or ')}` }),
        () => god('POST', '/god/sql/execute', { sql: `select ${numbers(1600).map((n) => `repeat('é', 60) as c${n}`).join(', ')} from generate_series(1, 70)` }),
        () => god('POST', '/god/sql/execute', { sql: "select repeat('x', 16000) from generate_series(1, 1000)" }),
        () => god('POST', '/god/sql/execute', { sql: "select repeat('x', 60000) from generate_series(1, 1000)" }, { status: 400 }),
        () => god('POST', '/god/sql/execute', { sql: 'select count(*) from unnest($1::text[]) u', params: [`{${'x,'.repeat(400000)}x}`] }),
    ],
};

test('every_route_of_the_shipped_extensions_has_its_heaviest_input', async () => {
    const routes = await extensionRoutes(stack);
    assert.ok(routes.length > 0, 'the server names them in its log');
    assert.deepEqual(routes.filter((route) => !(route in heaviest)), [], 'teach this file what they take at most');
    assert.deepEqual(Object.keys(heaviest).filter((route) => !routes.includes(route)), [], 'these are gone');
    snapshot = (await stack.call(god('GET', '/god/schema/snapshot'))).body.schema;
    assert.ok(snapshot?.length > 3 * MIB, `the snapshot has ${snapshot?.length} bytes`);
});

for (const [route, list] of Object.entries(heaviest))
    test(`no turn passes ${MOST_MS} ms: ${route}`, () => measureRequests(stack, list));

test(`no turn passes ${MOST_MS} ms: the first request after the schema has changed`, () =>
    measureRequests(stack, [
        () => ({ method: 'GET', path: '/items/posts?limit=1', token: stack.adminToken }),
        () => ({ method: 'GET', path: '/server/specs/oas', token: stack.adminToken }),
    ]));
