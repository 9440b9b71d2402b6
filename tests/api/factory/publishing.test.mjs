// Plans publish by themselves: what is approved goes out when its day has come, through the quality gate;
// what the gate refuses waits and is told once.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startApi } from '../../support/api.mjs';
import { until } from '../../support/stack.mjs';

let stack;
let made = 0;
before(async () => {
    stack = await startApi({ workers: 2 });
});
after(() => stack?.stop());

const ask = (method, path, body, token) => stack.call({ method, path, body, token: token ?? stack.adminToken });
const one = async (text) => (await stack.rows(text))[0];

async function makeSite(columns = {}) {
    const name = `due-${++made}`;
    const names = Object.keys(columns);
    const [id] = await one(`insert into sites (${['name', 'domain', ...names]}) values ('${name}', '${name}.example'${names.map((key) => `, '${columns[key]}'`).join('')}) returning id`);
    const token = (await ask('POST', '/api/admin/site-tokens', { site_id: id, name })).body.token;
    return { id, token };
}

/** A queue whose slots are done: one article a slot, due so many hours ago (or to come: negative). */
async function makeQueue(site, hoursAgo, { status = 'running', approve = true } = {}) {
    const [campaign] = await one(`insert into campaign_masters (site_id, name, target_word_count) values ('${site.id}', 'c ${++made}', 0) returning id`);
    const [queue] = await one(`insert into production_queue (site_id, campaign_id, campaign_site_id, status, total_requested)
        values ('${site.id}', '${campaign}', '${site.id}', '${status}', ${hoursAgo.length}) returning id`);
    const articles = [];
    for (const [position, hours] of hoursAgo.entries()) {
        const at = `'${new Date(Date.now() - hours * 3_600_000).toISOString()}'`;
        const [article] = await one(`insert into generated_articles (site_id, campaign_id, campaign_site_id, title, slug, status, content, date_published)
            values ('${site.id}', '${campaign}', '${site.id}', 'T', 'due-${++made}', 'qc', '<p>x</p>', ${at}) returning id`);
        if (approve) await stack.run(`update generated_articles set status = 'approved' where id = '${article}'`);
        await stack.run(`insert into queue_items (site_id, queue_id, position, status, publish_date, article_id)
            values ('${site.id}', '${queue}', ${position}, 'done', ${at}, '${article}')`);
        articles.push(article);
    }
    return { id: queue, articles };
}

const isOut = async (article) => (await one(`select a.is_published from generated_articles a where a.id = '${article}'`))[0] === 't';
const out = (article) => until(() => isOut(article), `article ${article} to be out`);
const slotOf = async (article) => {
    const [published, refused, after_] = await one(`select published_at, refused, publish_after from queue_items where article_id = '${article}'`);
    return { isPublished: published !== '', refused: refused === '' ? null : JSON.parse(refused), isLater: after_ !== '' };
};
const linesOf = (site, action = 'publish_refused') =>
    stack.rows(`select entity_id, details, actor from work_log where site_id = '${site.id}' and action = '${action}' order by id`);
const control = async (site, queue_id, action) => {
    const answer = await ask('POST', '/api/seo/queue-control', { queue_id, action }, site.token);
    assert.equal(answer.status, 200, answer.text);
    return answer.body;
};

test('what_is_due_goes_out_once_dated_today_and_nothing_before_its_day', async () => {
    const site = await makeSite();
    const queue = await makeQueue(site, [72, 1, -1]);
    const [old, recent, later] = queue.articles;
    await Promise.all([out(old), out(recent)]);
    assert.deepEqual([await isOut(later), await slotOf(later)], [false, { isPublished: false, refused: null, isLater: false }]);
    assert.deepEqual(await slotOf(old), { isPublished: true, refused: null, isLater: false });
    assert.deepEqual(await one(`select count(*), count(distinct source_article_id), bool_and(status = 'published' and robots = 'index,follow'),
        bool_and(published_at > now() - interval '1 hour') from posts where site_id = '${site.id}'`), ['2', '2', 't', 't']);
    assert.deepEqual(await one(`select bool_and(date_published > now() - interval '1 hour') from generated_articles where site_id = '${site.id}' and is_published`), ['t']);
    assert.deepEqual((await linesOf(site, 'published')).map(([, , actor]) => actor), ['machinery', 'machinery']);
    const { progress } = await control(site, queue.id, 'pause');
    assert.deepEqual([progress.completed, progress.published, progress.refused], [3, 2, 0]);
});

