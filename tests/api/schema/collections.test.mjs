// Collections, fields and relations through the real SDK and by hand: Directus' objects, its sentences, real tables, and
// every follow-up of what goes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import {
    createCollection, createDirectus, createField, createItem, createRelation, deleteCollection, deleteField, deleteRelation,
    readCollection, readCollections, readField, readFields, readFieldsByCollection, readItems, readRelation, readRelationByCollection,
    readRelations, rest, staticToken, updateCollection, updateField, updateRelation,
} from '@directus/sdk';

import { codeOf, startApi } from '../../support/api.mjs';
import { until } from '../../support/stack.mjs';

let stack;
let sdk;
before(async () => {
    stack = await startApi({ pack: false });
    sdk = createDirectus(stack.url).with(staticToken(stack.adminToken)).with(rest());
});
after(() => stack.stop());

const api = (method, path, body, rest_ = {}) => stack.call({ method, path, body, token: stack.adminToken, ...rest_ });
const ok = async (method, path, body) => {
    const answer = await api(method, path, body);
    assert.ok(answer.status === 200 || answer.status === 204, `${method} ${path} ${JSON.stringify(body)} → ${answer.text}`);
    return answer.body?.data;
};
const refused = async (method, path, body, status, sentence) => {
    const answer = await api(method, path, body);
    assert.equal(answer.status, status, answer.text);
    if (sentence) assert.match(answer.body.errors[0].message, sentence);
};
const KEY = { field: 'id', type: 'integer', schema: { is_primary_key: true, has_auto_increment: true }, meta: { hidden: true } };
const make = (collection, fields = [], rest_ = {}) => ok('POST', '/collections', { collection, schema: {}, meta: {}, fields: [KEY, ...fields], ...rest_ });

test('a fresh installation lists the system: forms can be made of it', async () => {
    const collections = await sdk.request(readCollections());
    assert.equal(collections.length, 29);
    assert.ok(collections.every((c) => c.meta.system && c.schema.name === c.collection));
    const fields = await sdk.request(readFields());
    const users = fields.filter((f) => f.collection === 'directus_users');
    assert.ok(fields.length > 380 && users.length >= 31);
    assert.deepEqual([users.find((f) => f.field === 'password').type, users.find((f) => f.field === 'password').meta.interface], ['hash', 'input-hash']);
    assert.deepEqual(users.find((f) => f.field === 'status').meta.options.choices.map((c) => c.value), ['draft', 'invited', 'unverified', 'active', 'suspended', 'archived']);
    assert.ok(!users.some((f) => f.field === 'site_id'));
    assert.equal(users.find((f) => f.field === 'policies').schema, null);
    const relations = await sdk.request(readRelations());
    assert.equal(relations.length, 54);
    assert.equal(relations.find((r) => r.collection === 'directus_users' && r.field === 'role').meta.one_field, 'users');
});

test('the SDK makes, reads, changes and deletes a collection', async () => {
    const made = await sdk.request(createCollection({ collection: 'books', schema: {}, meta: { icon: 'book' }, fields: [{ field: 'title', type: 'string', meta: {} }] }));
    assert.deepEqual(made, await sdk.request(readCollection('books')));
    assert.deepEqual(made.schema, { schema: 'public', name: 'books', comment: null });
    assert.deepEqual(made.meta, {
        collection: 'books', icon: 'book', note: null, display_template: null, hidden: false, singleton: false, translations: null, archive_field: null,
        archive_app_filter: true, archive_value: null, unarchive_value: null, sort_field: null, accountability: 'all', color: null, item_duplication_fields: null,
        sort: null, group: null, collapse: 'open', preview_url: null, versioning: false, tenant: null,
    });
    assert.equal((await sdk.request(createItem('books', { title: 'one' }))).id, 1);
    assert.equal((await sdk.request(updateCollection('books', { meta: { note: 'n' } }))).meta.note, 'n');
    const fields = await sdk.request(readFieldsByCollection('books'));
    assert.deepEqual(fields.map((f) => [f.field, f.type, f.meta.sort]), [['id', 'integer', 1], ['title', 'string', 2]]);
    assert.equal(fields[0].schema.default_value, "nextval('books_id_seq'::regclass)");
    await sdk.request(deleteCollection('books'));
    await assert.rejects(sdk.request(readCollection('books')));
    await refused('DELETE', '/collections/books', undefined, 403);
});

