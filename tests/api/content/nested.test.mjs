// Rows that are written with the row they belong to, as Directus writes them: what is stored, what is refused and where the
// fault is said to be, what activity and revisions hold.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { startApi } from '../../support/api.mjs';

const P = (n) => `00000000-0000-4000-8000-0000000000a${n}`;
const N = (n) => `00000000-0000-4000-8000-00000000010${n}`;
const H = (n) => `00000000-0000-4000-8000-0000000000b${n}`;
const editor = 'token-of-the-editor-0123456789';

const TABLES = 'authors, posts, tags, posts_tags, headings, paragraphs, posts_blocks, languages, posts_translations, comments, notes, must, solo, solo_lines';
const SEED = `
truncate ${TABLES}, directus_revisions, directus_activity restart identity cascade;
insert into authors (name, email) values ('Ann', 'ann@example.com'), ('Bob', 'bob@example.com');
insert into tags (name) values ('red'), ('green'), ('blue');
insert into languages values ('en', 'English'), ('de', 'German');
insert into posts (id, title, slug, author) values ('${P(1)}', 'One', 'one', 1), ('${P(2)}', 'Two', 'two', 2), ('${P(3)}', 'Three', 'three', null);
insert into posts_tags (posts_id, tags_id, sort) values ('${P(1)}', 1, 1), ('${P(1)}', 2, 2), ('${P(2)}', 3, 1);
insert into headings values ('${H(1)}', 'H1');
insert into paragraphs (body) values ('P1'), ('P2');
insert into posts_blocks (posts_id, item, collection, sort) values ('${P(1)}', '${H(1)}', 'headings', 1), ('${P(1)}', '1', 'paragraphs', 2);
insert into posts_translations (posts_id, languages_code, title) values ('${P(1)}', 'en', 'One'), ('${P(1)}', 'de', 'Eins');
insert into comments (post, body, pos) values ('${P(1)}', 'c1', 1), ('${P(1)}', 'c2', 2), ('${P(2)}', 'c3', 1);
insert into notes (post, txt) values ('${P(1)}', 'n1'), ('${P(2)}', 'n2'), (null, 'n3');
insert into must (post, txt) values ('${P(1)}', 'm1');`;

let stack;
before(async () => {
    stack = await startApi({ pack: false });
    await stack.run(await readFile(new URL('../../fixtures/nested.sql', import.meta.url), 'utf8'));
});
after(() => stack.stop());

const rows = async (text) => (await stack.rows(text)).map((row) => row.join(' '));
const ask = (method, path, body, token = stack.adminToken) => stack.call({ method, path, body, token });

const COMMENTS = 'select id, right(post::text, 2), body, pos from comments order by id';
const NOTES = 'select id, right(post::text, 2), txt from notes order by id';
const TAGS = 'select right(posts_id::text, 2), tags_id, sort, weight from posts_tags order by posts_id, id';
const BLOCKS = `select collection, right(item, 2), sort from posts_blocks where posts_id is not null order by id`;
const one = `/items/posts/${P(1)}`;

