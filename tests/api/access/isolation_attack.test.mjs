// One tenant against another, with what the route matrix does not try: keys that only a plain foreign
// key guards, nested writes, expressions over secrets, plans and limits shared between tenants.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, startApi } from '../../support/api.mjs';

const LIBRARY = '00000000-0000-7000-8000-000000000001';
let stack;
let a;
let b;

/* Collections whose foreign keys know nothing of sites, as those of an opened database. */
const PLAIN_TABLES = `
    set role spark_owner;
    create table shelves (id uuid primary key, site_id uuid not null default spark.current_site() references sites (id), name text);
    create table books (id uuid primary key, site_id uuid not null default spark.current_site() references sites (id), name text,
        shelf uuid references shelves (id), second uuid references shelves (id), number integer, keeper uuid);
    create table numbered (id serial primary key, site_id uuid not null default spark.current_site() references sites (id),
        name text, next integer references numbered (id));
    create table mixed (id uuid primary key, site_id uuid not null default spark.current_site() references sites (id),
        item text, collection text);
    create table loose (id uuid primary key, name text);
    select spark.protect_table(t::regclass) from unnest('{shelves,books,numbered,mixed}'::text[]) t;
    reset role;
    insert into directus_collections (collection) values ('shelves'), ('books'), ('numbered'), ('mixed'), ('loose');
    insert into directus_fields (collection, field, special) values
        ('books', 'shelf', 'm2o'), ('books', 'second', 'm2o'), ('books', 'keeper', 'm2o'), ('numbered', 'next', 'm2o'),
        ('shelves', 'books', 'o2m'), ('mixed', 'item', 'm2a');
    insert into directus_relations (many_collection, many_field, one_collection, one_field) values
        ('books', 'shelf', 'shelves', 'books'), ('books', 'second', 'shelves', null), ('books', 'keeper', 'directus_users', null),
        ('numbered', 'next', 'numbered', null);
    insert into directus_relations (many_collection, many_field, one_collection_field, one_allowed_collections) values
        ('mixed', 'item', 'collection', 'books,shelves,posts');`;

const as = (tenant) => async (method, path, body) => stack.call({ method, path, token: tenant.token, body });
const ok = (answer) => {
    assert.equal(answer.status, 200, answer.text);
    return answer.body.data;
};
/* What the bodies of both answers say, ids apart. */
const plain = (answer, ...ids) => ids.reduce((text, id) => text.replaceAll(String(id), '#'), `${answer.status} ${answer.text}`);

async function furnish(tenant, index) {
    // Keys that are unique over all sites are not a site's to choose.
    const post = (method, path, body) => stack.call({ method, path, token: stack.adminToken, body: { site_id: tenant.id, ...body } });
    tenant.shelf = ok(await post('POST', '/items/shelves', { id: randomUUID(), name: `shelf of ${tenant.name}` }));
    tenant.book = ok(await post('POST', '/items/books', { id: randomUUID(), name: `book of ${tenant.name}`, shelf: tenant.shelf.id }));
    tenant.first = ok(await post('POST', '/items/numbered', { id: 100 + index, name: tenant.name }));
    tenant.user = randomUUID();
    await stack.run(`insert into directus_users (id, email, status, token, password, site_id, first_name)
        values ('${tenant.user}', '${tenant.name.toLowerCase()}@example.com', 'active', 'token-of-user-${tenant.name}', '$argon2id$x', '${tenant.id}', 'User ${tenant.name}')`);
}

before(async () => {
    stack = await startApi();
    await stack.run(PLAIN_TABLES);
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
    await furnish(a, 1);
    await furnish(b, 2);
});
after(() => stack?.stop());

const count = async (where) => Number((await stack.rows(`select count(*) from ${where}`))[0][0]);
const crossings = () => count(`books x join shelves s on s.id in (x.shelf, x.second) where s.site_id <> x.site_id`);

