// The factory through its endpoints: blueprint → headlines → articles → review → posts.

import assert from 'node:assert/strict';
import test from 'node:test';

import { startStack, until } from '../../support/stack.mjs';

let stack;
let made = 0;

test.before(async () => {
    stack = await startStack({ workers: 2 });
});
test.after(() => stack?.stop());

async function makeSite() {
    const name = `site-${++made}`;
    // A new site raises the epoch, which may cost its own answer: so it is looked up.
    await stack.request('POST', '/items/sites', { name, domain: `${name}.example`, url: `https://${name}.example` });
    const found = await stack.request('GET', `/items/sites?filter[name][_eq]=${name}&fields=id`);
    const id = found.body.data[0].id;
    const answer = await stack.request('POST', '/api/admin/site-tokens', { site_id: id, name });
    return { id, token: answer.body.token, as: { authorization: `Bearer ${answer.body.token}` } };
}

const post = (path, body, headers) => stack.request('POST', path, body, headers);

const fragments = ['intro', 'middle', 'end'].flatMap((type) =>
    [1, 2, 3].map((n) => ({ fragment_type: type, content_body: `<p>${type} ${n} {one|two|three} for {City} and {Niche}.</p>` })));

function blueprint(site, root, extra = {}) {
    const { campaign, ...rest } = extra;
    return {
        site_id: site.id,
        template: { name: 'Three parts', structure_json: ['intro', 'middle', 'middle', 'end'] },
        campaign: {
            name: `campaign ${++made}`,
            headline_spintax_root: root,
            niche_variables: { Niche: 'gardens' },
            target_word_count: 10,
            ...campaign,
        },
        fragments,
        ...rest,
    };
}

async function importCampaign(site, root, extra) {
    const answer = await post('/api/admin/import-blueprint', blueprint(site, root, extra));
    assert.equal(answer.status, 200, answer.text);
    return answer.body.campaign_id;
}

async function makeHeadlines(campaign_id, extra = {}) {
    const answer = await post('/api/seo/generate-headlines', { campaign_id, ...extra });
    assert.equal(answer.status, 200, answer.text);
    return answer.body;
}

