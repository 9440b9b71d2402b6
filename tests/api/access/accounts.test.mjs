// Accounts are the platform's. Whoever speaks for one site neither makes nor ends them, changes nothing
// that a login hangs on, and so cannot ask which e-mail addresses, tokens or ids exist elsewhere.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, startApi } from '../../support/api.mjs';
import { buildFolder } from '../../support/stack.mjs';

let stack, a, b;

/* What a login hangs on, with a value that a foreign account has and one that nobody has. */
const LOGIN_FIELDS = {
    email: ['b@example.com', 'free@example.com'],
    token: ['token-of-b', 'token-of-nobody'],
    external_identifier: ['external-of-b', 'external-of-nobody'],
    password: ['known', 'unknown'],
    provider: ['default', 'google'],
    auth_data: [{ a: 1 }, { b: 1 }],
    tfa_secret: ['x', 'y'],
    role: [null, randomUUID()],
    status: ['active', 'suspended'],
    last_access: ['2026-01-01T00:00:00Z', null],
    badge: ['badge-of-b', 'badge-of-nobody'],
};

const as = (tenant) => (method, target, body) => stack.call({ method, path: target, token: tenant.token, body });
const accounts = () => stack.rows('select id, email, token, status, role, site_id, external_identifier, first_name from directus_users order by id');
const plain = (answer, ...words) => words.reduce((text, word) => text.replaceAll(JSON.stringify(word), '#'), `${answer.status} ${answer.text}`);

before(async () => {
    stack = await startApi({ extensionsPath: path.join(buildFolder, 'tests/ext') });
    await stack.run(`set role spark_owner;
        create table rooms (id uuid primary key, site_id uuid not null default spark.current_site() references sites (id), name text, keeper uuid,
            item text, collection text);
        select spark.protect_table('rooms');
        reset role;
        alter table directus_users add column room uuid, add column badge text unique;
        insert into directus_collections (collection) values ('rooms');
        insert into directus_fields (collection, field, special) values ('rooms', 'keeper', 'm2o'), ('rooms', 'people', 'o2m'), ('rooms', 'item', 'm2a');
        insert into directus_relations (many_collection, many_field, one_collection, one_field) values
            ('rooms', 'keeper', 'directus_users', null), ('directus_users', 'room', 'rooms', 'people');
        insert into directus_relations (many_collection, many_field, one_collection_field, one_allowed_collections) values
            ('rooms', 'item', 'collection', 'directus_users,posts')`);
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
    for (const [tenant, name] of [[a, 'a'], [b, 'b']]) {
        tenant.user = randomUUID();
        await stack.run(`insert into directus_users (id, email, token, external_identifier, password, badge, site_id, first_name) values
            ('${tenant.user}', '${name}@example.com', 'token-of-${name}', 'external-of-${name}', '$argon2id$x', 'badge-of-${name}', '${tenant.id}', '${name}')`);
        tenant.room = randomUUID();
        const made = await stack.call({ method: 'POST', path: '/items/rooms', token: stack.adminToken, body: { id: tenant.room, site_id: tenant.id, name: 'room', keeper: tenant.user } });
        assert.equal(made.status, 200, made.text);
    }
});
after(() => stack?.stop());

/* Every way that a row of users can be written by: name → (object) => request. */
const paths = () => ({
    'through an assignee': (user) => ['POST', '/items/generated_articles', { title: 'x', slug: 'same', content: 'x', assignee: user }],
    'through a reference': (user) => ['POST', '/items/rooms', { keeper: user }],
    'in bulk': (user) => ['POST', '/items/rooms', [{ name: 'one' }, { keeper: user }]],
    'of an update': (user) => ['PATCH', `/items/rooms/${a.room}`, { keeper: user }],
    'of several updates': (user) => ['PATCH', '/items/rooms', [{ id: a.room, keeper: user }]],
    'from the other side': (user) => ['PATCH', `/items/rooms/${a.room}`, { people: [user] }],
    'as a change': (user) => ['PATCH', `/items/rooms/${a.room}`, { people: { create: [user] } }],
    'of any collection': (user) => ['POST', '/items/rooms', { collection: 'directus_users', item: user }],
    'two levels down': (user) => ['PATCH', `/items/rooms/${a.room}`, { people: [{ id: a.user, room: { name: 'inner', keeper: user } }] }],
});

