// Policies in force, what the caller is told of its rights, and what the database keeps of administrators and roles.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { startApi } from '../../support/api.mjs';
import { Child, freePort, until } from '../../support/stack.mjs';

let stack;
let made = 0;

const admin = (method, path, body) => stack.call({ method, path, body, token: stack.adminToken });
async function good(method, path, body) {
    const answer = await admin(method, path, body);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
    return answer.body?.data;
}
const reason = (answer) => answer.body.errors[0].extensions.reason;

/** A user with one policy for each of `policies` ({ perms, app, ip, admin, tfa }); its policies and requests. */
async function user(policies, extra = {}) {
    const n = ++made;
    const token = `token-of-user-${n}-0123456789`;
    const ids = [];
    for (const policy of policies) {
        const { id } = await good('POST', '/policies', { name: `policy ${n}`, app_access: !!policy.app, admin_access: !!policy.admin, ip_access: policy.ip ?? null, enforce_tfa: !!policy.tfa });
        for (const perm of policy.perms ?? []) await good('POST', '/permissions', { policy: id, permissions: null, validation: null, presets: null, fields: ['*'], ...perm });
        ids.push(id);
    }
    const { id } = await good('POST', '/users', { email: `user${n}@example.com`, token, status: 'active', ...extra });
    for (const policy of ids) await good('POST', '/access', { user: id, policy });
    const call = (method, path, body) => stack.call({ method, path, body, token });
    return { id, token, policies: ids, call, get: (path) => call('GET', path) };
}
const may = (collection, action, permissions = null, fields = ['*'], more = {}) => ({ collection, action, permissions, fields, ...more });

before(async () => {
    stack = await startApi({ pack: false });
    await stack.run(`
        create table cats (id serial primary key, name text, level integer);
        create table posts (id serial primary key, title text, status text, n integer, body text, owner uuid, cat integer references cats (id));
        create table notes (id serial primary key, text text, post integer references posts (id));
        create table lone (id serial primary key, a text, b text);
        insert into cats (name, level) select 'c' || i, i from generate_series(1, 3) i;
        insert into posts (title, status, n, body, cat) select 't' || i, case when i % 2 = 1 then 'published' else 'draft' end, i, 'b' || i, i % 3 + 1 from generate_series(1, 8) i;
        insert into notes (text, post) select 'x' || i, i % 8 + 1 from generate_series(1, 12) i;
        insert into directus_collections (collection, singleton) values ('cats', false), ('posts', false), ('notes', false), ('lone', true);
        insert into directus_fields (collection, field, special) values ('posts', 'notes', 'o2m'), ('cats', 'posts', 'o2m');
        insert into directus_relations (many_collection, many_field, one_collection, one_field) values ('notes', 'post', 'posts', 'notes'), ('posts', 'cat', 'cats', 'posts');
        grant all on cats, posts, notes, lone to spark_platform, spark_tenant;
        grant all on all sequences in schema public to spark_platform, spark_tenant;
        select spark.raise_epoch()`);
});
after(() => stack?.stop());

test('what_the_caller_may_do_is_what_holds_when_it_asks', async () => {
    const u = await user([{ perms: [may('posts', 'delete')] }]);
    for (let i = 0; i < 10; i++) { // by statements, of which no request of this server tells
        await stack.run(`delete from directus_permissions where policy = '${u.policies[0]}'`);
        assert.deepEqual((await u.get('/permissions/me/posts')).body.data.delete, { access: false });
        await stack.run(`insert into directus_permissions (policy, collection, action, fields) values ('${u.policies[0]}', 'posts', 'delete', '*')`);
        assert.equal((await u.get('/permissions/me')).body.data.posts.delete.access, 'full');
    }
});

