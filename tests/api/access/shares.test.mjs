// One site's long jobs and another's short ones: who waits for whom. By what is done when, not by time.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../../support/api.mjs';
import { until } from '../../support/stack.mjs';

const SLOTS = 4;
const JOBS = 12;

let stack;
let a;
let b;
before(async () => {
    stack = await startApi({ env: { WORKER_CONCURRENCY: String(SLOTS), WORKER_DRAIN: '600' } });
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
});
after(() => stack?.stop());

const post = (site, path, body) => stack.call({ method: 'POST', path, token: site.token, body });

/** Twelve jobs, each a million headlines of as many groups as a template may have: minutes of work. */
async function keepBusy(site) {
    const spintax_root = `x${'{|}'.repeat(990)}`;
    for (let i = 0; i < JOBS; i++) {
        const answer = await post(site, '/api/seo/generate-headlines', { campaign_id: site.campaign.id, max_headlines: 1000000, spintax_root });
        assert.equal(answer.status, 202, answer.text);
    }
}

/** A campaign with what articles are made of, and so many free headlines. */
async function furnish(site, headlines) {
    const answer = await post(site, '/api/admin/import-blueprint', {
        template: { name: 'Two parts', structure_json: ['intro', 'end'] },
        campaign: { name: 'whole', headline_spintax_root: '{a|b}', target_word_count: 0 },
        fragments: ['intro', 'end'].flatMap((type) => [1, 2].map((n) => ({ fragment_type: type, content_body: `<p>${type} ${n} {x|y|z}</p>` }))),
        headlines: Array.from({ length: headlines }, (_, n) => `Headline ${n}`),
    });
    assert.equal(answer.status, 200, answer.text);
    return answer.body.campaign_id;
}

const states = async (site, kind) =>
    Object.fromEntries((await stack.rows(`select state, count(*) from spark.jobs where site_id = '${site.id}' and kind = '${kind}' group by 1`)).map(([state, count]) => [state, Number(count)]));

test('jobs_of_one_site_leave_places_to_the_others_and_are_given_back_by_a_worker_that_stops', async (t) => {
    const campaign_id = await furnish(b, 20);
    await keepBusy(a);
    const worker = stack.startWorker();

    await t.test('it has half of the places', async () => {
        await until(async () => (await states(a, 'generate-headlines')).running > 0, 'the jobs of A to run');
        assert.deepEqual(await states(a, 'generate-headlines'), { running: SLOTS / 2, queued: JOBS - SLOTS / 2 });
    });

    await t.test('a batch of another site is done before any of its jobs', async () => {
        const answer = await post(b, '/api/seo/generate-article', { campaign_id, batch_size: 20 });
        assert.equal(answer.status, 202, answer.text);
        await until(async () => (await states(b, 'generate-articles')).done > 0, 'the batch of B');
        assert.equal((await stack.rows(`select count(*) from generated_articles where site_id = '${b.id}'`))[0][0], '20');
        assert.deepEqual(await states(a, 'generate-headlines'), { running: SLOTS / 2, queued: JOBS - SLOTS / 2 });
    });

    // WORKER_DRAIN would let it go on for ten minutes.
    await t.test('a worker that stops gives them back where they stand', async () => {
        assert.deepEqual(await worker.stop(), { code: 0, signal: null });
        assert.deepEqual(await states(a, 'generate-headlines'), { queued: JOBS });
        assert.deepEqual(await stack.rows(`select sum(failures), sum(crashes) from spark.jobs where site_id = '${a.id}'`), [['0', '0']]);
    });
});
