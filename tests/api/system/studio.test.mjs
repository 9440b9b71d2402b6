// What the unmodified Studio asks when it starts and on its pages of access, users, settings, activity and notifications:
// each of these requests is answered, in the shape that it reads.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startApi } from '../../support/api.mjs';

let stack, user, ids;
const TOKEN = 'token-of-the-studio-0123456789';
const ask = (method, target, body) => stack.call({ method, path: target, token: TOKEN, body });

before(async () => {
    stack = await startApi({ pack: false });
    await stack.run(`set role spark_owner; create table articles (id serial primary key, title text, category integer); reset role;
        grant all on articles, articles_id_seq to spark_platform; insert into directus_collections (collection, versioning) values ('articles', true);
        update directus_users set token = '${TOKEN}' where email = 'admin@example.com'`);
    const made = async (path, body) => {
        const answer = await ask('POST', path, body);
        assert.equal(answer.status, 200, `${path}: ${answer.text}`);
        return answer.body.data;
    };
    [[user]] = await stack.rows("select id from directus_users where email = 'admin@example.com'");
    ids = { user, article: (await made('/items/articles', { title: 'First light' })).id };
    ids.policy = (await made('/policies', { name: 'Writers', admin_access: false, app_access: true })).id;
    ids.role = (await made('/roles', { name: 'Writer' })).id;
    await made('/dashboards', { name: 'D', panels: [{ type: 'label', position_x: 1, position_y: 1, width: 2, height: 2 }] });
    await made('/notifications', { recipient: user, subject: 'hello' });
    await made('/translations', { language: 'en-US', key: 'k', value: 'v' });
    ids.activity = (await ask('GET', '/activity?limit=1&fields=id')).body.data[0].id;
    ids.preset = (await made('/presets', { collection: 'articles', user, layout_query: { tabular: { page: 1 } } })).id;
});
after(() => stack?.stop());

const LIST = (data) => assert.ok(Array.isArray(data));
const ONE = (data) => assert.ok(data && typeof data === 'object' && !Array.isArray(data));
/* One row with a count that the Studio turns into a number. */
const COUNT = (...path) => (data) => {
    assert.equal(data.length, 1);
    assert.ok(Number.isInteger(Number(path.reduce((value, name) => value[name], data[0]))), JSON.stringify(data));
};
const FIELDS = (...names) => (data) => {
    LIST(data);
    assert.ok(data.length > 0, 'there is a row');
    for (const row of data) assert.deepEqual(Object.keys(row).sort(), [...names].sort());
};
const about = (collection, item, more = '') => `filter[_and][0][collection][_eq]=${collection}&filter[_and][1][item][_eq]=${item}${more}&aggregate[count]=id`;
const ACCESS = (filter) => `filter=${encodeURIComponent(JSON.stringify({ _and: filter }))}`;

