// Keys are unique in their site: whether another site has a row with a key cannot be asked, and on the platform
// nothing that names a row by its key touches two sites' rows.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, startApi } from '../../support/api.mjs';

const LIBRARY = '00000000-0000-7000-8000-000000000001';
let stack;
let a;
let b;
let tenantTables;

const as = (tenant) => (method, path, body) => stack.call({ method, path, token: tenant.token, body });
const admin = (method, path, body, site) =>
    stack.call({ method, path, token: stack.adminToken, body, headers: site ? { 'x-site-id': site } : {} });
const ok = (answer) => {
    assert.ok(answer.status === 200 || answer.status === 204, `${answer.status} ${answer.text}`);
    return answer.body?.data;
};
/* An answer without what is different each time: keys and moments. */
const plain = (answer) =>
    `${answer.status} ${answer.text}`
        .replaceAll(/[0-9a-f]{64}/g, '#')
        .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '#')
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '@');
const one = async (text) => (await stack.rows(text))[0]?.[0];

/* What a collection wants of a new row, beside its key; `n` keeps what is unique in a site apart. */
const BODIES = (n, own) => ({
    article_links: { batch_id: randomUUID(), article_id: own.article, href: '/x', anchor: 'x', position: n },
    article_templates: { name: 'x' },
    authors: { name: 'x' },
    avatar_intelligence: { avatar_key: `k${n}` },
    avatar_variants: { avatar_key: own.avatarKey, variant_type: ['male', 'female', 'neutral'][n % 3] },
    campaign_masters: { name: 'x' },
    campaigns: { name: 'x' },
    cartesian_patterns: { pattern_key: `k${n}` },
    content_fragments: { campaign_id: own.campaign, fragment_type: 'intro', content_body: `x ${n}` },
    content_modules: { module_type: 'x', content_spintax: 'x' },
    form_submissions: { form_id: own.form, data: {} },
    forms: { name: 'x', slug: `f${n}` },
    generated_articles: { title: 'x', slug: `a${n}`, content: 'x' },
    generation_jobs: { type: 'x' },
    geo_clusters: { cluster_key: `k${n}` },
    geo_intelligence: { cluster_key: `k${n}` },
    geo_locations: { cluster_id: own.cluster, city: 'x' },
    headline_inventory: { campaign_id: own.campaign, final_title_text: `x ${n}` },
    hub_pages: { title: 'x', slug: `h${n}` },
    image_templates: { name: 'x', svg_source: '<svg xmlns="http://www.w3.org/2000/svg"/>' },
    leads: { name: 'x' },
    link_targets: { target_url: '/x', anchor_text: 'x' },
    locations_cities: { name: 'x', state_id: own.state },
    locations_counties: { name: 'x', state_id: own.state },
    locations_states: { name: 'x', code: `c${n}` },
    navigation: { label: 'x', url: '/x' },
    newsletter_subscribers: { email: `x${n}@example.com` },
    offer_blocks: { block_type: 'universal' },
    page_blocks: { page_id: own.page, block_type: 'x', order: n },
    pages: { title: 'x', slug: `p${n}`, permalink: `/p${n}` },
    posts: { title: 'x', slug: `p${n}` },
    production_queue: { campaign_id: own.campaign, total_requested: 1 },
    quality_flags: { article_a: own.article, article_b: own.others[n], batch_id: randomUUID() },
    queue_items: { queue_id: own.queue, position: n, publish_date: '2030-01-01T00:00:00Z' },
    spintax_dictionaries: { category: `k${n}` },
    tallies: { code: `c${n}` },
});
/* One row a site: a second one is refused for that. */
const SINGLE = { globals: { site_name: 'x' }, site_analytics: { gtm_container_id: 'x' } };