test('what_the_caller_may_do_is_told_by_collection_and_action', async () => {
    const none = { access: 'none' };
    const u = await user([
        { perms: [may('posts', 'read', { status: { _eq: 'published' } }, ['id', 'title']), may('posts', 'update', {}, ['title'], { presets: { n: 5 } }),
            may('posts', 'create', null, ['title'], { presets: { n: 1, status: 'x' } })] },
        { perms: [may('posts', 'read', null, ['n']), may('posts', 'create', {}, ['*'], { presets: { n: 2, owner: '$CURRENT_USER' } }), may('posts', 'share', { n: { _gt: 3 } }),
            may('posts', 'delete', { n: { _gt: 7 } }), may('cats', 'read', {}, []), may('notes', 'read', {}, null), may('lone', 'update', {}, ['a'], { presets: { b: 'z' } })] },
    ]);
    const { body } = await u.get('/permissions/me');
    assert.deepEqual(body.data.posts, {
        create: { access: 'full', fields: ['*'], presets: { status: 'x', n: 2, owner: u.id } },
        read: { access: 'partial', fields: ['id', 'title', 'n'] },
        update: { access: 'full', fields: ['title'], presets: { n: 5 } },
        delete: { access: 'partial', fields: ['*'] },
        share: { access: 'partial', fields: ['*'] },
    });
    assert.deepEqual(body.data.cats, { create: none, read: { access: 'full', fields: [] }, update: none, delete: none, share: none });
    assert.deepEqual(body.data.notes.read, { access: 'full' });
    assert.deepEqual(Object.keys(body.data).sort(), ['cats', 'lone', 'notes', 'posts']);

    const item = async (path) => (await u.get(`/permissions/me/${path}`)).body.data;
    const told = (update, remove, share) => ({ update: { access: update }, delete: { access: remove }, share: { access: share } });
    assert.deepEqual(await item('posts'), told(true, true, true));
    assert.deepEqual(await item('posts/1'), told(true, false, false));
    assert.deepEqual(await item('posts/4'), told(true, false, true));
    assert.deepEqual(await item('posts/8'), told(true, true, true));
    for (const path of ['posts/99', 'posts/abc', 'cats/1', 'nope', 'nope/1', 'directus_users/' + u.id]) assert.deepEqual(await item(path), told(false, false, false), path);
    const lone = { update: { access: true, fields: ['a'], presets: { b: 'z' } }, delete: { access: false }, share: { access: false } };
    assert.deepEqual(await item('lone'), lone, 'a singleton without a row');
    await stack.run(`insert into lone (a) values ('A')`);
    assert.deepEqual(await item('lone'), lone);
    assert.deepEqual(await item('lone/1'), lone);
    assert.deepEqual(await item('lone/99'), told(false, false, false));

    const full = { access: 'full', fields: ['*'] };
    const everything = (await admin('GET', '/permissions/me')).body.data;
    for (const collection of ['posts', 'directus_users', 'directus_access']) assert.deepEqual(everything[collection], { create: full, read: full, update: full, delete: full, share: full });
    for (const path of ['posts/99', 'nope', 'lone']) assert.deepEqual((await admin('GET', `/permissions/me/${path}`)).body.data, told(true, true, true));
    for (const path of ['/permissions/me', '/permissions/me/posts', '/permissions/me/posts/1', '/roles/me']) {
        const answer = await stack.call({ path });
        assert.equal(answer.status, 403, path);
        assert.deepEqual(answer.body.errors, [{ message: `You don't have permission to access this.`, extensions: { code: 'FORBIDDEN' } }]);
    }
});