/* Each: what it asks, and what it makes of `data`. */
const requests = () => [
    ['GET /users/me?fields[]=*&fields[]=role.id', (data) => assert.ok(data.role.id && data.email)],
    [`GET /presets?filter[user][_eq]=${ids.user}&limit=-1`, (data) => assert.equal(data.length, 1)],
    [`GET /presets?filter[role][_eq]=${ids.role}&filter[user][_null]=true&limit=-1`, LIST],
    ['GET /presets?filter[role][_null]=true&filter[user][_null]=true&limit=-1', LIST],
    ['GET /settings', (data) => assert.equal(data.id, 1)],
    ['GET /dashboards?fields[]=*&sort[]=name&limit=-1', (data) => assert.equal(data[0].panels.length, 1)],
    ['GET /panels?fields[]=*&sort[]=dashboard&limit=-1', (data) => assert.equal(data.length, 1)],
    [`GET /notifications?filter[_and][0][recipient][_eq]=${ids.user}&filter[_and][1][status][_eq]=inbox&aggregate[count]=id`, COUNT('count', 'id')],
    ['GET /translations?fields[]=language&fields[]=key&fields[]=value&filter[language][_eq]=en-US&limit=-1', FIELDS('language', 'key', 'value')],
    ['GET /users/me?fields[]=email&fields[]=first_name&fields[]=last_name&fields[]=last_page', ONE],
    ['GET /users/me?fields[]=avatar.modified_on', ONE],
    ['GET /translations?fields[]=key&groupBy[]=key&limit=-1', FIELDS('key')],
    ['GET /folders?sort=name&limit=-1', LIST],
    [`GET /versions?filter[_and][0][collection][_eq]=articles&filter[_and][1][item][_eq]=${ids.article}&sort=-date_created&fields[]=*`, LIST],
    [`GET /revisions?${about('articles', ids.article, '&filter[_and][2][version][_null]=true')}`, COUNT('count', 'id')],
    [`GET /shares?${about('articles', ids.article)}`, COUNT('count', 'id')],
    [`GET /comments?${about('articles', ids.article)}`, COUNT('count', 'id')],
    [`GET /access?fields=user.first_name,user.id,user.last_name,id&${ACCESS([{ policy: ids.policy }, { user: { _nnull: true } }])}&limit=15&page=1`, LIST],
    [`GET /policies/${ids.policy}`, (data) => assert.deepEqual([data.users, data.roles, data.permissions], [[], [], []])],
    [`GET /access?fields=role.name,role.id,id&${ACCESS([{ policy: ids.policy }, { role: { _nnull: true } }])}&limit=15&page=1`, LIST],
    [`GET /access?${ACCESS([{ policy: ids.policy }, { user: { _nnull: true } }])}&aggregate=${encodeURIComponent('{"count":"id"}')}`, COUNT('count', 'id')],
    [`GET /permissions?fields=*&filter[_and][0][policy]=${ids.policy}&page=0&limit=-1`, LIST],
    [`GET /policies/${ids.policy}?deep[users][_limit]=0`, ONE],
    [`GET /revisions?${about('directus_policies', ids.policy, '&filter[_and][2][version][_null]=true')}`, COUNT('count', 'id')],
    [`GET /access?fields=policy.name,policy.id,id,sort&${ACCESS([{ role: ids.role }])}&limit=15&page=1`, LIST],
    [`GET /roles/${ids.role}?deep=${encodeURIComponent('{"users":{"_limit":0}}')}`, ONE],
    [`GET /users?fields=first_name,last_name,id&${ACCESS([{ role: ids.role }])}&limit=15&page=1`, LIST],
    [`GET /users?${ACCESS([{ role: ids.role }])}&aggregate=${encodeURIComponent('{"count":"id"}')}`, COUNT('count', 'id')],
    [`GET /roles?limit=25&fields=icon,name,description,id&sort[]=name&page=1&filter[id][_neq]=${ids.role}`, FIELDS('icon', 'name', 'description', 'id')],
    [`GET /roles?aggregate[countDistinct]=id&filter[id][_neq]=${ids.role}`, COUNT('countDistinct', 'id')],
    [`GET /users?limit=25&fields=avatar.id,avatar.type,first_name,last_name,email,role.name,role.id,id&sort[]=email&page=1&filter[_and][0][_or][0][role][_neq]=${ids.role}&filter[_and][0][_or][1][role][_null]=true`, LIST],
    [`GET /policies?fields[]=name&fields[]=id&filter[id][_in][0]=${ids.policy}&limit=-1`, FIELDS('name', 'id')],
    ['GET /roles?sort=name&fields[]=id&fields[]=name&fields[]=icon&fields[]=parent', FIELDS('id', 'name', 'icon', 'parent')],
    ['GET /policies?limit=25&fields=icon,name,app_access,admin_access,description,id&sort[]=name&page=1', FIELDS('icon', 'name', 'app_access', 'admin_access', 'description', 'id')],
    ['GET /policies?aggregate[countDistinct]=id', COUNT('countDistinct', 'id')],
    [`GET /roles/${ids.role}?fields=name,id`, (data) => assert.deepEqual(data, { name: 'Writer', id: ids.role })],
    ['GET /users?aggregate[countDistinct]=id&filter[_and][0][status][_eq]=active', COUNT('countDistinct', 'id')],
    ['GET /users?limit=25&fields=avatar.id,avatar.type,avatar.title,avatar.modified_on,first_name,last_name,email,role.name,role.id,id&sort[]=email&page=1&filter[_and][0][status][_eq]=active', FIELDS('avatar', 'first_name', 'last_name', 'email', 'role', 'id')],
    ['GET /presets?limit=25&fields=bookmark,collection,user.email,user.id,role.name,role.id,id&sort[]=id&page=1', FIELDS('bookmark', 'collection', 'user', 'role', 'id')],
    ['GET /presets?aggregate[countDistinct]=id', COUNT('countDistinct', 'id')],
    ['GET /presets?filter[bookmark][_nnull]=true&fields[]=id&meta=filter_count,total_count', LIST],
    ['GET /translations?limit=25&fields=key,language,value,id&sort[]=id&page=1', FIELDS('key', 'language', 'value', 'id')],
    ['GET /translations?aggregate[countDistinct]=id', COUNT('countDistinct', 'id')],
    ['GET /activity?limit=25&fields=action,collection,timestamp,user.id,user.avatar.id,user.avatar.modified_on,user.email,user.first_name,user.last_name,id&sort[]=-timestamp&page=1', FIELDS('action', 'collection', 'timestamp', 'user', 'id')],
    ['GET /activity?aggregate[countDistinct]=id', COUNT('countDistinct', 'id')],
    [`GET /activity/${ids.activity}?fields[]=user.id&fields[]=user.email&fields[]=action&fields[]=timestamp&fields[]=ip&fields[]=user_agent&fields[]=origin&fields[]=collection&fields[]=item`, ONE],
    [`GET /notifications?limit=25&fields=id,subject,message,collection,item,timestamp&sort[]=-timestamp&page=1&filter[_and][0][recipient][_eq]=${ids.user}&filter[_and][1][status][_eq]=inbox`, FIELDS('id', 'subject', 'message', 'collection', 'item', 'timestamp')],
    [`GET /notifications?aggregate[countDistinct]=id&filter[_and][0][recipient][_eq]=${ids.user}&filter[_and][1][status][_eq]=inbox`, COUNT('countDistinct', 'id')],
    [`GET /access?${ACCESS([{ user: ids.user }])}&aggregate=${encodeURIComponent('{"count":"id"}')}`, COUNT('count', 'id')],
    [`GET /comments?${about('directus_users', ids.user)}`, COUNT('count', 'id')],
    [`GET /access?fields=policy.name,policy.id,id,sort&${ACCESS([{ user: ids.user }])}&limit=15&page=1`, LIST],
    [`GET /users/${ids.user}?fields=*,role.*,avatar.id,avatar.modified_on`, (data) => assert.ok(data.role.policies.length === 1 && data.role.users.length === 1)],
];

