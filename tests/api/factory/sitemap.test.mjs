// The drip releases, the sitemap shows what it released, and nobody sees another site's.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, raw, startApi } from '../../support/api.mjs';
import { until } from '../../support/stack.mjs';

let stack;
let a; // the one with 50,001 addresses
let b;
before(async () => {
    stack = await startApi();
    a = await makeTenant(stack, 'A', 'a.example', ['alias.a.example']);
    b = await makeTenant(stack, 'B', 'b.example');
    await stack.run("update sites set quality_gate = false, publish_ramp_start = null, backdating_allowed = true where domain in ('a.example', 'b.example')");
});
after(() => stack?.stop());

const create = async (collection, body) => {
    const answer = await stack.call({ method: 'POST', path: `/items/${collection}`, token: stack.adminToken, body });
    assert.equal(answer.status, 200, answer.text);
    return answer.body.data;
};
let sites = 0;
/** What went out long before this test, with its dates: no gate, no ramp. What they do, gate.test.mjs tries. */
const BROUGHT_ALONG = { quality_gate: false, publish_ramp_start: null, backdating_allowed: true };
/** A site of its own with a token; `rate` addresses a day. */
const makeSite = async (rate, extra = {}) => {
    const name = `drip-${++sites}`;
    const site = await create('sites', { name, domain: `${name}.example`, sitemap_drip_rate: rate, ...BROUGHT_ALONG, ...extra });
    const token = (await stack.call({ method: 'POST', path: '/api/admin/site-tokens', token: stack.adminToken, body: { site_id: site.id, name } })).body.token;
    return { id: site.id, host: `${name}.example`, token };
};
/** Published articles, number 1 the oldest. */
const seedArticles = (site, count, extra = '') => stack.run(`
    insert into generated_articles (site_id, title, slug, status, is_published, date_published, date_created ${extra && ', sitemap_status'})
    select '${site.id}', 'Article ' || n, 'article-' || n, 'published', true, now() - interval '100 days' + n * interval '1 second',
           '2026-01-02T03:04:05Z' ${extra && `, '${extra}'`}
      from generate_series(1, ${count}) n`);
const drip = (site, body = {}) => stack.call({ method: 'POST', path: '/api/seo/sitemap-drip', token: site.token, body });
const get = (path, host, headers) => stack.call({ path, host, headers });
const locs = (text) => [...text.matchAll(/<loc>([^<]*)<\/loc>/g)].map((m) => m[1]);
const paths = async (site, page = 1) => locs((await get(`/sitemap-${page}.xml`, site.host)).text).map((u) => u.replace(`https://${site.host}`, ''));
/** The day begins anew. */
const nextDay = (site) => stack.run(`update spark.sitemaps set dripped_on = dripped_on - 1 where site_id = '${site.id}'`);

test('a_stream_to_HTTP_1_0_ends_with_its_connection', async () => {
    const site = await makeSite(2);
    await seedArticles(site, 2);
    await drip(site);
    const { text, ended } = await raw(stack, `GET /sitemap-1.xml HTTP/1.0\r\nHost: ${site.host}\r\nConnection: keep-alive\r\n\r\n`, (so_far) => so_far.includes('</urlset>') && /^connection: keep-alive/im.test(so_far));
    assert.match(text, /^connection: close\r$/im);
    assert.ok(ended && text.endsWith('</urlset>\n'), text);
});

test('the_drip_has_a_sitemap_with_hubs_first_then_the_newest', async () => {
    const site = await makeSite(14);
    await seedArticles(site, 12);
    for (let n = 1; n <= 11; n++) await create('hub_pages', { site_id: site.id, title: `Hub ${n}`, slug: `hub-${n}`, sort_order: n });
    assert.equal((await get('/sitemap-1.xml', site.host)).status, 404);
    assert.deepEqual(locs((await get('/sitemap.xml', site.host)).text), []);

    const first = await drip(site);
    assert.equal(first.status, 200, first.text);
    assert.deepEqual([first.body.indexed, first.body.hubs_indexed, first.body.articles_indexed, first.body.remaining], [14, 10, 4, 9]);
    assert.deepEqual(await paths(site), [...Array.from({ length: 10 }, (_, n) => `/hub-${n + 1}`), '/article-12', '/article-11', '/article-10', '/article-9']);
    assert.deepEqual(locs((await get('/sitemap.xml', site.host)).text), [`https://${site.host}/sitemap-1.xml`]);

    await nextDay(site);
    assert.equal((await drip(site)).body.indexed, 9);
    assert.deepEqual((await paths(site)).slice(14, 17), ['/hub-11', '/article-8', '/article-7']);
    const [[status]] = await stack.rows(`select factory_status from sites where id = '${site.id}'`);
    assert.equal(status, 'idle');
});

