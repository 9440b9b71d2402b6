// No turn of the server takes long: the heaviest input that every route takes, one after the other, and the CPU of
// the longest turn that it made (measure.mjs). For the release build: sanitizers make everything slow.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { fileForm, makeTenant, raw, readRoutes, startApi } from '../support/api.mjs';
import { measureRequests, measureRun, MOST_MS, SHOWN_MS } from './measure.mjs';
import { EMPTY_GROUPS, FORM_FIELDS, importCampaign, MIB, seedRows, TEXT } from './seed.mjs';

let stack;
let a;
let other; // a site that is only imported into
let form;
let article, version;
let campaign;
let templateCampaign;
let job;

const api = (method, target, body, rest = {}) => stack.call({ method, path: target, token: a.token, body, ...rest });
async function made(collection, body) {
    const answer = await api('POST', `/items/${collection}?fields=id`, body);
    assert.equal(answer.status, 200, answer.text);
    return answer.body.data.id;
}

before(async () => {
    stack = await startApi({ env: { LOOP_TURN_MAX: String(SHOWN_MS), LOG_LEVEL: 'warn', JSON_MEMORY: String(512 * MIB) }, workers: 1 });
    a = await makeTenant(stack, 'A', 'a.example');
    other = await makeTenant(stack, 'B', 'b.example');
    await seedRows(stack, a.id, a.author.id);
    campaign = await made('campaign_masters', { name: 'empty', headline_spintax_root: '{a|b}', target_word_count: 0 });
    templateCampaign = await importCampaign(stack, a.id);
    form = await made('forms', { name: 'f', slug: 'f', fields: FORM_FIELDS });
    [[job]] = await stack.rows(`insert into spark.jobs (site_id, kind, payload) values ('${a.id}', 'bench-noop', '{"text":"${'x'.repeat(16000)}"}') returning id`);
    await stack.run("update directus_collections set versioning = true where collection = 'posts'");
    ({ body: { data: { id: version } } } = await api('POST', '/versions', { key: 'draft', collection: 'posts', item: a.posts[0].id }));
    article = await made('generated_articles', { title: 'x', slug: 'heavy', status: 'qc', content: `<p>${TEXT(MIB - 5000)}</p>` });
});
after(() => stack?.stop());

const nested = (depth, inner) => (depth === 0 ? inner : { _and: [nested(depth - 1, inner)] });
const numbers = (count) => Array.from({ length: count }, (_, n) => n);
const posts = (count, bytes) => numbers(count).map((n) => ({ title: `made ${Date.now()} ${n}`, slug: `made-${Date.now()}-${n}-${Math.random()}`, content: TEXT(bytes) }));
const blueprint = (count) => ({
    site_id: other.id, campaign: { name: `big ${Date.now()}`, headline_spintax_root: '{a|b}' },
    fragments: numbers(Math.min(count, 20000)).map((n) => ({ fragment_type: 'intro', content_body: `<p>${n} ${'{a|b} '.repeat(60)}</p>` })),
    headlines: numbers(count).map((n) => `A headline with some words in it, number ${n} ${Date.now()}`),
});

