// The small rules of Directus' own collections: comments and mentions, notifications, translations; the aliases of
// roles and policies; what may only be read.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import {
    createComment, createDashboard, createDirectus, createFolder, createPolicy, createRole, createTranslation, createUser, deleteComment, deleteFolder,
    readActivities, readComments, readDashboards, readPolicy, readRevisions, readRole, readSettings, rest, staticToken, updateComment, updateFolder,
    updateRole, updateSettings, updateTranslation,
} from '@directus/sdk';

import { startApi } from '../../support/api.mjs';

let stack, admin;
before(async () => {
    stack = await startApi({ pack: false });
    await stack.run(`set role spark_owner; create table arts (id serial primary key, title text, owner uuid); reset role;
        grant all on arts, arts_id_seq to spark_platform; insert into directus_collections (collection) values ('arts')`);
    admin = createDirectus(stack.url).with(staticToken(stack.adminToken)).with(rest());
});
after(() => stack?.stop());

const as = (token) => (method, target, body) => stack.call({ method, path: target, token, body });
const ask = (...request) => as(stack.adminToken)(...request);
const fault = (answer) => answer.body.errors[0];

/* A user whose one policy grants these: { collection: [actions] } or { collection: { action: rule } }. */
async function makeUser(grants, more = {}) {
    const [policy, token] = [randomUUID(), `token-${randomUUID()}`];
    await stack.run(`insert into directus_policies (id, name) values ('${policy}', 'of a test')`);
    for (const [collection, actions] of Object.entries(grants))
        for (const [action, rule] of Array.isArray(actions) ? actions.map((a) => [a, {}]) : Object.entries(actions))
            await stack.run(`insert into directus_permissions (policy, collection, action, permissions, fields)
                values ('${policy}', '${collection}', '${action}', '${JSON.stringify(rule)}', '*')`);
    const user = await admin.request(createUser({ token, policies: [{ policy }], ...more }));
    return { ...user, token };
}

test('a_comment_names_an_item_that_its_author_may_read', async () => {
    for (const [body, missing] of [[{}, 'comment'], [{ comment: 'x', item: '1' }, 'collection'], [{ comment: 'x', collection: 'arts' }, 'item'],
        [{ comment: '', collection: 'arts', item: '1' }, 'comment'], [{ comment: 'x', collection: 'arts', item: null }, 'item']]) {
        const answer = await ask('POST', '/comments', body);
        assert.equal(answer.status, 400, answer.text);
        assert.equal(fault(answer).message, `Invalid payload. "${missing}" is required.`);
    }
    const author = await makeUser({ directus_comments: ['create', 'read', 'update', 'delete'], arts: { read: { title: { _eq: 'open' } } } });
    const [[open], [closed]] = await stack.rows("insert into arts (title) values ('open'), ('closed') returning id");
    const comment = (collection, item) => as(author.token)('POST', '/comments', { comment: 'x', collection, item });
    const made = await comment('arts', Number(open));
    assert.equal(made.status, 200, made.text);
    assert.equal(made.body.data.item, open);
    assert.equal(made.body.data.user_created, author.id);
    for (const item of [closed, '999', 'x']) {
        const answer = await comment('arts', item);
        assert.equal(answer.status, 403);
        assert.equal(fault(answer).message, 'You don\'t have permission to perform "read" for collection "arts" or it does not exist.');
    }
    for (const collection of ['nope', 'directus_folders']) {
        const answer = await comment(collection, '1');
        assert.equal(answer.status, 403);
        assert.match(fault(answer).message, new RegExp(`access collection "${collection}"`));
    }
    assert.equal((await as()('POST', '/comments', { comment: 'x', collection: 'arts', item: open })).status, 403);
    const [[count]] = await stack.rows('select count(*) from directus_comments');
    assert.equal(count, '1');
});

test('nobody_comments_anonymously_even_where_it_is_granted', async () => {
    await stack.run(`insert into directus_permissions (policy, collection, action, permissions, fields)
        select policy, c, a, '{}', '*' from directus_access, unnest('{arts,directus_comments}'::text[]) c, unnest('{create,read}'::text[]) a
         where role is null and "user" is null`);
    assert.equal((await as()('GET', '/comments')).status, 200);
    assert.equal((await as()('POST', '/comments', { comment: 'x', collection: 'arts', item: '1' })).status, 403);
    await stack.run(`delete from directus_permissions where policy in (select policy from directus_access where role is null and "user" is null)`);
});

