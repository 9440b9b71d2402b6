// Writers of two sites, on two servers, while fields, relations and collections come, change and go: nested rows are complete or
// absent, what was acknowledged is seen by the next request and is there in the end, and the history is of its site.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { blow, learn, makeCollections, saidBy, schemaIsTheDatabases, startStorm, WHOLE, wholePost } from '../../support/storm.mjs';
import { until } from '../../support/stack.mjs';

const WRITERS = 2; // of each site
const WRITES = 10; // rounds of each writer
const ROUNDS = 1;

let world;
before(async () => {
    world = await startStorm();
    await makeCollections(world);
    await world.ok('POST', '/fields/st_posts', { field: 'notes', type: 'alias', meta: { special: ['o2m'] } });
});
after(() => world?.stop());

const step = (name, method, target, body) => ({ name, change: () => world.ok(method, target, body) });
const relation = (collection, field, related, meta, on_delete) => ['POST', '/relations', { collection, field, related_collection: related, meta, schema: { on_delete } }];
const onDelete = (collection, field, on_delete) => ['PATCH', `/relations/${collection}/${field}`, { collection, field, schema: { on_delete } }];
const steps = () => [
    step('a field comes', 'POST', '/fields/st_posts', { field: 'extra', type: 'integer', schema: { default_value: 7, is_indexed: true, is_nullable: false }, meta: {} }),
    step('it may be null', 'PATCH', '/fields/st_posts/extra', { type: 'integer', schema: { is_nullable: true } }),
    step('it becomes a text', 'PATCH', '/fields/st_posts/extra', { type: 'string', schema: { is_indexed: false, default_value: '7' } }),
    step('the author is kept', ...onDelete('st_posts', 'author', 'NO ACTION')),
    step('the notes come', 'POST', '/collections', { collection: 'st_notes', schema: {}, meta: { tenant: true }, fields: [{ field: 'text', type: 'string', meta: {} }, { field: 'post', type: 'integer', meta: {} }] }),
    step('they are of posts', ...relation('st_notes', 'post', 'st_posts', { one_field: 'notes' }, 'CASCADE')),
    step('a body grows', 'PATCH', '/fields/st_comments/body', { type: 'text', schema: {} }),
    step('comments are let go', ...onDelete('st_comments', 'post', 'SET NULL')),
    step('comments go with their post', ...onDelete('st_comments', 'post', 'CASCADE')),
    step('a body shrinks', 'PATCH', '/fields/st_comments/body', { type: 'string', schema: { max_length: 255 } }),
    step('numbers grow', 'PATCH', '/fields/st_posts/n', { type: 'bigInteger', schema: { is_indexed: true } }),
    step('a tag gets a colour', 'POST', '/fields/st_tags', { field: 'colour', type: 'string', schema: {}, meta: {} }),
    step('a tag loses it', 'DELETE', '/fields/st_tags/colour'),
    step('numbers shrink', 'PATCH', '/fields/st_posts/n', { type: 'integer', schema: { is_indexed: false } }),
    step('the notes are of nothing', 'DELETE', '/relations/st_notes/post'),
    step('the notes go', 'DELETE', '/collections/st_notes'),
    step('the author may go', ...onDelete('st_posts', 'author', 'SET NULL')),
    step('the field goes', 'DELETE', '/fields/st_posts/extra'),
];

/* What a post is to the model; the same of what a server or the model says. */
const texts = (list) => list.join(',');
const told = (row) => [row.title, Number(row.n), row.author?.name ?? null, texts(row.comments.map((c) => c.body)), texts(row.tags.map((t) => t.tag.name)),
    texts(row.blocks.map((block) => block.item.label ?? block.item.body))].join(' | ');
const modelled = (post) => [post.title, post.n, post.author, texts(post.comments), texts(post.tags), texts(post.blocks)].join(' | ');
const modelOf = (body) => ({ title: body.title, n: body.n, author: body.author.name, comments: body.comments.map((c) => c.body), tags: body.tags.map((t) => t.tag.name),
    blocks: body.blocks.map((block) => block.item.label ?? block.item.body) });

/* All that one writer acknowledged: its posts by key, and how many rows of each other kind it made. */
const newModel = () => ({ posts: new Map(), people: 0, tags: 0, gone: 0 });