test('a_key_of_another_site_is_refused_like_one_that_is_missing', async () => {
    const call = as(a);
    const missing = randomUUID();
    const tries = [
        (key) => ['POST', '/items/books', { name: 'x', shelf: key }],
        (key) => ['POST', '/items/books', { name: 'x', second: key }],
        (key) => ['POST', '/items/books', [{ name: 'x', shelf: key }, { name: 'y', shelf: a.shelf.id }]],
        (key) => ['POST', '/items/books', [{ name: 'x', shelf: key }, { name: 'y' }]],
        (key) => ['PATCH', `/items/books/${a.book.id}`, { shelf: key }],
        (key) => ['PATCH', '/items/books', { keys: [a.book.id], data: { second: key } }],
        (key) => ['PATCH', '/items/books', [{ id: a.book.id, shelf: key }]],
        (key) => ['PATCH', `/items/shelves/${key}`, { books: { create: [{ name: 'x' }], update: [], delete: [] } }],
        (key) => ['PATCH', `/items/shelves/${key}`, { books: [a.book.id] }],
        (key) => ['PATCH', `/items/shelves/${key}`, { name: 'x', books: [{ name: 'x' }] }],
        (key) => ['POST', '/items/mixed', { collection: 'shelves', item: key }],
        (key) => ['POST', '/items/mixed', [{ collection: 'shelves', item: key }]],
        (key) => ['POST', '/items/mixed', { collection: 'posts', item: key }],
    ];
    for (const request of tries) {
        const theirs = await call(...request(b.shelf.id));
        const nobodys = await call(...request(missing));
        assert.ok(theirs.status >= 400 && theirs.status < 500, `${JSON.stringify(request('#'))}: ${theirs.status} ${theirs.text}`);
        assert.equal(plain(theirs, b.shelf.id), plain(nobodys, missing), JSON.stringify(request('#')));
    }
    const number = await call('POST', '/items/numbered', { name: 'x', next: b.first.id });
    assert.equal(plain(number, b.first.id), plain(await call('POST', '/items/numbered', { name: 'x', next: 999 }), 999));
    assert.equal(number.status, 400, number.text);
    assert.equal(await crossings(), 0);
    assert.equal(await count('numbered x join numbered y on y.id = x.next where x.site_id <> y.site_id'), 0);
    assert.equal(await count(`mixed where site_id = '${a.id}'`), 0);
});

test('own_keys_nulls_and_unset_references_go_through', async () => {
    const call = as(a);
    const made = ok(await call('POST', '/items/books', { name: 'own', shelf: a.shelf.id, second: null }));
    assert.equal(made.shelf, a.shelf.id);
    ok(await call('PATCH', `/items/books/${made.id}`, { shelf: null, second: a.shelf.id }));
    const many = ok(await call('POST', '/items/books', [{ name: 'l1', shelf: a.shelf.id }, { name: 'l2', shelf: null }]));
    assert.deepEqual(many.map((x) => x.shelf).sort(), [a.shelf.id, null].sort());
    ok(await call('POST', '/items/numbered', { name: 'own', next: a.first.id }));
    const nested = ok(await call('POST', '/items/books', { name: 'nested', shelf: { name: 'made with it' } }));
    assert.equal(await count(`shelves where id = '${nested.shelf}' and site_id = '${a.id}'`), 1);
    const shelf = ok(await call('PATCH', `/items/shelves/${a.shelf.id}?fields=books.name`, { books: { create: [{ name: 'child' }], update: [], delete: [made.id] } }));
    assert.ok(shelf.books.some((x) => x.name === 'child'));
    ok(await call('POST', '/items/mixed', { collection: 'shelves', item: a.shelf.id }));
});

test('an_administrator_cannot_tie_two_sites_together_either', async () => {
    const call = (method, path, body) => stack.call({ method, path, token: stack.adminToken, body });
    for (const [method, path, body] of [
        ['POST', '/items/books', { site_id: a.id, name: 'x', shelf: b.shelf.id }],
        ['POST', '/items/books', [{ site_id: a.id, name: 'x', shelf: b.shelf.id }]],
        ['PATCH', `/items/books/${a.book.id}`, { shelf: b.shelf.id }],
        ['PATCH', `/items/books/${a.book.id}`, { site_id: b.id, shelf: a.shelf.id }],
    ]) {
        const answer = await call(method, path, body);
        assert.equal(answer.status, 400, `${method} ${path} ${JSON.stringify(body)}: ${answer.text}`);
        assert.equal(codeOf(answer), 'INVALID_FOREIGN_KEY');
    }
    ok(await call('POST', '/items/books', { site_id: b.id, name: 'x', shelf: b.shelf.id }));
    ok(await call('PATCH', `/items/books/${a.book.id}`, { shelf: a.shelf.id }));
    assert.equal(await crossings(), 0);
});

