// No request for one site sees or touches another's rows. Every route of routes.def is tried with
// the token of site A and the ids of site B; a route that this file does not know fails it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { fileForm, codeOf, makeTenant, readRoutes, startApi } from '../../support/api.mjs';

let stack;
let a;
let b;
before(async () => {
    stack = await startApi();
    a = await makeTenant(stack, 'A', 'a.example', ['alias.a.example']);
    b = await makeTenant(stack, 'B', 'b.example');
    await makeSystemRows(b);
    b.job = (await stack.rows(`insert into spark.jobs (site_id, kind, state, error) values ('${b.id}', 'job-of-b', 'dead', 'secret-of-B') returning id`))[0][0];
});
after(() => stack.stop());

/* A user of B, and a row of each system collection that has rows of tenants. */
async function makeSystemRows(x) {
    x.user = '77777777-7777-4777-8777-777777777777';
    const one = async (text) => (await stack.rows(text))[0][0];
    await stack.rows(`insert into directus_users (id, email, site_id, first_name, description) values ('${x.user}', 'secret-of-B@example.com', '${x.id}', 'secret-of-B', 'secret-of-B')`);
    const id = '66666666-6666-4666-8666-666666666666';
    const activity = await one(`insert into directus_activity (id, action, "user", collection, item, site_id, user_agent) values (888888801, 'update', '${x.user}', 'posts', '${x.posts[0].id}', '${x.id}', 'secret-of-B') returning id`);
    x.system = {
        directus_users: x.user,
        directus_activity: activity,
        directus_revisions: await one(`insert into directus_revisions (id, activity, collection, item, data, site_id) values (888888802, ${activity}, 'posts', '${x.posts[0].id}', '{"title":"secret-of-B"}', '${x.id}') returning id`),
        directus_comments: await one(`insert into directus_comments (id, collection, item, comment, user_created, site_id) values ('${id}', 'posts', '${x.posts[0].id}', 'secret-of-B', '${x.user}', '${x.id}') returning id`),
        directus_presets: await one(`insert into directus_presets (id, "user", collection, bookmark, site_id) values (888888803, '${x.user}', 'posts', 'secret-of-B', '${x.id}') returning id`),
        directus_notifications: await one(`insert into directus_notifications (id, recipient, subject, site_id) values (888888804, '${x.user}', 'secret-of-B', '${x.id}') returning id`),
        directus_shares: await one(`insert into directus_shares (id, name, collection, item, user_created, site_id) values ('${id}', 'secret-of-B', 'posts', '${x.posts[0].id}', '${x.user}', '${x.id}') returning id`),
        directus_folders: await one(`insert into directus_folders (id, name, site_id) values ('${id}', 'secret-of-B', '${x.id}') returning id`),
        directus_versions: await one(`insert into directus_versions (id, key, name, collection, item, user_created, site_id) values ('${id}', 'secret-of-B', 'secret-of-B', 'posts', '${x.posts[0].id}', '${x.user}', '${x.id}') returning id`),
        directus_dashboards: await one(`insert into directus_dashboards (id, name, user_created) values ('${id}', 'secret-of-B', '${x.user}') returning id`),
    };
}

const MISSING = '99999999-9999-4999-8999-999999999999';

/* How B's rows could be reached through each route. `x` is B's things, or as many ids that nobody
 * has: both must be answered alike. Returns requests without a token. */