test('a_second_drip_of_the_day_releases_nothing_and_says_why', async () => {
    const site = await makeSite(3);
    const empty = await drip(site);
    assert.deepEqual([empty.status, empty.body.indexed], [200, 0]);
    assert.match(empty.body.reason, /waits/);
    await seedArticles(site, 5);
    assert.equal((await drip(site)).body.indexed, 3); // the empty one had not used up the day
    const again = await drip(site);
    assert.deepEqual([again.status, again.body.success, again.body.indexed, again.body.remaining], [200, true, 0, 2]);
    assert.match(again.body.reason, /had its drip/);
    await nextDay(site);
    assert.equal((await drip(site)).body.indexed, 2);
    const log = await stack.rows(`select details ->> 'articles_indexed', details ->> 'first_number' from work_log
                                   where site_id = '${site.id}' and action = 'sitemap_drip' order by timestamp`);
    assert.deepEqual(log, [['3', '1'], ['2', '4']]);
    const paused = await makeSite(0);
    await seedArticles(paused, 1);
    assert.match((await drip(paused)).body.reason, /rate/);
});

test('ten_drips_at_once_release_exactly_the_rate', async () => {
    const site = await makeSite(7);
    await seedArticles(site, 30);
    const answers = await Promise.all(Array.from({ length: 10 }, () => drip(site)));
    assert.deepEqual(answers.map((x) => x.status), Array(10).fill(200));
    assert.deepEqual(answers.map((x) => x.body.indexed).sort((x, y) => y - x), [7, ...Array(9).fill(0)]);
    const [[indexed]] = await stack.rows(`select count(*) from generated_articles where site_id = '${site.id}' and sitemap_status = 'indexed'`);
    const [[listed, numbers]] = await stack.rows(`select count(*), count(distinct number) from spark.sitemap_urls where site_id = '${site.id}'`);
    const [[logged]] = await stack.rows(`select count(*) from work_log where site_id = '${site.id}' and action = 'sitemap_drip'`);
    assert.deepEqual([indexed, listed, numbers, logged], ['7', '7', '7', '1']);
});

test('only_what_the_world_may_read_is_released_and_shown', async () => {
    const site = await makeSite(50);
    await stack.run(`insert into generated_articles (site_id, title, slug, status, is_published, date_published) values
        ('${site.id}', 'x', 'shown', 'published', true, now() - interval '1 day'),
        ('${site.id}', 'x', 'draft', 'draft', false, null),
        ('${site.id}', 'x', 'archived', 'published', true, now() - interval '1 day'),
        ('${site.id}', 'x', 'qc', 'qc', false, now() - interval '1 day'),
        ('${site.id}', 'x', 'tomorrow', 'published', true, now() - interval '1 day')`);
    await stack.run(`update generated_articles set status = 'archived' where site_id = '${site.id}' and slug = 'archived';
        update generated_articles set date_published = now() + interval '1 day' where site_id = '${site.id}' and slug = 'tomorrow'`);
    for (const [slug, status, robots] of [['of-a-post', 'published', 'index,follow'], ['of-a-draft', 'draft', 'index,follow'], ['of-noindex', 'published', 'NOINDEX,follow']])
        await stack.run(`with p as (insert into posts (site_id, title, slug, status, robots) values ('${site.id}', 'x', '${slug}', '${status}', '${robots}') returning id)
            insert into generated_articles (site_id, title, slug, status, is_published, date_published, published_to_post)
            select '${site.id}', 'x', 'article-${slug}', 'published', true, now() - interval '2 days', id from p`);
    assert.equal((await drip(site)).body.indexed, 2);
    assert.deepEqual(await paths(site), ['/shown', '/of-a-post']);
    await stack.run(`update posts set status = 'archived' where site_id = '${site.id}' and slug = 'of-a-post'`);
    assert.deepEqual(await paths(site), ['/shown']);
    await stack.run(`update generated_articles set status = 'archived' where site_id = '${site.id}' and slug = 'shown'`);
    assert.equal((await get('/sitemap-1.xml', site.host)).status, 404);
    assert.deepEqual(locs((await get('/sitemap.xml', site.host)).text), []);
});