test('the SDK makes, reads, changes and deletes fields and relations', async () => {
    await make('shelves');
    await make('volumes');
    const field = await sdk.request(createField('volumes', { field: 'shelf', type: 'integer', meta: { interface: 'select-dropdown-m2o', special: ['m2o'] } }));
    assert.deepEqual(field, await sdk.request(readField('volumes', 'shelf')));
    assert.equal((await sdk.request(updateField('volumes', 'shelf', { meta: { width: 'half' } }))).meta.width, 'half');
    await sdk.request(createField('shelves', { field: 'volumes', type: 'alias', meta: { special: ['o2m'], interface: 'list-o2m' } }));
    const relation = await sdk.request(createRelation({ collection: 'volumes', field: 'shelf', related_collection: 'shelves', meta: { one_field: 'volumes' }, schema: { on_delete: 'SET NULL' } }));
    assert.deepEqual([relation.schema.constraint_name, relation.schema.on_delete, relation.meta.one_field], ['volumes_shelf_foreign', 'SET NULL', 'volumes']);
    assert.deepEqual(await sdk.request(readRelation('volumes', 'shelf')), relation);
    assert.equal((await sdk.request(readRelationByCollection('volumes'))).length, 1);
    await sdk.request(createItem('shelves', { volumes: [{}, {}] }));
    assert.deepEqual(await sdk.request(readItems('shelves', { fields: ['id', { volumes: ['id'] }] })), [{ id: 1, volumes: [{ id: 1 }, { id: 2 }] }]);
    // A relation that exists can be changed with its foreign key, which ends the process of Directus 11.17.4.
    const changed = await sdk.request(updateRelation('volumes', 'shelf', { meta: { one_deselect_action: 'delete' }, schema: { on_delete: 'CASCADE' } }));
    assert.deepEqual([changed.meta.id, changed.meta.one_deselect_action, changed.meta.one_field, changed.schema.on_delete], [relation.meta.id, 'delete', 'volumes', 'CASCADE']);
    await ok('DELETE', '/items/shelves/1');
    assert.deepEqual(await sdk.request(readItems('volumes')), []);
    await sdk.request(deleteRelation('volumes', 'shelf'));
    await assert.rejects(sdk.request(readRelation('volumes', 'shelf')));
    assert.equal((await sdk.request(readField('volumes', 'shelf'))).schema.foreign_key_table, null);
    await sdk.request(deleteField('volumes', 'shelf'));
    await sdk.request(deleteField('volumes', 'shelf')); // as gone as it should be
    await refused('GET', '/fields/volumes/shelf', undefined, 403);
    for (const name of ['volumes', 'shelves']) await ok('DELETE', `/collections/${name}`);
});

test('an array is made whole or not at all', async () => {
    await refused('POST', '/collections', [{ collection: 'one', schema: {} }, { collection: 'one', schema: {} }], 400, /already exists/);
    await refused('GET', '/collections/one', undefined, 403);
    assert.deepEqual((await ok('POST', '/collections', [{ collection: 'one', schema: {} }, { collection: 'two', meta: {} }])).map((c) => [c.collection, c.schema === null]), [['one', false], ['two', true]]);
    assert.deepEqual(await ok('POST', '/collections', []), []);
    assert.deepEqual((await ok('SEARCH', '/collections', { keys: ['two', 'one'] })).map((c) => c.collection), ['one', 'two']);
    await refused('PATCH', '/collections', [{ collection: 'one', meta: { note: 'x' } }, { meta: {} }], 400, /misses collection key/);
    assert.equal((await ok('GET', '/collections/one')).meta, null, 'nothing of the array was done');
    for (const name of ['one', 'two']) await ok('DELETE', `/collections/${name}`);
});

