// Shares reach rows of their own site alone, whichever other site has a row with the same key, and never more than
// their creator may read.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../../support/api.mjs';

let stack, a, b, everything;
const as = (token, rest = {}) => (method, path, body) => stack.call({ method, path, token, body, ...rest });
const admin = (...request) => as(stack.adminToken)(...request);
const ok = (answer) => {
    assert.ok(answer.status === 200 || answer.status === 204, `${answer.status} ${answer.text}`);
    return answer.body?.data;
};
const readAll = (names) => Object.fromEntries(names.map((name) => [name, [null, '*']]));

before(async () => {
    stack = await startApi({ env: { LOGIN_STALL_TIME: '1', LOGIN_FAILURES: '1000', LOGIN_FAILURES_ACCOUNT: '1000', LOGIN_FAILURES_ADDRESS: '1000' } });
    await stack.run(`set role spark_owner;
        create table coins (code text primary key, site_id uuid not null default spark.current_site() references sites (id), name text);
        select spark.protect_table('coins'), spark.key_by_site('coins');
        create table notes (id serial primary key, title text, secret text, reader uuid, team uuid);
        reset role;
        grant all on notes, notes_id_seq to spark_platform;
        insert into directus_collections (collection) values ('coins'), ('notes')`);
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
    everything = await makeRole(readAll(['posts', 'authors', 'coins', 'notes', 'campaign_masters', 'headline_inventory', 'sites']));
});
after(() => stack?.stop());

/** A policy with { collection: [condition, fields] } to read. */
async function makePolicy(reads, more = '') {
    const id = randomUUID();
    await stack.run(`insert into directus_policies (id, name) values ('${id}', 'of a test');
        ${Object.entries(reads).map(([name, [rule, fields]]) => `insert into directus_permissions (policy, collection, action, permissions, fields)
            values ('${id}', '${name}', 'read', ${rule === null ? 'null' : `'${JSON.stringify(rule)}'`}, '${fields}');`).join('\n')} ${more.replaceAll('POLICY', id)}`);
    return id;
}
async function makeRole(reads) {
    const id = randomUUID();
    const policy = await makePolicy(reads);
    await stack.run(`insert into directus_roles (id, name) values ('${id}', 'of a test');
        insert into directus_access (id, role, policy) values (gen_random_uuid(), '${id}', '${policy}')`);
    return id;
}
const SHARES = `insert into directus_permissions (policy, collection, action, permissions, fields)
    select 'POLICY', 'directus_shares', action, null, '*' from unnest('{create,read,update}'::text[]) action`;
/** A user who reads some things and shares them. */
async function makeSharer(reads, site = null, role = null) {
    const [id, token] = [randomUUID(), `token-${randomUUID()}`];
    const shared = Object.keys(reads).map((name) => `insert into directus_permissions (policy, collection, action, permissions, fields) values ('POLICY', '${name}', 'share', null, '*');`);
    const policy = await makePolicy(reads, `${shared.join('\n')} ${SHARES}`);
    await stack.run(`insert into directus_users (id, email, status, token, site_id, role) values ('${id}', '${id}@example.com', 'active', '${token}', ${site ? `'${site}'` : 'null'}, ${role ? `'${role}'` : 'null'});
        insert into directus_access (id, "user", policy) values (gen_random_uuid(), '${id}', '${policy}')`);
    return { id, token, ask: as(token) };
}
const share = async (body, ask = admin) => ok(await ask('POST', '/shares?fields=*', { role: everything, ...body }));
async function visitorOf(made, rest = {}) {
    const { access_token } = ok(await as(undefined, rest)('POST', '/shares/auth', { share: made.id }));
    return as(access_token, rest);
}
const answered = (answer) => (answer.status === 200 ? answer.body.data : answer.status);
const titleOf = async (visitor, id) => {
    const found = answered(await visitor('GET', `/items/posts/${id}?fields=title`));
    return found?.title ?? found;
};

test('a_share_of_the_platform_reaches_the_row_of_its_own_site', async () => {
    const id = a.posts[0].id;
    const made = await share({ collection: 'posts', item: id });
    ok(await as(b.token)('POST', '/items/posts', { id, title: 'secret of B', slug: 'b-1', author: b.author.id }));
    const visitor = await visitorOf(made);
    assert.equal(await titleOf(visitor, id), a.posts[0].title);
    // The author's other posts are reached as well, of this site.
    assert.deepEqual(answered(await visitor('GET', '/items/posts?fields=id,title&limit=-1&sort=title')), a.posts.map((post) => ({ id: post.id, title: post.title })));
    const token = { headers: { 'x-site-id': b.id } };
    const { access_token } = ok(await as()('POST', '/shares/auth', { share: made.id }));
    for (const rest of [token, { host: 'b.example' }])
        assert.doesNotMatch((await as(access_token, rest)('GET', `/items/posts/${id}`)).text, /secret of B/, JSON.stringify(rest));
    // Who makes one where two sites have the key says which is meant.
    assert.equal((await admin('POST', '/shares', { collection: 'posts', item: id })).status, 409);
    const named = await share({ collection: 'posts', item: id }, as(stack.adminToken, { headers: { 'x-site-id': b.id } }));
    assert.equal(await titleOf(await visitorOf(named), id), 'secret of B');
});

