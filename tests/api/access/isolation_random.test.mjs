// Random requests over every collection, each sent twice: once with keys of another site, once with
// keys that belong to no row. Site a must not be able to tell the two apart: not by a byte of the
// answer, not by its time, and afterwards no row of site b has changed.
//
// SPARK_MODEL_SEED repeats a run (a failure prints it), SPARK_MODEL_STEPS makes it longer.

import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { startApi } from '../../support/api.mjs';
import { generator } from '../../support/random.mjs';

const seed = Number(process.env.SPARK_MODEL_SEED ?? randomInt(2 ** 31));
const steps = Number(process.env.SPARK_MODEL_STEPS ?? 1500);
const { below, pick, chance } = generator(seed);

const A = '0a000000-0000-7000-8000-00000000000a';
const B = '0b000000-0000-7000-8000-00000000000b';
let stack;
let token;
let collections; // { name, keys of a, keys of b, fields, toOne: [{ field, other }] }

before(async () => {
    stack = await startApi();
    const rows = await readFile(path.resolve(import.meta.dirname, '../../fixtures/every_table.sql'), 'utf8');
    await stack.rows(`create schema verify; ${rows}`);
    const made = await stack.call({ method: 'POST', path: '/api/admin/site-tokens', token: stack.adminToken, body: { site_id: A, name: 'test' } });
    assert.equal(made.status, 201, made.text);
    token = made.body.token;
    collections = await readCollections();
});
after(() => stack?.stop());

async function readCollections() {
    const found = await stack.sql(`select c.collection, c.site_column,
            (select string_agg(a.attname || ':' || a.atttypid::regtype, ',' order by a.attnum) from pg_attribute a
              where a.attrelid = c.collection::regclass and a.attnum > 0 and not a.attisdropped),
            (select string_agg(r.many_field || ':' || r.one_collection, ',') from directus_relations r
              where r.many_collection = c.collection and r.one_collection in (select collection from spark.collections))
        from spark.collections c where not c.site_optional order by 1`);
    const keysOf = async (name, column, site) => (await stack.rows(`select id::text from ${name} where ${column} = '${site}' order by 1`)).map(([id]) => id);
    const list = [];
    for (const [name, column, fields, relations] of found)
        list.push({
            name,
            siteColumn: column,
            mine: await keysOf(name, column, A),
            theirs: await keysOf(name, column, B),
            fields: fields.split(',').map((field) => ({ name: field.split(':')[0], type: field.split(':')[1] })),
            toOne: relations === '' ? [] : relations.split(',').map((pair) => ({ field: pair.split(':')[0], other: pair.split(':')[1] })),
        });
    for (const { name, mine, toOne } of list)
        for (const relation of mine.length > 0 ? toOne : [])
            relation.before = (await stack.rows(`select coalesce('''' || ${relation.field}::text || '''', 'null') from ${name} where id = '${mine[0]}'`))[0][0];
    return list;
}

/* Requests ---------------------------------------------------------------------------------------- */

const known = (name) => collections.find((c) => c.name === name);
const query = (params) => Object.entries(params).map(([k, v]) => `${k}=${encodeURIComponent(typeof v === 'string' ? v : JSON.stringify(v))}`).join('&');
const get = (name, params) => ['GET', `/items/${name}?${query(params)}`];

/* A condition on the key, perhaps behind relations: `key` is one of the collection it ends in. */
function condition(c, depth = 2) {
    const hop = depth > 0 && c.toOne.length > 0 && chance(0.4) ? pick(c.toOne) : undefined;
    const other = hop && known(hop.other);
    if (other) {
        const inner = condition(other, depth - 1);
        return { end: inner.end, of: (key) => ({ [hop.field]: inner.of(key) }) };
    }
    const plain = pick([
        (key) => ({ _eq: key }), (key) => ({ _in: [key, randomKey] }), (key) => ({ _neq: key }), (key) => ({ _nin: [key] }),
    ]);
    const wrap = pick([(f) => f, (f) => f, (f) => ({ _or: [f, { id: { _null: true } }] }), (f) => ({ _and: [f, { id: { _nnull: true } }] })]);
    return { end: c, of: (key) => wrap({ id: plain(key) }) };
}
const randomKey = randomUUID();

