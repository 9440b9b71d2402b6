// Headlines out of patterns × dictionaries × niches × places, at once and by a worker.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { startStack, until } from '../../support/stack.mjs';

const fixtures = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../../fixtures/factory');
const fixture = async (name) => JSON.parse(await readFile(path.join(fixtures, `${name}.json`), 'utf8'));

let stack;
let made = 0;

test.before(async () => {
    stack = await startStack({ workers: 1 });
});
test.after(() => stack?.stop());

async function makeSite(parts) {
    const name = `heads-${++made}`;
    await stack.request('POST', '/items/sites', { name, domain: `${name}.example` });
    const id = (await stack.request('GET', `/items/sites?filter[name][_eq]=${name}&fields=id`)).body.data[0].id;
    const answer = await stack.request('POST', '/api/admin/import-blueprint', { format: 'spark-site/1', site_id: id, ...parts });
    assert.equal(answer.status, 200, answer.text);
    const campaigns = (await stack.request('GET', `/items/campaign_masters?filter[site_id][_eq]=${id}&sort=id&fields=id`)).body.data;
    return { id, campaign: campaigns[0]?.id };
}

const post = (body) => stack.request('POST', '/api/seo/generate-headlines', body);

async function stored(campaign) {
    const answer = await stack.request('GET', `/items/headline_inventory?filter[campaign_id][_eq]=${campaign}&aggregate[count]=*`);
    return Number(answer.body.data[0].count);
}

const small = (campaign = {}) => ({
    avatars: [{ avatar_key: 'a', business_niches: ['Roses', 'Trees'] }],
    dictionaries: [{ category: 'fine', data: ['Fine', 'Good', 'Best'] }],
    geo: [{ cluster_key: 'g', data: { cities: [{ city: 'Ulm', zip_focus: '89073' }, { city: 'Bonn', neighborhood: 'Nord' }] } }],
    patterns: [
        { pattern_key: 'a', data: [{ id: 'where', formula: '{fine} {{NICHE}} in {{CITY}}' }, { id: 'zip', formula: '{{NICHE}} near {{ZIP_FOCUS}}' }] },
        { pattern_key: 'b', formula: '{{NICHE}} of {{CITY}}' },
        { pattern_key: 'draft', status: 'draft', formula: 'never {{CITY}}' },
    ],
    campaigns: [{ name: 'C', headline_spintax_root: '{one|two}', headline_patterns: ['*'], ...campaign }],
});

