// Every route that changes a state leaves its line in the work log: who, in whose site, what, from
// where, and how it ended. A route of routes.def that this file does not know fails it.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { makeTenant, readRoutes, startApi } from '../../support/api.mjs';
import { buildFolder, until } from '../../support/stack.mjs';

let stack;
let a;
let session;
const seen = {}; // what one step leaves for the next

before(async () => {
    stack = await startApi({ workers: 1, extensionsPath: path.join(buildFolder, 'extensions') });
    a = await makeTenant(stack, 'A', 'a.example');
});
after(() => stack.stop());

/* What visitors send is a row of its own, with its time and its site: a line for each would say the
 * same again. A session that is refreshed is the one of the login. */
const NO_LINE = {
    'POST /auth/refresh': 'the login has its line',
    'PATCH /users/me': 'as PATCH /users/:id', 'PATCH /users/me/track/page': 'no change of the user', 'POST /server/setup': 'always refused', 'POST /shares/invite': 'sends mail, by a job that names who asked',
    'POST /api/lead': 'leads', 'POST /api/forms/submit': 'form_submissions',
    'POST /api/track/pageview': 'pageviews', 'POST /api/track/event': 'events',
    'POST /api/track/conversion': 'conversions', 'POST /api/track/call-click': 'conversions',
};

/* Of system collections, what is somebody's own has its activity; rights and configuration have their line too. */
const OWN = ['comments', 'dashboards', 'folders', 'notifications', 'panels', 'presets', 'translations', 'versions'];
for (const name of OWN)
    for (const route of ['POST /x', 'PATCH /x', 'DELETE /x', 'PATCH /x/:id', 'DELETE /x/:id']) NO_LINE[route.replace('x', name)] = 'its activity';
for (const route of ['POST /utils/hash/generate', 'POST /utils/hash/verify', 'POST /utils/cache/clear', 'POST /schema/diff']) NO_LINE[route] = 'changes nothing';
for (const route of ['POST /utils/sort/:collection', 'POST /utils/revert/:revision', 'POST /utils/import/:collection', 'POST /versions/:id/save', 'POST /versions/:id/promote']) NO_LINE[route] = 'writes items';
NO_LINE['POST /shares/auth'] = 'counts its use in the share';

const ADMIN = () => stack.adminToken;
const fragments = ['intro', 'end'].flatMap((type) => [1, 2].map((n) => ({ fragment_type: type, content_body: `<p>${type} ${n} {x|y|z} plumber words</p>` })));
const blueprint = () => ({
    template: { name: 'Two parts', structure_json: ['intro', 'end'] },
    campaign: { name: 'audited', headline_spintax_root: '{One|Two|Three|Four} {a|b|c|d|e|f}', target_word_count: 0 },
    fragments,
    headlines: Array.from({ length: 6 }, (_, n) => `Headline ${n}`),
});
const article = (n) => seen.articles[n];