const nobody = () => ({ id: MISSING, job: 999999999, author: { id: MISSING }, posts: [{ id: MISSING }, { id: MISSING }], page: { id: MISSING }, block: { id: MISSING }, campaign: { id: MISSING } });
const tries = {
    'GET /': () => [],
    'GET /robots.txt': () => [],
    'GET /sitemap.xml': () => [{ host: 'a.example' }, {}],
    'GET /sitemap-:page.xml': () => [{ path: '/sitemap-1.xml', host: 'a.example' }, { path: '/sitemap-1.xml' }],
    'GET /server/ping': () => [],
    'GET /server/health': () => [{}],
    'GET /server/ready': () => [{}],
    'GET /server/info': () => [{}],
    'GET /server/specs/oas': () => [{}],
    'GET /metrics': () => [{}],
    'GET /items/:collection': (x) => [
        { path: `/items/posts?filter[id][_eq]=${x.posts[0].id}` },
        { path: `/items/posts?filter[site_id][_eq]=${x.id}` },
        { path: `/items/posts?filter[_or][0][site_id][_eq]=${x.id}&filter[_or][1][author][site_id][_eq]=${x.id}` },
        { path: `/items/posts?search=${x.posts[0].id}` },
        { path: '/items/posts?search=secret-of-B' },
        { path: `/items/posts?aggregate[count]=*&filter[site_id][_eq]=${x.id}` },
        { path: `/items/posts?aggregate[count]=*&groupBy[]=site_id` },
        { path: '/items/posts?fields=id,title,author.name,author.site_id.name&sort=author.name&limit=-1' },
        { path: '/items/posts?meta=*&limit=0' },
        { path: `/items/authors?fields=*,site_id.*` },
        { path: '/items/sites?fields=*' },
        { path: `/items/sites?filter[id][_eq]=${x.id}` },
        { path: '/items/pages?fields=*' },
        { path: `/items/page_blocks?filter[page_id][_eq]=${x.page.id}` },
        { path: `/items/campaign_masters?filter[id][_eq]=${x.campaign.id}` },
        { path: '/items/directus_users' },
        ...['_some', '_none'].flatMap((some) => [
            { path: `/items/authors?fields=name,posts.title&filter=${encodeURIComponent(JSON.stringify({ posts: { [some]: { id: { _eq: x.posts[0].id } } } }))}` },
            { path: `/items/authors?fields=name&filter=${encodeURIComponent(JSON.stringify({ '$FOLLOW(posts,author)': { [some]: { site_id: { _eq: x.id } } } }))}` },
        ]),
        { path: `/items/authors?fields=name,posts.title&deep[posts][_filter][id][_eq]=${x.posts[0].id}` },
        { path: `/items/authors?fields=name,p.title&alias[p]=posts&deep[p][_search]=secret-of-B` },
        { path: `/items/campaign_masters?fields=name,json(niche_variables,a)&filter[id][_eq]=${x.campaign.id}` },
        ...['csv', 'json', 'xml', 'yaml'].map((format) => ({ path: `/items/posts?export=${format}&fields=*.*&filter[author][_eq]=${x.author.id}` })),
        { path: `/items/posts?aggregate[countDistinct]=id&groupBy[]=author&filter[author][_eq]=${x.author.id}` },
        { path: `/items/posts?fields=author.name&sort=-author.posts.title,author.name&filter[author][posts][_some][id][_eq]=${x.posts[1].id}` },
        { path: '/items/posts?version=secret-of-B' },
    ],
    'SEARCH /items/:collection': (x) => [
        { path: '/items/posts', body: { query: { filter: { site_id: { _eq: x.id } } } } },
        { path: '/items/posts', body: { keys: [x.posts[0].id, x.posts[1].id] } },
        { path: '/items/posts', body: { query: { search: 'secret-of-B' } } },
        { path: '/items/authors', body: { query: { aggregate: { count: '*' }, filter: { site_id: { _eq: x.id } } } } },
    ],
    'POST /items/:collection': (x) => [
        { path: '/items/posts', body: { site_id: x.id, title: 'x' } },
        { path: '/items/posts', body: { title: 'x', author: x.author.id } },
        // New rows with a key of x would be rows of the caller: tests/api/access/keys and isolation_random try those.
        { path: '/items/page_blocks', body: { page_id: x.page.id, block_type: 'hero' } },
        { path: '/items/posts', body: [{ site_id: x.id, title: 'x' }] },
        { path: '/items/sites', body: { name: 'x' } },
    ],
    'PATCH /items/:collection': (x) => [
        { path: '/items/posts', body: { keys: [x.posts[0].id], data: { title: 'x' } } },
        { path: '/items/posts', body: [{ id: x.posts[0].id, title: 'x' }] },
        { path: '/items/posts', body: { query: { filter: { site_id: { _eq: x.id } } }, data: { title: 'x' } } },
        { path: '/items/posts', body: { keys: [a.posts[0].id], data: { site_id: x.id } } },
    ],
    'DELETE /items/:collection': (x) => [
        { path: '/items/posts', body: [x.posts[0].id] },
        { path: '/items/posts', body: { keys: [x.posts[0].id, x.posts[1].id] } },
        { path: '/items/posts', body: { query: { filter: { site_id: { _eq: x.id } } } } },
        { path: '/items/sites', body: [x.id] },
    ],
    'GET /items/:collection/:id': (x) => [
        { path: `/items/posts/${x.posts[0].id}` },
        { path: `/items/authors/${x.author.id}?fields=*.*` },
        { path: `/items/sites/${x.id}` },
        { path: `/items/campaign_masters/${x.campaign.id}` },
        { path: `/items/posts/${x.posts[0].id}?version=secret-of-B` },
        { path: `/items/posts/${x.posts[0].id}?version=secret-of-B&versionRaw=true` },
        { path: `/items/posts/${x.posts[0].id}?export=json` },
    ],
    'PATCH /items/:collection/:id': (x) => [
        { path: `/items/posts/${x.posts[0].id}`, body: { title: 'x' } },
        { path: `/items/posts/${a.posts[0].id}`, body: { author: x.author.id } },
        { path: `/items/posts/${a.posts[0].id}`, body: { site_id: x.id } },
        { path: `/items/sites/${x.id}`, body: { name: 'x' } },
        { path: `/items/page_blocks/${a.block.id}`, body: { page_id: x.page.id } },
        // Objects with a key of x would be new rows of the caller: tests/api/access/isolation_relations tries those.
        { path: `/items/authors/${a.author.id}?fields=name`, body: { posts: { create: [], update: [], delete: [x.posts[0].id] } } },
        { path: `/items/posts/${a.posts[0].id}?fields=title`, body: { author: x.author.id } },
    ],
    'DELETE /items/:collection/:id': (x) => [{ path: `/items/posts/${x.posts[0].id}` }, { path: `/items/sites/${x.id}` }],
    'GET /shares/info/:id': (x) => [{ path: `/shares/info/${x.system?.directus_shares ?? MISSING}` }],
    'POST /shares/auth': () => [], // of anybody who has the link, see tests/api/system/shares
    'POST /shares/invite': (x) => [{ path: '/shares/invite', body: { share: x.system?.directus_shares ?? MISSING, emails: ['x@example.com'] } }],
    'GET /permissions': () => [{}, { path: '/permissions?fields=*.*' }],
    'SEARCH /permissions': () => [{ body: { query: {} } }, { body: { keys: [1] } }],
    'GET /permissions/me': () => [{}],
    'GET /permissions/me/:collection': () => [{ path: '/permissions/me/posts' }, { path: '/permissions/me/globals' }, { path: '/permissions/me/directus_users' }],
    'GET /permissions/me/:collection/:id': (x) => [{ path: `/permissions/me/posts/${x.posts[0].id}` }, { path: `/permissions/me/sites/${x.id}` }, { path: `/permissions/me/authors/${x.author.id}` }],
    'GET /policies/me/globals': () => [{}],
    'GET /roles/me': () => [{}],
    'GET /permissions/explain': (x) => [{ path: `/permissions/explain?collection=posts&site=${x.id}` }, { path: `/permissions/explain?collection=posts&key=${x.posts[0].id}&site=${x.id}` }],
    'GET /versions/:id/compare': (x) => [{ path: `/versions/${x.system?.directus_versions ?? MISSING}/compare` }],
    'POST /versions/:id/save': (x) => [{ path: `/versions/${x.system?.directus_versions ?? MISSING}/save`, body: { title: 'x' } }],
    'POST /versions/:id/promote': (x) => [{ path: `/versions/${x.system?.directus_versions ?? MISSING}/promote`, body: { mainHash: 'x' } }],
    // The schema is nobody's rows: A reads what its site has of it, and changes nothing.
    'GET /collections': () => [{}],
    'SEARCH /collections': () => [{ body: { keys: ['posts'] } }],
    'POST /collections': (x) => [{ body: { collection: `of_${x.id.slice(0, 8)}`, schema: {}, meta: { tenant: true } } }, { body: [] }],
    'PATCH /collections': () => [{ body: [{ collection: 'posts', meta: { note: 'x' } }] }],
    'GET /collections/:collection': () => [{ path: '/collections/posts' }, { path: '/collections/directus_users' }],
    'PATCH /collections/:collection': () => [{ path: '/collections/posts', body: { meta: { tenant: false } } }],
    'DELETE /collections/:collection': () => [{ path: '/collections/posts' }],
    'GET /fields': () => [{}],
    'GET /fields/:collection': () => [{ path: '/fields/posts' }],
    'POST /fields/:collection': (x) => [{ path: '/fields/posts', body: { field: 'f', type: 'uuid', schema: { default_value: x.id } } }],
    'PATCH /fields/:collection': (x) => [{ path: '/fields/posts', body: [{ field: 'site_id', schema: { default_value: x.id } }] }],
    'GET /fields/:collection/:field': () => [{ path: '/fields/posts/site_id' }],
    'PATCH /fields/:collection/:field': (x) => [{ path: '/fields/posts/site_id', body: { schema: { default_value: x.id } } }],
    'DELETE /fields/:collection/:field': () => [{ path: '/fields/posts/site_id' }],
    'GET /relations': () => [{}],
    'POST /relations': () => [{ body: { collection: 'posts', field: 'title', related_collection: 'sites' } }],
    'GET /relations/:collection': () => [{ path: '/relations/posts' }],
    'GET /relations/:collection/:field': () => [{ path: '/relations/posts/author' }],
    'PATCH /relations/:collection/:field': () => [{ path: '/relations/posts/author', body: { schema: { on_delete: 'CASCADE' } } }],
    'DELETE /relations/:collection/:field': () => [{ path: '/relations/posts/author' }],
    'GET /schema/snapshot': () => [{}],
    'POST /schema/diff': () => [{ body: { version: 1 } }],
    'POST /schema/apply': () => [{ body: { hash: 'x', diff: { collections: [], fields: [], systemFields: [], relations: [] } } }],
    'POST /auth/login': () => [],
    'POST /auth/refresh': () => [],
    'POST /auth/logout': () => [],
    'GET /auth': () => [{}],
    'GET /users/me': (x) => [{}, { path: `/users/me?filter[id][_eq]=${x.id}` }],
    'PATCH /users/me': (x) => [{ body: { title: 'x' } }, { body: { site_id: x.id } }],
    'PATCH /users/me/track/page': () => [{ body: { last_page: '/x' } }],
    'POST /server/setup': () => [{ body: {} }],
    'GET /extensions': () => [{}],
    'GET /extensions/sources/index.js': () => [{}],
    'GET /utils/random/string': () => [{ path: '/utils/random/string?length=0' }],
    'POST /utils/hash/generate': () => [{ body: {} }],
    'POST /utils/hash/verify': () => [{ body: { string: 'x', hash: 'x' } }],
    'POST /utils/sort/:collection': (x) => [
        { path: '/utils/sort/page_blocks', body: { item: a.block.id, to: x.block.id } },
        { path: '/utils/sort/page_blocks', body: { item: x.block.id, to: a.block.id } },
        { path: '/utils/sort/posts', body: { item: x.posts[0].id, to: a.posts[0].id } },
    ],
    'POST /utils/revert/:revision': (x) => [{ path: `/utils/revert/${x.system?.directus_revisions ?? 999999999}` }],
    'POST /utils/import/:collection': (x) => [
        { path: '/utils/import/posts', ...fileForm(`title,author\nx,${x.author.id}`) },
        { path: '/utils/import/posts', ...fileForm(JSON.stringify([{ title: 'x', site_id: x.id }]), 'application/json') },
        { path: '/utils/import/page_blocks', ...fileForm(`page_id,block_type\n${x.page.id},hero`) },
        { path: '/utils/import/sites', ...fileForm('name\nx') },
    ],
    'POST /utils/cache/clear': () => [{ body: {} }],
    'POST /api/lead': (x) => [
        { body: { email: 'x@example.com', site_id: x.id } },
        { body: { email: 'x@example.com', site: x.id } },
    ],
    'POST /api/forms/submit': (x) => [
        { body: { form_slug: 'contact', data: {}, site_id: x.id } },
        { body: { form_id: x.form?.id ?? x.page.id, data: {} } },
        { body: { form: x.page.id, data: { email: 'x@example.com' } } },
    ],
    'POST /api/track/pageview': (x) => [{ body: { page_path: '/', site_id: x.id } }],
    'POST /api/track/event': (x) => [{ body: { event_name: 'x', site_id: x.id } }],
    'POST /api/track/conversion': (x) => [
        { body: { conversion_type: 'form', site_id: x.id } },
        { body: { conversion_type: 'form', lead_id: x.page.id } },
        { body: { conversion_type: 'form', lead: x.id } },
    ],
    'POST /api/track/call-click': (x) => [{ body: { phone_number: '+1 555 0100', site_id: x.id } }],
    'GET /api/admin/queue': () => [{}],
    'GET /api/admin/queue/events': () => [], // a stream of the numbers of the route above, see below
    'GET /api/admin/jobs': (x) => [{ path: '/api/admin/jobs?limit=200' }, { path: `/api/admin/jobs?site_id=${x.id}` }, { path: '/api/admin/jobs?kind=job-of-b' }],
    'GET /api/admin/jobs/:id': (x) => [{ path: `/api/admin/jobs/${x.job}` }, { path: `/api/admin/jobs/${x.job}?site_id=${x.id}` }],
    'GET /api/admin/worklog': (x) => [
        { path: '/api/admin/worklog?limit=1000' },
        { path: `/api/admin/worklog?site_id=${x.id}` },
        { path: `/api/admin/worklog?site=${x.id}&level=info` },
        { path: `/api/admin/worklog?entity_id=${x.campaign.id}` },
        { path: `/api/admin/worklog?action=logged-by-${x.campaign.id}` },
    ],
    'POST /api/admin/site-tokens': (x) => [{ body: { site_id: x.id, name: 'x' } }],
    'GET /api/admin/site-secrets': (x) => [{}, { path: `/api/admin/site-secrets?site_id=${x.id}` }, { path: `/api/admin/site-secrets?site=${x.id}` }],
    'POST /api/admin/site-secrets': (x) => [{ body: { site_id: x.id, name: 'webhook_secret', value: 'x' } }, { body: { site: x.id, name: 'webhook_secret', value: null } }],
    'GET /api/admin/export-blueprint': (x) => [{}, { path: `/api/admin/export-blueprint?site_id=${x.id}` }, { path: `/api/admin/export-blueprint?site=${x.id}&parts=campaigns` }],
    'POST /api/admin/import-blueprint': (x) => [
        { body: { site_id: x.id, campaign_name: 'x', campaign: { id: x.campaign.id } } },
        { body: { site_id: x.id, format: 'spark-site/1', campaigns: [{ name: 'x' }] } },
        { body: { format: 'spark-site/1', campaigns: [{ name: 'x', article_template: x.campaign.id }] } },
    ],
    'GET /api/seo/generate-headlines': (x) => [{ path: `/api/seo/generate-headlines?campaign_id=${x.campaign.id}` }],
    'POST /api/seo/generate-headlines': (x) => [
        { body: { campaign_id: x.campaign.id } },
        { body: { campaign_id: x.campaign.id, patterns: 'all' } },
        { body: { campaign_id: x.campaign.id, site_id: x.id, async: true } },
    ],
    'POST /api/seo/generate-article': (x) => [{ body: { campaign_id: x.campaign.id, batch_size: 1 } }, { body: { campaign_id: x.campaign.id, batch_size: 100 } }],
    'POST /api/seo/assemble-article': (x) => [{ body: { campaign_id: x.campaign.id, location: { city: 'x' } } }, { body: { campaign_id: x.campaign.id, site_id: x.id, location: { city: 'x' } } }],
    'POST /api/seo/generate-variants': (x) => [{ body: { avatar_key: 'avatar-of-B' } }, { body: { avatar_key: 'avatar-of-B', site_id: x.id } }, { body: { avatar_id: x.campaign.id } }],
    'POST /api/seo/approve-batch': (x) => [{ body: { article_ids: [x.posts[0].id], approved: true } }, { body: { queue_id: x.campaign.id, approved: true } }],
    'POST /api/seo/publish-article': (x) => [{ body: { article_id: x.posts[0].id } }],
    'POST /api/seo/schedule-production': (x) => [{ body: { campaign_id: x.campaign.id, total_articles: 5 } }, { body: { campaign_id: x.campaign.id, total_articles: 5, site_id: x.id } }],
    'POST /api/seo/generate-test-batch': (x) => [{ body: { campaign_id: x.campaign.id } }, { body: { queue_id: x.campaign.id } }],
    'POST /api/seo/process-queue': (x) => [{ body: { queue_id: x.campaign.id } }, { body: { queue_id: x.campaign.id, site_id: x.id } }],
    'POST /api/seo/queue-control': (x) => [{ body: { queue_id: x.campaign.id, action: 'cancel' } }],
    'POST /api/seo/insert-links': (x) => [{ body: { article_id: x.posts[0].id } }, { body: { article_ids: [x.posts[0].id] } }, { body: { campaign_id: x.campaign.id } }],
    'POST /api/seo/remove-links': (x) => [{ body: { article_id: x.posts[0].id } }],
    'PUT /api/seo/publish-article': (x) => [{ body: { article_ids: [x.posts[0].id] } }],
    'GET /api/campaigns': (x) => [{}, { path: '/api/campaigns?limit=1000&status=active' }, { path: `/api/campaigns?site_id=${x.id}` }, { path: `/api/campaigns?site=${x.id}` }],
    'POST /api/campaigns': (x) => [{ body: { name: 'x', headline_spintax_root: '{a|b}', site_id: x.id } }, { body: { name: 'x', headline_spintax_root: '{a|b}', site: x.id } }],
    'POST /api/seo/sitemap-drip': (x) => [{ body: { site_id: x.id } }, { body: { site: x.id } }],
    'GET /api/seo/stats': (x) => [{}, { path: `/api/seo/stats?site_id=${x.id}` }],
    'GET /api/seo/articles': (x) => [{}, { path: `/api/seo/articles?site_id=${x.id}` }, { path: `/api/seo/articles?campaign_id=${x.campaign.id}` }],
    'GET /api/seo/get-nearby': (x) => [{ path: `/api/seo/get-nearby?article_id=${x.posts[0].id}` }, { path: `/api/seo/get-nearby?article_id=${x.posts[0].id}&site_id=${x.id}` }],
    'POST /api/seo/scan-duplicates': (x) => [{ body: { site_id: x.id } }, { body: { batch_ids: [x.posts[0].id, x.posts[1].id] } }, { body: { queue_id: x.campaign.id } }, { body: { site_id: x.id, threshold: 0.3 } }],
};

