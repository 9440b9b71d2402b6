// Users: what a write of an account demands beyond its columns, and which sessions it ends.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { createUser, createUsers, deleteUser, readUser, readUsers, rest, staticToken, updateUser, updateUsers, createDirectus } from '@directus/sdk';

import { startApi } from '../../support/api.mjs';

let stack, admin;
before(async () => {
    stack = await startApi({ pack: false });
    admin = createDirectus(stack.url).with(staticToken(stack.adminToken)).with(rest());
});
after(() => stack?.stop());

const as = (token) => (method, target, body) => stack.call({ method, path: target, token, body });
const ask = (...request) => as(stack.adminToken)(...request);
const fault = (answer) => answer.body.errors[0].extensions;
const mail = () => `${randomUUID()}@Example.com`;

test('an_address_is_unique_in_any_case_of_letters', async () => {
    const email = mail();
    const first = await admin.request(createUser({ email }));
    assert.equal(first.email, email);
    const value = `[${email.toLowerCase()}]`;
    const double = { collection: 'directus_users', field: 'email', value, code: 'RECORD_NOT_UNIQUE' };
    const other = await admin.request(createUser({ first_name: 'other' }));
    for (const request of [['POST', '/users', { email: email.toUpperCase() }], ['POST', '/users', [{ first_name: 'x' }, { email }]],
        ['PATCH', `/users/${other.id}`, { email: email.toLowerCase() }], ['PATCH', '/users', [{ id: other.id, email }]]]) {
        const answer = await ask(...request);
        assert.equal(answer.status, 400, answer.text);
        assert.deepEqual(fault(answer), double);
        assert.equal(answer.body.errors[0].message, `Value "${value}" for field "email" in collection "directus_users" has to be unique.`);
    }
    assert.equal((await ask('PATCH', `/users/${first.id}`, { email: email.toUpperCase() })).status, 200, 'its own');
    const [[count]] = await stack.rows(`select count(*) from directus_users where lower(email) = lower('${email}')`);
    assert.equal(count, '1');
});

test('two_writers_of_one_address_do_not_both_succeed', async () => {
    const email = mail();
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => ask('POST', '/users', { email: i % 2 ? email : email.toUpperCase() })));
    assert.deepEqual(answers.map((a) => a.status).sort(), [200, ...Array(7).fill(400)]);
});

test('an_address_is_valid_or_absent', async () => {
    const bad = ['zz', 'a@b', 'a@b.c', 'a b@c.de', 'x@localhost', '"q q"@x.de', 'a@b..de', '.a@b.de', 'a@b_c.de', 'a@[1.2.3.4]', 'a@1.2.3.4', 'a@b.de ',
        `${'a'.repeat(65)}@b.de`, `a@${'b.'.repeat(130)}de`, '', null, 5, true, { a: 1 }, 'x@@y.de'];
    for (const email of bad) {
        const answer = await ask('POST', '/users', { email });
        assert.equal(answer.status, 400, `${JSON.stringify(email)}: ${answer.text}`);
        assert.deepEqual(fault(answer), { field: 'email', path: [], type: 'email', code: 'FAILED_VALIDATION' });
    }
    for (const email of ['ä@ö.de', 'a+b@c.de', 'a@b.cd', mail()]) assert.equal((await ask('POST', '/users', { email })).status, 200, email);
    assert.equal((await ask('POST', '/users', {})).status, 200);
});

test('a_password_meets_the_policy_of_the_settings', async () => {
    const set = (policy) => ask('PATCH', '/settings', { auth_password_policy: policy });
    await set('/^.{8,}$/');
    const refused = await ask('POST', '/users', { password: 'short' });
    assert.deepEqual(fault(refused), { field: 'password', path: [], type: 'regex', invalid: 'short', code: 'FAILED_VALIDATION' });
    const user = await admin.request(createUser({ password: 'long enough' }));
    assert.equal((await ask('PATCH', `/users/${user.id}`, { password: 'short' })).status, 400);
    assert.equal((await ask('PATCH', '/users', { keys: [user.id], data: { password: 'short' } })).status, 400);
    assert.equal((await ask('PATCH', `/users/${user.id}`, { password: null })).status, 200);
    await set('/^[a-z]+$/i');
    assert.equal((await ask('PATCH', `/users/${user.id}`, { password: 'ABC' })).status, 200);
    await set(null);
    assert.equal((await ask('PATCH', `/users/${user.id}`, { password: '1' })).status, 200);
});

