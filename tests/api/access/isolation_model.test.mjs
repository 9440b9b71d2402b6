// Two sites, an administrator and visitors in random order, against a model that knows who may see
// what. Whatever an answer says, rows, counts, groups, refusals, the model said before; and nothing
// of one site, not a key and not a word, is in an answer to the other.
//
// SPARK_MODEL_SEED repeats a run (a failure prints it), SPARK_MODEL_STEPS makes it longer.

import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../../support/api.mjs';
import { generator } from '../../support/random.mjs';

const seed = Number(process.env.SPARK_MODEL_SEED ?? randomInt(2 ** 31));
const steps = Number(process.env.SPARK_MODEL_STEPS ?? 1200);

let stack;
let sites;
before(async () => {
    stack = await startApi();
    sites = { A: await makeTenant(stack, 'A', 'a.example'), B: await makeTenant(stack, 'B', 'b.example') };
});
after(() => stack?.stop());

const { below, pick, chance } = generator(seed);

/* The model ------------------------------------------------------------------------------------ */

const COLLECTIONS = {
    authors: { text: 'name', isPublic: false },
    posts: { text: 'title', isPublic: true, unique: 'slug' },
    pages: { text: 'title', isPublic: true, unique: 'permalink' },
    campaign_masters: { text: 'name', isPublic: false },
    leads: { text: 'name', isPublic: false },
    forms: { text: 'name', isPublic: false },
};
const NAMES = Object.keys(COLLECTIONS);
const SLUGS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight']; // both sites want the same
const STATUSES = ['draft', 'published', 'archived'];

const rows = Object.fromEntries(NAMES.map((name) => [name, new Map()])); // id → { site, … }
const secrets = { A: new Set(), B: new Set() }; // keys and tokens, for ever: what is deleted stays secret
let serial = 0;
const word = (site) => `zq${site}zq ${++serial}`; // every text of a site says whose it is
const other = (site) => (site === 'A' ? 'B' : 'A');
const all = (name) => [...rows[name].values()];
const remember = (name, row) => {
    rows[name].set(row.id, row);
    secrets[row.site].add(row.id);
};

/* Who asks: what they may see of a collection, or undefined where they are refused. */
const tokenOf = (site) => ({ name: `token of ${site}`, site, writes: true, as: () => ({ token: sites[site].token }), sees: (name) => all(name).filter((r) => r.site === site) });
const narrowed = (site) => ({ ...tokenOf(site), name: `administrator for ${site}`, as: () => ({ token: stack.adminToken, headers: { 'x-site-id': sites[site].id } }) });
const visitor = (site) => ({
    name: `visitor of ${site}`,
    site,
    writes: false,
    as: () => ({ host: site ? pick([sites[site].host, sites[site].host.toUpperCase(), `${sites[site].host}.:8055`]) : 'nobody.example' }),
    sees: (name) => (COLLECTIONS[name].isPublic ? all(name).filter((r) => r.site === site && r.status === 'published') : undefined),
});
const ADMIN = { name: 'administrator', site: undefined, writes: true, isAdmin: true, as: () => ({ token: stack.adminToken }), sees: all };
const ACTORS = [...['A', 'B'].flatMap((s) => [tokenOf(s), tokenOf(s), narrowed(s), visitor(s)]), visitor(undefined), ADMIN];

/* One request, with what no answer may hold. */
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
let last;
async function ask(actor, method, path, body, extra = {}) {
    const request = { method, path, body, ...actor.as(), ...extra };
    const answer = await stack.call(request);
    const sent = `${path} ${JSON.stringify(body ?? null)}`;
    last = `${actor.name}: ${method} ${path} ${JSON.stringify(body)} → ${answer.status} ${answer.text.slice(0, 600)}`;
    assert.ok(answer.status < 500, last);
    if (actor.isAdmin) return answer;
    const said = `${JSON.stringify(answer.headers)} ${answer.text}`;
    for (const site of ['A', 'B'].filter((s) => s !== actor.site)) {
        assert.ok(!said.includes(`zq${site}zq`) || sent.includes(`zq${site}zq`), `a word of ${site}: ${last}`);
        for (const id of said.match(UUID) ?? []) assert.ok(!secrets[site].has(id) || sent.includes(id), `the key ${id} of ${site}: ${last}`);
        for (const secret of [sites[site].token, sites[site].host]) assert.ok(!said.includes(secret) || sent.includes(secret), `${secret} of ${site}: ${last}`);
    }
    return answer;
}
const masked = (answer, ...ids) => ids.reduce((text, id) => text.replaceAll(id, '#'), `${answer.status} ${answer.text}`);
const anyId = (name) => (rows[name].size > 0 && !chance(0.1) ? pick([...rows[name].keys()]) : randomUUID());
const query = (params) => Object.entries(params).map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join('&');

