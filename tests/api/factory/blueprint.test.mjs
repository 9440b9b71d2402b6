// A site as a blueprint: out of one site, into another, and both are alike.

import assert from 'node:assert/strict';
import test from 'node:test';

import { startStack } from '../../support/stack.mjs';

let stack;
let made = 0;

test.before(async () => {
    stack = await startStack();
});
test.after(() => stack?.stop());

async function makeSite() {
    const name = `blue-${++made}`;
    await stack.request('POST', '/items/sites', { name, domain: `${name}.example` });
    const found = await stack.request('GET', `/items/sites?filter[name][_eq]=${name}&fields=id`);
    const id = found.body.data[0].id;
    const answer = await stack.request('POST', '/api/admin/site-tokens', { site_id: id, name });
    return { id, name, as: { authorization: `Bearer ${answer.body.token}` } };
}

async function add(collection, row) {
    const answer = await stack.request('POST', `/items/${collection}`, row);
    assert.equal(answer.status, 200, `${collection}: ${answer.text}`);
    return answer.body.data.id;
}

async function exported(site, query = '', headers) {
    const answer = await stack.request('GET', `/api/admin/export-blueprint?site_id=${site.id}${query}`, undefined, headers);
    assert.equal(answer.status, 200, answer.text);
    return answer.body;
}

const imported = (site, document, headers) =>
    stack.request('POST', '/api/admin/import-blueprint', { ...document, site_id: site.id }, headers);

/** Something in every part, with references of every kind. */
async function furnish(site) {
    const site_id = site.id;
    const library = await stack.request('GET', '/items/locations_states?filter[code][_eq]=LB&fields=id');
    const libraryState = library.body.data[0]?.id ?? (await add('locations_states', { name: 'Libraria', code: 'LB' }));
    await stack.request('PATCH', `/items/sites/${site_id}`, { settings: { feature: true, owner: site_id }, time_zone: 'Europe/Berlin', sitemap_drip_rate: 7 });

    const template = await add('article_templates', { site_id, name: 'T', structure_json: ['intro', 'end'] });
    await add('article_templates', { site_id, name: 'T', structure_json: ['end'] });
    await add('avatar_intelligence', { site_id, avatar_key: 'owner', base_name: 'Owner', business_niches: ['Gardens'] });
    await add('avatar_variants', { site_id, avatar_key: 'owner', variant_type: 'female', data: { pronoun: 'she' } });
    await add('cartesian_patterns', { site_id, pattern_key: 'p', data: [{ id: 'f', formula: '{fine} {{NICHE}} in {{CITY}}' }] });
    await add('spintax_dictionaries', { site_id, category: 'fine', data: ['Fine', 'Good'] });
    await add('geo_intelligence', { site_id, cluster_key: 'c', latitude: 12.5, data: { cities: [{ city: 'Ulm', state: 'LB' }] } });
    const cluster = await add('geo_clusters', { site_id, cluster_key: 'gc', cluster_name: 'GC' });
    await add('geo_locations', { site_id, cluster_id: cluster, city: 'Ulm', zip_focus: '89073' });
    const state = await add('locations_states', { site_id, name: 'Ownland', code: 'OL', population: 12 });
    const county = await add('locations_counties', { site_id, name: 'Alb', state_id: state });
    await add('locations_counties', { site_id, name: 'Alb', state_id: libraryState });
    const city = await add('locations_cities', { site_id, name: 'Ulm', state_id: state, county_id: county, latitude: 48.4, zip_codes: ['89073'] });
    await add('offer_blocks', { site_id, block_type: 'universal', block_id: 'b1', data: { spintax: '{a|b} $1,000 →' } });
    await add('image_templates', { site_id, name: 'I', svg_source: '<svg xmlns="http://www.w3.org/2000/svg"/>', is_default: true });
    const author = await add('authors', { site_id, name: 'Ann', bio: 'writes', email: 'ann@private.example' });
    const form = await add('forms', { site_id, name: 'Contact', slug: 'contact', fields: [{ name: 'email', type: 'email' }],
        submit_action: 'webhook', webhook_url: 'https://hooks.example/secret-key', email_recipients: 'boss@private.example' });
    const campaign = await add('campaign_masters', { site_id, name: 'C', headline_spintax_root: '{A|B} in {City}', niche_variables: { Niche: 'x' },
        location_mode: 'city', location_target: county, article_template: template, headline_patterns: ['p'] });
    await add('campaign_masters', { site_id, name: 'C', headline_spintax_root: '{C|D}', location_mode: 'county', location_target: libraryState });
    await add('content_fragments', { site_id, campaign_id: campaign, fragment_type: 'intro', content_body: '<p>{Hello|Hi} & "you"</p>' });
    await add('content_fragments', { site_id, fragment_type: 'end', content_body: 'all' });
    await add('headline_inventory', { site_id, campaign_id: campaign, final_title_text: 'A in Ulm', location_data: { id: city, city: 'Ulm' } });
    await add('headline_inventory', { site_id, campaign_id: campaign, final_title_text: 'B in Ulm', status: 'archived' });
    await add('content_modules', { site_id, module_type: 'intro', content_spintax: '{one|two}' });
    await add('content_modules', { site_id, module_type: 'intro', content_spintax: '{one|three}' });
    const hub = await add('hub_pages', { site_id, title: 'Hub', slug: 'hub' });
    await add('hub_pages', { site_id, title: 'Below', slug: 'below', parent_id: hub });
    const page = await add('pages', { site_id, title: 'Home', permalink: '/', status: 'published',
        blocks: [{ id: 'x', block_type: 'form', block_config: { form_id: form, site: site_id, elsewhere: '11111111-2222-4333-8444-555555555555' } }] });
    await add('page_blocks', { site_id, page_id: page, order: 1, block_type: 'form', block_config: { form } });
    await add('page_blocks', { site_id, page_id: page, order: 1, block_type: 'form', block_config: { page } });
    const post = await add('posts', { site_id, title: 'P', slug: 'p', content: '<p>text</p>', author, status: 'draft', schema_json: { deep: [[{ a: null }]] } });
    await add('link_targets', { site_id, target_post: post, anchor_text: 'here', anchor_variations: ['there'] });
    const menu = await add('navigation', { site_id, label: 'More', url: '#' });
    await add('navigation', { site_id, label: 'More', url: '#', parent_id: menu });
    await add('navigation', { site_id, label: 'Leaf', url: '/leaf', parent_id: menu, target: '_blank' });
    await add('globals', { site_id, site_name: 'Blue', theme_settings: { contact: form } });
    await add('site_analytics', { site_id, google_analytics_id: 'G-SECRET1' });
    await add('leads', { site_id, name: 'Visitor', email: 'visitor@private.example' });
}