/* The routes of the system collections are those of items: B's user, its rows, and bodies that would move rows to B or
 * point to its people. `system` are rows of B in each collection, by their names in the routes. */
const column = { directus_access: 'user', directus_activity: 'user', directus_revisions: 'item', directus_presets: 'user', directus_notifications: 'recipient',
    directus_comments: 'user_created', directus_shares: 'user_created', directus_versions: 'user_created', directus_dashboards: 'user_created', directus_panels: 'dashboard' };
const systemTries = ({ method, pattern, collection }, x) => {
    const path = pattern.replace('/:id', '');
    const key = x.system?.[collection] ?? (['directus_activity', 'directus_revisions', 'directus_presets', 'directus_notifications', 'directus_permissions'].includes(collection) ? 999999999 : MISSING);
    const field = column[collection] ?? 'id';
    const about = { [field]: field === 'id' ? key : x.user ?? MISSING };
    const one = pattern.endsWith('/:id') ? { path: `${path}/${key}` } : undefined;
    const query = { filter: { [field]: { _eq: about[field] } } };
    switch (method) {
        case 'GET': return one ? [one, { path: `${path}/${key}?fields=*.*` }] : [{ path }, { path: `${path}?filter[${field}][_eq]=${about[field]}&fields=*.*` }, { path: `${path}?aggregate[count]=*` }, { path: `${path}?search=secret-of-B` }];
        case 'SEARCH': return [{ path, body: { query } }, { path, body: { keys: [key] } }];
        case 'POST': return [{ path, body: about }, { path, body: [{ ...about, site_id: x.id }] }];
        case 'PATCH': return one ? [{ ...one, body: { name: 'x' } }, { ...one, body: { site_id: a.id } }] : [{ path, body: { keys: [key], data: about } }, { path, body: [{ id: key, ...about }] }, { path, body: { query, data: { site_id: x.id } } }];
        default: return one ? [one] : [{ path, body: [key] }, { path, body: { query } }];
    }
};