/* Each route's heaviest inputs. A route without an entry fails the suite; `null` says that it takes none. */
const heaviest = {
    'GET /': null,
    'GET /robots.txt': () => [{ host: 'a.example' }],
    'GET /sitemap.xml': () => [{ host: 'a.example' }],
    'GET /sitemap-:page.xml': () => [{ path: '/sitemap-1.xml', host: 'a.example', status: 404 }], // the drip has released nothing
    'GET /permissions': () => [{ token: stack.adminToken }],
    'SEARCH /permissions': () => [{ token: stack.adminToken, body: { query: {} } }],
    'GET /permissions/me': () => [{ token: stack.adminToken }],
    'GET /permissions/me/:collection': () => [{ path: '/permissions/me/posts' }],
    'GET /permissions/me/:collection/:id': () => [{ path: `/permissions/me/generated_articles/${article}` }],
    'GET /policies/me/globals': () => [{}],
    'GET /roles/me': () => [{ token: stack.adminToken }],
    'GET /permissions/explain': () => [{ path: `/permissions/explain?collection=generated_articles&key=${article}&field=title`, token: stack.adminToken }],
    'GET /server/ping': null,
    'GET /server/ready': null,
    'GET /server/health': () => [{ token: stack.adminToken }],
    'GET /server/info': () => [{}],
    'GET /server/specs/oas': () => [{}],
    'GET /metrics': () => [{ token: stack.adminToken }],
    'GET /items/:collection': () => [
        { path: '/items/posts?limit=-1' },
        { path: '/items/posts?limit=-1&fields=*,author.*' },
        { path: '/items/authors?fields=*,posts.*&deep[posts][_limit]=-1' },
        { path: `/items/generated_articles?limit=-1` },
        { path: `/items/headline_inventory?limit=-1` },
        { path: '/items/link_targets?limit=-1&meta=*' },
        { path: `/items/posts?search=${encodeURIComponent('é'.repeat(2000))}` },
        { path: `/items/posts?search=${encodeURIComponent('é'.repeat(3000))}`, status: 400 },
        { path: `/items/posts?filter=${encodeURIComponent(JSON.stringify(nested(9, { _or: numbers(450).map((n) => ({ title: { _eq: `${n}` } })) })))}` },
    ],
    'SEARCH /items/:collection': () => [
        { path: '/items/posts', body: { query: { filter: { id: { _in: numbers(10000).map((n) => `99999999-9999-4999-8999-${String(n).padStart(12, '0')}`) } } } } },
        { path: '/items/posts', body: { query: { filter: { _or: numbers(490).map((n) => ({ title: { _contains: `${n}` } })) } } } },
        { path: '/items/posts', body: { query: { search: TEXT(4096) } } },
        { path: '/items/posts', body: { query: { search: TEXT(MIB - 200) } }, status: 400 },
        { path: '/items/posts', body: { query: { limit: 1, filter: numbers(140000) } }, status: 403 },
        { path: '/items/posts', body: { query: { limit: -1, fields: ['*', 'author.*'], sort: ['-content'] } } },
    ],
    'POST /items/:collection': () => [
        { path: '/items/posts', body: posts(1000, 800) },
        { path: '/items/posts', body: { title: 'x', slug: `x-${Math.random()}`, content: TEXT(MIB - 500) } },
        { path: '/items/posts', body: { title: 'x', slug: `x-${Math.random()}`, schema_json: numbers(140000) } },
        { path: '/items/authors', body: { name: 'x', posts: posts(900, 700) } },
        { path: '/items/image_templates', body: { name: 'x', svg_source: `<svg xmlns="http://www.w3.org/2000/svg">${'<g><rect x="1" y="2" width="3" height="4" fill="#fff"/></g>'.repeat(2400)}</svg>` } },
        { path: '/items/image_templates', body: { name: 'x', svg_source: `<svg xmlns="http://www.w3.org/2000/svg"><text>${'{title} '.repeat(32000)}</text></svg>` } },
        { path: '/items/image_templates', body: { name: 'x', svg_source: `<svg xmlns="http://www.w3.org/2000/svg"><path d="${'M 1 2 L 3 4 '.repeat(20000)}"/></svg>` } },
        { path: '/items/content_fragments', body: { fragment_type: 'intro', content_body: EMPTY_GROUPS.slice(0, 65520) } },
        { path: '/items/campaign_masters', body: { name: 'x', headline_spintax_root: EMPTY_GROUPS.slice(0, 65520) } },
        { path: '/items/spintax_dictionaries', body: { category: `c${Date.now()}`, data: numbers(9900).map((n) => `term ${n} ${'x'.repeat(80)}`) } },
        { path: '/items/link_targets', body: numbers(1000).map((n) => ({ target_url: `/z/${n}`, anchor_text: `anchor ${n}`, anchor_variations: numbers(20).map((v) => `variation ${v} of ${n}`) })) },
        { path: '/items/generated_articles', body: numbers(100).map((n) => ({ title: `t${n}`, slug: `t-${Math.random()}`, content: TEXT(9000) })) },
        { path: '/items/forms', body: { name: 'g', slug: `g-${Math.random()}`, fields: numbers(256).map((n) => ({ name: `n${n}`, type: 'text', pattern: `([^,]{1,40},? ?){1,${n % 40 + 1}}` })) } },
    ],
    'PATCH /items/:collection': () => [
        { path: '/items/posts', body: { query: { filter: { slug: { _starts_with: 'many-' } }, limit: 1000 }, data: { content: TEXT(1000) } } },
        { path: '/items/posts', body: numbers(1000).map(() => ({ id: a.posts[0].id, content: TEXT(700) })) },
    ],
    'DELETE /items/:collection': () => [{ path: '/items/posts', status: 403, body: numbers(1000).map((n) => `99999999-9999-4999-8999-${String(n).padStart(12, '0')}`) }],
    'GET /items/:collection/:id': () => [{ path: `/items/generated_articles/${article}` }, { path: `/items/authors/${a.author.id}?fields=*,posts.*&deep[posts][_limit]=-1` }],
    'PATCH /items/:collection/:id': () => [
        { path: `/items/generated_articles/${article}`, body: { content: TEXT(MIB - 500) } },
        { path: `/items/posts/${a.posts[0].id}`, body: { schema_json: numbers(140000) } },
        { path: `/items/campaign_masters/${a.campaign.id}`, body: { niche_variables: Object.fromEntries(numbers(256).map((n) => [`k${n}`, numbers(300).map((v) => `v${v}`)])) } },
    ],
    'DELETE /items/:collection/:id': () => [{ path: `/items/posts/${a.posts[2].id}` }],
    'GET /collections': () => [{ token: stack.adminToken }],
    'SEARCH /collections': () => [{ token: stack.adminToken, body: { keys: ['posts', 'authors'] } }],
    'POST /collections': () => [{ token: stack.adminToken, body: numbers(40).map((n) => ({ collection: `heavy_${n}`, schema: {}, meta: { tenant: true }, fields: numbers(40).map((k) => ({ field: `f${k}`, type: 'string', meta: { options: { text: TEXT(200) } } })) })) }],
    'PATCH /collections': () => [{ token: stack.adminToken, body: numbers(40).map((n) => ({ collection: `heavy_${n}`, meta: { note: TEXT(1000) } })) }],
    'GET /collections/:collection': () => [{ token: stack.adminToken, path: '/collections/heavy_0' }],
    'PATCH /collections/:collection': () => [{ token: stack.adminToken, path: '/collections/heavy_0', body: { meta: { translations: numbers(9000).map((n) => ({ language: `l${n}`, translation: TEXT(50) })) } } }],
    'DELETE /collections/:collection': () => [{ token: stack.adminToken, path: '/collections/heavy_39' }],
    'GET /fields': () => [{ token: stack.adminToken }],
    'GET /fields/:collection': () => [{ token: stack.adminToken, path: '/fields/heavy_0' }],
    'POST /fields/:collection': () => [{ token: stack.adminToken, path: '/fields/heavy_0', body: { field: 'heavy', type: 'json', meta: { options: { list: numbers(100000) } } } }],
    'PATCH /fields/:collection': () => [{ token: stack.adminToken, path: '/fields/heavy_0', body: numbers(40).map((n) => ({ field: `f${n}`, meta: { sort: 50 - n } })) }],
    'GET /fields/:collection/:field': () => [{ token: stack.adminToken, path: '/fields/heavy_0/heavy' }],
    'PATCH /fields/:collection/:field': () => [{ token: stack.adminToken, path: '/fields/heavy_0/heavy', body: { meta: { options: { list: numbers(100000) } } } }],
    'DELETE /fields/:collection/:field': () => [{ token: stack.adminToken, path: '/fields/heavy_0/heavy' }],
    'GET /relations': () => [{ token: stack.adminToken }],
    'POST /relations': () => [{ token: stack.adminToken, body: { collection: 'heavy_1', field: 'f1', related_collection: null, meta: { one_collection_field: 'f2', one_allowed_collections: numbers(2000).map((n) => `c${n}`) } } }],
    'GET /relations/:collection': () => [{ token: stack.adminToken, path: '/relations/heavy_1' }],
    'GET /relations/:collection/:field': () => [{ token: stack.adminToken, path: '/relations/heavy_1/f1' }],
    'PATCH /relations/:collection/:field': () => [{ token: stack.adminToken, path: '/relations/heavy_1/f1', body: { meta: { one_allowed_collections: numbers(2000).map((n) => `c${n}`) } } }],
    'DELETE /relations/:collection/:field': () => [{ token: stack.adminToken, path: '/relations/heavy_1/f1' }],
    'GET /schema/snapshot': () => [{ token: stack.adminToken }, { token: stack.adminToken, path: '/schema/snapshot?export=yaml' }],
    'POST /schema/diff': () => [{ token: stack.adminToken, body: { version: 1, directus: '11.17.4', vendor: 'postgres', collections: numbers(2000).map((n) => ({ collection: `n${n}`, meta: { note: TEXT(100) }, schema: { name: `n${n}` } })), fields: numbers(20000).map((n) => ({ collection: `n${n % 2000}`, field: `f${n}`, type: 'string', meta: { note: TEXT(100) }, schema: { is_nullable: true } })), systemFields: [], relations: [] } }],
    'POST /schema/apply': () => [{ token: stack.adminToken, body: { hash: 'x', diff: { collections: numbers(2000).map((n) => ({ collection: `n${n}`, diff: [{ kind: 'N', rhs: { collection: `n${n}`, meta: { note: TEXT(100) } } }] })), fields: [], systemFields: [], relations: [] } }, status: 400 }],
    'POST /auth/login': () => [{ body: { email: `${'x'.repeat(200)}@example.com`, password: 'x'.repeat(1024) }, status: 401 }],
    'POST /auth/refresh': () => [{ body: { refresh_token: 'x'.repeat(256) }, status: 401 }],
    'POST /auth/logout': () => [{ body: { refresh_token: 'x'.repeat(256) } }],
    'GET /shares/info/:id': () => [{ path: '/shares/info/99999999-9999-4999-8999-999999999999', status: 403 }],
    'POST /shares/invite': () => [{ token: stack.adminToken, body: { share: '99999999-9999-4999-8999-999999999999', emails: numbers(50).map((n) => `${'x'.repeat(200)}${n}@example.com`) }, status: 403 }],
    'POST /shares/auth': () => [{ body: { share: '99999999-9999-4999-8999-999999999999', password: 'x'.repeat(1024) }, status: 401 }],
    'GET /versions/:id/compare': () => [{ path: `/versions/${version}/compare` }],
    'POST /versions/:id/save': () => [{ path: `/versions/${version}/save`, body: { content: TEXT(MIB - 500) } }],
    'POST /versions/:id/promote': () => [{ path: `/versions/${version}/promote`, body: { mainHash: 'x' }, status: 422 }],
    'GET /auth': () => [{}],
    'GET /utils/random/string': () => [{ path: '/utils/random/string?length=500' }],
    'POST /utils/hash/generate': () => [{ body: { string: 'x'.repeat(4096) } }],
    'POST /utils/hash/verify': () => [{ body: { string: 'x'.repeat(4096), hash: '$argon2id$v=19$m=65536,t=3,p=4$c3BhcmsgbG9naW4gc3RhbGw$1f1rHqH8zq0lq2yq2mSg0yq7o8w5b2Gm0q8oK3QbC6E' } }],
    'POST /utils/sort/:collection': () => [{ path: '/utils/sort/posts', body: { item: 'x'.repeat(10000), to: 'y' }, token: stack.adminToken, status: 400 }],
    'POST /utils/revert/:revision': () => [{ path: '/utils/revert/1', token: stack.adminToken }],
    'POST /utils/import/:collection': () => [
        { path: '/utils/import/authors', ...fileForm(`name,bio\n${numbers(2000).map((n) => `imported ${n},"${'""'.repeat(5000)}"`).join('\n')}`) },
        { path: '/utils/import/authors', ...fileForm(JSON.stringify(numbers(2000).map((n) => ({ name: `imported ${n}`, bio: TEXT(5000) }))), 'application/json') },
        { path: '/utils/import/authors', ...fileForm(`name\n${'"'.repeat(30 * MIB)}`), status: 400 },
    ],
    'POST /utils/cache/clear': () => [{ body: {}, token: stack.adminToken }],
    'GET /users/me': () => [{ path: '/users/me?fields=*,role.*', token: stack.adminToken }],
    'PATCH /users/me': () => [{ body: { description: 'x'.repeat(500000) }, token: stack.adminToken }],
    'PATCH /users/me/track/page': () => [{ body: { last_page: 'x'.repeat(255) }, token: stack.adminToken }],
    'POST /server/setup': () => [{ body: {}, status: 403 }],
    'GET /extensions': () => [{ token: stack.adminToken }],
    'GET /extensions/sources/index.js': () => [{}],
    'POST /api/lead': () => [{ token: undefined, host: 'a.example', body: { email: 'x@example.com', message: TEXT(9900) } }],
    'POST /api/forms/submit': () => [
        { token: undefined, host: 'a.example', body: { form_id: form, form_age_ms: 9000, data: Object.fromEntries(numbers(256).map((n) => [`n${n}`, 'a b, '.repeat(40)])) }, status: 400 },
        { token: undefined, host: 'a.example', body: { form_id: form, form_age_ms: 9000, data: Object.fromEntries(numbers(256).map((n) => [`n${n}`, `${'a'.repeat(200)},,`])) }, status: 400 },
    ],
    'POST /api/track/pageview': () => [{ token: undefined, host: 'a.example', body: { page_path: `/${'x'.repeat(490)}`, referrer: 'x'.repeat(500) }, headers: { 'user-agent': 'Mozilla '.repeat(60) } }],
    'POST /api/track/event': () => [{ token: undefined, host: 'a.example', body: { event_name: 'x', metadata: Object.fromEntries(numbers(200).map((n) => [`k${n}`, n])) } }],
    'POST /api/track/conversion': () => [{ token: undefined, host: 'a.example', body: { conversion_type: 'form' } }],
    'POST /api/track/call-click': () => [{ token: undefined, host: 'a.example', body: { phone_number: '+1 555 0100' } }],
    'GET /api/admin/queue': () => [{}],
    'GET /api/admin/queue/events': null,
    'GET /api/admin/jobs': () => [{ path: '/api/admin/jobs?limit=200' }],
    'GET /api/admin/jobs/:id': () => [{ path: `/api/admin/jobs/${job}` }],
    'GET /api/admin/worklog': () => [{ path: '/api/admin/worklog?limit=1000' }],
    'POST /api/admin/site-tokens': () => [{ token: stack.adminToken, body: { site_id: a.id, name: 'x'.repeat(200) } }],
    'GET /api/admin/site-secrets': () => [{ path: `/api/admin/site-secrets?site_id=${a.id}`, token: stack.adminToken }],
    'POST /api/admin/site-secrets': () => [{ token: stack.adminToken, body: { site_id: a.id, name: 'webhook_secret', value: 'x'.repeat(1000) } }],
    'GET /api/admin/export-blueprint': () => [{}],
    'POST /api/admin/import-blueprint': () => [
        { token: stack.adminToken, body: blueprint(100000) },
        { token: other.token, body: { format: 'spark-site/1', posts: numbers(60000).map((n) => ({ title: `p${n}`, slug: `p-${n}`, content: TEXT(600) })) } },
        { token: stack.adminToken, text: `{"site_id":"${other.id}","campaign":[${'{},'.repeat(1400000)}{}]}`, status: 400 },
        { token: stack.adminToken, text: `{"site_id":"${other.id}","campaign":{"name":"${TEXT(60 * MIB).replaceAll('"', "'")}"}}`, status: 400 },
    ],
    'GET /api/seo/generate-headlines': () => [
        { path: `/api/seo/generate-headlines?campaign_id=${a.campaign.id}&preview=1000` },
    ],
    'POST /api/seo/generate-headlines': () => [
        { body: { campaign_id: campaign, max_headlines: 10000, spintax_root: EMPTY_GROUPS.slice(0, 65520) }, status: 400 },
        { body: { campaign_id: campaign, max_headlines: 10000, spintax_root: '{|}'.repeat(20000) }, status: 400 },
        { body: { campaign_id: campaign, max_headlines: 10000, spintax_root: `x${'{|}'.repeat(20000)}` }, status: 400 },
        { body: { campaign_id: campaign, max_headlines: 10000, spintax_root: '{|}'.repeat(1000) } },
        { body: { campaign_id: campaign, max_headlines: 10000, spintax_root: `x${'{|}'.repeat(1000)}` } },
        { body: { campaign_id: campaign, max_headlines: 10000, spintax_root: `{a|b}{c|d}{e|f}{g|h}{i|j}{k|l}{m|n}{o|p}{q|r}{s|t}{u|v}{w|x}{y|z}{0|1}{2|3}${'é̄'.repeat(200)}` } },
        { body: { campaign_id: campaign, max_headlines: 100000, spintax_root: numbers(60).map((n) => `{${n}a|${n}b|${n}c}`).join(' ') } },
        { body: { campaign_id: campaign, max_headlines: 10000, spintax_root: `{a|b}{c|d}{e|f}{g|h}{i|j}{k|l}{m|n}{o|p}{q|r}{s|t}{u|v}{w|x}{y|z}{0|1}${'x'.repeat(4000)}` } },
    ],
    'POST /api/seo/generate-article': () => [{ body: { campaign_id: templateCampaign } }, { body: { campaign_id: templateCampaign, batch_size: 200000 } }],
    'POST /api/seo/assemble-article': () => [{ body: { campaign_id: templateCampaign, location: { city: 'x', state: 'y' } } }],
    'POST /api/seo/generate-variants': () => [{ body: { avatar_key: 'x' }, status: 404 }],
    'POST /api/seo/approve-batch': () => [{ body: { article_ids: numbers(1000).map((n) => `99999999-9999-4999-8999-${String(n).padStart(12, '0')}`), approved: true } }],
    'POST /api/seo/publish-article': () => [{ body: { article_id: article }, status: 409 }],
    'PUT /api/seo/publish-article': () => [{ body: { article_ids: [article] } }],
    'POST /api/seo/scan-duplicates': () => [{ body: { min_shared: 3 } }],
    'POST /api/seo/schedule-production': () => [{ body: { campaign_id: templateCampaign, total_articles: 100000, test_batch_first: false, velocity: { mode: 'SPIKES', jitter_minutes: 600, business_hours: true, weekend_throttle: true } } }],
    'POST /api/seo/generate-test-batch': () => [{ body: { campaign_id: templateCampaign, batch_size: 50 } }],
    'POST /api/seo/process-queue': () => [{ body: { queue_id: a.campaign.id, limit: 10000 }, status: 404 }],
    'POST /api/seo/queue-control': () => [{ body: { queue_id: a.campaign.id, action: 'pause' }, status: 404 }],
    'GET /api/campaigns': () => [{ path: '/api/campaigns?limit=1000' }],
    'POST /api/campaigns': () => [
        { body: { name: 'x', headline_spintax_root: EMPTY_GROUPS.slice(0, 65520) } },
        { body: { name: 'x', headline_spintax_root: `${'{{a}}'.repeat(13000)}` } },
        { body: { name: 'x', headline_spintax_root: numbers(4600).map((n) => `{{n${n}|x}}`).join('').slice(0, 65530) } },
    ],
    'POST /api/seo/sitemap-drip': () => [{ body: {} }],
    'GET /api/seo/stats': () => [{}],
    'GET /api/seo/articles': () => [{ path: '/api/seo/articles?limit=1000' }],
    'GET /api/seo/get-nearby': () => [{ path: `/api/seo/get-nearby?article_id=${article}&limit=50` }],
    'POST /api/seo/insert-links': () => [{ body: { article_id: article, max_links: 50, min_distance: 0, dry_run: true } }],
    'POST /api/seo/remove-links': () => [{ body: { article_id: article } }],
};

