// POST /god/schema/apply: a snapshot, put back into the database it came from, and into a fresh one.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { buildFolder, startStack } from '../support/stack.mjs';
import { readYaml } from '../support/yaml.mjs';

const extensionsPath = path.join(buildFolder, 'extensions');
const stacks = [];
let one;
let two;

const god = (on, method, pathname, body) => on.request(method, pathname, body, { authorization: '', 'x-god-token': on.env.GOD_MODE_TOKEN });
const apply = (on, body) => god(on, 'POST', '/god/schema/apply', body);
const snapshotOf = async (on) => (await god(on, 'GET', '/god/schema/snapshot')).body.schema;
const ok = (answer) => {
    assert.equal(answer.status, 200, answer.text.slice(0, 1000));
    return answer.body;
};
const names = (list) => list.map(({ collection, field }) => (field ? `${collection}.${field}` : collection));
const EMPTY = { create: [], change: [], delete: [] };
const NOTHING = { success: true, dry_run: false, changes: 0, kept: 0, diff: { collections: EMPTY, fields: EMPTY, relations: EMPTY } };

/* Collections of every kind: a tenant's, a folder, the platform's, keys of three types, relations
 * to a tenant's rows, to the library, to any, both ways; fields on a collection of the pack. */
async function furnish(on) {
    const post = async (pathname, body) => ok(await god(on, 'POST', pathname, body));
    const site = { field: 'site_id', type: 'uuid', schema: { foreign_key_table: 'sites' }, meta: {} };
    const key = { field: 'id', type: 'uuid', schema: { is_primary_key: true }, meta: { special: ['uuid'], hidden: true } };
    await post('/god/schema/collections/create', { collection: 'trade', schema: null, meta: { icon: 'folder', note: 'a "folder": of things' } });
    await post('/god/schema/collections/create', {
        collection: 'shops',
        fields: [key, site,
            { field: 'name', type: 'string', schema: { is_nullable: false, max_length: 80, is_indexed: true }, meta: { interface: 'input', note: 'yes' } },
            { field: 'code', type: 'string', schema: { is_unique: true }, meta: { searchable: false } },
            { field: 'size', type: 'integer', schema: { default_value: 3 }, meta: { options: { min: 1, list: ['a', { b: null }] } } },
            { field: 'price', type: 'decimal', schema: { numeric_precision: 8, numeric_scale: 2 }, meta: {} },
            { field: 'open', type: 'boolean', schema: { default_value: true }, meta: {} },
            { field: 'extra', type: 'json', schema: { default_value: { a: [1] } }, meta: { special: ['cast-json'] } },
            { field: 'seen', type: 'timestamp', schema: { default_value: 'now()' }, meta: {} },
            { field: 'desks', type: 'alias', meta: { special: ['o2m'] } },
        ],
        meta: { icon: 'store', note: 'Shops', group: 'trade', sort: 2, translations: [{ language: 'de-DE', translation: 'Läden' }] },
    });
    await post('/god/schema/collections/create', {
        collection: 'desks',
        fields: [site, { field: 'shop', type: 'uuid', meta: { special: ['m2o'] } }, { field: 'avatar', type: 'uuid', meta: { special: ['m2o'] } },
            { field: 'item', type: 'string', meta: { special: ['m2a'] } }, { field: 'collection', type: 'string', meta: {} }],
        meta: {},
    });
    await post('/god/schema/collections/create', { collection: 'currencies', fields: [{ field: 'code', type: 'string', schema: { is_primary_key: true }, meta: {} }], meta: {} });
    await post('/god/schema/relations/create', { collection: 'desks', field: 'shop', related_collection: 'shops', schema: { on_delete: 'SET NULL' }, meta: { one_field: 'desks', sort_field: null } });
    await post('/god/schema/relations/create', { collection: 'desks', field: 'avatar', related_collection: 'avatar_intelligence', schema: { on_delete: 'SET NULL' } });
    await post('/god/schema/relations/create', { collection: 'desks', field: 'item', related_collection: null, meta: { one_collection_field: 'collection', one_allowed_collections: ['shops', 'posts'] } });
    await post('/god/schema/fields/create', { collection: 'posts', field: 'rating', type: 'integer', schema: { is_indexed: true }, meta: { note: 'stars' } });
}