test('globals_and_roles_of_the_caller', async () => {
    const parent = await good('POST', '/roles', { name: 'parent' });
    const role = await good('POST', '/roles', { name: 'own', parent: parent.id });
    const plain = await user([{}], { role: role.id });
    const app = await user([{ app: true, tfa: true }], { role: role.id });
    const some = await user([{ perms: [may('directus_roles', 'read', { name: { _eq: 'parent' } }, ['id', 'name'])] }], { role: role.id });
    const rootless = await user([{}]);
    assert.deepEqual((await plain.get('/policies/me/globals')).body, { data: { app_access: false, admin_access: false, enforce_tfa: false } });
    assert.deepEqual((await app.get('/policies/me/globals')).body, { data: { app_access: true, admin_access: false, enforce_tfa: true } });
    assert.deepEqual((await admin('GET', '/policies/me/globals')).body, { data: { app_access: true, admin_access: true, enforce_tfa: false } });
    assert.deepEqual((await stack.call({ path: '/policies/me/globals' })).body, { data: { app_access: false } });
    assert.deepEqual((await plain.get('/roles/me')).body.data, [{ id: parent.id }, { id: role.id }], 'only ids, the highest first');
    assert.deepEqual((await app.get('/roles/me?fields=name&sort=name')).body.data, [{ name: 'own' }, { name: 'parent' }]);
    assert.deepEqual((await some.get('/roles/me')).body.data, [{ id: parent.id, name: 'parent' }]);
    assert.deepEqual((await rootless.get('/roles/me')).body.data, []);
});

test('users_with_app_access_have_the_least_that_the_app_needs', async () => {
    const role = await good('POST', '/roles', { name: 'apps' });
    const u = await user([{ app: true, perms: [may('directus_permissions', 'read', null, ['id', 'collection'])] }], { role: role.id });
    const rights = (await u.get('/permissions/me')).body.data;
    assert.equal(Object.keys(rights).length, 13);
    assert.deepEqual(rights.directus_users.read.fields, 'id,first_name,last_name,last_page,email,password,location,title,description,tags,provider,preferences_divider,avatar,language,appearance,theme_light,theme_dark,tfa_secret,status,role'.split(','));
    assert.deepEqual((await u.get('/users?fields=id')).body.data, [{ id: u.id }]);
    assert.deepEqual((await u.get('/roles?fields=name')).body.data, [{ name: 'apps' }]);
    assert.equal((await u.call('POST', '/presets', { user: u.id, collection: 'posts' })).status, 200);
    assert.equal((await u.call('POST', '/presets', { user: randomUUID(), collection: 'posts' })).status, 400);

    const rows = (await u.get('/permissions?meta=*&limit=1')).body;
    const system = rows.data.filter((row) => row.system);
    assert.equal(system.length, 20);
    assert.equal(rows.data.length - 20, rows.meta.total_count, 'all rows, whatever the limit');
    assert.deepEqual(system[4], { policy: null, permissions: { user: { _eq: '$CURRENT_USER' } }, validation: null, presets: null, fields: ['*'], system: true, collection: 'directus_activity', action: 'read' });
    assert.deepEqual((await u.get('/permissions?filter[collection][_eq]=cats&fields=id')).body.data.filter((row) => row.system), []);
    const chosen = (await u.call('SEARCH', '/permissions', { query: { filter: { collection: { _eq: 'directus_presets' } } } })).body.data;
    assert.deepEqual(chosen.map((row) => row.action), ['read', 'create', 'update', 'delete']);
    const plain = await user([{ perms: [may('directus_permissions', 'read', null, ['id'])] }]);
    assert.ok((await plain.get('/permissions')).body.data.every((row) => !row.system));
    assert.equal((await (await user([{ app: true }])).get('/permissions')).status, 403);
});