test('every type becomes its column', async () => {
    await make('types');
    const cases = [
        ['string', {}, 'character varying', 'string'], ['text', {}, 'text', 'text'], ['boolean', { default_value: true }, 'boolean', 'boolean'], ['integer', { default_value: -5 }, 'integer', 'integer'],
        ['bigInteger', {}, 'bigint', 'bigInteger'], ['float', { default_value: 1.5 }, 'real', 'float'], ['decimal', { numeric_precision: 8, numeric_scale: 2, default_value: '3.10' }, 'numeric', 'decimal'],
        ['date', {}, 'date', 'date'], ['dateTime', { default_value: 'now()' }, 'timestamp without time zone', 'dateTime'], ['time', {}, 'time without time zone', 'time'],
        ['timestamp', { default_value: 'CURRENT_TIMESTAMP' }, 'timestamp with time zone', 'timestamp'], ['json', { default_value: { a: 1 } }, 'json', 'json'], ['uuid', {}, 'uuid', 'uuid'], ['binary', {}, 'bytea', 'binary'],
    ];
    for (const [type, schema, column, told] of cases) {
        const field = await ok('POST', '/fields/types', { field: `f_${type}`, type, schema, meta: {} });
        assert.deepEqual([field.type, field.schema.data_type], [told, column], type);
    }
    const by = Object.fromEntries((await ok('GET', '/fields/types')).map((f) => [f.field, f]));
    assert.deepEqual([by.f_boolean, by.f_integer, by.f_float, by.f_decimal, by.f_json].map((f) => f.schema.default_value), [true, -5, 1.5, 3.1, { a: 1 }]);
    assert.deepEqual([by.f_dateTime.schema.default_value, by.f_timestamp.schema.default_value], ['CURRENT_TIMESTAMP', 'CURRENT_TIMESTAMP']);
    assert.deepEqual([by.f_decimal.schema.numeric_precision, by.f_decimal.schema.numeric_scale, by.f_string.schema.max_length], [8, 2, 255]);
    assert.deepEqual([by.f_json.meta.special, by.f_string.meta.special], [['cast-json'], null]);
    await refused('POST', '/fields/types', { field: 'g', type: 'geometry.Point', schema: {} }, 400, /PostGIS/);
    await refused('POST', '/fields/types', { field: 'g', type: 'nope', schema: {} }, 400, /"type" must be one of/);
    assert.equal((await api('POST', '/fields/types', { field: 'nothing' })).status, 204);
    await ok('DELETE', '/collections/types');
});

test('a column changes its type, its length, its default, its indexes', async () => {
    await make('cells', [{ field: 'a', type: 'string', schema: { default_value: '7', max_length: 20 }, meta: {} }, { field: 'x', type: 'alias', meta: { special: ['alias', 'no-data'] } }]);
    await ok('POST', '/items/cells', [{ a: '41' }, {}]);
    const change = (body) => ok('PATCH', '/fields/cells/a', body);
    assert.equal((await change({ type: 'text' })).type, 'string', 'without schema the type stays, as in Directus');
    assert.deepEqual(await change({ type: 'integer', schema: {} }).then((f) => [f.type, f.schema.default_value]), ['integer', 7]);
    assert.deepEqual((await ok('GET', '/items/cells')).map((c) => c.a), [41, 7]);
    await refused('PATCH', '/fields/cells/a', { type: 'uuid', schema: {} }, 400);
    assert.equal((await change({ type: 'string', schema: { max_length: 3, default_value: null } })).schema.max_length, 3);
    assert.deepEqual(await change({ schema: { is_nullable: false, is_unique: true } }).then((f) => [f.schema.is_nullable, f.schema.is_unique, f.schema.is_indexed]), [false, true, false]);
    assert.deepEqual(await change({ schema: { is_nullable: true, is_unique: false, is_indexed: true } }).then((f) => [f.schema.is_nullable, f.schema.is_unique, f.schema.is_indexed]), [true, false, true]);
    await ok('POST', '/items/cells', { a: null });
    const holed = await api('PATCH', '/fields/cells/a', { schema: { is_nullable: false } });
    assert.deepEqual([holed.status, codeOf(holed), holed.body.errors[0].message], [400, 'CONTAINS_NULL_VALUES', 'Field "a" in collection "cells" contains null values.']);
    await refused('PATCH', '/fields/cells/a', { type: 'alias' }, 400, /Alias type cannot be changed/);
    await refused('PATCH', '/fields/cells/x', { type: 'string', schema: {} }, 400, /Alias type cannot be changed/);
    await refused('PATCH', '/fields/cells/id', { schema: { is_nullable: true } }, 400, /Primary key cannot be null/);
    await refused('PATCH', '/fields/cells', { field: 'a' }, 400, /Submitted body has to be an array/);
    assert.deepEqual((await ok('PATCH', '/fields/cells', [{ field: 'x', meta: { sort: 2 } }, { field: 'a', meta: { sort: 3 } }])).map((f) => [f.field, f.meta.sort]), [['x', 2], ['a', 3]]);
    await ok('DELETE', '/collections/cells');
});