const requests = (route, x) => (tries[`${route.method} ${route.pattern}`] ?? (route.collection ? (y) => systemTries(route, y) : () => []))(x).map((r) => ({ method: route.method, path: route.pattern, ...r }));

/* Everything B owns, as one text that changes when any of it does. That somebody was refused on its
 * host is the one thing that others may cause to be written; lines about how it was made come late. */
const stateOf = async (site) => {
    const tables = await stack.rows(`select collection, site_column from spark.collections where not site_optional or collection <> all ('{directus_activity,directus_files}') order by 1`);
    const parts = tables.map(([table, column]) => `select '${table}' as t, coalesce(md5(string_agg(x::text, '|' order by x::text)), '-') as h from "${table}" x where "${column}" = '${site}'${table === 'work_log' ? " and x.action not in ('denied', 'created')" : ''}`);
    return JSON.stringify(await stack.rows(parts.join(' union all ')));
};

/* The secrets by which B's rows can be told in an answer to A. */
const foreign = () => [b.user, 'secret-of-B@example.com', b.id, b.token, 'secret-of-B', 'Author of B', 'B post', 'B page', 'B campaign', 'b.example', b.author.id, b.page.id, b.block.id, b.campaign.id, ...b.posts.map((p) => p.id)];
const leaks = (answer, sent) => foreign().filter((secret) => answer.text.includes(secret) && !sent.includes(secret));
/* Ids and what depends on when, out of the way. */
const plain = (answer, x) => {
    let text = `${answer.status} ${answer.text}`;
    for (const id of [x.id, x.author.id, x.page.id, x.block.id, x.campaign.id, ...x.posts.map((p) => p.id), ...(x.user ? [x.user] : []), ...Object.values(x.system ?? {})])
        text = text.replaceAll(new RegExp(`\\b${id}\\b`, 'g'), '#');
    text = text.replaceAll('999999999', '#');
    return text;
};

