// What articles are assembled from: modules by a recipe, offer blocks, avatars and their variants, pictures.

import assert from 'node:assert/strict';
import test from 'node:test';

import { startStack, until } from '../../support/stack.mjs';

let stack;
let made = 0;

test.before(async () => {
    stack = await startStack({ workers: 2 });
});
test.after(() => stack?.stop());

const post = (path, body, headers) => stack.request('POST', path, body, headers);

async function makeSite(extra = {}) {
    const name = `assembly-${++made}`;
    await post('/items/sites', { name, domain: `${name}.example`, url: `https://${name}.example`, ...extra });
    const found = await stack.request('GET', `/items/sites?filter[name][_eq]=${name}&fields=id`);
    const id = found.body.data[0].id;
    const answer = await post('/api/admin/site-tokens', { site_id: id, name });
    return { id, name, as: { authorization: `Bearer ${answer.body.token}` } };
}

async function create(site, collection, body) {
    const answer = await post(`/items/${collection}`, body, site?.as);
    assert.equal(answer.status, 200, answer.text);
    return answer.body.data;
}

async function rows(collection, query = '') {
    const answer = await stack.request('GET', `/items/${collection}?limit=1000&${query}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.body.data;
}

const article = async (id) => (await rows('generated_articles', `filter[id][_eq]=${id}`))[0];
const campaignOf = (site, extra = {}) => create(site, 'campaign_masters', { name: `campaign ${++made}`, target_word_count: 0, ...extra });
const moduleOf = (site, module_type, content_spintax, extra = {}) => create(site, 'content_modules', { module_type, content_spintax, ...extra });
const place = { city: 'Madison', county: 'Dane County', state: 'Wisconsin' };

async function fourModules(site, copies = 1) {
    const list = [];
    for (const type of ['intro', 'benefits', 'howto', 'conclusion'])
        for (let n = 1; n <= copies; n++) list.push(await moduleOf(site, type, `<p>${type} ${n} {a|b|c|d} in {city}, {state_code}, {Current_Year}.</p>`));
    return list;
}

async function assemble(site, body, status = 201) {
    const answer = await post('/api/seo/assemble-article', { location: place, ...body }, site.as);
    assert.equal(answer.status, status, answer.text);
    return answer.body;
}

test('assemble-article', async (t) => {
    const site = await makeSite();
    const modules = await fourModules(site, 2);
    await post('/api/admin/import-blueprint', { site_id: site.id, locations: { states: [{ name: 'Wisconsin', code: 'WI' }] } });
    const campaign = await campaignOf(site, { spintax_title: '{Guide|Guide} to {city} in {Year}' });

    await t.test('makes a draft by the recipe and says of what', async () => {
        const body = await assemble(site, { campaign_id: campaign.id, publish_date: '2031-05-06', modified_date: '2031-05-07T10:00:00Z' });
        assert.equal(body.success, true);
        assert.equal(body.headline, 'Guide to Madison in 2031');
        assert.deepEqual(body.dates, { publish_date: '2031-05-06T00:00:00.000Z', modified_date: '2031-05-07T10:00:00.000Z' });
        assert.deepEqual(body.missing_modules, []);
        // of each type the first by id
        assert.deepEqual(body.modules_used, [0, 2, 4, 6].map((n) => modules[n].id));
        const row = await article(body.article_id);
        assert.equal(row.status, 'draft');
        assert.equal(row.sitemap_status, 'ghost');
        assert.equal(row.is_published, false);
        assert.equal(row.word_count, body.word_count);
        assert.equal(row.date_published, '2031-05-06T00:00:00.000Z');
        assert.deepEqual(row.modules_used, body.modules_used);
        assert.deepEqual(row.provenance.modules, body.modules_used);
        assert.equal(row.provenance.choices.split('.').length, 4);
        assert.match(row.provenance.seed, /^[0-9a-f]{16}$/);
        assert.match(row.provenance.spark, /^\d/);
        assert.ok(row.provenance.library.length > 20);
        assert.match(row.generation_hash, /^[0-9a-f]{64}$/);
        assert.match(row.content, /^<p>intro 1 [abcd] in Madison, WI, 2031\.<\/p>\n\n<p>benefits 1/);
        assert.equal(row.location_county, 'Dane County');
        assert.equal(row.headline_id, null);
        assert.match(row.featured_image_svg, /Guide to Madison/);
    });

    await t.test('takes the least used module, whatever its count was set to', async () => {
        const [intro1, intro2] = modules;
        await stack.request('PATCH', `/items/content_modules/${intro1.id}`, { usage_count: 50 }, site.as);
        await stack.request('PATCH', `/items/content_modules/${intro2.id}`, { usage_count: 40 }, site.as);
        for (let n = 0; n < 10; n++) {
            const body = await assemble(site, { campaign: campaign.id });
            assert.equal(body.modules_used[0], intro2.id);
        }
        assert.equal((await assemble(site, { campaign_id: campaign.id })).modules_used[0], intro1.id);
        await stack.request('PATCH', `/items/content_modules/${intro1.id}`, { is_active: false }, site.as);
        assert.equal((await assemble(site, { campaign_id: campaign.id })).modules_used[0], intro2.id);
    });

    await t.test('loses no count however many assemble at once', async () => {
        const crowd = await makeSite();
        await fourModules(crowd, 3);
        const own = await campaignOf(crowd);
        const bodies = await Promise.all(Array.from({ length: 24 }, () => assemble(crowd, { campaign_id: own.id })));
        assert.equal(new Set(bodies.map((b) => b.article_id)).size, 24);
        const counts = await rows('content_modules', `filter[site_id][_eq]=${crowd.id}&fields=id,usage_count`);
        const used = bodies.flatMap((b) => b.modules_used);
        for (const module of counts) assert.equal(module.usage_count, used.filter((id) => id === module.id).length);
        assert.equal(used.length, 96);
        const hashes = await rows('generated_articles', `filter[campaign_id][_eq]=${own.id}&fields=generation_hash,slug,title`);
        assert.equal(new Set(hashes.map((a) => a.generation_hash)).size, 24);
        assert.equal(new Set(hashes.map((a) => a.slug)).size, 24);
        assert.equal(hashes[0].title, `Madison ${own.name}`);
    });

    await t.test('names the types that are missing, and refuses when all are', async () => {
        const poor = await makeSite();
        const own = await campaignOf(poor, { content_recipe: ['intro', 'faq', 'outro'] });
        const refused = await assemble(poor, { campaign_id: own.id }, 409);
        assert.match(refused.message, /intro, faq, outro/);
        await moduleOf(poor, 'faq', '<p>Questions in {city}? {unknown_name}</p>');
        const body = await assemble(poor, { campaign_id: own.id });
        assert.deepEqual(body.missing_modules, ['intro', 'outro']);
        assert.deepEqual(body.unresolved, ['unknown_name']);
        const row = await article(body.article_id);
        assert.deepEqual(row.provenance.missing, ['intro', 'outro']);
        // A text without choices exists once for a headline.
        assert.match((await assemble(poor, { campaign_id: own.id }, 409)).message, /already/);
    });

    await t.test('dates an article in the past only where the site has asked for it', async () => {
        const past = { campaign_id: campaign.id, publish_date: '2020-01-01' };
        const refused = await assemble(site, past, 400);
        assert.match(refused.message, /backdating_allowed/);
        await stack.request('PATCH', `/items/sites/${site.id}`, { backdating_allowed: true });
        const body = await assemble(site, past);
        assert.match(body.warnings[0], /mislead/);
        assert.match(body.headline, /2020/);
        assert.match((await assemble(site, { ...past, modified_date: '2019-01-01' }, 400)).message, /modified_date/);
    });

    await t.test('refuses what it cannot read', async () => {
        const bad = [
            [{}, /campaign_id/],
            [{ campaign_id: campaign.id, location: undefined }, /location is required/],
            [{ campaign_id: campaign.id, location: 'Madison' }, /location is required/],
            [{ campaign_id: campaign.id, location: {} }, /names no city/],
            [{ campaign_id: campaign.id, publish_date: 'soon' }, /date/],
            [{ campaign_id: campaign.id, location: { city: 'x'.repeat(256) } }, /city/],
            [{ campaign_id: campaign.id, variant_type: 'other' }, /variant_type/],
        ];
        for (const [body, message] of bad) {
            const answer = await assemble(site, body, 400);
            assert.match(answer.message, message, JSON.stringify(body));
        }
    });
});

test('a campaign without a template goes by its recipe in every queue', async () => {
    const site = await makeSite();
    await fourModules(site, 3);
    const campaign = await campaignOf(site, { headline_spintax_root: '{A|B|C|D|E} {one|two|three|four}' });
    await post('/api/seo/generate-headlines', { campaign_id: campaign.id });
    const single = await post('/api/seo/generate-article', { campaign_id: campaign.id });
    assert.equal(single.status, 200, single.text);
    const batch = await post('/api/seo/generate-article', { campaign_id: campaign.id, total: 8, batch_size: 3 });
    assert.equal(batch.status, 202, batch.text);
    await until(async () => (await rows('generation_jobs', `filter[id][_eq]=${batch.body.job_id}`))[0]?.status === 'completed', 'the batch');
    const plan = await post('/api/seo/schedule-production', { campaign_id: campaign.id, total_articles: 5, test_batch_first: false });
    await post('/api/seo/approve-batch', { queue_id: plan.body.queue_id, approved: true });
    const turn = await post('/api/seo/process-queue', { queue_id: plan.body.queue_id });
    assert.equal(turn.status, 200, turn.text);
    const articles = await rows('generated_articles', `filter[campaign_id][_eq]=${campaign.id}&fields=modules_used,provenance`);
    assert.equal(articles.length, 14);
    const modules = await rows('content_modules', `filter[site_id][_eq]=${site.id}&fields=id,module_type,usage_count`);
    const used = articles.flatMap((a) => a.modules_used);
    assert.equal(used.length, 56);
    for (const module of modules) assert.equal(module.usage_count, used.filter((id) => id === module.id).length);
    // 14 over 3 of a type: whoever chose saw what was counted before.
    for (const type of ['intro', 'conclusion']) {
        const counts = modules.filter((m) => m.module_type === type).map((m) => m.usage_count);
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 3, counts.join());
    }
});

test('fragments are used least first across articles, batches and reloads', async () => {
    const site = await makeSite();
    const template = await create(site, 'article_templates', { name: 't', structure_json: ['only'] });
    const campaign = await campaignOf(site, { article_template: template.id });
    for (let n = 0; n < 6; n++) await create(site, 'content_fragments', { fragment_type: 'only', content_body: `<p>text ${n}</p>`, campaign_id: campaign.id });
    const used = [];
    for (let n = 0; n < 12; n++) {
        // A new dictionary: the next article's library is read anew.
        await create(site, 'spintax_dictionaries', { category: `word_${n}`, data: ['x'] });
        const answer = await post('/api/seo/generate-article', { campaign_id: campaign.id, headline: `Headline ${n}` }, site.as);
        assert.equal(answer.status, 200, answer.text);
        used.push((await article(answer.body.article_id)).provenance.fragments[0]);
    }
    assert.equal(new Set(used.slice(0, 6)).size, 6);
    assert.equal(new Set(used.slice(6)).size, 6);
});

test('generate-variants', async (t) => {
    const site = await makeSite();
    const avatar = await create(site, 'avatar_intelligence', { avatar_key: 'rider', base_name: 'The Rider', data: { identity: 'rider in the rain' } });
    const make = (body, as = site.as) => post('/api/seo/generate-variants', body, as ?? undefined);
    const variantsOf = () => rows('avatar_variants', `filter[site_id][_eq]=${site.id}&sort=variant_type`);

    await t.test('gives an avatar its three rows', async () => {
        const answer = await make({ avatar_id: avatar.id });
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.body.created, 3);
        assert.deepEqual(answer.body.variants.map((v) => v.variant_type), ['male', 'female', 'neutral']);
        const [female, male, neutral] = await variantsOf();
        assert.deepEqual(male.data, { pronoun: 'he', ppronoun: 'him', pospronoun: 'his', isare: 'is', has_have: 'has', does_do: 'does', identity: 'rider in the rain', base_name: 'The Rider' });
        assert.equal(female.data.pospronoun, 'her');
        assert.equal(neutral.data.isare, 'are');
        assert.equal(female.identity, 'rider in the rain');
    });

    await t.test('makes what is missing and leaves what is there', async () => {
        const [female, male] = await variantsOf();
        await stack.request('PATCH', `/items/avatar_variants/${female.id}`, { identity: 'captain of the rain', data: { pronoun: 'the captain' } }, site.as);
        await stack.request('DELETE', `/items/avatar_variants/${male.id}`, undefined, site.as);
        const answers = await Promise.all(Array.from({ length: 8 }, () => make({ avatar_key: 'rider' })));
        assert.equal(answers.reduce((sum, a) => sum + a.body.created, 0), 1);
        assert.equal((await make({ avatar_key: 'rider' })).body.created, 0);
        const now = await variantsOf();
        assert.deepEqual(now[0].data, { pronoun: 'the captain' });
        assert.equal(now.length, 3);
    });

    await t.test('leaves the library to the platform', async () => {
        const shared = await create(null, 'avatar_intelligence', { avatar_key: 'everybody', base_name: 'Everybody' });
        assert.equal((await make({ avatar_id: shared.id })).status, 403);
        assert.equal((await make({ avatar_key: 'everybody' })).status, 403);
        const answer = await make({ avatar_key: 'everybody' }, null);
        assert.equal(answer.body.created, 3, answer.text);
        const made = await rows('avatar_variants', 'filter[avatar_key][_eq]=everybody');
        assert.deepEqual(new Set(made.map((v) => v.site_id)), new Set([null]));
    });

    await t.test('refuses what nobody has, and what is another site\'s', async () => {
        const other = await makeSite();
        assert.equal((await make({ avatar_id: avatar.id }, other.as)).status, 404);
        assert.equal((await make({ avatar_key: 'rider' }, other.as)).status, 404);
        assert.equal((await make({ avatar_key: 'rider', site_id: site.id }, other.as)).status, 403);
        assert.equal((await make({})).status, 400);
        assert.equal((await make({ avatar_id: 'x' })).status, 400);
        await create(other, 'avatar_intelligence', { avatar_key: 'rider', base_name: 'Another' });
        assert.match((await make({ avatar_key: 'rider' }, null)).body.message, /site_id/);
        assert.equal((await make({ avatar_key: 'rider', site_id: other.id }, null)).body.created, 3);
    });
});

test('articles speak of the avatar and the variant that were chosen', async (t) => {
    const site = await makeSite();
    await create(site, 'avatar_intelligence', { avatar_key: 'captain', base_name: 'The Captain', data: { identity: 'busy captain' } });
    const words = '<p>x [[PRONOUN]] [[ISARE:AVATAR]] [[POSPRONOUN]] {Avatar} {pronoun}</p>';
    const template = await create(site, 'article_templates', { name: 't', structure_json: ['only'] });
    const campaign = await campaignOf(site, { article_template: template.id, headline_spintax_root: '{A|B|C|D|E|F} title' });
    await create(site, 'content_fragments', { fragment_type: 'only', content_body: words, campaign_id: campaign.id });
    const speak = async (extra) => {
        const answer = await post('/api/seo/generate-article', { campaign_id: campaign.id, headline: `Headline ${++made}`, ...extra }, site.as);
        assert.equal(answer.status, 200, answer.text);
        return article(answer.body.article_id);
    };

    await t.test('without rows for it, in every variant', async () => {
        assert.match((await speak({})).content, /x they are their \{Avatar\} \{pronoun\}/);
        const male = await speak({ avatar_key: 'captain', variant_type: 'Male' });
        assert.match(male.content, /x he is his busy captain he/);
        assert.deepEqual(male.provenance.avatar, { avatar_key: 'captain', variant_type: 'male' });
        assert.match((await speak({ avatar_key: 'captain', variant_type: 'female' })).content, /x she is her busy captain she/);
        assert.match((await speak({ avatar_key: 'captain' })).content, /x they are their busy captain/);
        assert.match((await speak({ variant_type: 'female' })).content, /x she is her \{Avatar\} she/);
    });

    await t.test('by the id of a variant, with the words of its row', async () => {
        const answer = await post('/api/seo/generate-variants', { avatar_key: 'captain' }, site.as);
        const female = answer.body.variants.find((v) => v.variant_type === 'female');
        assert.match((await speak({ avatar_id: female.id })).content, /x she is her/);
        await stack.request('PATCH', `/items/avatar_variants/${female.id}`, { identity: 'queen of the fleet', data: { pronoun: 'the queen' } }, site.as);
        assert.match((await speak({ avatar_id: female.id })).content, /x the queen is her queen of the fleet/);
        assert.match((await speak({ avatar_id: answer.body.avatar_id, variant_type: 'female' })).content, /queen of the fleet/);
        const missing = await post('/api/seo/generate-article', { campaign_id: campaign.id, headline: 'H', avatar_key: 'nobody' }, site.as);
        assert.equal(missing.status, 404, missing.text);
    });

    await t.test('as the campaign says, in batches too; a request stands above it', async () => {
        const set = await stack.request('PATCH', `/items/campaign_masters/${campaign.id}`, { avatar_key: 'captain', variant_type: 'male' }, site.as);
        assert.equal(set.status, 200, set.text);
        assert.match((await speak({})).content, /x he is his busy captain/);
        await post('/api/seo/generate-headlines', { campaign_id: campaign.id });
        const start = async (extra) => {
            const answer = await post('/api/seo/generate-article', { campaign_id: campaign.id, total: 2, ...extra });
            assert.equal(answer.status, 202, answer.text);
            await until(async () => (await rows('generation_jobs', `filter[id][_eq]=${answer.body.job_id}`))[0]?.status === 'completed', 'the batch');
            return rows('generated_articles', `filter[job_id][_eq]=${answer.body.job_id}`);
        };
        for (const row of await start({})) assert.match(row.content, /x he is his busy captain/);
        for (const row of await start({ avatar_key: 'captain', variant_type: 'female' })) assert.match(row.content, /queen of the fleet/);
    });
});

test('templates that name offer blocks', async (t) => {
    const site = await makeSite();
    await create(site, 'avatar_intelligence', { avatar_key: 'founder', base_name: 'Founder', data: { identity: 'founder' } });
    const lists = { universal_pain_points: ['pain of all'], universal_solutions: ['way of all'], universal_value_points: ['gain of all'] };
    const universal = await create(site, 'offer_blocks', { block_type: 'universal', block_id: 'block_a', data: { title: 'Block {A|A}', hook: 'For {city} & {{AGENCY_NAME}}', spintax: 'First\nSecond', ...lists } });
    const personal = await create(site, 'offer_blocks', { block_type: 'personalized', block_id: 'block_a', avatar_key: 'founder', data: { pains: ['pain of [[PRONOUN]]'], value_points: ['gain of a founder'] } });
    // As exports have them: the id is in data.
    await create(site, 'offer_blocks', { block_type: 'universal', data: { id: 'block_b', title: 'Block B' } });
    await stack.request('PATCH', `/items/sites/${site.id}`, { name: 'Spoke <& Lane>' });
    const template = await create(site, 'article_templates', { name: 't', structure_json: ['intro', 'block_a', 'block_b', 'block_c'] });
    const campaign = await campaignOf(site, { article_template: template.id });
    await create(site, 'content_fragments', { fragment_type: 'intro', content_body: '<p>Intro & <b>all</b></p>', campaign_id: campaign.id });
    const speak = async (extra) => {
        const answer = await post('/api/seo/generate-article', { campaign_id: campaign.id, headline: `Headline ${++made}`, location: place, ...extra }, site.as);
        assert.equal(answer.status, 200, answer.text);
        return article(answer.body.article_id);
    };

    await t.test('become sections between the fragments', async () => {
        const row = await speak({});
        assert.match(row.content, /^<p>Intro & <b>all<\/b><\/p>\n\n<section class="content-block">\n<h2>Block A<\/h2>/);
        assert.match(row.content, /<p class="lead">For Madison & Spoke &lt;&amp; Lane&gt;<\/p>/);
        assert.match(row.content, /<ul class="pains">\n<li>pain of all<\/li>\n<\/ul>\n<p class="solution">way of all<\/p>/);
        assert.match(row.content, /<div class="block-content">First<br>\nSecond<\/div>/);
        assert.match(row.content, /<h2>Block B<\/h2>/);
        assert.equal(row.provenance.fragments.length, 3);
        assert.equal(row.provenance.fragments[1], universal.id);
        assert.equal(row.provenance.template, template.id);
        assert.deepEqual(row.provenance.missing, ['block_c']);
        assert.equal(row.provenance.personal_blocks, undefined);
    });

    await t.test('take the lists that are meant for the avatar, list by list', async () => {
        const row = await speak({ avatar_key: 'founder', variant_type: 'female' });
        assert.match(row.content, /<li>pain of she<\/li>/);
        assert.match(row.content, /<li>gain of a founder<\/li>/);
        assert.match(row.content, /way of all/);
        assert.doesNotMatch(row.content, /pain of all|gain of all/);
        assert.deepEqual(row.provenance.personal_blocks, [personal.id]);
    });

    await t.test('follow an editor at once', async () => {
        await stack.request('PATCH', `/items/offer_blocks/${universal.id}`, { data: { title: 'Changed' } }, site.as);
        assert.match((await speak({})).content, /<h2>Changed<\/h2>/);
    });
});

test('image templates', async (t) => {
    const site = await makeSite();
    const template = await create(site, 'article_templates', { name: 't', structure_json: ['only'] });
    const campaign = await campaignOf(site, { article_template: template.id });
    await create(site, 'content_fragments', { fragment_type: 'only', content_body: '<p>text</p>', campaign_id: campaign.id });
    const write = (body, as = site.as) => post('/items/image_templates', Array.isArray(body) ? body : { name: 'picture', ...body }, as ?? undefined);
    const draw = async (headline) => {
        const answer = await post('/api/seo/generate-article', { campaign_id: campaign.id, headline, location: place }, site.as);
        assert.equal(answer.status, 200, answer.text);
        return article(answer.body.article_id);
    };
    const good = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"><rect fill="{gradient_start}" width="{width-80}"/><text x="50%" font-size="{title_size}">{title}</text><text>{site_name}, {city}</text></svg>';
    let own;

    await t.test('are refused by name when they hold what a picture may not', async () => {
        const bad = {
            '<svg><script>alert(1)</script></svg>': /script/,
            '<svg onload="alert(1)"/>': /onload/,
            '<svg><image href="https://a.example/x.png"/></svg>': /href/,
            '<svg><rect style="fill:url(//a.example)"/></svg>': /style/,
            '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>': /document type/,
            '<svg><foreignObject/></svg>': /foreignObject/,
            'no picture': /not XML/,
        };
        for (const [svg_source, message] of Object.entries(bad)) {
            const answer = await write({ svg_source });
            assert.equal(answer.status, 400, svg_source);
            assert.match(answer.body.errors[0].message, message);
            assert.equal(answer.body.errors[0].extensions.field, 'svg_source');
            assert.equal((await write([{ name: 'a', svg_source: good }, { name: 'b', svg_source }])).status, 400);
        }
        assert.equal((await rows('image_templates', `filter[site_id][_eq]=${site.id}`)).length, 0);
    });

    await t.test('are filled in for the articles of their site, wrapped and escaped', async () => {
        assert.match((await draw('Before any template')).featured_image_svg, /linearGradient/);
        own = (await write({ svg_source: good, is_default: true, gradient_start: '#123456' })).body.data;
        const row = await draw('Bikes & <b>more</b> for every street that has a hill to climb');
        assert.match(row.featured_image_svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 1200 630"><rect fill="#123456" width="1120">/);
        assert.match(row.featured_image_svg, /<tspan x="50%" dy="-28">Bikes &amp; &lt;b&gt;more&lt;\/b&gt; for every street<\/tspan><tspan x="50%" dy="57">/);
        assert.match(row.featured_image_svg, new RegExp(`<text>${site.name}, Madison</text>`));
        assert.equal(row.provenance.image_template, own.id);
    });

    await t.test('cannot be changed into something else', async () => {
        const answer = await stack.request('PATCH', `/items/image_templates/${own.id}`, { svg_source: '<svg><a href="javascript:x"/></svg>' }, site.as);
        assert.equal(answer.status, 400, answer.text);
        const [row] = await rows('image_templates', `filter[id][_eq]=${own.id}`);
        assert.equal(row.svg_source, good);
    });

    await t.test('that a value turns bad are not used, and the article says why', async () => {
        await stack.request('PATCH', `/items/image_templates/${own.id}`, { gradient_start: 'url(//a.example)' }, site.as);
        const row = await draw('A colour from elsewhere');
        assert.match(row.featured_image_svg, /linearGradient/);
        assert.doesNotMatch(row.featured_image_svg, /a\.example/);
        assert.match(row.provenance.image_template_refused, /fill/);
    });

    await t.test('stand before those of the library', async () => {
        const shared = (await write({ svg_source: good.replace('{site_name}', 'Everybody'), is_default: true }, null)).body.data;
        assert.equal(shared.site_id, null);
        await stack.request('PATCH', `/items/image_templates/${own.id}`, { gradient_start: '#654321' }, site.as);
        assert.match((await draw('Own picture')).featured_image_svg, /#654321/);
        await stack.request('PATCH', `/items/image_templates/${own.id}`, { is_default: false }, site.as);
        assert.match((await draw('Shared picture')).featured_image_svg, /Everybody, Madison/);
        await stack.request('DELETE', `/items/image_templates/${shared.id}`);
    });

    await t.test('nor does a picture reach an article by hand', async () => {
        const row = await draw('By hand');
        const change = (featured_image_svg) => stack.request('PATCH', `/items/generated_articles/${row.id}`, { featured_image_svg }, site.as);
        assert.equal((await change('<svg><script/></svg>')).status, 400);
        assert.equal((await change('<svg><rect width="1"/></svg>')).status, 200);
        assert.equal((await change(null)).status, 200);
    });
});
