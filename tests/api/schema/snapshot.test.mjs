// /schema/snapshot, /schema/diff, /schema/apply through the real SDK, as JSON, as YAML and as files: Directus' forms and
// sentences, all or nothing, and nothing twice.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createDirectus, rest, schemaApply, schemaDiff, schemaSnapshot, staticToken } from '@directus/sdk';

import { startApi } from '../../support/api.mjs';
import { readYaml } from '../../support/yaml.mjs';

let stack;
let sdk;
before(async () => {
    stack = await startApi();
    sdk = createDirectus(stack.url).with(staticToken(stack.adminToken)).with(rest());
    await ok('POST', '/collections', [
        { collection: 's_a', schema: {}, meta: { note: 'n', translations: [{ language: 'de-DE', translation: 'x' }] }, fields: [
            { field: 'id', type: 'integer', schema: { is_primary_key: true, has_auto_increment: true }, meta: { options: { a: [1, 2, 3], b: { c: 1 } } } },
            { field: 't', type: 'string', meta: { options: { choices: ['a', 'b', 'c'] } } }, { field: 'b', type: 'integer', meta: {} },
            { field: 'line', type: 'alias', meta: { special: ['alias', 'no-data'] } } ] },
        { collection: 's_b', schema: {}, meta: {} },
        { collection: 's_site', schema: {}, meta: { tenant: true } },
    ]);
    await ok('POST', '/relations', { collection: 's_a', field: 'b', related_collection: 's_b', meta: {}, schema: { on_delete: 'SET NULL' } });
});
after(() => stack.stop());

const api = (method, path, body, rest_ = {}) => stack.call({ method, path, body, token: stack.adminToken, ...rest_ });
const ok = async (method, path, body) => {
    const answer = await api(method, path, body);
    assert.ok(answer.status === 200 || answer.status === 204, `${method} ${path} → ${answer.status} ${answer.text.slice(0, 600)}`);
    return answer.body?.data;
};
const refused = async (method, path, body, sentence, status = 400) => {
    const answer = await api(method, path, body);
    assert.equal(answer.status, status, answer.text.slice(0, 600));
    assert.match(answer.body.errors[0].message, sentence);
};
const snapshot = () => ok('GET', '/schema/snapshot');
const changed = async (change) => {
    const copy = structuredClone(await snapshot());
    change(copy);
    return copy;
};
const collection = (s, name) => s.collections.find((c) => c.collection === name);
const field = (s, name, of = 's_a') => s.fields.find((f) => f.collection === of && f.field === name);
const relation = (s) => s.relations.find((r) => r.collection === 's_a');
const diffOf = async (change) => (await ok('POST', '/schema/diff', await changed(change)))?.diff;
const part = (name, records) => ({ collections: [], fields: [], systemFields: [], relations: [], [name]: records });

test('a snapshot has the members of Directus, and none of the system', async () => {
    const whole = await sdk.request(schemaSnapshot());
    assert.deepEqual(Object.keys(whole), ['version', 'directus', 'vendor', 'collections', 'fields', 'systemFields', 'relations']);
    assert.deepEqual([whole.version, whole.directus, whole.vendor], [1, '11.17.4', 'postgres']);
    assert.ok(!whole.collections.some((c) => c.collection.startsWith('directus_')));
    assert.deepEqual(whole.systemFields.map((f) => `${f.collection}.${f.field}`), ['directus_activity.timestamp', 'directus_revisions.activity', 'directus_revisions.parent']);
    assert.deepEqual(Object.keys(field(whole, 't')), ['collection', 'field', 'type', 'meta', 'schema']);
    assert.deepEqual(Object.keys(field(whole, 'line')), ['collection', 'field', 'type', 'meta']);
    assert.equal(field(whole, 'b').schema.is_indexed, false, 'the index of a foreign key is not the field’s');
    assert.equal(await sdk.request(schemaDiff(whole)), null);
});

