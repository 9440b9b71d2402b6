// The nil UUID is a key like any other: a tenant may give it to a row of its own, and no route may fall over that.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../../support/api.mjs';

const nil = '00000000-0000-0000-0000-000000000000';
let stack;
let a;

before(async () => {
    stack = await startApi();
    a = await makeTenant(stack, 'A', 'a.example');
});
after(() => stack.stop());

const post = (path, body, rest) => stack.call({ method: 'POST', path, token: a.token, host: 'a.example', body, ...rest });
const make = async (collection, body) => {
    const answer = await post(`/items/${collection}`, { id: nil, ...body });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.data.id, nil);
};
/** Answered, and by a server that is still there. */
const answers = async (path, body, status, rest) => {
    const answer = await post(path, body, rest);
    assert.equal(answer.status, status, `${path}: ${answer.text}`);
    assert.equal((await stack.call({ path: '/server/ping' })).status, 200);
    return answer.body;
};

test('visitors_submit_a_form_whose_key_is_nil', async () => {
    await make('forms', { name: 'Contact', slug: 'contact', fields: [{ name: 'email', type: 'email', required: true }] });
    await answers('/api/forms/submit', { form_slug: 'contact', data: { email: 'ann@example.com' } }, 201, { token: null });
    assert.deepEqual(await stack.rows('select form_id from form_submissions'), [[nil]]);
});

test('an_article_whose_key_is_nil_is_approved_like_any_other', async () => {
    await make('generated_articles', { title: 'Nil', slug: 'nil', html_content: '<p>words</p>', campaign_id: a.campaign.id });
    await stack.rows(`update generated_articles set status = 'qc' where id = '${nil}'`);
    const { approved } = await answers('/api/seo/approve-batch', { article_ids: [nil], waive_word_target: true, reason: 'short' }, 200);
    assert.equal(approved, 1);
});

test('a_site_whose_key_is_nil_answers_to_no_host', async () => {
    const made = await stack.request('POST', '/items/sites', { id: nil, name: 'Nil', domain: 'nil.example' });
    assert.equal(made.status, 200, made.text);
    for (const [path, body] of [
        ['/api/forms/submit', { form_slug: 'contact', data: {} }],
        ['/api/track/pageview', { page_path: '/' }],
        ['/api/track/call-click', { phone_number: '+15550100' }],
    ])
        assert.equal((await answers(path, body, 404, { host: 'nil.example', token: null })).code, 'UNKNOWN_SITE');
});

test('rows_of_a_site_whose_key_is_nil_are_worked_on_like_any_other', async () => {
    const campaign = await stack.request('POST', '/items/campaign_masters', { site_id: nil, name: 'Nil', headline_spintax_root: '{one|two} words', niche_variables: {}, status: 'active' });
    assert.equal(campaign.status, 200, campaign.text);
    const { generated } = await answers('/api/seo/generate-headlines', { campaign_id: campaign.body.data.id }, 200, { token: stack.adminToken });
    assert.equal(generated, 2);
    await answers('/api/seo/generate-headlines', { campaign_id: campaign.body.data.id, async: true }, 202, { token: stack.adminToken });
    assert.deepEqual(await stack.rows("select site_id from spark.jobs where kind = 'generate-headlines'"), [[nil]]);
    assert.deepEqual(await stack.rows("select distinct site_id from work_log where action = 'headlines_generated'"), [[nil]]);
});

test('a_user_of_a_site_whose_key_is_nil_sees_that_site_alone', async () => {
    await stack.rows(`insert into directus_users (id, email, status, token, role, site_id) select gen_random_uuid(), 'nil@example.com', 'active', 'token-of-nil', role, '${nil}' from directus_users where email = 'admin@example.com'`);
    const { body } = await stack.call({ path: '/items/campaign_masters?fields=name', token: 'token-of-nil' });
    assert.deepEqual(body.data, [{ name: 'Nil' }]);
});
