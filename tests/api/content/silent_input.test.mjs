// What a client asks for and nobody reads is refused, not dropped: on every route of /api, in the body
// and in the query, at every level. /items drops it, as Directus does.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, readRoutes, startApi } from '../../support/api.mjs';

let stack, site;
const post = (path, body, host) => stack.call({ method: 'POST', path, token: host ? undefined : stack.adminToken, host, body });
const hasBody = (route) => route.body !== 'BODY_NONE';

before(async () => {
    stack = await startApi();
    site = await makeTenant(stack, 'A', 'a.example');
});
after(() => stack?.stop());

test('every_route_of_api_names_the_member_that_it_does_not_know', async () => {
    for (const route of (await readRoutes()).filter((r) => r.pattern.startsWith('/api/') && hasBody(r))) {
        const answer = await stack.call({ method: route.method, path: route.pattern, host: 'a.example',
            token: route.guard === 'GUARD_VISITOR' ? undefined : stack.adminToken, body: { site_id: site.id, bogus: 1 } });
        assert.equal(answer.status, 400, `${route.pattern}: ${answer.text}`);
        assert.equal(codeOf(answer), 'INVALID_PAYLOAD', answer.text);
        assert.match(answer.text, /\\"bogus\\" is not known here; known: \w+/, route.pattern);
    }
});

test('every_route_of_api_names_the_parameter_that_it_does_not_know', async () => {
    for (const route of (await readRoutes()).filter((r) => r.pattern.startsWith('/api/'))) {
        const answer = await stack.call({ method: route.method, path: `${route.pattern.replace(':id', '1')}?bogus=1`, host: 'a.example',
            token: route.guard === 'GUARD_VISITOR' ? undefined : stack.adminToken, body: hasBody(route) ? {} : undefined });
        assert.equal(answer.status, 400, `${route.pattern}: ${answer.text}`);
        assert.equal(codeOf(answer), 'INVALID_QUERY', answer.text);
        assert.match(answer.text, /\\"bogus\\" is not known here/, route.pattern);
    }
    assert.equal((await stack.call({ path: `/api/admin/jobs?access_token=${stack.adminToken}` })).status, 200);
});

test('a_token_with_scopes_that_do_not_exist_is_not_made', async () => {
    const answer = await post('/api/admin/site-tokens', { site_id: site.id, name: 'x', scopes: ['bogus'] });
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.text, /known: site_id, name, expires_at, read_only/);
    assert.deepEqual(await stack.rows("select count(*) from spark.site_tokens where name = 'x'"), [['0']]);
});

test('members_within_members_are_looked_at_as_well', async () => {
    for (const [path, body, field] of [
        ['/api/seo/schedule-production', { campaign_id: site.campaign.id, total_articles: 1, velocity: { speed: 1 } }, 'velocity.speed'],
        ['/api/seo/schedule-production', { campaign_id: site.campaign.id, total_articles: 1, date_range: { till: '2026-01-01' } }, 'date_range.till'],
        ['/api/seo/generate-article', { campaign_id: site.campaign.id, location: { town: 'x' } }, 'location.town'],
        ['/api/admin/import-blueprint', { campaign: { name: 'x', site_id: site.id } }, 'campaign.site_id'],
        ['/api/admin/import-blueprint', { template: { name: 'x', structure_json: ['a'], default: true } }, 'template.default'],
        ['/api/admin/import-blueprint', { fragments: [{ fragment_type: 'a', content_body: 'b' }, { fragment_type: 'a', content_body: 'c', id: 1 }] }, 'fragments[1].id'],
        ['/api/admin/import-blueprint', { dictionaries: [{ category: 'a', data: ['b'], words: [] }] }, 'dictionaries[0].words'],
        ['/api/admin/import-blueprint', { offer_blocks: [{ block_type: 'universal', block_id: 'x', hook: 'y' }] }, 'offer_blocks[0].hook'],
        ['/api/admin/import-blueprint', { campaign: { name: 'x' }, headlines: [{ headline: 'a', location: { zip: 1 } }] }, 'headlines[0].location.zip'],
        ['/api/admin/import-blueprint', { locations: { towns: [] } }, 'locations.towns'],
        ['/api/admin/import-blueprint', { locations: { cities: [{ name: 'a', state: 'TX', zip: '1' }] } }, 'cities[0].zip'],
    ]) {
        const answer = await post(path, { site_id: site.id, ...body });
        assert.equal(answer.status, 400, `${field}: ${answer.text}`);
        assert.equal(codeOf(answer), 'INVALID_PAYLOAD', answer.text);
        assert.ok(answer.text.includes(`\\"${field}\\" is not known here`), answer.text);
    }
});

test('what_is_free_by_design_stays_free', async () => {
    const form = await stack.call({ method: 'POST', path: '/items/forms', token: stack.adminToken,
        body: { site_id: site.id, name: 'f', slug: 'f', status: 'published', fields: [{ name: 'anything', type: 'text' }] } });
    assert.equal(form.status, 200, form.text);
    const sent = await post('/api/forms/submit', { form_slug: 'f', data: { anything: 'x' }, honeypot: '', form_age_ms: 9000 }, 'a.example');
    assert.equal(sent.status, 201, sent.text);
    const event = await post('/api/track/event', { event_name: 'e', page_path: '/', metadata: { any: { thing: 1 } } }, 'a.example');
    assert.ok(event.status < 300, event.text);
    const item = await stack.call({ method: 'POST', path: '/items/authors', token: stack.adminToken, body: { site_id: site.id, name: 'x', bogus: 1 } });
    assert.equal(item.status, 200, item.text);
});

test('a_read_leaves_out_what_directus_leaves_out_and_refuses_the_rest', async () => {
    const read = (query, caller) => stack.call({ path: `/items/posts?limit=1&${query}`, ...caller });
    const visitor = { host: 'a.example' };
    const title = Object.keys((await read('fields=title', visitor)).body.data[0]);
    // A path into a collection that may not be read at all, and one that begins nowhere.
    for (const path of ['site_id.name', 'site_id.*', 'author.name', 'nope.x']) {
        const answer = await read(`fields=title,${path}`, visitor);
        assert.equal(answer.status, 200, `${path}: ${answer.text}`);
        assert.deepEqual(Object.keys(answer.body.data[0]), title, path);
    }
    assert.equal((await read('fields=title,site_id', visitor)).body.data[0].site_id, site.id); // the stored key itself
    for (const [query, caller, sentence] of [
        ['fields=title,nope', visitor, /field \\"nope\\" in collection \\"posts\\" or it does not exist\. Queried in root/],
        ['filter[site_id][name][_eq]=A', visitor, /collection \\"sites\\" or it does not exist\. Queried in \\"site_id\\"/],
        ['sort=author.name', visitor, /collection \\"authors\\" or it does not exist\. Queried in \\"author\\"/],
        ['fields=title,author.nope', { token: site.token }, /field \\"nope\\" in collection \\"authors\\" or it does not exist\. Queried in \\"author\\"/],
    ]) {
        const answer = await read(query, caller);
        assert.equal(answer.status, 403, `${query}: ${answer.text}`);
        assert.match(answer.text, sentence, query);
    }
});