test('policies_in_force_come_from_the_role_tree_the_user_and_the_public', async () => {
    const grants = (value) => [may('posts', 'create', null, ['*'], { presets: { body: value, ...(value !== 'user' && { title: value }) } })];
    const policy = async (value) => {
        const { id } = await good('POST', '/policies', { name: value });
        for (const perm of grants(value)) await good('POST', '/permissions', { policy: id, ...perm });
        return id;
    };
    const top = await good('POST', '/roles', { name: 'top' });
    const own = await good('POST', '/roles', { name: 'own', parent: top.id });
    const ids = { user: await policy('user'), own: await policy('own'), top: await policy('top') };
    const u = await user([], { role: own.id });
    await good('POST', '/access', { user: u.id, policy: ids.user });
    await good('POST', '/access', { role: own.id, policy: ids.own });
    await good('POST', '/access', { role: top.id, policy: ids.top });
    assert.deepEqual((await u.get('/permissions/me')).body.data.posts.create.presets, { body: 'user', title: 'own' }, 'the nearest role and the user win');

    const shared = await good('POST', '/policies', { name: 'for everybody' });
    await good('POST', '/permissions', { policy: shared.id, ...may('cats', 'read', null, ['name']) });
    const open = await good('POST', '/access', { role: null, user: null, policy: shared.id });
    const without = await user([]);
    assert.equal((await stack.call({ path: '/items/cats' })).status, 200, 'anonymous');
    assert.equal((await without.get('/items/cats')).status, 200, 'a user without a role');
    assert.equal((await u.get('/items/cats')).status, 403, 'a user with a role has no public policies');
    await good('DELETE', `/access/${open.id}`);
    assert.equal((await stack.call({ path: '/items/cats' })).status, 403);
});

test('a_policy_applies_at_its_addresses_only_and_names_valid_ones', async () => {
    const here = await user([{ ip: ['10.0.0.0/8', '127.0.0.0-127.0.0.9'], perms: [may('cats', 'read')] }]);
    const there = await user([{ ip: ['10.0.0.0/8'], admin: true, perms: [may('cats', 'read')] }, { perms: [may('posts', 'read')] }]);
    assert.equal((await here.get('/items/cats')).status, 200);
    assert.equal((await there.get('/items/cats')).status, 403, 'not an administrator either');
    assert.equal((await there.get('/items/posts')).status, 200);
    await good('PATCH', `/policies/${there.policies[0]}`, { ip_access: ['127.0.0.1'] });
    assert.equal((await there.get('/items/cats')).status, 200);
    for (const ip of [['127.0.0.1'], ['10.0.0.0/8'], ['1.2.3.4-1.2.3.9'], [' 127.0.0.1 '], ['::1'], ['fe80::/10'], ['::ffff:127.0.0.1'], ['0.0.0.0/0'], [], null, ['10.1.2.3/8']])
        assert.deepEqual((await good('POST', '/policies', { name: 'ip', ip_access: ip })).ip_access ?? [], ip ?? []);
    for (const ip of [['nope'], ['1.2.3.4/33'], ['1.2.3.4-'], ['1.2.3.9-1.2.3.4'], [''], ['127.0.0.1', 'x'], '127.0.0.1', ['10.0.0.0/8 ,127.0.0.1'], ['1.2.3'], ['1.2.3.4-::1'], ['eth0'], 5, ['1.2.3.4/x'], {}]) {
        const answer = await admin('POST', '/policies', { name: 'ip', ip_access: ip });
        assert.equal(answer.status, 400, JSON.stringify(ip));
        assert.equal(reason(answer), 'IP Access contains an incorrect value. Valid values are: IP addresses, IP ranges and CIDR blocks');
    }
    const nested = await admin('PATCH', `/users/${here.id}`, { policies: { create: [{ policy: { name: 'x', ip_access: ['nope'] } }] } });
    assert.equal(nested.status, 400, nested.text);
    await good('DELETE', `/policies/${there.policies[0]}`);
});