test('export-blueprint and import-blueprint', async (t) => {
    const source = await makeSite();
    await furnish(source);
    const document = await exported(source);
    const text = JSON.stringify(document);

    await t.test('a blueprint has a row of every part', () => {
        const parts = Object.keys(document).filter((key) => !['format', 'left_out'].includes(key));
        assert.equal(parts.length, 27, parts.join());
        assert.equal(document.format, 'spark-site/1');
    });

    await t.test('a blueprint holds no id of its site', async () => {
        assert.ok(!text.includes(source.id));
        const ids = text.match(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g) ?? [];
        assert.deepEqual(ids, ['11111111-2222-4333-8444-555555555555']);
    });

    await t.test('secrets and personal data are left out, and it says so', () => {
        for (const secret of ['secret-key', 'private.example', 'G-SECRET1', source.name, 'Visitor'])
            assert.ok(!text.includes(secret), secret);
        assert.match(document.left_out.join(), /secrets.*personal data/);
    });

    await t.test('rows refer to each other by name, and to the library as such', () => {
        assert.equal(document.campaigns[0].article_template, 'T');
        assert.deepEqual(document.campaigns[0].location_target, { county: 'US/OL/Alb' });
        assert.deepEqual(document.campaigns[1].location_target, { state: { library: 'US/LB' } });
        assert.deepEqual(document.counties.map((row) => row.state_id), ['US/OL', { library: 'US/LB' }]);
        assert.equal(document.navigation[2].parent_id, 'More/#');
        assert.equal(document.pages[0].blocks[0].block_config.form_id, 'spark:blueprint/forms/contact');
        assert.equal(document.pages[0].blocks[0].block_config.site, 'spark:blueprint/site');
        assert.equal(document.headlines[0].location_data.id, 'spark:blueprint/cities/US/OL/Ulm');
    });

    await t.test('another site that imports it is equal', async () => {
        const target = await makeSite();
        const answer = await imported(target, document);
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.body.stored.navigation, 3);
        assert.match(answer.body.left_out.join(), /secrets/);
        assert.deepEqual(await exported(target), document);
        const [form] = (await stack.request('GET', `/items/forms?filter[site_id][_eq]=${target.id}`)).body.data;
        const [page] = (await stack.request('GET', `/items/pages?filter[site_id][_eq]=${target.id}`)).body.data;
        assert.equal(page.blocks[0].block_config.form_id, form.id);
        assert.equal(page.blocks[0].block_config.site, target.id);

        const again = await imported(target, document);
        assert.equal(again.status, 200, again.text);
        assert.equal(again.body.imported, 0, JSON.stringify(again.body.stored));
        assert.deepEqual(await exported(target), document);
    });

    await t.test('importing a site into itself changes nothing', async () => {
        const answer = await imported(source, document);
        assert.equal(answer.body.imported, 0, answer.text);
        assert.deepEqual(await exported(source), document);
    });

    await t.test('a site token exports and imports its own site, and no other', async () => {
        const target = await makeSite();
        assert.deepEqual(await exported(source, '', source.as), document);
        for (const [method, path, body] of [
            ['GET', `/api/admin/export-blueprint?site_id=${source.id}`],
            ['POST', '/api/admin/import-blueprint', { ...document, site_id: source.id }],
        ]) {
            const answer = await stack.request(method, path, body, target.as);
            assert.equal(answer.status, 403, answer.text);
            assert.ok(!answer.text.includes('Contact'));
        }
        const answer = await imported(target, document, target.as);
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(await exported(target), document);
    });

    await t.test('parts= exports some of them', async () => {
        const some = await exported(source, '&parts=templates,forms');
        assert.deepEqual(Object.keys(some), ['format', 'left_out', 'templates', 'forms']);
        const answer = await stack.request('GET', `/api/admin/export-blueprint?site_id=${source.id}&parts=leads`);
        assert.equal(answer.status, 400);
        assert.match(answer.body.message, /leads/);
    });

    for (const [what, change, field] of [
        ['broken spintax', (d) => (d.campaigns[1].headline_spintax_root = '{a|b'), 'campaigns[1].headline_spintax_root'],
        ['an id', (d) => (d.pages[0].id = source.id), 'pages[0].id'],
        ["another site's id", (d) => (d.posts[0].site_id = source.id), 'posts[0].site_id'],
        ['an unknown part', (d) => (d.leads = []), 'leads'],
        ['a reference to nothing', (d) => (d.fragments[0].campaign_id = 'none such'), 'fragments[0].campaign_id'],
        ['a reference to nothing in the library', (d) => (d.campaigns[0].article_template = { library: 'none' }), 'campaigns[0].article_template'],
        ['a token that leads nowhere', (d) => (d.globals.theme_settings.contact = 'spark:blueprint/forms/nothing'), 'globals.theme_settings'],
        ['a text that is too long', (d) => (d.navigation[2].label = 'x'.repeat(101)), 'navigation[2].label'],
        ['a missing name', (d) => delete d.authors[0].name, 'authors[0].name'],
        ['a number out of range', (d) => (d.image_templates[0].width = 0), 'image_templates[0].width'],
        ['a word that is no choice', (d) => (d.pages[0].status = 'gone'), 'pages[0].status'],
        ['a wrong kind', (d) => (d.forms[0].fields = {}), 'forms[0].fields'],
        ['a date that is none', (d) => (d.campaigns[0].backdate_start = 'soon'), 'campaigns[0].backdate_start'],
        ['a time zone that is none', (d) => (d.site_settings.time_zone = 'Moon/Base'), 'site_settings'],
        ['too many rows', (d) => (d.image_templates = Array(1001).fill({ name: 'x', svg_source: 'x' })), 'image_templates'],
        ['another format', (d) => (d.format = 'spark-site/9'), 'format'],
    ])
        await t.test(`refuses ${what}, names it, and changes nothing`, async () => {
            const target = await makeSite();
            const before = await exported(target);
            const broken = structuredClone(document);
            change(broken);
            const answer = await imported(target, broken);
            assert.equal(answer.status, 400, answer.text);
            assert.equal(answer.body.errors[0].field, field, answer.text);
            assert.deepEqual(await exported(target), before);
        });

    await t.test('5,000 headlines and 1,000 fragments go from site to site', async () => {
        const large = {
            format: 'spark-site/1',
            campaigns: [{ name: 'Large', headline_spintax_root: '{a|b}' }],
            fragments: Array.from({ length: 1000 }, (_, i) => ({ campaign_id: 'Large', fragment_type: 'intro', content_body: `<p>fragment ${i}</p>` })),
            headlines: Array.from({ length: 5000 }, (_, i) => ({ campaign_id: 'Large', final_title_text: `Headline ${i}` })),
        };
        const first = await makeSite();
        const answer = await imported(first, large);
        assert.equal(answer.body.stored?.headlines, 5000, answer.text);
        assert.equal(answer.body.stored.fragments, 1000);
        const copy = await exported(first);
        const second = await makeSite();
        assert.equal((await imported(second, copy)).body.imported, 6001);
        assert.deepEqual(await exported(second), copy);
        assert.equal((await imported(second, copy)).body.imported, 0);
    });
});