test('no_path_of_a_site_token_makes_an_account_or_says_that_one_exists', async () => {
    const before = await accounts();
    for (const [name, request] of Object.entries(paths()))
        for (const [field, values] of Object.entries(LOGIN_FIELDS))
            for (const id of [undefined, a.user, b.user, randomUUID()]) {
                const told = [];
                for (const value of values) {
                    const answer = await as(a)(...request({ ...(id && { id }), first_name: 'made', [field]: value }));
                    assert.equal(answer.status, 403, `${name}: ${field} ${id}: ${answer.text}`);
                    told.push(plain(answer, value));
                }
                assert.equal(told[0], told[1], name);
                if (name !== 'two levels down') assert.ok(told[0].includes(`\\"${field}\\"`), `${name}: ${told[0]}`);
            }
    assert.deepEqual(await accounts(), before);
});

test('an_account_without_a_login_is_not_made_either_whatever_its_id', async () => {
    const before = await accounts();
    for (const [name, request] of Object.entries(paths())) {
        const answers = [];
        for (const id of [b.user, randomUUID()]) answers.push(plain(await as(a)(...request({ id, first_name: 'x' })), id));
        assert.match(answers[0], /^403 /, name);
        assert.equal(answers[0], answers[1], name);
        assert.match(plain(await as(a)(...request({ first_name: 'x' }))), /^403 /, name);
    }
    await stack.run(`update directus_users set room = '${a.room}' where id = '${a.user}'`);
    for (const body of [{ people: [] }, { people: { delete: [a.user] } }, { people: { update: [{ id: b.user, first_name: 'x' }] } }, { people: [a.user, b.user] }]) {
        const answer = await as(a)('PATCH', `/items/rooms/${a.room}`, body);
        assert.equal(answer.status, 403, `${JSON.stringify(body)}: ${answer.text}`);
    }
    assert.deepEqual(await accounts(), before);
});

test('the_profile_of_an_account_of_ones_own_site_may_be_changed', async () => {
    const profile = { first_name: 'Ada', last_name: 'L', title: 'Dr', location: 'here', description: 'x', tags: ['a'], language: 'de-DE', appearance: 'dark',
        theme_dark: 'x', theme_light: 'y', theme_light_overrides: {}, theme_dark_overrides: {}, text_direction: 'ltr', email_notifications: false };
    const answer = await as(a)('PATCH', `/items/rooms/${a.room}?fields=keeper.*`, { keeper: { id: a.user, ...profile } });
    assert.equal(answer.status, 200, answer.text);
    for (const [field, value] of Object.entries(profile)) assert.deepEqual(answer.body.data.keeper[field], value, field);
    const granted = await stack.rows(`select column_name from information_schema.column_privileges
        where grantee = 'spark_tenant' and table_name = 'directus_users' and privilege_type = 'UPDATE' order by 1`);
    assert.deepEqual(granted.map(([name]) => name), [...Object.keys(profile), 'avatar'].sort());
});

test('users_bound_to_a_site_and_visitors_follow_the_same_rule_whatever_was_granted', async () => {
    const [policy, user] = [randomUUID(), randomUUID()];
    await stack.run(`insert into directus_policies (id, name) values ('${policy}', 'keepers');
        insert into directus_permissions (policy, collection, action, presets, fields)
            select '${policy}', c, a, case when c = 'directus_users' then '{"status": "suspended"}'::json end, '*'
              from unnest('{rooms,directus_users}'::text[]) c, unnest('{create,read,update,delete}'::text[]) a;
        insert into directus_users (id, email, status, token, site_id) values ('${user}', 'keeper@example.com', 'active', 'token-of-a-keeper', '${a.id}');
        insert into directus_access (id, policy, "user") values ('${randomUUID()}', '${policy}', '${user}'), ('${randomUUID()}', '${policy}', null)`);
    const before = await accounts();
    const who = [{ token: 'token-of-a-keeper' }, { host: 'a.example' }, { host: 'unknown.example' }, { token: stack.adminToken, headers: { 'x-site-id': a.id } }];
    for (const caller of who) {
        for (const [field, values] of Object.entries(LOGIN_FIELDS)) {
            const told = [];
            for (const value of values) {
                const answer = await stack.call({ method: 'POST', path: '/items/rooms', ...caller, body: { keeper: { [field]: value } } });
                assert.equal(answer.status, 403, `${JSON.stringify(caller)} ${field}: ${answer.text}`);
                told.push(plain(answer, value));
            }
            assert.equal(told[0], told[1]);
        }
    }
    assert.deepEqual(await accounts(), before);
    const named = await stack.call({ method: 'PATCH', path: `/items/rooms/${a.room}`, token: 'token-of-a-keeper', body: { keeper: { id: a.user, title: 'Prof' } } });
    assert.equal(named.status, 200, named.text);
    assert.deepEqual(await stack.rows(`select title, status from directus_users where id = '${a.user}'`), [['Prof', 'active']]);
});