test('a_mention_notifies_whom_it_may', async () => {
    const [[item]] = await stack.rows("insert into arts (title) values ('talk') returning id");
    const reader = await makeUser({ arts: ['read'] }, { first_name: 'Rea', last_name: 'Der' });
    await stack.rows(`update directus_policies set app_access = true where id in (select policy from directus_access where "user" = '${reader.id}')`);
    const machine = await makeUser({ arts: ['read'] }); // reads the item, and does not use the app
    const stranger = await makeUser({}, { email: `${randomUUID()}@example.com` });
    const author = await makeUser({ directus_comments: ['create', 'read'], arts: ['read'] }, { first_name: 'Aut' });
    const nobody = randomUUID();
    const comment = `hi @${reader.id} and @${reader.id}, @${stranger.id}, @${machine.id}, @${nobody}!`;
    const answer = await as(author.token)('POST', '/comments', { comment, collection: 'arts', item });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.data.comment, comment);
    const made = await stack.rows(`select recipient, sender, subject, collection, item, status, translate(message, E'\\n', '|') from directus_notifications where collection = 'arts'`);
    assert.equal(made.length, 1);
    assert.deepEqual(made[0].slice(0, 6), [reader.id, author.id, 'You were mentioned in arts', 'arts', item, 'inbox']);
    for (const part of ['|Hello Rea Der,||Aut has mentioned you in a comment:||> hi <em>Rea Der</em> and <em>Rea Der</em>, <em>', '@Unknown User!', `/admin/content/arts/${item}">`])
        assert.ok(made[0][6].includes(part), made[0][6]);
    await as(author.token)('POST', '/comments', { comment: 'no mention: @x', collection: 'arts', item });
    const many = Array.from({ length: 101 }, () => `@${randomUUID()}`).join(' ');
    assert.match(fault(await as(author.token)('POST', '/comments', { comment: many, collection: 'arts', item })).message, /More than 100 users/);
    const [[count]] = await stack.rows(`select count(*) from directus_notifications where collection = 'arts'`);
    assert.equal(count, '1');
});

test('a_long_comment_is_quoted_in_part', async () => {
    const [[item]] = await stack.rows("insert into arts (title) values ('long talk') returning id");
    const readers = [];
    for (let n = 0; n < 3; n++) readers.push(await makeUser({ arts: ['read'] }, { first_name: `Reader ${n}` }));
    const ids = readers.map(({ id }) => `'${id}'`).join();
    await stack.rows(`update directus_policies set app_access = true where id in (select policy from directus_access where "user" in (${ids}))`);
    const author = await makeUser({ directus_comments: ['create', 'read'], arts: ['read'] }, { first_name: 'Aut' });
    const comment = `${readers.map(({ id }) => `@${id}`).join(' ')} x${'ä'.repeat(200000)}`;
    const answer = await as(author.token)('POST', '/comments?fields=id', { comment, collection: 'arts', item });
    assert.equal(answer.status, 200, answer.text.slice(0, 300));
    const made = await stack.rows(`select length(message), message like '%ä…%/admin/content/arts/${item}">%' from directus_notifications where item = '${item}'`);
    assert.equal(made.length, 3);
    for (const [length, isWhole] of made) assert.ok(Number(length) < 20000 && isWhole === 't', `${length} ${isWhole}`);
    assert.deepEqual(await stack.rows(`select length(comment) from directus_comments where id = '${answer.body.data.id}'`), [[String(comment.length)]]);
});

test('the_sdk_writes_comments', async () => {
    const made = await admin.request(createComment({ comment: 'a', collection: 'arts', item: '1' }));
    assert.equal((await admin.request(updateComment(made.id, { comment: 'b' }))).comment, 'b');
    assert.equal((await admin.request(readComments({ filter: { id: { _eq: made.id } } })))[0].comment, 'b');
    await admin.request(deleteComment(made.id));
});

