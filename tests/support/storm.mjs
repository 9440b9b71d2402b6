// The schema and the rights change while others read and write: two servers on one database, two sites with the same kinds of
// rows, and what is asked of them in every state.
//
// A group of tests names `steps`, which lead through some states and back to the first, and `asks`, which are made in each.
// `learn` goes once through the states while nobody else is there and remembers every outcome; in `blow` all happens at once,
// and every outcome is one of those. What a step has done holds for the next request on every server.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';

import { call, codeOf, makeTenant, startApi } from './api.mjs';
import { binary, Child, freePort, until } from './stack.mjs';

/** The status and the code of a refusal; the status and the data of all others. */
export const outcomeOf = (answer) => `${answer.status} ${answer.status >= 400 ? codeOf(answer) : answer.text}`;
/** 200, 204, or the code of a refusal. */
export const saidBy = (answer) => (answer.status < 400 ? answer.status : codeOf(answer) ?? answer.status);

/** A second server, of two threads. libh2o keeps some freed memory for each thread, and a thread that ends cannot give it back. */
async function startSecond(stack, port) {
    const [logFile, kept] = ['second.log', 'kept'].map((name) => path.join(stack.folder, name));
    await writeFile(kept, 'leak:h2o_mem_alloc_recycle\n');
    const env = { ...stack.env, PORT: String(port), SERVER_THREADS: '2', LSAN_OPTIONS: `suppressions=${kept}:print_suppressions=0` };
    return Object.assign(new Child('second server', binary, ['server'], { env, logFile }), { logFile });
}

/** Two servers, of one and of two threads, and two sites. */
export async function startStorm() {
    const stack = await startApi();
    const port = await freePort();
    const second = await startSecond(stack, port);
    await until(async () => (await call({ port }, { path: '/server/ping' }).catch(() => undefined))?.status === 200, 'the second server');
    const ports = [stack.port, port];
    const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
    const strange = [];
    let turn = 0;

    const world = { stack, ports, strange };
    /** One request, on the servers by turns or `on` one of them. */
    world.ask = (token, method, target, body, { on = turn++ % ports.length, ...rest } = {}) =>
        call(stack, { agent, method, path: target, token, body, port: ports[on], ...rest });
    world.admin = (method, target, body, rest) => world.ask(stack.adminToken, method, target, body, rest);
    /** What an administrator gets, which must be good. */
    world.ok = async (method, target, body, rest) => {
        const answer = await world.admin(method, target, body, rest);
        assert.ok(answer.status < 300, `${method} ${target} ${JSON.stringify(body)} → ${answer.status} ${answer.text}`);
        return answer.body?.data;
    };
    /** The data of an answer that says one of `allowed`; what does not is told at the end. */
    world.see = (what, answer, allowed) => {
        if (!allowed.includes(saidBy(answer))) strange.push(`${what} → ${answer.status} ${answer.text.slice(0, 400)}`);
        return answer.status < 300 ? answer.body?.data ?? null : undefined;
    };
    world.claim = (isTrue, what) => isTrue || strange.push(what);
    world.calm = () => assert.deepEqual(strange.splice(0).slice(0, 8), []);
    world.stop = async () => {
        agent.destroy();
        const end = await second.stop();
        const log = await readFile(second.logFile, 'utf8');
        await stack.stop();
        assert.doesNotMatch(log, /Sanitizer|runtime error|Assertion/, 'second.log');
        assert.equal(end.code, 0, second.tail.join('\n'));
    };
    world.sites = [await makeTenant(stack, 'A', 'a.example'), await makeTenant(stack, 'B', 'b.example')];
    return world;
}

const field = (name, type, rest = {}) => ({ field: name, type, meta: {}, ...rest });
const alias = (name, special) => ({ field: name, type: 'alias', meta: { special: [special] } });

/** Collections of sites, with every kind of relation between them. */
export async function makeCollections({ ok }) {
    const make = (collection, fields, meta = {}) => ({ collection, schema: {}, meta: { tenant: true, ...meta }, fields });
    await ok('POST', '/collections', [
        make('st_people', [field('name', 'string')]),
        make('st_tags', [field('name', 'string', { schema: { is_unique: true } })]),
        make('st_heads', [field('label', 'string')]),
        make('st_paras', [field('body', 'text')]),
        make('st_posts', [field('title', 'string'), field('n', 'integer'), field('sort', 'integer'), field('author', 'integer'), alias('comments', 'o2m'), alias('tags', 'm2m'), alias('blocks', 'm2a')],
            { versioning: true, sort_field: 'sort' }),
        make('st_comments', [field('body', 'string'), field('post', 'integer')]),
        make('st_posts_tags', [field('post', 'integer'), field('tag', 'integer'), field('sort', 'integer')]),
        make('st_posts_blocks', [field('post', 'integer'), field('collection', 'string'), field('item', 'string'), field('sort', 'integer')]),
        make('st_solo', [field('name', 'string')], { singleton: true }),
    ]);
    for (const [collection, name, related, meta, on_delete = 'SET NULL'] of [
        ['st_posts', 'author', 'st_people', {}],
        ['st_comments', 'post', 'st_posts', { one_field: 'comments', one_deselect_action: 'delete' }, 'CASCADE'],
        ['st_posts_tags', 'post', 'st_posts', { one_field: 'tags', junction_field: 'tag', sort_field: 'sort', one_deselect_action: 'delete' }, 'CASCADE'],
        ['st_posts_tags', 'tag', 'st_tags', { junction_field: 'post' }, 'CASCADE'],
        ['st_posts_blocks', 'post', 'st_posts', { one_field: 'blocks', junction_field: 'item', sort_field: 'sort', one_deselect_action: 'delete' }, 'CASCADE'],
    ])
        await ok('POST', '/relations', { collection, field: name, related_collection: related, meta, schema: { on_delete } });
    await ok('POST', '/relations', { collection: 'st_posts_blocks', field: 'item', related_collection: null,
        meta: { one_collection_field: 'collection', one_allowed_collections: ['st_heads', 'st_paras'], junction_field: 'post' } });
}

