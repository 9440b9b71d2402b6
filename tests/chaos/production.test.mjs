// A production queue under fire: whatever dies, every slot has one article, and none has two.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { binary, Child, sql, startBackends, startStack, until } from '../support/stack.mjs';

const SLOTS = 600;

let backends;
let stack;
let running = [];
let started = 0;

const asOwner = (text) => sql(stack.databaseUrl, `set role spark_owner; set spark.scope = 'platform'; ${text}`);
const one = async (text) => (await asOwner(text))[0];
const done = async () => Number((await one("select count(*) from queue_items where status = 'done'"))[0]);
const reach = (part) => until(async () => (await done()) >= SLOTS * part, `${part} of the slots`);

before(async () => {
    backends = await startBackends();
    stack = await startStack({ backends, env: { WORKER_LEASE: '2', JOB_RETRY_BASE: '50', LOG_LEVEL: 'info' } });
});
after(async () => {
    await stack?.stop();
    await backends?.stop();
});
afterEach(async () => {
    for (const worker of running) await worker.kill('SIGKILL');
    running = [];
});

function startWorker() {
    const worker = new Child(`worker ${++started}`, binary, ['worker'], {
        env: { ...stack.env, WORKER_CONCURRENCY: '2' },
        logFile: `${stack.folder}/production-worker-${started}.log`,
    });
    running.push(worker);
    return worker;
}

async function call(path, body, status) {
    const answer = await stack.request('POST', path, body);
    assert.equal(answer.status, status, answer.text);
    return answer.body;
}

/** An approved queue whose slots are all handed out. */
async function startQueue() {
    await asOwner('delete from spark.jobs; truncate campaign_masters cascade');
    const [site] = await one(`insert into sites (name) values ('chaos ${++started}') returning id`);
    const campaign_id = (await call('/api/admin/import-blueprint', {
        site_id: site,
        template: { name: 'Two parts', structure_json: ['intro', 'end'] },
        campaign: { name: 'chaos', headline_spintax_root: '{a|b}', target_word_count: 0 },
        fragments: ['intro', 'end'].flatMap((type) =>
            [1, 2, 3].map((n) => ({ fragment_type: type, content_body: `<p>${type} ${n} ${'{some|more} words '.repeat(200)}</p>` }))),
        headlines: Array.from({ length: SLOTS }, (_, n) => `Headline ${n}`),
    }, 200)).campaign_id;
    const { queue_id } = await call('/api/seo/schedule-production', { campaign_id, total_articles: SLOTS, test_batch_first: false }, 200);
    await call('/api/seo/approve-batch', { queue_id }, 200);
    assert.equal((await call('/api/seo/process-queue', { queue_id, batch_limit: SLOTS }, 202)).queued, SLOTS);
    await asOwner('update spark.jobs set max_crashes = 100');
    return queue_id;
}

async function expectEverySlotOnce(queue) {
    await until(async () => (await one(`select status from production_queue where id = '${queue}'`))[0] !== 'running', 'the queue to end', 120);
    assert.deepEqual(await one(`select status, completed_count from production_queue where id = '${queue}'`), ['done', String(SLOTS)]);
    assert.deepEqual(
        await one(`select count(*), count(distinct article_id), count(distinct position), min(attempts), max(attempts) from queue_items where status = 'done'`),
        [String(SLOTS), String(SLOTS), String(SLOTS), '1', '1'],
    );
    assert.deepEqual(await one('select count(*), count(distinct headline_id) from generated_articles'), [String(SLOTS), String(SLOTS)]);
    assert.deepEqual(
        await one(`select count(*) from queue_items i join generated_articles a on a.id = i.article_id and a.date_published = i.publish_date`),
        [String(SLOTS)],
    );
}

test('workers_killed_in_mid_queue_fill_every_slot_once', async () => {
    const queue = await startQueue();
    startWorker();
    startWorker();
    for (const part of [0.1, 0.3, 0.5, 0.7]) {
        await reach(part);
        await running.splice(Math.floor(Math.random() * running.length), 1)[0].kill('SIGKILL');
        startWorker();
    }
    await expectEverySlotOnce(queue);
});

test('postgresql_restarted_in_mid_queue_costs_no_slot_and_doubles_none', async () => {
    const queue = await startQueue();
    startWorker();
    await reach(0.2);
    const pid = await backends.postgresPid();
    process.kill(pid, 'SIGQUIT'); // pg_ctl stop -m immediate
    await until(() => backends.postgresPid().then((now) => now !== pid, () => false), 'another PostgreSQL');
    await until(() => done().then(() => true, () => false), 'PostgreSQL to answer');
    startWorker();
    await expectEverySlotOnce(queue);
});
