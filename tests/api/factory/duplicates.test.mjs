// POST /api/seo/scan-duplicates: flags of one site, once a pair, at once or as a job.

import assert from 'node:assert/strict';
import test from 'node:test';

import { startStack, until } from '../../support/stack.mjs';

let stack;
let made = 0;

test.before(async () => {
    stack = await startStack({ workers: 1 });
    stack.rows = (text) => stack.sql(`set spark.scope = 'platform'; ${text}`);
});
test.after(() => stack?.stop());

async function makeSite(fields = {}) {
    const name = `site-${++made}`;
    await stack.request('POST', '/items/sites', { name, domain: `${name}.example`, ...fields });
    const found = await stack.request('GET', `/items/sites?filter[name][_eq]=${name}&fields=id`);
    const id = found.body.data[0].id;
    const answer = await stack.request('POST', '/api/admin/site-tokens', { site_id: id, name });
    return { id, as: { authorization: `Bearer ${answer.body.token}` } };
}

/* A text of its own for every number. */
const words = (seed, count) => Array.from({ length: count }, (_, i) => `word${(seed * 7919 + i * 104729) % 99991}`).join(' ');
const body = (seed, extra = '') => `<h1>Title</h1><p>${words(seed, 120)}</p><p>${extra}</p>`;

async function addArticles(site, rows) {
    const answer = await stack.request('POST', '/items/generated_articles?fields=id&limit=-1',
        rows.map((row, i) => ({ title: `Article ${++made}`, slug: `article-${made}-${i}`, status: 'qc', ...row })), site.as);
    assert.equal(answer.status, 200, answer.text);
    return answer.body.data.map((row) => row.id);
}

const scan = (site, request = {}) => stack.request('POST', '/api/seo/scan-duplicates', request, site?.as);
const flagsOf = async (site) => (await stack.request('GET', '/items/quality_flags?limit=-1', undefined, site.as)).body.data;

async function jobDone(id) {
    return until(async () => {
        const [[state, result, error]] = await stack.rows(`select state, result, error from spark.jobs where id = ${id}`);
        assert.ok(!['dead', 'cancelled'].includes(state), error);
        return state === 'done' && JSON.parse(result);
    }, `job ${id}`);
}

test('fewer than two articles: nothing to do', async () => {
    const site = await makeSite();
    const none = await scan(site);
    assert.deepEqual([none.status, none.body.success, none.body.flags_created], [200, true, 0]);
    assert.match(none.body.message, /fewer than two/);
    const ids = await addArticles(site, [{ content: body(1) }]);
    const one = await scan(site, { batch_ids: ids });
    assert.deepEqual([one.status, one.body.articles_scanned, one.body.flags_created], [200, 1, 0]);
});

test('threshold_flags_what_is_alike_and_a_second_scan_flags_nothing', async () => {
    const site = await makeSite();
    const ids = await addArticles(site, [
        { content: body(1) }, { content: body(1, words(50, 40)) }, { content: body(2) }, { content: body(3) },
    ]);
    const first = await scan(site, { batch_ids: ids });
    assert.equal(first.status, 200, first.text);
    assert.deepEqual([first.body.articles_scanned, first.body.collisions_found, first.body.flags_created], [4, 1, 1]);
    const [pair] = first.body.details;
    assert.deepEqual([pair.article_a, pair.article_b].sort(), ids.slice(0, 2).sort());
    assert.match(pair.similarity, /^\d+\.\d%$/);
    assert.ok(parseFloat(pair.similarity) > 60 && parseFloat(pair.similarity) < 90, pair.similarity);
    assert.ok(pair.examples.length >= 1 && pair.examples[0].startsWith('title word'));
    const again = await scan(site, { site_id: site.id, threshold: 0.3 });
    assert.deepEqual([again.body.collisions_found, again.body.flags_created], [1, 0]);
    const flags = await flagsOf(site);
    assert.equal(flags.length, 1);
    assert.equal(flags[0].site_id, site.id);
    assert.equal(flags[0].status, 'pending');
    assert.equal(`${flags[0].similarity_score.toFixed(1)}%`, pair.similarity);
    assert.equal(flags[0].collision_text, pair.examples.join(' | '));
});