test('addresses_are_escaped_for_xml_and_for_urls', async () => {
    const site = await makeSite(50);
    await stack.run(`insert into generated_articles (site_id, title, slug, status, is_published, date_published)
        select '${site.id}', 'x', slug, 'published', true, now() - n * interval '1 day'
          from unnest(array['a&b', 'less<more>', 'it''s "quoted"', 'größe', '</loc><loc>https://evil.example/', 'a%20b', E'tab\\tand\\nline']) with ordinality as s (slug, n)`);
    assert.equal((await drip(site)).body.indexed, 7);
    const { text } = await get('/sitemap-1.xml', site.host);
    const base = `https://${site.host}`;
    assert.deepEqual(locs(text), [`${base}/a&amp;b`, `${base}/less%3Cmore%3E`, `${base}/it&apos;s%20%22quoted%22`, `${base}/gr%C3%B6%C3%9Fe`,
        `${base}/%3C/loc%3E%3Cloc%3Ehttps://evil.example/`, `${base}/a%20b`, `${base}/tab%09and%0Aline`]);
    assert.match(text, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<urlset xmlns="http:\/\/www\.sitemaps\.org\/schemas\/sitemap\/0\.9">\n/);
    assert.match(text, /<\/urlset>\n$/);
});

test('lastmod_is_the_change_and_not_the_release', async () => {
    const site = await makeSite(50);
    await seedArticles(site, 1);
    await drip(site);
    const lastmod = async (path = '/sitemap-1.xml') => /<lastmod>(.*?)<\/lastmod>/.exec((await get(path, site.host)).text)?.[1];
    assert.equal(await lastmod(), '2026-01-02T03:04:05Z');
    assert.equal(await lastmod('/sitemap.xml'), '2026-01-02T03:04:05Z');
    await stack.run(`update generated_articles set date_modified = '2026-02-03T04:05:06Z' where site_id = '${site.id}'`);
    assert.equal(await lastmod(), '2026-02-03T04:05:06Z');
    await stack.run(`update generated_articles set date_modified = now() + interval '1 year' where site_id = '${site.id}'`);
    assert.equal(await lastmod(), '2026-01-02T03:04:05Z');
});

test('a_crawler_that_has_the_file_gets_304_until_it_changes', async () => {
    const site = await makeSite(50);
    await seedArticles(site, 2);
    await drip(site);
    for (const path of ['/sitemap.xml', '/sitemap-1.xml']) {
        const full = await get(path, site.host);
        assert.equal(full.status, 200);
        assert.equal(full.headers['cache-control'], 'public, max-age=300');
        assert.match(full.headers['content-type'], /application\/xml/);
        const known = await get(path, site.host, { 'if-none-match': full.headers.etag });
        assert.deepEqual([known.status, known.text, known.headers.etag], [304, '', full.headers.etag]);
        await stack.run(`update generated_articles set slug = slug || '-x', date_modified = date_created + interval '1 day' where site_id = '${site.id}'`);
        const changed = await get(path, site.host, { 'if-none-match': full.headers.etag });
        assert.equal(changed.status, 200);
        assert.notEqual(changed.headers.etag, full.headers.etag);
        await stack.run(`update generated_articles set date_modified = null where site_id = '${site.id}'`);
    }
});