// [what, [method, path, body], statement, rows afterwards]
const writes = [
    ['m2o: an object without a key is created', ['POST', '/items/posts', { id: N(1), title: 't', author: { name: 'New' } }], `select a.name from posts p join authors a on a.id = p.author where p.id = '${N(1)}'`, ['New']],
    ['m2o: an object with a known key changes the row', ['POST', '/items/posts', { id: N(1), title: 't', author: { id: 2, name: 'Bobby' } }], 'select id, name from authors order by id', ['1 Ann', '2 Bobby']],
    ['m2o: an unknown key is created with that key, and the sequence moves', ['POST', '/items/authors', [{ name: 'a', mentor: { id: 77, name: 'Own' } }]], 'select id, mentor from authors where id > 2 order by id', ['77 ', '78 77']],
    ['m2o: two levels', ['POST', '/items/posts', { id: N(1), title: 't', author: { name: 'L1', mentor: { name: 'L2' } } }], 'select id, name, mentor from authors where id > 2 order by id', ['3 L2 ', '4 L1 3']],
    ['o2m: an array is the new set; what is left out is deleted where the relation says so', ['PATCH', one, { comments: [{ id: 2, body: 'kept' }, { body: 'new' }, 3] }], COMMENTS, ['2 a1 kept 2', '3 a1 c3 1', '4 a1 new ']],
    ['o2m: and unlinked elsewhere', ['PATCH', one, { notes: [2, { txt: 'new' }] }], NOTES, ['1  n1', '2 a1 n2', '3  n3', '4 a1 new']],
    ['o2m: null is the empty set', ['PATCH', one, { comments: null, notes: [] }], `${COMMENTS.replace(' order', ' where true order')}`, ['3 a2 c3 1']],
    ['o2m: an object with an unknown key is created with it', ['PATCH', one, { notes: [{ id: 50, txt: 'own' }, { txt: 'next' }] }], NOTES, ['1  n1', '2 a2 n2', '3  n3', '50 a1 own', '51 a1 next']],
    ['o2m: the detailed form counts positions on', ['PATCH', one, { comments: { create: [{ body: 'x' }, { body: 'y', pos: 40 }], update: [{ id: 2, body: 'c2x' }, { id: 3 }], delete: [1, 99] } }], COMMENTS, ['2 a1 c2x 2', '3 a1 c3 1', '4 a1 x 3', '5 a1 y 40']],
    ['o2m: a row of another parent is not deleted', ['PATCH', one, { comments: { delete: [3] } }], COMMENTS, ['1 a1 c1 1', '2 a1 c2 2', '3 a2 c3 1']],
    ['o2m: an administrator may name a row that is gone', ['PATCH', one, { comments: { update: [{ id: 99, body: 'x' }] } }], COMMENTS, ['1 a1 c1 1', '2 a1 c2 2', '3 a2 c3 1']],
    ['o2m: the parent wins over a reference in the child', ['PATCH', one, { notes: [{ id: 1, post: P(2), txt: 'mine' }] }], NOTES, ['1 a1 mine', '2 a2 n2', '3  n3']],
    ['m2m: links, creates and changes', ['POST', '/items/posts', { id: N(1), title: 't', tags: [{ tags_id: { name: 'fresh' } }, { tags_id: 1, weight: 3 }, { tags_id: { id: 2, color: '#fff' } }] }], `${TAGS.replace(' order', ` where posts_id = '${N(1)}' order`)}`, ['01 4  ', '01 1  3', '01 2  ']],
    ['m2m: the detailed form', ['PATCH', one, { tags: { create: [{ tags_id: 3 }], update: [{ id: 2, weight: 7 }], delete: [1] } }], TAGS, ['a1 2 2 7', 'a1 3 3 ', 'a2 3 1 ', ' 1 1 ']],
    ['m2a: objects and keys', ['POST', '/items/posts', { id: N(1), title: 't', blocks: [{ collection: 'headings', item: { id: H(2), label: 'L' } }, { collection: 'paragraphs', item: { body: 'B' } }, { collection: 'paragraphs', item: 2 }, { collection: 'paragraphs', item: '1' }] }], BLOCKS.replace('posts_id is not null', `posts_id = '${N(1)}'`), ['headings b2 ', 'paragraphs 3 ', 'paragraphs 2 ', 'paragraphs 1 ']],
    ['m2a: the detailed form', ['PATCH', one, { blocks: { create: [{ collection: 'paragraphs', item: { body: 'B' } }], update: [{ id: 1, collection: 'headings', item: { id: H(1), label: 'changed' } }], delete: [2] } }], BLOCKS, ['headings b1 1', 'paragraphs 3 3']],
    ['translations', ['PATCH', one, { translations: { create: [{ languages_code: { code: 'fr', name: 'French' }, title: 'Un' }], update: [{ id: 1, title: 'EN' }], delete: [2] } }], 'select languages_code, title, right(posts_id::text, 2) from posts_translations order by id', ['en EN a1', 'de Eins ', 'fr Un a1']],
    ['children of the same kind', ['PATCH', one, { children: [P(2), { id: N(1), title: 'kid', children: [{ id: N(2), title: 'grandkid' }] }] }], 'select right(id::text, 2), right(parent::text, 2) from posts where parent is not null order by id', ['a2 a1', '01 a1', '02 01']],
    ['several levels', ['POST', '/items/authors', { name: 'A', posts: [{ id: N(1), title: '1', tags: [{ tags_id: { name: 'deep' } }], comments: [{ body: 'q' }] }, P(3)] }], 'select right(p.id::text, 2), (select count(*) from posts_tags where posts_id = p.id), (select count(*) from comments where post = p.id) from posts p where author = 3 order by id', ['a3 0 0', '01 1 1']],
    ['the same change of several rows: what they point to is made once', ['PATCH', '/items/posts', { keys: [P(1), P(2)], data: { author: { name: 'Shared' }, notes: [{ txt: 'nn' }] } }], `select right(p.id::text, 2), p.author, n.txt from posts p join notes n on n.post = p.id order by p.id`, ['a1 3 nn', 'a2 3 nn']],
    ['rows of a query', ['PATCH', '/items/posts', { query: { filter: { slug: { _in: ['one', 'two'] } } }, data: { comments: [{ body: 'q' }] } }], 'select right(post::text, 2), body from comments order by post', ['a1 q', 'a2 q']],
    ['a list of changes', ['PATCH', '/items/posts', [{ id: P(1), comments: [] }, { id: P(2), title: 'zz', tags: { create: [{ tags_id: 1 }] } }]], TAGS, ['a1 1 1 ', 'a1 2 2 ', 'a2 3 1 ', 'a2 1 2 ']],
    ['a singleton', ['PATCH', '/items/solo', { name: 's', fav: { name: 'Fav' }, lines: [{ txt: 'l1' }] }], 'select s.id, s.name, s.fav, l.txt from solo s join solo_lines l on l.solo = s.id', ['1 s 3 l1']],
    ['only nested rows: the parent counts as changed', ['PATCH', one, { notes: [] }], `select date_updated is not null from posts where id = '${P(1)}'`, ['t']],
    ['nothing at all: the row counts as changed', ['PATCH', one, {}], `select date_updated is not null from posts where id = '${P(1)}'`, ['t']],
];

