// /utils: random text, hashes, the order of rows, reverting, caches, as Directus answers them.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';

import { codeOf, startApi } from '../../support/api.mjs';
import { until } from '../../support/stack.mjs';

let stack;
before(async () => {
    stack = await startApi({ pack: false });
    await stack.run(`
create table ordered (id serial primary key, name varchar(255), place integer);
create table books (id serial primary key, title varchar(255), pin varchar(255), author integer references ordered (id));
insert into directus_collections (collection, sort_field) values ('ordered', 'place'), ('books', null);
insert into directus_fields (collection, field, special) values ('books', 'pin', 'conceal');`);
});
after(() => stack.stop());

const ask = (method, path, body, token = stack.adminToken) => stack.call({ method, path, body, token: token ?? undefined });
const message = (answer) => answer.body.errors[0].message;

test('random_text_has_the_wanted_length', async () => {
    assert.match((await ask('GET', '/utils/random/string')).body.data, /^[\w-]{32}$/);
    assert.match((await ask('GET', '/utils/random/string?length=500', undefined, null)).body.data, /^[\w-]{500}$/);
    for (const [length, says] of [['0', 'must be greater than or equal to 1'], ['501', 'must be less than or equal to 500'], ['x', 'must be a number'], ['', 'must be a number'], ['1.5', 'must be an integer']]) {
        const answer = await ask('GET', `/utils/random/string?length=${length}`);
        assert.deepEqual([answer.status, message(answer)], [400, `Invalid query. "length" ${says}.`]);
    }
});

test('hashes_are_made_and_verified', async () => {
    const { data: hash } = (await ask('POST', '/utils/hash/generate', { string: 'secret' }, null)).body;
    assert.match(hash, /^\$argon2id\$v=19\$m=65536,t=3,p=4\$/);
    assert.deepEqual((await ask('POST', '/utils/hash/verify', { string: 'secret', hash })).body, { data: true });
    assert.deepEqual((await ask('POST', '/utils/hash/verify', { string: 'other', hash })).body, { data: false });
    for (const [path, body, says] of [
        ['generate', {}, '"string" is required'], ['generate', { string: '' }, '"string" is required'], ['generate', { string: 5 }, '"string" must be a string'],
        ['generate', { string: 'x'.repeat(4097) }, '"string" has more than 4096 bytes'],
        ['verify', { string: 'x' }, '"hash" is required'], ['verify', { string: 'x', hash: 'zz' }, 'Invalid "hash" or "string"']]) {
        const answer = await ask('POST', `/utils/hash/${path}`, body);
        assert.deepEqual([answer.status, message(answer)], [400, `Invalid payload. ${says}.`]);
    }
});

test('a_hash_that_a_stranger_sends_costs_no_more_than_one_of_ours', async () => {
    const { data: hash } = (await ask('POST', '/utils/hash/generate', { string: 'secret' }, null)).body;
    for (const costs of ['m=1048576,t=64,p=4', 'm=65537,t=3,p=4', 'm=65536,t=4,p=4', 'm=65536,t=3,p=64', 'm=8,t=64000,p=1', 'm=4096,t=64,p=1', 'm=99999999999999999999,t=3,p=4']) {
        const answer = await ask('POST', '/utils/hash/verify', { string: 'secret', hash: hash.replace('m=65536,t=3,p=4', costs) }, null);
        assert.deepEqual([costs, answer.status, message(answer)], [costs, 400, 'Invalid payload. Invalid "hash" or "string".']);
    }
    const cheap = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';
    assert.deepEqual((await ask('POST', '/utils/hash/verify', { string: 'password', hash: cheap }, null)).body, { data: true });
});

test('a_flood_of_writes_with_hashes_leaves_threads_to_logins', async () => {
    await stack.run("set role spark_owner; create table vaults (id serial primary key, pin text); reset role; grant all on vaults, vaults_id_seq to spark_platform; insert into directus_collections (collection) values ('vaults'); insert into directus_fields (collection, field, special) values ('vaults', 'pin', 'hash')");
    const user = await ask('POST', '/users', { email: 'late@example.com', password: 'password of late' });
    assert.equal(user.status, 200, user.text);
    const agent = new http.Agent({ maxSockets: 300 });
    let done = 0;
    const writes = Array.from({ length: 200 }, () => stack.call({ method: 'POST', path: '/items/vaults', token: stack.adminToken, body: { pin: 'x' }, agent }).then(() => done++, () => {}));
    await until(() => done > 0, 'the first of them');
    const login = await ask('POST', '/auth/login', { email: 'late@example.com', password: 'password of late' }, null);
    assert.equal(login.status, 200, login.text);
    assert.ok(done < 100, `${done} writes were before it`); // it does not wait for those that came first
    agent.destroy();
    await Promise.all(writes);
});

const order = async (table = 'ordered') => (await stack.rows(`select id, place from ${table} order by id`)).map(([, place]) => Number(place));
const fill = (places) => stack.run(`truncate ordered, books restart identity cascade; insert into ordered (place) values ${places.map((p) => `(${p})`).join(', ')}`);

