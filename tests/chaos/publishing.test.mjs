// Publication at a date, under fire: whatever dies in the middle of it, each article goes out once.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { binary, Child, sql, startBackends, startStack, until } from '../support/stack.mjs';

const SLOTS = 400;

let backends;
let stack;
let running = [];
let started = 0;

const asOwner = (text) => sql(stack.databaseUrl, `set role spark_owner; set spark.scope = 'platform'; ${text}`);
const one = async (text) => (await asOwner(text))[0];
const published = async () => Number((await one("select count(*) from posts where status = 'published'"))[0]);
const reach = (part) => until(async () => (await published()) >= SLOTS * part, `${part} of the articles`);

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
        logFile: `${stack.folder}/publishing-worker-${started}.log`,
    });
    running.push(worker);
    return worker;
}

/** Approved articles in slots that are due, on two sites; on the second a ramp ends before they do. */
async function plan() {
    await asOwner('delete from spark.jobs; delete from sites where id <> spark.library_site()');
    await asOwner(`insert into sites (name, publish_ramp_start) values ('free', null), ('ramp', 30);
        insert into campaign_masters (site_id, name, target_word_count) select id, 'c', 0 from sites where id <> spark.library_site();
        insert into production_queue (site_id, campaign_id, campaign_site_id, status, total_requested)
        select site_id, id, site_id, 'done', ${SLOTS} from campaign_masters;
        insert into generated_articles (site_id, campaign_id, campaign_site_id, title, slug, status, content)
        select c.site_id, c.id, c.site_id, 'T', 'a-' || n, 'qc', '<p>x</p>' from campaign_masters c
         cross join generate_series(1, ${SLOTS} / 2) n;
        update generated_articles set status = 'approved';
        insert into queue_items (site_id, queue_id, position, status, publish_date, article_id)
        select a.site_id, q.id, row_number() over (partition by a.site_id order by a.id), 'done', now() - interval '1 hour', a.id
          from generated_articles a join production_queue q on q.site_id = a.site_id`);
}

const OUT = SLOTS / 2 + 30;
async function expectEachOnce() {
    await until(async () => (await published()) >= OUT, 'the articles to be out', 120);
    await until(async () => (await one('select count(*) from queue_items where published_at is null and refused is null'))[0] === '0', 'every slot to be looked at', 120);
    assert.deepEqual(
        await one(`select count(*), count(distinct source_article_id) from posts where status = 'published' and robots = 'index,follow'`),
        [String(OUT), String(OUT)],
    );
    assert.deepEqual(
        await one(`select count(*) from generated_articles a join posts p on p.id = a.published_to_post and p.source_article_id = a.id
                     join queue_items i on i.article_id = a.id and i.published_at is not null where a.is_published`),
        [String(OUT)],
    );
    assert.deepEqual(await one("select count(*), count(distinct entity_id) from work_log where action = 'published' and site_id <> spark.library_site()"), [String(OUT), String(OUT)]);
    assert.deepEqual(await one(`select published, (select count(*) from generated_articles a where a.site_id = d.site_id and a.is_published) from spark.publish_days d`), ['30', '30']);
    assert.deepEqual(await one("select count(*) from work_log where action = 'publish_refused' and site_id <> spark.library_site()"), ['1']);
}

test('workers_killed_while_they_publish_publish_each_article_once', async () => {
    await plan();
    startWorker();
    startWorker();
    for (const part of [0.05, 0.2, 0.35, 0.5]) {
        await reach(part);
        await running.splice(Math.floor(Math.random() * running.length), 1)[0].kill('SIGKILL');
        startWorker();
    }
    await expectEachOnce();
});

test('postgresql_restarted_while_they_publish_costs_no_article_and_doubles_none', async () => {
    await plan();
    startWorker();
    await reach(0.2);
    const pid = await backends.postgresPid();
    process.kill(pid, 'SIGQUIT'); // pg_ctl stop -m immediate
    await until(() => backends.postgresPid().then((now) => now !== pid, () => false), 'another PostgreSQL');
    await until(() => published().then(() => true, () => false), 'PostgreSQL to answer');
    await expectEachOnce();
});