test('a column of a migration travels, one that people added stays', async () => {
    // As `spark migrate` leaves them: columns, and that they came with the platform. `remark` did not.
    await stack.sql(`begin;
        set local role spark_owner;
        alter table posts add column tone varchar(20) not null default 'warm' check (tone in ('warm', 'cool')),
            add column minutes integer check (minutes >= 1), add column editor uuid references directus_users (id),
            add column remark text;
        insert into spark.own_fields (collection, field) values ('posts', 'tone'), ('posts', 'minutes'), ('posts', 'editor');
        reset role;
        select spark.raise_epoch();
        commit`);
    const source = await makeSite();
    await add('posts', { site_id: source.id, slug: 'one', tone: 'cool', minutes: 3, remark: 'between us' });
    await add('posts', { site_id: source.id, slug: 'two' });
    const document = await exported(source);
    assert.deepEqual(document.posts.map((post) => [post.slug, post.tone, post.minutes, post.remark]), [['one', 'cool', 3, undefined], ['two', 'warm', undefined, undefined]]);

    const target = await makeSite();
    delete document.posts[1].tone; // as a document that is older than the column
    assert.equal((await imported(target, document)).body.imported, 2);
    assert.deepEqual((await exported(target)).posts, (await exported(source)).posts);
    for (const [change, message] of [
        [{ tone: 'hot' }, /^posts\[0\]\.tone has to be one of warm,cool/],
        [{ minutes: 0 }, /^posts\[0\]\.minutes has to be a number from 1 to 2147483647/],
        [{ remark: 'x' }, /^posts\[0\]\.remark is no part of a blueprint/],
        [{ editor: source.id }, /^posts\[0\]\.editor is no part of a blueprint/],
    ]) {
        const answer = await imported(target, { format: 'spark-site/1', posts: [{ slug: 'three', ...change }] });
        assert.equal(answer.status, 400, answer.text);
        assert.match(answer.body.message, message);
    }
});

