// Versions: drafts of an item. Their rules, what is saved into one and promoted from it, and the item read as it would be.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import {
    compareContentVersion, createContentVersion, createDirectus, createUser, deleteContentVersion, promoteContentVersion, readContentVersions, readItem,
    readSingleton, rest, saveToContentVersion, staticToken, updateContentVersion,
} from '@directus/sdk';

import { makeTenant, startApi } from '../../support/api.mjs';

let stack, admin, a, b;
before(async () => {
    stack = await startApi();
    await stack.run(`set role spark_owner;
        create table arts (id serial primary key, title varchar(20), n integer, tags text, extra json, up integer references arts (id), secret text);
        create table intro (id serial primary key, title text);
        create table plain (id serial primary key);
        reset role;
        grant all on arts, arts_id_seq, intro, intro_id_seq, plain, plain_id_seq to spark_platform;
        insert into directus_collections (collection, versioning, singleton) values ('arts', true, false), ('intro', true, true), ('plain', false, false);
        update directus_collections set versioning = true where collection = 'posts';
        insert into directus_fields (collection, field, special) values ('arts', 'tags', 'cast-csv'), ('arts', 'extra', 'cast-json'), ('arts', 'kids', 'o2m');
        insert into directus_relations (many_collection, many_field, one_collection, one_field) values ('arts', 'up', 'arts', 'kids')`);
    admin = createDirectus(stack.url).with(staticToken(stack.adminToken)).with(rest());
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
});
after(() => stack?.stop());

const as = (token) => (method, target, body) => stack.call({ method, path: target, token, body });
const ask = (...request) => as(stack.adminToken)(...request);
const said = (answer) => `${answer.status} ${answer.body?.errors?.[0]?.message ?? ''}`;
const FORBIDDEN = "403 You don't have permission to access this.";

async function makeItem(values = {}) {
    const answer = await ask('POST', '/items/arts', { title: 'one', n: 1, tags: ['a', 'b'], extra: { z: 1, a: 2 }, ...values });
    assert.equal(answer.status, 200, answer.text);
    return answer.body.data;
}
async function makeDraft(item, key = 'draft', delta = {}) {
    const made = await ask('POST', '/versions', { key, collection: 'arts', item: String(item) });
    assert.equal(made.status, 200, made.text);
    if (Object.keys(delta).length) assert.equal((await ask('POST', `/versions/${made.body.data.id}/save`, delta)).status, 200);
    return made.body.data;
}
/* { collection: { action: { rule, fields } } } */
async function makeUser(grants) {
    const [policy, token] = [randomUUID(), `token-${randomUUID()}`];
    await stack.run(`insert into directus_policies (id, name) values ('${policy}', 'of a test')`);
    for (const [collection, actions] of Object.entries(grants))
        for (const [action, { rule = {}, fields = '*' }] of Object.entries(actions))
            await stack.run(`insert into directus_permissions (policy, collection, action, permissions, fields)
                values ('${policy}', '${collection}', '${action}', '${JSON.stringify(rule)}', '${fields}')`);
    await admin.request(createUser({ token, policies: [{ policy }] }));
    return as(token);
}