/* Each makes a request of a key; `end` is the collection whose key it takes. */
const KINDS = {
    one: (c) => ({ end: c, of: (key) => ['GET', `/items/${c.name}/${key}?fields=${pick(['*', 'id', '*.*'])}`] }),
    list: (c) => {
        const { end, of } = condition(c);
        const extra = pick([{}, { sort: '-id' }, { meta: '*' }, { limit: -1 }, { fields: ['*.*'] }, { 'aggregate[count]': '*' }, { 'groupBy[]': pick(c.fields).name, 'aggregate[count]': '*' }]);
        return { end, of: (key) => get(c.name, { fields: 'id', ...extra, filter: of(key) }) };
    },
    search: (c) => ({ end: c, of: (key) => get(c.name, { fields: 'id', search: key }) }),
    searchBody: (c) => {
        const { end, of } = condition(c);
        return { end, of: (key) => ['SEARCH', `/items/${c.name}`, { query: { fields: ['id'], filter: of(key) } }] };
    },
    deep: (c) => {
        if (c.toOne.length === 0) return undefined;
        const { field, other } = pick(c.toOne);
        return { end: known(other), of: (key) => get(c.name, { fields: `id,${field}.id`, deep: { [field]: { _filter: { id: { _eq: key } } } } }) };
    },
    patchOne: (c) => ({ end: c, of: (key) => ['PATCH', `/items/${c.name}/${key}`, changeOf(c)] }),
    patchMany: (c) => ({ end: c, of: (key) => ['PATCH', `/items/${c.name}`, { keys: [key], data: changeOf(c) }] }),
    patchQuery: (c) => ({ end: c, of: (key) => ['PATCH', `/items/${c.name}`, { query: { filter: { id: { _eq: key } } }, data: changeOf(c) }] }),
    patchBatch: (c) => ({ end: c, of: (key) => ['PATCH', `/items/${c.name}`, [{ id: key, ...changeOf(c) }]] }),
    deleteOne: (c) => ({ end: c, of: (key) => ['DELETE', `/items/${c.name}/${key}`] }),
    deleteMany: (c) => ({ end: c, of: (key) => ['DELETE', `/items/${c.name}`, [key]] }),
    deleteQuery: (c) => ({ end: c, of: (key) => ['DELETE', `/items/${c.name}`, { query: { filter: { id: { _in: [key] } } } }] }),
    relate: (c) => {
        if (c.toOne.length === 0 || c.mine.length === 0) return undefined;
        const relation = pick(c.toOne);
        const { field, other } = relation;
        const nested = chance(0.5);
        return { end: known(other), of: (key) => ['PATCH', `/items/${c.name}/${c.mine[0]}`, { [field]: nested ? { id: key, date_created: null } : key }], undo: [c, relation] };
    },
};

/* Something that every row has and no trigger cares about. */
function changeOf(c) {
    const text = c.fields.find((f) => ['name', 'title', 'notes', 'label'].includes(f.name));
    return text ? { [text.name]: 'changed' } : { sort: 1 };
}

/* What answers may differ in: keys that were sent, keys and moments that the server made. */
const MADE = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z/g;
function plain(answer, key) {
    const { date, etag, ...headers } = answer.headers;
    return `${answer.status} ${JSON.stringify(headers)} ${answer.text.replaceAll(key, '#').replaceAll(MADE, '@')}`;
}
const ask = ([method, target, body]) => stack.call({ method, path: target, token, body });

/* A row that a nested write has made under such a key would be a key of site a from then on. */
async function undo({ end, undo: [c, { field, before }] }, keys) {
    await stack.rows(`update ${c.name} set ${field} = ${before} where id = '${c.mine[0]}' and ${field}::text in ('${keys.join("', '")}');
        delete from ${end.name} where ${end.siteColumn} = '${A}' and id in ('${keys.join("', '")}')`);
}

const fingerprint = () =>
    Promise.all(collections.filter((c) => c.name !== 'work_log').map(async (c) => {
        const [[sum]] = await stack.rows(`select md5(string_agg(t::text, '|' order by id::text)) from ${c.name} t where ${c.siteColumn} = '${B}'`);
        return `${c.name} ${sum}`;
    }));

