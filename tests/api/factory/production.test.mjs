// Planned production through its endpoints: a schedule, a test batch, its approval, the queue at work;
// what stops it, what it survives, and who may touch it.

import assert from 'node:assert/strict';
import test from 'node:test';

import { startStack, until } from '../../support/stack.mjs';

let stack;
let made = 0;

test.before(async () => {
    stack = await startStack({ workers: 2 });
});
test.after(() => stack?.stop());

const post = (path, body, headers) => stack.request('POST', `/api/seo/${path}`, body, headers);
const owner = (text) => stack.sql(`set role spark_owner; set spark.scope = 'platform'; ${text}`);
const NOBODY = '99999999-9999-4999-8999-999999999999';
const DAY = 86_400_000;
const inDays = (days) => new Date(Date.now() + days * DAY).toISOString().slice(0, 10);

async function makeSite(settings = {}) {
    const name = `line-${++made}`;
    const columns = { time_zone: 'UTC', backdating_allowed: false, domain_age_years: 10, ...settings };
    const [[id]] = await owner(`insert into sites (name, domain, time_zone, backdating_allowed, domain_age_years)
        values ('${name}', '${name}.example', '${columns.time_zone}', ${columns.backdating_allowed}, ${columns.domain_age_years}) returning id`);
    const answer = await stack.request('POST', '/api/admin/site-tokens', { site_id: id, name });
    return { id, as: { authorization: `Bearer ${answer.body.token}` } };
}

/** A campaign with `headlines` free headlines. */
async function makeCampaign(site, headlines, change = () => {}) {
    const blueprint = {
        site_id: site.id,
        template: { name: 'Two parts', structure_json: ['intro', 'end'] },
        campaign: { name: `campaign ${++made}`, headline_spintax_root: '{a|b}', target_word_count: 0 },
        fragments: ['intro', 'end'].flatMap((type) => [1, 2].map((n) => ({ fragment_type: type, content_body: `<p>${type} ${n} {x|y|z}</p>` }))),
        headlines: Array.from({ length: headlines }, (_, n) => `Headline ${n}`),
    };
    change(blueprint);
    const answer = await stack.request('POST', '/api/admin/import-blueprint', blueprint);
    assert.equal(answer.status, 200, answer.text);
    return answer.body.campaign_id;
}

async function schedule(campaign_id, total_articles, extra = {}) {
    const answer = await post('schedule-production', { campaign_id, total_articles, ...extra });
    assert.equal(answer.status, 200, answer.text);
    return answer.body;
}

const slotsOf = async (queue) =>
    (await owner(`select status, attempts, coalesce(article_id::text, ''), coalesce(error, ''),
                         extract(epoch from publish_date)::bigint
                    from queue_items where queue_id = '${queue}' order by position`))
        .map(([status, attempts, article, error, at]) => ({ status, attempts: Number(attempts), article, error, at: Number(at) }));
const statusOf = async (queue) => (await owner(`select status from production_queue where id = '${queue}'`))[0][0];
const statuses = async (queue) => (await slotsOf(queue)).map((slot) => slot.status);
const settled = (queue) => until(async () => !['running'].includes(await statusOf(queue)), `queue ${queue} to settle`);

/** A queue that is approved, ready to be processed. */
async function approved(site, slots, headlines = slots) {
    const campaign = await makeCampaign(site, headlines);
    const { queue_id } = await schedule(campaign, slots, { test_batch_first: false });
    assert.equal((await post('approve-batch', { queue_id })).status, 200);
    return { campaign, queue_id };
}

/** Each slot that is done has an article of its own, dated as the slot says. */
async function expectWhole(queue, campaign, done) {
    const slots = (await slotsOf(queue)).filter((slot) => slot.status === 'done');
    assert.equal(slots.length, done);
    assert.equal(new Set(slots.map((slot) => slot.article)).size, done);
    const [[articles, dated]] = await owner(`
        select (select count(*) from generated_articles where campaign_id = '${campaign}' and not is_test_batch),
               (select count(*) from generated_articles a join queue_items i on i.article_id = a.id
                 where i.queue_id = '${queue}' and a.date_published = i.publish_date and not a.is_test_batch)`);
    assert.deepEqual([Number(articles), Number(dated)], [done, done]);
    assert.equal((await owner(`select completed_count from production_queue where id = '${queue}'`))[0][0], String(done));
}