test('a_share_of_no_row_reaches_no_row_that_comes_later', async () => {
    const id = randomUUID();
    const made = await share({ collection: 'posts', item: id });
    for (const [tenant, slug] of [[a, 'late-a'], [b, 'late-b']])
        ok(await as(tenant.token)('POST', '/items/posts', { id, title: `secret of ${tenant.name}`, slug }));
    for (const rest of [{}, { host: 'a.example' }, { host: 'b.example' }, { headers: { 'x-site-id': b.id } }, { headers: { origin: 'https://b.example' } }]) {
        const login = await as(undefined, rest)('POST', '/shares/auth', { share: made.id });
        if (login.status !== 200) continue; // on a site's host only its own shares exist
        const visitor = as(login.body.data.access_token, rest);
        for (const path of [`/items/posts/${id}`, '/items/posts', '/items/posts?aggregate[count]=*', '/items/authors'])
            assert.doesNotMatch((await visitor('GET', path)).text, /secret of|Author of|"count":"?[1-9]/, `${path} ${JSON.stringify(rest)}`);
    }
});

test('a_row_of_another_site_with_the_same_key_leads_nowhere', async () => {
    const own = ok(await as(a.token)('POST', '/items/posts', { title: 'alone', slug: 'alone' })).id;
    const hidden = ok(await as(a.token)('POST', '/items/authors', { name: 'hidden author of A' })).id;
    const made = await share({ collection: 'posts', item: own }, as(a.token));
    await stack.run(`update directus_shares set role = '${everything}' where id = '${made.id}'`);
    // B knows the keys, and points its own row of that key to its own author of that key.
    ok(await as(b.token)('POST', '/items/authors', { id: hidden, name: 'of B' }));
    ok(await as(b.token)('POST', '/items/posts', { id: own, title: 'of B', slug: 'of-b', author: hidden }));
    const visitor = await visitorOf(made);
    assert.equal(await titleOf(visitor, own), 'alone');
    assert.deepEqual(answered(await visitor('GET', '/items/authors?fields=id')), []);
    // The way to its site ends there: nothing else of the site is reached by it.
    assert.deepEqual(answered(await visitor('GET', '/items/posts?fields=title')), [{ title: 'alone' }]);
    for (const name of ['coins', 'campaign_masters', 'headline_inventory']) assert.deepEqual([].concat(answered(await visitor('GET', `/items/${name}`))).filter((row) => row !== 403), [], name);
});

test('a_share_of_a_row_of_the_library_reads_that_row', async () => {
    const shared = ok(await admin('POST', '/items/campaign_masters', { name: 'for everybody', headline_spintax_root: 'x', site_id: null })).id;
    for (const tenant of [a, b]) ok(await as(tenant.token)('POST', '/items/headline_inventory', { campaign_id: shared, final_title_text: `headline of ${tenant.name}` }));
    const visitor = await visitorOf(await share({ collection: 'campaign_masters', item: shared }));
    assert.deepEqual(answered(await visitor('GET', `/items/campaign_masters/${shared}?fields=name`)), { name: 'for everybody' });
    assert.doesNotMatch((await visitor('GET', '/items/headline_inventory?fields=*')).text, /headline of/);
});

test('a_key_that_is_not_called_id_is_shared_like_any_other', async () => {
    for (const tenant of [a, b]) ok(await as(tenant.token)('POST', '/items/coins', { code: 'EUR', name: `euro of ${tenant.name}` }));
    const made = await share({ collection: 'coins', item: 'EUR' }, as(stack.adminToken, { headers: { 'x-site-id': a.id } }));
    const visitor = await visitorOf(made);
    assert.deepEqual(answered(await visitor('GET', '/items/coins?fields=name')), [{ name: 'euro of A' }]);
});

test('a_creator_of_one_site_shares_nothing_of_another', async () => {
    const sharer = await makeSharer(readAll(['posts']), a.id);
    const made = await share({ collection: 'posts', item: a.posts[1].id }, sharer.ask);
    const visitor = await visitorOf(made);
    assert.equal(await titleOf(visitor, a.posts[1].id), a.posts[1].title);
    await stack.run(`update directus_users set site_id = '${b.id}' where id = '${sharer.id}'`);
    assert.equal(await titleOf(visitor, a.posts[1].id), 401);
});

const note = async (body) => ok(await admin('POST', '/items/notes', { title: 'shown', secret: 'hidden', ...body })).id;

test('nobody_but_an_administrator_names_another_creator', async () => {
    const id = String(await note());
    const sharer = await makeSharer({ notes: [null, 'id,title'] });
    const [[boss]] = await stack.rows(`select u.id from directus_users u join directus_access x on x.role = u.role or x."user" = u.id join directus_policies p on p.id = x.policy and p.admin_access limit 1`);
    const made = await share({ collection: 'notes', item: id }, sharer.ask);
    for (const user_created of [boss, null, { id: boss }])
        assert.equal((await sharer.ask('PATCH', `/shares/${made.id}`, { user_created })).status, 403, JSON.stringify(user_created));
    assert.equal((await sharer.ask('PATCH', '/shares', { keys: [made.id], data: { user_created: boss } })).status, 403);
    assert.equal((await sharer.ask('PATCH', '/shares', [{ id: made.id, user_created: boss }])).status, 403);
    const late = await sharer.ask('POST', '/shares', { collection: 'notes', item: id, role: everything, user_created: boss });
    for (const one of [made, late.body.data].filter(Boolean))
        assert.deepEqual(answered(await (await visitorOf(one))('GET', `/items/notes/${id}`)), { id: Number(id), title: 'shown' });
    ok(await sharer.ask('PATCH', `/shares/${made.id}`, { user_created: sharer.id, name: 'mine' }));
});

test('whoever_makes_a_share_lead_elsewhere_answers_for_it', async () => {
    const [first, second] = [String(await note()), String(await note())];
    const sharer = await makeSharer({ notes: [null, 'id,title'] });
    const none = await makeRole({});
    for (const [start, change] of [[{ item: first }, { item: second }], [{ item: second, role: none }, { role: everything }]]) {
        const made = await share({ collection: 'notes', ...start }); // the administrator's
        ok(await sharer.ask('PATCH', `/shares/${made.id}`, change));
        assert.deepEqual(answered(await (await visitorOf(made))('GET', `/items/notes/${second}`)), { id: Number(second), title: 'shown' }, JSON.stringify(change));
    }
    const named = await share({ collection: 'notes', item: first });
    ok(await sharer.ask('PATCH', `/shares/${named.id}`, { name: 'x', date_end: null }));
    assert.equal(answered(await (await visitorOf(named))('GET', `/items/notes/${first}`)).secret, 'hidden', 'a name widens nothing');
});

test('a_share_does_not_grow_when_its_creator_is_gone', async () => {
    const id = String(await note());
    const sharer = await makeSharer({ notes: [null, 'id,title'] });
    const visitor = await visitorOf(await share({ collection: 'notes', item: id }, sharer.ask));
    assert.deepEqual(answered(await visitor('GET', `/items/notes/${id}`)), { id: Number(id), title: 'shown' });
    ok(await admin('DELETE', `/users/${sharer.id}`));
    assert.doesNotMatch((await visitor('GET', `/items/notes/${id}`)).text, /shown|hidden/);
    // What a token without a user made is bounded by its role alone, as before.
    assert.equal(answered(await (await visitorOf(await share({ collection: 'notes', item: id })))('GET', `/items/notes/${id}`)).secret, 'hidden');
});

test('conditions_of_the_creator_mean_the_creator', async () => {
    const team = await makeRole({});
    const rest = { fields: 'id,title' };
    const cases = [
        // condition, what the row holds, whether the creator reads it
        [{ reader: { _eq: '$CURRENT_USER' } }, 'reader', 'self', true],
        [{ reader: { _neq: '$CURRENT_USER' } }, 'reader', 'self', false],
        [{ team: { _eq: '$CURRENT_ROLE' } }, 'team', 'role', true],
        [{ team: { _eq: '$CURRENT_ROLE' } }, 'team', 'everything', false],
        [{ team: { _in: '$CURRENT_ROLES' } }, 'team', 'role', true],
        [{ team: { _in: ['$CURRENT_ROLES'] } }, 'team', 'everything', false],
        [{ team: { _nin: ['$CURRENT_ROLES'] } }, 'team', 'role', false],
        [{ _or: [{ team: { _eq: '$CURRENT_ROLE' } }, { reader: { _in: ['$CURRENT_USER'] } }] }, 'reader', 'self', true],
        [{ team: { _nin: '$CURRENT_POLICIES' } }, 'team', 'policy', false],
        [{ reader: { _neq: '$CURRENT_USER.id' } }, 'reader', 'self', false],
    ];
    for (const [rule, column, value, isRead] of cases) {
        const sharer = await makeSharer({ notes: [rule, rest.fields] }, null, team);
        const [[policy]] = await stack.rows(`select policy from directus_access where "user" = '${sharer.id}'`);
        const held = { self: sharer.id, role: team, everything, policy }[value];
        const id = String(await note({ [column]: randomUUID() }));
        // The creator reads it at first, whatever the condition: the row changes afterwards.
        const made = ok(await admin('POST', '/shares?fields=id', { collection: 'notes', item: id, role: everything }));
        await stack.run(`update directus_shares set user_created = '${sharer.id}' where id = '${made.id}'; update notes set ${column} = '${held}' where id = ${id}`);
        const direct = answered(await sharer.ask('GET', `/items/notes/${id}?fields=title`))?.title === 'shown';
        assert.equal(direct, isRead, `the creator, ${JSON.stringify(rule)}`);
        const visitor = await visitorOf(made);
        const seen = answered(await visitor('GET', `/items/notes/${id}?fields=title`))?.title === 'shown';
        assert.equal(seen, isRead, JSON.stringify(rule));
    }
});
