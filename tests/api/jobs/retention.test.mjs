// Activity and revisions are kept as long as a setting says: what goes, in batches, and what stays.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../../support/api.mjs';
import { until } from '../../support/stack.mjs';

const BATCH = 7;
let stack;
let a;
before(async () => {
    stack = await startApi({ env: { RETENTION_BATCH: String(BATCH), ACTIVITY_RETENTION: '60d', REVISIONS_RETENTION: '30' } });
    a = await makeTenant(stack, 'A', 'a.example');
    await stack.rows('delete from directus_revisions; delete from directus_activity');
});
after(() => stack.stop());

/** Activity of `count` days, numbered from `first`, the oldest first, all of the item `item`; with a revision each. */
const write = (item, first, count, days, { revisions = true } = {}) => stack.rows(`
    insert into directus_activity (id, action, collection, item, timestamp, site_id)
    select n, 'update', 'posts', '${item}', now() - interval '${days} days' + n * interval '1 s', '${a.id}' from generate_series(${first}, ${first + count - 1}) n;
    ${revisions ? `insert into directus_revisions (id, activity, collection, item, data, delta, site_id)
    select n, n, 'posts', '${item}', '{}', '{}', '${a.id}' from generate_series(${first}, ${first + count - 1}) n` : ''}`);
const left = async (table, item) => (await stack.rows(`select id from directus_${table} where item = '${item}' order by id`)).map(([id]) => Number(id));
const numbers = (first, count) => Array.from({ length: count }, (_, n) => first + n);
const lines = () => stack.rows(`select entity_type, details->>'deleted', details->>'older_than' from work_log where action = 'retention' order by timestamp, id`);

/** Runs the job of a table to its end; what it answered. */
async function trim(table, days) {
    const [[id]] = await stack.rows(`insert into spark.jobs (kind, payload, max_failures) values ('retention', '{"table": "${table}", "older_than": ${days}}', 1) returning id`);
    await until(async () => (await stack.rows(`select state from spark.jobs where id = ${id} and state in ('done', 'dead')`)).length === 1, `the job of ${table}`);
    const [[state, result]] = await stack.rows(`select state, coalesce(result::text, error) from spark.jobs where id = ${id}`);
    assert.equal(state, 'done', result);
    return JSON.parse(result);
}

test('the_steward_deletes_what_is_older_than_the_settings', async () => {
    await write('ancient', 1000, 3 * BATCH + 2, 70);
    await write('old', 2000, BATCH, 40);
    await write('young', 3000, 2, 1);
    stack.startWorker();
    const line = await until(async () => (await lines()).find(([table]) => table === 'directus_revisions'), 'the job of revisions');
    assert.deepEqual(line, ['directus_revisions', String(4 * BATCH + 2), '30']);
    assert.deepEqual([await left('revisions', 'ancient'), await left('revisions', 'old'), await left('revisions', 'young')], [[], [], [3000, 3001]]);
    await until(async () => (await stack.rows(`select from spark.jobs where kind = 'retention' and state in ('queued', 'running')`)).length === 0, 'the end of both jobs');
    await trim('directus_activity', 60); // both jobs may run at once, and activity waits for its revisions
    assert.deepEqual([await left('activity', 'ancient'), await left('activity', 'old'), await left('activity', 'young')], [[], numbers(2000, BATCH), [3000, 3001]]);
});

test('no_transaction_deletes_more_than_a_batch', async () => {
    await stack.rows(`create table public.trims (rows int);
        create function public.note_trim() returns trigger language plpgsql security definer as
            $$ begin insert into public.trims select count(*) from gone; return null; end $$;
        create trigger note_trim after delete on directus_revisions referencing old table as gone for each statement execute function public.note_trim()`);
    await write('batches', 4000, 3 * BATCH + 1, 50);
    assert.equal((await trim('directus_revisions', 45)).deleted, 3 * BATCH + 1);
    assert.deepEqual((await stack.rows('select rows from public.trims where rows > 0')).map(([rows]) => Number(rows)), [BATCH, BATCH, BATCH, 1]);
    await stack.rows('drop trigger note_trim on directus_revisions; drop function public.note_trim(); drop table public.trims');
});

test('a_younger_revision_loses_the_parent_that_is_deleted', async () => {
    await write('parents', 5000, 3, 50);
    await write('children', 5100, 3, 1);
    await stack.rows(`update directus_revisions set parent = 5000 where id in (5001, 5100, 5101); update directus_revisions set parent = 5100 where id = 5102`);
    assert.equal((await trim('directus_revisions', 45)).deleted, 3);
    assert.deepEqual(await stack.rows(`select id, parent from directus_revisions where item = 'children' order by id`), [['5100', ''], ['5101', ''], ['5102', '5100']]);
});

test('activity_whose_revisions_are_kept_stays_and_activity_without_any_goes', async () => {
    await write('kept', 6000, BATCH + 1, 80);
    await write('logins', 6100, BATCH + 1, 79, { revisions: false });
    assert.equal((await trim('directus_activity', 75)).deleted, BATCH + 1);
    assert.deepEqual([await left('activity', 'kept'), await left('activity', 'logins')], [numbers(6000, BATCH + 1), []]);
    assert.deepEqual(await left('revisions', 'kept'), numbers(6000, BATCH + 1));
});

test('a_row_that_somebody_has_locked_is_left_to_the_next_time', async () => {
    await write('locked', 7000, 3, 100);
    const holder = stack.sql(`set spark.scope = 'platform'; begin; select from directus_revisions where id = 7001 for update; select pg_sleep(600)`).catch(() => 'ended');
    const holders = () => stack.rows(`select pid from pg_stat_activity where query like '%id = 7001 for update%' and wait_event = 'PgSleep'`);
    await until(async () => (await holders()).length === 1, 'the lock');
    assert.equal((await trim('directus_revisions', 95)).deleted, 2);
    assert.deepEqual(await left('revisions', 'locked'), [7001]);
    await stack.rows(`select pg_terminate_backend(${(await holders())[0][0]})`);
    assert.equal(await holder, 'ended');
    assert.equal((await trim('directus_revisions', 95)).deleted, 1);
});

test('a_run_that_finds_nothing_leaves_no_line_in_the_work_log', async () => {
    const count = (await lines()).length;
    assert.equal((await trim('directus_revisions', 36500)).deleted, 0);
    assert.equal((await lines()).length, count);
});
