// Shares: their rules, the tokens that visitors get for them, and what such a token reads.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { authenticateShare, createDirectus, createShare, createUser, readShareInfo, rest, staticToken, updateShare } from '@directus/sdk';

import { makeTenant, startApi } from '../../support/api.mjs';

let stack, admin, role, a, b;
before(async () => {
    stack = await startApi({ env: { LOGIN_STALL_TIME: '1', LOGIN_FAILURES: '1000', LOGIN_FAILURES_ACCOUNT: '1000', LOGIN_FAILURES_ADDRESS: '1000' } });
    await stack.run(`set role spark_owner;
        create table arts (id serial primary key, title text, secret text, category integer);
        create table categories (id serial primary key, name text);
        create table tags (id serial primary key, name text);
        create table arts_tags (id serial primary key, art integer references arts (id), tag integer references tags (id));
        create table notes (id serial primary key, art integer references arts (id), title text, writer integer);
        create table marks (id serial primary key, note integer references notes (id), title text);
        create table writers (id serial primary key, title text);
        reset role;
        grant all on notes, marks, writers, notes_id_seq, marks_id_seq, writers_id_seq, arts, categories, tags, arts_tags, arts_id_seq, categories_id_seq, tags_id_seq, arts_tags_id_seq to spark_platform;
        insert into directus_collections (collection) values ('arts'), ('categories'), ('tags'), ('arts_tags'), ('notes'), ('marks'), ('writers');
        insert into directus_fields (collection, field, special) values ('arts', 'tags', 'm2m'), ('arts', 'category', 'm2o');
        insert into directus_relations (many_collection, many_field, one_collection, one_field) values
            ('arts', 'category', 'categories', null), ('arts_tags', 'art', 'arts', 'tags'), ('arts_tags', 'tag', 'tags', null), ('notes', 'art', 'arts', null), ('marks', 'note', 'notes', 'marks'), ('notes', 'writer', 'writers', 'notes'), ('gone', 'art', 'arts', null), ('arts', 'nowhere', 'categories', null)`);
    admin = createDirectus(stack.url).with(staticToken(stack.adminToken)).with(rest());
    role = await makeRole({ arts: 'id,title,category,tags,name,art,tag,marks,notes,note', notes: '*', marks: '*', writers: '*', categories: '*', tags: '*', arts_tags: '*', posts: 'id,title,author', authors: 'id,name', directus_users: '*' });
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
});
after(() => stack?.stop());

const as = (token, host) => (method, target, body) => stack.call({ method, path: target, token, body, host });
const ask = (...request) => as(stack.adminToken)(...request);
const said = (answer) => `${answer.status} ${answer.body?.errors?.[0]?.message ?? ''}`;

async function makeRole(fields) {
    const [id, policy] = [randomUUID(), randomUUID()];
    await stack.run(`insert into directus_roles (id, name) values ('${id}', 'shared'); insert into directus_policies (id, name) values ('${policy}', 'shared');
        insert into directus_access (id, role, policy) values (gen_random_uuid(), '${id}', '${policy}');
        ${Object.entries(fields).map(([c, f]) => `insert into directus_permissions (policy, collection, action, permissions, fields)
            select '${policy}', '${c}', a, '{}', '${f}' from unnest('{read,create,update,delete}'::text[]) a;`).join('\n')}`);
    return id;
}
async function makeItem() {
    const made = async (collection, body) => (await ask('POST', `/items/${collection}`, body)).body.data.id;
    const category = await made('categories', { name: 'mine' });
    const other = await made('categories', { name: 'other' });
    const tag = await made('tags', { name: 'tagged' });
    await made('tags', { name: 'not tagged' });
    const item = await made('arts', { title: 'shared', secret: 'hidden', category });
    await made('arts', { title: 'not shared', category: other });
    await made('arts_tags', { art: item, tag });
    return { item, category, other, tag };
}
const share = (body) => admin.request(createShare({ collection: 'arts', role, ...body }));
const login = (body, host) => as(undefined, host)('POST', '/shares/auth', body);