test('schedule-production', async (t) => {
    const site = await makeSite({ time_zone: 'Europe/Berlin' });
    const campaign = await makeCampaign(site, 3);

    await t.test('97 are 97, inside hours and range, in every mode', async () => {
        for (const [mode, said] of [['STEADY', 'STEADY'], ['RAMP_UP', 'RAMP_UP'], ['RANDOM_SPIKES', 'SPIKES'], ['CONSISTENT', 'STEADY']]) {
            const [start, end] = [inDays(2), inDays(40)];
            const body = await schedule(campaign, 97, { date_range: { start, end }, velocity: { mode, jitter_minutes: 600, weekend_throttle: true, business_hours: true } });
            assert.equal(body.total_scheduled, 97);
            assert.equal(body.status, 'test_batch');
            assert.deepEqual({ ...body.velocity, seed: 0 }, { mode: said, weekend_throttle: true, jitter_minutes: 600, business_hours: true, time_zone: 'Europe/Berlin', seed: 0 });
            assert.equal(body.sample_distribution.length, 10);
            assert.equal(body.sample_distribution[0].date, start);
            assert.deepEqual(body.warnings, []);
            const [[count, outside]] = await owner(`
                select count(*), count(*) filter (where l::time < '09:00' or l::time >= '18:00' or l < '${start}'::date or l >= '${end}'::date)
                  from (select publish_date at time zone 'Europe/Berlin' as l from queue_items where queue_id = '${body.queue_id}') x`);
            assert.deepEqual([count, outside], ['97', '0']);
        }
    });

    await t.test('days on which clocks change are right in the zone of the site', async () => {
        const next = new Date().getUTCFullYear() + 1;
        for (const [zone, start, end] of [['Europe/Berlin', `${next}-03-20`, `${next}-04-05`], ['Europe/Berlin', `${next}-10-20`, `${next}-11-05`],
            ['America/New_York', `${next}-03-05`, `${next}-03-20`], ['Australia/Lord_Howe', `${next}-04-01`, `${next}-04-12`], ['Asia/Kathmandu', `${next}-01-01`, `${next}-01-03`]])
            for (const business_hours of [true, false]) {
                const there = await makeSite({ time_zone: zone });
                const body = await schedule(await makeCampaign(there, 1), 500, { date_range: { start, end }, velocity: { business_hours, weekend_throttle: false } });
                const hours = business_hours ? "l::time < '09:00' or l::time >= '18:00'" : 'false';
                const [[count, outside]] = await owner(`
                    select count(*), count(*) filter (where ${hours} or l < '${start}'::date or l >= '${end}'::date)
                      from (select publish_date at time zone '${zone}' as l from queue_items where queue_id = '${body.queue_id}') x`);
                assert.deepEqual([count, outside], ['500', '0'], `${zone} ${start}`);
            }
    });

    await t.test('the same seed gives the same dates', async () => {
        const extra = { date_range: { start: inDays(3), end: inDays(30) }, velocity: { mode: 'SPIKES', seed: 42 } };
        const times = async () => (await slotsOf((await schedule(campaign, 50, extra)).queue_id)).map((slot) => slot.at);
        assert.deepEqual(await times(), await times());
    });

    await t.test('what the body does not say, the campaign does', async () => {
        const body = await schedule(campaign, 5);
        assert.deepEqual({ ...body.velocity, seed: 0 }, { mode: 'STEADY', weekend_throttle: true, jitter_minutes: 120, business_hours: true, time_zone: 'Europe/Berlin', seed: 0 });
        assert.ok((await slotsOf(body.queue_id)).every((slot) => slot.at * 1000 >= Date.parse(body.date_range.start) && slot.at * 1000 < Date.parse(body.date_range.end)));
        const [[action]] = await owner(`select action from work_log where entity_id = '${body.queue_id}'`);
        assert.equal(action, 'schedule_created');
    });

    await t.test('backdating is off: what begins in the past begins now, and says so', async () => {
        const body = await schedule(campaign, 20, { date_range: { start: '2020-01-01', end: inDays(20) } });
        assert.match(body.warnings.join(), /backdating is off/);
        assert.ok((await slotsOf(body.queue_id)).every((slot) => slot.at * 1000 > Date.now() - DAY));
        const past = await post('schedule-production', { campaign_id: campaign, total_articles: 5, date_range: { start: '2020-01-01', end: '2020-06-01' } });
        assert.equal(past.status, 400);
        assert.match(past.body.message, /backdating_allowed/);
        assert.equal(past.body.errors[0].field, 'date_range');
    });

    await t.test('where it is on, no article is older than the domain less three months, and the answer warns', async () => {
        const old = await makeSite({ backdating_allowed: true, domain_age_years: 0.5 });
        const there = await makeCampaign(old, 1);
        const body = await schedule(there, 50, { date_range: { start: '2015-01-01' } });
        assert.match(body.warnings.join(), /domain's age/);
        assert.match(body.warnings.join(), /mislead/);
        const [[early, late, kept]] = await owner(`
            select count(*) filter (where publish_date < now() - interval '3 months 1 minute'), count(*) filter (where publish_date > now()),
                   count(*) filter (where modified_date is not null)
              from queue_items where queue_id = '${body.queue_id}'`);
        assert.deepEqual([early, late, kept], ['0', '0', '0']);
    });

    for (const [what, change, field] of [
        ['no total', { total_articles: undefined }, 'total_articles'],
        ['a total of 0', { total_articles: 0 }, 'total_articles'],
        ['more than 100,000', { total_articles: 100_001 }, 'total_articles'],
        ['a mode that is none', { velocity: { mode: 'SOMETIMES' } }, 'velocity.mode'],
        ['jitter beyond a day', { velocity: { jitter_minutes: 1441 } }, 'jitter_minutes'],
        ['a start that is no date', { date_range: { start: 'tomorrow' } }, 'date_range.start'],
        ['an end before the start', { date_range: { start: inDays(9), end: inDays(3) } }, 'date_range'],
        ['eleven years', { date_range: { start: inDays(1), end: inDays(4000) } }, 'date_range'],
        ['an hour of the night', { date_range: { start: `${inDays(5)}T01:00:00Z`, end: `${inDays(5)}T02:00:00Z` }, velocity: { business_hours: true } }, 'date_range'],
        ['a range that is a text', { date_range: 'June' }, 'date_range'],
        ['no campaign', { campaign_id: undefined }, 'campaign_id'],
    ])
        await t.test(`refuses ${what}`, async () => {
            const answer = await post('schedule-production', { campaign_id: campaign, total_articles: 5, ...change });
            assert.equal(answer.status, 400, answer.text);
            assert.equal(answer.body.errors[0].field, field);
        });

    await t.test('a time zone that nobody knows cannot be set', async () => {
        const answer = await stack.request('PATCH', `/items/sites/${site.id}`, { time_zone: 'Mars/Olympus' });
        assert.equal(answer.status, 400, answer.text);
    });
});

test('generate-test-batch', async (t) => {
    const site = await makeSite();
    const campaign = await makeCampaign(site, 14);
    const { queue_id } = await schedule(campaign, 10, { test_batch_first: false });

    await t.test('makes real articles that take no slot', async () => {
        const answer = await post('generate-test-batch', { queue_id, batch_size: 4 });
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual([answer.body.generated, answer.body.articles.length, answer.body.test_batch_status], [4, 4, 'ready']);
        const [[stored]] = await owner(`select count(*) from generated_articles where campaign_id = '${campaign}' and is_test_batch
            and status = 'qc' and slug is not null and content like '<p>intro%' and date_published is null`);
        assert.equal(stored, '4');
        assert.equal(await statusOf(queue_id), 'test_batch');
        assert.deepEqual(new Set(await statuses(queue_id)), new Set(['pending']));
        assert.deepEqual(await owner(`select test_batch_status from campaign_masters where id = '${campaign}'`), [['ready']]);
    });

    await t.test('refused, the queue waits again, and is no dead end', async () => {
        const refused = await post('approve-batch', { queue_id, approved: false });
        assert.deepEqual([refused.status, refused.body.status], [200, 'pending']);
        assert.equal((await post('process-queue', { queue_id })).status, 409);
        assert.equal((await post('approve-batch', { queue_id, approved: true })).body.status, 'approved');
        const answer = await post('process-queue', { queue_id });
        assert.deepEqual([answer.status, answer.body.generated, answer.body.status], [200, 10, 'done'], answer.text);
        await expectWhole(queue_id, campaign, 10);
    });

    await t.test('by its campaign alone, and not from nothing', async () => {
        const other = await makeCampaign(site, 2);
        assert.equal((await post('generate-test-batch', { campaign_id: other })).body.generated, 2);
        const answer = await post('generate-test-batch', { campaign_id: other });
        assert.deepEqual([answer.status, answer.body.code], [409, 'CONFLICT']);
        assert.equal((await post('generate-test-batch', {})).status, 400);
        assert.equal((await post('generate-test-batch', { campaign_id: other, batch_size: 51 })).status, 400);
    });
});

test('process-queue', async (t) => {
    const site = await makeSite();

    await t.test('goes slot by slot to the end, and says so', async () => {
        const { campaign, queue_id } = await approved(site, 12);
        const first = await post('process-queue', { queue_id, batch_limit: 5 });
        assert.equal(first.status, 200, first.text);
        assert.deepEqual([first.body.success, first.body.generated, first.body.errors, first.body.status], [true, 5, 0, 'running']);
        assert.deepEqual(first.body.progress, { completed: 5, total: 12, percent: 41, failed: 0, claimed: 0, pending: 7, published: 0, refused: 0 });
        assert.ok(first.body.next_step);
        assert.deepEqual(await owner(`select factory_status from sites where id = '${site.id}'`), [['generating']]);
        assert.deepEqual((await statuses(queue_id)).slice(0, 6), ['done', 'done', 'done', 'done', 'done', 'pending']);
        const second = await post('process-queue', { queue_id, limit: 10 });
        assert.deepEqual([second.body.generated, second.body.status, second.body.progress.percent], [7, 'done', 100]);
        await expectWhole(queue_id, campaign, 12);
        assert.deepEqual(await owner(`select factory_status from sites where id = '${site.id}'`), [['idle']]);
        const third = await post('process-queue', { queue_id });
        assert.deepEqual([third.status, third.body], [200, { success: true, message: 'Queue complete', total_generated: 12 }]);
    });

    await t.test("an article speaks of its slot's day, not of today", async () => {
        const campaign = await makeCampaign(site, 9, (body) =>
            (body.fragments = ['intro', 'end'].flatMap((type) => [1, 2].map((n) => ({ fragment_type: type, content_body: `<p>${type} ${n} {x|y|z} {current_year}</p>` })))));
        const year = new Date().getUTCFullYear();
        const { queue_id } = await schedule(campaign, 9, { test_batch_first: false, date_range: { start: `${year + 1}-06-01`, end: `${year + 3}-06-01` } });
        await post('approve-batch', { queue_id });
        assert.equal((await post('process-queue', { queue_id })).body.generated, 9);
        const [[wrong]] = await owner(`select count(*) from queue_items i join generated_articles a on a.id = i.article_id
            where i.queue_id = '${queue_id}' and a.content not like '%' || extract(year from i.publish_date at time zone 'utc') || '%'`);
        assert.equal(wrong, '0');
    });

    await t.test('more than a few are the workers', async () => {
        const { campaign, queue_id } = await approved(site, 120);
        assert.equal((await post('process-queue', { queue_id, priority: 'now' })).body.errors[0].field, 'priority');
        const answer = await post('process-queue', { queue_id, batch_limit: 110, priority: 'low' });
        assert.deepEqual([answer.status, answer.body.queued, answer.body.jobs, answer.body.status], [202, 110, 3, 'running'], answer.text);
        await until(async () => (await statuses(queue_id)).filter((status) => status === 'done').length === 110, '110 slots');
        assert.deepEqual(await owner(`select distinct priority from spark.jobs where payload ->> 'queue_id' = '${queue_id}'`), [['3']]);
        assert.equal(await statusOf(queue_id), 'running');
        assert.equal((await post('process-queue', { queue_id })).body.status, 'done');
        await expectWhole(queue_id, campaign, 120);
    });

    await t.test('ten at once on one queue: every slot once', async () => {
        const { campaign, queue_id } = await approved(site, 150);
        const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => post('process-queue', { queue_id, batch_limit: n % 2 ? 5 : 30, async: n % 4 === 0 })));
        assert.ok(answers.every((answer) => [200, 202].includes(answer.status)), answers.map((answer) => answer.text).join('\n'));
        await post('process-queue', { queue_id, batch_limit: 1000, async: true });
        await settled(queue_id);
        assert.equal(await statusOf(queue_id), 'done');
        await expectWhole(queue_id, campaign, 150);
        assert.ok((await slotsOf(queue_id)).every((slot) => slot.attempts === 1));
    });

    await t.test('headlines that run out fail their slots, shift none, and retry makes only those', async () => {
        const { campaign, queue_id } = await approved(site, 8, 5);
        const before = (await slotsOf(queue_id)).map((slot) => slot.at);
        const answer = await post('process-queue', { queue_id });
        assert.deepEqual([answer.status, answer.body.generated, answer.body.errors, answer.body.status], [200, 5, 3, 'failed'], answer.text);
        assert.match(answer.body.error_log, /no free headline/);
        const failed = await slotsOf(queue_id);
        assert.deepEqual(failed.map((slot) => slot.status), [...Array(5).fill('done'), ...Array(3).fill('failed')]);
        assert.match(failed[5].error, /no free headline/);
        assert.equal((await post('process-queue', { queue_id })).status, 409);

        await owner(`insert into headline_inventory (site_id, campaign_id, final_title_text)
                     select '${site.id}', '${campaign}', 'More ' || n from generate_series(1, 3) n`);
        const retried = await post('queue-control', { queue_id, action: 'retry' });
        assert.deepEqual([retried.status, retried.body.status, retried.body.progress.pending], [200, 'approved', 3], retried.text);
        assert.equal((await post('process-queue', { queue_id })).body.status, 'done');
        const after = await slotsOf(queue_id);
        assert.deepEqual(after.map((slot) => slot.at), before);
        assert.deepEqual(after.slice(0, 5), failed.slice(0, 5));
        assert.deepEqual(after.map((slot) => slot.attempts), [1, 1, 1, 1, 1, 2, 2, 2]);
        await expectWhole(queue_id, campaign, 8);
    });

    await t.test('a campaign that cannot be assembled fails its slots with the reason, and nothing of it stays', async () => {
        const campaign = await makeCampaign(site, 6, (body) => (body.fragments = [{ fragment_type: 'elsewhere', content_body: 'x' }]));
        const { queue_id } = await schedule(campaign, 4, { test_batch_first: false });
        await post('approve-batch', { queue_id });
        const answer = await post('process-queue', { queue_id });
        assert.deepEqual([answer.status, answer.body.generated, answer.body.errors, answer.body.status], [200, 0, 4, 'failed'], answer.text);
        assert.deepEqual(new Set(await statuses(queue_id)), new Set(['failed']));
        assert.deepEqual(await owner(`select count(*) from headline_inventory where campaign_id = '${campaign}' and status = 'available'`), [['6']]);
    });

    await t.test('a job that dies leaves its slots failed and the queue able to be retried', async () => {
        const { campaign, queue_id } = await approved(site, 30);
        const [[job]] = await owner(`
            with j as (insert into spark.jobs (site_id, kind, state, payload, run_at)
                       values ('${site.id}', 'process-queue', 'running', '{"queue_id":"${queue_id}"}', now() + interval '1 hour') returning id),
                 q as (update production_queue set status = 'running' where id = '${queue_id}')
            select id from j`);
        await owner(`update queue_items set status = 'claimed', claimed_by = ${job} where queue_id = '${queue_id}' and position < 20`);
        await owner(`update spark.jobs set state = 'dead', crashes = crashes + 1, error = 'it died' where id = ${job}`);
        assert.deepEqual(await owner(`select status, error_log from production_queue where id = '${queue_id}'`), [['failed', 'it died']]);
        assert.deepEqual((await statuses(queue_id)).filter((status) => status === 'failed').length, 20);
        await post('queue-control', { queue_id, action: 'retry' });
        await post('process-queue', { queue_id });
        await settled(queue_id);
        assert.equal(await statusOf(queue_id), 'done');
        await expectWhole(queue_id, campaign, 30);
    });
});