async function furnish(tenant) {
    const make = async (collection, body) => ok(await as(tenant)('POST', `/items/${collection}`, body)).id;
    tenant.campaign = await make('campaign_masters', { name: 'own' });
    tenant.form = await make('forms', { name: 'own', slug: 'own' });
    tenant.cluster = await make('geo_clusters', { cluster_key: 'own' });
    tenant.state = await make('locations_states', { name: 'own', code: 'own' });
    tenant.page = await make('pages', { title: 'own', slug: 'own', permalink: '/own' });
    tenant.avatarKey = 'own';
    await make('avatar_intelligence', { avatar_key: 'own' });
    tenant.article = await make('generated_articles', { title: 'own', slug: 'own', content: 'own' });
    tenant.others = [];
    for (let n = 0; n < 5; n++) tenant.others.push(await make('generated_articles', { title: 'o', slug: `o${n}`, content: 'o' }));
    tenant.queue = await make('production_queue', { campaign_id: tenant.campaign, total_requested: 1 });
}

const TALLIES = {
    collection: 'tallies', schema: {}, meta: {},
    fields: [
        { field: 'id', type: 'uuid', schema: { is_primary_key: true } },
        { field: 'site_id', type: 'uuid', schema: { foreign_key_table: 'sites' } },
        { field: 'code', type: 'string', schema: { is_unique: true } },
    ],
};

before(async () => {
    stack = await startApi();
    // Its key stays as it is: so do those of an opened database.
    await stack.run(`set role spark_owner;
        create table parcels (id uuid primary key default gen_random_uuid(), site_id uuid not null default spark.current_site()
            references sites (id), name text);
        select spark.protect_table('parcels');
        reset role; insert into directus_collections (collection) values ('parcels')`);
    const god = (path, body) => stack.call({ method: 'POST', path, body, headers: { 'x-god-token': stack.env.GOD_MODE_TOKEN } });
    const made = await god('/god/schema/collections/create', TALLIES);
    assert.ok(made.status < 300, made.text);
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
    await furnish(a);
    await furnish(b);
    tenantTables = (await stack.rows(`
        select t.collection from spark.collections t join pg_class c on c.relname = t.collection and c.relkind = 'r'
         where not t.site_optional and t.site_column = 'site_id' and not t.read_only and t.collection <> 'parcels' order by 1`)).flat();
});
after(() => stack?.stop());

test('no index of a tenant-owned table is unique over all sites', async () => {
    const open = await stack.rows(`
        select i.indexrelid::regclass from spark.collections t
          join pg_class c on c.relname = t.collection and c.relnamespace = 'public'::regnamespace
          join pg_attribute s on s.attrelid = c.oid and s.attname = t.site_column
          join pg_index i on i.indrelid = c.oid and i.indisunique
         where not t.site_optional and s.attnum <> all (i.indkey) and t.collection not in ('sites', 'parcels')`);
    assert.deepEqual(open, []);
});

test('a key that another site has is as good as one that nobody has', async () => {
    assert.deepEqual(tenantTables.filter((name) => !(name in BODIES(0, a)) && !(name in SINGLE)), []);
    const shared = [];
    for (const name of tenantTables.filter((name) => !(name in SINGLE))) {
        const taken = randomUUID();
        ok(await as(b)('POST', `/items/${name}`, { id: taken, ...BODIES(0, b)[name] }));
        const free = await as(a)('POST', `/items/${name}`, { id: randomUUID(), ...BODIES(1, a)[name] });
        const same = await as(a)('POST', `/items/${name}`, { id: taken, ...BODIES(2, a)[name] });
        assert.equal(free.status, 200, `${name}: ${free.text}`);
        // What the two rows were given apart.
        const level = (answer) => plain(answer).replaceAll(/[12]/g, '_').replaceAll(/female|neutral/g, '_');
        assert.equal(level(same), level(free), name);
        // Each site has its own row of that key.
        shared.push([name, taken]);
        assert.equal(ok(await as(a)('GET', `/items/${name}/${taken}?fields=site_id`)).site_id, a.id);
        assert.equal(ok(await as(b)('GET', `/items/${name}/${taken}?fields=site_id`)).site_id, b.id);
        // The same in a list and once more, which is the site's own affair.
        const again = await as(a)('POST', `/items/${name}`, [{ id: taken, ...BODIES(3, a)[name] }]);
        assert.ok(again.status === 400 && codeOf(again) === 'RECORD_NOT_UNIQUE', `${name}: ${again.text}`);
    }
    const sites = await stack.rows(shared.map(([name, key]) =>
        `select '${name}', count(distinct site_id) from ${name} where id = '${key}'`).join(' union all '));
    assert.deepEqual(sites.filter(([, count]) => count !== '2'), []);
});