// [what, places of the rows 1 to 5, item, to, places afterwards]
const moves = [
    ['down', [1, 2, 3, 4, 5], 1, 4, [4, 1, 2, 3, 5]],
    ['up', [1, 2, 3, 4, 5], 4, 1, [2, 3, 4, 1, 5]],
    ['to itself', [1, 2, 3, 4, 5], 3, 3, [1, 2, 3, 4, 5]],
    ['with gaps', [10, 20, 30, 40, 50], 5, 2, [10, 21, 31, 41, 20]],
    ['rows without a place get one', [1, 'null', 3, 'null', 5], 5, 1, [2, 6, 4, 7, 1]],
    ['twins are numbered anew', [1, 1, 1, 4, 5], 5, 1, [2, 3, 4, 5, 1]],
    ['keys as text', [1, 2, 3, 4, 5], '2', '1', [2, 1, 3, 4, 5]],
];
for (const [what, places, item, to, expected] of moves)
    test(`sort_moves_${what.replaceAll(' ', '_')}`, async () => {
        await fill(places);
        const answer = await ask('POST', '/utils/sort/ordered', { item, to });
        assert.deepEqual([answer.status, answer.text], [200, '']);
        assert.deepEqual(await order(), expected);
    });

test('sort_is_refused_and_changes_nothing', async () => {
    await fill([1, 2, 3, 4, 5]);
    for (const [collection, body, status, says] of [
        ['ordered', {}, 400, 'Invalid payload. "item" is required.'], ['ordered', { item: 1 }, 400, 'Invalid payload. "to" is required.'],
        ['ordered', { item: true, to: 2 }, 400, 'Invalid payload. "item" must be one of [string, number].'],
        ['ordered', { item: 1, to: 2, foo: 1 }, 400, 'Invalid payload. "foo" is not allowed.'],
        ['books', { item: 1, to: 2 }, 400, 'Invalid payload. Collection "books" doesn\'t have a sort field.'],
        ['nope', { item: 1, to: 2 }, 403, 'You don\'t have permission to access collection "nope" or it does not exist. Queried in root.'],
        ['ordered', { item: 99, to: 2 }, 403, "You don't have permission to access this."], ['ordered', { item: 1, to: 'x' }, 403, "You don't have permission to access this."]]) {
        const answer = await ask('POST', `/utils/sort/${collection}`, body);
        assert.deepEqual([answer.status, message(answer)], [status, says]);
    }
    const anonymous = await ask('POST', '/utils/sort/ordered', { item: 1, to: 2 }, null);
    assert.equal(message(anonymous), 'You don\'t have permission to perform "update" for collection "ordered" or it does not exist.');
    assert.deepEqual(await order(), [1, 2, 3, 4, 5]);
});

test('sorts_at_once_leave_every_place_once', async () => {
    await fill([1, 2, 3, 4, 5]);
    await Promise.all(Array.from({ length: 20 }, (_, n) => ask('POST', '/utils/sort/ordered', { item: 1 + (n % 5), to: 1 + ((n * 3 + 1) % 5) })));
    assert.deepEqual((await order()).sort(), [1, 2, 3, 4, 5]);
});

test('revert_gives_a_row_the_values_of_a_revision', async () => {
    await stack.run('truncate ordered, books, directus_revisions, directus_activity restart identity cascade');
    await ask('POST', '/items/books', { title: 'first', pin: 'secret' });
    await ask('PATCH', '/items/books/1', { title: 'second' });
    await ask('PATCH', '/items/books/1', { title: 'third', pin: 'other' });
    const answer = await ask('POST', '/utils/revert/1');
    assert.deepEqual([answer.status, answer.text], [204, '']);
    assert.deepEqual(await stack.rows('select title, pin from books'), [['first', 'other']]); // of secrets, revisions hold nothing
    await ask('POST', '/utils/revert/2');
    assert.deepEqual(await stack.rows('select title from books'), [['second']]);
    assert.equal((await stack.rows('select count(*) from directus_revisions'))[0][0], '5');
});

test('revert_is_refused', async () => {
    await stack.run('truncate ordered, books, directus_revisions, directus_activity restart identity cascade');
    await ask('POST', '/items/books', {});
    for (const [path, token, status, says] of [
        ['1', stack.adminToken, 400, "Invalid payload. Revision doesn't contain data to revert to."], ['99', stack.adminToken, 403, "You don't have permission to access this."],
        ['abc', stack.adminToken, 403, "You don't have permission to access this."], ['1', null, 403, /collection "directus_revisions"/]]) {
        const answer = await ask('POST', `/utils/revert/${path}`, undefined, token);
        assert.equal(answer.status, status);
        if (typeof says === 'string') assert.equal(message(answer), says);
        else assert.match(message(answer), says);
    }
});

test('caches_are_cleared_by_administrators', async () => {
    const answer = await ask('POST', '/utils/cache/clear?system', {});
    assert.deepEqual([answer.status, answer.text], [200, '']);
    const refused = await ask('POST', '/utils/cache/clear', {}, null);
    assert.deepEqual([refused.status, codeOf(refused)], [403, 'FORBIDDEN']);
});
