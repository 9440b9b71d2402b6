// Many collections, fields and relations that are made together: few round trips, and of what is wrong the place.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startApi } from '../../support/api.mjs';
import { counter } from '../../support/readers.mjs';

let stack;
before(async () => {
    stack = await startApi();
});
after(() => stack.stop());

const api = (method, path, body) => stack.call({ method, path, body, token: stack.adminToken });
const ok = async (method, path, body) => {
    const answer = await api(method, path, body);
    assert.ok(answer.status === 200 || answer.status === 204, `${method} ${path} → ${answer.status} ${answer.text.slice(0, 600)}`);
    return answer.body?.data;
};

const born = (rhs) => [{ kind: 'N', rhs }];
const folder = (collection, meta = {}) => ({ collection, diff: born({ collection, meta: { collection, ...meta }, schema: { name: collection } }) });
const entry = (collection, field, rest = {}) => ({
    collection, field, diff: born({ collection, field, type: 'string', ...rest, meta: { collection, field, sort: null, special: null, searchable: true, ...rest.meta }, schema: { name: field, table: collection, ...rest.schema } }),
});
const key = (collection) => entry(collection, 'id', { type: 'integer', schema: { is_primary_key: true, has_auto_increment: true } });
const link = (collection, field, related_collection, rest = {}) => ({
    collection, field, related_collection, diff: born({ collection, field, related_collection, meta: { many_collection: collection, many_field: field, one_collection: related_collection, ...rest.meta }, schema: { on_delete: 'SET NULL' } }),
});
const names = (prefix, count) => Array.from({ length: count }, (_, i) => `${prefix}_${i}`);

/** `count` collections with `fields` fields each, every one related to the one before it. */
function difference(prefix, count, fields) {
    const collections = names(prefix, count);
    return {
        collections: collections.map((name) => folder(name)),
        fields: collections.flatMap((name) => [key(name), entry(name, 'up', { type: 'integer' }), ...names('f', fields).map((field) => entry(name, field))]),
        systemFields: [],
        relations: collections.slice(1).map((name, i) => link(name, 'up', collections[i])),
    };
}
const apply = (diff) => api('POST', '/schema/apply?force', { hash: 'any', diff });

async function groupsOf(work) {
    const before_ = await counter(stack, 'db_groups');
    const answer = await work();
    assert.ok(answer.status === 204 || answer.status === 200, answer.text);
    return (await counter(stack, 'db_groups')) - before_;
}

test('more fields and relations are not more round trips', async () => {
    await groupsOf(() => apply(difference('warm', 2, 2)));
    const small = await groupsOf(() => apply(difference('small', 4, 2)));
    const wide = await groupsOf(() => apply(difference('wide', 4, 42)));
    const many = await groupsOf(() => apply(difference('many', 24, 2)));
    assert.ok(wide - small < 20, `${wide} round trips for 160 fields more, before ${small}`);
    assert.ok(many - small < 40, `${many} round trips for 20 collections more, before ${small}`);
    const fields = (count) => names('f', count).map((field) => ({ field, type: 'string', meta: {} }));
    const few = await groupsOf(() => api('POST', '/collections', { collection: 'few', schema: {}, meta: {}, fields: fields(2) }));
    const twenty = await groupsOf(() => api('POST', '/collections', { collection: 'twenty', schema: {}, meta: {}, fields: fields(20) }));
    assert.ok(twenty - few < 10, `${twenty} round trips for 20 fields, ${few} for 2`);
});