test('fields_that_some_rules_grant_are_null_grouped_and_sorted_by_where_they_are_granted', async () => {
    const u = await user([{ perms: [may('posts', 'read', { n: { _lt: 4 } }, ['id', 'n', 'title', 'cat']), may('cats', 'read')] }, { perms: [may('posts', 'read', null, ['id', 'title', 'notes']), may('notes', 'read')] }]);
    assert.deepEqual((await u.get('/items/posts?fields=id,n,cat&sort=id')).body.data.map((row) => [row.id, row.n, row.cat]),
        [[1, 1, 2], [2, 2, 3], [3, 3, 1], [4, null, null], [5, null, null], [6, null, null], [7, null, null], [8, null, null]]);
    assert.deepEqual((await u.get('/items/posts?groupBy=n')).body.data, [{ n: 1 }, { n: 2 }, { n: 3 }]);
    assert.deepEqual((await u.get('/items/posts?groupBy=n&aggregate[count]=*')).body.data.map((row) => row.count), ['1', '1', '1']);
    assert.deepEqual((await u.get('/items/posts?aggregate[sum]=n')).body.data, [{ sum: { n: '6' } }]);
    assert.deepEqual((await u.get('/items/posts?filter[n][_gt]=3')).body.data, []);

    const keyless = await user([{ perms: [may('posts', 'read', null, ['title'])] }]);
    assert.deepEqual((await keyless.get('/items/posts')).body.data.map((row) => row.title), ['t1', 't2', 't3', 't4', 't5', 't6', 't7', 't8'], 'by the first field that may be read');
    for (const path of ['/items/posts/1', '/items/posts/1?fields=title', '/items/posts?fields=id']) {
        const answer = await keyless.get(path);
        assert.equal(answer.status, 403, path);
        assert.equal(reason(answer), `You don't have permission to access field "id" in collection "posts" or it does not exist. Queried in root.`);
    }
    assert.equal((await keyless.get('/items/posts?fields=title,cat.name')).status, 200, 'what leads to unreadable rows is left out');

    const fieldless = await user([{ perms: [may('posts', 'read', { n: { _lt: 3 } }, []), may('posts', 'update')] }]);
    for (const path of ['/items/posts', '/items/posts?fields=title,cat.name', '/items/posts?fields=nope'])
        assert.deepEqual((await fieldless.get(path)).body.data.sort(), [1, 2], path);
    assert.equal((await fieldless.get('/items/posts?sort=title')).status, 403);
    assert.equal((await fieldless.call('PATCH', '/items/posts/1', { title: 't1' })).status, 204);
});

test('a_row_by_its_key_shows_what_its_rules_grant_and_without_a_rule_it_is_none', async () => {
    const u = await user([{ perms: [may('posts', 'read', { status: { _eq: 'published' } }, ['id', 'title', 'notes']), may('posts', 'read', { n: { _lte: 4 } }, ['id', 'body', 'notes']), may('notes', 'read', null, ['id'])] }]);
    const all = await good('GET', '/items/posts?fields=id,title,body,status,n&limit=-1');
    const seen = (p) => ({ id: p.id, title: p.status === 'published' ? p.title : null, body: p.n <= 4 ? p.body : null });
    const kinds = new Set();
    for (const p of all) {
        const isGranted = p.status === 'published' || p.n <= 4;
        kinds.add(`${p.status} ${p.n <= 4}`);
        // With both masks, with one of them, without any, and with rows of another collection.
        for (const [fields, want] of [['id,title,body', seen(p)], ['id,title', { id: p.id, title: seen(p).title }], ['id', { id: p.id }]]) {
            const answer = await u.get(`/items/posts/${p.id}?fields=${fields}`);
            assert.deepEqual([answer.status, answer.body.data], isGranted ? [200, want] : [403, undefined], `${p.id} ${fields}: ${answer.text}`);
        }
        const deep = await u.get(`/items/posts/${p.id}?fields=title,body,notes.id`);
        assert.equal(deep.status, isGranted ? 200 : 403, deep.text);
        if (isGranted) assert.ok(Array.isArray(deep.body.data.notes), deep.text);
    }
    assert.equal(kinds.size, 4, 'rows of each combination of the rules');
    assert.equal((await u.get('/items/posts/999?fields=id,title,body')).status, 403);
});