test('writes go on after a column became another one, also where they were prepared before', async () => {
    await make('changed', [{ field: 'f', type: 'boolean', schema: {}, meta: {} }]);
    const samples = { boolean: true, integer: 7, string: 'x', json: { a: 1 }, uuid: '00000000-0000-4000-8000-000000000001' };
    for (const [type, f] of Object.entries(samples)) {
        if (type !== 'boolean') {
            await ok('DELETE', '/fields/changed/f');
            await ok('POST', '/fields/changed', { field: 'f', type, schema: {}, meta: {} });
        }
        for (let i = 0; i < 5; i++) {
            const { id } = await ok('POST', '/items/changed', { f });
            assert.deepEqual(await ok('PATCH', `/items/changed/${id}?fields=f`, { f }), { f });
        }
    }
});

test('a field made anew with another type is written and compared as that', async () => {
    await make('cells', [{ field: 'a', type: 'boolean', schema: {}, meta: {} }]);
    for (let i = 0; i < 12; i++) { // so often that each connection prepares the statements
        await ok('POST', '/items/cells', { a: true });
        await ok('GET', '/items/cells?filter[a][_eq]=true');
    }
    await ok('DELETE', '/fields/cells/a');
    await ok('POST', '/fields/cells', { field: 'a', type: 'dateTime', schema: {}, meta: {} });
    for (let i = 0; i < 12; i++) {
        assert.equal((await ok('POST', '/items/cells', { a: '2024-01-01T10:00:00' })).a, '2024-01-01T10:00:00');
        assert.equal((await ok('GET', '/items/cells?filter[a][_eq]=2024-01-01T10:00:00')).length, i + 1);
    }
    await ok('DELETE', '/collections/cells');
});

test('what was said of a field goes with it', async () => {
    await make('posts', [{ field: 'slug', type: 'string', meta: {} }, { field: 'box', type: 'alias', meta: { special: ['alias', 'no-data', 'group'] } }, { field: 'inside', type: 'string', meta: { group: 'box' } }]);
    await ok('PATCH', '/collections/posts', { meta: { archive_field: 'slug', sort_field: 'slug', item_duplication_fields: ['slug', 'inside'] } });
    const [[policy]] = await stack.sql(`insert into directus_policies (id, name) values (gen_random_uuid(), 'p') returning id`);
    await stack.sql(`insert into directus_permissions (collection, action, policy, fields) values ('posts', 'read', '${policy}', 'id,slug'), ('posts', 'update', '${policy}', 'slug')`);
    await ok('DELETE', '/fields/posts/slug');
    const { meta } = await ok('GET', '/collections/posts');
    assert.deepEqual([meta.archive_field, meta.sort_field, meta.item_duplication_fields], [null, null, ['inside']]);
    assert.deepEqual(await stack.sql(`select action, fields is null, fields from directus_permissions where collection = 'posts' order by 1`), [['read', 'f', 'id'], ['update', 't', '']]);
    await ok('DELETE', '/fields/posts/box');
    assert.equal((await ok('GET', '/fields/posts/inside')).meta.group, null);
    await ok('DELETE', '/collections/posts');
    assert.deepEqual(await stack.sql(`select count(*) from directus_permissions where collection = 'posts'`), [['0']]);
});

test('with a collection go the fields that refer to it and what was said of it', async () => {
    await make('cities', [{ field: 'people', type: 'alias', meta: { special: ['o2m'] } }]);
    await make('people', [{ field: 'city', type: 'integer', meta: {} }, { field: 'born_in', type: 'integer', meta: {} }, { field: 'item', type: 'string', meta: {} }, { field: 'of', type: 'string', meta: {} }]);
    await ok('POST', '/relations', { collection: 'people', field: 'city', related_collection: 'cities', meta: { one_field: 'people' }, schema: {} });
    await ok('POST', '/relations', { collection: 'people', field: 'born_in', related_collection: 'cities' });
    await ok('POST', '/relations', { collection: 'people', field: 'item', related_collection: null, meta: { one_collection_field: 'of', one_allowed_collections: ['cities', 'people'] } });
    await ok('POST', '/items/cities', {});
    await stack.sql(`insert into directus_presets (collection) values ('cities')`);
    await ok('DELETE', '/collections/cities');
    assert.deepEqual((await ok('GET', '/fields/people')).map((f) => f.field), ['id', 'item', 'of']);
    assert.deepEqual((await ok('GET', '/relations/people')).map((r) => [r.field, r.meta.one_allowed_collections]), [['item', ['people']]]);
    assert.deepEqual(await stack.rows(`select (select count(*) from directus_presets where collection = 'cities'), (select count(*) from directus_activity where collection = 'cities')`), [['0', '0']]);
    await ok('DELETE', '/collections/people');
});

