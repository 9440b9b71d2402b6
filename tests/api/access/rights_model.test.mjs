// Random permissions against a slow model of them: what is read, what is masked, what may be updated, and what
// GET /permissions/explain says of the same. Then the reasons of an explanation, one by one.

import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../../support/api.mjs';
import { generator } from '../../support/random.mjs';

// SPARK_MODEL_SEED repeats a run (a failure prints it), SPARK_MODEL_STEPS makes it longer.
const SEED = Number(process.env.SPARK_MODEL_SEED ?? randomInt(2 ** 31));
const USERS = Number(process.env.SPARK_MODEL_STEPS ?? 8);

let stack;
let a;
let b;
let made = 0;
const data = {};

const admin = (method, path, body) => stack.call({ method, path, body, token: stack.adminToken });
async function good(method, path, body) {
    const answer = await admin(method, path, body);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
    return answer.body?.data;
}
async function user(policies, extra = {}) {
    const n = ++made;
    const u = { id: randomUUID(), token: `token-of-model-${n}-0123456789`, policies: [] };
    await good('POST', '/users', { id: u.id, email: `model${n}@example.com`, token: u.token, status: 'active', ...extra });
    for (const policy of policies) {
        const { id } = await good('POST', '/policies', { name: `model ${n}`, ip_access: policy.ip ?? null });
        if (policy.perms?.length) await good('POST', '/permissions', policy.perms.map((perm) => ({ policy: id, permissions: null, fields: ['*'], ...perm })));
        await good('POST', '/access', { user: u.id, policy: id });
        u.policies.push(id);
    }
    u.get = (path) => stack.call({ path, token: u.token });
    return u;
}
const explain = async (query) => good('GET', `/permissions/explain?${new URLSearchParams(query)}`);
const verdict = async (query) => (await explain(query)).verdict;

before(async () => {
    stack = await startApi();
    await stack.run(`
        create table teams (id serial primary key, name text not null, level integer not null);
        create table things (id serial primary key, title text not null, status text not null, n integer not null, team integer not null references teams (id));
        create table lines (id serial primary key, kind text not null, thing integer not null references things (id));
        insert into teams (name, level) select 'g' || i, i from generate_series(1, 3) i;
        insert into things (title, status, n, team) select 't' || i, case when i % 2 = 1 then 'on' else 'off' end, i, i % 3 + 1 from generate_series(1, 9) i;
        insert into lines (kind, thing) select case when i % 2 = 0 then 'a' else 'b' end, i % 8 + 1 from generate_series(1, 13) i;
        insert into directus_collections (collection) values ('teams'), ('things'), ('lines');
        insert into directus_fields (collection, field, special) values ('things', 'lines', 'o2m');
        insert into directus_relations (many_collection, many_field, one_collection, one_field) values ('lines', 'thing', 'things', 'lines'), ('things', 'team', 'teams', null);
        grant all on teams, things, lines to spark_platform, spark_tenant;
        select spark.raise_epoch()`);
    for (const collection of ['teams', 'things', 'lines']) data[collection] = await good('GET', `/items/${collection}?limit=-1`);
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
});
after(() => stack?.stop());

/* Rules with what they mean, in words of JavaScript. */
const team = (row) => data.teams.find((one) => one.id === row.team);
const linesOf = (row) => data.lines.filter((one) => one.thing === row.id);
const thing = (row) => data.things.find((one) => one.id === row.thing);
const EVERY = [[null, () => true], [{}, () => true]];
const RULES = {
    things: [
        ...EVERY,
        [{ status: { _eq: 'on' } }, (row) => row.status === 'on'],
        [{ n: { _gt: 4 } }, (row) => row.n > 4],
        [{ n: { _lt: 3 }, status: { _neq: 'off' } }, (row) => row.n < 3 && row.status !== 'off'],
        [{ team: { level: { _gte: 2 } } }, (row) => team(row).level >= 2],
        [{ lines: { kind: { _eq: 'a' } } }, (row) => linesOf(row).some((line) => line.kind === 'a')],
        [{ lines: { _none: { kind: { _eq: 'a' } } } }, (row) => !linesOf(row).some((line) => line.kind === 'a')],
        [{ _or: [{ n: { _eq: 1 } }, { team: { name: { _eq: 'g2' } } }] }, (row) => row.n === 1 || team(row).name === 'g2'],
        [{ title: { _in: ['t2', 't3', '$CURRENT_USER'] } }, (row) => row.title === 't2' || row.title === 't3'],
        [{ title: { _eq: '$CURRENT_USER.first_name' } }, (row) => row.title === 't5'],
    ],
    teams: [...EVERY, [{ level: { _gt: 1 } }, (row) => row.level > 1]],
    lines: [...EVERY, [{ kind: { _eq: 'b' } }, (row) => row.kind === 'b'], [{ thing: { status: { _eq: 'on' } } }, (row) => thing(row).status === 'on']],
};
const FIELDS = { things: ['id', 'title', 'status', 'n', 'team', 'lines'], teams: ['id', 'name', 'level'], lines: ['id', 'kind', 'thing'] };