test('differences are told as records of deep-diff', async () => {
    assert.deepEqual(await diffOf((s) => { collection(s, 's_a').meta.note = null; }), part('collections', [{ collection: 's_a', diff: [{ kind: 'E', path: ['meta', 'note'], lhs: 'n', rhs: null }] }]));
    assert.deepEqual(await diffOf((s) => { delete collection(s, 's_a').meta.note; }), part('collections', [{ collection: 's_a', diff: [{ kind: 'D', path: ['meta', 'note'], lhs: 'n' }] }]));
    assert.deepEqual(await diffOf((s) => { collection(s, 's_a').meta.translations.push({ language: 'fr', translation: 'y' }); }),
        part('collections', [{ collection: 's_a', diff: [{ kind: 'A', path: ['meta', 'translations'], index: 1, item: { kind: 'N', rhs: { language: 'fr', translation: 'y' } } }] }]));
    assert.deepEqual(await diffOf((s) => { field(s, 'id').meta.options = { a: [1, 5, 3, 4], b: null, n: 2 }; field(s, 't').meta.options.choices = ['a', 'z']; }), part('fields', [
        { collection: 's_a', field: 'id', diff: [{ kind: 'A', path: ['meta', 'options', 'a'], index: 3, item: { kind: 'N', rhs: 4 } }, { kind: 'E', path: ['meta', 'options', 'a', 1], lhs: 2, rhs: 5 },
            { kind: 'E', path: ['meta', 'options', 'b'], lhs: { c: 1 }, rhs: null }, { kind: 'N', path: ['meta', 'options', 'n'], rhs: 2 }] },
        { collection: 's_a', field: 't', diff: [{ kind: 'A', path: ['meta', 'options', 'choices'], index: 2, item: { kind: 'D', lhs: 'c' } }, { kind: 'E', path: ['meta', 'options', 'choices', 1], lhs: 'b', rhs: 'z' }] },
    ]));
    assert.deepEqual(await diffOf((s) => { s.systemFields.push({ collection: 'directus_users', field: 'location', schema: { is_indexed: true } }); }),
        part('systemFields', [{ collection: 'directus_users', field: 'location', diff: [{ kind: 'E', path: ['schema', 'is_indexed'], lhs: false, rhs: true }] }]));
    const gone = await diffOf((s) => { s.collections = s.collections.filter((c) => c.collection !== 's_b'); s.fields = s.fields.filter((f) => f.collection !== 's_b'); s.relations = s.relations.filter((r) => r.related_collection !== 's_b'); });
    assert.deepEqual([gone.collections.map((c) => [c.collection, c.diff[0].kind]), gone.fields, gone.relations.map((r) => r.diff[0].kind)], [[['s_b', 'D']], [], ['D']]);
});

test('what came with the platform is not told to go', async () => {
    assert.equal(await diffOf((s) => { s.collections = s.collections.filter((c) => c.collection.startsWith('s_')); s.fields = s.fields.filter((f) => f.collection.startsWith('s_')); s.relations = s.relations.filter((r) => r.collection.startsWith('s_')); }), undefined);
});

const roundTrip = async (change, check) => {
    const wanted = await changed(change);
    const diff = await sdk.request(schemaDiff(wanted));
    await sdk.request(schemaApply(diff));
    assert.equal(await sdk.request(schemaDiff(wanted)), null, 'nothing differs any more');
    await refused('POST', '/schema/apply', diff, /Provided (hash does not match|diff is trying to)/);
    await check?.();
};