test('a_version_is_made_of_an_item_that_may_have_one', async () => {
    const item = String((await makeItem()).id);
    const whole = { key: 'draft', collection: 'arts', item };
    for (const [body, expected] of [
        [{}, '400 Invalid payload. "key" is required.'],
        [{ key: 'd', item }, '400 Invalid payload. "collection" is required.'],
        [{ key: 'd', collection: 'arts' }, '400 Invalid payload. "item" is required.'],
        [{ ...whole, item: Number(item) }, '400 Invalid payload. "item" must be a string.'],
        [{ ...whole, key: 5 }, '400 Invalid payload. "key" must be a string.'],
        [{ ...whole, key: 'main' }, '400 Invalid payload. "main" is a reserved version key.'],
        [{ ...whole, delta: {} }, '400 Invalid payload. "delta" is not allowed.'],
        [{ ...whole, hash: 'x' }, '400 Invalid payload. "hash" is not allowed.'],
        [{ ...whole, collection: 'nope' }, FORBIDDEN],
        [{ ...whole, item: '999999' }, FORBIDDEN],
        [{ ...whole, item: 'x' }, FORBIDDEN],
        [{ ...whole, collection: 'plain' }, '422 Can\'t process content. Content Versioning is not enabled for collection "plain".'],
        [{ ...whole, collection: 'directus_users' }, '422 Can\'t process content. Content Versioning is not enabled for collection "directus_users".'],
    ]) assert.equal(said(await ask('POST', '/versions', body)), expected, JSON.stringify(body));
    const made = await admin.request(createContentVersion({ ...whole, name: 'Draft' }));
    assert.match(made.hash, /^[0-9a-f]{40}$/);
    assert.deepEqual([made.key, made.name, made.delta], ['draft', 'Draft', null]);
    const double = `422 Can't process content. Version "draft" already exists for item "${item}" in collection "arts".`;
    assert.equal(said(await ask('POST', '/versions', whole)), double);
    const other = await admin.request(createContentVersion({ ...whole, key: 'Other Key!' }));
    assert.equal(said(await ask('PATCH', `/versions/${other.id}`, { key: 'draft' })), double);
    for (const member of ['collection', 'item', 'delta', 'hash'])
        assert.equal(said(await ask('PATCH', `/versions/${other.id}`, { [member]: 'x' })), `400 Invalid payload. "${member}" is not allowed.`);
    assert.equal((await admin.request(updateContentVersion(other.id, { name: 'N' }))).name, 'N');
    assert.equal((await admin.request(readContentVersions({ filter: { item: { _eq: item } } }))).length, 2);
    await admin.request(deleteContentVersion(other.id));
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask('POST', '/versions', { ...whole, key: 'race' })));
    assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 422, 422, 422, 422, 422]);
});

test('what_is_saved_is_promoted_once_and_only_over_what_was_compared', async () => {
    const item = await makeItem();
    const draft = await makeDraft(item.id);
    const first = await admin.request(compareContentVersion(draft.id));
    assert.deepEqual(first, { outdated: false, mainHash: draft.hash, current: { id: String(item.id) }, main: { ...item } });
    assert.equal(said(await ask('POST', `/versions/${draft.id}/promote`, { mainHash: draft.hash })), "422 Can't process content. No changes to promote.");
    assert.deepEqual(await admin.request(saveToContentVersion(draft.id, { title: 'two', nope: 1, extra: { y: 1, b: [2, 1] } })), { ...item, title: 'two', extra: { y: 1, b: [2, 1] } });
    await admin.request(saveToContentVersion(draft.id, { n: 2 }));
    const second = await admin.request(compareContentVersion(draft.id));
    assert.deepEqual(second.current, { id: String(item.id), title: 'two', extra: { y: 1, b: [2, 1] }, n: 2 });
    assert.equal((await ask('GET', `/items/arts/${item.id}`)).body.data.title, 'one');
    for (const body of [{}, { mainHash: 5 }]) assert.equal(said(await ask('POST', `/versions/${draft.id}/promote`, body)), '400 Invalid payload. "mainHash" field is required.');
    const stale = "422 Can't process content. Main item has changed since this version was last updated.";
    assert.equal(said(await ask('POST', `/versions/${draft.id}/promote`, { mainHash: 'x' })), stale);
    await ask('PATCH', `/items/arts/${item.id}`, { tags: ['c'] });
    assert.equal(said(await ask('POST', `/versions/${draft.id}/promote`, { mainHash: draft.hash })), stale);
    const { outdated, mainHash } = await admin.request(compareContentVersion(draft.id));
    assert.ok(outdated);
    assert.equal(await admin.request(promoteContentVersion(draft.id, mainHash, ['title'])), String(item.id));
    const after = (await ask('GET', `/items/arts/${item.id}`)).body.data;
    assert.deepEqual([after.title, after.n, after.tags], ['two', 1, ['c']]);
    const [[order]] = await stack.rows(`select delta ->> 'extra' from directus_versions where id = '${draft.id}'`);
    assert.equal(order.replaceAll(' ', ''), '{"y":1,"b":[2,1]}', 'as it was sent');
});

test('of_two_who_promote_over_one_item_one_succeeds', async () => {
    const item = await makeItem();
    const drafts = [];
    for (let i = 0; i < 4; i++) drafts.push(await makeDraft(item.id, `d${i}`, { n: 100 + i }));
    const answers = await Promise.all(drafts.map((draft) => ask('POST', `/versions/${draft.id}/promote`, { mainHash: draft.hash })));
    assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 422, 422, 422]);
});