const { below, pick, chance } = generator(SEED);
function randomPerm(collection, action) {
    const [permissions, holds] = pick(RULES[collection]);
    const some = FIELDS[collection].filter(() => chance(0.5));
    if (chance(0.8) && !some.includes('id')) some.push('id');
    return { collection, action, permissions, fields: chance(0.3) ? ['*'] : some, holds };
}
function randomPolicies() {
    return Array.from({ length: 1 + below(3) }, () => ({
        perms: ['things', 'teams', 'lines'].flatMap((collection) => ['read', 'read', 'update'].flatMap((action) => (chance(0.5) ? [randomPerm(collection, action)] : []))),
    }));
}

/* The model. */
const rulesOf = (policies, collection, action) => policies.flatMap((policy) => policy.perms).filter((perm) => perm.collection === collection && perm.action === action);
const grants = (rule, field) => rule.fields.includes('*') || rule.fields.includes(field);
const granted = (rules, row, fields) => rules.some((rule) => rule.holds(row) && fields.every((field) => grants(rule, field)));
function modelOf(policies, collection) {
    const rules = rulesOf(policies, collection, 'read');
    if (rules.length === 0) return undefined;
    const fields = FIELDS[collection].filter((field) => rules.some((rule) => grants(rule, field)) && (field !== 'lines' || rulesOf(policies, 'lines', 'read').length > 0));
    return data[collection].filter((row) => granted(rules, row, [])).map((row) => {
        if (fields.length === 0) return row.id;
        const value = (field) => (field === 'lines' ? linesOf(row).filter((line) => granted(rulesOf(policies, 'lines', 'read'), line, [])).map((line) => line.id) : row[field]);
        return Object.fromEntries(fields.map((field) => [field, granted(rules, row, [field]) ? value(field) : null]));
    });
}
const unordered = (rows) => rows.map((row) => JSON.stringify(row && typeof row === 'object' ? Object.entries(row).map(([key, value]) => [key, Array.isArray(value) ? [...value].sort() : value]).sort() : row)).sort();
const stored = (policies) => policies.map((policy) => ({ perms: policy.perms.map(({ holds, ...perm }) => perm) }));