for (const [what, [method, path, body], statement, expected] of writes) {
    test(what.replaceAll(/[^a-zA-Z0-9]+/g, '_'), async () => {
        await stack.run(SEED);
        const answer = await ask(method, path, body);
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(await rows(statement), expected);
    });
}

const structure = (what) => `Invalid payload. Invalid one-to-many update structure: ${what}.`;
const failed = (field, path, what) => `Validation failed for field "${field}" at "${path}". ${what}`;

// [what, body of a PATCH of post 1, status, message]
const refusals = [
    ['an unknown member', { comments: { add: [1] } }, 400, structure('"add" is not allowed')],
    ['a member that is no array', { comments: { create: 1 } }, 400, structure('"create" must be an array')],
    ['a created row that is no object', { comments: { create: [{ body: 'x' }, 1] } }, 400, structure('"create[1]" must be of type object')],
    ['an updated row that is no object', { comments: { update: [5] } }, 400, structure('"update[0]" must be of type object')],
    ['a deleted row that is no key', { comments: { delete: [{ id: 1 }] } }, 400, structure('"delete[0]" does not match any of the allowed types')],
    ['neither array nor object', { comments: 'x' }, 400, structure('"value" must be of type object')],
    ['an update without key', { comments: { update: [{ body: 'x' }] } }, 400, 'Invalid payload. Item in update misses primary key.'],
    ['an unknown key', { notes: [{ txt: 'x' }, 99] }, 403, "You don't have permission to access this."],
    ['a fault of a child', { notes: [{ txt: 'x' }], musts: [{}] }, 400, failed('txt', 'musts', 'Value is required.')],
    ['a fault two levels down', { children: [{ id: N(1), title: 'kid', musts: [{ txt: null }] }] }, 400, failed('txt', 'children.musts', "Value can't be null.")],
    ['a fault of a row to any', { blocks: [{ collection: 'headings', item: {} }] }, 400, failed('label', 'blocks.item', 'Value is required.')],
    ['a fault of the row it points to', { author: { mentor: { name: null }, name: 'x' } }, 400, failed('name', 'author.mentor', "Value can't be null.")],
    ['a row to any without its collection', { blocks: [{ item: { label: 'x' } }] }, 400, 'Invalid payload. Can\'t update nested record "posts_blocks.item" without field "posts_blocks.collection" being set.'],
    ['a row to any of a collection that is not allowed', { blocks: [{ collection: 'tags', item: { name: 'x' } }] }, 400, 'Invalid payload. "posts_blocks.item" can\'t be linked to collection "tags".'],
    ['a value that is taken, after other rows were written', { title: 'changed', notes: [{ txt: 'x' }], tags: [{ tags_id: { name: 'fresh' } }, { tags_id: { name: 'red' } }] }, 400, 'Value "red" for field "name" in collection "tags" has to be unique.'],
    ['too many rows', { notes: Array.from({ length: 1001 }, () => ({})) }, 400, 'Invalid payload. More than 1000 rows in "notes".'],
];