test('a blueprint that an import could not take is refused, and says what to do', async () => {
    const small = await startStack({ env: { BULK_PAYLOAD_SIZE: '4096' } });
    try {
        await small.request('POST', '/items/sites', { name: 'small', domain: 'small.example' });
        const site_id = (await small.request('GET', '/items/sites?filter[name][_eq]=small&fields=id')).body.data[0].id;
        for (let i = 0; i < 3; i++) {
            const post = await small.request('POST', '/items/posts', { site_id, title: 'x', slug: `x${i}`, content: 'long '.repeat(500) });
            assert.equal(post.status, 200, post.text);
        }
        const answer = await small.request('GET', `/api/admin/export-blueprint?site_id=${site_id}`);
        assert.equal(answer.status, 413, answer.text);
        assert.match(answer.body.message, /BULK_PAYLOAD_SIZE.*parts/);
        assert.equal((await small.request('GET', `/api/admin/export-blueprint?site_id=${site_id}&parts=forms`)).status, 200);
    } finally {
        await small.stop();
    }
});

test('a text of millions of values is refused before it becomes a tree', async () => {
    const site = await makeSite();
    const send = (path, text) => fetch(stack.url + path, { method: 'POST', headers: { ...site.as, 'content-type': 'application/json' }, body: text });
    for (const rows of ['{},', '[],', '1,', '{"a":{}},']) {
        const answer = await send('/api/admin/import-blueprint', `{"format":"spark-site/1","posts":[${rows.repeat(3e6)}{}]}`);
        assert.equal(answer.status, 413, rows);
        assert.match((await answer.json()).message, /more than 3000000 values/);
    }
});

test('a large text that is no JSON is refused in the words of a small one', async () => {
    const site = await makeSite();
    const send = (path, text) => fetch(stack.url + path, { method: 'POST', headers: { ...site.as, 'content-type': 'application/json' }, body: text });
    const broken = `{"title":"${'x'.repeat(600000)}","title":1}`;
    const own = await send('/api/admin/import-blueprint', broken);
    assert.deepEqual([own.status, (await own.json()).message], [400, 'Invalid JSON: a key appears twice in one object (line 1, column 600019).']);
    const items = await send('/items/posts', broken);
    assert.deepEqual([items.status, (await items.json()).errors[0].extensions.code], [400, 'INVALID_PAYLOAD']);
    const keys = await send('/items/posts', `{${Array.from({ length: 60000 }, (_, i) => `"k${i}":1`).join(',')}}`);
    assert.match((await keys.json()).errors[0].message, /more than 256 keys/);
});