test('what is said of many fields changes at once, and of one that is wrong the place is named', async () => {
    assert.equal((await apply(difference('told', 3, 40))).status, 204);
    const whole = await ok('GET', '/schema/snapshot');
    const told = structuredClone(whole);
    const fields = told.fields.filter((f) => f.collection.startsWith('told_'));
    for (const [i, f] of fields.entries()) Object.assign(f.meta, { note: `n${i}`, searchable: i % 2 === 0, special: i % 3 === 0 ? ['x', 'y'] : f.meta.special });
    const bad = structuredClone(told);
    bad.fields.find((f) => f.collection === 'told_1' && f.field === 'f_7').meta.sort = 'first';
    const answer = await api('POST', '/schema/apply', await ok('POST', '/schema/diff', bad));
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.body.errors[0].message, /^fields\[\d+\] \(told_1\.f_7\): .*"first"/);
    assert.deepEqual(await ok('GET', '/schema/snapshot'), whole);
    const diff = await ok('POST', '/schema/diff', told);
    assert.ok((await groupsOf(() => api('POST', '/schema/apply', diff))) < 60, 'of 126 fields');
    assert.deepEqual((await ok('GET', '/schema/snapshot')).fields.filter((f) => f.collection.startsWith('told_')), fields);
});

test('what is made together is as it was wanted, and the next request sees it', async () => {
    const diff = difference('whole', 3, 2);
    Object.assign(diff.fields.find((f) => f.field === 'f_1').diff[0].rhs.meta, { sort: 7, note: 'n', special: ['a', 'b'], searchable: false, options: { x: [1] } });
    Object.assign(diff.fields.find((f) => f.field === 'f_0').diff[0].rhs, { type: 'json' });
    diff.fields.find((f) => f.field === 'f_0').diff[0].rhs.schema.default_value = '{"a":1}';
    assert.equal((await apply(diff)).status, 204);
    const whole = await ok('GET', '/schema/snapshot');
    const field = (name) => whole.fields.find((f) => f.collection === 'whole_0' && f.field === name);
    const { sort, note, special, searchable, options } = field('f_1').meta;
    assert.deepEqual({ sort, note, special, searchable, options }, { sort: 7, note: 'n', special: ['a', 'b'], searchable: false, options: { x: [1] } });
    assert.deepEqual([field('f_0').meta.special, field('f_0').meta.sort, field('f_0').schema.default_value], [null, null, { a: 1 }]);
    assert.deepEqual(whole.relations.filter((r) => r.collection.startsWith('whole_')).map((r) => [r.collection, r.field, r.related_collection, r.schema.on_delete]),
        [['whole_1', 'up', 'whole_0', 'SET NULL'], ['whole_2', 'up', 'whole_1', 'SET NULL']]);
    const parent = await ok('POST', '/items/whole_0', {});
    assert.equal((await ok('POST', '/items/whole_1', { up: parent.id })).up, parent.id);
    assert.equal(await ok('POST', '/schema/diff', whole), undefined);
});

test('of many that are made together the one that is wrong is named, and nothing is made', async () => {
    const before_ = await ok('GET', '/schema/snapshot');
    const cases = [
        [(d) => { d.fields.find((f) => f.collection === 'wrong_2' && f.field === 'f_1').diff[0].rhs.meta.width = 'w'.repeat(300); }, /^fields\[\d+\] \(wrong_2\.f_1\): .*too long/],
        [(d) => { d.fields.find((f) => f.collection === 'wrong_2' && f.field === 'f_1').diff[0].rhs.meta.sort = 'first'; }, /^fields\[\d+\] \(wrong_2\.f_1\): .*"first"/],
        [(d) => { d.fields.find((f) => f.collection === 'wrong_1' && f.field === 'f_0').diff[0].rhs.meta.validation = { f_0: { _regex: '(' } }; }, /^fields\[\d+\] \(wrong_1\.f_0\): /],
        [(d) => { d.fields.find((f) => f.collection === 'wrong_1' && f.field === 'f_0').diff[0].rhs.type = 'nope'; }, /^fields\[\d+\] \(wrong_1\.f_0\): .*nope/],
        [(d) => { d.fields.find((f) => f.collection === 'wrong_1' && f.field === 'up').diff[0].rhs.schema.default_value = 'x'; }, /^collections\[\d+\] \(wrong_1\): .*integer: "x"/],
        [(d) => { d.collections[2] = folder('wrong_2', { group: 'nowhere' }); d.collections[0] = folder('wrong_0', { group: 'wrong_1' }); }, /^collections\[\d+\] \(wrong_2\): .*group/],
        [(d) => { d.collections[1] = folder('wrong_1', { sort: 'x' }); }, /^collections\[\d+\] \(wrong_1\): .*"x"/],
        [(d) => { d.relations[1] = link('wrong_2', 'f_0', 'wrong_1'); }, /^relations\[\d+\] \(wrong_2\.f_0\): .*"f_0" is a column of the type character varying/],
        [(d) => { d.relations[1] = link('wrong_2', 'up', 'wrong_1', { meta: { sort_field: 's'.repeat(300) } }); }, /^relations\[\d+\] \(wrong_2\.up\): .*too long/],
    ];
    for (const [spoil, sentence] of cases) {
        const diff = difference('wrong', 3, 2);
        spoil(diff);
        const answer = await apply(diff);
        assert.equal(answer.status, 400, `${sentence}: ${answer.text}`);
        assert.match(answer.body.errors[0].message, sentence);
        assert.deepEqual(await ok('GET', '/schema/snapshot'), before_);
    }
    const twice = await api('POST', '/collections', ['twice_0', 'twice_1', 'twice_0'].map((collection) => ({ collection, schema: {}, meta: {} })));
    assert.deepEqual([twice.status, twice.body.errors[0].message], [400, 'Invalid payload. Collection "twice_0" already exists.']);
    assert.deepEqual(await ok('GET', '/schema/snapshot'), before_);
});