test('a_share_is_of_an_item_that_its_maker_reads', async () => {
    const { item } = await makeItem();
    assert.equal(said(await ask('POST', '/shares', { collection: 'nope', item: '1' })), '403 You don\'t have permission to access collection "nope" or it does not exist. Queried in root.');
    const policy = randomUUID();
    const token = `token-${randomUUID()}`;
    await stack.run(`insert into directus_policies (id, name) values ('${policy}', 'of a test'); insert into directus_permissions (policy, collection, action, permissions, fields) values
        ('${policy}', 'directus_shares', 'create', '{}', '*'), ('${policy}', 'directus_shares', 'read', '{}', '*'), ('${policy}', 'directus_shares', 'update', '{}', '*'),
        ('${policy}', 'arts', 'read', '{"title":{"_eq":"shared"}}', '*')`);
    const grant = (action, rule) => stack.run(`insert into directus_permissions (policy, collection, action, permissions, fields) values ('${policy}', 'arts', '${action}', '${rule}', '*')`);
    await admin.request(createUser({ token, policies: [{ policy }] }));
    const maker = as(token);
    const unshared = '403 You don\'t have permission to access collection "arts" or it does not exist. Queried in root.';
    assert.equal(said(await maker('POST', '/shares', { collection: 'arts', item: String(item) })), unshared, 'reading is not sharing');
    await grant('share', `{"id":{"_neq":${item + 1000}}}`);
    const made = await maker('POST', '/shares', { collection: 'arts', item: String(item), password: 'pw' });
    assert.equal(made.status, 200, made.text);
    await stack.run(`insert into arts (id, title) values (${item + 1000}, 'shared')`);
    assert.equal(said(await maker('POST', '/shares', { collection: 'arts', item: String(item + 1000) })), unshared, 'the rule of the action does not fit');
    assert.equal(said(await maker('PATCH', `/shares/${made.body.data.id}`, { item: String(item + 1000) })), unshared, 'nor does it for a share that is moved');
    assert.equal(made.body.data.password, '**********');
    const forbidden = '403 You don\'t have permission to perform "read" for collection "arts" or it does not exist.';
    assert.equal(said(await maker('POST', '/shares', { collection: 'arts', item: String(item + 1) })), forbidden);
    assert.equal(said(await maker('PATCH', `/shares/${made.body.data.id}`, { item: String(item + 1) })), forbidden);
    assert.match(said(await maker('PATCH', `/shares/${made.body.data.id}`, { collection: 'categories' })), /^403/);
});

test('whoever_has_the_link_learns_what_it_is', async () => {
    const { item } = await makeItem();
    const made = await share({ item: String(item), password: 'pw', max_uses: 5 });
    const info = await createDirectus(stack.url).with(rest()).request(readShareInfo(made.id));
    assert.deepEqual(info, { id: made.id, collection: 'arts', item: String(item), password: '**********', max_uses: 5, times_used: 0, date_start: null, date_end: null });
    for (const id of [randomUUID(), 'abc']) assert.match(said(await as()('GET', `/shares/info/${id}`)), /^40[34]/);
    await admin.request(updateShare(made.id, { date_end: '2020-01-01T00:00:00Z' }));
    assert.equal(said(await as()('GET', `/shares/info/${made.id}`)), "403 You don't have permission to access this.");
    assert.equal((await login({ share: made.id, password: 'pw' })).status, 401);
});

test('a_password_and_the_number_of_uses_are_kept', async () => {
    const { item } = await makeItem();
    const made = await share({ item: String(item), password: 'pw', max_uses: 1 });
    assert.equal(said(await login({})), '400 Invalid payload. "share" is required.');
    assert.equal(said(await login({ share: made.id, password: 'pw', mode: 'nope' })), '400 Invalid payload. "mode" must be one of [cookie, json, session].');
    for (const body of [{ share: 'abc' }, { share: randomUUID() }, { share: made.id }, { share: made.id, password: 'no' }]) assert.equal(said(await login(body)), '401 Invalid user credentials.');
    const answers = await Promise.all(Array.from({ length: 5 }, () => login({ share: made.id, password: 'pw' })));
    assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 200, 401, 401, 401], 'one more than max_uses, as in Directus');
    assert.deepEqual(await stack.rows(`select times_used from directus_shares where id = '${made.id}'`), [['2']]);
});

