// The god extension: schema and bulk operations with X-God-Token.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { buildFolder, startStack } from '../support/stack.mjs';
import { readYaml } from '../support/yaml.mjs';

const extensionsPath = path.join(buildFolder, 'extensions');
const anonymous = { authorization: '' };

let stack;
let siteA;
let siteB;

before(async () => {
    stack = await startStack({ extensionsPath });
    for (const name of ['A', 'B']) {
        const made = await stack.request('POST', '/items/sites', { name, domain: `${name.toLowerCase()}.example` });
        assert.equal(made.status, 200, made.text);
        if (name === 'A') siteA = made.body.data.id;
        else siteB = made.body.data.id;
    }
});
after(() => stack?.stop());

/** Row security holds for psql too. */
const asPlatform = (text) => stack.sql(`set role spark_platform; set spark.scope = 'platform'; ${text}`);

const god = (method, pathname, body, token = stack.env.GOD_MODE_TOKEN) =>
    stack.request(method, pathname, body, { ...anonymous, ...(token ? { 'x-god-token': token } : {}) });

async function siteToken(site) {
    const made = await stack.request('POST', '/api/admin/site-tokens', { site_id: site, name: 'test' });
    assert.equal(made.status, 201, made.text);
    return made.body.token;
}

test('without the token it is 401, with a wrong one 403, and an administrator is no god', async () => {
    const routes = [
        ['POST', '/god/schema/collections/create', {}],
        ['POST', '/god/schema/relations/create', {}],
        ['GET', '/god/schema/snapshot', undefined],
        ['POST', '/god/data/bulk-insert', {}],
    ];
    for (const [method, pathname, body] of routes) {
        const missing = await god(method, pathname, body, null);
        assert.equal(missing.status, 401, missing.text);
        assert.equal(missing.body.error, true);
        assert.equal(typeof missing.body.message, 'string');
        assert.equal(missing.body.code, 'UNAUTHENTICATED');
        const wrong = await god(method, pathname, body, 'wrong');
        assert.equal(wrong.status, 403, wrong.text);
        assert.equal(wrong.body.error, true);
        const admin = await stack.request(method, pathname, body);
        assert.equal(admin.status, 401, admin.text);
        const inQuery = await god(method, `${pathname}?god_token=${stack.env.GOD_MODE_TOKEN}`, body, null);
        assert.equal(inQuery.status, 401, inQuery.text);
    }
});

test('a collection is made and can be used at once', async () => {
    const made = await god('POST', '/god/schema/collections/create', {
        collection: 'shops',
        fields: [
            { field: 'id', type: 'uuid', schema: { is_primary_key: true }, meta: { special: ['uuid'], hidden: true } },
            { field: 'site_id', type: 'uuid', schema: { foreign_key_table: 'sites' }, meta: {} },
            { field: 'name', type: 'string', schema: { is_nullable: false }, meta: { interface: 'input' } },
            { field: 'code', type: 'string', schema: { is_unique: true } },
            { field: 'size', type: 'integer', schema: { default_value: 3 } },
        ],
        meta: { icon: 'store', note: 'Shops' },
    });
    assert.equal(made.status, 200, made.text);
    assert.deepEqual(made.body, { success: true, collection: 'shops', fields_created: 5 });

    const item = await stack.request('POST', '/items/shops', { site_id: siteA, name: 'one' });
    assert.equal(item.status, 200, item.text);
    assert.equal(item.body.data.size, 3);
    const foreign = await stack.request('GET', '/items/shops', undefined, { authorization: `Bearer ${await siteToken(siteB)}` });
    assert.deepEqual(foreign.body, { data: [] });
    const own = await stack.request('GET', '/items/shops?fields=name', undefined, { authorization: `Bearer ${await siteToken(siteA)}` });
    assert.deepEqual(own.body, { data: [{ name: 'one' }] });
});