async function rows(collection, query) {
    const answer = await stack.request('GET', `/items/${collection}?limit=1000&${query}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.body.data;
}

const articlesOf = (campaign, fields = '*') => rows('generated_articles', `filter[campaign_id][_eq]=${campaign}&fields=${fields}`);
const headlinesOf = (campaign, fields = '*') => rows('headline_inventory', `filter[campaign_id][_eq]=${campaign}&sort=id&fields=${fields}`);

async function batchDone(id) {
    return until(async () => {
        const [job] = await rows('generation_jobs', `filter[id][_eq]=${id}`);
        return job && ['completed', 'failed'].includes(job.status) && job;
    }, `generation job ${id}`);
}

test('import-blueprint', async (t) => {
    const site = await makeSite();

    await t.test('answers what it stored, and stores it once', async () => {
        const body = blueprint(site, '{A|B} title');
        const first = await post('/api/admin/import-blueprint', body);
        assert.equal(first.status, 200, first.text);
        assert.equal(first.body.imported, fragments.length);
        const second = await post('/api/admin/import-blueprint', body);
        assert.equal(second.body.imported, 0);
        assert.equal(second.body.campaign_id, first.body.campaign_id);
        assert.equal(second.body.template_id, first.body.template_id);
        const stored = await rows('content_fragments', `filter[campaign_id][_eq]=${first.body.campaign_id}`);
        assert.equal(stored.length, fragments.length);
        assert.ok(stored.every((row) => row.site_id === site.id && row.word_count === 7));
    });

    await t.test('ten at once make one campaign', async () => {
        const body = blueprint(site, '{A|B}');
        const answers = await Promise.all(Array.from({ length: 10 }, () => post('/api/admin/import-blueprint', body)));
        assert.equal(new Set(answers.map((answer) => answer.body.campaign_id)).size, 1);
        assert.equal(answers.reduce((sum, answer) => sum + answer.body.imported, 0), fragments.length);
    });

    await t.test('names the fragment and the place of broken spintax, and writes nothing', async () => {
        const body = blueprint(site, '{A|B}');
        body.fragments = [...fragments, { fragment_type: 'intro', content_body: 'ab {one|two' }];
        const answer = await post('/api/admin/import-blueprint', body);
        assert.equal(answer.status, 400);
        assert.equal(answer.body.code, 'INVALID_SPINTAX');
        assert.match(answer.body.message, /fragments\[9\]\.content_body/);
        assert.equal(answer.body.errors[0].position, 4);
        const found = await rows('campaign_masters', `filter[name][_eq]=${encodeURIComponent(body.campaign.name)}`);
        assert.equal(found.length, 0);
    });

    for (const [what, change, field] of [
        ['a headline template out of balance', (b) => (b.campaign.headline_spintax_root = '{a|b'), 'campaign.headline_spintax_root'],
        ['an unknown location mode', (b) => (b.campaign.location_mode = 'moon'), 'campaign.location_mode'],
        ['a fragment without text', (b) => (b.fragments = [{ fragment_type: 'x' }]), 'fragments[0].content_body'],
        ['too many fragments', (b) => (b.fragments = Array(20001).fill(fragments[0])), 'fragments'],
        ['a template without slots', (b) => (b.template.structure_json = []), 'template.structure_json'],
        ['a city in an unknown state', (b) => (b.locations = { cities: [{ name: 'X', state: 'QQ' }] }), 'locations.cities[0].state'],
        ['a title that is too long', (b) => (b.headlines = ['x'.repeat(501)]), 'headlines[0]'],
    ])
        await t.test(`refuses ${what}`, async () => {
            const body = blueprint(site, '{A|B}');
            change(body);
            const answer = await post('/api/admin/import-blueprint', body);
            assert.equal(answer.status, 400, answer.text);
            assert.equal(answer.body.errors[0].field, field);
            const found = await rows('campaign_masters', `filter[name][_eq]=${encodeURIComponent(body.campaign.name)}`);
            assert.equal(found.length, 0);
        });

    await t.test('refuses an empty one, and a site that is not there', async () => {
        assert.equal((await post('/api/admin/import-blueprint', {})).status, 400);
        const answer = await post('/api/admin/import-blueprint', blueprint({ id: '00000000-0000-7000-8000-00000000dead' }, '{A|B}'));
        assert.equal(answer.status, 404);
        assert.equal(answer.body.code, 'UNKNOWN_SITE');
    });

    await t.test('rows of a site token are its own', async () => {
        const body = blueprint(site, '{A|B}');
        delete body.site_id;
        const answer = await post('/api/admin/import-blueprint', body, site.as);
        assert.equal(answer.status, 200, answer.text);
        const [campaign] = await rows('campaign_masters', `filter[id][_eq]=${answer.body.campaign_id}`);
        assert.equal(campaign.site_id, site.id);
    });

    await t.test('without a site they are for everybody, and shown with none', async () => {
        const answer = await post('/api/admin/import-blueprint', {
            locations: {
                states: [{ name: 'Testland', code: 'TL' }],
                cities: [{ name: 'Big', state: 'TL', county: 'West', population: 9 }, { name: 'Small', state: 'TL', county: 'West', population: 5 }],
            },
        });
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(
            [answer.body.stored.states, answer.body.stored.counties, answer.body.stored.cities, answer.body.campaign_id],
            [1, 1, 2, null],
        );
        const cities = await rows('locations_cities', 'filter[name][_eq]=Big');
        assert.equal(cities[0].site_id, null);
    });
});

test('generate-headlines', async (t) => {
    const site = await makeSite();
    const places = {
        states: [{ name: 'Texas', code: 'TX' }],
        cities: [{ name: 'Austin', state: 'TX', county: 'Travis', population: 900 }, { name: 'Dallas', state: 'TX', county: 'Dallas', population: 800 }],
    };
    const inCities = { campaign: { location_mode: 'city' }, locations: places };
    // Its own cities, beside whatever the library has.
    const target = async () => (await rows('locations_states', `filter[name][_eq]=Texas&filter[site_id][_eq]=${site.id}`))[0].id;

    await t.test('goes through places outside, choices inside, the last fastest', async () => {
        const root = '{Best|Top} {Dentist|Clinic} in {city}';
        await importCampaign(site, root, inCities);
        const campaign = await importCampaign(site, root, { campaign: { location_mode: 'city', location_target: await target() } });
        const answer = await makeHeadlines(campaign);
        assert.deepEqual(answer.headlines, ['Austin', 'Dallas'].flatMap((city) =>
            ['Best Dentist', 'Best Clinic', 'Top Dentist', 'Top Clinic'].map((text) => `${text} in ${city}`)));
        assert.deepEqual(answer.metadata, {
            template: root, slotCount: 2, spintaxCombinations: 4, locationCount: 2, totalPossible: 8, wasTruncated: false,
        });
        assert.deepEqual(answer.results, { processed: 8, inserted: 8, skipped: 0, alreadyExisted: 0 });
        assert.equal(answer.generated, 8);
        const stored = await headlinesOf(campaign);
        assert.deepEqual(stored.map((row) => row.location_data.city), [...Array(4).fill('Austin'), ...Array(4).fill('Dallas')]);
        assert.equal(stored[0].location_data.stateCode, 'TX');
        assert.ok(stored.every((row) => row.status === 'available' && row.site_id === site.id));
    });

    await t.test('a second run goes on where the first stopped, and the end stays the end', async () => {
        const campaign = await importCampaign(site, '{a|b|c} {d|e|f}');
        const first = await makeHeadlines(campaign, { limit: 4 });
        assert.deepEqual([first.generated, first.next_offset, first.metadata.wasTruncated], [4, 4, true]);
        const second = await makeHeadlines(campaign);
        assert.deepEqual([second.generated, second.next_offset, second.metadata.wasTruncated], [5, 9, false]);
        const third = await makeHeadlines(campaign);
        assert.deepEqual([third.results.processed, third.generated, third.headlines.length], [0, 0, 0]);
        const again = await makeHeadlines(campaign, { offset: 0 });
        assert.deepEqual(again.results, { processed: 9, inserted: 0, skipped: 9, alreadyExisted: 9 });
    });

    await t.test('ten runs at once store every text once', async () => {
        const campaign = await importCampaign(site, '{a|b|c|d|e} {1|2|3|4|5|6|7|8|9|10} {x|y|z}');
        const answers = await Promise.all(Array.from({ length: 10 }, () => makeHeadlines(campaign, { offset: 0 })));
        assert.equal(answers.reduce((sum, answer) => sum + answer.generated, 0), 150);
        assert.equal((await headlinesOf(campaign)).length, 150);
    });

    await t.test('a title without a place is stored once, however many places there are', async () => {
        const campaign = await importCampaign(site, 'The same everywhere', inCities);
        assert.equal((await makeHeadlines(campaign)).generated, 1);
    });

    await t.test('nested choices are counted as texts', async () => {
        const campaign = await importCampaign(site, '{Get {Started|Going}|Start Your Journey} today');
        const answer = await makeHeadlines(campaign);
        assert.deepEqual(answer.headlines, ['Get Started today', 'Get Going today', 'Start Your Journey today']);
    });

    await t.test("dictionaries count as choices, the site's own before the library's", async () => {
        await post('/api/admin/import-blueprint', { dictionaries: [{ category: 'shared_words', data: ['far', 'wide', 'away'] }] });
        const campaign = await importCampaign(site, '{shared_words} {own_words}', {
            dictionaries: [{ category: 'shared_words', data: ['near', 'by'] }, { category: 'own_words', data: ['one', 'two'] }],
        });
        assert.deepEqual((await makeHeadlines(campaign)).headlines, ['near one', 'near two', 'by one', 'by two']);
    });

    await t.test('another template for one run leaves the numbering alone', async () => {
        const campaign = await importCampaign(site, '{a|b}');
        assert.equal((await makeHeadlines(campaign, { spintax_root: '{x|y|z}' })).generated, 3);
        assert.deepEqual((await makeHeadlines(campaign)).headlines, ['a', 'b']);
        const broken = await post('/api/seo/generate-headlines', { campaign_id: campaign, spintax_root: '{x|y' });
        assert.equal(broken.body.code, 'INVALID_SPINTAX');
    });

    await t.test('a changed template starts a new numbering', async () => {
        const campaign = await importCampaign(site, '{a|b}');
        await makeHeadlines(campaign);
        await stack.request('PATCH', `/items/campaign_masters/${campaign}`, { headline_spintax_root: '{c|d|a}' });
        assert.deepEqual((await makeHeadlines(campaign)).headlines, ['c', 'd']);
    });

    await t.test('GET shows without storing', async () => {
        const campaign = await importCampaign(site, '{a|b|c} {d|e|f}');
        const answer = await stack.request('GET', `/api/seo/generate-headlines?campaign_id=${campaign}&preview=2`);
        assert.deepEqual(answer.body.preview, ['a d', 'a e']);
        assert.equal(answer.body.metadata.totalPossibleCombinations, 9);
        assert.equal(answer.body.metadata.generatedCount, 0);
        assert.equal((await headlinesOf(campaign)).length, 0);
        const bad = await stack.request('GET', `/api/seo/generate-headlines?campaign_id=${campaign}&preview=x`);
        assert.equal(bad.status, 400);
    });

    await t.test('refuses what it cannot read', async () => {
        const campaign = await importCampaign(site, '{a|b}');
        for (const [body, status] of [
            [{}, 400],
            [{ campaign_id: 'x' }, 400],
            [{ campaign_id: '00000000-0000-7000-8000-00000000dead' }, 404],
            [{ campaign_id: campaign, limit: 0 }, 400],
            [{ campaign_id: campaign, limit: 'many' }, 400],
            [{ campaign_id: campaign, limit: 1000001 }, 400],
            [{ campaign_id: campaign, offset: -1 }, 400],
        ])
            assert.equal((await post('/api/seo/generate-headlines', body)).status, status, JSON.stringify(body));
    });
});

test('one article at once', async (t) => {
    const site = await makeSite();

    await t.test('is stored for review and uses its headline up', async () => {
        const campaign = await importCampaign(site, '{First|Second} title');
        await makeHeadlines(campaign);
        const answer = await post('/api/seo/generate-article', { campaign_id: campaign });
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual([answer.body.generated, answer.body.title, answer.body.slug, answer.body.remaining_headlines], [1, 'First title', 'first-title', 1]);
        const [article] = await articlesOf(campaign);
        assert.equal(article.id, answer.body.article_id);
        assert.equal(article.status, 'qc');
        assert.equal(article.content, answer.body.content);
        assert.equal(article.word_count_status, 'optimal');
        assert.equal(article.provenance.fragments.length, 4);
        assert.equal(new Set(article.provenance.fragments).size, 4);
        assert.ok(article.meta_title.length <= 60 && article.meta_description.length > 0);
        assert.equal(article.schema_json['@type'], 'Article');
        assert.match(article.featured_image_svg, /^<svg/);
        const [headline] = await headlinesOf(campaign);
        assert.deepEqual([headline.status, headline.is_used, headline.used_on_article], ['used', true, article.id]);
        assert.doesNotMatch(article.content, /\{(one|Niche)/);
        assert.match(article.content, /gardens/);
    });

    await t.test('without a free headline there is none, and no error', async () => {
        const campaign = await importCampaign(site, '{a|b}');
        const answer = await post('/api/seo/generate-article', { campaign_id: campaign });
        assert.deepEqual([answer.status, answer.body.generated, answer.body.articles], [200, 0, []]);
    });

    await t.test('of a headline that the caller names, and never twice', async () => {
        const campaign = await importCampaign(site, '{a|b}');
        const body = { campaign_id: campaign, headline: 'Trees   of Oslo', location: { city: 'Oslo', state: 'Norway' } };
        const answer = await post('/api/seo/generate-article', body);
        assert.equal(answer.body.title, 'Trees of Oslo');
        assert.match(answer.body.content, /Oslo/);
        const again = await post('/api/seo/generate-article', body);
        assert.equal(again.status, 409);
        assert.equal(again.body.errors[0].article_id, answer.body.article_id);
        const blank = await post('/api/seo/generate-article', { campaign_id: campaign, headline: ' \u00a0' });
        assert.deepEqual([blank.status, blank.body.errors[0].field], [400, 'headline'], blank.text);
    });

    await t.test('speaks to the avatar that is named', async () => {
        const campaign = await importCampaign(site, '{a|b}', {
            template: { name: 'One', structure_json: ['only'] },
            campaign: { target_word_count: 0 },
            fragments: [{ fragment_type: 'only', content_body: '<p>Ask the {Avatar}: [[PRONOUN]] [[HAS_HAVE]] time.</p>' }],
        });
        await stack.request('POST', '/items/avatar_intelligence', { site_id: site.id, avatar_key: 'gardener', base_name: 'Gardener' });
        const variant = await stack.request('POST', '/items/avatar_variants', {
            site_id: site.id, avatar_key: 'gardener', variant_type: 'female', identity: 'gardener', data: { pronoun: 'she', has_have: 'has' },
        });
        assert.equal(variant.status, 200, variant.text);
        const answer = await post('/api/seo/generate-article', { campaign_id: campaign, headline: 'Roses', avatar_id: variant.body.data.id });
        assert.equal(answer.body.content, '<p>Ask the gardener: she has time.</p>');
    });

    await t.test('of a campaign that rests there is none', async () => {
        const campaign = await importCampaign(site, '{a|b}');
        await stack.request('PATCH', `/items/campaign_masters/${campaign}`, { status: 'paused' });
        for (const extra of [{}, { async: true }])
            assert.equal((await post('/api/seo/generate-article', { campaign_id: campaign, ...extra })).status, 409);
    });

    await t.test('an edited fragment counts for the next article', async () => {
        const campaign = await importCampaign(site, '{a|b|c}', {
            template: { name: 'One', structure_json: ['only'] },
            campaign: { target_word_count: 0 },
            fragments: [{ fragment_type: 'only', content_body: 'before' }],
        });
        await makeHeadlines(campaign);
        assert.equal((await post('/api/seo/generate-article', { campaign_id: campaign })).body.content, 'before');
        const [fragment] = await rows('content_fragments', `filter[campaign_id][_eq]=${campaign}`);
        await stack.request('PATCH', `/items/content_fragments/${fragment.id}`, { content_body: 'after' });
        assert.equal((await post('/api/seo/generate-article', { campaign_id: campaign })).body.content, 'after');
    });

    await t.test('twenty at once take twenty headlines', async () => {
        const campaign = await importCampaign(site, '{a|b|c|d|e} {1|2|3|4|5}');
        await makeHeadlines(campaign);
        const answers = await Promise.all(Array.from({ length: 20 }, () => post('/api/seo/generate-article', { campaign_id: campaign })));
        assert.equal(new Set(answers.map((answer) => answer.body.title)).size, 20);
    });
});

test('a batch of articles', async (t) => {
    const site = await makeSite();

    await t.test('is made by the workers, every headline once', async () => {
        const campaign = await importCampaign(site, '{a|b|c|d|e} {1|2|3|4|5|6|7|8|9|10} {x|y|z}');
        await makeHeadlines(campaign);
        const answer = await post('/api/seo/generate-article', { campaign_id: campaign, batch_size: 7, total: 100 });
        assert.equal(answer.status, 202);
        assert.equal(answer.body.jobs, 15);
        const job = await batchDone(answer.body.job_id);
        assert.deepEqual(
            [job.status, job.current_offset, job.target_quantity, job.progress, job.jobs_done, job.jobs_failed],
            ['completed', 100, 100, 100, 15, 0],
        );
        assert.ok(job.completed_at);
        const articles = await articlesOf(campaign, 'id,slug,status,job_id,headline_id,generation_hash,word_count');
        assert.equal(articles.length, 100);
        for (const column of ['slug', 'headline_id', 'generation_hash'])
            assert.equal(new Set(articles.map((article) => article[column])).size, 100, column);
        assert.ok(articles.every((article) => article.status === 'qc' && article.job_id === job.id));
        const used = await headlinesOf(campaign, 'id,status,used_on_article');
        assert.equal(used.filter((row) => row.status === 'used').length, 100);
        assert.equal(new Set(used.map((row) => row.used_on_article).filter(Boolean)).size, 100);
    });

    await t.test('ends with fewer when the headlines do', async () => {
        const campaign = await importCampaign(site, '{left|right} only');
        await makeHeadlines(campaign);
        const answer = await post('/api/seo/generate-article', { campaign_id: campaign, batch_size: 50, async: true });
        const job = await batchDone(answer.body.job_id);
        assert.deepEqual([job.status, job.current_offset, job.progress], ['completed', 2, 4]);
    });

    await t.test('has failed when its job died, with the reason', async () => {
        const campaign = await importCampaign(site, '{p|q} r', { fragments: [], template: { name: 'None', structure_json: ['nothing_has_this_type'] } });
        await makeHeadlines(campaign);
        const answer = await post('/api/seo/generate-article', { campaign_id: campaign, batch_size: 2 });
        const job = await batchDone(answer.body.job_id);
        assert.deepEqual([job.status, job.jobs_failed, job.current_offset], ['failed', 1, 0]);
        assert.match(job.error, /no fragment/);
        assert.ok((await headlinesOf(campaign)).every((row) => row.status === 'available'));
    });

    await t.test('titles that differ in signs alone get addresses of their own', async () => {
        const campaign = await importCampaign(site, 'Cats {&|+|and|-} dogs');
        await makeHeadlines(campaign);
        const answer = await post('/api/seo/generate-article', { campaign_id: campaign, batch_size: 4 });
        await batchDone(answer.body.job_id);
        const slugs = (await articlesOf(campaign, 'slug')).map((row) => row.slug).sort();
        assert.deepEqual(slugs, ['cats-and-dogs', 'cats-dogs', 'cats-dogs-2', 'cats-dogs-3']);
    });

    await t.test('is refused beyond its limits', async () => {
        const campaign = await importCampaign(site, '{a|b}');
        for (const extra of [{ total: 5001, batch_size: 1 }, { total: 250001 }, { total: 0 }, { batch_size: -1 }, { total: 2, headline: 'x' }])
            assert.equal((await post('/api/seo/generate-article', { campaign_id: campaign, ...extra })).status, 400, JSON.stringify(extra));
    });
});

test('review and publishing', async (t) => {
    const site = await makeSite();
    const campaign = await importCampaign(site, '{a|b|c|d|e|f} story');
    await makeHeadlines(campaign);
    const batch = await post('/api/seo/generate-article', { campaign_id: campaign, batch_size: 6 });
    await batchDone(batch.body.job_id);
    const articles = (await articlesOf(campaign, 'id,title,slug')).sort((x, y) => (x.slug < y.slug ? -1 : 1));
    const ids = articles.map((article) => article.id);
    const nobody = '00000000-0000-7000-8000-00000000dead';

    await t.test('an article that nobody approved is not published', async () => {
        const answer = await post('/api/seo/publish-article', { article_id: ids[0] });
        assert.equal(answer.status, 409);
    });

    await t.test('approves what is in qc and says why it skipped the rest', async () => {
        const first = await post('/api/seo/approve-batch', { article_ids: ids.slice(0, 5) });
        assert.deepEqual([first.body.approved, first.body.skipped], [5, []]);
        const second = await post('/api/seo/approve-batch', { article_ids: [ids[0], ids[5], nobody] });
        assert.equal(second.body.approved, 1);
        assert.deepEqual(second.body.skipped, [
            { id: ids[0], reason: 'It is approved, not qc.' },
            { id: nobody, reason: 'There is no such article.' },
        ]);
    });

    await t.test('publishes once, as a post with a date', async () => {
        const answer = await post('/api/seo/publish-article', { article_id: ids[0], status: 'published' });
        assert.equal(answer.status, 200, answer.text);
        const [stored] = await rows('posts', `filter[id][_eq]=${answer.body.post_id}`);
        assert.deepEqual([stored.slug, stored.status, stored.source_article_id, stored.source], ['a-story', 'published', ids[0], 'seo_engine']);
        assert.ok(stored.published_at);
        const [article] = await articlesOf(campaign).then((all) => all.filter((row) => row.id === ids[0]));
        assert.deepEqual(
            [article.status, article.is_published, article.publish_status, article.published_to_post, article.published_url],
            ['published', true, 'published', answer.body.post_id, '/a-story'],
        );
        const again = await post('/api/seo/publish-article', { article_id: ids[0] });
        assert.equal(again.status, 400);
        assert.match(again.body.message, /Article already published/);
        assert.equal(again.body.errors[0].post_id, answer.body.post_id);
    });

    await t.test('a draft leaves the article ready', async () => {
        const answer = await post('/api/seo/publish-article', { article_id: ids[1] });
        const [stored] = await rows('posts', `filter[id][_eq]=${answer.body.post_id}`);
        assert.deepEqual([stored.status, stored.published_at], ['draft', null]);
        const article = (await articlesOf(campaign)).find((row) => row.id === ids[1]);
        assert.deepEqual([article.status, article.is_published, article.publish_status], ['approved', false, 'ready']);
    });

    await t.test('a taken address gets a number', async () => {
        await stack.request('POST', '/items/posts', { site_id: site.id, title: 'c', slug: 'c-story' });
        const answer = await post('/api/seo/publish-article', { article_id: ids[2], status: 'published' });
        assert.equal(answer.body.slug, 'c-story-2');
    });

    await t.test('many at once, each with its own result', async () => {
        const answer = await stack.request('PUT', '/api/seo/publish-article', { article_ids: [ids[3], ids[0], nobody], status: 'published' });
        assert.deepEqual([answer.status, answer.body.published, answer.body.total], [200, 1, 3]);
        assert.ok(answer.body.results[0].post_id);
        assert.match(answer.body.results[1].error, /already published/);
        assert.match(answer.body.results[2].error, /no such article/);
    });

    await t.test('a race for one article has one winner', async () => {
        const answers = await Promise.all(Array.from({ length: 8 }, () => post('/api/seo/publish-article', { article_id: ids[4], status: 'published' })));
        assert.equal(answers.filter((answer) => answer.status === 200).length, 1);
        assert.equal((await rows('posts', `filter[source_article_id][_eq]=${ids[4]}`)).length, 1);
    });

    await t.test('decides on a test batch once', async () => {
        const queue = await stack.request('POST', '/items/production_queue', { site_id: site.id, campaign_id: campaign, status: 'test_batch' });
        const answer = await post('/api/seo/approve-batch', { queue_id: queue.body.data.id });
        assert.deepEqual([answer.status, answer.body.status], [200, 'approved']);
        const [after] = await rows('campaign_masters', `filter[id][_eq]=${campaign}`);
        assert.equal(after.test_batch_status, 'approved');
        assert.equal((await post('/api/seo/approve-batch', { queue_id: queue.body.data.id })).status, 409);
        assert.equal((await post('/api/seo/approve-batch', { queue_id: nobody })).status, 404);
    });

    await t.test('everything is in the work log', async () => {
        const actions = new Set((await rows('work_log', `filter[site_id][_eq]=${site.id}&fields=action`)).map((row) => row.action));
        assert.deepEqual([...actions].sort(), ['approved', 'created', 'generated', 'headlines_generated', 'imported', 'published', 'token_created']);
    });
});

test('nobody reaches into another site', async (t) => {
    const [mine, theirs] = [await makeSite(), await makeSite()];
    const campaign = await importCampaign(theirs, '{a|b}');
    await makeHeadlines(campaign);
    const article = (await post('/api/seo/generate-article', { campaign_id: campaign })).body.article_id;
    const queue = (await stack.request('POST', '/items/production_queue', { site_id: theirs.id, campaign_id: campaign, status: 'test_batch' })).body.data.id;
    const calls = [
        ['POST', '/api/seo/generate-headlines', { campaign_id: campaign }, 404],
        ['GET', `/api/seo/generate-headlines?campaign_id=${campaign}`, undefined, 404],
        ['POST', '/api/seo/generate-article', { campaign_id: campaign }, 404],
        ['POST', '/api/seo/generate-article', { campaign_id: campaign, async: true }, 404],
        ['POST', '/api/seo/publish-article', { article_id: article }, 404],
        ['POST', '/api/seo/approve-batch', { queue_id: queue }, 404],
        ['POST', '/api/seo/generate-headlines', { campaign_id: campaign, site_id: theirs.id }, 403],
        ['POST', '/api/admin/import-blueprint', blueprint(theirs, '{a|b}'), 403],
    ];

    for (const [method, path, body, status] of calls)
        await t.test(`${method} ${path.split('?')[0]} ${status}`, async () => {
            assert.equal((await stack.request(method, path, body, mine.as)).status, status);
            assert.equal((await fetch(stack.url + path, {
                method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body),
            })).status, 401);
        });

    await t.test('lists of foreign articles are skipped as unknown', async () => {
        const answer = await post('/api/seo/approve-batch', { article_ids: [article] }, mine.as);
        assert.deepEqual([answer.body.approved, answer.body.skipped.length], [0, 1]);
        const put = await stack.request('PUT', '/api/seo/publish-article', { article_ids: [article] }, mine.as);
        assert.equal(put.body.published, 0);
        assert.equal((await articlesOf(campaign))[0].status, 'qc');
    });

    await t.test('a token that may only read does not write', async () => {
        const token = (await post('/api/admin/site-tokens', { site_id: theirs.id, name: 'reader', read_only: true })).body.token;
        const as = { authorization: `Bearer ${token}` };
        assert.equal((await stack.request('GET', `/api/seo/generate-headlines?campaign_id=${campaign}`, undefined, as)).status, 200);
        for (const [method, path, body] of calls.filter(([name]) => name === 'POST'))
            assert.equal((await stack.request(method, path, body, as)).status, 403, path);
    });

    await t.test("the library's campaign is everybody's to run, and each keeps its own", async () => {
        const body = blueprint({}, '{u|v|w} for all');
        delete body.site_id;
        const shared = (await post('/api/admin/import-blueprint', body)).body.campaign_id;
        assert.equal((await post('/api/seo/generate-headlines', { campaign_id: shared })).status, 400);
        for (const site of [mine, theirs]) {
            assert.equal((await post('/api/seo/generate-headlines', { campaign_id: shared }, site.as)).body.generated, 3);
            const answer = await post('/api/seo/generate-article', { campaign_id: shared }, site.as);
            assert.equal(answer.body.generated, 1, answer.text);
            assert.equal(answer.body.slug, 'u-for-all');
        }
        assert.deepEqual((await articlesOf(shared, 'site_id')).map((row) => row.site_id).sort(), [mine.id, theirs.id].sort());
    });
});