test('saving_leaves_a_revision_of_the_item', async () => {
    const item = await makeItem();
    const draft = await makeDraft(item.id, 'draft', { title: 'saved' });
    const [row] = (await ask('GET', `/revisions?filter[version][_eq]=${draft.id}&fields=collection,item,data,delta,activity.action`)).body.data;
    assert.deepEqual(row, { collection: 'arts', item: String(item.id), data: { title: 'saved' }, delta: { title: 'saved' }, activity: { action: 'version_save' } });
});

test('an_item_is_read_as_its_draft_would_make_it', async () => {
    const parent = await makeItem({ title: 'parent' });
    const item = await makeItem();
    await makeDraft(item.id, 'flat', { title: 'draft', tags: ['x', 'y'], extra: { k: [1] }, up: parent.id });
    const path = `/items/arts/${item.id}`;
    const flat = (await ask('GET', `${path}?version=flat&fields=*,up.title`)).body.data;
    assert.deepEqual(flat, { ...item, title: 'draft', tags: ['x', 'y'], extra: { k: [1] }, up: { title: 'parent' } });
    assert.deepEqual(await admin.request(readItem('arts', item.id, { version: 'flat', fields: ['title'] })), { title: 'draft' });
    for (const same of ['main', '']) assert.deepEqual((await ask('GET', `${path}?version=${same}`)).body.data, item, same);
    assert.equal(said(await ask('GET', `${path}?version=nope`)), FORBIDDEN);
    assert.equal(said(await ask('GET', `/items/arts/99999?version=flat`)), FORBIDDEN);
    assert.deepEqual((await ask('GET', `${path}?version=flat&versionRaw=true`)).body.data, { ...item, id: String(item.id), title: 'draft', tags: ['x', 'y'], extra: { k: [1] }, up: parent.id });
    await makeDraft(item.id, 'deep', { up: { title: 'new parent' }, kids: { create: [{ title: 'kid' }], update: [], delete: [] } });
    const before = await stack.rows('select count(*), max(xmin::text) from arts');
    const deep = (await ask('GET', `${path}?version=deep&fields=title,up.title,kids.title,kids.up`)).body.data;
    assert.deepEqual(deep, { title: 'one', up: { title: 'new parent' }, kids: [{ title: 'kid', up: item.id }] });
    assert.deepEqual(await stack.rows('select count(*), max(xmin::text) from arts'), before, 'nothing was written');
    await makeDraft(item.id, 'wrong', { n: 'abc' });
    assert.equal(said(await ask('GET', `${path}?version=wrong`)), '400 Invalid payload. Invalid integer format in field "n".');
    await ask('PATCH', '/items/intro', { title: 'hello' });
    const [[key]] = await stack.rows('select id from intro');
    const made = await ask('POST', '/versions', { key: 'd', collection: 'intro', item: key });
    await ask('POST', `/versions/${made.body.data.id}/save`, { title: 'draft' });
    assert.equal((await admin.request(readSingleton('intro', { version: 'd' }))).title, 'draft');
});

test('a_draft_opens_nothing_that_its_reader_may_not_read', async () => {
    const versions = { directus_versions: { read: {}, create: {} } };
    const item = await makeItem({ title: 'closed', secret: 'hidden' });
    await makeDraft(item.id, 'opens', { title: 'open' });
    const path = `/items/arts/${item.id}?version=opens`;
    const reader = await makeUser({ ...versions, arts: { read: { rule: { title: { _eq: 'open' } } } } });
    assert.equal(said(await reader('GET', path)), FORBIDDEN, 'a row by its draft');
    const masked = await makeUser({ ...versions, arts: { read: { fields: 'id,title' }, update: { fields: 'n' } } });
    await stack.run(`insert into directus_permissions (policy, collection, action, permissions, fields)
        select policy, 'arts', 'read', '{"title":{"_eq":"open"}}', 'secret' from directus_permissions where fields = 'n' and action = 'update'`);
    const answer = await masked('GET', path);
    assert.doesNotMatch(answer.text, /hidden/, 'a field by its draft');
    const half = await makeUser({ ...versions, arts: { read: { fields: 'id,title' } } });
    assert.deepEqual((await half('GET', path)).body.data, { id: item.id, title: 'open' });
    assert.match(said(await half('GET', `${path}&fields=secret`)), /^403/);
    assert.match(said(await (await makeUser({ arts: { read: {} } }))('GET', path)), /^403 .*"directus_versions"/);
    assert.match(said(await (await makeUser(versions))('GET', path)), /^403/);
});