test('an_update_is_refused_before_it_is_found_invalid', async () => {
    const u = await user([{ perms: [may('posts', 'read'), may('posts', 'update', { n: { _lt: 5 } }, ['*'], { validation: { title: { _nnull: true } } }), may('notes', 'read'), may('notes', 'update')] }]);
    const words = (list) => `You don't have permissions to perform "update" for the field(s) ${list} in collection "posts" or it does not exist.`;
    const bare = `You don't have permission to perform "update" for collection "posts" or it does not exist.`;
    for (const key of [8, 99]) {
        assert.equal(reason(await u.call('PATCH', `/items/posts/${key}`, { title: null })), words('"title"'));
        assert.equal(reason(await u.call('PATCH', `/items/posts/${key}`, { n: 1, title: 'x', notes: [] })), words('"n", "title", "notes"'));
        assert.equal(reason(await u.call('PATCH', `/items/posts/${key}`, { notes: [1] })), words('"notes"'));
        assert.equal(reason(await u.call('PATCH', `/items/posts/${key}`, {})), bare);
        assert.equal(reason(await u.call('PATCH', '/items/posts', { keys: [1, key], data: { title: null } })), words('"title"'));
        assert.equal(reason(await u.call('PATCH', '/items/posts', { keys: [1, key], data: { body: 'x' } })), words('"body"'));
        assert.equal(reason(await u.call('PATCH', '/items/posts', [{ id: 1, body: 'x' }, { id: key, body: 'x' }])), words('"body"'));
    }
    assert.equal((await u.call('PATCH', '/items/posts/1', { title: null })).status, 400);
    assert.deepEqual(await stack.rows(`select count(*) from posts where body = 'x'`), [['0']], 'nothing of a refused write stays');
});

test('a_field_of_the_caller_is_compared_with_any_type', async () => {
    const role = await good('POST', '/roles', { name: 'reader' });
    const with_ = async (permissions) => (await (await user([{ perms: [may('posts', 'read', permissions)] }], { role: role.id, title: '5', first_name: 't2' })).get('/items/posts?fields=id'));
    for (const [permissions, expected] of [
        [{ title: { _eq: '$CURRENT_USER.first_name' } }, [2]], [{ n: { _eq: '$CURRENT_USER.title' } }, [5]], [{ n: { _gt: '$CURRENT_USER.title' } }, [6, 7, 8]],
        [{ n: { _eq: '$CURRENT_USER.last_access' } }, []], [{ title: { _eq: '$CURRENT_USER.id' } }, []], [{ owner: { _eq: '$CURRENT_USER.id' } }, []],
        [{ n: { _gt: '$NOW' } }, []], [{ owner: { _eq: '$CURRENT_USER' } }, []], [{ title: { _contains: '$CURRENT_USER.id' } }, []], [{ owner: { _in: '$CURRENT_POLICIES' } }, []],
    ]) {
        const answer = await with_(permissions);
        assert.equal(answer.status, 200, `${JSON.stringify(permissions)}: ${answer.text}`);
        assert.deepEqual(answer.body.data.map((row) => row.id), expected, JSON.stringify(permissions));
    }
    for (const variable of ['$CURRENT_USER.role.name', '$CURRENT_USER.email', '$CURRENT_USER'])
        for (const field of ['n', 'cat']) {
            const answer = await with_({ [field]: { _eq: variable } });
            assert.equal(answer.status, 400, `${field} ${variable}: ${answer.text}`);
        }
});

/* Every way to take the last administrator away. */
async function lastAdministrator() {
    const role = (await good('GET', '/roles?filter[name][_eq]=Administrator'))[0];
    const [access] = await good('GET', `/access?filter[role][_eq]=${role.id}`);
    const me = (await good('GET', `/users?filter[role][_eq]=${role.id}`))[0];
    return { me: me.id, role: role.id, access: access.id, policy: access.policy };
}

