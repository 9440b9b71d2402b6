// Directus and Spark side by side, each with the collections of model.sql, and the way back to how they began.
//
//   const pair = await startPair();
//   pair.spark.url, pair.directus.url
//   await pair.reset();          // what a sequence made is gone
//   await pair.stop();

import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

import { startDirectus } from '../support/directus.mjs';
import { secrets, sql, startBackends, startStack, until, withDatabase } from '../support/stack.mjs';

const model = path.join(import.meta.dirname, 'model.sql');
const psql = (databaseUrl, ...args) => promisify(execFile)('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', databaseUrl, ...args]);

export const actors = ['editor', 'junior', 'guest', 'still', 'none', 'app'];
export const tokenOf = (actor) =>
    actor === 'public' ? undefined : actor === 'admin' ? secrets.ADMIN_TOKEN : actors.includes(actor) ? `token-of-${actor}-0123456789` : actor;

// Tables whose keys are counted. The first key a server makes in the n-th of them is n000001, so that a key is known by its value.
export const counted = ['articles', 'articles_blocks', 'articles_labels', 'articles_translations', 'about', 'block_texts', 'categories', 'home', 'paper_notes',
    'papers', 'queue', 'quiet', 'remarks', 'rules', 'samples', 'untracked', 'directus_activity', 'directus_fields', 'directus_notifications',
    'directus_permissions', 'directus_presets', 'directus_relations', 'directus_revisions', 'directus_settings'];
export const firstKey = (table) => (11 + counted.indexOf(table)) * 1e6 + 1;

// Keys that each installation makes at random, and lists would be sorted by.
const sameKeys = `
set session_replication_role = replica;
do $$
declare
    administrators uuid := (select role from directus_users where email = 'admin@example.com');
    everything uuid := (select id from directus_policies where admin_access);
begin
    update directus_users set id = '00000000-0000-4000-8000-300000000000', role = '00000000-0000-4000-8000-100000000000', first_name = 'Admin', last_name = 'User',
        last_access = null, last_page = null, language = null where email = 'admin@example.com';
    update directus_roles set id = '00000000-0000-4000-8000-100000000000', description = '$t:admin_description', icon = 'verified' where id = administrators;
    update directus_policies set id = '00000000-0000-4000-8000-200000000000' where id = everything;
    update directus_access set id = '00000000-0000-4000-8000-400000000000', role = '00000000-0000-4000-8000-100000000000', policy = '00000000-0000-4000-8000-200000000000'
    where policy = everything;
    update directus_access set id = '00000000-0000-4000-8000-400000000009' where policy = 'abf8a154-5b1c-4a46-ac9c-7300570f4f17';
    update directus_settings set id = 1, project_name = 'Peers', project_id = '00000000-0000-4000-8000-600000000000';
    delete from directus_activity; delete from directus_revisions; delete from directus_sessions;
end $$;
set session_replication_role = origin;`;

// peer.reset() brings every table back to its copy in the schema peer and says which ones it had to.
const baseline = `
drop schema if exists peer cascade;
create schema peer;
grant usage on schema peer to public;
do $$
declare t text;
begin
    for t in select tablename from pg_tables where schemaname = 'public' loop
        execute format('create table peer.%1$I as table public.%1$I', t);
        execute format('grant select on peer.%1$I to public', t);
    end loop;
end $$;
create function peer.mark(place text, t text) returns text language plpgsql as $$
declare mark text;
begin
    execute format('select md5(coalesce(string_agg(r::text, chr(10) order by r::text), '''')) from %I.%I r', place, t) into mark;
    return mark;
end $$;
create function peer.first_key(t text) returns bigint language sql as $$
    select (11 + array_position(array[${counted.map((t) => `'${t}'`)}], t) - 1) * 1000000 + 1 $$;
create function peer.reset() returns text language plpgsql security definer as $$
declare
    t text;
    c text;
    s text;
    changed text[] := '{}';
begin
    perform set_config('session_replication_role', 'replica', true);
    perform set_config('spark.scope', 'platform', true);
    for t in select p.tablename from pg_tables p where p.schemaname = 'public' and not exists
            (select from pg_tables b where b.schemaname = 'peer' and b.tablename = p.tablename) loop
        execute format('drop table public.%I cascade', t);
        changed := changed || t;
    end loop;
    for t in select tablename from pg_tables where schemaname = 'peer' loop
        for c in select p.column_name from information_schema.columns p where p.table_schema = 'public' and p.table_name = t and not exists
                (select from information_schema.columns b where b.table_schema = 'peer' and b.table_name = t and b.column_name = p.column_name) loop
            execute format('alter table public.%I drop column %I cascade', t, c);
        end loop;
        if peer.mark('public', t) <> peer.mark('peer', t) then
            execute format('delete from public.%1$I; insert into public.%1$I select * from peer.%1$I', t);
            changed := changed || t;
        end if;
        s := case when peer.first_key(t) is not null then pg_get_serial_sequence('public.' || t, 'id') end;
        if s is not null then
            perform setval(s, peer.first_key(t), false);
        end if;
    end loop;
    if changed <> '{}' and to_regnamespace('spark') is not null then
        perform spark.raise_epoch();
    end if;
    return array_to_string(changed, ',');
end $$;
select peer.reset();`;

// Changes of these do not need Directus to forget what it knows.
const isContent = (table) => !table.startsWith('directus_') || /^directus_(activity|revisions|sessions|users|comments|notifications|presets|shares|versions)$/.test(table);

async function clearCache(url) {
    const answer = await fetch(`${url}/utils/cache/clear?system`, { method: 'POST', headers: { authorization: `Bearer ${secrets.ADMIN_TOKEN}` } });
    if (!answer.ok) throw new Error(`Directus did not clear its cache: ${answer.status}`);
}

/** facts: { spark, sparkDatabase, directus, directusDatabase }, of servers that run already */
export function attachPair(facts, stop = async () => {}) {
    const side = (name) => ({ name, url: facts[name], databaseUrl: facts[`${name}Database`] });
    const pair = {
        facts,
        spark: side('spark'),
        directus: side('directus'),
        async reset() {
            const [ofSpark, ofDirectus] = await Promise.all([pair.spark, pair.directus].filter((server) => server.url).map(async ({ databaseUrl }) =>
                (await sql(databaseUrl, 'select peer.reset()'))[0][0].split(',').filter(Boolean)));
            if (pair.directus.url && !(ofDirectus ?? ofSpark).every(isContent)) await clearCache(pair.directus.url);
        },
        stop,
    };
    return pair;
}

/** The tables belong to the server's own role; only a superuser goes past triggers and foreign keys. */
const install = (adminUrl) => async (databaseUrl) => {
    await psql(databaseUrl, '-c', `set spark.scope = 'platform'`, '-f', model);
    const ofAdmin = withDatabase(adminUrl, /\/(\w+)\?/.exec(databaseUrl)[1]);
    await sql(ofAdmin, `set spark.scope = 'platform'; ${sameKeys}\n${baseline}`);
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

async function addSpark({ backends, made, prepare }) {
    const stack = await startStack({ pack: false, backends });
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
