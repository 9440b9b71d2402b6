// The real data through the running server: imported, headlines made and stored, articles written.

import assert from 'node:assert/strict';
import test from 'node:test';

import { startStack, until } from '../support/stack.mjs';
import { realSite, rowsOf } from './support.mjs';

const EXPECTED = {
    geo_dominance: [18, 10, 18000],
    pain_resolution_geo: [25, 10, 25000],
    authority_hook: [5, 10, 5000],
    neighborhood_targeting: [25, 10, 25000],
    zip_code_prestige: [6, 5, 3000],
    commercial_intent: [6, 10, 6000],
    problem_aware: [3, 10, 3000],
};

let stack;
test.before(async () => {
    stack = await startStack({ workers: 1 });
});
test.after(() => stack?.stop());

const generate = async (body) => {
    const answer = await stack.request('POST', '/api/seo/generate-headlines', body);
    assert.equal(answer.status, 200, answer.text);
    return answer.body;
};

test('the real data', async (t) => {
    const site = await realSite(stack);

    await t.test('is imported as it is: 150 fragments, 30 variants, 12 blocks, 25 slots', () => {
        const { templates, avatars, avatar_variants, patterns, dictionaries, geo, offer_blocks, fragments } = site.stored;
        assert.deepEqual([templates, avatars, avatar_variants, patterns, dictionaries, geo, offer_blocks, fragments], [1, 10, 30, 3, 6, 3, 12, 150]);
    });

    await t.test('its 7 formulas have 85,000 headlines, zip_code_prestige 3,000 of them', async () => {
        const answer = await stack.request('GET', `/api/seo/generate-headlines?campaign_id=${site.campaign}`);
        assert.equal(answer.status, 200, answer.text);
        const { patterns, totalPossibleCombinations } = answer.body.metadata;
        assert.equal(totalPossibleCombinations, 85000);
        assert.deepEqual(
            Object.fromEntries(patterns.map((row) => [row.id, [row.spintaxCombinations, row.locationCount, row.totalPossible]])), EXPECTED);
        assert.ok(patterns.every((row) => row.nicheCount === 100));
    });

    await t.test('all of them are stored by one call, each once', async (t) => {
        const start = performance.now();
        const answer = await generate({ campaign_id: site.campaign, max_headlines: 85000 });
        const seconds = (performance.now() - start) / 1000;
        t.diagnostic(`85,000 headlines in ${seconds.toFixed(2)} s: ${Math.round(85000 / seconds)} a second`);
        assert.equal(answer.results.processed, 85000);
        assert.equal(answer.results.inserted + answer.results.alreadyExisted, 85000);
        assert.equal(answer.next_offset, 85000);
        assert.equal(answer.metadata.wasTruncated, false);
        const [[rows, texts, braces]] = await stack.sql(
            `set spark.scope = 'platform'; select count(*), count(distinct final_title_text), count(*) filter (where final_title_text ~ '[{}|]')
               from headline_inventory where campaign_id = '${site.campaign}'`);
        assert.equal(Number(rows), answer.results.inserted);
        assert.equal(texts, rows);
        assert.equal(braces, '0');
        t.diagnostic(`${answer.results.alreadyExisted} texts come out of two formulas`);
    });

    await t.test('a second call stores nothing, and neither does one from the start', async () => {
        assert.deepEqual((await generate({ campaign_id: site.campaign, max_headlines: 85000 })).results.processed, 0);
        const again = await generate({ campaign_id: site.campaign, max_headlines: 85000, offset: 0 });
        assert.equal(again.results.inserted, 0);
        assert.equal(again.results.alreadyExisted, 85000);
    });

    await t.test('one pattern by itself is asked for by its key', async () => {
        const answer = await generate({ campaign_id: site.campaign, pattern: 'hyper_local_hooks', max_headlines: 10 });
        assert.equal(answer.metadata.totalPossible, 28000);
        assert.equal(answer.results.alreadyExisted, 10);
    });


    await t.test('a worker makes articles of 25 fragments, without a token left', async () => {
        const answer = await stack.request('POST', '/api/seo/generate-article', { campaign_id: site.campaign, batch_size: 20 });
        assert.equal(answer.status, 202, answer.text);
        const rows = await until(async () => {
            const found = await stack.request('GET', `/items/generated_articles?filter[campaign_id][_eq]=${site.campaign}&fields=title,content,word_count,word_count_status`);
            return found.body.data.length === 20 && found.body.data;
        }, '20 articles', 120);
        for (const row of rows) {
            assert.ok(row.word_count >= 700, `${row.word_count}`);
            assert.doesNotMatch(row.content, /\{[A-Za-z_]+\}/);
        }
    });
});