test('the_last_administrator_stays_whatever_path_a_change_takes', async () => {
    const { me, role, access, policy } = await lastAdministrator();
    const state = () => stack.rows(`select u.status, u.role, p.admin_access, a.role, a."user" from directus_users u, directus_policies p, directus_access a
        where u.id = '${me}' and p.id = '${policy}' and a.id = '${access}'`);
    const before = await state();
    const paths = [
        ['DELETE', `/users/${me}`], ['DELETE', '/users', [me]], ['DELETE', '/users', { keys: [me] }],
        ['PATCH', `/users/${me}`, { status: 'suspended' }], ['PATCH', `/users/${me}`, { role: null }], ['PATCH', '/users', [{ id: me, status: 'archived' }]],
        ['PATCH', '/users', { keys: [me], data: { status: 'draft' } }],
        ['DELETE', `/roles/${role}`], ['PATCH', `/roles/${role}`, { policies: [] }], ['PATCH', `/roles/${role}`, { users: [] }],
        ['PATCH', `/policies/${policy}`, { admin_access: false }], ['DELETE', `/policies/${policy}`], ['PATCH', `/policies/${policy}`, { roles: { delete: [access] } }],
        ['DELETE', `/access/${access}`], ['PATCH', `/access/${access}`, { role: null }],
        ['PATCH', `/access/${access}`, { policy: { id: policy, admin_access: false } }],
    ];
    for (const [method, path, body] of paths) {
        const answer = await admin(method, path, body);
        assert.equal(answer.status, 422, `${method} ${path} ${JSON.stringify(body)}: ${answer.text}`);
        assert.deepEqual(answer.body.errors, [{
            message: `Can't process content. Cannot remove the last admin user from the system.`,
            extensions: { reason: 'Cannot remove the last admin user from the system', code: 'UNPROCESSABLE_CONTENT' },
        }]);
        assert.deepEqual(await state(), before);
    }
    await good('PATCH', `/users/${me}`, { first_name: 'Still', status: 'active' });
});

test('of_the_last_two_administrators_only_one_can_be_removed_at_a_time', async () => {
    const { me } = await lastAdministrator();
    for (let round = 0; round < 8; round++) {
        const second = await user([{ admin: true }]);
        const ways = [['DELETE', `/users/${second.id}`], ['PATCH', `/users/${second.id}`, { status: 'suspended' }], ['PATCH', `/policies/${second.policies[0]}`, { admin_access: false }], ['DELETE', `/policies/${second.policies[0]}`]];
        const [method, path, body] = ways[round % ways.length];
        const answers = await Promise.all([admin(method, path, body), admin('PATCH', `/users/${me}`, { status: 'suspended' })]);
        assert.deepEqual(answers.map((answer) => answer.status).filter((status) => status === 422).length, 1, JSON.stringify(answers.map((a) => a.text)));
        await stack.run(`update directus_users set status = 'active' where id = '${me}'`);
        await stack.run(`delete from directus_users where id = '${second.id}'`);
    }
});

test('roles_make_no_circle', async () => {
    const [a, b, c] = [await good('POST', '/roles', { name: 'a' }), await good('POST', '/roles', { name: 'b' }), await good('POST', '/roles', { name: 'c' })];
    await good('PATCH', `/roles/${b.id}`, { parent: a.id });
    await good('PATCH', `/roles/${c.id}`, { parent: b.id });
    for (const [path, body] of [[`/roles/${a.id}`, { parent: c.id }], [`/roles/${c.id}`, { children: [a.id] }], [`/roles/${c.id}`, { children: { update: [{ id: a.id }] } }]]) {
        const answer = await admin('PATCH', path, body);
        assert.equal(answer.status, 400, answer.text);
        assert.equal(reason(answer), 'A role cannot have a parent that is already a descendant of itself');
    }
    assert.equal(reason(await admin('PATCH', `/roles/${a.id}`, { parent: a.id })), 'A role cannot be a parent of itself');
    const [d, e] = [await good('POST', '/roles', { name: 'd' }), await good('POST', '/roles', { name: 'e' })];
    const answers = await Promise.all([admin('PATCH', `/roles/${d.id}`, { parent: e.id }), admin('PATCH', `/roles/${e.id}`, { parent: d.id })]);
    assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 400]);
});