test('50001_addresses_are_two_files_and_an_index', async () => {
    await stack.run(`update sites set sitemap_drip_rate = 50000 where id = '${a.id}'`);
    await seedArticles(a, 50001);
    assert.equal((await drip(a)).body.indexed, 50000);
    assert.deepEqual(locs((await get('/sitemap.xml', 'a.example')).text), ['https://a.example/sitemap-1.xml']);
    await nextDay(a);
    assert.equal((await drip(a)).body.indexed, 1);
    assert.deepEqual(locs((await get('/sitemap.xml', 'a.example')).text), ['https://a.example/sitemap-1.xml', 'https://a.example/sitemap-2.xml']);
    const first = locs((await get('/sitemap-1.xml', 'a.example')).text);
    assert.deepEqual([first.length, first[0], first.at(-1)], [50000, 'https://a.example/article-50001', 'https://a.example/article-2']);
    assert.equal(new Set(first).size, 50000);
    assert.deepEqual(locs((await get('/sitemap-2.xml', 'a.example')).text), ['https://a.example/article-1']);
    for (const page of ['3', '0', '01', '-1', '+1', '1e0', '18446744073709551617', '50001', 'x'])
        assert.equal((await get(`/sitemap-${page}.xml`, 'a.example')).status, 404, page);
});

test('a_reader_that_goes_away_or_asks_for_the_head_does_no_harm', async () => {
    const { text } = await raw(stack, 'GET /sitemap-1.xml HTTP/1.1\r\nHost: a.example\r\n\r\n', (t) => t.includes('<url>'));
    assert.match(text, /^HTTP\/1\.1 200/);
    const head = await stack.call({ method: 'HEAD', path: '/sitemap-1.xml', host: 'a.example' });
    assert.deepEqual([head.status, head.text], [200, '']);
    assert.equal(locs((await get('/sitemap-2.xml', 'a.example')).text).length, 1);
});

test('a_file_that_breaks_off_does_not_look_complete', async () => {
    // Long enough that it does not fit between server and a reader who does not read.
    await stack.run(`update generated_articles set slug = slug || repeat('y', 230) where site_id = '${a.id}'`);
    const response = await new Promise((resolve, reject) =>
        http.get({ host: '127.0.0.1', port: stack.port, path: '/sitemap-1.xml', headers: { host: 'a.example' } }, resolve).on('error', reject));
    assert.equal(response.statusCode, 200);
    response.pause();
    await stack.run('alter table spark.sitemap_urls rename to sitemap_urls_away');
    try {
        let text = '';
        const end = await new Promise((resolve) => {
            response.on('data', (chunk) => (text += chunk));
            response.on('end', () => resolve('end'));
            response.on('error', (error) => resolve(error.code));
            response.resume();
        });
        assert.equal(end, 'ECONNRESET');
        assert.doesNotMatch(text, /<\/urlset>/);
    } finally {
        await stack.run('alter table spark.sitemap_urls_away rename to sitemap_urls');
    }
    assert.equal(locs((await get('/sitemap-1.xml', 'a.example')).text).length, 50000);
});

test('sixteen_files_at_once_and_no_more', async () => {
    const open = () => new Promise((resolve, reject) => {
        const request = http.get({ host: '127.0.0.1', port: stack.port, path: '/sitemap-1.xml', agent: false, headers: { host: 'a.example' } }, (response) => {
            response.pause();
            response.on('error', () => {});
            resolve({ status: response.statusCode, headers: response.headers, end: () => request.destroy() });
        });
        request.on('error', reject);
    });
    const answers = await Promise.all(Array.from({ length: 17 }, open));
    answers.sort((x, y) => x.status - y.status);
    assert.deepEqual(answers.map((x) => x.status), [...Array(16).fill(200), 503]);
    assert.equal(answers[16].headers['retry-after'], '1');
    assert.equal(answers[16].headers['cache-control'], undefined);
    for (const answer of answers) answer.end();
    await until(async () => (await get('/sitemap-2.xml', 'a.example')).status === 200, 'a place');
});

test('the_host_decides_exactly', async () => {
    await seedArticles(b, 3);
    await drip(b);
    for (const host of ['b.example', 'B.EXAMPLE', 'b.example.', 'b.example:8055', 'B.Example.:80'])
        assert.deepEqual(locs((await get('/sitemap-1.xml', host)).text), [3, 2, 1].map((n) => `https://b.example/article-${n}`), host);
    for (const host of ['alias.a.example', 'ALIAS.A.example.:1'])
        assert.equal(locs((await get('/sitemap.xml', host)).text)[0], 'https://a.example/sitemap-1.xml', host);
    for (const host of ['aa.example', 'a.example.evil', 'evil.a.example', 'example', 'a.example..', '[::1]', 'unknown'])
        for (const path of ['/sitemap.xml', '/sitemap-1.xml']) {
            const answer = await get(path, host);
            assert.deepEqual([answer.status, codeOf(answer)], [404, 'UNKNOWN_SITE'], `${path} of ${host}`);
        }
    // Neither a token nor a header makes it another site's.
    const asked = await stack.call({ path: '/sitemap-1.xml', host: 'b.example', token: a.token, headers: { 'x-site-id': a.id, origin: 'https://a.example' } });
    assert.equal(locs(asked.text).length, 3);
});

