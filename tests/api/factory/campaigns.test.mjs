// /api/campaigns: what is made is what was sent, what is wrong is refused with its place.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, startApi } from '../../support/api.mjs';

let stack;
let a;
let b;
before(async () => {
    stack = await startApi();
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
});
after(() => stack?.stop());

const post = (body, token = a.token) => stack.call({ method: 'POST', path: '/api/campaigns', token, body });
const list = (query = '', token = a.token) => stack.call({ path: `/api/campaigns?${query}`, token });
const body = (extra = {}) => ({ name: 'Summer', headline_spintax_root: '{Big|Small} {City}', ...extra });

test('a_campaign_comes_back_as_it_was_sent', async () => {
    const answer = await post(body({ niche_variables: { Niche: 'gardens', N: 7, tools: ['spade', 'rake'] }, location_mode: 'city', target_word_count: 900 }));
    assert.equal(answer.status, 201, answer.text);
    const { campaign } = answer.body;
    assert.equal(answer.body.success, true);
    assert.deepEqual(
        { ...campaign, id: 0, date_created: 0 },
        { id: 0, site_id: a.id, name: 'Summer', headline_spintax_root: '{Big|Small} {City}', location_mode: 'city', status: 'active', date_created: 0,
            niche_variables: { Niche: 'gardens', N: 7, tools: ['spade', 'rake'] }, location_target: null, target_word_count: 900, batch_count: 1, article_template: null });
    const [first] = (await list()).body.campaigns;
    assert.deepEqual(Object.keys(first), ['id', 'site_id', 'name', 'headline_spintax_root', 'location_mode', 'status', 'date_created']);
    assert.equal(first.id, campaign.id);
    const log = await stack.rows(`select action from work_log where site_id = '${a.id}' and entity_id = '${campaign.id}'`);
    assert.deepEqual(log, [['campaign_created']]);
});

test('niche_variables_come_as_an_object_or_as_text', async () => {
    const text = await post(body({ niche_variables: '{"Niche":"roofs"}' }));
    assert.deepEqual([text.status, text.body.campaign.niche_variables], [201, { Niche: 'roofs' }]);
    assert.deepEqual((await post(body())).body.campaign.niche_variables, {});
    for (const [value, code] of [['{"Niche":', 'INVALID_JSON'], ['[]', 'FAILED_VALIDATION'], [[1], 'FAILED_VALIDATION'], [7, 'FAILED_VALIDATION'], [{ a: { b: 1 } }, 'FAILED_VALIDATION'],
        [{ a: [[1]] }, 'FAILED_VALIDATION'], [{ a: 'x'.repeat(65 * 1024) }, 'FAILED_VALIDATION']]) {
        const answer = await post(body({ niche_variables: value }));
        assert.deepEqual([answer.status, codeOf(answer), answer.body.error, answer.body.errors.at(-1).field], [400, code, true, 'niche_variables'], answer.text);
    }
});

test('what_is_wrong_is_refused_with_its_field', async () => {
    const before = (await list('limit=1000')).body.campaigns.length;
    for (const [change, field] of [
        [{ name: undefined }, 'name'], [{ name: '  ' }, 'name'], [{ name: 'x'.repeat(256) }, 'name'], [{ name: 7 }, 'name'],
        [{ headline_spintax_root: undefined }, 'headline_spintax_root'], [{ headline_spintax_root: ' ' }, 'headline_spintax_root'],
        [{ headline_spintax_root: 'x'.repeat(65537) }, 'headline_spintax_root'],
        [{ location_mode: 'moon' }, 'location_mode'], [{ location_mode: 'state, county' }, 'location_mode'], [{ location_mode: '' }, 'location_mode'],
        [{ location_target: 'x' }, 'location_target'], [{ status: 'x' }, 'status'],
        [{ target_word_count: -1 }, 'target_word_count'], [{ target_word_count: 100001 }, 'target_word_count'],
        [{ article_template: 'x' }, 'article_template'],
    ]) {
        const answer = await post(body(change));
        assert.deepEqual([answer.status, answer.body.errors?.[0].field], [400, field], `${JSON.stringify(change).slice(0, 80)}: ${answer.text}`);
    }
    assert.equal((await post(body({ article_template: '99999999-9999-4999-8999-999999999999' }))).status, 400);
    assert.equal((await list('limit=1000')).body.campaigns.length, before);
});

test('broken_spintax_is_refused_with_its_position', async () => {
    const answer = await post(body({ headline_spintax_root: 'ab {one|two' }));
    assert.deepEqual([answer.status, codeOf(answer)], [400, 'INVALID_SPINTAX']);
    assert.equal(answer.body.errors[0].position, 4);
    assert.equal(answer.body.errors[0].field, 'headline_spintax_root');
});

test('global_campaigns_are_for_all_and_made_by_the_platform', async () => {
    const made = (await post(body({ name: 'Everywhere' }), stack.adminToken)).body.campaign;
    assert.equal(made.site_id, null);
    for (const token of [a.token, b.token, stack.adminToken])
        assert.ok((await list('limit=1000', token)).body.campaigns.some((c) => c.id === made.id && c.site_id === null));
    const named = (await post(body({ name: 'Of B', site: b.id }), stack.adminToken)).body.campaign;
    assert.equal(named.site_id, b.id);
    assert.equal((await post(body({ site_id: '99999999-9999-4999-8999-999999999999' }), stack.adminToken)).status, 404);
});

test('a_token_lists_and_makes_its_own', async () => {
    for (const query of [`site_id=${b.id}`, `site=${b.id}`]) assert.equal((await list(query)).status, 403);
    for (const extra of [{ site_id: b.id }, { site: b.id }]) assert.equal((await post(body(extra))).status, 403);
    const seen = (await list('limit=1000')).body.campaigns;
    assert.ok(seen.length > 0 && seen.every((c) => c.site_id === null || c.site_id === a.id));
    const ofB = (await list(`site_id=${b.id}&limit=1000`, stack.adminToken)).body.campaigns;
    assert.ok(ofB.some((c) => c.site_id === b.id) && ofB.every((c) => c.site_id === null || c.site_id === b.id));
    assert.equal((await stack.call({ path: '/api/campaigns' })).status, 401);
    assert.equal((await stack.call({ path: '/api/campaigns', host: 'a.example' })).status, 401);
    assert.equal((await post(body(), a.readToken)).status, 403);
});

test('lists_are_filtered_newest_first_and_bounded', async () => {
    const names = ['One', 'Two', 'Three'];
    for (const name of names) assert.equal((await post(body({ name, status: 'paused' }))).status, 201);
    const paused = async (query) => (await list(`status=paused&${query}`)).body.campaigns.map((c) => c.name);
    assert.deepEqual(await paused(''), ['Three', 'Two', 'One']);
    assert.deepEqual(await paused('limit=1&offset=1'), ['Two']);
    for (const query of ['limit=0', 'limit=1001', 'limit=-1', 'limit=1.5', 'offset=-1', 'offset=100001', 'status=x', 'site_id=x']) {
        const answer = await list(query);
        assert.deepEqual([answer.status, answer.body.error], [400, true], query);
    }
});