const EVERYTHING = `select (select json_agg(x order by id) from posts x), (select json_agg(x order by id) from notes x), (select json_agg(x order by id) from comments x),
    (select json_agg(x order by id) from posts_tags x), (select json_agg(x order by id) from posts_blocks x), (select json_agg(x order by id) from tags x),
    (select count(*) from authors), (select count(*) from must), (select count(*) from directus_activity)`;

for (const [what, body, status, message] of refusals) {
    test(`refused_and_nothing_written_${what.replaceAll(/[^a-zA-Z0-9]+/g, '_')}`, async () => {
        await stack.run(SEED);
        const before = await stack.rows(EVERYTHING);
        const answer = await ask('PATCH', one, body);
        assert.equal(answer.status, status, answer.text);
        assert.equal(answer.body.errors[0].message, message);
        assert.deepEqual(await stack.rows(EVERYTHING), before);
    });
}

test('the_path_of_a_fault_is_in_its_extensions', async () => {
    const answer = await ask('POST', '/items/authors', { name: 'A', posts: [{ id: N(1), title: 'x', musts: [{}] }] });
    assert.deepEqual(answer.body.errors[0].extensions, { field: 'txt', path: ['posts', 'musts'], type: 'required', code: 'FAILED_VALIDATION' });
});

test('rows_nested_deeper_than_ten_levels_are_refused', async () => {
    const nest = (levels) => (levels === 0 ? { name: 'end' } : { name: `l${levels}`, mentor: nest(levels - 1) });
    assert.equal((await ask('POST', '/items/authors', nest(10))).status, 200);
    const answer = await ask('POST', '/items/authors', nest(11));
    assert.match(answer.text, /Nested rows are more than 10 levels deep/);
});