/* In this order. action: of the line. as: whose token; actor: who that is; site: null for the platform's log. */
const STEPS = [
    ['POST /items/:collection', { path: '/items/posts', body: { title: 't', slug: 't' }, action: 'created', keep: (body) => (seen.post = body.data.id) }],
    ['PATCH /items/:collection', { path: '/items/posts', body: () => ({ keys: [seen.post], data: { title: 'u' } }), action: 'updated' }],
    ['PATCH /items/:collection/:id', { path: () => `/items/posts/${seen.post}`, body: { title: 'v' }, action: 'updated' }],
    ['DELETE /items/:collection/:id', { path: () => `/items/posts/${seen.post}`, action: 'deleted' }],
    ['DELETE /items/:collection', { path: '/items/posts', body: () => [a.posts[2].id], action: 'deleted' }],
    ['PATCH /items/:collection/:id', { path: () => `/items/sites/${a.id}`, body: { name: 'renamed' }, action: 'updated' }],
    ['POST /items/:collection', { path: '/items/forms', body: { name: 'f', slug: 'f' }, action: 'created' }],
    ['POST /items/:collection', { path: '/items/globals', body: { site_name: 'g' }, action: 'created' }],
    ['POST /auth/login', { body: () => ({ email: stack.env.ADMIN_EMAIL, password: stack.env.ADMIN_PASSWORD }), as: () => undefined, action: 'login', actor: 'user', site: null, keep: (body) => (session = body.data.refresh_token) }],
    ['POST /auth/logout', { body: () => ({ refresh_token: session, mode: 'json' }), as: () => undefined, action: 'logout', actor: 'user', site: null }],
    ['POST /api/admin/site-tokens', { as: ADMIN, body: () => ({ site_id: a.id, name: 'x' }), action: 'token_created', actor: 'admin' }],
    ['POST /api/admin/site-secrets', { as: ADMIN, body: () => ({ site_id: a.id, name: 'webhook_secret', value: 'x' }), action: 'secret_set', actor: 'admin' }],
    ['POST /api/admin/import-blueprint', { body: () => blueprint(), action: 'imported', keep: (body) => (seen.campaign = body.campaign_id) }],
    ['POST /api/seo/generate-headlines', { body: () => ({ campaign_id: seen.campaign }), action: 'headlines_generated' }],
    ['POST /api/seo/generate-article', { body: () => ({ campaign_id: seen.campaign }), action: 'generated' }],
    ['POST /api/seo/generate-article', { body: () => ({ campaign_id: seen.campaign, batch_size: 3, total: 3 }), action: 'generated' }],
    ['POST /api/seo/generate-variants', { prepare: () => make('avatar_intelligence', { avatar_key: 'audited', base_name: 'The Audited' }), body: () => ({ avatar_key: 'audited' }), action: 'variants_generated' }],
    ['POST /api/seo/assemble-article', { prepare: makeModules, body: () => ({ campaign_id: seen.campaign, location: { city: 'Austin', state: 'TX' } }), action: 'generated' }],
    ['POST /api/campaigns', { body: { name: 'made', headline_spintax_root: '{a|b}' }, action: 'campaign_created' }],
    ['POST /api/seo/schedule-production', { body: () => ({ campaign_id: seen.campaign, total_articles: 4, date_range: range() }), action: 'schedule_created', keep: (body) => (seen.queue = body.queue_id) }],
    ['POST /api/seo/generate-test-batch', { body: () => ({ queue_id: seen.queue, batch_size: 1 }), action: 'test_generated' }],
    ['POST /api/seo/approve-batch', { body: () => ({ queue_id: seen.queue, approved: true }), action: 'approved' }],
    ['POST /api/seo/process-queue', { body: () => ({ queue_id: seen.queue, batch_limit: 2 }), action: 'batch_generated' }],
    ['POST /api/seo/queue-control', { body: () => ({ queue_id: seen.queue, action: 'pause' }), action: 'queue_pause' }],
    ['POST /api/seo/queue-control', { body: () => ({ queue_id: seen.queue, action: 'resume' }), action: 'queue_resume' }],
    ['POST /api/seo/approve-batch', { prepare: takeArticles, body: () => ({ article_ids: seen.articles }), action: 'approved' }],
    ['POST /api/seo/insert-links', { prepare: () => makeTarget(), body: () => ({ article_id: article(0) }), action: 'links_inserted' }],
    ['POST /api/seo/remove-links', { body: () => ({ article_id: article(0) }), action: 'links_removed' }],
    ['POST /api/seo/publish-article', { body: () => ({ article_id: article(0), status: 'draft' }), action: 'published' }],
    ['PUT /api/seo/publish-article', { body: () => ({ article_ids: [article(1)], status: 'draft' }), action: 'published' }],
    ['POST /api/seo/scan-duplicates', { body: () => ({ batch_ids: [article(0), article(1)] }), action: 'duplicates_scanned' }],
    ['POST /api/seo/sitemap-drip', { prepare: makeHub, body: {}, action: 'sitemap_drip' }],
    ['POST /god/schema/collections/create', { god: true, body: { collection: 'shops', fields: [{ field: 'id', type: 'uuid', schema: { is_primary_key: true } }, { field: 'site_id', type: 'uuid' }, { field: 'town', type: 'uuid' }] }, action: 'collection_created' }],
    ['POST /god/schema/fields/create', { god: true, body: { collection: 'shops', field: 'name', type: 'string' }, action: 'field_created' }],
    ['POST /god/schema/relations/create', { god: true, body: { collection: 'shops', field: 'town', related_collection: 'posts' }, action: 'relation_created' }],
    ['DELETE /god/schema/fields/:collection/:field', { god: true, path: '/god/schema/fields/shops/name', action: 'field_deleted' }],
    ['POST /god/permissions/grant', { god: true, body: async () => ({ policy: (await stack.rows(`select id from directus_policies where not admin_access order by name limit 1`))[0][0], collection: 'shops', actions: ['read'] }), action: 'permissions_granted', noIp: true }],
    ['POST /god/data/bulk-insert', { god: true, body: () => ({ collection: 'shops', items: [{ site_id: a.id }] }), action: 'bulk_insert' }],
];