test('every_read_of_these_pages_is_answered_in_its_shape', async () => {
    for (const [request, check] of requests()) {
        const [method, path] = request.split(' ');
        const answer = await ask(method, path);
        assert.equal(answer.status, 200, `${request}: ${answer.text}`);
        try {
            check(answer.body.data);
        } catch (error) {
            assert.fail(`${request}: ${error.message}\n${answer.text.slice(0, 600)}`);
        }
        assert.ok(!path.includes('meta=') || answer.body.meta.total_count >= 0, request);
    }
});

/* Reverse relations by $FOLLOW, and aggregates below deep. */
const reverse = () => [
    [`GET /policies?limit=-1&fields[]=id&fields[]=users&fields[]=roles&deep[users][_aggregate][count]=user&deep[users][_groupBy][0]=policy&deep[users][_sort]=policy&deep[users][_limit]=-1&deep[roles][_aggregate][count]=role&deep[roles][_groupBy][0]=policy&deep[roles][_sort]=policy&deep[roles][_limit]=-1&sort=name`, LIST],
    [`GET /users?aggregate[countDistinct]=id&filter[_and][0][$FOLLOW(directus_access,user)][_none][policy][_eq]=${ids.policy}`, COUNT('countDistinct', 'id')],
    [`GET /roles?limit=25&fields=icon,name,description,id&sort[]=name&page=1&filter[_and][0][$FOLLOW(directus_access,role)][_none][policy][_eq]=${ids.policy}`, LIST],
];

test('lists_of_what_may_be_added_follow_relations_back', async () => {
    for (const [request, check] of reverse()) {
        const answer = await ask(...request.split(' '));
        assert.equal(answer.status, 200, `${request}: ${answer.text}`);
        check(answer.body.data);
    }
});

test('every_write_of_these_pages_is_made', async () => {
    const write = async (method, path, body, status = 200) => {
        const answer = await ask(method, path, body);
        assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
        return answer.body?.data;
    };
    await write('PATCH', '/users/me/track/page', { last_page: '/content' }, 204);
    const rules = ['collections', 'fields', 'relations', 'translations'].map((name) => ({ policy: ids.policy, permissions: {}, validation: null, presets: null, fields: ['*'], system: true, collection: `directus_${name}`, action: 'read' }));
    assert.equal((await write('POST', '/permissions', rules)).length, 4);
    const rule = { policy: ids.policy, permissions: null, validation: null, fields: ['*'], presets: null, collection: 'articles', action: 'read' };
    assert.equal((await write('PATCH', `/policies/${ids.policy}`, { permissions: { create: [rule, { ...rule, action: 'update', fields: ['title'] }], update: [], delete: [] } })).permissions.length, 6);
    assert.equal((await write('PATCH', `/roles/${ids.role}`, { policies: { create: [{ role: ids.role, policy: { id: ids.policy } }], update: [], delete: [] } })).policies.length, 1);
    const writer = await write('POST', '/users', { first_name: 'Wanda', last_name: 'Writer', email: 'writer@example.com', password: 'password', role: ids.role });
    assert.equal(writer.role, ids.role);
    assert.equal((await write('PATCH', `/users/${ids.user}`, { first_name: 'Ada' })).first_name, 'Ada');
    assert.equal((await write('PATCH', '/settings', { project_name: 'Valley Press' })).project_name, 'Valley Press');
    assert.equal((await write('POST', '/folders', { name: 'Landscapes' })).name, 'Landscapes');
    const preset = { layout: null, bookmark: null, role: null, user: ids.user, search: null, filter: { _and: [{ status: { _eq: 'published' } }] }, layout_query: { tabular: { page: 1 } }, layout_options: null, refresh_interval: null, icon: 'bookmark', color: null, collection: 'articles' };
    assert.deepEqual((await write('PATCH', `/presets/${ids.preset}`, preset)).filter, preset.filter);
});
