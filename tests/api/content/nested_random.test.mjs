// Random nested writes against a slow model: after each request the rows are those of the model, and a refused request
// changes nothing. The seed is printed; NESTED_SEED repeats a run. Writers at once, beside changes of the schema, keep every
// reference whole.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { startApi } from '../../support/api.mjs';
import { generator } from '../../support/random.mjs';

const seed = Number(process.env.NESTED_SEED ?? Date.now() % 2 ** 31);
const ROUNDS = Number(process.env.NESTED_ROUNDS ?? 80);
const { below, pick, chance } = generator(seed);

let stack;
before(async () => {
    stack = await startApi({ pack: false });
    await stack.run(await readFile(new URL('../../fixtures/nested.sql', import.meta.url), 'utf8'));
});
after(() => stack.stop());

/* The model: three collections, by key. authors have posts (unlinked when deselected); posts have comments (deleted, with an
 * order) and notes (unlinked), and point to an author. */
const TABLES = { authors: ['id', 'name'], posts: ['id', 'title', 'author'], comments: ['id', 'body', 'post', 'pos'], notes: ['id', 'txt', 'post'] };
const CHILDREN = {
    authors: { posts: { table: 'posts', link: 'author' } },
    posts: { comments: { table: 'comments', link: 'post', deletes: true, order: 'pos' }, notes: { table: 'notes', link: 'post' } },
};
const TEXT = { authors: 'name', posts: 'title', comments: 'body', notes: 'txt' };
let nextKey = 1000;
class Refused extends Error {}

const uuid = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const newKey = (table) => (table === 'posts' ? uuid(nextKey++) : nextKey++);
const copy = (state) => structuredClone(state);

function write(state, table, key, body, fixed = {}) {
    body = Object.fromEntries(Object.entries(body).filter(([field]) => !(field in fixed))); // the parent wins
    const isNew = !state[table].has(key);
    const row = isNew ? Object.fromEntries(TABLES[table].map((field) => [field, field === 'id' ? key : null])) : { ...state[table].get(key) };
    const text = body[TEXT[table]];
    if (text !== undefined) {
        if (text === null && (table === 'authors' || table === 'posts')) throw new Refused('null');
        if (text !== null && text.length > 50 && table !== 'authors' && table !== 'posts') throw new Refused('long');
        row[TEXT[table]] = text;
    }
    if (isNew && row[TEXT[table]] === null && (table === 'authors' || table === 'posts')) throw new Refused('required');
    if (body.pos !== undefined) row.pos = body.pos;
    if (body.author !== undefined && table === 'posts') {
        const value = body.author;
        if (value === null) row.author = null;
        else if (typeof value === 'object') {
            write(state, 'authors', value.id, value);
            row.author = value.id;
        } else if (!state.authors.has(value)) throw new Refused('foreign');
        else row.author = value;
    }
    Object.assign(row, fixed);
    state[table].set(key, row);
    for (const [field, relation] of Object.entries(CHILDREN[table] ?? {}))
        if (body[field] !== undefined) writeMany(state, relation, key, body[field]);
}

const linked = (state, { table, link }, parent) => [...state[table].values()].filter((row) => row[link] === parent).map((row) => row.id);

function deselect(state, { table, link, deletes }, keys) {
    for (const key of keys)
        if (deletes) state[table].delete(key);
        else state[table].set(key, { ...state[table].get(key), [link]: null });
}

function writeMany(state, relation, parent, value) {
    const { table, link, order } = relation;
    const before = linked(state, relation, parent);
    const set = (element) => {
        const key = typeof element === 'object' ? element.id : element;
        if (typeof element !== 'object' && !state[table].has(key)) throw new Refused('unknown');
        write(state, table, key, typeof element === 'object' ? element : {}, { [link]: parent });
        return key;
    };
    if (value === null || Array.isArray(value)) {
        const kept = (value ?? []).map(set);
        return deselect(state, relation, before.filter((key) => !kept.includes(key)));
    }
    let place = order === undefined ? 0 : Math.max(0, ...before.map((key) => state[table].get(key)[order] ?? 0));
    for (const element of value.create ?? []) {
        if (state[table].has(element.id)) throw new Refused('taken');
        write(state, table, element.id, order === undefined || element[order] !== undefined ? element : { ...element, [order]: ++place }, { [link]: parent });
        if (order !== undefined && element[order] !== undefined) place++;
    }
    for (const element of value.update ?? []) if (state[table].has(element.id)) set(element);
    const after = linked(state, relation, parent);
    deselect(state, relation, (value.delete ?? []).filter((key) => after.includes(key)));
}

const word = () => pick(['x', 'longer text', '', 'é'.repeat(20), ...(chance(0.05) ? ['y'.repeat(60), null] : [])]);
const someKey = (state, table) => (state[table].size > 0 && chance(0.9) ? pick([...state[table].keys()]) : newKey(table));

function randomRow(state, table, depth, key) {
    const row = { id: key };
    if (!state[table].has(key) || chance(0.6)) row[TEXT[table]] = word();
    if (table === 'comments' && chance(0.2)) row.pos = below(50);
    if (depth > 0 && table === 'posts' && chance(0.4))
        row.author = chance(0.2) ? null : chance(0.4) ? someKey(state, 'authors') : randomRow(state, 'authors', depth - 1, chance(0.5) ? newKey('authors') : someKey(state, 'authors'));
    for (const [field, relation] of Object.entries(CHILDREN[table] ?? {})) if (depth > 0 && chance(0.5)) row[field] = randomMany(state, relation, depth - 1);
    return row;
}