test('what cannot be made is refused with a sentence, and nothing is left behind', async () => {
    const twice = await god('POST', '/god/schema/collections/create', { collection: 'shops', fields: [] });
    assert.equal(twice.status, 400);
    assert.deepEqual(twice.body, {
        error: true,
        message: 'Invalid payload. Collection "shops" already exists.',
        code: 'INVALID_PAYLOAD',
    });
    const cases = [
        [{}, /"collection" is required/],
        [{ collection: 'directus_x' }, /can't start with "directus_"/],
        [{ collection: 'a"; drop table posts; --' }, /can't contain the character/],
        [{ collection: 'half', fields: [{ field: 'a', type: 'nope' }] }, /Illegal type passed: "nope"/],
        [{ collection: 'half', fields: 'a' }, /"fields" must be an array/],
        [{ collection: 'half', fields: [{ field: 'a', type: 'integer', schema: { default_value: 'x' } }] }, /Invalid input syntax for type integer/],
    ];
    for (const [body, sentence] of cases) {
        const answer = await god('POST', '/god/schema/collections/create', body);
        assert.equal(answer.status, 400, answer.text);
        assert.match(answer.body.message, sentence);
        assert.equal(answer.body.error, true);
    }
    assert.deepEqual(await asPlatform("select count(*) from directus_collections where collection = 'half'"), [['0']]);
    assert.deepEqual(await asPlatform("select to_regclass('half') is null and to_regclass('posts') is not null"), [['t']]);
    const broken = await fetch(`${stack.url}/god/schema/collections/create`, {
        method: 'POST',
        headers: { 'x-god-token': stack.env.GOD_MODE_TOKEN, 'content-type': 'application/json' },
        body: '{"collection":',
    });
    assert.equal(broken.status, 400);
    assert.equal((await broken.json()).code, 'INVALID_JSON');
});

test('a relation is made, shown and followed', async () => {
    await god('POST', '/god/schema/collections/create', {
        collection: 'desks',
        fields: [
            { field: 'site_id', type: 'uuid', schema: { foreign_key_table: 'sites' } },
            { field: 'shop', type: 'uuid', meta: { special: ['m2o'] } },
        ],
    });
    const made = await god('POST', '/god/schema/relations/create', {
        collection: 'desks',
        field: 'shop',
        related_collection: 'shops',
        schema: { on_delete: 'SET NULL' },
    });
    assert.equal(made.status, 200, made.text);
    assert.equal(made.body.success, true);
    assert.equal(made.body.relation.collection, 'desks');
    assert.equal(made.body.relation.related_collection, 'shops');
    assert.deepEqual(made.body.relation.schema, {
        table: 'desks',
        column: 'shop',
        foreign_key_table: 'shops',
        foreign_key_column: 'id',
        constraint_name: 'desks_shop_foreign',
        on_update: 'NO ACTION',
        on_delete: 'SET NULL',
    });
    const [shop] = (await stack.request('GET', '/items/shops?fields=id')).body.data;
    const desk = await stack.request('POST', '/items/desks?fields=shop.name', { site_id: siteA, shop: shop.id });
    assert.deepEqual(desk.body, { data: { shop: { name: 'one' } } });
    const crossing = await stack.request('POST', '/items/desks', { site_id: siteB, shop: shop.id });
    assert.equal(crossing.status, 400, crossing.text);
    assert.equal(crossing.body.errors[0].extensions.code, 'INVALID_FOREIGN_KEY');

    const again = await god('POST', '/god/schema/relations/create', { collection: 'desks', field: 'shop', related_collection: 'shops' });
    assert.equal(again.status, 400);
    assert.match(again.body.message, /already has an associated relationship/);
});

test('the snapshot is YAML of what is tracked', async () => {
    const answer = await god('GET', '/god/schema/snapshot');
    assert.equal(answer.status, 200, answer.text.slice(0, 500));
    assert.equal(answer.body.success, true);
    assert.match(answer.body.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const snapshot = readYaml(answer.body.schema);
    assert.deepEqual(Object.keys(snapshot), ['version', 'directus', 'vendor', 'collections', 'fields', 'systemFields', 'relations']);
    assert.deepEqual([snapshot.version, snapshot.directus, snapshot.vendor], [1, '11.17.4', 'postgres']);
    const names = snapshot.collections.map(({ collection }) => collection);
    assert.deepEqual(names, [...names].sort());
    assert.ok(!names.some((name) => name.startsWith('directus_')));

    const shops = snapshot.collections.find(({ collection }) => collection === 'shops');
    assert.deepEqual(shops, {
        collection: 'shops',
        meta: { accountability: 'all', archive_app_filter: true, archive_field: null, archive_value: null, collapse: 'open',
            collection: 'shops', color: null, display_template: null, group: null, hidden: false, icon: 'store',
            item_duplication_fields: null, note: 'Shops', preview_url: null, singleton: false, sort: null, sort_field: null,
            translations: null, unarchive_value: null, versioning: false },
        schema: { name: 'shops' },
    });
    const field = snapshot.fields.find(({ collection, field: name }) => collection === 'shops' && name === 'name');
    assert.deepEqual(field, {
        collection: 'shops',
        field: 'name',
        type: 'string',
        meta: { collection: 'shops', conditions: null, display: null, display_options: null, field: 'name', group: null, hidden: false,
            interface: 'input', note: null, options: null, readonly: false, required: false, searchable: true, sort: 3, special: null,
            translations: null, validation: null, validation_message: null, width: 'full' },
        schema: { name: 'name', table: 'shops', data_type: 'character varying', default_value: null, max_length: 255,
            numeric_precision: null, numeric_scale: null, is_nullable: false, is_unique: false, is_indexed: false, is_primary_key: false,
            is_generated: false, generation_expression: null, has_auto_increment: false, foreign_key_table: null, foreign_key_column: null },
    });
    const relation = snapshot.relations.find(({ collection, field: name }) => collection === 'desks' && name === 'shop');
    assert.equal(relation.related_collection, 'shops');
    assert.equal(relation.schema.on_delete, 'SET NULL');
    assert.equal(relation.meta.one_deselect_action, 'nullify');
    const status = snapshot.fields.find(({ collection, field: name }) => collection === 'posts' && name === 'status');
    assert.equal(status.schema.default_value, 'draft');
    assert.deepEqual(status.meta.options.choices[0], { text: 'Draft', value: 'draft' });
});

test('a bulk load is all or none', async () => {
    const items = Array.from({ length: 2500 }, (_, i) => ({ site_id: i % 2 ? siteA : siteB, name: `bulk ${i}`, code: `c${i}` }));
    const loaded = await god('POST', '/god/data/bulk-insert', { collection: 'shops', items });
    assert.equal(loaded.status, 200, loaded.text);
    assert.equal(loaded.body.success, true);
    assert.equal(loaded.body.collection, 'shops');
    assert.equal(loaded.body.inserted, 2500);
    assert.equal(loaded.body.ids.length, 2500);
    assert.deepEqual(loaded.body.failed, []);
    const read = await stack.request('GET', `/items/shops/${loaded.body.ids[7]}?fields=name,site_id`);
    assert.deepEqual(read.body, { data: { name: 'bulk 7', site_id: siteA } });

    const bad = await god('POST', '/god/data/bulk-insert', {
        collection: 'shops',
        items: [{ site_id: siteA, name: 'fine', code: 'new' }, { site_id: siteA, name: 'clash', code: 'c1' }],
    });
    assert.equal(bad.status, 400, bad.text);
    assert.equal(bad.body.error, true);
    assert.equal(bad.body.code, 'RECORD_NOT_UNIQUE');
    assert.deepEqual(await asPlatform("select count(*) from work_log where action = 'bulk_insert'"), [['1']]);
    const none = await stack.request('GET', '/items/shops?filter[name][_eq]=fine');
    assert.deepEqual(none.body, { data: [] });
});

test('without atomic the bad items are named and the others stored', async () => {
    const answer = await god('POST', '/god/data/bulk-insert', {
        collection: 'shops',
        atomic: false,
        items: [
            { site_id: siteA, name: 'kept', code: 'k1' },
            { site_id: siteA, name: 'clash', code: 'c1' },
            { site_id: siteA, name: 'wrong', size: 'big' },
            { site_id: 'cccccccc-0000-7000-8000-00000000000c', name: 'lost' },
            { name: 'homeless' },
            { site_id: siteA, name: 'unknown', nope: 1 },
        ],
    });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.inserted, 1);
    assert.equal(answer.body.ids.length, 1);
    assert.deepEqual(answer.body.failed.map(({ index }) => index), [1, 2, 3, 4, 5]);
    assert.match(answer.body.failed[0].error, /has to be unique/);
    assert.match(answer.body.failed[1].error, /"size" must be an integer/);
    assert.match(answer.body.failed[2].error, /There is no site/);
    assert.match(answer.body.failed[3].error, /"site_id" is required/);
    assert.match(answer.body.failed[4].error, /"nope" doesn't exist/);
});

test('a bulk load is refused where there is nothing to load into', async () => {
    const cases = [
        [{ items: [] }, 400, /"collection" is required/],
        [{ collection: 'shops', items: {} }, 400, /"items" must be an array/],
        [{ collection: 'shops', items: [], atomic: 'yes' }, 400, /"atomic" must be true or false/],
        [{ collection: 'directus_users', items: [{ email: 'a@b.c' }] }, 403, /permission/],
        [{ collection: 'nope', items: [] }, 403, /permission/],
    ];
    for (const [body, status, sentence] of cases) {
        const answer = await god('POST', '/god/data/bulk-insert', body);
        assert.equal(answer.status, status, answer.text);
        assert.match(answer.body.message, sentence);
    }
});

test('a parameter in the address is refused, not dropped', async () => {
    const { text: snapshot } = await god('GET', '/god/schema/snapshot');
    const before = JSON.stringify(await asPlatform('select collection from directus_collections order by 1'));
    for (const [method, pathname, body] of [
        ['POST', '/god/schema/apply?dry_run=true', { yaml: snapshot }],
        ['POST', '/god/schema/collections/create?dry_run=true', { collection: 'never_made' }],
        ['POST', '/god/schema/fields/create?x', { collection: 'posts', field: 'never_made', type: 'string' }],
        ['DELETE', '/god/schema/fields/posts/title?dry_run=1', undefined],
        ['POST', '/god/schema/relations/create?x=1&y=2', {}],
        ['POST', '/god/data/bulk-insert?atomic=false', { collection: 'posts', items: [] }],
        ['POST', '/god/permissions/grant?x=1', {}],
        ['GET', '/god/schema/snapshot?format=json', undefined],
        ['GET', '/god/status?x=1', undefined],
        ['GET', '/god/collections/all?limit=1', undefined],
    ]) {
        const answer = await god(method, pathname, body);
        assert.equal(answer.status, 400, `${pathname}: ${answer.text}`);
        assert.match(answer.body.message, /"(dry_run|x|atomic|format|limit)" is not known here/, pathname);
    }
    assert.equal(JSON.stringify(await asPlatform('select collection from directus_collections order by 1')), before);
});

test('a god narrowed to one site is no longer the platform', async () => {
    const answer = await stack.request('GET', '/god/schema/snapshot', undefined, {
        ...anonymous,
        'x-god-token': stack.env.GOD_MODE_TOKEN,
        'x-site-id': siteA,
    });
    assert.equal(answer.status, 403, answer.text);
});

test('without GOD_MODE_TOKEN the routes do not exist', async () => {
    const bare = await startStack({ extensionsPath, env: { GOD_MODE_TOKEN: '' } });
    try {
        const answer = await bare.request('GET', '/god/schema/snapshot', undefined, { 'x-god-token': 'anything' });
        assert.equal(answer.status, 404, answer.text);
    } finally {
        await bare.stop();
    }
});