test('nested_writes_do_not_reach_children_of_another_site', async () => {
    const call = as(a);
    const before = await stack.rows(`select * from books where site_id = '${b.id}' order by id`);
    for (const books of [[b.book.id], [{ id: b.book.id, name: 'taken' }], { create: [], update: [{ id: b.book.id, name: 'taken' }], delete: [] },
        { create: [], update: [], delete: [b.book.id] }, { create: [{ id: b.book.id, name: 'taken' }], update: [], delete: [] }]) {
        const answer = await call('PATCH', `/items/shelves/${a.shelf.id}`, { books });
        assert.ok(!answer.text.includes('book of B'), answer.text);
        assert.ok(answer.status < 500, answer.text);
    }
    for (const body of [{ id: b.shelf.id, name: 'taken', books: [{ name: 'x' }] }, { name: 'x', shelf: { id: b.shelf.id, name: 'taken' } }]) {
        const answer = await call('POST', body.shelf ? '/items/books' : '/items/shelves', body);
        assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
        assert.ok(!answer.text.includes('of B'));
    }
    assert.deepEqual(await stack.rows(`select * from books where site_id = '${b.id}' order by id`), before);
    assert.equal((await stack.rows(`select name from shelves where id = '${b.shelf.id}'`))[0][0], 'shelf of B');
    assert.equal(await crossings(), 0);
});

test('rows_that_others_own_do_not_show_through_any_part_of_a_query', async () => {
    await stack.run(`update books set second = '${b.shelf.id}', keeper = '${b.user}' where id = '${a.book.id}'`); // as an older database may hold it
    const reads = [
        `/items/books/${a.book.id}?fields=*.*.*`,
        `/items/books?fields=second.*,second.books.*,keeper.*&filter[id][_eq]=${a.book.id}`,
        '/items/books?fields=id&filter[second][name][_eq]=shelf of B',
        '/items/books?fields=id&filter[second][books][_some][name][_contains]=of B',
        '/items/books?fields=id&filter[keeper][first_name][_eq]=User B',
        '/items/books?fields=x.name&alias[x]=second&deep[x][_filter][name][_neq]=zzz',
        '/items/shelves?fields=id,books.name&deep[books][_filter][name][_contains]=of B',
        '/items/shelves?fields=id,other.name&alias[other]=books&limit=-1',
        '/items/books?aggregate[max]=name&groupBy[]=shelf',
        '/items/books?groupBy[]=second.name&aggregate[count]=*',
        '/items/books?aggregate[countDistinct]=id&groupBy[]=site_id',
        '/items/books?search=book of B',
        `/items/books?search=${b.book.id}`,
        '/items/books?sort=second.name&fields=id,second.name&limit=-1',
        '/items/shelves?sort=-books.name&fields=id,count(books)',
        '/items/mixed?fields=item:shelves.*,item:books.*,collection',
        '/items/posts?fields=*.*.*&limit=-1',
        '/items/sites?fields=*.*&limit=-1',
        '/items/books?meta=*&limit=1',
    ];
    for (const path of reads) {
        const answer = await stack.call({ path: encodeURI(path), token: a.token });
        assert.ok(answer.status < 500, `${path}: ${answer.text}`);
        for (const secret of ['of B', 'User B', 'token-of-user-B', b.id, b.book.id])
            assert.ok(!answer.text.includes(secret), `${path} shows ${secret}: ${answer.text}`);
    }
    for (const path of reads.slice(2, 5))
        assert.deepEqual((await stack.call({ path: encodeURI(path), token: a.token })).body?.data, [], path);
    const meta = await stack.call({ path: '/items/books?meta=*&limit=1', token: a.token });
    assert.equal(meta.body.meta.total_count, await count(`books where site_id = '${a.id}'`));
    await stack.run(`update books set second = null, keeper = null where id = '${a.book.id}'`);
});