test('queue-control', async (t) => {
    const site = await makeSite();
    const control = (queue_id, action) => post('queue-control', { queue_id, action });

    await t.test('pause stops between slots, resume goes on where it stood', async () => {
        const { campaign, queue_id } = await approved(site, 9);
        await post('process-queue', { queue_id, batch_limit: 4 });
        assert.equal((await control(queue_id, 'pause')).body.status, 'paused');
        const refused = await post('process-queue', { queue_id });
        assert.deepEqual([refused.status, refused.body.code, refused.body.errors[0].status], [409, 'CONFLICT', 'paused']);
        assert.equal((await control(queue_id, 'resume')).body.status, 'running');
        assert.equal((await post('process-queue', { queue_id })).body.status, 'done');
        await expectWhole(queue_id, campaign, 9);
    });

    await t.test('a job of a paused queue gives its slots back', async () => {
        const { queue_id } = await approved(site, 20);
        await owner(`update production_queue set status = 'running' where id = '${queue_id}';
                     update production_queue set status = 'paused' where id = '${queue_id}'`);
        const [[job]] = await owner(`
            with j as (insert into spark.jobs (site_id, kind, payload) values ('${site.id}', 'process-queue', '{"queue_id":"${queue_id}"}') returning id),
                 s as (update queue_items set status = 'claimed', claimed_by = (select id from j) where queue_id = '${queue_id}')
            select id from j`);
        await until(async () => (await owner(`select state from spark.jobs where id = ${job}`))[0][0] === 'done', 'the job to end');
        assert.deepEqual(new Set(await statuses(queue_id)), new Set(['pending']));
        assert.ok((await slotsOf(queue_id)).every((slot) => slot.attempts === 0));
    });

    await t.test('only the moves of the state machine, by route and by item', async () => {
        const legal = {
            pause: ['running'], resume: ['paused'], retry: ['failed'],
            cancel: ['pending', 'test_batch', 'approved', 'running', 'paused', 'failed'],
        };
        const after = { pause: 'paused', resume: 'running', retry: 'approved', cancel: 'cancelled' };
        const campaign = await makeCampaign(site, 1);
        for (const status of ['pending', 'test_batch', 'approved', 'running', 'paused', 'done', 'failed', 'cancelled'])
            for (const action of Object.keys(legal)) {
                const [[queue_id]] = await owner(`insert into production_queue (site_id, campaign_id, status) values ('${site.id}', '${campaign}', '${status}') returning id`);
                const answer = await control(queue_id, action);
                const isLegal = legal[action].includes(status);
                assert.equal(answer.status, isLegal ? 200 : 409, `${action} of ${status}: ${answer.text}`);
                assert.equal(await statusOf(queue_id), isLegal ? after[action] : status);
                if (!isLegal) assert.deepEqual([answer.body.code, answer.body.errors[0].status], ['CONFLICT', status]);
            }
        const [[queue]] = await owner(`insert into production_queue (site_id, campaign_id, status) values ('${site.id}', '${campaign}', 'pending') returning id`);
        const patched = await stack.request('PATCH', `/items/production_queue/${queue}`, { status: 'done' });
        assert.equal(patched.status, 409, patched.text);
        assert.equal(await statusOf(queue), 'pending');
    });

    await t.test('refuses what is no action, and queues that are not there', async () => {
        assert.equal((await control(NOBODY, 'explode')).body.errors[0].field, 'action');
        assert.equal((await control(NOBODY, 'pause')).status, 404);
        assert.equal((await post('queue-control', { action: 'pause' })).body.errors[0].field, 'queue_id');
        assert.equal((await post('process-queue', { queue_id: NOBODY })).status, 404);
        assert.equal((await post('process-queue', { queue_id: NOBODY, batch_limit: 10_001 })).status, 400);
    });
});

test('nobody reaches into another site', async () => {
    const [mine, theirs] = [await makeSite(), await makeSite()];
    const { campaign, queue_id } = await approved(theirs, 5);
    for (const [path, body] of [
        ['schedule-production', { campaign_id: campaign, total_articles: 3 }],
        ['generate-test-batch', { campaign_id: campaign }],
        ['generate-test-batch', { queue_id }],
        ['process-queue', { queue_id }],
        ['queue-control', { queue_id, action: 'cancel' }],
    ]) {
        assert.equal((await post(path, body, mine.as)).status, 404, path);
        assert.equal((await post(path, { ...body, site_id: theirs.id }, mine.as)).status, 403, path);
        const anonymous = await fetch(`${stack.url}/api/seo/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
        assert.equal(anonymous.status, 401, path);
    }
    assert.equal(await statusOf(queue_id), 'approved');
    assert.equal((await post('process-queue', { queue_id }, theirs.as)).body.status, 'done');
    await expectWhole(queue_id, campaign, 5);
});