test('the one row of a site has a key of its own too', async () => {
    for (const [name, body] of Object.entries(SINGLE)) {
        const taken = randomUUID();
        await stack.run(`set spark.scope = 'platform'; insert into ${name} (id, site_id) values ('${taken}', '${b.id}')
            on conflict (site_id) do update set id = excluded.id`);
        await stack.run(`set spark.scope = 'platform'; delete from ${name} where site_id = '${a.id}'`);
        ok(await as(a)('POST', `/items/${name}`, { id: taken, ...body }));
        assert.equal(await one(`select count(*) from ${name} where id = '${taken}'`), '2', name);
    }
});

test('what a collection of the API calls unique is so in each site', async () => {
    ok(await as(b)('POST', '/items/tallies', { code: 'only' }));
    ok(await as(a)('POST', '/items/tallies', { code: 'only' }));
    assert.equal(codeOf(await as(a)('POST', '/items/tallies', { code: 'only' })), 'RECORD_NOT_UNIQUE');
});

test('a site writes and deletes its own row of a shared key', async () => {
    const key = a.posts[0].id;
    ok(await as(b)('POST', '/items/posts', { id: key, title: 'of B', slug: 'shared' }));
    ok(await as(b)('PATCH', `/items/posts/${key}`, { title: 'of B, changed' }));
    assert.equal(await one(`select title from posts where id = '${key}' and site_id = '${a.id}'`), 'A post 0');
    ok(await as(b)('DELETE', `/items/posts/${key}`));
    assert.equal(await one(`select string_agg(site_id::text, ',') from posts where id = '${key}'`), a.id);
});

test('on the platform a key of two sites is refused, whatever is done with it; a site named makes it clear', async () => {
    const key = a.posts[1].id;
    ok(await as(b)('POST', '/items/posts', { id: key, title: 'of B', slug: 'platform' }));
    const rows = () => stack.rows(`select site_id, title from posts where id = '${key}' order by site_id = '${b.id}'`);
    const stands = await rows();
    const tries = [
        ['GET', `/items/posts/${key}`],
        ['PATCH', `/items/posts/${key}`, { title: 'both' }],
        ['PATCH', '/items/posts', { keys: [key], data: { title: 'both' } }],
        ['PATCH', '/items/posts', { keys: [a.posts[0].id, key], data: { title: 'both' } }],
        ['PATCH', '/items/posts', [{ id: key, title: 'both' }]],
        ['PATCH', '/items/posts', { query: { filter: { site_id: { _eq: a.id } } }, data: { title: 'both' } }],
        ['DELETE', `/items/posts/${key}`],
        ['DELETE', '/items/posts', [key]],
        ['PATCH', `/items/authors/${a.author.id}`, { posts: { update: [{ id: key, title: 'both' }], create: [], delete: [] } }],
    ];
    for (const [method, path, body] of tries) {
        const answer = await admin(method, path, body);
        assert.equal(codeOf(answer), 'AMBIGUOUS_KEY', `${method} ${path} ${JSON.stringify(body)}: ${answer.status} ${answer.text}`);
        assert.equal(answer.status, 409);
        assert.deepEqual(await rows(), stands);
    }
    assert.equal(await one(`select count(*) from posts where title = 'both'`), '0');
    assert.equal(ok(await admin('GET', `/items/posts/${key}?fields=site_id`, undefined, b.id)).site_id, b.id);
    ok(await admin('PATCH', `/items/posts/${key}`, { title: 'named' }, b.id));
    assert.deepEqual(await rows(), [[a.id, 'A post 1'], [b.id, 'named']]);
    ok(await admin('DELETE', `/items/posts/${key}`, undefined, b.id));
    assert.deepEqual(await rows(), [[a.id, 'A post 1']]);
});