test('random_permissions_read_update_and_explain_as_the_model_says', async () => {
    for (let round = 0; round < USERS; round++) {
        const policies = randomPolicies();
        const u = await user(stored(policies), { first_name: 't5' });
        const what = `seed ${SEED}, user ${round}: ${JSON.stringify(stored(policies))}`;
        for (const collection of Object.keys(FIELDS)) {
            const model = modelOf(policies, collection);
            const answer = await u.get(`/items/${collection}?limit=-1`);
            assert.equal(answer.status, model ? 200 : 403, `${collection}, ${what}`);
            // A row of which nothing may be seen is left out; it counts.
            const seen = model?.filter((row) => typeof row !== 'object' || Object.values(row).some((value) => value !== null));
            if (model) assert.deepEqual(unordered(answer.body.data), unordered(seen), `${collection}, ${what}`);
            if (model) assert.deepEqual((await u.get(`/items/${collection}?aggregate[count]=*`)).body.data, [{ count: String(model.length) }], what);
        }
        const updates = rulesOf(policies, 'things', 'update');
        const reads = rulesOf(policies, 'things', 'read');
        for (let i = 0; i < 6; i++) {
            const row = pick(data.things);
            const fields = FIELDS.things.filter((field) => !['id', 'lines'].includes(field) && chance(0.4));
            if (fields.length === 0) fields.push('n');
            const answer = await stack.call({ method: 'PATCH', path: `/items/things/${row.id}`, token: u.token, body: Object.fromEntries(fields.map((field) => [field, row[field]])) });
            const allowed = granted(updates, row, fields);
            assert.equal(answer.status < 300, allowed, `update of ${fields} of ${row.id}: ${answer.text}, ${what}`);

            const field = fields[0];
            const told = await explain({ user: u.id, collection: 'things', action: 'update', key: row.id, field });
            assert.equal(told.verdict.allowed, granted(updates, row, [field]), `explained update of ${field} of ${row.id}: ${JSON.stringify(told)}, ${what}`);
            const seen = await explain({ user: u.id, collection: 'things', key: row.id, field });
            assert.equal(seen.verdict.allowed, granted(reads, row, [field]), `explained read of ${field} of ${row.id}: ${JSON.stringify(seen)}, ${what}`);
            assert.deepEqual(seen.rules.map((rule) => rule.matches), reads.map((rule) => rule.holds(row)), what);
            assert.deepEqual(seen.rules.map((rule) => rule.grants_field), reads.map((rule) => grants(rule, field)), what);
            if (seen.verdict.allowed && reads.every((rule) => grants(rule, 'id')))
                assert.deepEqual((await u.get(`/items/things/${row.id}?fields=${field}`)).body.data, { [field]: row[field] }, what);
            if (seen.verdict.reason === 'masked' && reads.every((rule) => grants(rule, 'id')))
                assert.deepEqual((await u.get(`/items/things/${row.id}?fields=id,${field}`)).body.data, { id: row.id, [field]: null }, what);
        }
    }
});

test('an_explanation_names_the_policies_the_rules_and_the_reason', async () => {
    const u = await user([
        { perms: [{ collection: 'things', action: 'read', permissions: { title: { _eq: '$CURRENT_USER.first_name' } }, fields: ['id', 'title'] }] },
        { ip: ['10.0.0.0/8'], perms: [{ collection: 'teams', action: 'read' }] },
        { perms: [{ collection: 'things', action: 'read', permissions: { n: { _gt: 7 }, title: { _in: ['$CURRENT_ROLES', 'x'] } }, fields: ['id', 'n'] }, { collection: 'things', action: 'create', presets: { title: '$CURRENT_USER' } }] },
    ], { first_name: 't5' });
    const told = await explain({ user: u.id, collection: 'things', key: 5, field: 'n' });
    assert.deepEqual(told.verdict, { allowed: false, reason: 'masked', message: 'The rules that match the row do not grant the field: it reads as null.', fields: ['id', 'title'] });
    const own = told.policies.slice(1); // the first is the public's, which a user without a role has too
    assert.deepEqual(own.map((policy) => [policy.id, policy.in_force, policy.skipped]), [[u.policies[0], true, null], [u.policies[1], false, 'ip_access'], [u.policies[2], true, null]]);
    assert.deepEqual(told.rules.map((rule) => [rule.policy, rule.system, rule.matches, rule.grants_field]), [[u.policies[0], false, true, false], [u.policies[2], false, false, true]]);
    assert.deepEqual(told.rules[0].filter, { title: { _eq: '$CURRENT_USER.first_name' } });
    assert.deepEqual(told.rules.map((rule) => rule.resolved), [{ title: { _eq: 't5' } }, { n: { _gt: 7 }, title: { _in: [[], 'x'] } }]);
    const reasonOf = async (query) => (await verdict({ user: u.id, collection: 'things', ...query })).reason;
    assert.equal(await reasonOf({ key: 5, field: 'title' }), 'granted');
    assert.equal(await reasonOf({ key: 5 }), 'granted');
    assert.equal(await reasonOf({}), 'granted');
    assert.equal(await reasonOf({ key: 4 }), 'row');
    assert.equal(await reasonOf({ key: 99 }), 'key');
    assert.equal(await reasonOf({ key: 'x' }), 'key');
    assert.equal(await reasonOf({ key: 5, field: 'status' }), 'field');
    assert.equal(await reasonOf({ field: 'nope' }), 'field');
    assert.equal(await reasonOf({ action: 'delete', key: 5 }), 'no_rule');
    assert.equal(await reasonOf({ collection: 'nope' }), 'collection');
    assert.equal(await reasonOf({ collection: 'teams' }), 'no_rule');
    assert.equal(await reasonOf({ collection: 'teams', ip: '10.1.2.3' }), 'granted');
    assert.deepEqual((await explain({ user: u.id, collection: 'things', action: 'create' })).rules[0].presets, { title: u.id });
    await good('PATCH', `/users/${u.id}`, { status: 'suspended' });
    const refused = await explain({ user: u.id, collection: 'things' });
    assert.deepEqual([refused.verdict.reason, refused.subject.refused, refused.policies.length], ['refused', 'INVALID_CREDENTIALS', 4]);
    for (const [query, status] of [[{ user: randomUUID(), collection: 'things' }, 404], [{ site_token: randomUUID(), collection: 'things' }, 404], [{ user: u.id, site_token: u.id, collection: 'things' }, 400], [{}, 400], [{ collection: 'things', action: 'fly' }, 400]])
        assert.equal((await admin('GET', `/permissions/explain?${new URLSearchParams(query)}`)).status, status, JSON.stringify(query));
});