test('keys_of_another_site_are_answered_byte_by_byte_like_keys_of_no_row', async (t) => {
    t.diagnostic(`SPARK_MODEL_SEED=${seed}`);
    const untouched = await fingerprint();
    const used = new Set();
    for (let step = 0; step < steps; step++) {
        const kind = pick(Object.keys(KINDS));
        const root = pick(collections);
        const request = KINDS[kind](root);
        if (!request?.end || request.end.theirs.length === 0) continue;
        // The log of site a grows with what this test itself writes: only its keys stand still.
        if (root.name === 'work_log' && !/One|Many|one/.test(kind)) continue;
        const theirs = pick(request.end.theirs);
        const missing = theirs.slice(0, -4) + below(0x10000).toString(16).padStart(4, '0');
        if (request.end.theirs.includes(missing) || request.end.mine.includes(missing)) continue;
        used.add(request.end.name);
        const foreign = await ask(request.of(theirs));
        const absent = await ask(request.of(missing));
        const sent = `seed ${seed}, step ${step}: ${JSON.stringify(request.of(theirs))}`;
        assert.ok(foreign.status < 500, `${sent}: ${foreign.text}`);
        assert.equal(plain(foreign, theirs), plain(absent, missing), sent);
        if (request.undo && foreign.status === 200) await undo(request, [theirs, missing]);
    }
    assert.deepEqual(await fingerprint(), untouched, `seed ${seed}: a row of site b has changed`);
    t.diagnostic(`${used.size} of ${collections.length} collections`);
    if (steps >= 1000) assert.deepEqual(collections.filter((c) => !used.has(c.name)).map((c) => c.name), [], 'collections that were never asked for');
});

/* Time --------------------------------------------------------------------------------------------- */

/* How far apart two samples are, in standard deviations of the rank sum (Mann and Whitney); ranks do
 * not care how long the longest took. */
function rankDistance(one, two) {
    const all = [...one.map((t) => ({ t, first: true })), ...two.map((t) => ({ t, first: false }))].sort((x, y) => x.t - y.t);
    const sum = all.reduce((total, { first }, i) => total + (first ? i + 1 : 0), 0);
    const n = one.length;
    const m = two.length;
    return (sum - (n * (n + m + 1)) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12);
}

async function timed(request) {
    const start = process.hrtime.bigint();
    await ask(request);
    return Number(process.hrtime.bigint() - start);
}

/* Sent in turn, so that noise meets both alike. */
async function distance(request, theirs, missing, rounds) {
    const times = { theirs: [], missing: [] };
    for (let i = 0; i < rounds; i++) {
        for (const which of chance(0.5) ? ['theirs', 'missing'] : ['missing', 'theirs'])
            times[which].push(await timed(request.of(which === 'theirs' ? theirs : missing)));
    }
    return rankDistance(times.theirs, times.missing);
}

test('and_take_no_longer', async (t) => {
    const posts = known('posts');
    const requests = {
        one: { of: (key) => ['GET', `/items/posts/${key}`] },
        list: { of: (key) => get('posts', { fields: 'id', filter: { id: { _eq: key } } }) },
        relation: { of: (key) => get('posts', { fields: 'id', filter: { source_article_id: { id: { _eq: key } } } }), end: known('generated_articles') },
        update: { of: (key) => ['PATCH', `/items/posts/${key}`, { title: 'changed' }] },
        remove: { of: (key) => ['DELETE', `/items/posts/${key}`] },
        relate: { of: (key) => ['POST', '/items/posts', { title: 'x', slug: 'x', author: key }], end: known('authors') },
        stats: { of: (key) => ['GET', `/api/seo/get-nearby?article_id=${key}`], end: known('generated_articles') },
    };
    for (const [name, request] of Object.entries(requests)) {
        const [theirs] = (request.end ?? posts).theirs;
        let z = 0;
        // A chance finding does not come three times with the same sign.
        for (let again = 0, sign = 0; again < 3; again++) {
            z = await distance(request, theirs, theirs.slice(0, -4) + 'ffff', 150);
            if (Math.abs(z) < 4 || (sign !== 0 && Math.sign(z) !== sign)) break;
            sign = Math.sign(z);
            assert.notEqual(again, 2, `${name}: foreign and missing keys are ${z.toFixed(1)} standard deviations apart in time, three times`);
        }
        t.diagnostic(`${name}: ${z.toFixed(1)} standard deviations`);
    }
});