async function start() {
    const stack = await startStack({ extensionsPath });
    stacks.push(stack);
    return stack;
}
before(async () => {
    one = await start();
    two = await start();
    await furnish(one);
});
after(() => Promise.all(stacks.map((stack) => stack.stop())));

test('applied_to_where_it_came_from_a_snapshot_changes_nothing', async () => {
    const yaml = await snapshotOf(one);
    const epoch = await one.sql('select epoch from spark.epoch');
    assert.deepEqual(ok(await apply(one, { yaml, allow_delete: true })), NOTHING);
    assert.deepEqual(ok(await apply(one, { schema: yaml, dry_run: true })), { ...NOTHING, dry_run: true });
    assert.deepEqual(await one.sql('select epoch from spark.epoch'), epoch);
    assert.equal(await snapshotOf(one), yaml);
});

test('a_dry_run_tells_every_change_and_makes_none', async () => {
    const before = await snapshotOf(two);
    const told = ok(await apply(two, { yaml: await snapshotOf(one), dry_run: true }));
    assert.deepEqual(names(told.diff.collections.create), ['currencies', 'desks', 'shops', 'trade']);
    assert.ok(names(told.diff.fields.create).includes('posts.rating'));
    assert.deepEqual(names(told.diff.relations.create), ['desks.shop', 'desks.avatar', 'desks.item']);
    assert.deepEqual([told.dry_run, told.kept, told.diff.fields.change, told.diff.fields.delete], [true, 0, [], []]);
    assert.equal(await snapshotOf(two), before);
});

test('applied_to_a_fresh_database_it_makes_the_same_schema_once', async () => {
    const yaml = await snapshotOf(one);
    const made = ok(await apply(two, { yaml }));
    assert.ok(made.changes > 20);
    assert.equal(await snapshotOf(two), yaml);
    assert.deepEqual(ok(await apply(two, { yaml })), NOTHING);
    const site = ok(await two.request('POST', '/items/sites', { name: 'A', domain: 'a.example' })).data.id;
    const shop = ok(await two.request('POST', '/items/shops', { site_id: site, name: 'one' })).data;
    assert.deepEqual([shop.size, shop.open, shop.extra], [3, true, { a: [1] }]);
    const desk = ok(await two.request('POST', '/items/desks?fields=shop.name,site_id', { site_id: site, shop: shop.id })).data;
    assert.deepEqual(desk, { shop: { name: 'one' }, site_id: site });
    const marks = "select collection, site_column from spark.collections where collection in ('shops', 'desks', 'currencies') order by 1";
    assert.deepEqual(await two.sql(marks), [['desks', 'site_id'], ['shops', 'site_id']]);
    assert.deepEqual(await two.sql("select indexdef ~ 'site_id, name' from pg_indexes where tablename = 'shops' and indexdef ~ 'name'"), [['t']]);
    const logged = (await two.request('GET', '/api/admin/worklog?action=schema_applied')).body.logs;
    assert.deepEqual(logged.map(({ actor }) => actor), ['god']);
});

const edited = async (on, edit) => {
    const snapshot = readYaml(await snapshotOf(on));
    edit(snapshot);
    return snapshot;
};
const field = (snapshot, collection, name) => snapshot.fields.find((f) => f.collection === collection && f.field === name);

test('what_changed_is_changed_member_by_member_and_back', async () => {
    const before = await snapshotOf(two);
    const wish = await edited(two, (s) => {
        s.collections.find((c) => c.collection === 'shops').meta.note = 'Stores';
        Object.assign(field(s, 'shops', 'name').schema, { max_length: 120, is_nullable: true, default_value: "it's", is_indexed: false });
        field(s, 'shops', 'name').meta.width = 'half';
        Object.assign(field(s, 'shops', 'code').schema, { is_unique: false, is_indexed: true });
        field(s, 'shops', 'price').schema.numeric_precision = 10;
        field(s, 'posts', 'title').meta.note = 'of the pack, but a note is no column';
        s.relations.find((r) => r.collection === 'desks' && r.field === 'shop').schema.on_delete = 'CASCADE';
        s.relations.find((r) => r.collection === 'desks' && r.field === 'item').meta.one_allowed_collections = ['shops'];
    });
    const told = ok(await apply(two, { schema: wish }));
    const members = Object.fromEntries([...told.diff.collections.change, ...told.diff.fields.change, ...told.diff.relations.change].map((c) => [c.field ? `${c.collection}.${c.field}` : c.collection, c.members]));
    assert.deepEqual(members, {
        shops: ['meta.note'],
        'shops.name': ['meta.width', 'schema.default_value', 'schema.max_length', 'schema.is_nullable', 'schema.is_indexed'],
        'shops.code': ['schema.is_unique', 'schema.is_indexed'],
        'shops.price': ['schema.numeric_precision'],
        'posts.title': ['meta.note'],
        'desks.shop': ['schema.on_delete'],
        'desks.item': ['meta.one_allowed_collections'],
    });
    assert.deepEqual(ok(await apply(two, { schema: wish })), NOTHING);
    ok(await apply(two, { yaml: before }));
    assert.deepEqual(ok(await apply(two, { yaml: before })), NOTHING);
});