/* A filter as it is sent, and what it means. */
function filterOf(actor, name) {
    const { text } = COLLECTIONS[name];
    const site = pick(['A', 'B']);
    const id = anyId(name);
    const ids = [id, anyId(name), anyId(name)];
    const choices = [
        [{}, () => true],
        [{ id: { _eq: id } }, (r) => r.id === id],
        [{ id: { _in: ids } }, (r) => ids.includes(r.id)],
        [{ id: { _nin: ids } }, (r) => !ids.includes(r.id)],
        [{ site_id: { _eq: sites[site].id } }, (r) => r.site === site],
        [{ site_id: { _neq: sites[site].id } }, (r) => r.site !== site],
        [{ [text]: { _contains: `zq${site}zq` } }, (r) => r[text].includes(`zq${site}zq`)],
        [{ _or: [{ site_id: { _eq: sites.A.id } }, { site_id: { _eq: sites.B.id } }] }, () => true],
        [{ _and: [{ site_id: { _nnull: true } }, { id: { _neq: id } }] }, (r) => r.id !== id],
        [{ _or: [{ id: { _eq: id } }, { [text]: { _starts_with: 'zq' } }] }, (r) => r.id === id || r[text].startsWith('zq')],
    ];
    if (name === 'posts' && (actor.writes || actor.isAdmin))
        choices.push(
            [{ author: { name: { _contains: `zq${site}zq` } } }, (r) => Boolean(r.author && rows.authors.get(r.author)?.name.includes(`zq${site}zq`))],
            [{ author: { site_id: { _eq: sites[site].id } } }, (r) => Boolean(r.author && rows.authors.get(r.author)?.site === site)],
            [{ author: { id: { _eq: id } } }, (r) => r.author === id],
        );
    return pick(choices);
}

/* Steps ---------------------------------------------------------------------------------------- */

async function list(actor) {
    const name = pick(NAMES);
    const visible = actor.sees(name);
    const [filter, fits] = filterOf(actor, name);
    const bySearch = chance(0.3);
    const parts = { fields: 'id,site_id', limit: -1, filter };
    const answer = bySearch
        ? await ask(actor, 'SEARCH', `/items/${name}`, { query: { ...parts, fields: ['id', 'site_id'] } })
        : await ask(actor, 'GET', `/items/${name}?${query({ ...parts, filter: JSON.stringify(filter), meta: 'filter_count' })}`);
    if (visible === undefined) return assert.equal(answer.status, 403, last);
    assert.equal(answer.status, 200, last);
    const wanted = visible.filter(fits).map((r) => r.id).sort();
    assert.deepEqual(answer.body.data.map((r) => r.id).sort(), wanted, last);
    if (!bySearch) assert.equal(Number(answer.body.meta.filter_count), wanted.length, last);
}

async function searchText(actor) {
    const name = pick(['posts', 'authors', 'pages']);
    const visible = actor.sees(name);
    const site = pick(['A', 'B']);
    const answer = await ask(actor, 'GET', `/items/${name}?${query({ search: `zq${site}zq`, fields: 'id', limit: -1 })}`);
    if (visible === undefined) return assert.equal(answer.status, 403, last);
    const { text } = COLLECTIONS[name];
    assert.deepEqual(answer.body.data.map((r) => r.id).sort(), visible.filter((r) => r[text].includes(`zq${site}zq`)).map((r) => r.id).sort(), last);
}

async function count(actor) {
    const name = pick(NAMES);
    const visible = actor.sees(name);
    const [filter, fits] = filterOf(actor, name);
    const answer = await ask(actor, 'GET', `/items/${name}?${query({ 'aggregate[count]': '*', filter: JSON.stringify(filter) })}`);
    if (visible === undefined) return assert.equal(answer.status, 403, last);
    assert.equal(Number(answer.body.data[0].count), visible.filter(fits).length, last);
}

