// Directus and Spark side by side, each with the collections of model.sql, and the way back to how they began.
//
//   const pair = await startPair();
//   pair.spark.url, pair.directus.url
//   await pair.reset();          // what a sequence made is gone
//   await pair.stop();

import { execFile, spawn } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

import { startDirectus } from '../support/directus.mjs';
import { sql, startBackends, startStack, until, withDatabase } from '../support/stack.mjs';

const model = path.join(import.meta.dirname, 'model.sql');
const psql = (databaseUrl, ...args) => promisify(execFile)('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', databaseUrl, ...args]);

export const actors = ['admin', 'editor', 'junior', 'guest', 'still', 'none', 'app'];
export const tokenOf = (actor) =>
    actor === 'public' ? undefined : actors.includes(actor) ? `token-of-${actor}-0123456789` : actor;

// Tables whose keys are counted. The first key a server makes in the n-th of them is n000001, so that a key is known by its value.
export const counted = ['articles', 'articles_blocks', 'articles_labels', 'articles_translations', 'about', 'block_texts', 'categories', 'home', 'paper_notes',
    'papers', 'queue', 'quiet', 'remarks', 'rules', 'samples', 'untracked', 'directus_activity', 'directus_fields', 'directus_notifications',
    'directus_permissions', 'directus_presets', 'directus_relations', 'directus_revisions', 'directus_settings'];
export const firstKey = (table) => (11 + counted.indexOf(table)) * 1e6 + 1;

// Changes of these do not need Directus to forget what it knows.
const isContent = (table) => !table.startsWith('directus_') || /^directus_(activity|revisions|sessions|users|comments|notifications|presets|shares|versions)$/.test(table);

async function clearCache(url) {
    const answer = await fetch(`${url}/utils/cache/clear?system`, { method: 'POST', headers: { authorization: `Bearer ${tokenOf('admin')}` } });
    if (!answer.ok) throw new Error(`Directus did not clear its cache: ${answer.status}`);
}

/** One psql that stays, because starting one takes longer than what it is asked. */
function session(databaseUrl) {
    if (!sessions.has(databaseUrl)) sessions.set(databaseUrl, openSession(databaseUrl));
    return sessions.get(databaseUrl);
}

const sessions = new Map();

function openSession(databaseUrl) {
    const child = spawn('psql', ['-X', '-q', '-At', '-d', databaseUrl], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, PGOPTIONS: '-c client_min_messages=warning' } });
    const ended = new Promise((_, reject) => child.once('exit', () => reject(new Error('psql ended'))));
    ended.catch(() => {});
    child.unref();
    for (const stream of [child.stdin, child.stdout]) stream.unref();
    const answer = () =>
        new Promise((resolve) => {
            let said = '';
            const onData = (chunk) => {
                said += chunk;
                if (!said.endsWith('peer:done\n')) return;
                child.stdout.off('data', onData).unref();
                resolve(said.slice(0, -'peer:done\n'.length));
            };
            child.stdout.on('data', onData).ref();
        });
    return (text) => {
        child.stdin.write(`${text};\n\\echo peer:done\n`);
        return Promise.race([answer(), ended]);
    };
}

/** Keys of the model that neither it nor a request spells out. */
export async function keysOf(server) {
    const tables = (await sql(server.databaseUrl, `select tablename from pg_tables where schemaname = 'peer' and tablename not in ('state of', 'counted')`)).map(([table]) => table);
    const all = tables.map((table) => `select r::text from peer."${table}" r`).join(' union all ');
    const rows = await sql(server.databaseUrl, `select m[1] from (${all}) t, regexp_matches(t.r, '00000000-0000-4000-8000-[0-9a-f]{12}', 'g') m group by 1`);
    return rows.map(([key]) => key);
}

/** facts: { spark, sparkDatabase, directus, directusDatabase }, of servers that run already */
export function attachPair(facts, stop = async () => {}) {
    // What is written past a server it has to be told; Spark's triggers do.
    const side = (name) => ({ name, url: facts[name], databaseUrl: facts[`${name}Database`], forget: async () => name === 'directus' && clearCache(facts.directus) });
    const pair = {
        facts,
        spark: side('spark'),
        directus: side('directus'),
        async reset() {
            const [ofSpark, ofDirectus] = await Promise.all([pair.spark, pair.directus].filter((server) => server.url).map(async ({ databaseUrl }) =>
                (await session(databaseUrl)('select peer.reset()')).trim().split(',').filter(Boolean)));
            if (pair.directus.url && !(ofDirectus ?? ofSpark).every(isContent)) await pair.directus.forget();
        },
        stop,
    };
    return pair;
}

/** The tables belong to the server's own role; only a superuser goes past triggers and foreign keys. */
const install = (adminUrl) => async (databaseUrl) => {
    await psql(databaseUrl, '-c', `set spark.scope = 'platform'`, '-f', model);
    const first = counted.map((table) => `('${table}', ${firstKey(table)})`).join(', ');
    const place = `create schema peer; grant usage on schema peer to public; create table peer.counted as select * from (values ${first}) c (name, first)`;
    await psql(withDatabase(adminUrl, /\/(\w+)\?/.exec(databaseUrl)[1]), '-c', `set spark.scope = 'platform'`, '-c', place, '-f', path.join(import.meta.dirname, 'baseline.sql'));
};

async function withBackends(start) {
    const backends = process.env.SPARK_TEST_DATABASE_ADMIN_URL ? undefined : await startBackends();
    const made = [];
    const stop = async () => {
        for (const part of made.reverse()) await part.stop();
        await backends?.stop();
    };
    try {
        return await start({ backends, made, prepare: install(backends?.databaseAdminUrl ?? process.env.SPARK_TEST_DATABASE_ADMIN_URL), stop });
    } catch (error) {
        await stop();
        throw error;
    }
}

// One process answers more wrong logins than its limits let pass.
const patient = { TRUSTED_PROXIES: '127.0.0.1', LOGIN_FAILURES: '10000', LOGIN_FAILURES_ADDRESS: '10000', LOGIN_FAILURES_ACCOUNT: '10000' };

async function addSpark({ backends, made, prepare }) {
    const stack = await startStack({ pack: false, backends, env: patient });
    made.push(stack);
    const counted = `set spark.scope = 'platform'; select count(*) from directus_users`;
    await until(async () => (await sql(stack.databaseUrl, counted))[0][0] === '1', 'the administrator');
    await prepare(stack.databaseUrl);
    return stack;
}

/** Spark alone, for what was recorded of Directus. */
export const startSpark = () =>
    withBackends(async (parts) => {
        const stack = await addSpark(parts);
        return { ...attachPair({ spark: stack.url, sparkDatabase: stack.databaseUrl }, parts.stop), stack };
    });

export const startPair = () =>
    withBackends(async (parts) => {
        const stack = await addSpark(parts);
        const directus = await startDirectus(stack.databaseUrl, { prepare: parts.prepare });
        parts.made.push(directus);
        return attachPair({ spark: stack.url, sparkDatabase: stack.databaseUrl, directus: directus.url, directusDatabase: directus.databaseUrl }, parts.stop);
    });