// [what, [method, path, body], status, part of the message or of the answer]
const ofEditors = [
    ['children are made with the grants and presets of their collection', ['POST', '/items/posts?fields=comments.approved,views', { title: 't', comments: [{ body: 'b' }] }], 200, '{"comments":[{"approved":true}],"views":1}'],
    ['and with its rules', ['POST', '/items/posts', { title: 't', comments: [{ body: '' }] }], 400, 'Validation failed for field \\"body\\" at \\"comments\\". Value can\'t be empty.'],
    ['fields of children need a grant', ['POST', '/items/posts', { title: 't', tags: [{ tags_id: 1, weight: 1 }] }], 403, 'access field \\"weight\\" in collection \\"posts_tags\\"'],
    ['a collection without any', ['POST', '/items/posts', { title: 't', notes: [{ txt: 'x' }] }], 403, 'access collection \\"notes\\" or it does not exist. Queried in root.'],
    ['an empty set of a row without children changes nothing', ['PATCH', `/items/posts/${P(3)}?fields=status`, { notes: [] }], 200, '{"status":"review"}'],
    ['deselecting rows needs the right to change them', ['PATCH', one, { notes: [] }], 403, 'access collection \\"notes\\"'],
    ['a child that is linked already needs no right to link it', ['PATCH', `${one}?fields=status`, { tags: [{ id: 1, weight: 5 }, 2] }], 200, '{"status":"review"}'],
    ['a child of another parent does', ['PATCH', one, { tags: [1, 2, 3] }], 403, 'access field \\"posts_id\\"'],
    ['the row it points to', ['PATCH', `${one}?fields=author.name`, { author: { id: 1, name: 'Anna' } }], 200, '{"author":{"name":"Anna"}}'],
    ['only in granted fields', ['PATCH', one, { author: { id: 1, email: 'x' } }], 403, 'access field \\"email\\" in collection \\"authors\\"'],
];
for (const [what, [method, path, body], status, part] of ofEditors) {
    test(`editors_${what.replaceAll(/[^a-zA-Z0-9]+/g, '_')}`, async () => {
        await stack.run(SEED);
        const answer = await ask(method, path, body, editor);
        assert.equal(answer.status, status, answer.text);
        assert.ok(answer.text.includes(part), answer.text);
    });
}

const REVISIONS = `select r.collection || ' ' || right(r.item, 2), coalesce(r.data::jsonb - '{date_created,date_updated}'::text[], 'null')::text,
    coalesce(r.delta::jsonb - '{date_updated,user_updated}'::text[], 'null')::text,
    (select p.collection || ' ' || right(p.item, 2) from directus_revisions p where p.id = r.parent) from directus_revisions r order by r.collection, r.id`;
const revisions = async () => (await stack.rows(REVISIONS)).map(([row, data, delta, parent]) => [row, JSON.parse(data), JSON.parse(delta), parent]);

test('revisions_of_nested_rows_name_their_parent', async () => {
    await stack.run(SEED);
    await ask('POST', '/items/posts', { id: N(1), title: 't', author: { name: 'L1', mentor: { name: 'L2' } }, tags: [{ tags_id: { name: 'new' } }], notes: [{ txt: 'n' }, 3] });
    assert.deepEqual(await revisions(), [
        ['authors 3', { name: 'L2' }, { name: 'L2' }, 'authors 4'],
        ['authors 4', { name: 'L1' }, { name: 'L1' }, 'posts 01'],
        ['notes 4', { txt: 'n' }, { txt: 'n' }, 'posts 01'],
        ['notes 3', { id: 3, txt: 'n3' }, { post: N(1) }, 'posts 01'],
        ['posts 01', { id: N(1), title: 't' }, { id: N(1), title: 't' }, ''],
        ['posts_tags 4', null, null, 'posts 01'],
        ['tags 4', { name: 'new' }, { name: 'new' }, 'posts_tags 4'],
    ]);
});

test('revisions_of_an_update_hold_the_row_and_what_changed', async () => {
    await stack.run(SEED);
    await ask('PATCH', one, { views: 5, author: 2, notes: [1], comments: { delete: [1] } });
    await ask('PATCH', '/items/tags/1', {});
    assert.deepEqual(await revisions(), [['posts a1', { id: P(1), title: 'One', slug: 'one', status: 'draft', views: 5, user_updated: null }, { views: 5, author: 2 }, '']]);
    assert.deepEqual(await rows('select action, collection, right(item, 2) from directus_activity order by collection, action'), ['delete comments 1', 'update posts a1', 'update tags 1']);
});