async function group(actor) {
    const name = pick(['posts', 'pages']);
    const by = pick(['status', 'site_id', COLLECTIONS[name].unique]);
    const visible = actor.sees(name);
    const answer = await ask(actor, 'GET', `/items/${name}?${query({ 'aggregate[count]': '*', 'groupBy[]': by, limit: -1 })}`);
    assert.equal(answer.status, 200, last);
    const key = (r) => (by === 'site_id' ? sites[r.site].id : r[by]);
    const wanted = {};
    for (const row of visible) wanted[key(row)] = (wanted[key(row)] ?? 0) + 1;
    assert.deepEqual(Object.fromEntries(answer.body.data.map((g) => [g[by], Number(g.count)])), wanted, last);
}

async function readOne(actor) {
    const name = pick(NAMES);
    const id = anyId(name);
    const mine = actor.sees(name)?.find((r) => r.id === id);
    const answer = await ask(actor, 'GET', `/items/${name}/${id}?fields=*`);
    if (mine) return assert.deepEqual([answer.status, answer.body.data.id, answer.body.data.site_id], [200, id, sites[mine.site].id], last);
    assert.equal(answer.status, 403, last);
    const missing = randomUUID();
    const shown = last;
    assert.equal(masked(answer, id), masked(await ask(actor, 'GET', `/items/${name}/${missing}?fields=*`), missing), shown);
}

async function deep(actor) {
    if (!actor.writes) return;
    const answer = await ask(actor, 'GET', '/items/posts?fields=id,author.id,author.name,author.site_id.name&limit=-1');
    assert.equal(answer.status, 200, last);
    for (const post of answer.body.data) assert.equal(post.author?.id ?? null, rows.posts.get(post.id).author ?? null, last);
}

/* Who writes for whom: a token for its site, an administrator for the one that is named. */
async function create(actor) {
    const name = pick(NAMES);
    const { text, unique } = COLLECTIONS[name];
    const site = actor.site ?? pick(['A', 'B']);
    const said = actor.isAdmin || chance(0.3) ? { site_id: sites[actor.writes && !actor.isAdmin && chance(0.3) ? other(site) : site].id } : {};
    const body = { [text]: word(site), ...said };
    if (unique) Object.assign(body, { [unique]: pick(SLUGS), status: pick(STATUSES) });
    if (name === 'campaign_masters') body.headline_spintax_root = '{One|Two}';
    if (name === 'leads') body.email = 'x@example.com';
    if (name === 'forms') Object.assign(body, { slug: `f${++serial}`, fields: [{ name: 'email', type: 'email', required: true }] });
    if (name === 'posts' && chance(0.5)) body.author = anyId('authors');
    const isForeign = said.site_id !== undefined && said.site_id !== sites[site].id;
    const author = body.author && rows.authors.get(body.author);
    const isTaken = unique !== undefined && all(name).some((r) => r.site === site && r[unique] === body[unique]);
    const answer = await ask(actor, 'POST', `/items/${name}?fields=id,site_id`, body);
    if (!actor.writes || isForeign) return assert.equal(answer.status, 403, last);
    if (isTaken || (body.author && author?.site !== site)) return assert.equal(answer.status, 400, last);
    assert.equal(answer.status, 200, last);
    assert.equal(answer.body.data.site_id, sites[site].id, last);
    remember(name, { id: answer.body.data.id, site, ...body, [text]: body[text] });
}

const mayTouch = (actor, row) => actor.writes && row && (actor.isAdmin || row.site === actor.site);

/* A write that reached no row is, as in Directus, no error for who may write at all. */
function assertNothing(actor, answer) {
    if (!actor.writes) assert.equal(answer.status, 403, last);
    else assert.ok([204, 400, 403].includes(answer.status) || (answer.status === 200 && answer.body.data.length === 0), last);
}

async function update(actor) {
    const name = pick(NAMES);
    const { text } = COLLECTIONS[name];
    const id = anyId(name);
    const row = rows[name].get(id);
    const change = { [text]: word(row?.site ?? actor.site ?? 'A') };
    if (name === 'posts' && chance(0.4)) change.author = anyId('authors');
    const many = chance(0.3);
    const send = (key) => (many ? ask(actor, 'PATCH', `/items/${name}`, { keys: [key], data: change }) : ask(actor, 'PATCH', `/items/${name}/${key}`, change));
    const answer = await send(id);
    const isGood = change.author === undefined || rows.authors.get(change.author)?.site === row?.site;
    if (!mayTouch(actor, row)) {
        const shown = last;
        assertNothing(actor, answer);
        const missing = randomUUID();
        return assert.equal(masked(answer, id), masked(await send(missing), missing), shown);
    }
    if (!isGood) return assert.equal(answer.status, 400, last);
    assert.equal(answer.status, 200, last);
    Object.assign(row, change);
}