test('no_expression_over_a_secret_column_answers', async () => {
    ok(await as(a)('PATCH', `/items/books/${a.book.id}`, { keeper: a.user }));
    const get = (query) => stack.call({ path: encodeURI(`/items/books?${query}`), token: a.token });
    for (const column of ['token', 'password', 'tfa_secret']) {
        for (const [operator, value] of [['_starts_with', 'token'], ['_eq', 'token-of-user-A'], ['_contains', 'o'], ['_gt', 'a'], ['_in', 'token-of-user-A'], ['_lt', 'z']]) {
            const answer = await get(`fields=id&filter[keeper][${column}][${operator}]=${value}`);
            assert.ok(answer.status === 400 || answer.status === 403, `${column} ${operator}: ${answer.status} ${answer.text}`);
        }
        for (const query of [`sort=keeper.${column}`, `groupBy[]=keeper.${column}&aggregate[count]=*`, `groupBy[]=${column}`, `fields=keeper.year(${column})`]) {
            const answer = await get(query);
            assert.ok(answer.status === 400 || answer.status === 403, `${query}: ${answer.status} ${answer.text}`);
        }
    }
    const shown = await get(`fields=keeper.*&filter[id][_eq]=${a.book.id}`);
    assert.doesNotMatch(shown.text, /token-of-user|argon2/);
});

test('system_collections_are_closed_to_items_whatever_the_method', async () => {
    for (const table of ['directus_users', 'directus_files', 'directus_activity', 'directus_revisions', 'directus_policies', 'directus_settings'])
        for (const [method, path, body] of [['GET', `/items/${table}`], ['SEARCH', `/items/${table}`, {}], ['POST', `/items/${table}`, {}],
            ['PATCH', `/items/${table}/${a.user}`, { role: null }], ['DELETE', `/items/${table}/${a.user}`], ['GET', `/items/${table}/${a.user}`]]) {
            const answer = await as(a)(method, path, body);
            assert.equal(answer.status, 403, `${method} ${path}: ${answer.text}`);
        }
});

test('users_of_a_site_are_not_written_through_a_relation_to_another_site', async () => {
    const call = as(a);
    for (const keeper of [b.user, { id: b.user, first_name: 'taken' }]) {
        const answer = await call('POST', '/items/books', { name: 'x', keeper });
        assert.ok(answer.status >= 400 && answer.status < 500, `${JSON.stringify(keeper)}: ${answer.text}`);
    }
    assert.deepEqual(await stack.rows(`select first_name, site_id from directus_users where id = '${b.user}'`), [['User B', b.id]]);
    assert.equal(await count(`books x join directus_users u on u.id = x.keeper where u.site_id <> x.site_id`), 0);
});

test('a_user_of_a_site_is_bound_to_the_site_whatever_its_role', async () => {
    const [[role]] = await stack.rows('select r.id from directus_roles r join directus_access x on x.role = r.id join directus_policies p on p.id = x.policy and p.admin_access limit 1');
    await stack.run(`insert into directus_users (id, email, role, token, site_id) values ('${randomUUID()}', 'made@example.com', '${role}', 'token-of-a-manager', '${a.id}')`);
    const made = { token: 'token-of-a-manager' };
    const seen = ok(await as(made)('GET', '/items/books?fields=site_id&limit=-1'));
    assert.ok(seen.length > 0 && seen.every((x) => x.site_id === a.id));
    for (const request of [{ path: '/items/books', headers: { 'x-site-id': b.id } }, { path: '/items/books', host: 'b.example' }, { path: '/metrics' },
        { method: 'POST', path: '/api/admin/site-tokens', body: { site_id: a.id, name: 'x' } }])
        assert.equal((await stack.call({ ...made, ...request })).status, 403, JSON.stringify(request));
});