test('a_site_that_allows_it_keeps_the_dates_of_its_plan', async () => {
    const site = await makeSite({ backdating_allowed: true });
    const { articles: [article] } = await makeQueue(site, [72]);
    await out(article);
    assert.deepEqual(await one(`select p.published_at = i.publish_date and a.date_published = i.publish_date and a.published_at > now() - interval '1 hour'
        from queue_items i join generated_articles a on a.id = i.article_id join posts p on p.source_article_id = a.id where a.id = '${article}'`), ['t']);
});

test('what_the_gate_refuses_waits_and_is_told_once_until_it_may', async () => {
    const site = await makeSite();
    const queue = await makeQueue(site, [3], { approve: false, status: 'done' });
    const [article] = queue.articles;
    const held = () => until(async () => (await slotOf(article)).isLater, 'the slot to wait');
    await held();
    assert.deepEqual((await slotOf(article)).refused, ['not_approved']);
    await stack.run(`update queue_items set publish_after = null where article_id = '${article}'`); // looked at once more
    await held();
    const lines = await linesOf(site);
    assert.deepEqual(lines.map(([id, details]) => [id, JSON.parse(details)]), [[article, { conditions: ['not_approved'], queue_id: queue.id }]]);
    assert.equal(await isOut(article), false);
    assert.equal((await ask('POST', '/api/seo/approve-batch', { article_ids: [article] }, site.token)).body.approved, 1);
    await out(article);
    const slot = await slotOf(article);
    assert.deepEqual([slot.isPublished, slot.refused], [true, null]);
    assert.equal((await linesOf(site)).length, 1);
});

test('a_queue_that_is_paused_or_cancelled_publishes_nothing', async () => {
    const site = await makeSite();
    const paused = await makeQueue(site, [2], { status: 'paused' });
    const cancelled = await makeQueue(site, [2], { status: 'cancelled' });
    const other = await makeQueue(site, [1]); // younger: looked at after them
    await out(other.articles[0]);
    assert.deepEqual([await isOut(paused.articles[0]), await isOut(cancelled.articles[0])], [false, false]);
    await control(site, paused.id, 'resume');
    await out(paused.articles[0]);
    assert.equal(await isOut(cancelled.articles[0]), false);
    assert.equal((await linesOf(site)).length, 0);
});

test('a_ramp_that_is_used_up_holds_the_rest_until_the_next_day', async () => {
    const site = await makeSite({ publish_ramp_start: 2 });
    const { articles } = await makeQueue(site, [5, 4, 3, 2, 1]);
    await until(async () => (await one(`select count(*) from queue_items where site_id = '${site.id}' and refused = '["publish_ramp"]'`))[0] === '3', 'the rest to wait');
    assert.deepEqual(await Promise.all(articles.map(isOut)), [true, true, false, false, false]);
    assert.deepEqual(await one(`select bool_and(publish_after = ((now() at time zone 'utc')::date + 1)::timestamp at time zone 'utc') from queue_items
        where site_id = '${site.id}' and published_at is null`), ['t']);
    const lines = await linesOf(site);
    assert.deepEqual(lines.map(([id, details]) => [id, JSON.parse(details)]), [[site.id, { conditions: ['publish_ramp'], waiting: 3 }]]);
    await stack.run(`update spark.publish_days set day = day - 1 where site_id = '${site.id}';
        update queue_items set publish_after = null where site_id = '${site.id}'`); // the next day: 2 × 1.25
    await Promise.all(articles.map(out));
    assert.equal((await linesOf(site)).length, 1);
});

test('a_draft_that_an_editor_made_is_what_goes_out', async () => {
    const site = await makeSite();
    const { articles: [article] } = await makeQueue(site, [-1]);
    const draft = (await ask('POST', '/api/seo/publish-article', { article_id: article }, site.token)).body;
    await ask('PATCH', `/items/posts/${draft.post_id}`, { title: 'Edited' }, site.token);
    await stack.run(`update queue_items set publish_date = now() where article_id = '${article}'`);
    await out(article);
    assert.deepEqual(await stack.rows(`select id, title, status, robots from posts where site_id = '${site.id}'`), [[draft.post_id, 'Edited', 'published', 'index,follow']]);
});

test('what_somebody_published_by_hand_is_not_published_again', async () => {
    const site = await makeSite();
    const { articles: [article] } = await makeQueue(site, [-1]);
    assert.equal((await ask('POST', '/api/seo/publish-article', { article_id: article, status: 'published' }, site.token)).status, 200);
    assert.equal((await slotOf(article)).isPublished, true);
    assert.deepEqual(await one(`select date_published <= now() from generated_articles where id = '${article}'`), ['t']);
});