test('a_deleted_role_lets_go_of_users_policies_presets_and_roles_below', async () => {
    const role = await good('POST', '/roles', { name: 'gone' });
    const below = await good('POST', '/roles', { name: 'below', parent: role.id });
    const [active, invited] = [await user([{}], { role: role.id }), await user([{}], { role: role.id, status: 'invited' })];
    const { id: policy } = await good('POST', '/policies', { name: 'of the role' });
    await good('POST', '/access', { role: role.id, policy });
    await good('POST', '/presets', { role: role.id, collection: 'posts' });
    assert.equal((await admin('DELETE', `/roles/${role.id}`)).status, 204);
    for (const u of [active, invited]) assert.deepEqual(await good('GET', `/users/${u.id}?fields=status,role`), { status: 'suspended', role: null });
    assert.equal((await good('GET', `/roles/${below.id}`)).parent, null);
    assert.deepEqual(await stack.rows(`select (select count(*) from directus_access where policy = '${policy}'), (select count(*) from directus_presets where role = '${role.id}')`), [['0', '0']]);
    const [one, two] = [await good('POST', '/roles', { name: 'one' }), await good('POST', '/roles', { name: 'two' })];
    await good('PATCH', `/roles/${two.id}`, { parent: one.id });
    assert.equal((await admin('DELETE', '/roles', [one.id, two.id])).status, 204, 'a parent and its child at once');
});

test('a_change_of_rights_counts_with_the_next_request_on_every_server', async () => {
    const port = await freePort();
    const other = new Child('second server', process.env.SPARK_BIN, ['server'], { env: { ...stack.env, PORT: String(port) } });
    try {
        await until(async () => (await fetch(`http://127.0.0.1:${port}/server/ping`).catch(() => undefined))?.ok, 'the second server');
        const role = await good('POST', '/roles', { name: 'seen' });
        const u = await user([{}], { role: role.id });
        const both = async (expected, what) => {
            for (const on of [stack.port, port]) {
                const answer = await stack.call({ path: '/items/cats?limit=1', token: u.token, port: on });
                assert.equal(answer.status, expected, `${what} on ${on === port ? 'the other' : 'the first'}: ${answer.text}`);
            }
        };
        await both(403, 'nothing granted');
        const perm = await good('POST', '/permissions', { policy: u.policies[0], collection: 'cats', action: 'read', fields: ['*'] });
        await both(200, 'a permission');
        await good('PATCH', `/permissions/${perm.id}`, { collection: 'notes' });
        await both(403, 'the permission changed');
        await good('PATCH', `/permissions/${perm.id}`, { collection: 'cats' });
        await both(200, 'and back');
        await good('PATCH', `/policies/${u.policies[0]}`, { ip_access: ['10.0.0.0/8'] });
        await both(403, 'the policy is of other addresses');
        await good('PATCH', `/policies/${u.policies[0]}`, { ip_access: null });
        await both(200, 'the policy is of all');
        const [{ id: access }] = await good('GET', `/access?filter[user][_eq]=${u.id}`);
        await good('DELETE', `/access/${access}`);
        await both(403, 'the policy is taken away');
        await good('POST', '/access', { role: role.id, policy: u.policies[0] });
        await both(200, 'the role has it');
        await good('PATCH', `/users/${u.id}`, { role: null });
        await both(403, 'the user has no role');
        const top = await good('POST', '/roles', { name: 'above' });
        await good('PATCH', `/users/${u.id}`, { role: role.id });
        await good('PATCH', `/roles/${role.id}`, { parent: top.id, policies: [] });
        await both(403, 'the role lost it');
        await good('POST', '/access', { role: top.id, policy: u.policies[0] });
        await both(200, 'the role above has it');
        await good('PATCH', `/roles/${role.id}`, { parent: null });
        await both(403, 'there is no role above');
        await good('POST', '/access', { user: u.id, policy: u.policies[0] });
        await both(200, 'its own again');
        await good('PATCH', `/users/${u.id}`, { status: 'suspended' });
        await both(401, 'suspended');
        await good('PATCH', `/users/${u.id}`, { status: 'active' });
        await both(200, 'active');
        await good('PATCH', `/users/${u.id}`, { token: 'another-token-0123456789' });
        await both(401, 'another token');
    } finally {
        await other.stop();
    }
});