test('this_file_knows_every_route', async () => {
    const all = await readRoutes();
    const routes = all.filter((r) => !r.collection).map((r) => `${r.method} ${r.pattern}`);
    assert.ok(routes.length > 15 && all.length - routes.length > 100);
    assert.deepEqual(routes.filter((r) => !(r in tries)), [], 'teach this file how to try these');
    assert.deepEqual(Object.keys(tries).filter((r) => !routes.includes(r)), [], 'these are gone');
});

test('token_of_a_reaches_nothing_of_b_by_any_route', async () => {
    const before = await stateOf(b.id);
    for (const route of await readRoutes())
        for (const request of requests(route, b)) {
            const answer = await stack.call({ ...request, token: a.token });
            const what = `${request.method} ${request.path} ${JSON.stringify(request.body)} → ${answer.status} ${answer.text.slice(0, 300)}`;
            assert.deepEqual(leaks(answer, JSON.stringify(request)), [], what);
            assert.ok(answer.status < 500, what);
        }
    assert.equal(await stateOf(b.id), before);
});

test('foreign_and_missing_are_answered_byte_by_byte_alike', async () => {
    const twin = nobody();
    for (const route of await readRoutes()) {
        const theirs = requests(route, b);
        const nobodys = requests(route, twin);
        for (let i = 0; i < theirs.length; i++) {
            if (JSON.stringify(theirs[i]) === JSON.stringify(nobodys[i])) continue;
            const foreignAnswer = plain(await stack.call({ ...theirs[i], token: a.token }), b);
            const missingAnswer = plain(await stack.call({ ...nobodys[i], token: a.token }), twin);
            assert.equal(foreignAnswer, missingAnswer, `${theirs[i].method} ${theirs[i].path} ${JSON.stringify(theirs[i].body)}`);
        }
    }
});