test('robots_names_the_sitemap_of_the_host', async () => {
    for (const host of ['a.example', 'A.EXAMPLE.:8055', 'alias.a.example']) {
        const { status, text } = await get('/robots.txt', host);
        assert.equal(status, 200);
        assert.match(text, /^User-agent: \*\n/);
        assert.match(text, /\nDisallow: \/api\/\n/);
        assert.doesNotMatch(text, /^Disallow: \/$/m);
        assert.match(text, /\nSitemap: https:\/\/a\.example\/sitemap\.xml\n$/);
    }
    for (const host of ['aa.example', 'a.example.evil']) assert.equal((await get('/robots.txt', host)).text, 'User-agent: *\nDisallow: /');
});

test('the_address_of_the_site_keeps_its_scheme_and_port_and_no_other_host', async () => {
    const site = await makeSite(1, { url: 'http://drip-own.example:8080/blog', domain: 'drip-own.example' });
    assert.match((await get('/robots.txt', 'drip-own.example')).text, /Sitemap: http:\/\/drip-own\.example:8080\/sitemap\.xml/);
    await stack.run(`update sites set url = 'https://evil.example/' where id = '${site.id}'`);
    assert.match((await get('/robots.txt', 'drip-own.example')).text, /Sitemap: https:\/\/drip-own\.example\/sitemap\.xml/);
});

test('a_token_drips_its_own_site_only', async () => {
    const other = await makeSite(5);
    await seedArticles(other, 1);
    for (const body of [{ site_id: other.id }, { site: other.id }]) {
        const answer = await drip(b, body);
        assert.deepEqual([answer.status, codeOf(answer)], [403, 'FORBIDDEN']);
    }
    const unnamed = await drip({ token: stack.adminToken });
    assert.deepEqual([unnamed.status, unnamed.body.errors[0].field], [400, 'site_id']);
    assert.equal((await drip({ token: stack.adminToken }, { site: other.id })).body.indexed, 1);
    assert.equal((await stack.call({ path: '/api/seo/sitemap-drip', token: other.token })).status, 405);
    // Nor does the tenant reach what the machinery keeps.
    const [[role]] = await stack.rows(`select has_table_privilege('spark_tenant', 'spark.sitemap_urls', 'delete')`);
    assert.equal(role, 'f');
});

test('stats_count_one_site_or_all', async () => {
    const site = await makeSite(5);
    await stack.run(`insert into generated_articles (site_id, title, status, is_published, sitemap_status) values
        ('${site.id}', 'x', 'draft', false, 'ghost'), ('${site.id}', 'x', 'published', true, 'ghost'),
        ('${site.id}', 'x', 'published', true, 'queued'), ('${site.id}', 'x', 'published', true, 'indexed')`);
    const own = await stack.call({ path: '/api/seo/stats', token: site.token });
    assert.deepEqual(own.body, { success: true, total: 4, ghost: 2, queued: 1, indexed: 1, published: 3, draft: 1 });
    assert.deepEqual((await stack.call({ path: `/api/seo/stats?site_id=${site.id}`, token: stack.adminToken })).body, own.body);
    const all = (await stack.call({ path: '/api/seo/stats', token: stack.adminToken })).body;
    const [[total, published]] = await stack.rows('select count(*), count(*) filter (where is_published) from generated_articles');
    assert.deepEqual([String(all.total), String(all.published)], [total, published]);
    assert.equal((await stack.call({ path: `/api/seo/stats?site_id=${a.id}`, token: site.token })).status, 403);
    assert.equal((await stack.call({ path: '/api/seo/stats?site_id=x', token: site.token })).status, 400);
});