function writerOf(site, w, model, others) {
    const mark = `${site.name}${w}`;
    const ask = (method, target, body) => world.ask(site.token, method, target, body);
    const newest = () => [...model.posts.keys()].at(-1);
    const isAsSaid = async (key) => {
        const answer = await ask('GET', `/items/st_posts/${key}?${WHOLE}`);
        const row = world.see(`${mark} reads its post`, answer, [200]);
        if (row) world.claim(told(row) === modelled(model.posts.get(key)), `${mark} wrote ${modelled(model.posts.get(key))}\n    and reads ${told(row)}`);
    };
    const create = async (n) => {
        const body = wholePost(mark, n);
        const row = world.see(`${mark} creates`, await ask('POST', '/items/st_posts?fields=id,site_id', body), [200]);
        if (!row) return;
        world.claim(row.site_id === site.id, `${mark} made a row of ${row.site_id}`);
        model.posts.set(row.id, modelOf(body));
        model.people++;
        model.tags += body.tags.length;
        await isAsSaid(row.id);
    };
    const update = async (n) => {
        const key = newest();
        const [first] = world.see(`${mark} reads its comments`, await ask('GET', `/items/st_comments?filter[post][_eq]=${key}&sort=id&fields=id`), [200]) ?? [];
        if (!first) return;
        const post = model.posts.get(key);
        const answer = await ask('PATCH', `/items/st_posts/${key}?fields=id`, { n: n * 10, author: { name: `${mark} new author ${n}` },
            comments: { create: [{ body: `${mark} new comment ${n}` }], update: [], delete: [first.id] }, tags: { create: [{ tag: { name: `${mark} new tag ${n}` } }], update: [], delete: [] } });
        if (!world.see(`${mark} updates`, answer, [200])) return;
        model.people++;
        model.tags++;
        model.posts.set(key, { ...post, n: n * 10, author: `${mark} new author ${n}`, comments: [...post.comments.slice(1), `${mark} new comment ${n}`], tags: [...post.tags, `${mark} new tag ${n}`] });
        await isAsSaid(key);
    };
    const batch = async (n) => {
        const keys = [...model.posts.keys()].slice(-3);
        if (!world.see(`${mark} updates many`, await ask('PATCH', '/items/st_posts?fields=id', { keys, data: { n: n * 100 } }), [200])) return;
        for (const key of keys) model.posts.get(key).n = n * 100;
        if (!world.see(`${mark} updates each`, await ask('PATCH', '/items/st_posts?fields=id', keys.map((id) => ({ id, title: `${mark} batch ${n}` }))), [200])) return;
        for (const key of keys) model.posts.get(key).title = `${mark} batch ${n}`;
        for (const key of keys) await isAsSaid(key);
    };
    const remove = async () => {
        const key = [...model.posts.keys()][0];
        if (world.see(`${mark} deletes`, await ask('DELETE', `/items/st_posts/${key}`), [204]) === undefined) return;
        model.posts.delete(key);
        model.gone++;
        world.see(`${mark} reads what is gone`, await ask('GET', `/items/st_posts/${key}`), ['FORBIDDEN']);
    };
    const fail = async (n) => { // of the whole nothing may stay
        const body = { ...wholePost(`${mark} never`, n), author: 999999 };
        world.see(`${mark} names nobody`, await ask('POST', '/items/st_posts', body), ['INVALID_FOREIGN_KEY', 'FORBIDDEN']);
        world.see(`${mark} reaches over`, await ask('PATCH', `/items/st_posts/${[...others.posts.keys()].at(-1) ?? 999999}`, { title: `${mark} reached over`, comments: [] }), ['FORBIDDEN']);
    };
    const solo = async (n) => {
        if (!world.see(`${mark} sets the singleton`, await ask('PATCH', '/items/st_solo', { name: `${mark} ${n}` }), [200])) return;
        const row = world.see(`${mark} reads the singleton`, await ask('GET', '/items/st_solo?fields=name'), [200]);
        if (row) world.claim(row.name.startsWith(site.name), `${mark} reads the singleton ${row.name}`);
    };
    const sort = async () => {
        const [item, to] = [...model.posts.keys()].slice(-2);
        if (to !== undefined) world.see(`${mark} sorts`, await ask('POST', '/utils/sort/st_posts', { item, to }), [200]);
    };
    const EACH = [create, update, create, batch, create, update, fail, solo, sort, remove];
    return async () => {
        await create(0);
        for (let n = 1; n <= WRITES; n++) await EACH[(n + w * 3) % EACH.length](n);
    };
}

/* Writes that name what comes and goes: refused or not as the state says, and known to the model by their title alone. */
const asks = () => {
    let n = 0;
    return world.sites.flatMap((site) => [
        ['a post with an extra', 'POST', '/items/st_posts?fields=extra', () => ({ title: `extra ${n++}`, extra: 9 })],
        ['a post with text for an extra', 'POST', '/items/st_posts?fields=id', () => ({ title: `extra ${n++}`, extra: 'text' })],
        ['a post with no extra', 'POST', '/items/st_posts?fields=id', () => ({ title: `extra ${n++}`, extra: null })],
        ['a post with notes', 'POST', '/items/st_posts?fields=notes.text', () => ({ title: `extra ${n++}`, notes: [{ text: 'one' }, { text: 'two' }] })],
        ['a note', 'POST', '/items/st_notes?fields=text', () => ({ text: `extra ${n++}`, post: { title: `extra ${n++}` } })],
        ['a tag with a colour', 'POST', '/items/st_tags?fields=colour', () => ({ name: `extra ${n++}`, colour: 'red' })],
        ['the extras of all', 'PATCH', '/items/st_posts?fields=extra', () => ({ query: { filter: { title: { _eq: 'extra 0' } } }, data: { extra: 8 } })],
    ].map(([name, method, target, body]) => ({
        name: `${site.name}: ${name}`,
        run: async (on) => {
            const answer = await world.ask(site.token, method, target, body(), { on });
            return `${saidBy(answer)} ${answer.status === 200 && !target.endsWith('=id') && !name.includes('note') ? JSON.stringify(answer.body.data) : ''}`;
        },
    })));
};