test('what differs is carried out, and then nothing differs', async () => {
    await roundTrip((s) => { collection(s, 's_a').meta.note = 'm'; collection(s, 's_a').meta.translations = null; field(s, 'id').meta.options = { a: [3, 4, 5, 6] }; });
    await ok('POST', '/items/s_a', [{ t: '12' }, { t: null }]);
    await roundTrip((s) => { const f = field(s, 't'); f.type = 'integer'; Object.assign(f.schema, { data_type: 'integer', max_length: null, numeric_precision: 32, numeric_scale: 0, default_value: 3 }); },
        async () => assert.deepEqual((await ok('GET', '/items/s_a')).map((r) => r.t), [12, null]));
    await roundTrip((s) => { relation(s).schema.on_delete = 'CASCADE'; relation(s).meta.one_deselect_action = 'delete'; });
    await roundTrip((s) => {
        const copy = (entry, name) => ({ ...structuredClone(entry), collection: name });
        s.collections.push({ ...copy(collection(s, 's_b'), 's_n'), meta: { ...collection(s, 's_b').meta, collection: 's_n' }, schema: { name: 's_n' } });
        const id = copy(field(s, 'id', 's_b'), 's_n');
        s.fields.push({ ...id, meta: { ...id.meta, collection: 's_n' }, schema: { ...id.schema, table: 's_n', default_value: "nextval('s_n_id_seq'::regclass)" } });
        s.systemFields.push({ collection: 'directus_users', field: 'location', schema: { is_indexed: true } });
    });
    await roundTrip((s) => {
        for (const list of ['collections', 'fields', 'relations']) s[list] = s[list].filter((e) => !['s_n', 's_b'].includes(e.collection) && e.related_collection !== 's_b');
        s.fields = s.fields.filter((f) => !(f.collection === 's_a' && f.field === 'b'));
        s.systemFields = s.systemFields.filter((f) => f.collection !== 'directus_users');
    });
});

test('a collection of sites is one again where its snapshot is applied', async () => {
    const whole = await snapshot();
    assert.equal(field(whole, 'site_id', 's_site').schema.foreign_key_table, 'sites');
    await ok('DELETE', '/collections/s_site');
    const diff = await sdk.request(schemaDiff(whole));
    await sdk.request(schemaApply(diff));
    assert.equal((await ok('GET', '/collections/s_site')).meta.tenant, 'site_id');
    assert.equal(await sdk.request(schemaDiff(whole)), null);
});

test('what a difference does to collections and fields is in the history', async () => {
    const since = (await ok('GET', '/activity?limit=1&sort=-id&fields=id'))[0].id;
    const history = async () => (await ok('GET', `/activity?fields=action,collection,item,user.email,revisions.delta&filter[id][_gt]=${since}&filter[action][_in]=create,update,delete&sort=id&limit=-1`))
        .map(({ action, collection, revisions }) => [action, collection.slice('directus_'.length), revisions[0]?.delta]);
    const before_ = await snapshot();
    const made = await changed((s) => {
        const [of, id] = structuredClone([collection(s, 's_a'), field(s, 'id')]);
        s.collections.push({ ...of, collection: 's_h', meta: { ...of.meta, collection: 's_h' }, schema: { name: 's_h' } });
        s.fields.push({ ...id, collection: 's_h', meta: { ...id.meta, collection: 's_h', note: 'made' }, schema: { ...id.schema, table: 's_h' } });
        collection(s, 's_a').meta.note = 'told';
        field(s, 't').meta.note = 'told';
    });
    await ok('POST', '/schema/apply', await ok('POST', '/schema/diff', made));
    const [fieldMade, made_, ...more] = await history();
    assert.deepEqual([fieldMade[2].note, made_.slice(0, 2)], ['made', ['create', 'collections']]);
    assert.deepEqual(more.map(([action, of, delta]) => [action, of, delta.note]), [['update', 'collections', 'told'], ['update', 'fields', 'told']]);
    await ok('POST', '/schema/apply', await ok('POST', '/schema/diff', before_));
    const gone = (await history()).slice(4);
    assert.deepEqual(gone.filter(([action]) => action === 'delete').map(([, of]) => of), ['collections', 'fields']);
});

test('all of a difference is carried out or nothing', async () => {
    const before_ = await snapshot();
    const diff = await ok('POST', '/schema/diff', await changed((s) => { collection(s, 's_a').meta.note = 'half'; Object.assign(field(s, 'line'), { type: 'integer' }); field(s, 't').schema.default_value = 'not a number'; }));
    const answer = await api('POST', '/schema/apply', diff);
    assert.equal(answer.status, 400, answer.text);
    assert.deepEqual(await snapshot(), before_);
});