test('on the platform relations stay in their site, both ways', async () => {
    const author = a.author.id; // B makes one of the same key, and a post of its own with it
    ok(await as(b)('POST', '/items/authors', { id: author, name: 'impostor' }));
    const post = ok(await as(b)('POST', '/items/posts', { title: 'of the impostor', slug: 'impostor', author })).id;
    const list = async (query) => ok(await admin('GET', `/items/${query}`));

    for (const row of await list('posts?fields=site_id,author.site_id,author.name&filter[author][_nnull]=true&limit=-1'))
        assert.equal(row.author.site_id, row.site_id);
    const all = await list('posts?fields=id&limit=-1');
    assert.equal(all.length, Number(await one('select count(*) from posts')));

    for (const row of await list(`authors?fields=site_id,name,posts.site_id,posts.id&filter[id][_eq]=${author}`)) {
        assert.ok(row.posts.length > 0, row.name);
        assert.ok(row.posts.every((p) => p.site_id === row.site_id), JSON.stringify(row));
    }
    // Filters, sorts, counts and limits of nested rows go the same way.
    assert.deepEqual((await list(`posts?fields=id&filter[author][name][_eq]=impostor`)).map((row) => row.id), [post]);
    assert.deepEqual((await list(`authors?fields=name&filter[posts][id][_eq]=${post}`)).map((row) => row.name), ['impostor']);
    assert.deepEqual((await list(`authors?fields=name,count(posts)&filter[id][_eq]=${author}&sort=name`)).map((row) => [row.name, Number(row.posts_count)]),
        [['Author of A', 3], ['impostor', 1]]);
    assert.deepEqual((await list(`authors?fields=name,posts.id&deep[posts][_limit]=1&filter[id][_eq]=${author}&sort=name`)).map((row) => [row.name, row.posts.length]),
        [['Author of A', 1], ['impostor', 1]]);
    ok(await as(b)('DELETE', `/items/posts/${post}`));
    ok(await as(b)('DELETE', `/items/authors/${author}`));
});

test('a row of the library keeps its children of every site', async () => {
    const shared = randomUUID();
    ok(await admin('POST', '/items/campaign_masters', { id: shared, site_id: null, name: 'shared' }));
    for (const tenant of [a, b])
        ok(await as(tenant)('POST', '/items/headline_inventory', { campaign_id: shared, final_title_text: 'of the shared one' }));
    const found = ok(await admin('GET', `/items/headline_inventory?fields=campaign_id.name&filter[campaign_id][_eq]=${shared}`));
    assert.deepEqual(found.map((row) => row.campaign_id.name), ['shared', 'shared']);
    // Its key is no secret, and it is taken for every site.
    const own = await as(a)('POST', '/items/campaign_masters', { id: shared, name: 'mine' });
    assert.equal(codeOf(own), 'RECORD_NOT_UNIQUE');
    // Nor can the platform make one that a site has.
    const late = await admin('POST', '/items/campaign_masters', { id: a.campaign, site_id: null, name: 'late' });
    assert.equal(codeOf(late), 'RECORD_NOT_UNIQUE');
    assert.equal(await one(`select count(*) from campaign_masters where id in ('${shared}', '${a.campaign}')`), '2');
    assert.equal(LIBRARY, await one(`select site_id from campaign_masters where id = '${shared}'`));
});

test('the factory asks which site is meant', async () => {
    const article = a.article;
    ok(await as(b)('POST', '/items/generated_articles', { id: article, title: 'x', slug: 'same-key', content: 'x' }));
    const answer = await admin('POST', '/api/seo/insert-links', { article_id: article });
    assert.equal(codeOf(answer), 'AMBIGUOUS_KEY', answer.text);
    const named = await admin('POST', '/api/seo/insert-links', { article_id: article, site_id: a.id });
    assert.notEqual(codeOf(named), 'AMBIGUOUS_KEY');
});

test('where keys are unique over all sites, a site chooses none', async () => {
    const own = ok(await as(b)('POST', '/items/parcels', { name: 'x' })).id;
    const taken = await as(a)('POST', '/items/parcels', { id: own, name: 'x' });
    const free = await as(a)('POST', '/items/parcels', { id: randomUUID(), name: 'x' });
    assert.equal(taken.status, 403);
    assert.equal(plain(taken), plain(free));
    ok(await admin('POST', '/items/parcels', { id: randomUUID(), site_id: a.id, name: 'x' }));
});