test('a_deep_filter_does_not_ask_rows_that_a_policy_hides', async () => {
    const [policy, user] = [randomUUID(), randomUUID()];
    await stack.run(`insert into directus_policies (id, name) values ('${policy}', 'readers');
        insert into directus_permissions (policy, collection, action, permissions, fields) values
            ('${policy}', 'books', 'read', null, '*'), ('${policy}', 'shelves', 'read', '{"name": {"_neq": "hidden"}}', '*'),
            ('${policy}', 'numbered', 'read', '{"name": {"_neq": "hidden"}}', '*');
        insert into directus_users (id, email, status, token, site_id) values ('${user}', 'reader@example.com', 'active', 'token-of-a-reader', '${a.id}');
        insert into directus_access (id, policy, "user") values ('${randomUUID()}', '${policy}', '${user}')`);
    const hidden = ok(await as(a)('POST', '/items/numbered', { name: 'hidden' }));
    const middle = ok(await as(a)('POST', '/items/numbered', { name: 'middle', next: hidden.id }));
    const start = ok(await as(a)('POST', '/items/numbered', { name: 'start', next: middle.id }));
    const probe = async (query) => (await stack.call({ path: encodeURI(`/items/numbered?filter[id][_eq]=${start.id}&${query}`), token: 'token-of-a-reader' })).body.data;
    assert.deepEqual(await probe('fields=next.name'), [{ next: { name: 'middle' } }]);
    for (const deep of ['deep[next][_filter][next][name][_eq]=hidden', 'deep[next][_filter][next][name][_starts_with]=hid'])
        assert.deepEqual(await probe(`fields=next.name&${deep}`), [{ next: null }], deep);
    assert.deepEqual(await probe('filter[next][next][name][_eq]=hidden&fields=name'), []);
});

test('activity_and_revisions_carry_the_site_of_their_row', async () => {
    assert.equal(await count(`directus_activity x where collection in ('books', 'shelves') and item = '${a.book.id}' and site_id is distinct from '${a.id}'`), 0);
    assert.ok((await count(`directus_revisions where item = '${a.book.id}' and site_id = '${a.id}'`)) > 0);
    assert.equal(await count(`directus_revisions r join books x on x.id::text = r.item where r.site_id is distinct from x.site_id`), 0);
});

test('a_plan_that_one_tenant_made_is_bound_to_the_other_anew', async () => {
    for (const query of ['fields=name&filter[name][_contains]=of&sort=name', 'fields=name&filter[site_id][_nnull]=true&sort=name', 'fields=name,shelf.name&sort=name'])
        for (let round = 0; round < 4; round++)
            for (const tenant of [a, b]) {
                const answer = await stack.call({ path: `/items/books?${query}&limit=-1`, token: tenant.token });
                const other = tenant === a ? 'of B' : 'of A';
                assert.ok(answer.text.includes(`of ${tenant.name}`) && !answer.text.includes(other), answer.text);
            }
});

test('the_library_site_is_nobodys_to_become', async () => {
    for (const headers of [{ 'x-site-id': LIBRARY }, { 'x-site-id': b.id }])
        assert.equal((await stack.call({ path: '/items/books', token: a.token, headers })).status, 403);
    assert.equal((await as(a)('POST', '/items/books', { name: 'x', site_id: LIBRARY })).status, 403);
    assert.equal((await as(a)('PATCH', `/items/books/${a.book.id}`, { site_id: LIBRARY })).status, 403);
    const library = ok(await stack.call({ method: 'POST', path: '/items/spintax_dictionaries', token: stack.adminToken, body: { category: 'c', data: ['x'], site_id: null } }));
    const seen = ok(await as(a)('GET', `/items/spintax_dictionaries/${library.id}`));
    assert.equal(seen.id, library.id);
    await as(a)('PATCH', `/items/spintax_dictionaries/${library.id}`, { category: 'taken' });
    await as(a)('DELETE', `/items/spintax_dictionaries/${library.id}`);
    assert.deepEqual(await stack.rows(`select category from spintax_dictionaries where id = '${library.id}'`), [['c']]);
});