test('headlines of patterns', async (t) => {
    await t.test('formulas follow each other, the place is the outer loop, the niche the next', async () => {
        const site = await makeSite(small());
        const answer = await post({ campaign_id: site.campaign });
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(answer.body.metadata.patterns.map((row) => [row.pattern, row.id, row.totalPossible]),
            [['a', 'where', 12], ['a', 'zip', 2], ['b', 'b', 4]]);
        assert.equal(answer.body.metadata.totalPossible, 18);
        assert.deepEqual(answer.body.headlines.slice(0, 7), ['Fine Roses in Ulm', 'Good Roses in Ulm', 'Best Roses in Ulm',
            'Fine Trees in Ulm', 'Good Trees in Ulm', 'Best Trees in Ulm', 'Fine Roses in Bonn']);
        assert.equal(answer.body.next_offset, 18);
        assert.equal(await stored(site.campaign), 18);
        const again = await post({ campaign_id: site.campaign, offset: 0 });
        assert.deepEqual([again.body.results.inserted, again.body.results.alreadyExisted], [0, 18]);
    });

    await t.test('what a place is called goes with its headline', async () => {
        const site = await makeSite(small());
        await post({ campaign_id: site.campaign, pattern: 'b' });
        const rows = (await stack.request('GET', `/items/headline_inventory?filter[campaign_id][_eq]=${site.campaign}&sort=id&fields=final_title_text,headline_text,location_data`)).body.data;
        assert.deepEqual(rows[0], { final_title_text: 'Roses of Ulm', headline_text: '{{NICHE}} of {{CITY}}', location_data: { city: 'Ulm', zip_focus: '89073' } });
    });

    await t.test('a run goes on where the last one stopped, and other patterns begin anew', async () => {
        const site = await makeSite(small());
        for (const expected of [7, 14, 18]) {
            const answer = await post({ campaign_id: site.campaign, max_headlines: 7 });
            assert.equal(answer.body.next_offset, expected);
            assert.equal(answer.body.metadata.wasTruncated, expected < 18);
        }
        assert.equal((await post({ campaign_id: site.campaign })).body.results.processed, 0);
        await stack.request('PATCH', `/items/campaign_masters/${site.campaign}`, { headline_patterns: ['b'] });
        const answer = await post({ campaign_id: site.campaign });
        assert.deepEqual([answer.body.metadata.totalPossible, answer.body.results.alreadyExisted], [4, 4]);
    });

    await t.test('a request that names patterns leaves the cursor of the campaign alone', async () => {
        const site = await makeSite(small({ headline_patterns: undefined }));
        assert.equal((await post({ campaign_id: site.campaign, patterns: ['a', 'b'] })).body.generated, 18);
        const answer = await post({ campaign_id: site.campaign });
        assert.deepEqual(answer.body.headlines, ['one', 'two']);
        assert.equal(answer.body.metadata.patterns, undefined);
    });

    await t.test('a preview shows them and writes nothing', async () => {
        const site = await makeSite(small());
        const answer = await stack.request('GET', `/api/seo/generate-headlines?campaign_id=${site.campaign}&patterns=b&preview=2`);
        assert.deepEqual(answer.body.preview, ['Roses of Ulm', 'Trees of Ulm']);
        assert.equal(answer.body.metadata.totalPossibleCombinations, 4);
        assert.equal(await stored(site.campaign), 0);
    });

    for (const [what, body] of [
        ['a pattern that is not there', { patterns: ['nowhere'] }],
        ['a draft', { pattern: 'draft' }],
        ['patterns and a template', { patterns: ['a'], spintax_root: '{a|b}' }],
        ['no keys', { patterns: [] }],
        ['too many keys', { patterns: Array(101).fill('a') }],
        ['keys that are no texts', { patterns: [1] }],
        ['more than a million', { max_headlines: 1000001 }],
        ['a template of 1001 groups', { spintax_root: '{a|}'.repeat(1001) }],
        ['groups within groups, all of them empty', { spintax_root: '{{{{|}|}|}|}'.repeat(5400), max_headlines: 10000 }],
    ])
        await t.test(`refuses ${what}`, async () => {
            const site = await makeSite(small());
            const answer = await post({ campaign_id: site.campaign, ...body });
            assert.equal(answer.status, 400, answer.text);
            assert.equal(await stored(site.campaign), 0);
        });

    await t.test('takes a template of 1000 groups', async () => {
        const site = await makeSite(small());
        const answer = await post({ campaign_id: site.campaign, spintax_root: `x${'{|}'.repeat(1000)}`, max_headlines: 300 });
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.body.results.processed, 300);
    });

    await t.test('refuses patterns where there is no place', async () => {
        const site = await makeSite({ ...small(), geo: [] });
        const answer = await post({ campaign_id: site.campaign });
        assert.equal(answer.status, 400);
        assert.match(answer.body.message, /geo_intelligence/);
    });

    await t.test("a site's own pattern stands in front of the library's, and a neighbour's is none", async () => {
        await stack.request('POST', '/items/cartesian_patterns', { pattern_key: 'b', formula: 'library {{CITY}}' });
        await stack.request('POST', '/items/cartesian_patterns', { pattern_key: 'everyone', formula: 'library {{CITY}}' });
        const first = await makeSite(small());
        const second = await makeSite({ ...small(), patterns: [{ pattern_key: 'own', formula: '{{CITY}}' }] });
        const own = await post({ campaign_id: first.campaign, pattern: 'b' });
        assert.equal(own.body.headlines[0], 'Roses of Ulm');
        const everyone = await post({ campaign_id: second.campaign, pattern: 'everyone' });
        assert.deepEqual([everyone.body.generated, everyone.body.metadata.totalPossible], [2, 2]); // it names no niche
        assert.equal((await post({ campaign_id: first.campaign, pattern: 'own' })).status, 400);
    });
});