test('an_explanation_names_the_narrowing_to_a_site', async () => {
    const perms = ['read', 'update'].map((action) => ({ collection: 'posts', action })).concat([{ collection: 'things', action: 'read' }, { collection: 'directus_users', action: 'update' }]);
    const u = await user([{ perms }], { site_id: a.id });
    await stack.run(`update directus_users set site_id = '${a.id}' where id = '${u.id}'`);
    const reasonOf = async (query) => (await verdict({ user: u.id, collection: 'posts', ...query })).reason;
    assert.equal(await reasonOf({ key: a.posts[0].id }), 'granted');
    assert.equal(await reasonOf({ key: b.posts[0].id }), 'site');
    assert.equal(await reasonOf({ key: randomUUID() }), 'key');
    assert.equal(await reasonOf({ collection: 'things', key: 1 }), 'scope');
    assert.equal(await reasonOf({ collection: 'directus_users', action: 'update', key: u.id, field: 'status' }), 'account');
    assert.equal(await reasonOf({ collection: 'directus_users', action: 'update', key: u.id, field: 'title' }), 'granted');
    assert.equal(await reasonOf({ site: b.id }), 'refused');
    for (const [key, status] of [[a.posts[0].id, 200], [b.posts[0].id, 403]]) assert.equal((await u.get(`/items/posts/${key}`)).status, status);
    assert.equal((await u.get('/items/things')).status, 403);

    const tokens = await stack.rows(`select id, 'write' = any (scopes) from spark.site_tokens where site_id = '${a.id}'`);
    const [full, reader] = ['t', 'f'].map((writes) => tokens.find(([, may]) => may === writes)[0]);
    const ofToken = async (token, query) => (await verdict({ site_token: token, collection: 'posts', ...query })).reason;
    assert.equal(await ofToken(full, { key: a.posts[0].id, action: 'update' }), 'administrator');
    assert.equal(await ofToken(full, { key: b.posts[0].id, action: 'update' }), 'site');
    assert.equal(await ofToken(reader, { key: a.posts[0].id, action: 'update' }), 'read_only_token');
    assert.equal(await ofToken(reader, { key: a.posts[0].id }), 'administrator');

    /* The public policy of the pack grants published posts. */
    const published = a.posts.find((post) => post.status === 'published').id;
    const draft = a.posts.find((post) => post.status === 'draft').id;
    const ofPublic = async (query) => (await verdict({ collection: 'posts', ...query })).reason;
    assert.equal(await ofPublic({ site: a.id, key: published }), 'granted');
    assert.equal(await ofPublic({ site: a.id, key: draft }), 'row');
    assert.equal(await ofPublic({ site: b.id, key: published }), 'site');
    assert.equal(await ofPublic({ key: published }), 'site');
    for (const [host, key, status] of [['a.example', published, 200], ['a.example', draft, 403], ['b.example', published, 403], ['unknown.example', published, 403]])
        assert.equal((await stack.call({ path: `/items/posts/${key}`, host })).status, status, `${host} ${key}`);

    for (const token of [a.token, u.token]) assert.equal((await stack.call({ path: '/permissions/explain?collection=posts', token })).status, 403);
    assert.equal((await stack.call({ path: '/permissions/explain?collection=posts' })).status, 401);
});