/* Rights and configuration: one made, changed in both ways, two deleted in both ways. */
const byAdmin = { as: ADMIN, actor: 'admin', site: null };
const right = (name, one, change, by = byAdmin) => {
    const keep = (body) => (seen[name] = body.data.id);
    const create = { ...by, body: one, action: 'created', keep };
    return [
        [`POST /${name}`, create],
        [`PATCH /${name}`, { ...by, body: () => ({ keys: [seen[name]], data: change }), action: 'updated' }],
        [`PATCH /${name}/:id`, { ...by, path: () => `/${name}/${seen[name]}`, body: change, action: 'updated' }],
        [`DELETE /${name}/:id`, { ...by, path: () => `/${name}/${seen[name]}`, action: 'deleted' }],
        [`POST /${name}`, create],
        [`DELETE /${name}`, { ...by, body: () => [seen[name]], action: 'deleted' }],
    ];
};
const policy = 'abf8a154-5b1c-4a46-ac9c-7300570f4f17'; // the public one
const column = (body, action) => ({ ...byAdmin, body, action });
STEPS.push(
    ...right('policies', { name: 'p' }, { name: 'q' }),
    ...right('roles', { name: 'r' }, { name: 's' }),
    ...right('permissions', { policy, collection: 'posts', action: 'delete' }, { fields: ['title'] }),
    ...right('access', { policy }, { sort: 3 }),
    ...right('users', () => ({ email: 'one@example.com' }), { title: 't' }),
    ...right('shares', () => ({ collection: 'posts', item: a.posts[0].id, name: 'n' }), { name: 'm' }, {}),
    ['PATCH /settings', { ...byAdmin, body: { project_name: 'Audited' }, action: 'updated' }],
    ['POST /collections', column({ collection: 'stalls', schema: {} }, 'collection_created')],
    ['PATCH /collections', column([{ collection: 'stalls', meta: { note: 'n' } }], 'collection_changed')],
    ['PATCH /collections/:collection', { ...column({ meta: { note: 'm' } }, 'collection_changed'), path: '/collections/stalls' }],
    ['POST /fields/:collection', { ...column({ field: 'town', type: 'integer' }, 'field_created'), path: '/fields/stalls' }],
    ['PATCH /fields/:collection', { ...column([{ field: 'town', meta: { note: 'n' } }], 'field_changed'), path: '/fields/stalls' }],
    ['PATCH /fields/:collection/:field', { ...column({ meta: { note: 'm' } }, 'field_changed'), path: '/fields/stalls/town' }],
    ['POST /relations', column({ collection: 'stalls', field: 'town', related_collection: 'stalls', meta: {} }, 'relation_created')],
    ['PATCH /relations/:collection/:field', { ...column({ meta: { sort_field: null } }, 'relation_changed'), path: '/relations/stalls/town' }],
    ['DELETE /relations/:collection/:field', { ...byAdmin, path: '/relations/stalls/town', action: 'relation_deleted' }],
    ['DELETE /fields/:collection/:field', { ...byAdmin, path: '/fields/stalls/town', action: 'field_deleted' }],
    ['DELETE /collections/:collection', { ...byAdmin, path: '/collections/stalls', action: 'collection_deleted' }],
    ['POST /schema/apply', { ...byAdmin, body: applied, action: 'collection_created' }],
);
async function applied() {
    const ask = async (method, target, body) => (await stack.call({ method, path: target, token: stack.adminToken, body })).body?.data;
    await ask('POST', '/collections', { collection: 'booths', schema: {}, meta: {} });
    const wanted = await ask('GET', '/schema/snapshot');
    await ask('DELETE', '/collections/booths');
    return ask('POST', '/schema/diff', wanted);
}