test('token_of_a_on_the_host_of_b_is_403_on_every_route', async () => {
    const before = [await stateOf(a.id), await stateOf(b.id)];
    for (const route of await readRoutes()) {
        if (route.guard === 'GUARD_OPEN') continue;
        const path = route.pattern.replace(':collection', 'posts').replace(':id', a.posts[0].id);
        for (const host of ['b.example', 'B.EXAMPLE', 'b.example.', 'b.example:8055', 'B.Example.:80']) {
            const answer = await stack.call({ method: route.method, path, host, token: a.token, body: route.method === 'GET' ? undefined : {} });
            assert.deepEqual([answer.status, codeOf(answer)], [403, 'FORBIDDEN'], `${route.method} ${path} on ${host}: ${answer.text}`);
        }
    }
    assert.deepEqual([await stateOf(a.id), await stateOf(b.id)], before);
});

test('site_selector_narrows_an_administrator_and_never_widens_a_token', async () => {
    const ids = async (headers, token) => {
        const answer = await stack.call({ path: '/items/posts?fields=site_id&limit=-1', token, headers });
        return answer.status === 200 ? [...new Set(answer.body.data.map((p) => p.site_id))].sort() : answer.status;
    };
    assert.deepEqual(await ids({}, stack.adminToken), [a.id, b.id].sort());
    assert.deepEqual(await ids({ 'x-site-id': a.id }, stack.adminToken), [a.id]);
    assert.deepEqual(await ids({ 'x-site-id': MISSING }, stack.adminToken), []);
    assert.equal(await ids({ 'x-site-id': 'nonsense' }, stack.adminToken), 400);
    assert.deepEqual(await ids({ 'x-site-id': a.id }, a.token), [a.id]);
    assert.equal(await ids({ 'x-site-id': b.id }, a.token), 403);
    assert.deepEqual(await ids({ 'x-site-id': b.id, host: 'a.example' }, undefined), [a.id]);
});