test('folders hold collections, and set them free when they go', async () => {
    assert.equal((await ok('POST', '/collections', { collection: 'box', schema: null, meta: {} })).schema, null);
    await refused('POST', '/collections', { collection: 'nothing' }, 403);
    await make('in_box', [], { meta: { group: 'box' } });
    await refused('POST', '/fields/box', { field: 'f', type: 'string' }, 403);
    await ok('DELETE', '/collections/box');
    assert.equal((await ok('GET', '/collections/in_box')).meta.group, null);
    await ok('DELETE', '/collections/in_box');
});

test('what came with the system stays; fields may be added to it', async () => {
    await refused('DELETE', '/collections/directus_users', undefined, 403);
    await refused('PATCH', '/collections/directus_users', { meta: { icon: 'x' } }, 403);
    await refused('DELETE', '/fields/directus_users/email', undefined, 403);
    await refused('PATCH', '/fields/directus_users/email', { meta: { note: 'x' } }, 400, /Only "schema.is_indexed" may be modified for system fields/);
    assert.equal((await ok('PATCH', '/fields/directus_users/location', { schema: { is_indexed: true } })).schema.is_indexed, true);
    assert.equal((await ok('PATCH', '/fields/directus_users/location', { schema: { is_indexed: false } })).schema.is_indexed, false);
    assert.equal((await ok('POST', '/fields/directus_users', { field: 'nick', type: 'string', meta: { interface: 'input' } })).meta.interface, 'input');
    await ok('DELETE', '/fields/directus_users/nick');
    await refused('POST', '/fields/directus_nope', { field: 'nick', type: 'string' }, 403);
});