test('a write that PostgreSQL ends for the sake of a change is made behind it', async () => {
    const [site] = world.sites;
    // The change has the one table and wants the other after the write, which has that, has begun to wait for the first. PostgreSQL
    // ends whom it finds waiting first, after a second: half of one lies between the two.
    const change = world.stack.sql(`set role spark_owner; begin; lock table st_comments;
        do $$ begin while not exists (select from pg_locks where relation = 'st_comments'::regclass and not granted) loop perform pg_sleep(0.01); end loop; perform pg_sleep(0.5); end $$;
        lock table st_posts; commit`);
    await until(async () => (await world.stack.sql("select 1 from pg_locks where relation = 'st_comments'::regclass and mode = 'AccessExclusiveLock' and granted")).length === 1, 'the change');
    const answer = await world.ask(site.token, 'POST', '/items/st_posts?fields=title,comments.body', { title: 'extra', comments: [{ body: 'whole' }] });
    await change;
    assert.deepEqual([answer.status, answer.body.data], [200, { title: 'extra', comments: [{ body: 'whole' }] }], answer.text);
    assert.equal((await world.ask(site.token, 'GET', '/items/st_comments')).body.data.length, 1);
    assert.equal((await world.ask(site.token, 'DELETE', '/items/st_posts', { query: { filter: { title: { _eq: 'extra' } } } })).status, 204);
});

test('writes beside changes of what they write are whole or refused, and stay', async () => {
    const all = { steps: steps(), asks: asks() };
    const learned = await learn(all.steps, all.asks);
    for (const [i, set] of learned.outcomes.entries())
        for (const outcome of set) world.claim(/^(20[04]|[A-Z])/.test(outcome) && !/SERVER|SERVICE/.test(outcome), `quiet, ${all.asks[i].name}: ${outcome}`);
    world.calm();

    const models = world.sites.map(() => Array.from({ length: WRITERS }, newModel));
    const writers = world.sites.flatMap((site, s) => models[s].map((model, w) => writerOf(site, w, model, models[1 - s][w])));
    await blow(world, { ...all, learned, rounds: ROUNDS, readers: 2, reads: all.asks.length * 2, others: writers });
    world.calm();

    for (const [s, site] of world.sites.entries()) {
        const rows = (await world.ask(site.token, 'GET', `/items/st_posts?limit=-1&filter[title][_nstarts_with]=extra&${WHOLE}`)).body.data;
        assert.deepEqual(rows.map(told).sort(), models[s].flatMap((model) => [...model.posts.values()].map(modelled)).sort());
        const sum = (what) => models[s].reduce((n, model) => n + what(model), 0);
        const count = async (table, where = "not like 'extra%'", text = 'name') => Number((await stackRows(`select count(*) from ${table} where site_id = '${site.id}' and coalesce(${text}, '') ${where}`))[0][0]);
        const posts = models[s].flatMap((model) => [...model.posts.values()]);
        assert.equal(await count('st_people'), sum((model) => model.people));
        assert.equal(await count('st_tags'), sum((model) => model.tags));
        assert.equal(await count('st_comments', "like '%'", 'body'), posts.reduce((n, post) => n + post.comments.length, 0));
        assert.equal(await count('st_posts_tags', "like '%'", "''"), posts.reduce((n, post) => n + post.tags.length, 0));
        assert.equal(await count('st_posts_blocks', "like '%'", "''"), posts.reduce((n, post) => n + post.blocks.length, 0));
        const made = sum((model) => model.posts.size + model.gone);
        assert.equal(await count('st_heads', "like '%'", 'label'), made);
        assert.equal(await count('st_paras', "like '%'", 'body'), made);
        assert.equal(Number((await stackRows(`select count(*) from st_solo where site_id = '${site.id}'`))[0][0]), 1);
        for (const post of posts.slice(0, 1)) assert.ok(post.title.startsWith(site.name));
    }
    await historyIsOfItsSite();
    await schemaIsTheDatabases(world);
});

const stackRows = (text) => world.stack.rows(text);

/* A line of activity and a revision for each row that is there, of the site that the row is of. */
async function historyIsOfItsSite() {
    for (const table of ['st_posts', 'st_people', 'st_tags', 'st_comments', 'st_heads', 'st_paras', 'st_posts_tags', 'st_posts_blocks', 'st_solo']) {
        const strays = await stackRows(`select t.id from ${table} t where (select count(*) from directus_activity a join directus_revisions r on r.activity = a.id and r.site_id = a.site_id
            where a.collection = '${table}' and a.item = t.id::text and a.action = 'create' and a.site_id = t.site_id) <> 1`);
        assert.deepEqual(strays, [], `${table}: rows whose history is not whole`);
        const foreign = await stackRows(`select r.id from directus_revisions r join directus_activity a on a.id = r.activity where r.collection = '${table}' and r.site_id is distinct from a.site_id`);
        assert.deepEqual(foreign, [], `${table}: revisions of another site`);
    }
}
