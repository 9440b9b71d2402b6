// New rows of one list share a statement: as many statements for two as for two hundred, and each row is what it would be alone.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, test } from 'node:test';

import { startApi } from '../../support/api.mjs';

let stack;
before(async () => {
    stack = await startApi({ pack: false });
    await stack.run(await readFile(new URL('../../fixtures/nested.sql', import.meta.url), 'utf8'));
});
after(() => stack.stop());
beforeEach(() => stack.run('truncate authors, posts, tags, posts_tags, notes, comments, directus_revisions, directus_activity restart identity cascade'));

const call = (method, path, body, headers) => stack.call({ method, path, body, token: stack.adminToken, headers });
const post = (number) => `00000000-0000-4000-8000-0000000001${String(number).padStart(2, '0')}`;
const tagged = (count) => Array.from({ length: count }, (_, n) => ({ tags_id: { name: `tag ${n}` } }));
const statements = (answer) => Number(/desc="(\d+) statements"/.exec(answer.headers['server-timing'])[1]);

// The revision of each tag names that of its own row of the junction, and that one the post's.
const CHAINS = `select t.id, j.id, p.id from directus_revisions r
    join directus_revisions rj on rj.id = r.parent and rj.collection = 'posts_tags' join directus_revisions rp on rp.id = rj.parent and rp.collection = 'posts'
    join tags t on t.id::text = r.item join posts_tags j on j.id::text = rj.item and j.tags_id = t.id join posts p on p.id::text = rp.item and p.id = j.posts_id
    where r.collection = 'tags'`;

test('a_list_of_new_rows_takes_as_many_statements_as_two_of_them', async () => {
    await call('POST', '/items/posts', { title: 'loads the schema', tags: tagged(1) });
    await stack.run('truncate tags, posts_tags restart identity cascade');
    const two = await call('POST', '/items/posts', { id: post(1), title: 'two', tags: tagged(2) });
    await stack.run('truncate tags, posts_tags restart identity cascade');
    const many = await call('POST', '/items/posts', { id: post(2), title: 'many', tags: tagged(90) });
    assert.equal(two.status, 200);
    assert.equal(many.status, 200);
    assert.equal(statements(many), statements(two));
    assert.deepEqual(await stack.rows(`select count(*) from posts_tags where posts_id = '${post(2)}'`), [['90']]);
});

test('as_many_rows_as_a_request_may_write_keep_their_order_and_their_parents', async () => {
    const answer = await call('POST', '/items/posts', { id: post(1), title: 'long', tags: tagged(499) });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(await stack.rows('select count(*), bool_and(t.name = \'tag \' || (j.id - 1)) from posts_tags j join tags t on t.id = j.tags_id'), [['499', 't']]);
    assert.equal((await stack.rows(CHAINS)).length, 499);
    assert.deepEqual(await stack.rows('select count(*), count(distinct item || collection) from directus_activity'), [['999', '999']]);
});

// Rows that a row points to are counted after the list that the row is in: together they may be more than one list may be.
test('two_lists_of_a_request_may_together_be_longer_than_one_may_be', async () => {
    const answer = await call('POST', '/items/posts', { id: post(1), title: 'long', tags: tagged(900) });
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await stack.rows(CHAINS)).length, 900);
    assert.deepEqual(await stack.rows('select count(*) from directus_activity'), [['1801']]);
});

test('activity_has_the_order_of_the_writes_and_each_revision_its_activity', async () => {
    await stack.run(`insert into posts (id, title) values ('${post(1)}', 'p'); insert into comments (post, body) values ('${post(1)}', 'changes'), ('${post(1)}', 'goes')`);
    const comments = { create: [{ body: 'comes' }], update: [{ id: 1, body: 'changed' }], delete: [2] };
    const body = { title: 'changed', author: { name: 'new' }, comments };
    assert.equal((await call('PATCH', `/items/posts/${post(1)}`, body)).status, 200);
    assert.deepEqual(await stack.rows(`select a.action, a.collection, a.item, r.collection, r.item, p.collection from directus_activity a
        left join directus_revisions r on r.activity = a.id left join directus_revisions p on p.id = r.parent order by a.id`), [
        ['create', 'authors', '1', 'authors', '1', 'posts'],
        ['update', 'posts', post(1), 'posts', post(1), ''],
        ['create', 'comments', '3', 'comments', '3', 'posts'],
        ['update', 'comments', '1', 'comments', '1', 'posts'],
        ['delete', 'comments', '2', '', '', ''],
    ]);
    assert.deepEqual(await stack.rows('select count(*) from directus_revisions a join directus_revisions b on a.id < b.id and a.activity > b.activity'), [['0']]);
});