test('a_token_of_a_share_reads_the_item_and_what_it_is_related_to', async () => {
    const { item, category, tag } = await makeItem();
    const made = await share({ item: String(item) });
    const { access_token } = await createDirectus(stack.url).with(rest()).request(authenticateShare(made.id, undefined, 'json'));
    const visitor = as(access_token);
    const read = await visitor('GET', `/items/arts/${item}?fields=*,category.name,tags.tag.name`);
    assert.deepEqual(read.body.data, { id: item, title: 'shared', category: { name: 'mine' }, tags: [{ tag: { name: 'tagged' } }] });
    for (const [collection, ids] of [['arts', [item]], ['categories', [category]], ['tags', [tag]]])
        assert.deepEqual((await visitor('GET', `/items/${collection}?fields=id&limit=-1`)).body.data, ids.map((id) => ({ id })), collection);
    assert.match(said(await visitor('GET', `/items/arts/${item}?fields=secret`)), /^403 .*"secret"/);
    assert.match(said(await visitor('GET', `/items/arts/${item + 1}`)), /^403/);
    assert.match(said(await visitor('GET', '/items/arts?filter[secret][_eq]=hidden')), /^403/);
    assert.deepEqual((await visitor('GET', '/users/me')).body.data, { share: made.id });
    for (const path of ['/users', '/shares', `/shares/${made.id}`, '/settings', '/items/posts', '/roles', '/activity']) assert.match(said(await visitor('GET', path)), /^403/, path);
    for (const [method, path, body] of [['PATCH', `/items/arts/${item}`, { title: 'x' }], ['POST', '/items/arts', { title: 'x' }], ['DELETE', `/items/arts/${item}`], ['PATCH', '/users/me', { title: 'x' }]])
        assert.match(said(await visitor(method, path, body)), /^40[13]/, `${method} ${path}`);
    await ask('PATCH', `/items/arts/${item}`, { category: null });
    assert.deepEqual((await visitor('GET', '/items/categories')).body?.data ?? [], [], 'what is related no more');
    await ask('DELETE', `/shares/${made.id}`);
    assert.equal((await visitor('GET', `/items/arts/${item}`)).status, 401, 'the share is gone');
});

test('a_way_leads_on_behind_what_refers_and_behind_what_is_referred_to_by_an_alias', async () => {
    const { item } = await makeItem();
    const made = async (collection, body) => (await ask('POST', `/items/${collection}`, body)).body.data.id;
    const [writer, other] = [await made('writers', { title: 'w' }), await made('writers', { title: 'o' })];
    const note = await made('notes', { art: item, title: 'n', writer });
    const [same, far] = [await made('notes', { title: 'of the same writer', writer }), await made('notes', { title: 'far', writer: other })];
    const marks = [await made('marks', { note, title: 'm' }), await made('marks', { note: same, title: 'm' })];
    await made('marks', { note: far, title: 'far' });
    const visitor = as((await login({ share: (await share({ item: String(item) })).id })).body.data.access_token);
    const ids = async (collection) => (await visitor('GET', `/items/${collection}?fields=id&sort=id`)).body.data?.map(({ id }) => id);
    assert.deepEqual(await ids('notes'), [note, same], 'what refers to the item, and what its writer wrote besides');
    assert.deepEqual(await ids('marks'), [marks[0]], 'never through one collection twice');
    assert.deepEqual(await ids('writers'), [writer]);
    assert.deepEqual(await ids('arts'), [item]);
});

test('fields_that_are_granted_of_the_item_bound_those_of_what_it_leads_to', async () => {
    const { item, category } = await makeItem();
    const narrow = await makeRole({ arts: 'id,title,category', categories: '*' });
    const visitor = as((await login({ share: (await share({ item: String(item), role: narrow })).id })).body.data.access_token);
    assert.deepEqual((await visitor('GET', '/items/categories')).body.data, [{ id: category }], 'as in Directus');
    assert.match(said(await visitor('GET', `/items/arts/${item}?fields=category.name`)), /^403/);
});

test('the_creator_bounds_a_share', async () => {
    const { item } = await makeItem();
    const policy = randomUUID();
    const token = `token-${randomUUID()}`;
    await stack.run(`insert into directus_policies (id, name) values ('${policy}', 'of a test'); insert into directus_permissions (policy, collection, action, permissions, fields) values
        ('${policy}', 'directus_shares', 'create', '{}', '*'), ('${policy}', 'directus_shares', 'read', '{}', '*'), ('${policy}', 'arts', 'read', '{}', 'id,title,secret'), ('${policy}', 'arts', 'share', '{}', '*')`);
    const creator = await admin.request(createUser({ token, policies: [{ policy }] }));
    const made = (await as(token)('POST', '/shares', { collection: 'arts', item: String(item), role })).body.data;
    const visitor = as((await login({ share: made.id })).body.data.access_token);
    assert.deepEqual((await visitor('GET', `/items/arts/${item}`)).body.data, { id: item, title: 'shared' });
    assert.match(said(await visitor('GET', '/items/categories')), /^403/);
    await ask('PATCH', `/users/${creator.id}`, { status: 'suspended' });
    assert.equal((await visitor('GET', `/items/arts/${item}`)).status, 401);
    const none = await share({ item: String(item), role: null });
    const empty = as((await login({ share: none.id })).body.data.access_token);
    assert.deepEqual((await empty('GET', '/items/arts')).body.data, [item], 'the key alone');
});