/** A post with rows in all its relations; `mark` is in every text. */
export const wholePost = (mark, n) => ({
    title: `${mark} title ${n}`, n, sort: n,
    author: { name: `${mark} author ${n}` },
    comments: [{ body: `${mark} comment ${n}.1` }, { body: `${mark} comment ${n}.2` }],
    tags: [{ sort: 1, tag: { name: `${mark} tag ${n}.1` } }, { sort: 2, tag: { name: `${mark} tag ${n}.2` } }],
    blocks: [{ sort: 1, collection: 'st_heads', item: { label: `${mark} head ${n}` } }, { sort: 2, collection: 'st_paras', item: { body: `${mark} para ${n}` } }],
});
export const WHOLE = 'fields=*,author.*,comments.*,tags.*,tags.tag.*,blocks.*,blocks.item:st_heads.*,blocks.item:st_paras.*&deep[comments][_sort]=id&deep[tags][_sort]=sort&deep[blocks][_sort]=sort';

/** Goes through the states and back: outcomes[ask] = what may be answered, by[step][ask] = what is answered after it. */
export async function learn(steps, asks) {
    const learned = { outcomes: asks.map(() => new Set()), by: [] };
    for (const step of steps) {
        await step.change();
        const now = [];
        for (const [i, ask] of asks.entries()) {
            now.push(await ask.run());
            learned.outcomes[i].add(now[i]);
        }
        learned.by.push(now);
    }
    return learned;
}

/** `rounds` times through the states while `readers` ask each of `asks` `reads` times; `others` do what they do beside it.
 * Whoever changes also asks, on both servers, and is told of the new state. */
export async function blow(world, { steps, asks, learned, rounds, readers = 2, reads = rounds * steps.length, others = [] }) {
    const first = (text) => text.slice(0, 300);
    const changer = async () => {
        for (let round = 0; round < rounds; round++)
            for (const [s, step] of steps.entries()) {
                await step.change();
                const i = (round * steps.length + s) % asks.length;
                for (const on of [0, 1]) {
                    const told = await asks[i].run(on);
                    world.claim(told === learned.by[s][i], `after "${step.name}" ${asks[i].name} on ${on}: ${first(told)}\n    expected: ${first(learned.by[s][i])}`);
                }
            }
    };
    const reader = async (r) => {
        for (let n = 0; n < reads; n++) {
            const i = (r * 7 + n) % asks.length;
            const told = await asks[i].run();
            world.claim(learned.outcomes[i].has(told), `${asks[i].name}: ${first(told)}\n    expected: ${[...learned.outcomes[i]].map(first).join('\n    or ')}`);
        }
    };
    await Promise.all([changer(), ...Array.from({ length: readers }, (_, r) => reader(r)), ...others.map((other) => other())]);
}

/** What the servers say of fields and foreign keys is what PostgreSQL says, asked on connections that meet every thread. */
export async function schemaIsTheDatabases({ stack, ports }) {
    const sorted = (rows) => rows.map((row) => row.join(' ')).sort();
    const columns = sorted(await stack.rows(`select table_name, column_name, udt_name, is_nullable from information_schema.columns where table_schema = 'public' and table_name like 'st\\_%'`));
    const keys = sorted(await stack.rows(`select c.conrelid::regclass, a.attname, c.confrelid::regclass from pg_constraint c
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[cardinality(c.conkey)]
        where c.contype = 'f' and c.connamespace = 'public'::regnamespace and c.conrelid::regclass::text like 'st\\_%'`));
    const SHORT = { 'character varying': 'varchar', integer: 'int4', bigint: 'int8', 'timestamp with time zone': 'timestamptz', boolean: 'bool', 'double precision': 'float8', real: 'float4' };
    for (let n = 0; n < 4; n++)
        for (const port of ports) {
            const get = async (target) => {
                const answer = await call(stack, { path: target, token: stack.adminToken, port, headers: { connection: 'close' } });
                assert.equal(answer.status, 200, answer.text);
                return answer.body.data;
            };
            const ours = (list) => list.filter((entry) => entry.collection.startsWith('st_'));
            const fields = ours(await get('/fields')).filter((f) => f.schema).map((f) => [f.collection, f.field, SHORT[f.schema.data_type] ?? f.schema.data_type, f.schema.is_nullable ? 'YES' : 'NO']);
            assert.deepEqual(sorted(fields), columns);
            const relations = ours(await get('/relations')).filter((r) => r.schema).map((r) => [r.collection, r.field, r.related_collection]);
            assert.deepEqual(sorted(relations), keys);
            const tables = new Set(columns.map((line) => line.split(' ')[0]));
            assert.deepEqual(ours(await get('/collections')).filter((c) => c.schema).map((c) => c.collection).sort(), [...tables].sort());
            for (const table of tables) {
                const answer = await get(`/items/${table}?limit=1&fields=*`);
                const row = Array.isArray(answer) ? answer[0] : answer;
                const names = columns.filter((line) => line.split(' ')[0] === table).map((line) => line.split(' ')[1]);
                if (row?.id) assert.deepEqual(names.filter((name) => !(name in row)), [], `the columns of ${table} in its rows`);
            }
        }
}