test('rows_with_other_columns_rows_that_exist_and_keys_stand_between_new_rows', async () => {
    await stack.run(`insert into notes (txt) values ('n1'), ('n2'); insert into posts (id, title) values ('${post(1)}', 'p')`);
    const notes = [{ txt: 'a' }, { txt: 'b' }, 1, { txt: 'c' }, {}, { id: 2, txt: 'changed' }, { txt: 'd' }];
    assert.equal((await call('PATCH', `/items/posts/${post(1)}`, { notes })).status, 200);
    assert.deepEqual(await stack.rows('select id, txt from notes where post is not null order by id'), [['1', 'n1'], ['2', 'changed'], ['3', 'a'], ['4', 'b'], ['5', 'c'], ['6', ''], ['7', 'd']]);
});

test('siblings_are_numbered_across_a_statement', async () => {
    await stack.run(`insert into posts (id, title) values ('${post(1)}', 'p'); insert into comments (post, body, pos) values ('${post(1)}', 'old', 7)`);
    const create = [{ body: 'x' }, { body: 'y' }, { body: 'z', pos: 40 }, { body: 'w' }];
    assert.equal((await call('PATCH', `/items/posts/${post(1)}`, { comments: { create } })).status, 200);
    assert.deepEqual(await stack.rows('select body, pos from comments order by id'), [['old', '7'], ['x', '8'], ['y', '9'], ['z', '40'], ['w', '11']]);
});

test('a_row_may_refer_to_a_row_before_it_in_the_same_list', async () => {
    const authors = [{ id: 1, name: 'first' }, { id: 2, name: 'second', mentor: 1 }, { id: 3, name: 'third', mentor: 2 }];
    assert.equal((await call('POST', '/items/authors', authors)).status, 200);
    assert.deepEqual(await stack.rows('select id, mentor from authors order by id'), [['1', ''], ['2', '1'], ['3', '2']]);
});

test('posts_of_a_list_each_get_their_own_author_and_tags', async () => {
    const list = [0, 1, 2].map((n) => ({ id: post(n), title: `t${n}`, author: { name: `a${n}` }, tags: [{ tags_id: { name: `g${n}` } }] }));
    assert.equal((await call('POST', '/items/posts', list)).status, 200);
    assert.deepEqual(await stack.rows('select p.title, a.name, t.name from posts p join authors a on a.id = p.author join posts_tags j on j.posts_id = p.id join tags t on t.id = j.tags_id order by 1'),
        [['t0', 'a0', 'g0'], ['t1', 'a1', 'g1'], ['t2', 'a2', 'g2']]);
    assert.equal((await stack.rows(CHAINS)).length, 3);
});

test('of_a_list_only_some_posts_have_rows_of_their_own', async () => {
    const list = [{ title: 'bare' }, { title: 'with', notes: [{ txt: 'n' }], tags: [{ tags_id: { name: 'g' } }] }, { title: 'bare too' }];
    assert.equal((await call('POST', '/items/posts', list)).status, 200);
    assert.deepEqual(await stack.rows('select p.title, n.txt from posts p left join notes n on n.post = p.id order by 1'), [['bare', ''], ['bare too', ''], ['with', 'n']]);
    assert.equal((await stack.rows(CHAINS)).length, 1);
    assert.deepEqual(await stack.rows("select p.data->>'title' from directus_revisions n join directus_revisions p on p.id = n.parent where n.collection = 'notes'"), [['with']]);
});

test('a_value_that_a_constraint_refuses_is_named_and_nothing_is_written', async () => {
    await stack.run("insert into tags (name) values ('red')");
    const answer = await call('POST', '/items/posts', { id: post(1), title: 't', tags: [{ tags_id: { name: 'blue' } }, { tags_id: { name: 'red' } }] });
    assert.equal(answer.status, 400);
    const { code, field, value } = answer.body.errors[0].extensions;
    assert.deepEqual({ code, field, value }, { code: 'RECORD_NOT_UNIQUE', field: 'name', value: 'red' });
    assert.deepEqual(await stack.rows('select (select count(*) from posts), (select count(*) from tags), (select count(*) from directus_revisions)'), [['0', '1', '0']]);
});

// Statements wait to be sent together; a fault that is found before they are sent is not told before theirs.
test('of_two_faults_the_first_is_told', async () => {
    await stack.run(`insert into posts (id, title, slug) values ('${post(1)}', 'p', 'taken'); insert into tags (name) values ('taken')`);
    const told = async (body) => {
        const answer = await call('POST', '/items/posts', body);
        return [answer.status, ...answer.body.errors.map(({ extensions: { code, collection, field, value } }) => [code, collection, field, value])];
    };
    const invalid = { create: 'x' };
    assert.deepEqual(await told({ title: 't', slug: 'taken', comments: [{ body: 'c' }], notes: invalid }), [400, ['RECORD_NOT_UNIQUE', 'posts', 'slug', 'taken']]);
    assert.deepEqual(await told({ title: 't', slug: 'free', comments: [{ body: 'c' }, { body: 'd' }], notes: invalid }), [400, ['INVALID_PAYLOAD', undefined, undefined, undefined]]);
    await stack.run("insert into authors (id, name, email) values (900, 'a', 'taken@example.com')");
    assert.deepEqual(await told({ title: 't', author: { id: 901, name: 'b', email: 'taken@example.com' }, comments: [{ body: 'c' }] }), [400, ['RECORD_NOT_UNIQUE', 'authors', 'email', 'taken@example.com']]);
    assert.deepEqual(await told({ title: 't', comments: [{ body: 'c'.repeat(51) }], notes: [{ txt: 't'.repeat(51) }] }), [400, ['VALUE_TOO_LONG', 'comments', 'body', 'c'.repeat(51)]]);
    assert.deepEqual(await stack.rows('select count(*) from posts, lateral (select count(*) from comments) c where c.count = 0'), [['1']]);
    assert.deepEqual(await stack.rows('select (select count(*) from directus_activity), (select count(*) from directus_revisions)'), [['0', '0']]);
});