test('articles that differ in their place and niche alone are equal, and blocked', async () => {
    const site = await makeSite();
    const text = (city, niche) => `<p>${words(9, 60)} in ${city} about ${niche} ${words(10, 30)} ${city}\u2019s ${words(11, 30)}</p>`;
    const campaign = await stack.request('POST', '/items/campaign_masters', { name: 'c', niche_variables: { Niche: 'bikes|garden care' } }, site.as);
    const campaign_id = campaign.body.data.id;
    const ids = await addArticles(site, [
        { campaign_id, location_city: 'Austin', content: text('Austin', 'bikes') },
        { campaign_id, location_city: 'St. Louis', content: text('St. Louis', 'garden care') },
    ]);
    const answer = await scan(site, { article_ids: ids });
    assert.equal(answer.body.details[0].similarity, '100.0%', answer.text);
    const [[blocked]] = await stack.rows(`select spark.duplicate_blocks('${site.id}', '${ids[0]}')`);
    assert.equal(blocked, 't');
    const [flag] = await flagsOf(site);
    assert.equal(flag.verdict, 'block');
    await stack.request('PATCH', `/items/quality_flags/${flag.id}`, { status: 'ignored' }, site.as);
    assert.equal((await scan(site, { article_ids: ids })).body.flags_created, 0);
    assert.equal((await flagsOf(site))[0].status, 'ignored');
});

test('the thresholds are the site’s own', async () => {
    const site = await makeSite({ duplicate_review: 0.95, duplicate_containment: 1 });
    await addArticles(site, [{ content: body(1) }, { content: body(1, words(50, 40)) }]);
    assert.equal((await scan(site)).body.collisions_found, 1, 'one holds all of the other');
    const strict = await makeSite({ duplicate_review: 0.95, duplicate_containment: 1 });
    await addArticles(strict, [{ content: body(1, words(51, 40)) }, { content: body(1, words(50, 40)) }]);
    assert.equal((await scan(strict)).body.collisions_found, 0);
    assert.equal((await scan(strict, { threshold: 0.4 })).body.collisions_found, 1);
    assert.equal((await scan(strict, { threshold: 0.4, min_shared: 1000 })).body.collisions_found, 0);
    assert.equal((await scan(strict, { threshold: 1000 })).body.collisions_found, 0, 'as shared shingles');
});

test('scans_of_one_site_see_no_article_of_another', async () => {
    const [a, b] = [await makeSite(), await makeSite()];
    const [ofA, ofB] = [await addArticles(a, [{ content: body(1) }]), await addArticles(b, [{ content: body(1) }])];
    assert.equal((await scan(a)).body.articles_scanned, 1);
    const foreign = await scan(a, { batch_ids: [...ofA, ...ofB] });
    assert.deepEqual([foreign.status, foreign.body.code], [404, 'NOT_FOUND']);
    assert.equal((await scan(a, { site_id: b.id })).status, 403);
    const both = await scan(undefined, { batch_ids: [...ofA, ...ofB] });
    assert.equal(both.status, 400, both.text);
    assert.equal((await scan(undefined, { site_id: a.id, batch_ids: ofB })).status, 404);
    assert.equal((await scan(undefined, { site_id: a.id })).body.articles_scanned, 1);
    assert.equal((await scan(undefined, {})).status, 400);
    assert.equal((await scan(a, { queue_id: '99999999-9999-4999-8999-999999999999' })).status, 404);
    assert.deepEqual([...(await flagsOf(a)), ...(await flagsOf(b))], []);
});

test('a queue is scanned by its slots, or by its test batch before', async () => {
    const site = await makeSite();
    const campaign = await stack.request('POST', '/items/campaign_masters', { name: 'q' }, site.as);
    const campaign_id = campaign.body.data.id;
    const queue = await stack.request('POST', '/items/production_queue', { campaign_id }, site.as);
    assert.equal(queue.status, 200, queue.text);
    const queue_id = queue.body.data.id;
    const ids = await addArticles(site, [
        { campaign_id, is_test_batch: true, content: body(1) }, { campaign_id, is_test_batch: true, content: body(1) }, { content: body(1) },
    ]);
    const test_batch = await scan(site, { queue_id });
    assert.deepEqual([test_batch.status, test_batch.body.articles_scanned, test_batch.body.flags_created], [200, 2, 1], test_batch.text);
    assert.equal((await flagsOf(site))[0].batch_id, queue_id);
    for (const [position, article_id] of ids.entries())
        await stack.rows(`insert into queue_items (site_id, queue_id, position, publish_date, article_id)
            values ('${site.id}', '${queue_id}', ${position}, now(), '${article_id}')`);
    const slots = await scan(site, { queue_id });
    assert.deepEqual([slots.body.articles_scanned, slots.body.collisions_found, slots.body.flags_created], [3, 3, 2]);
});