/* System collections are served as items are; here, all rows that there are, and a thousand at once. */
const PUBLIC_POLICY = 'abf8a154-5b1c-4a46-ac9c-7300570f4f17';
const COUNTED = ['directus_activity', 'directus_notifications', 'directus_permissions', 'directus_presets', 'directus_revisions'];
const thousand = {
    directus_dashboards: (n) => ({ name: `d${n}`, note: TEXT(700) }),
    directus_folders: (n) => ({ name: `f${n}` }),
    directus_permissions: (n) => ({ policy: PUBLIC_POLICY, collection: `c${n}`, action: 'read', permissions: { a: { _eq: TEXT(500) } } }),
    directus_policies: (n) => ({ name: `p${n}`, description: TEXT(500) }),
    directus_presets: (n) => ({ collection: `c${n}`, bookmark: TEXT(200) }),
    directus_roles: (n) => ({ name: `r${n}`, description: TEXT(500) }),
    directus_translations: (n) => ({ key: `k${n}-${Math.random()}`, language: 'en-US', value: TEXT(500) }),
    directus_users: (n) => ({ email: `u${n}-${Math.random()}@example.com` }),
};
function heaviestOf({ method, pattern, collection }) {
    const missing = (n) => (COUNTED.includes(collection) ? 900000000 + n : `99999999-9999-4999-8999-${String(n).padStart(12, '0')}`);
    const all = { token: stack.adminToken, path: pattern.replace('/:id', '') };
    const one = { ...all, path: pattern.replace(':id', missing(1)) };
    if (collection === 'directus_settings') return [{ ...all, body: method === 'PATCH' ? { public_note: TEXT(200000) } : undefined }];
    if (pattern.endsWith('/:id')) return [method === 'GET' ? { ...one, status: 403 } : { ...one, body: method === 'PATCH' ? {} : undefined }];
    switch (method) {
        case 'GET': return [{ ...all, path: `${all.path}?limit=-1&fields=*.*` }];
        case 'SEARCH': return [{ ...all, body: { query: { limit: -1 } } }];
        case 'POST': return [{ ...all, body: collection in thousand ? numbers(1000).map(thousand[collection]) : [] }];
        default: return [{ ...all, body: method === 'PATCH' ? { keys: numbers(1000).map(missing), data: {} } : numbers(1000).map(missing) }];
    }
}