/* By query it reaches what is seen, and nothing else. */
async function updateByQuery(actor) {
    if (!actor.writes || actor.isAdmin) return;
    const [filter, fits] = filterOf(actor, 'pages');
    const status = pick(STATUSES);
    const answer = await ask(actor, 'PATCH', '/items/pages', { query: { filter, limit: -1 }, data: { status } });
    assert.ok(answer.status === 200, last);
    for (const row of actor.sees('pages').filter(fits)) row.status = status;
}

async function remove(actor) {
    const name = pick(['posts', 'pages', 'leads', 'campaign_masters']);
    const id = anyId(name);
    const row = rows[name].get(id);
    const way = below(3);
    const send = (key) =>
        way === 0 ? ask(actor, 'DELETE', `/items/${name}/${key}`)
            : way === 1 ? ask(actor, 'DELETE', `/items/${name}`, [key])
                : ask(actor, 'DELETE', `/items/${name}`, { query: { filter: { id: { _eq: key } } } });
    const answer = await send(id);
    if (mayTouch(actor, row)) {
        assert.equal(answer.status, 204, last);
        rows[name].delete(id);
        return;
    }
    const shown = last;
    assertNothing(actor, answer);
    const missing = randomUUID();
    assert.equal(masked(answer, id), masked(await send(missing), missing), shown);
}

async function submit(actor) {
    if (actor.writes || !actor.site) return;
    const form = rows.forms.get(anyId('forms'));
    const email = `x${++serial}@example.com`;
    const send = (id) => ask(actor, 'POST', '/api/forms/submit', { form_id: id, data: { email }, form_age_ms: 9000 });
    const answer = await send(form?.id ?? randomUUID());
    if (form?.site !== actor.site) {
        const shown = last;
        const missing = randomUUID();
        return assert.equal(masked(answer, form?.id ?? '#'), masked(await send(missing), missing), shown);
    }
    assert.equal(answer.status, 201, last);
    const [lead] = await stack.rows(`select id, coalesce(name, '') from leads where email = '${email}'`);
    remember('leads', { id: lead[0], site: actor.site, name: lead[1] });
}

async function lead(actor) {
    if (actor.writes || !actor.site) return;
    const name = word(actor.site);
    const site = chance(0.3) ? other(actor.site) : actor.site;
    const answer = await ask(actor, 'POST', '/api/lead', { email: 'y@example.com', name, site_id: sites[site].id });
    if (site !== actor.site) return assert.ok(answer.status >= 400, last);
    assert.equal(answer.status, 201, last);
    remember('leads', { id: answer.body.id, site: actor.site, name });
}

/* The platform's own routes: who is one site reads that site, whatever is asked for. */
async function platformRead(actor) {
    if (!actor.writes || actor.isAdmin) return;
    const site = pick(['A', 'B']);
    const campaign = anyId('campaign_masters');
    const paths = [
        '/api/campaigns?limit=1000', `/api/campaigns?limit=1000&site_id=${sites[site].id}`,
        '/api/admin/worklog?limit=1000', `/api/admin/worklog?limit=1000&site_id=${sites[site].id}`, `/api/admin/worklog?entity_id=${anyId(pick(NAMES))}`,
        '/api/seo/stats', `/api/seo/stats?site_id=${sites[site].id}`, '/api/seo/articles?limit=100', `/api/seo/articles?campaign_id=${campaign}`,
        `/api/seo/get-nearby?article_id=${anyId('posts')}`, `/api/seo/generate-headlines?campaign_id=${campaign}`, '/api/admin/queue',
        '/items/sites?fields=*', '/items/directus_users?fields=*', '/items/directus_activity?fields=*&limit=-1', '/items/work_log?fields=*&limit=-1',
    ];
    const path = pick(paths);
    const answer = await ask(actor, 'GET', path);
    if (path === paths[0]) assert.deepEqual(answer.body.campaigns.map((c) => c.id).sort(), actor.sees('campaign_masters').map((c) => c.id).sort(), last);
    if (path.includes(`site_id=${sites[other(actor.site)].id}`)) assert.ok(answer.status === 403 || answer.status === 200, last);
    if (path.includes('generate-headlines')) assert.equal(answer.status, rows.campaign_masters.get(campaign)?.site === actor.site ? 200 : 404, last);
    if (path.startsWith('/items/sites')) assert.deepEqual(answer.body.data.map((s) => s.id), [sites[actor.site].id], last);
}

