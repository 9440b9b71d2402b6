// The real client, unmodified: what a frontend does all day.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import {
    aggregate, authentication, createDirectus, createItem, createItems, deleteItem, deleteItems, readItem, readItems, rest,
    serverHealth, serverInfo, serverPing, staticToken, updateItem, updateItems, updateItemsBatch, withSearch,
} from '@directus/sdk';

import { makeTenant, startApi } from '../../support/api.mjs';
import { secrets } from '../../support/stack.mjs';

let stack;
let site;
let admin;
before(async () => {
    stack = await startApi();
    site = await makeTenant(stack, 'A', 'a.example');
    admin = createDirectus(stack.url).with(staticToken(stack.adminToken)).with(rest());
});
after(() => stack.stop());

const codes = (error) => error.errors?.map((e) => e.extensions.code);
const fails = (promise, code, status) =>
    assert.rejects(promise, (error) => {
        assert.deepEqual(codes(error), [code]);
        assert.equal(error.response.status, status);
        assert.equal(typeof error.errors[0].message, 'string');
        return true;
    });

test('server_commands_of_the_sdk_work', async () => {
    assert.equal(await admin.request(serverPing()), 'pong');
    assert.equal((await admin.request(serverHealth())).status, 'ok');
    const info = await admin.request(serverInfo());
    assert.equal(info.project.project_name, 'Spark');
    assert.equal(info.queryLimit.default, 100);
});

test('readItems_takes_fields_filter_sort_limit_offset_page_and_alias', async () => {
    const posts = await admin.request(readItems('posts', {
        fields: ['id', 'title', { author: ['name'] }],
        filter: { status: { _eq: 'published' } },
        sort: ['-title'],
        limit: 1,
    }));
    assert.deepEqual(posts, [{ id: site.posts[2].id, title: 'A post 2', author: { name: 'Author of A' } }]);
    const second = await admin.request(readItems('posts', { fields: ['title'], sort: ['title'], limit: 1, page: 2 }));
    assert.deepEqual(second, [{ title: 'A post 1' }]);
    assert.deepEqual(await admin.request(readItems('posts', { fields: ['title'], sort: ['title'], limit: 1, offset: 1 })), second);
    const renamed = await admin.request(readItems('posts', { fields: ['id', 'headline'], alias: { headline: 'title' }, sort: ['title'], limit: 1 }));
    assert.deepEqual(renamed, [{ id: site.posts[0].id, headline: 'A post 0' }]);
});

test('readItem_reads_one_and_a_missing_one_is_forbidden', async () => {
    const post = await admin.request(readItem('posts', site.posts[0].id, { fields: ['title', 'status'] }));
    assert.deepEqual(post, { title: 'A post 0', status: 'published' });
    await fails(admin.request(readItem('posts', '22222222-2222-4222-8222-222222222222')), 'FORBIDDEN', 403);
    await fails(admin.request(readItem('nope', 1)), 'FORBIDDEN', 403);
});

test('withSearch_sends_SEARCH_and_gets_the_same_as_GET', async () => {
    const query = { fields: ['id', { author: ['name'] }], filter: { title: { _contains: 'post' } }, sort: ['title'] };
    const searched = await admin.request(withSearch(readItems('posts', query)));
    assert.equal(searched.length, 3);
    assert.deepEqual(searched, await admin.request(readItems('posts', query)));
});

test('items_are_created_updated_and_deleted_one_and_many', async () => {
    const one = await admin.request(createItem('posts', { site_id: site.id, title: 'sdk', slug: 'sdk' }, { fields: ['id', 'title'] }));
    assert.equal(one.title, 'sdk');
    const many = await admin.request(createItems('posts', [{ site_id: site.id, title: 'sdk 1' }, { site_id: site.id, title: 'sdk 2' }], { fields: ['id', 'title'] }));
    assert.deepEqual(many.map((row) => row.title).sort(), ['sdk 1', 'sdk 2']);
    assert.deepEqual(await admin.request(updateItem('posts', one.id, { title: 'sdk 0' }, { fields: ['title'] })), { title: 'sdk 0' });
    const keys = many.map((row) => row.id);
    const updated = await admin.request(updateItems('posts', keys, { category: 'x' }, { fields: ['category'] }));
    assert.deepEqual(updated, [{ category: 'x' }, { category: 'x' }]);
    const batch = await admin.request(updateItemsBatch('posts', keys.map((id, i) => ({ id, title: `b${i}` })), { fields: ['title'], sort: ['title'] }));
    assert.deepEqual(batch.map((row) => row.title).sort(), ['b0', 'b1']);
    const byQuery = await admin.request(updateItems('posts', { filter: { category: { _eq: 'x' } } }, { category: 'y' }, { fields: ['category'] }));
    assert.deepEqual(byQuery, [{ category: 'y' }, { category: 'y' }]);
    await admin.request(deleteItem('posts', one.id));
    await admin.request(deleteItems('posts', [keys[0]]));
    await admin.request(deleteItems('posts', { filter: { category: { _eq: 'y' } } }));
    assert.deepEqual(await admin.request(readItems('posts', { fields: ['id'], filter: { id: { _in: [one.id, ...keys] } } })), []);
});

test('every_write_leaves_its_activity_and_revision', async () => {
    const { id } = await admin.request(createItem('authors', { site_id: site.id, name: 'tracked' }));
    await admin.request(updateItem('authors', id, { name: 'tracked 2' }));
    await admin.request(deleteItem('authors', id));
    const rows = await stack.rows(`select a.action, r.delta->>'name' from directus_activity a left join directus_revisions r on r.activity = a.id where a.item = '${id}' order by a.id`);
    assert.deepEqual(rows, [['create', 'tracked'], ['update', 'tracked 2'], ['delete', '']]);
});