test('names and bodies that cannot be are refused, and nothing is made', async () => {
    const before_ = await stack.sql('select count(*) from directus_collections');
    for (const [body, sentence] of [
        [{}, /"collection" is required/], [{ collection: '', schema: {} }, /"collection" must be a non-empty string/], [{ collection: 'directus_x', schema: {} }, /can't start with "directus_"/],
        [{ collection: 'a/b', schema: {} }, /Collection name can't contain "\/"/], [{ collection: 'n', schema: {}, fields: 'x' }, /"fields" must be an array/],
        [{ collection: 'n', schema: {}, meta: {}, fields: [{ field: 'a', type: 'nope' }] }, /Illegal type passed: "nope"/],
        [{ collection: 'a"; drop table directus_users; --', schema: {} }, /can't contain the character/],
        [{ collection: 'n', schema: {}, fields: Array.from({ length: 501 }, (_, i) => ({ field: `f${i}`, type: 'string' })) }, /more than 500 fields/],
    ])
        await refused('POST', '/collections', body, 400, sentence);
    await refused('POST', '/collections', Array.from({ length: 501 }, (_, i) => ({ collection: `c${i}`, meta: {} })), 400, /More than 500 collections/);
    await refused('POST', '/relations', { collection: 'nope', field: 'a', related_collection: 'b' }, 400, /Collection "nope" doesn't exist/);
    await refused('POST', '/relations', { collection: 'nope', more: 1 }, 400, /"more" is not allowed/);
    assert.deepEqual(await stack.sql('select count(*) from directus_collections'), before_);
});

test('only administrators change the schema, and reads follow what may be read', async () => {
    await make('seen', [{ field: 'title', type: 'string', meta: {} }, { field: 'secret', type: 'string', meta: {} }, { field: 'other', type: 'integer', meta: {} }], { meta: { group: null } });
    await make('unseen');
    await ok('POST', '/relations', { collection: 'seen', field: 'other', related_collection: 'unseen' });
    const [[policy]] = await stack.sql(`insert into directus_policies (id, name) values (gen_random_uuid(), 'p') returning id`);
    const [[role]] = await stack.sql(`insert into directus_roles (id, name) values (gen_random_uuid(), 'r') returning id`);
    await stack.sql(`insert into directus_access (id, role, policy) values (gen_random_uuid(), '${role}', '${policy}')`);
    await stack.rows(`insert into directus_users (id, email, role, token, status) values (gen_random_uuid(), 'r@example.com', '${role}', 'token-of-a-reader', 'active')`);
    await stack.sql(`insert into directus_permissions (collection, action, policy, fields) values ('seen', 'read', '${policy}', 'id,title,other')`);
    const as = (method, path, body) => stack.call({ method, path, body, token: 'token-of-a-reader' });
    assert.equal((await as('GET', '/collections')).status, 403);
    for (const meta of ['collections', 'fields', 'relations'])
        await stack.sql(`insert into directus_permissions (collection, action, policy, fields) values ('directus_${meta}', 'read', '${policy}', '*')`);
    const names = (await as('GET', '/collections')).body.data.map((c) => c.collection);
    assert.ok(names.includes('seen') && !names.includes('unseen') && !names.includes('directus_users'), names.join());
    assert.deepEqual((await as('GET', '/fields/seen')).body.data.map((f) => f.field), ['id', 'title', 'other']);
    assert.equal((await as('GET', '/fields/seen/secret')).status, 403);
    assert.equal((await as('GET', '/collections/unseen')).status, 403);
    assert.deepEqual((await as('GET', '/relations/seen')).body.data, [], 'the other end may not be read');
    for (const [method, path, body] of [['POST', '/collections', { collection: 'x', schema: {} }], ['PATCH', '/collections/seen', { meta: { note: 'x' } }], ['DELETE', '/collections/seen'],
        ['POST', '/fields/seen', { field: 'f', type: 'string' }], ['PATCH', '/fields/seen/title', { meta: { note: 'x' } }], ['DELETE', '/fields/seen/title'], ['DELETE', '/relations/seen/other'],
        ['GET', '/schema/snapshot'], ['POST', '/schema/diff', {}], ['POST', '/schema/apply', {}]])
        for (const token of ['token-of-a-reader', undefined]) {
            const answer = await stack.call({ method, path, body, token });
            assert.deepEqual([answer.status, codeOf(answer)], [403, 'FORBIDDEN'], `${method} ${path}`);
        }
    for (const name of ['seen', 'unseen']) await ok('DELETE', `/collections/${name}`);
});

test('a collection goes though what was written with its rows names them in its history', async () => {
    await make('past_pages', [{ field: 'title', type: 'string', meta: {} }]);
    await make('past_notes', [{ field: 'page', type: 'integer', meta: {} }]);
    await ok('POST', '/relations', { collection: 'past_notes', field: 'page', related_collection: 'past_pages', meta: {}, schema: { on_delete: 'SET NULL' } });
    const note = await ok('POST', '/items/past_notes', { page: { title: 'kept' } });
    const parents = () => stack.rows("select collection, parent is null from directus_revisions where collection like 'past%' order by collection");
    assert.deepEqual(await parents(), [['past_notes', 't'], ['past_pages', 'f']]);
    await ok('DELETE', '/collections/past_notes');
    assert.deepEqual(await parents(), [['past_pages', 't']]);
    assert.equal((await ok('GET', `/items/past_pages/${note.page}`)).title, 'kept');
});

test('with a collection goes the history of a write that its end waited for', async () => {
    await make('past_rows');
    const locked = (mode, isGranted) => `exists (select from pg_locks where relation = 'past_rows'::regclass and mode = '${mode}' and granted = ${isGranted})`;
    const write = stack.rows(`begin; insert into past_rows default values; insert into directus_activity (action, collection, item) values ('create', 'past_rows', '1');
        do $$ begin while not ${locked('AccessExclusiveLock', false)} loop perform pg_sleep(0.01); end loop; end $$; commit`);
    await until(async () => (await stack.rows(`select ${locked('RowExclusiveLock', true)}`))[0][0] === 't', 'the write');
    await ok('DELETE', '/collections/past_rows');
    await write;
    assert.deepEqual(await stack.rows("select action from directus_activity where collection = 'past_rows'"), []);
});