test('nothing_goes_unless_it_may_and_what_came_with_the_platform_never', async () => {
    const wish = await edited(two, (s) => {
        s.collections = s.collections.filter((c) => !['desks', 'currencies', 'leads'].includes(c.collection));
        s.fields = s.fields.filter((f) => !['desks', 'currencies', 'leads'].includes(f.collection) && !['posts.rating', 'posts.title', 'shops.size'].includes(`${f.collection}.${f.field}`));
        s.relations = s.relations.filter((r) => !['desks', 'leads'].includes(r.collection) && r.related_collection !== 'leads' && !(r.collection === 'posts' && r.field === 'author'));
    });
    const before = await snapshotOf(two);
    const kept = ok(await apply(two, { schema: wish }));
    assert.equal(kept.changes, 0);
    assert.ok(kept.kept > 5);
    assert.equal(await snapshotOf(two), before);
    const gone = ok(await apply(two, { schema: wish, allow_delete: true }));
    const stays = [...gone.diff.collections.delete, ...gone.diff.fields.delete].filter((c) => c.kept);
    assert.deepEqual(names(stays).sort(), ['leads', 'posts.title']);
    assert.ok(stays.every((c) => c.kept === 'it came with the platform'));
    assert.equal((await two.request('GET', '/items/desks')).status, 403);
    assert.equal((await two.request('GET', '/items/posts?fields=rating')).status, 403);
    assert.equal((await two.request('GET', '/items/posts?fields=title,author.name')).status, 200);
    assert.equal((await two.request('GET', '/items/leads')).status, 200);
    assert.deepEqual(await two.sql("select count(*) from pg_class where relname in ('desks', 'currencies')"), [['0']]);
    assert.deepEqual(await two.sql("select count(*) from spark.collections where collection = 'desks'"), [['0']]);
});