test('children_of_a_row_of_the_library_are_shown_to_their_own_site_only', async () => {
    const campaign = ok(await stack.call({ method: 'POST', path: '/items/campaign_masters', token: stack.adminToken,
        body: { name: 'for everybody', headline_spintax_root: 'x', niche_variables: {}, site_id: null } }));
    for (const tenant of [a, b])
        await stack.run(`insert into headline_inventory (site_id, campaign_site_id, campaign_id, final_title_text, status) values ('${tenant.id}', '${LIBRARY}', '${campaign.id}', 'headline of ${tenant.name}', 'available')`);
    const [[alias]] = await stack.rows("select one_field from directus_relations where many_collection = 'headline_inventory' and one_collection = 'campaign_masters'");
    for (const query of [`fields=id,${alias}.*`, `fields=id,${alias}.*.*`, `fields=id,count(${alias})`, `fields=x.final_title_text&alias[x]=${alias}`])
        for (const tenant of [a, b]) {
            const answer = await stack.call({ path: encodeURI(`/items/campaign_masters/${campaign.id}?${query}`), token: tenant.token });
            assert.equal(answer.status, 200, answer.text);
            assert.ok(!answer.text.includes(`headline of ${tenant === a ? 'B' : 'A'}`), answer.text);
            const counted = answer.body.data[`${alias}_count`];
            assert.ok(counted === undefined || Number(counted) === 1, answer.text);
        }
    const filtered = await stack.call({ path: encodeURI(`/items/campaign_masters?fields=id&filter[${alias}][_some][final_title_text][_eq]=headline of B`), token: a.token });
    assert.deepEqual(ok(filtered), []);
    await as(a)('PATCH', `/items/campaign_masters/${campaign.id}`, { name: 'taken', [alias]: [] });
    assert.equal(await count(`headline_inventory where campaign_id = '${campaign.id}' and site_id = '${b.id}'`), 1);
    assert.equal(await count(`campaign_masters where id = '${campaign.id}' and name = 'for everybody'`), 1);
});

test('hosts_and_state_of_a_site_are_the_platforms_to_change', async () => {
    for (const body of [{ domain: 'platform.example' }, { domain_aliases: ['www.b.example'] }, { domain: 'b.example' }, { status: 'paused' }, { name: 'x', domain: null }]) {
        const answer = await as(a)('PATCH', `/items/sites/${a.id}`, body);
        assert.deepEqual([answer.status, codeOf(answer)], [403, 'FORBIDDEN'], answer.text);
    }
    ok(await as(a)('PATCH', `/items/sites/${a.id}`, { name: 'renamed', domain: 'a.example', status: 'active' }));
    assert.equal((await stack.call({ path: '/items/posts', host: 'platform.example' })).body.data.length, 0);
    assert.equal((await stack.call({ path: '/items/books', host: 'platform.example', token: b.token })).status, 200);
});

test('numbers_tags_and_cached_rights_belong_to_one_site', async () => {
    for (const [tenant, jobs] of [[a, 3], [b, 5]])
        await stack.run(`insert into spark.jobs (site_id, kind, state) select '${tenant.id}', 'bench.noop', 'dead' from generate_series(1, ${jobs})`);
    for (const [tenant, jobs] of [[a, 3], [b, 5], [a, 3]])
        assert.equal((await stack.call({ path: '/api/admin/queue', token: tenant.token })).body.dead, jobs);

    const tag = (await stack.call({ path: '/items/books', token: a.token })).headers.etag;
    assert.equal((await stack.call({ path: '/items/books', token: a.token, headers: { 'if-none-match': tag } })).status, 304);
    const other = await stack.call({ path: '/items/books', token: b.token, headers: { 'if-none-match': tag } });
    assert.equal(other.status, 200);
    assert.ok(!other.text.includes('of A'));
    assert.equal((await stack.call({ method: 'HEAD', path: `/items/books/${b.book.id}`, token: a.token })).status, 403);

    const mover = randomUUID();
    await stack.run(`insert into directus_users (id, email, status, token, site_id, role) select '${mover}', 'mover@example.com', 'active', 'token-of-a-mover', '${a.id}', x.role
        from directus_access x join directus_policies p on p.id = x.policy and p.admin_access where x.role is not null limit 1`);
    const sites = async () => [...new Set(ok(await stack.call({ path: '/items/posts?fields=site_id', token: 'token-of-a-mover' })).map((x) => x.site_id))];
    assert.deepEqual(await sites(), [a.id]);
    await stack.run(`update directus_users set site_id = '${b.id}' where id = '${mover}'`);
    assert.deepEqual(await sites(), [b.id]);
    await stack.run(`update directus_users set status = 'suspended' where id = '${mover}'`);
    assert.equal((await stack.call({ path: '/items/posts', token: 'token-of-a-mover' })).status, 401);
});