for (const [what, request, field] of [
    ['a threshold of 0', { threshold: 0 }, 'threshold'],
    ['a threshold below what is looked for', { threshold: 0.01 }, 'threshold'],
    ['a negative threshold', { threshold: -0.5 }, 'threshold'],
    ['a broken number of shingles', { threshold: 2.5 }, 'threshold'],
    ['a threshold of text', { threshold: '0.3' }, 'threshold'],
    ['a threshold beyond all shingles', { threshold: 100001 }, 'threshold'],
    ['shingles of two words', { ngram_size: 2 }, 'ngram_size'],
    ['shingles of thirteen words', { ngram_size: 13 }, 'ngram_size'],
    ['no shared shingle', { min_shared: 0 }, 'min_shared'],
    ['ids that are none', { batch_ids: ['x'] }, 'batch_ids[0]'],
    ['no ids', { batch_ids: [] }, 'batch_ids'],
    ['too many ids', { batch_ids: Array(1001).fill('99999999-9999-4999-8999-999999999999') }, 'batch_ids'],
    ['both', { batch_ids: ['99999999-9999-4999-8999-999999999999'], queue_id: '99999999-9999-4999-8999-999999999999' }, 'queue_id'],
])
    test(`refuses ${what}`, async () => {
        const site = await makeSite();
        const answer = await scan(site, request);
        assert.equal(answer.status, 400, answer.text);
        assert.equal(answer.body.errors[0].field, field, answer.text);
    });

test('a larger site is a job: incremental, once a pair, and after an edit again', async () => {
    const site = await makeSite();
    const count = 150;
    const ids = await addArticles(site, Array.from({ length: count }, (_, i) => ({ content: body(i < count - 5 ? i : i - 100) })));
    const queued = await scan(site, { threshold: 0.5 });
    assert.equal(queued.status, 202, queued.text);
    assert.deepEqual(await jobDone(queued.body.job_id), { is_cut_off: false, flags_created: 5, articles_scanned: count, collisions_found: 5 });
    assert.equal((await flagsOf(site)).length, 5);
    const signatures = () => stack.rows(`select count(*), count(scanned_threshold) from spark.article_signatures where site_id = '${site.id}'`);
    assert.deepEqual(await signatures(), [[`${count}`, `${count}`]]);

    const again = await jobDone((await scan(site, { threshold: 0.5 })).body.job_id);
    assert.deepEqual([again.collisions_found, again.flags_created], [0, 0], 'all pairs were looked at before');
    const wider = await jobDone((await scan(site, { threshold: 0.4 })).body.job_id);
    assert.deepEqual([wider.collisions_found, wider.flags_created], [5, 0], 'a lower threshold looks again');

    await addArticles(site, [{ content: body(7) }]);
    const added = await jobDone((await scan(site, { threshold: 0.5 })).body.job_id);
    assert.deepEqual([added.articles_scanned, added.collisions_found, added.flags_created], [count + 1, 1, 1]);

    await stack.request('PATCH', `/items/generated_articles/${ids[20]}`, { content: body(21) }, site.as);
    assert.deepEqual(await signatures(), [[`${count}`, `${count}`]]);
    const edited = await jobDone((await scan(site, { threshold: 0.5 })).body.job_id);
    assert.deepEqual([edited.collisions_found, edited.flags_created], [1, 1]);

    const named = await scan(site, { batch_ids: ids, threshold: 0.5 });
    assert.equal(named.status, 202, named.text);
    const subset = await jobDone(named.body.job_id);
    assert.equal(subset.flags_created, 0);
    assert.equal(subset.articles_scanned, count);
    assert.equal((await scan(site, { ngram_size: 5 })).status, 400);
    const [[logged]] = await stack.rows(`select count(*) from work_log where site_id = '${site.id}' and action = 'duplicates_scanned'`);
    assert.ok(Number(logged) >= 5);
});