test('what_cannot_be_is_refused_with_its_place_and_nothing_is_changed', async () => {
    const before = await snapshotOf(two);
    const cases = [
        [(s) => (field(s, 'posts', 'title').schema.max_length = 10), 409, /fields\[\d+\] \(posts\.title\): this column belongs to the platform/],
        [(s) => (field(s, 'posts', 'title').meta.special = ['hash']), 409, /fields\[\d+\] \(posts\.title\)/],
        [(s) => (field(s, 'shops', 'name').type = 'text'), 400, /\(shops\.name\): the type cannot change from "string" to "text"/],
        [(s) => (field(s, 'shops', 'name').schema.is_primary_key = true), 400, /\(shops\.name\): .*key/],
        [(s) => s.fields.push({ ...field(s, 'shops', 'name') }), 400, /\(shops\.name\): it is listed twice/],
        [(s) => s.fields.push({ collection: 'nowhere', field: 'a', type: 'string' }), 400, /"collections" has no "nowhere"/],
        [(s) => s.fields.push({ collection: 'directus_users', field: 'a', type: 'string' }), 400, /system/],
        [(s) => s.fields.push({ collection: 'shops', field: 'a"; drop table posts; --', type: 'string' }), 400, /can't contain the character/],
        [(s) => s.fields.push({ collection: 'shops', field: 'later', type: 'integer', schema: { default_value: 'x' } }), 400, /\(shops\.later\)/],
        [(s) => s.fields.push({ collection: 'shops', field: 'shape', type: 'geometry' }), 400, /\(shops\.shape\)/],
        [(s) => (s.relations.find((r) => r.collection === 'posts' && r.field === 'author').schema.on_delete = 'CASCADE'), 409, /relations\[\d+\] \(posts\.author\): this relation belongs to the platform/],
        [(s) => (s.collections.find((c) => c.collection === 'shops').schema = null), 400, /\(shops\): a folder/],
        [(s) => (s.version = 2), 400, /version/],
        [(s) => (s.vendor = 'mysql'), 400, /mysql/],
        [(s) => delete s.relations, 400, /"relations" must be an array/],
        [(s) => (s.fields = Array.from({ length: 20001 }, () => ({}))), 400, /more than 20000/],
    ];
    for (const [edit, status, sentence] of cases) {
        const wish = await edited(two, (s) => {
            s.fields.push({ collection: 'shops', field: 'witness', type: 'string', meta: {}, schema: {} });
            edit(s);
        });
        const answer = await apply(two, { schema: wish, allow_delete: true });
        assert.equal(answer.status, status, `${edit}: ${answer.text.slice(0, 500)}`);
        assert.match(answer.body.message, sentence, String(edit));
        assert.equal(await snapshotOf(two), before, String(edit));
    }
});

test('yaml_that_is_malformed_or_too_clever_is_refused_with_its_line', async () => {
    const cases = [
        ['version: 1\ncollections: [\n', /line \d+, column \d+/],
        ['version: 1\n\tfields: []\n', /line 2, column 1/],
        ['a: &x [1]\nb: *x\n', /line 1, column 4: anchors/],
        ['a: *x\n', /line 1, column 4: aliases/],
        ['a: !!python/object:os.system x\n', /line 1, column 4: tags/],
        ['--- 1\n--- 2\n', /line 2, column 1: there is more than one document/],
        ['? [a]\n: b\n', /line 1, column 3: a key must be a word/],
        [`${'['.repeat(100)}${']'.repeat(100)}`, /nested too deeply/],
        ['', /empty|object/],
        ['just words', /object/],
        ['x'.repeat(16 * 1024 * 1024 + 1), /16 MiB/],
        ['a: "\\ud800"\n', /line 1/],
        [Array.from({ length: 60000 }, (_, i) => `key${i}: 1`).join('\n'), /more than 256 keys/],
        [`${Array.from({ length: 300000 }, (_, i) => `%TAG !e${i}! tag:x,2000:`).join('\n')}\n--- {}\n`, /more than 16 directives/],
    ];
    for (const [yaml, sentence] of cases) {
        const answer = await apply(two, { yaml });
        assert.equal(answer.status, 400, `${yaml.slice(0, 50)}: ${answer.text}`);
        assert.match(answer.body.message, sentence, yaml.slice(0, 50));
    }
    for (const body of [{}, { yaml: 'a', schema: {} }, { yaml: {} }, { schema: 1 }, { schema: {}, dry_run: 'yes' }, { schema: {}, allow_delete: 1 }, []])
        assert.equal((await apply(two, body)).status, 400, JSON.stringify(body));
});

test('it_is_for_the_platforms_god_alone', async () => {
    const body = { schema: {} };
    assert.equal((await two.request('POST', '/god/schema/apply', body, { authorization: '' })).status, 401);
    assert.equal((await two.request('POST', '/god/schema/apply', body)).status, 401);
    assert.equal((await two.request('POST', '/god/schema/apply', body, { 'x-god-token': 'wrong' })).status, 403);
    assert.equal((await two.request('POST', `/god/schema/apply?god_token=${two.env.GOD_MODE_TOKEN}`, body, { authorization: '' })).status, 401);
    const [[site]] = await two.sql("set spark.scope = 'platform'; select id from sites where domain = 'a.example'");
    const narrowed = await two.request('POST', '/god/schema/apply', { yaml: await snapshotOf(two) }, { authorization: '', 'x-god-token': two.env.GOD_MODE_TOKEN, 'x-site-id': site });
    assert.equal(narrowed.status, 403, narrowed.text);
});

test('two_at_once_make_it_once', async () => {
    const fresh = await start();
    const yaml = await snapshotOf(one);
    const answers = await Promise.all([1, 2, 3].map(() => apply(fresh, { yaml })));
    assert.deepEqual(answers.map((a) => a.status), [200, 200, 200], answers.map((a) => a.text.slice(0, 300)).join('\n'));
    assert.equal(answers.filter((a) => a.body.changes > 0).length, 1);
    assert.equal(await snapshotOf(fresh), yaml);
});