test('anonymous_sees_published_rows_of_the_exact_host_and_no_others', async () => {
    const seen = async (host) => {
        const answer = await stack.call({ path: '/items/posts?fields=site_id,status&limit=-1', host });
        assert.equal(answer.status, 200, `${host}: ${answer.text}`);
        assert.ok(answer.body.data.every((p) => p.status === 'published'));
        return [...new Set(answer.body.data.map((p) => p.site_id))];
    };
    for (const host of ['a.example', 'A.Example', 'a.example.', 'a.example:8055', 'a.example.:1', 'alias.a.example'])
        assert.deepEqual(await seen(host), [a.id], host);
    for (const host of ['aa.example', 'a.example.evil', 'example', 'evil.a.example', 'xa.example', 'a.example..', '.a.example', '[::1]', '[::1]:8055', '127.0.0.1',
        'a.example:evil', 'a.example:80:80', 'a%2eexample', 'unknown'])
        assert.deepEqual(await seen(host), [], host);
    assert.equal((await stack.call({ path: '/items/posts', host: 'a.example@b.example' })).status, 400);
    assert.equal((await stack.call({ path: `/items/posts/${a.posts[0].id}`, host: 'a.example' })).status, 200);
    assert.equal((await stack.call({ path: `/items/posts/${a.posts[1].id}`, host: 'a.example' })).status, 403);
    assert.equal((await stack.call({ path: `/items/posts/${a.posts[0].id}`, host: 'b.example' })).status, 403);
    for (const collection of ['authors', 'sites', 'leads', 'campaign_masters', 'directus_users'])
        assert.equal((await stack.call({ path: `/items/${collection}`, host: 'a.example' })).status, 403, collection);
});