test('what_only_administrators_or_special_routes_set_is_refused', async () => {
    const policy = randomUUID();
    const token = `editor-${randomUUID()}`;
    await stack.run(`insert into directus_policies (id, name) values ('${policy}', 'editors of users');
        insert into directus_permissions (policy, collection, action, permissions, fields)
            select '${policy}', 'directus_users', action, '{}', '*' from unnest('{create,read,update,delete}'::text[]) action`);
    await ask('POST', '/users', { token, policies: [{ policy }] });
    const user = await admin.request(createUser({ email: mail() }));
    const change = (body, by = ask) => by('PATCH', `/users/${user.id}`, body);
    for (const [body, by] of [[{ tfa_secret: 'x' }], [{ tfa_secret: null }], [{ provider: 'x' }, as(token)], [{ external_identifier: null }, as(token)]]) {
        const answer = await change(body, by);
        assert.equal(answer.status, 400, answer.text);
        assert.equal(answer.body.errors[0].message, `Invalid payload. You can't change the "${Object.keys(body)[0]}" value manually.`);
    }
    await change({ auth_data: { a: 1 } });
    assert.equal((await change({ provider: 'google', external_identifier: randomUUID() })).status, 200);
    assert.deepEqual(await stack.rows(`select provider, auth_data from directus_users where id = '${user.id}'`), [['google', '']]);
});

test('a_changed_login_ends_the_sessions_of_the_account', async () => {
    const [email, password] = [mail(), 'password'];
    const user = await admin.request(createUser({ email, password }));
    const login = async () => (await as()('POST', '/auth/login', { email, password })).body.data.refresh_token;
    const isAlive = async (refresh_token) => (await as()('POST', '/auth/refresh', { refresh_token })).status === 200;
    const change = (body) => ask('PATCH', `/users/${user.id}`, body);
    let session = await login();
    await change({ first_name: 'Ada' });
    assert.ok(await isAlive(session), 'a profile is no login');
    for (const body of [{ password }, { email }, { status: 'suspended' }]) {
        session = await login();
        assert.equal((await change(body)).status, 200);
        assert.ok(!(await isAlive(session)), JSON.stringify(body));
    }
    await change({ status: 'active' });
    session = await login();
    const bystander = await admin.request(createUser({ email: mail(), password }));
    await admin.request(updateUsers([bystander.id], { password }));
    assert.ok(await isAlive(session), 'of another account');
});

test('the_sdk_reads_and_changes_users', async () => {
    const made = await admin.request(createUsers([{ email: mail(), first_name: 'A' }, { email: mail(), first_name: 'B' }]));
    assert.equal(made.length, 2);
    const changed = await admin.request(updateUser(made[0].id, { title: 'Dr' }, { fields: ['title', 'role'] }));
    assert.deepEqual(changed, { title: 'Dr', role: null });
    const secret = await admin.request(createUser({ password: 'x', token: randomUUID() }, { fields: ['id', 'password', 'token', 'tfa_secret'] }));
    assert.deepEqual({ ...secret, id: '' }, { id: '', password: '**********', token: '**********', tfa_secret: null });
    await admin.request(deleteUser(secret.id));
    await assert.rejects(admin.request(readUser(secret.id)));
    assert.ok((await admin.request(readUsers({ fields: ['id', { role: ['name'] }], limit: 1 })))[0].id);
    const search = await stack.call({ method: 'SEARCH', path: '/users', token: stack.adminToken, body: { keys: ['x'], query: { limit: 1, fields: ['id'] } } });
    assert.equal(search.body.data.length, 1, 'keys are ignored');
});