test('a_session_of_a_share_is_a_cookie_and_ends_with_it', async () => {
    const { item } = await makeItem();
    const made = await share({ item: String(item) });
    const answer = await login({ share: made.id, mode: 'session' });
    assert.deepEqual(Object.keys(answer.body.data), ['expires']);
    const cookie = answer.headers['set-cookie'].map((c) => c.split(';')[0]).find((c) => c.startsWith('directus_session_token='));
    const read = () => stack.call({ method: 'GET', path: `/items/arts/${item}?fields=id`, headers: { cookie } });
    assert.equal((await read()).status, 200);
    await stack.run(`delete from directus_sessions where share = '${made.id}'`);
    assert.equal((await read()).status, 401);
});

const refresh = (refresh_token, rest = {}) => as()('POST', '/auth/refresh', { refresh_token, ...rest });

test('a_refresh_token_of_a_share_is_used_once_and_lasts_as_long_as_the_share', async () => {
    const { item } = await makeItem();
    const made = await share({ item: String(item), max_uses: 0 });
    const first = (await login({ share: made.id })).body.data;
    const next = await refresh(first.refresh_token);
    assert.deepEqual([next.status, Object.keys(next.body.data).sort()], [200, ['access_token', 'expires', 'refresh_token']], next.text);
    assert.deepEqual((await as(next.body.data.access_token)('GET', '/users/me')).body.data, { share: made.id });
    assert.equal((await as(next.body.data.access_token)('GET', `/items/arts/${item}?fields=id`)).status, 200);
    assert.equal(said(await refresh(first.refresh_token)), '401 Invalid user credentials.');
    assert.deepEqual(await stack.rows(`select times_used from directus_shares where id = '${made.id}'`), [['1']], 'a refresh is no further use');
    const two = await Promise.all([refresh(next.body.data.refresh_token), refresh(next.body.data.refresh_token)]);
    assert.deepEqual(two.map((answer) => answer.status).sort(), [200, 401]);
    const last = two.find((answer) => answer.status === 200).body.data.refresh_token;
    await admin.request(updateShare(made.id, { date_end: '2020-01-01T00:00:00Z' }));
    assert.equal(said(await refresh(last)), '401 Invalid user credentials.', 'the share is over');
    await admin.request(updateShare(made.id, { date_end: null }));
    assert.equal((await as()('POST', '/auth/logout', { refresh_token: last })).status, 204);
    assert.equal(said(await refresh(last)), '401 Invalid user credentials.', 'a logout ends it');
});

test('a_session_of_a_share_in_a_cookie_is_renewed', async () => {
    const { item } = await makeItem();
    const made = await share({ item: String(item) });
    const cookieOf = (answer) => answer.headers['set-cookie'].map((c) => c.split(';')[0]).find((c) => c.startsWith('directus_session_token='));
    const send = (path, cookie, body) => stack.call({ method: body ? 'POST' : 'GET', path, headers: { cookie }, body });
    const old = cookieOf(await login({ share: made.id, mode: 'session' }));
    const renewed = await send('/auth/refresh', old, { mode: 'session' });
    assert.deepEqual([renewed.status, Object.keys(renewed.body.data)], [200, ['expires']], renewed.text);
    assert.notEqual(cookieOf(renewed), old);
    for (const cookie of [old, cookieOf(renewed)]) assert.equal((await send(`/items/arts/${item}?fields=id`, cookie)).status, 200, 'both, for a while');
    assert.equal((await send('/auth/logout', cookieOf(renewed), { mode: 'session' })).status, 204);
    assert.deepEqual(await stack.rows(`select count(*) from directus_sessions where share = '${made.id}'`), [['0']]);
});

test('a_share_of_a_site_reads_rows_of_that_site', async () => {
    const made = (await as(a.token)('POST', '/shares', { collection: 'posts', item: a.posts[0].id })).body.data;
    await stack.run(`update directus_shares set role = '${role}' where id = '${made.id}'`);
    const { access_token } = (await login({ share: made.id })).body.data;
    const visitor = as(access_token);
    const read = await visitor('GET', `/items/posts/${a.posts[0].id}?fields=title,author.name`);
    assert.equal(read.body.data.title, a.posts[0].title);
    assert.equal((await visitor('GET', `/items/posts/${a.posts[1].id}`)).status, 403);
    assert.equal((await visitor('GET', `/items/posts/${b.posts[0].id}`)).status, 403);
    assert.deepEqual((await visitor('GET', '/items/posts?fields=id&limit=-1')).body.data, [{ id: a.posts[0].id }]);
    assert.equal((await as(access_token, 'b.example')('GET', `/items/posts/${a.posts[0].id}`)).status, 403, 'on the host of another site');
    assert.equal((await as(undefined, 'a.example')('GET', `/shares/info/${made.id}`)).status, 200);
    assert.equal((await as(undefined, 'b.example')('GET', `/shares/info/${made.id}`)).status, 403);
});