test('every_route_has_its_heaviest_input', async () => {
    const routes = (await readRoutes()).filter((route) => !route.collection).map((route) => `${route.method} ${route.pattern}`);
    assert.deepEqual(routes.filter((route) => !(route in heaviest)), [], 'teach this file what they take at most');
    assert.deepEqual(Object.keys(heaviest).filter((route) => !routes.includes(route)), [], 'these are gone');
});

for (const { method, pattern, collection } of await readRoutes())
    test(`no turn passes ${MOST_MS} ms: ${method} ${pattern}`, async () => {
        const make = heaviest[`${method} ${pattern}`] ?? (collection ? () => heaviestOf({ method, pattern, collection }) : undefined);
        const whole = (request) => ({ method, path: pattern, token: a.token, ...request });
        const first = make?.() ?? [];
        const list = first.map((_, i) => () => {
            const request = first[i] ?? make()[i]; // bodies of 64 MiB are made once
            first[i] = undefined;
            return whole(request);
        });
        await measureRequests(stack, list);
    });

test('pipelined_requests_take_turns', async () => {
    const packet = 'GET /server/ping HTTP/1.1\r\nHost:\r\n\r\n'.repeat(1800) + 'GET /server/ping HTTP/1.0\r\n\r\n';
    await measureRun('64 × 1,801 pipelined requests', stack, async () => {
        const answers = await Promise.all(numbers(64).map(() => raw(stack, packet)));
        for (const { text } of answers) assert.equal(text.split('pong').length, 1802);
    });
});