test('whoever_promotes_needs_the_right_to_change_the_item', async () => {
    const item = await makeItem();
    const draft = await makeDraft(item.id, 'draft', { title: 'two', n: 2 });
    const versions = { directus_versions: { read: {} } };
    const promote = (user, fields) => user('POST', `/versions/${draft.id}/promote`, { mainHash: draft.hash, ...(fields && { fields }) });
    const reader = await makeUser({ ...versions, arts: { read: {} } });
    assert.match(said(await promote(reader)), /^403/);
    assert.match(said(await reader('POST', `/versions/${draft.id}/compare`)), /^40[45]/);
    assert.equal((await reader('POST', `/versions/${draft.id}/save`, { n: 3 })).status, 200);
    const half = await makeUser({ ...versions, arts: { read: {}, update: { fields: 'n' } } });
    assert.match(said(await promote(half)), /^403 .*"title"/);
    assert.equal((await promote(half, ['n'])).status, 200);
    const stranger = await makeUser({ directus_versions: { read: {} } });
    for (const [method, what] of [['GET', 'compare'], ['POST', 'save']]) assert.match(said(await stranger(method, `/versions/${draft.id}/${what}`, method === 'POST' ? {} : undefined)), /^403/);
});

test('drafts_belong_to_the_site_of_their_item', async () => {
    const own = (tenant) => as(tenant.token);
    const make = (who, tenant, key) => who('POST', '/versions', { key, collection: 'posts', item: tenant.posts[0].id });
    const mine = await make(own(a), a, 'draft');
    assert.equal(mine.status, 200, mine.text);
    const byAdmin = await make(ask, a, 'of the platform');
    assert.equal(byAdmin.status, 200, byAdmin.text);
    const sites = await stack.rows(`select distinct site_id from directus_versions where collection = 'posts'`);
    assert.deepEqual(sites, [[a.id]]);
    assert.equal((await own(a)('GET', '/versions')).body.data.length, 2);
    assert.equal((await own(b)('GET', '/versions')).body.data.length, 0);
    assert.equal(said(await make(own(b), a, 'theirs')), FORBIDDEN);
    for (const version of [mine, byAdmin]) {
        const id = version.body.data.id;
        for (const [method, target, body] of [['GET', `/versions/${id}`], ['GET', `/versions/${id}/compare`], ['POST', `/versions/${id}/save`, { title: 'x' }],
            ['POST', `/versions/${id}/promote`, { mainHash: version.body.data.hash }], ['PATCH', `/versions/${id}`, { name: 'x' }], ['DELETE', `/versions/${id}`]])
            assert.match(said(await own(b)(method, target, body)), /^(403|204)/, `${method} ${target}`);
    }
    assert.equal((await own(a)('POST', `/versions/${mine.body.data.id}/save`, { title: 'draft' })).status, 200);
    const path = `/items/posts/${a.posts[0].id}?version=draft&fields=title`;
    assert.deepEqual((await own(a)('GET', path)).body.data, { title: 'draft' });
    assert.equal(said(await own(b)('GET', path)), FORBIDDEN);
    assert.equal(said(await as()('GET', path)).slice(0, 3), '403');
    assert.equal((await as(a.readToken)('POST', `/versions/${mine.body.data.id}/save`, { title: 'x' })).status, 403);
    assert.deepEqual(await stack.rows(`select count(*) from directus_versions where collection = 'posts'`), [['2']]);
    const { body } = await own(a)('GET', `/versions/${mine.body.data.id}/compare`);
    assert.equal((await own(a)('POST', `/versions/${mine.body.data.id}/promote`, { mainHash: body.data.mainHash })).status, 200);
    assert.deepEqual(await stack.rows(`select title, site_id from posts where id = '${a.posts[0].id}'`), [['draft', a.id]]);
});