test('headlines by a worker', async (t) => {
    const words = (p, n) => `{${Array.from({ length: n }, (_, i) => `${p}${i}`).join('|')}}`;
    const site = await makeSite({ campaigns: [{ name: 'Large', headline_spintax_root: `${words('a', 250)} ${words('b', 250)}` }] });
    const ended = (id) => until(async () => {
        const [job] = (await stack.request('GET', `/items/generation_jobs?filter[id][_eq]=${id}`)).body.data;
        return ['completed', 'failed'].includes(job?.status) && job;
    }, 'the job', 120);

    await t.test('a batch that is asked for is queued, shown, and stored to the last one', async () => {
        const answer = await post({ campaign_id: site.campaign, max_headlines: 45000, async: true });
        assert.equal(answer.status, 202, answer.text);
        const job = await ended(answer.body.job_id);
        assert.deepEqual([job.status, job.type, job.current_offset, job.progress, job.target_quantity], ['completed', 'Headlines', 45000, 100, 45000]);
        assert.equal(await stored(site.campaign), 45000);
    });

    await t.test('the next run goes on behind it, and one of more than 250,000 is always queued', async () => {
        const answer = await post({ campaign_id: site.campaign, max_headlines: 250001 });
        assert.equal(answer.status, 202, answer.text);
        const job = await ended(answer.body.job_id);
        assert.deepEqual([job.status, job.current_offset], ['completed', 17500]);
        assert.equal(await stored(site.campaign), 62500);
        assert.equal((await post({ campaign_id: site.campaign })).body.results.processed, 0);
    });

    await t.test('what cannot be run is refused and not queued', async () => {
        const answer = await post({ campaign_id: site.campaign, patterns: ['nowhere'], async: true });
        assert.equal(answer.status, 400, answer.text);
    });
});

test('the formulas of the fixtures store their 85,000 headlines through the API', async () => {
    const [patterns, dictionaries, avatars, geo] = await Promise.all(['patterns', 'dictionaries', 'avatars', 'geo'].map(fixture));
    const site = await makeSite({
        patterns: Object.entries(patterns.patterns).map(([pattern_key, data]) => ({ pattern_key, data })),
        dictionaries: Object.entries(dictionaries.dictionaries ?? dictionaries).map(([category, data]) => ({ category, data })),
        avatars: Object.entries(avatars.avatars ?? avatars).map(([avatar_key, row]) => ({ avatar_key, business_niches: row.business_niches })),
        geo: Object.entries(geo.clusters).map(([cluster_key, data]) => ({ cluster_key, data })),
        campaigns: [{ name: 'Fixtures', headline_patterns: Object.keys(patterns.patterns) }],
    });
    const answer = await post({ campaign_id: site.campaign, max_headlines: 85000, async: true });
    assert.equal(answer.status, 202, answer.text);
    await until(async () => (await stored(site.campaign)) === 85000, '85,000 headlines', 200);
    const expected = Object.fromEntries(Object.values(patterns.patterns).flat().map((row) => [row.id, row.total]));
    const shown = await stack.request('GET', `/api/seo/generate-headlines?campaign_id=${site.campaign}`);
    assert.deepEqual(Object.fromEntries(shown.body.metadata.patterns.map((row) => [row.id, row.totalPossible])), expected);
    assert.equal(shown.body.metadata.generatedCount, 85000);
});