test('an_archived_site_is_closed_to_its_tokens_users_and_host', async () => {
    const c = await makeTenant(stack, 'C', 'c.example');
    await stack.run(`insert into directus_users (id, email, status, token, site_id, role) select '${randomUUID()}', 'c@example.com', 'active', 'token-of-user-C', '${c.id}', role
        from directus_users where role is not null limit 1`);
    const tries = [{ token: c.token }, { token: 'token-of-user-C' }];
    for (const who of tries) assert.equal((await stack.call({ path: '/items/posts', ...who })).status, 200);
    assert.equal((await stack.call({ path: '/items/posts', host: 'c.example' })).body.data.length, 2);
    ok(await stack.call({ method: 'PATCH', path: `/items/sites/${c.id}`, token: stack.adminToken, body: { status: 'archived' } }));
    for (const who of tries) assert.equal((await stack.call({ path: '/items/posts', ...who })).status, 401, JSON.stringify(who));
    assert.equal((await stack.call({ path: '/items/posts', host: 'c.example' })).body.data.length, 0);
});

test('a_commit_that_fails_is_not_acknowledged', async () => {
    await stack.run(`set role spark_owner;
        create function refuse_late() returns trigger language plpgsql as $$ begin raise exception 'too late' using errcode = '23514'; end $$;
        create constraint trigger refuse_late after insert on shelves deferrable initially deferred
            for each row when (new.name like 'late%') execute function refuse_late()`);
    const before = await count('shelves');
    for (const body of [{ name: 'late' }, [{ name: 'late' }, { name: 'fine' }], { name: 'late', books: [{ name: 'x' }] }]) {
        const answer = await as(a)('POST', '/items/shelves', body);
        assert.equal(answer.status, 400, answer.text);
    }
    assert.equal(await count('shelves'), before);
    assert.equal(await count("directus_activity x where collection = 'shelves' and not exists (select from shelves s where s.id::text = x.item)"), 0);
});

test('one_site_does_not_take_the_event_streams_of_the_others', async () => {
    const open = async (tenant) => {
        const request = http.get({ host: '127.0.0.1', port: stack.port, path: '/api/admin/queue/events', agent: false, headers: { authorization: `Bearer ${tenant.token}` } });
        request.on('error', () => {});
        const [response] = await once(request, 'response');
        return { status: response.statusCode, close: () => request.destroy() };
    };
    const streams = [];
    for (let i = 0; i < 9; i++) streams.push(await open(a));
    assert.deepEqual(streams.map((x) => x.status), [...Array(8).fill(200), 503]);
    streams.push(await open(b));
    assert.equal(streams.at(-1).status, 200);
    streams[0].close();
    let next;
    do {
        next = await open(a); // the place is free once the server has seen the end
        next.close();
    } while (next.status === 503);
    assert.equal(next.status, 200);
    for (const stream of streams) stream.close();
});

test('an_answer_that_is_too_large_is_given_up_where_it_became_so', async () => {
    const c = await makeTenant(stack, 'Wide', 'wide.example');
    await stack.run(`insert into posts (site_id, title, slug, author) select '${c.id}', 'wide', 'wide-' || n, '${c.author.id}' from generate_series(1, 6000) n`);
    const answer = await stack.call({ path: '/items/posts?fields=author.*.*.*&limit=-1', token: c.token });
    assert.deepEqual([answer.status, codeOf(answer)], [413, 'CONTENT_TOO_LARGE'], answer.text.slice(0, 300));
    await stack.run(`delete from posts where site_id = '${c.id}'`);
});