test('a_transaction_whose_statement_was_prepared_for_a_former_schema_is_repeated', async () => {
    for (let n = 0; n < 5; n++)
        assert.equal((await call('POST', '/items/posts', { title: 't', notes: [{ txt: 'one' }], tags: tagged(1).map(({ tags_id }) => ({ tags_id: { name: `${tags_id.name} ${n}` } })) })).status, 200);
    await stack.run('alter table notes alter column id type bigint; alter table tags alter column id type bigint');
    await stack.run("update directus_collections set note = 'other keys' where collection = 'tags'");
    const answer = await call('POST', '/items/posts', { id: post(1), title: 't', notes: [{ txt: 'two' }], tags: tagged(1) });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(await stack.rows(`select (select count(*) from notes where post = '${post(1)}'), (select count(*) from posts_tags where posts_id = '${post(1)}')`), [['1', '1']]);
});

test('keys_of_the_callers_choice_may_be_spelled_in_any_way_that_the_column_takes', async () => {
    const spelled = [1, 2].map((n) => `00000000-0000-4000-8000-0000000000A${n}`);
    const answer = await call('POST', '/items/posts', spelled.map((id, n) => ({ id, title: `t${n}`, notes: [{ txt: `n${n}` }] })));
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(await stack.rows('select p.id, n.txt from posts p join notes n on n.post = p.id order by 1'), spelled.map((id, n) => [id.toLowerCase(), `n${n}`]));
    for (const form of [(id) => id.replaceAll('-', ''), (id) => `{${id}}`, (id) => id.toUpperCase()]) {
        const ids = [3, 4].map((n) => form(`00000000-0000-4000-8000-0000000000b${n}`));
        const strange = await call('POST', '/items/posts', ids.map((id) => ({ id, title: 't', notes: [{ txt: 'n' }] })));
        assert.ok([200, 400, 403].includes(strange.status), `${ids[0]}: ${JSON.stringify(strange.body)}`);
        await stack.run(`delete from posts where title = 't'`);
    }
    await stack.run(`create table padded (code char(5) primary key, post uuid references posts (id) on delete set null);
        insert into directus_collections (collection) values ('padded'); insert into directus_fields (collection, field, special) values ('posts', 'padded', 'o2m');
        insert into directus_relations (many_collection, many_field, one_collection, one_field) values ('padded', 'post', 'posts', 'padded')`);
    const padded = await call('PATCH', `/items/posts/${spelled[0]}`, { padded: { create: [{ code: 'ab' }, { code: 'cd' }] } });
    assert.equal(padded.status, 200, JSON.stringify(padded.body));
    assert.deepEqual(await stack.rows('select code::text, post from padded order by code'), [['ab', spelled[0].toLowerCase()], ['cd', spelled[0].toLowerCase()]]);
    const tags = [{ tags_id: { id: '0071', name: 'a' } }, { tags_id: { id: 72, name: 'b' } }];
    assert.equal((await call('POST', '/items/posts', { id: post(1), title: 't', tags })).status, 200);
    const create = [{ id: '+81', txt: 'x' }, { id: '082', txt: 'y' }];
    const made = await call('PATCH', `/items/posts/${post(1)}`, { notes: { create } });
    assert.ok([200, 400, 403].includes(made.status), JSON.stringify(made.body));
    assert.equal((await call('GET', '/server/ping')).status, 200);
});

test('a_write_that_the_database_can_never_do_is_tried_twice_at_most', async () => {
    await stack.run(`create sequence public.attempts; create function public.refuse() returns trigger language plpgsql security definer as
            $$ begin perform nextval('public.attempts'); raise feature_not_supported using message = 'never'; end $$;
        create trigger refuse before insert on notes for each row execute function public.refuse()`);
    for (const [path, body] of [['/items/posts', { title: 't', notes: [{ txt: 'n' }] }], ['/items/notes', { txt: 'n' }]])
        for (let n = 0; n < 5; n++) { // until the statement is prepared
            const [[before]] = await stack.rows('select last_value from public.attempts');
            assert.equal((await call('POST', path, body)).status, 503);
            const [[after]] = await stack.rows('select last_value from public.attempts');
            assert.ok(after - before <= 2, `${path}: ${after - before} attempts`);
        }
    await stack.run('drop trigger refuse on notes; drop function public.refuse(); drop sequence public.attempts');
});