test('articles_are_listed_newest_first_within_bounds', async () => {
    const site = await makeSite(5);
    await stack.run(`insert into generated_articles (site_id, title, status, date_created)
        select '${site.id}', 'Article ' || n, case when n % 2 = 0 then 'qc' else 'draft' end, now() - n * interval '1 hour' from generate_series(1, 6) n`);
    const list = async (query) => (await stack.call({ path: `/api/seo/articles?${query}`, token: site.token })).body.articles.map((x) => x.title.slice(8));
    assert.deepEqual(await list(''), ['1', '2', '3', '4', '5', '6']);
    assert.deepEqual(await list('status=qc&limit=2&offset=1'), ['4', '6']);
    for (const query of ['limit=0', 'limit=1001', 'limit=x', 'offset=-1', 'offset=100001', 'status=x', 'campaign_id=x'])
        assert.equal((await stack.call({ path: `/api/seo/articles?${query}`, token: site.token })).status, 400, query);
});

test('nearby_is_the_county_then_the_state_and_never_another_site', async () => {
    const [site, other] = [await makeSite(5), await makeSite(5)];
    const state = await create('hub_pages', { site_id: site.id, title: 'Texas', slug: 'texas', level: 'state' });
    const county = await create('hub_pages', { site_id: site.id, title: 'Travis', slug: 'texas-travis', level: 'county', parent_id: state.id });
    const add = async (owner, slug, place, extra = {}) => (await create('generated_articles', {
        site_id: owner.id, title: slug, slug, status: 'published', is_published: true, sitemap_status: 'indexed',
        location_city: place[0], location_county: place[1], location_state: place[2], ...extra })).id;
    const home = await add(site, 'home', ['Austin', 'Travis', 'Texas'], { parent_hub_id: county.id });
    await add(site, 'older', ['Austin', 'Travis', 'Texas'], { date_published: '2026-01-01T00:00:00Z' });
    await add(site, 'newer', ['Manor', 'Travis', 'Texas'], { date_published: '2026-02-01T00:00:00Z' });
    await add(site, 'waco', ['Waco', 'McLennan', 'Texas']);
    await add(site, 'dallas', ['Dallas', 'Dallas', 'Texas']);
    await add(site, 'namesake', ['Elsewhere', 'Travis', 'Ohio']);
    await add(site, 'ghost', ['Austin', 'Travis', 'Texas'], { sitemap_status: 'ghost' });
    await add(site, 'draft', ['Austin', 'Travis', 'Texas'], { status: 'draft', is_published: false });
    const foreign = await add(other, 'foreign', ['Austin', 'Travis', 'Texas']);

    const near = (query, token = site.token) => stack.call({ path: `/api/seo/get-nearby?${query}`, token });
    const { body } = await near(`article_id=${home}`);
    assert.deepEqual(body.nearby.map((x) => [x.title, x.relation, x.url]), [['newer', 'county', '/newer'], ['older', 'county', '/older'], ['dallas', 'state', '/dallas'], ['waco', 'state', '/waco']]);
    assert.deepEqual([body.parent_hub.id, body.state_hub.id], [county.id, state.id]);
    assert.deepEqual(body.breadcrumb, [{ title: 'Texas', url: '/texas' }, { title: 'Travis', url: '/texas-travis' }, { title: 'home', url: '/home' }]);
    assert.deepEqual((await near(`article=${home}&limit=3`)).body.nearby.map((x) => x.title), ['newer', 'older', 'dallas']);
    assert.deepEqual((await near(`article_id=${home}`, stack.adminToken)).body, body);

    assert.equal((await near(`article_id=${foreign}`)).status, 404);
    assert.equal((await near(`article_id=99999999-9999-4999-8999-999999999999`)).status, 404);
    for (const query of ['', 'article_id=x', `article_id=${home}&limit=51`, `article_id=${home}&limit=0`]) assert.equal((await near(query)).status, 400, query);
    // Without a hub of its own the state's is found by name, and hubs in a circle come to an end.
    const lost = await add(site, 'lost', ['Waco', 'McLennan', 'Texas']);
    const found = (await near(`article_id=${lost}`)).body;
    assert.deepEqual([found.parent_hub, found.state_hub.id, found.breadcrumb.length], [null, state.id, 1]);
    await stack.run(`update hub_pages set parent_id = '${county.id}' where id = '${state.id}'`);
    assert.equal((await near(`article_id=${home}`)).status, 200);
});