test('a_key_has_one_translation_in_a_language', async () => {
    const made = await admin.request(createTranslation({ key: 'k', language: 'en-US', value: 'v' }));
    const other = await admin.request(createTranslation({ key: 'k', language: 'de-DE', value: 'v' }));
    for (const request of [['POST', '/translations', { key: 'k', language: 'en-US', value: 'w' }],
        ['POST', '/translations', [{ key: 'k2', language: 'en-US', value: 'w' }, { key: 'k2', language: 'en-US', value: 'w' }]],
        ['PATCH', `/translations/${other.id}`, { language: 'en-US' }]]) {
        const answer = await ask(...request);
        assert.equal(answer.status, 400, answer.text);
        assert.equal(fault(answer).message, 'Invalid payload. Duplicate key and language combination.');
    }
    assert.equal((await admin.request(updateTranslation(made.id, { value: 'w' }))).value, 'w');
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask('POST', '/translations', { key: 'race', language: 'en-US', value: 'v' })));
    assert.deepEqual(answers.map((a) => a.status).sort(), [200, 400, 400, 400, 400, 400]);
    const keys = await ask('GET', '/translations?fields[]=key&groupBy[]=key&limit=-1');
    assert.deepEqual(keys.body.data.map((row) => row.key).sort(), ['k', 'race']);
});

test('policies_and_roles_know_whom_they_are_attached_to', async () => {
    const policy = await admin.request(createPolicy({ name: 'P', permissions: { create: [{ collection: 'arts', action: 'read', permissions: {}, fields: ['*'] }], update: [], delete: [] } }));
    assert.deepEqual(Object.keys(policy).slice(-3), ['permissions', 'users', 'roles']);
    assert.equal(policy.permissions.length, 1);
    const role = await admin.request(createRole({ name: 'R' }));
    assert.deepEqual(Object.keys(role).slice(-3), ['children', 'policies', 'users']);
    await admin.request(updateRole(role.id, { policies: { create: [{ role: role.id, policy: { id: policy.id } }], update: [], delete: [] } }));
    const user = await admin.request(createUser({ first_name: 'U', role: role.id, policies: [{ policy: policy.id }] }, { fields: ['*', { policies: ['*'] }] }));
    assert.equal(user.policies[0].policy, policy.id);
    const read = await admin.request(readPolicy(policy.id, { fields: ['users', 'roles'] }));
    assert.equal(read.users.length, 2);
    assert.deepEqual(read.users, read.roles);
    const back = await admin.request(readRole(role.id, { fields: [{ policies: ['role', { policy: ['name'] }] }, { users: ['first_name'] }] }));
    assert.deepEqual(back, { policies: [{ role: role.id, policy: { name: 'P' } }], users: [{ first_name: 'U' }] });
});

test('folders_dashboards_and_settings_are_written_by_the_sdk', async () => {
    const folder = await admin.request(createFolder({ name: 'F' }));
    assert.equal((await admin.request(updateFolder(folder.id, { name: 'G' }))).name, 'G');
    await admin.request(deleteFolder(folder.id));
    const panel = { type: 'label', position_x: 1, position_y: 1, width: 2, height: 2, show_header: true, options: { a: 1 } };
    await admin.request(createDashboard({ name: 'D', panels: [panel] }));
    const [dashboard] = await admin.request(readDashboards({ fields: ['*', { panels: ['*'] }] }));
    assert.deepEqual(dashboard.panels[0].options, { a: 1 });
    assert.equal((await admin.request(updateSettings({ project_name: 'Valley', module_bar: [{ type: 'module', id: 'content', enabled: true }] }))).project_name, 'Valley');
    assert.equal((await admin.request(readSettings({ fields: ['module_bar'] }))).module_bar[0].id, 'content');
    for (const request of [['POST', '/settings', {}], ['GET', '/settings/1'], ['DELETE', '/settings/1'], ['SEARCH', '/settings', {}]])
        assert.equal((await ask(...request)).status, 404, request.join(' '));
});

test('activity_and_revisions_are_only_read', async () => {
    assert.ok((await admin.request(readActivities({ limit: 1, fields: ['*', { user: ['email'] }] }))).length);
    assert.ok((await admin.request(readRevisions({ limit: 1, fields: ['*', { activity: ['*'] }] }))).length);
    for (const name of ['activity', 'revisions'])
        for (const [method, path] of [['POST', ''], ['PATCH', ''], ['DELETE', ''], ['PATCH', '/1'], ['DELETE', '/1']])
            assert.equal((await ask(method, `/${name}${path}`, method === 'POST' ? {} : [])).status, 404, `${method} ${name}${path}`);
});