test('statements_of_extensions_make_no_accounts_in_a_site', async () => {
    const before = await accounts();
    for (const sql of ["insert into directus_users (id, first_name) values (gen_random_uuid(), 'x')", "update directus_users set email = 'free@example.com'",
        "update directus_users set status = 'suspended'", "update directus_users set token = 'token-of-b'", 'delete from directus_users']) {
        const answer = await stack.call({ method: 'POST', path: '/probe/sql', token: a.token, body: { sql, args: [] } });
        assert.equal(answer.status, 403, `${sql}: ${answer.text}`);
    }
    assert.deepEqual(await accounts(), before);
});

test('a_platform_administrator_makes_accounts_of_the_platform', async () => {
    const answer = await stack.call({ method: 'POST', path: '/items/rooms', token: stack.adminToken, body: { site_id: a.id, keeper: { email: 'new@example.com' } } });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(await stack.rows("select site_id from directus_users where email = 'new@example.com'"), [['']]);
});

test('reading_and_filtering_through_users_says_nothing_of_others', async () => {
    const [[admin]] = await stack.rows(`select id from directus_users where email = '${stack.env.ADMIN_EMAIL}'`);
    await stack.run(`update rooms set keeper = '${admin}' where id = '${a.room}'`);
    const ask = (query) => as(a)('GET', `/items/rooms?${query}`);
    for (const value of [stack.env.ADMIN_EMAIL, 'b@example.com', 'nobody@example.com'])
        for (const operator of ['_eq', '_starts_with', '_icontains', '_in'])
            assert.deepEqual((await ask(`filter[keeper][email][${operator}]=${value}`)).body.data, [], `${operator} ${value}`);
    for (const row of (await ask('fields=keeper.email&sort=keeper.email')).body.data) assert.deepEqual(row, { keeper: null });
    await stack.run(`update rooms set keeper = '${a.user}' where id = '${a.room}'`);
    assert.deepEqual((await ask('fields=keeper.email&filter[keeper][email][_eq]=a@example.com')).body.data, [{ keeper: { email: 'a@example.com' } }]);
});

test('hosts_of_other_sites_cannot_be_asked_either', async () => {
    const told = [];
    for (const domain of ['b.example', 'nobody.example']) {
        const one = await as(a)('PATCH', `/items/sites/${a.id}`, { domain });
        const alias = await as(a)('PATCH', `/items/sites/${a.id}`, { domain_aliases: [domain] });
        const made = await as(a)('POST', '/items/sites', { name: 'x', domain });
        told.push([one, alias, made].map((answer) => plain(answer, domain)));
        for (const answer of [one, alias, made]) assert.equal(answer.status, 403, answer.text);
    }
    assert.deepEqual(told[0], told[1]);
});

/* What is unique over all sites and writable in one can be asked by whoever may write it. Keys made of ids
 * alone are left out: they are answered like rows that do not exist. */
test('nothing_but_ids_is_unique_over_all_sites_where_a_site_may_write', async () => {
    const found = await stack.rows(`
        select c.relname || ' (' || coalesce(string_agg(a.attname, ', ' order by k.n), '') || ')'
          from pg_index i join pg_class c on c.oid = i.indrelid
          cross join lateral unnest(i.indkey::int2[]) with ordinality k (attnum, n)
          left join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
         where i.indisunique and c.relnamespace = 'public'::regnamespace and not c.relispartition
           and (has_any_column_privilege('spark_tenant', c.oid, 'insert') or has_any_column_privilege('spark_tenant', c.oid, 'update'))
         group by c.relname, i.indexrelid, c.oid
        having not bool_or(coalesce(a.attname = 'site_id', false))
           and not bool_and(coalesce(format_type(a.atttypid, null) in ('uuid', 'integer', 'bigint'), false))
           and (has_table_privilege('spark_tenant', c.oid, 'insert')
                or bool_or(coalesce(has_column_privilege('spark_tenant', c.oid, a.attnum, 'update'), true)))
         order by 1`);
    assert.deepEqual(found, [['sites ()']]); // lower(domain): a trigger keeps it from sites
});
