// Generation under fire: whatever dies, every headline becomes one article, and the batch that an
// editor watches ends with the right numbers.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { binary, Child, sql, startBackends, startStack, until } from '../support/stack.mjs';

const HEADLINES = 600;
const BATCH = 5;

let backends;
let stack;
let campaign;
let running = [];
let started = 0;

const asOwner = (text) => sql(stack.databaseUrl, `set role spark_owner; set spark.scope = 'platform'; ${text}`);
const one = async (text) => (await asOwner(text))[0];
const articles = async () => Number((await one('select count(*) from generated_articles'))[0]);

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
        env: stack.env,
        logFile: `${stack.folder}/articles-worker-${started}.log`,
    });
    running.push(worker);
    return worker;
}

async function call(path, body, status) {
    const answer = await stack.request('POST', path, body);
    assert.equal(answer.status, status, answer.text);
    return answer.body;
}

/** A site with a campaign of its own, its headlines, and a batch that takes all of them. */
async function startBatch() {
    await asOwner('delete from spark.jobs; truncate campaign_masters, work_log cascade');
    const [site] = await one(`insert into sites (name) values ('chaos ${++started}') returning id`);
    const numbers = Array.from({ length: 10 }, (_, n) => n).join('|');
    campaign = (await call('/api/admin/import-blueprint', {
        site_id: site,
        template: { name: 'Two parts', structure_json: ['intro', 'end'] },
        campaign: { name: 'chaos', headline_spintax_root: `{${numbers}} {a|b|c|d|e|f} {${numbers}}`, target_word_count: 0 },
        fragments: ['intro', 'end'].flatMap((type) =>
            [1, 2, 3].map((n) => ({ fragment_type: type, content_body: `<p>${type} ${n} ${'{some|more} words '.repeat(200)}</p>` }))),
    }, 200)).campaign_id;
    assert.equal((await call('/api/seo/generate-headlines', { campaign_id: campaign }, 200)).generated, HEADLINES);
    const batch = await call('/api/seo/generate-article', { campaign_id: campaign, batch_size: BATCH, total: HEADLINES }, 202);
    await asOwner('update spark.jobs set max_crashes = 100');
    return batch.job_id;
}

async function expectEveryArticleOnce(batch) {
    await until(async () => (await one(`select status from generation_jobs where id = '${batch}'`))[0] === 'completed', 'the batch to end', 120);
    const made = await one('select count(*), count(distinct headline_id), count(distinct slug), count(distinct generation_hash) from generated_articles');
    assert.deepEqual(made, Array(4).fill(String(HEADLINES)));
    assert.deepEqual(
        await one(`select count(*) from headline_inventory h join generated_articles a on a.id = h.used_on_article and a.headline_id = h.id
                    where h.status = 'used'`),
        [String(HEADLINES)],
    );
    const jobs = String(HEADLINES / BATCH);
    assert.deepEqual(await asOwner('select state, count(*) from spark.jobs group by state'), [['done', jobs]]);
    assert.deepEqual(
        await one(`select current_offset, progress, jobs_done, jobs_failed from generation_jobs where id = '${batch}'`),
        [String(HEADLINES), '100', jobs, '0'],
    );
    assert.deepEqual(await one("select count(*) from work_log where action = 'generated'"), [jobs]);
}

const reach = (part) => until(async () => (await articles()) >= HEADLINES * part, `${part} of the articles`);

test('workers_killed_while_they_generate_make_every_article_once', async () => {
    const batch = await startBatch();
    startWorker();
    startWorker();
    for (const part of [0.1, 0.3, 0.5, 0.7]) {
        await reach(part + Math.random() / 10);
        await running.splice(Math.floor(Math.random() * running.length), 1)[0].kill('SIGKILL');
        startWorker();
    }
    await expectEveryArticleOnce(batch);
});

test('redis_that_forgets_everything_while_they_generate_costs_no_article', async () => {
    const batch = await startBatch();
    startWorker();
    await reach(0.2);
    await backends.redis('flushall');
    startWorker();
    await expectEveryArticleOnce(batch);
});