async function job(actor) {
    if (!actor.writes || actor.isAdmin) return;
    const campaign = rows.campaign_masters.get(anyId('campaign_masters'));
    const id = campaign?.id ?? randomUUID();
    const ids = [anyId('posts'), anyId('posts')];
    const requests = [
        (key) => ['POST', '/api/seo/generate-headlines', { campaign_id: key }],
        (key) => ['POST', '/api/seo/schedule-production', { campaign_id: key, total_articles: 3 }],
        (key) => ['POST', '/api/seo/insert-links', { campaign_id: key }],
        (key) => ['POST', '/api/seo/generate-test-batch', { campaign_id: key }],
        () => ['POST', '/api/seo/scan-duplicates', { batch_ids: ids }],
        () => ['POST', '/api/seo/publish-article', { article_id: ids[0] }],
        () => ['PUT', '/api/seo/publish-article', { article_ids: ids }],
    ];
    const make = pick(requests);
    const answer = await ask(actor, ...make(id));
    if (make.length === 0 || campaign?.site === actor.site) return;
    const shown = last;
    const missing = randomUUID();
    assert.equal(masked(answer, id), masked(await ask(actor, ...make(missing)), missing), shown);
}

/* The tables themselves, against everything that was answered. */
async function compare() {
    for (const name of NAMES) {
        const { text } = COLLECTIONS[name];
        const found = await stack.rows(`select id, site_id, coalesce(${text}, '') from ${name} where site_id in ('${sites.A.id}', '${sites.B.id}') order by id`);
        const wanted = all(name).map((r) => [r.id, sites[r.site].id, r[text]]).sort(([x], [y]) => (x < y ? -1 : 1));
        assert.deepEqual(found, wanted, name);
    }
    const crossed = await stack.rows('select count(*) from posts p join authors a on a.id = p.author where a.site_id <> p.site_id');
    assert.deepEqual(crossed, [['0']]);
}

/* What the tenants were made with belongs to the model too. */
async function adopt() {
    for (const name of NAMES) {
        const { text, unique } = COLLECTIONS[name];
        const fields = ['id', 'site_id', text, ...(unique ? ['status', unique] : []), ...(name === 'posts' ? ['author'] : [])];
        const answer = await ask(ADMIN, 'GET', `/items/${name}?${query({ fields: fields.join(','), limit: -1, filter: JSON.stringify({ site_id: { _nnull: true } }) })}`);
        for (const row of answer.body.data) {
            const site = ['A', 'B'].find((s) => sites[s].id === row.site_id);
            if (site) remember(name, { ...row, site });
        }
    }
    for (const site of ['A', 'B']) secrets[site].add(sites[site].id);
}

const STEPS = [list, list, list, searchText, count, count, group, readOne, readOne, deep, create, create, create, create, update, update,
    updateByQuery, remove, submit, lead, platformRead, platformRead, job];

test(`random_requests_of_two_sites_show_each_its_own (seed ${seed})`, async () => {
    try {
        await adopt();
        for (let i = 1; i <= steps; i++) {
            await pick(STEPS)(pick(ACTORS));
            if (i % 200 === 0) await compare();
        }
        await compare();
    } catch (error) {
        error.message = `SPARK_MODEL_SEED=${seed}: ${error.message}\nlast: ${last}`;
        throw error;
    }
});

test('requests_of_both_sites_at_once_do_not_mix', async () => {
    const seen = await Promise.all(Array.from({ length: 200 }, async (_, i) => {
        const site = i % 2 ? 'A' : 'B';
        const name = NAMES[i % NAMES.length];
        const answer = await stack.call({ path: `/items/${name}?fields=id,site_id&limit=-1`, token: sites[site].token });
        return [site, name, answer];
    }));
    for (const [site, name, answer] of seen) assert.deepEqual(answer.body.data.map((r) => r.id).sort(), tokenOf(site).sees(name).map((r) => r.id).sort(), `${site} ${name} SPARK_MODEL_SEED=${seed}`);
});