test('anonymous_writes_nothing_through_items', async () => {
    const before = [await stateOf(a.id), await stateOf(b.id)];
    for (const route of (await readRoutes()).filter((r) => r.pattern.startsWith('/items') && !['GET', 'SEARCH'].includes(r.method)))
        for (const request of requests(route, b))
            for (const host of ['a.example', 'b.example', 'unknown'])
                assert.equal((await stack.call({ ...request, host })).status, 403, `${request.method} ${request.path} on ${host}`);
    assert.deepEqual([await stateOf(a.id), await stateOf(b.id)], before);
});

test('read_only_token_reads_and_is_refused_by_every_route_that_writes', async () => {
    const before = await stateOf(a.id);
    assert.equal((await stack.call({ path: '/items/posts', token: a.readToken })).body.data.length, 3);
    assert.equal((await stack.call({ method: 'SEARCH', path: '/items/posts', token: a.readToken, body: {} })).body.data.length, 3);
    for (const route of await readRoutes()) {
        if (route.guard === 'GUARD_OPEN' || ['GET', 'SEARCH'].includes(route.method) || route.pattern.startsWith('/utils/hash/')) continue;
        for (const request of requests(route, a)) {
            const answer = await stack.call({ ...request, token: a.readToken });
            assert.deepEqual([answer.status, codeOf(answer)], [403, 'FORBIDDEN'], `${request.method} ${request.path}: ${answer.text}`);
        }
    }
    assert.equal(await stateOf(a.id), before);
});

test('token_of_a_does_its_own_work', async () => {
    const made = await stack.call({ method: 'POST', path: '/items/posts', token: a.token, body: { title: 'own', author: a.author.id } });
    assert.equal(made.status, 200, made.text);
    assert.equal(made.body.data.site_id, a.id);
    assert.equal((await stack.call({ method: 'PATCH', path: `/items/posts/${made.body.data.id}`, token: a.token, body: { title: 'own 2' } })).status, 200);
    assert.equal((await stack.call({ method: 'DELETE', path: `/items/posts/${made.body.data.id}`, token: a.token })).status, 204);
    const rows = await stack.rows(`select distinct site_id from directus_activity where item = '${made.body.data.id}'`);
    assert.deepEqual(rows, [[a.id]]);
});

test('metrics_are_the_platforms', async () => {
    assert.equal((await stack.call({ path: '/metrics', token: a.token })).status, 403);
    assert.equal((await stack.call({ path: '/metrics' })).status, 401);
    assert.equal((await stack.call({ path: '/metrics', token: stack.adminToken })).status, 200);
});

test('without_the_explicit_predicate_row_security_still_shows_one_site', async () => {
    const tables = await stack.rows('select collection, site_column, shared_read, site_optional from spark.collections order by 1');
    assert.ok(tables.length > 20);
    const library = '00000000-0000-7000-8000-000000000001';
    for (const [table, column, sharedRead] of tables) {
        const seen = await stack.sql(`begin; set local role spark_tenant; set local spark.site = '${a.id}'; select distinct "${column}" from "${table}"; commit`);
        const allowed = sharedRead === 't' ? [a.id, library] : [a.id];
        assert.ok(seen.every(([site]) => allowed.includes(site)), `${table}: ${seen}`);
        const none = await stack.sql(`begin; set local role spark_tenant; select count(*) from "${table}"; commit`);
        assert.deepEqual(none, [['0']], `${table} without a setting`);
    }
});

test('row_security_also_refuses_to_write_for_another_site', async () => {
    const as = (text) => stack.sql(`begin; set local role spark_tenant; set local spark.site = '${a.id}'; ${text}; commit`);
    await assert.rejects(as(`insert into authors (site_id, name) values ('${b.id}', 'x')`), /row-level security/);
    await assert.rejects(as(`update authors set site_id = '${b.id}'`), /row-level security|foreign key/);
    assert.deepEqual(await as(`update authors set name = 'x' where id = '${b.author.id}' returning id`), []);
    assert.deepEqual(await as(`delete from posts where site_id = '${b.id}' returning id`), []);
    await assert.rejects(as('select * from spark.site_tokens'), /permission denied/);
    await assert.rejects(as('select * from directus_sessions'), /permission denied/);
});