test('aggregate_counts_groups_and_sums', async () => {
    assert.deepEqual(await admin.request(aggregate('posts', { aggregate: { count: '*' } })), [{ count: '3' }]);
    const grouped = await admin.request(aggregate('posts', { aggregate: { count: ['id'] }, groupBy: ['status'], query: { sort: ['status'] } }));
    assert.deepEqual(grouped, [{ status: 'draft', count: { id: '1' } }, { status: 'published', count: { id: '2' } }]);
});

test('errors_throw_with_code_status_and_extensions', async () => {
    await fails(admin.request(readItems('posts', { sort: ['nope'] })), 'FORBIDDEN', 403);
    await fails(admin.request(readItems('posts', { filter: { status: { _foo: 1 } } })), 'INVALID_QUERY', 400);
    await fails(admin.request(createItem('posts', { id: site.posts[0].id, site_id: site.id })), 'RECORD_NOT_UNIQUE', 400);
    const stranger = createDirectus(stack.url).with(staticToken('wrong')).with(rest());
    await fails(stranger.request(readItems('posts')), 'INVALID_CREDENTIALS', 401);
});

const login = { email: secrets.ADMIN_EMAIL, password: secrets.ADMIN_PASSWORD };

test('login_in_mode_json_gives_tokens_that_work_rotate_and_end', async () => {
    const client = createDirectus(stack.url).with(authentication('json', { autoRefresh: false })).with(rest());
    const first = await client.login(login);
    assert.equal(first.expires, 900000);
    assert.equal((await client.request(readItems('posts', { fields: ['id'] }))).length, 3);
    const second = await client.refresh();
    assert.notEqual(second.refresh_token, first.refresh_token);
    const used = await stack.call({ method: 'POST', path: '/auth/refresh', body: { refresh_token: first.refresh_token, mode: 'json' } });
    assert.equal(used.status, 401);
    await client.logout();
    const ended = await stack.call({ method: 'POST', path: '/auth/refresh', body: { refresh_token: second.refresh_token, mode: 'json' } });
    assert.equal(ended.status, 401);
});

test('login_in_mode_cookie_hides_the_refresh_token_from_scripts', async () => {
    const answer = await stack.call({ method: 'POST', path: '/auth/login', body: { ...login, mode: 'cookie' } });
    assert.equal(answer.status, 200);
    assert.equal(answer.body.data.refresh_token, undefined);
    const [cookie] = answer.headers['set-cookie'];
    assert.match(cookie, /^directus_refresh_token=[\w-]{64}; .*HttpOnly.*SameSite=Lax/);
    const pair = cookie.split(';')[0];
    const refreshed = await stack.call({ method: 'POST', path: '/auth/refresh', headers: { cookie: pair }, body: { mode: 'cookie' } });
    assert.equal(refreshed.status, 200);
    assert.equal((await stack.call({ path: '/items/posts?fields=id', token: refreshed.body.data.access_token })).status, 200);
    assert.equal((await stack.call({ method: 'POST', path: '/auth/refresh', headers: { cookie: pair }, body: {} })).status, 401);
    const next = refreshed.headers['set-cookie'][0].split(';')[0];
    const out = await stack.call({ method: 'POST', path: '/auth/logout', headers: { cookie: next }, body: {} });
    assert.equal(out.status, 204);
    assert.match(out.headers['set-cookie'][0], /^directus_refresh_token=; /);
    assert.equal((await stack.call({ method: 'POST', path: '/auth/refresh', headers: { cookie: next }, body: {} })).status, 401);
});

test('of_parallel_refreshes_with_one_token_exactly_one_wins', async () => {
    const { body } = await stack.call({ method: 'POST', path: '/auth/login', body: login });
    const tries = await Promise.all(Array.from({ length: 8 }, () =>
        stack.call({ method: 'POST', path: '/auth/refresh', body: { refresh_token: body.data.refresh_token, mode: 'json' } })));
    assert.deepEqual(tries.map((t) => t.status).sort(), [200, ...Array(7).fill(401)]);
});

test('sessions_store_no_access_token_and_logout_of_an_unknown_token_is_fine', async () => {
    const out = await stack.call({ method: 'POST', path: '/auth/logout', body: { refresh_token: 'unknown' } });
    assert.equal(out.status, 204);
    assert.equal((await stack.call({ method: 'POST', path: '/auth/logout', body: { mode: 'json' } })).status, 400);
});

test('suspended_user_loses_access_with_the_next_request', async () => {
    const { body } = await stack.call({ method: 'POST', path: '/auth/login', body: login });
    const token = body.data.access_token;
    assert.equal((await stack.call({ path: '/items/posts', token })).status, 200);
    await stack.run(`insert into directus_users (id, email, status, role) select gen_random_uuid(), 'second@example.com', 'active', role from directus_users where email = '${login.email}'`);
    await stack.run(`update directus_users set status = 'suspended' where email = '${login.email}'`);
    try {
        assert.equal((await stack.call({ path: '/items/posts', token })).status, 401);
        assert.equal((await stack.call({ method: 'POST', path: '/auth/refresh', body: { refresh_token: body.data.refresh_token } })).status, 401);
        assert.equal((await stack.call({ method: 'POST', path: '/auth/login', body: login })).status, 401);
    } finally {
        await stack.run(`update directus_users set status = 'active' where email = '${login.email}'`);
    }
});