test('snapshots and differences that cannot be are refused in the words of Directus', async () => {
    const diff = '/schema/diff';
    await refused('POST', diff, {}, /No data was included in the body/);
    await refused('POST', diff, { x: 1 }, /"version" is required/);
    await refused('POST', diff, await changed((s) => { s.version = 2; }), /"version" must be \[1\]/);
    await refused('POST', diff, await changed((s) => { s.directus = '11.0.0'; }), /directus version 11.0.0 does not match the current instance's version 11.17.4/);
    await refused('POST', diff, await changed((s) => { s.vendor = 'mysql'; }), /vendor mysql does not match/);
    await refused('POST', diff, await changed((s) => { delete s.vendor; }), /does not contain the "vendor" property/);
    await refused('POST', diff, await changed((s) => { s.more = 1; }), /"more" is not allowed/);
    await refused('POST', diff, await changed((s) => { s.fields = [{ x: 1 }]; }), /"fields\[0\].x" is not allowed/);
    assert.equal((await api('POST', `${diff}?force`, await changed((s) => { s.directus = '11.0.0'; s.vendor = 'mysql'; }))).status, 204);
    await refused('POST', '/schema/apply', { hash: 'x', diff: {} }, /"diff.collections" is required/);
    await refused('POST', '/schema/apply', { diff: part('fields', []) }, /"hash" is required/);
    await refused('POST', '/schema/apply', { hash: 'x', diff: part('collections', [{ collection: 's_a', diff: [{ kind: 'Q' }] }]) }, /"diff.collections\[0\].diff\[0\].kind" must be one of \[N, D, E, A\]/);
    await refused('POST', '/schema/apply', { hash: 'x', diff: part('collections', [{ collection: 's_a', diff: [{ kind: 'N', rhs: {} }] }]) }, /trying to create collection "s_a" but it already exists/);
    await refused('POST', '/schema/apply', { hash: 'x', diff: part('fields', [{ collection: 's_a', field: 'zz', diff: [{ kind: 'D', lhs: {} }] }]) }, /trying to delete field "s_a.zz" but it does not exist/);
    assert.equal((await api('POST', '/schema/apply', { hash: 'x', diff: part('fields', []) })).status, 204);
});

const multipart = (type, text, name = 'file') => ({
    headers: { 'content-type': 'multipart/form-data; boundary="-x y"' },
    text: `---x y\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n---x y\r\nContent-Disposition: form-data; name="${name}"; filename="schema"\r\nContent-Type: ${type}\r\n\r\n${text}\r\n---x y--\r\n`,
});

test('files are taken as JSON or YAML', async () => {
    const json = await api('GET', '/schema/snapshot?export=json');
    const yaml = await api('GET', '/schema/snapshot?export=yaml');
    assert.match(json.headers['content-disposition'], /^attachment; filename="Export \d{8}-\d{6}\.json"$/);
    assert.equal(yaml.headers['content-type'], 'text/yaml; charset=utf-8');
    assert.match(yaml.text, /^version: 1\n/);
    assert.deepEqual(readYaml(yaml.text), await snapshot());
    const post = (request) => api('POST', '/schema/diff', undefined, request);
    assert.equal((await post(multipart('application/json', json.text))).status, 204);
    assert.equal((await post(multipart('text/yaml', yaml.text))).status, 204);
    assert.equal((await post(multipart('text/yaml', yaml.text.replace('note: m', 'note: other')))).body.data.diff.collections[0].diff[0].rhs, 'other');
    for (const [request, status, sentence] of [
        [multipart('application/json', '{'), 400, /The provided JSON is invalid/], [multipart('text/yaml', 'a: [1'), 400, /The provided YAML is invalid/],
        [multipart('text/yaml', `a: &x [1]\nb: *x`), 400, /The provided YAML is invalid/], [multipart('text/yaml', `${'- '.repeat(5000)}x`), 400, /The provided YAML is invalid/],
        [multipart('text/yaml', ''), 400, /The provided YAML is invalid/], [{ headers: { 'content-type': 'multipart/form-data; boundary=x' }, text: '--x--\r\n' }, 400, /No file was included in the body/],
        [{ headers: { 'content-type': 'multipart/form-data' }, text: 'x' }, 415, /Unsupported media type/], [{ headers: { 'content-type': 'text/plain' }, text: 'x' }, 415, /Unsupported media type "text\/plain"/],
    ]) {
        const answer = await post(request);
        assert.equal(answer.status, status, answer.text);
        assert.match(answer.body.errors[0].message, sentence);
    }
});