function randomMany(state, { table }, depth) {
    const some = (make) => Array.from({ length: below(4) }, make);
    const fresh = () => randomRow(state, table, depth, newKey(table));
    const known = () => randomRow(state, table, depth, someKey(state, table));
    // A row that is gone has no children to give, and its texts are checked although nothing is written.
    const updated = (key) => (state[table].has(key) ? randomRow(state, table, depth, key) : { id: key, [TEXT[table]]: 'x' });
    if (chance(0.1)) return chance(0.5) ? null : [];
    if (chance(0.5)) return some(() => (chance(0.4) ? someKey(state, table) : chance(0.5) ? fresh() : known()));
    return { create: some(() => (chance(0.9) ? fresh() : known())), update: some(() => updated(someKey(state, table))), delete: some(() => someKey(state, table)) };
}

/* A row that is named twice in one body, or is its own ancestor, is beyond this model. */
function names(value, table, seen) {
    if (value === null || value === undefined) return true;
    const visit = (key) => !seen.has(`${table} ${key}`) && seen.add(`${table} ${key}`);
    if (typeof value !== 'object') return visit(value);
    if (!visit(value.id)) return false;
    if (value.author !== undefined && !names(value.author, 'authors', seen)) return false;
    for (const [field, relation] of Object.entries(CHILDREN[table] ?? {})) {
        const list = value[field];
        const elements = Array.isArray(list) ? list : [...(list?.create ?? []), ...(list?.update ?? []), ...(list?.delete ?? [])];
        if (!elements.every((element) => names(element, relation.table, seen))) return false;
    }
    return true;
}

const plain = (state) => Object.fromEntries(Object.keys(TABLES).map((table) => [table, [...state[table].values()].map((row) => TABLES[table].map((field) => (row[field] === null ? '' : String(row[field]))).join('|')).sort()]));
async function stored() {
    const result = {};
    for (const [table, fields] of Object.entries(TABLES)) result[table] = (await stack.rows(`select ${fields.join(', ')} from ${table}`)).map((row) => row.join('|')).sort();
    return result;
}

test('nested_writes_do_what_a_slow_model_does', async () => {
    console.log(`NESTED_SEED=${seed}`);
    let state = { authors: new Map(), posts: new Map(), comments: new Map(), notes: new Map() };
    let done = 0;
    let refused = 0;
    for (let round = 0; round < ROUNDS; round++) {
        const table = chance(0.7) ? 'posts' : 'authors';
        const key = chance(0.5) ? newKey(table) : someKey(state, table);
        const body = randomRow(state, table, 3, key);
        if (!names(body, table, new Set())) continue;
        const isNew = !state[table].has(key);
        const next = copy(state);
        let isRefused = false;
        try {
            write(next, table, key, body);
        } catch (error) {
            if (!(error instanceof Refused)) throw error;
            isRefused = true;
        }
        const { id, ...rest } = body;
        const answer = await stack.call({ method: isNew ? 'POST' : 'PATCH', path: isNew ? `/items/${table}` : `/items/${table}/${id}`, body: isNew ? body : rest, token: stack.adminToken });
        const what = `seed ${seed}, round ${round}: ${isNew ? 'POST' : 'PATCH'} ${table} ${JSON.stringify(body)} → ${answer.status} ${answer.text.slice(0, 300)}`;
        assert.ok(isRefused ? answer.status >= 400 && answer.status < 500 : answer.status === 200, what);
        if (!isRefused) state = next;
        assert.deepEqual(await stored(), plain(state), what);
        isRefused ? refused++ : done++;
    }
    assert.ok(done > ROUNDS / 4 && refused > 0, `${done} done, ${refused} refused`);
});

test('writers_at_once_beside_changes_of_the_schema_leave_whole_rows', async () => {
    await stack.run('truncate authors, posts, comments, notes, tags, posts_tags restart identity cascade');
    let isOver = false;
    const schema = (async () => {
        for (let n = 0; !isOver; n++) {
            await stack.run(`alter table tags add column if not exists extra${n % 3} integer; update directus_collections set note = '${n}' where collection = 'tags'`);
            await stack.run(`alter table tags drop column if exists extra${(n + 1) % 3}; update directus_collections set note = null where collection = 'tags'`);
        }
    })();
    const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => stack.call({
        method: 'POST', path: '/items/posts?fields=id,author.name,tags.tags_id.name,comments.body', token: stack.adminToken,
        body: { title: `p${n}`, author: { name: `a${n}` }, tags: [{ tags_id: { name: `t${n}` } }, { tags_id: { name: `u${n % 50}` } }], comments: [{ body: `c${n}` }] },
    })));
    isOver = true;
    await schema;
    const good = answers.filter((answer) => answer.status === 200);
    assert.ok(good.length >= 50, answers.find((answer) => answer.status !== 200)?.text);
    for (const answer of answers) assert.ok([200, 400].includes(answer.status), answer.text); // 400: the name of a tag is taken
    for (const [table, count] of [['posts', 1], ['authors', 1], ['comments', 1], ['posts_tags', 2], ['tags', 2]])
        assert.equal(Number((await stack.rows(`select count(*) from ${table}`))[0][0]), good.length * count, table);
});