test('a folder may be made with what is in it, before or after it', async () => {
    const diff = difference('inside', 3, 0);
    diff.collections[0] = folder('inside_0', { group: 'inside_2' });
    diff.collections[1] = folder('inside_1', { group: 'inside_0' });
    assert.equal((await apply(diff)).status, 204);
    await ok('POST', '/collections', [{ collection: 'inside_3', schema: {}, meta: { group: 'inside_4' } }, { collection: 'inside_4', schema: null, meta: {} }]);
    const groups = Object.fromEntries((await ok('GET', '/collections')).filter((c) => c.collection.startsWith('inside_')).map((c) => [c.collection, c.meta.group]));
    assert.deepEqual(groups, { inside_0: 'inside_2', inside_1: 'inside_0', inside_2: null, inside_3: 'inside_4', inside_4: null });
});

test('fields without a place come behind all that are there when it is their turn', async () => {
    const places = [[null, null], [5, null], [null, null], [null, 'g'], [2, 'g'], [null, 'g'], [1, null], [null, null]];
    const fields = places.map(([sort, group], i) => ({ field: `f_${i}`, type: 'string', meta: { sort, group } }));
    await ok('POST', '/collections', { collection: 'placed', schema: {}, meta: {}, fields: [{ field: 'id', type: 'integer', schema: { is_primary_key: true, has_auto_increment: true } }, ...fields] });
    await ok('POST', '/fields/placed', { field: 'f_8', type: 'string', meta: {} });
    const sorts = (await ok('GET', '/fields/placed')).filter((f) => f.field !== 'id').sort((a, b) => (a.field < b.field ? -1 : 1)).map((f) => f.meta.sort);
    assert.deepEqual(sorts, [1, 5, 6, 1, 2, 3, 1, 7, 8]);
});

test('a relation is made of what those before it have changed', async () => {
    const diff = difference('later', 2, 0);
    for (const name of ['later_0', 'later_1']) {
        diff.collections.find((c) => c.collection === name).diff[0].rhs.meta.tenant = false;
        diff.fields.push(entry(name, 'site_id', { type: 'uuid', schema: { is_nullable: false } }));
    }
    diff.relations = [link('later_0', 'site_id', 'sites'), link('later_1', 'site_id', 'sites'), link('later_1', 'up', 'later_0')];
    const answer = await apply(diff);
    assert.equal(answer.status, 204, answer.text);
    const [[columns]] = await stack.rows("select string_agg(a.attname, ',' order by k.n) from pg_constraint c cross join unnest(c.conkey) with ordinality k (attnum, n) join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum where c.conname = 'later_1_up_foreign'");
    assert.equal(columns, 'site_id,up', 'both are of their sites, so the key says whose');
});