const range = () => ({ start: day(1), end: day(30) });
const day = (ahead) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);
async function takeArticles() {
    seen.articles = (await stack.rows(`update generated_articles set status = 'qc' where id in (select id from generated_articles
        where site_id = '${a.id}' and status in ('draft', 'qc') order by id limit 2) returning id`)).map(([id]) => id);
    assert.equal(seen.articles.length, 2);
}
async function make(collection, body) {
    const made = await stack.call({ method: 'POST', path: `/items/${collection}`, token: a.token, body });
    assert.equal(made.status, 200, made.text);
}
const makeTarget = () => make('link_targets', { target_post: a.posts[0].id, anchor_text: 'plumber' });
async function makeModules() {
    for (const module_type of ['intro', 'benefits', 'howto', 'conclusion']) await make('content_modules', { module_type, content_spintax: `<p>${module_type} text</p>` });
}
function makeHub() {
    return stack.rows(`insert into hub_pages (site_id, id, title, slug, sitemap_status) values ('${a.id}', gen_random_uuid(), 'h', 'h', 'queued')`);
}

const linesOf = async (action) => (await stack.call({ path: `/api/admin/worklog?limit=1000&action=${action}`, token: stack.adminToken })).body.logs;
const value = async (given) => (typeof given === 'function' ? given() : given);

test('this_file_knows_every_route_that_changes_something', async () => {
    const known = new Set([...STEPS.map(([route]) => route), ...Object.keys(NO_LINE)]);
    const changing = (await readRoutes()).filter((r) => ['POST', 'PUT', 'PATCH', 'DELETE'].includes(r.method)).map((r) => `${r.method} ${r.pattern}`);
    assert.deepEqual(changing.filter((route) => !known.has(route)), [], 'teach this file which line they leave');
});

for (const [i, [route, step]] of STEPS.entries())
    test(`${String(i + 1).padStart(2, '0')} ${route} leaves its line (${step.action})`, async (t) => {
        await step.prepare?.();
        const before = new Set((await linesOf(step.action)).map((line) => line.id));
        const [method, pattern] = route.split(' ');
        const token = step.god ? undefined : step.as ? step.as() : a.token;
        const answer = await stack.call({ method, path: (await value(step.path)) ?? pattern, token, body: await value(step.body),
            headers: step.god ? { 'x-god-token': stack.env.GOD_MODE_TOKEN } : {} });
        assert.ok(answer.status < 300, answer.text);
        step.keep?.(answer.body);
        let line;
        await until(async () => (line = (await linesOf(step.action)).find((l) => !before.has(l.id))), 'its line');
        const actor = step.god ? 'god' : step.actor ?? 'site_token';
        const site = step.god || step.site === null ? null : a.id;
        assert.deepEqual([line.actor, line.ip, line.site_id], [actor, step.noIp ? null : '127.0.0.1', site], JSON.stringify(line));
        assert.ok(line.entity_type && line.status === 'done', JSON.stringify(line));
    });
