// Forms: what a form takes, what becomes of it, and that the same one twice is one.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, startApi } from '../../support/api.mjs';

let stack;
let a;
let b;
let form;
let foreign;
const fields = [
    { name: 'name', type: 'text', required: true, min: 2, max: 40 },
    { name: 'email', type: 'email', required: true },
    { name: 'phone', type: 'phone' },
    { name: 'message', type: 'textarea' },
    { name: 'plan', type: 'select', options: ['basic', { value: 'pro', label: 'Pro' }] },
    { name: 'terms', type: 'checkbox', required: true },
    { name: 'topics', type: 'checkbox', options: ['seo', 'ads'] },
    { name: 'seats', type: 'number', min: 1, max: 9 },
    { name: 'site', type: 'url' },
    { name: 'zip', type: 'text', pattern: '[0-9]{5}' },
    { name: 'slow', type: 'text', pattern: '(a+)+b' },
];
const good = { name: 'Ann', email: 'ann@example.com', terms: true };

before(async () => {
    stack = await startApi();
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
    const make = async (site, body) =>
        (await stack.request('POST', '/items/forms', { site_id: site.id, name: 'Contact', slug: 'contact', fields, ...body })).body.data;
    form = await make(a, { redirect_url: '/thanks', conversion_value: 12.5 });
    foreign = await make(b, {});
});
after(() => stack.stop());

const submit = (body, rest) =>
    stack.call({ method: 'POST', path: '/api/forms/submit', host: 'a.example', body: { form_id: form.id, ...body }, ...rest });
const rowOf = async (table, id) => JSON.parse((await stack.rows(`select row_to_json(x) from ${table} x where id = '${id}'`))[0][0]);
const counts = () => stack.rows('select (select count(*) from form_submissions), (select count(*) from leads), (select count(*) from conversions)');

test('submission_lead_and_conversion_are_stored_together', async () => {
    const data = { ...good, phone: '+1 (555) 010-99', message: 'two\nlines', plan: 'pro', topics: ['seo'], seats: '3', site: 'https://x.example/?a=b', zip: '12345' };
    const answer = await submit(
        { data, page_url: 'https://a.example/p', utm_source: 's', utm_medium: 'm', utm_campaign: 'c', gclid: 'g', fbclid: 'f' },
        { headers: { 'user-agent': 'x'.repeat(900) } });
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual(Object.keys(answer.body), ['success', 'submission_id', 'lead_id', 'conversion_id', 'sent', 'redirect_url', 'success_message']);
    assert.deepEqual([answer.body.sent, answer.body.redirect_url, answer.body.success_message],
        [{ google: false, facebook: false }, '/thanks', 'Thank you for your submission!']);
    const submission = await rowOf('form_submissions', answer.body.submission_id);
    assert.deepEqual(submission.data, { ...data, seats: 3 });
    assert.deepEqual([submission.site_id, submission.status, submission.form_id, submission.user_agent.length, submission.ip_address], [a.id, 'new', form.id, 500, '127.0.0.1']);
    const lead = await rowOf('leads', answer.body.lead_id);
    assert.deepEqual([lead.site_id, lead.form_id, lead.name, lead.email, lead.phone, lead.message, lead.source, lead.landing_page, lead.utm_campaign, lead.status],
        [a.id, form.id, 'Ann', 'ann@example.com', data.phone, data.message, 'contact', 'https://a.example/p', 'c', 'new']);
    const conversion = await rowOf('conversions', answer.body.conversion_id);
    assert.deepEqual([conversion.site_id, conversion.lead_id, conversion.conversion_type, conversion.value, conversion.currency, conversion.source, conversion.campaign, conversion.gclid, conversion.fbclid],
        [a.id, lead.id, 'form', 12.5, 'USD', 's', 'c', 'g', 'f']);
    assert.deepEqual([conversion.sent_to_google, conversion.sent_to_facebook], [false, false]);
});

test('form_is_found_by_id_or_slug_on_its_own_host_only', async () => {
    const at = (body, host = 'a.example') =>
        stack.call({ method: 'POST', path: '/api/forms/submit', host, body: { data: { ...good, message: JSON.stringify(body) + host }, ...body } });
    for (const key of [{ form_id: form.id }, { form: form.id }, { form_slug: 'contact' }, { form_slug: 'contact', site: a.id }])
        assert.equal((await at(key)).status, 201, JSON.stringify(key));
    for (const key of [{ form_id: foreign.id }, { form_id: '99999999-9999-4999-8999-999999999999' }, { form_slug: 'none' }, { form_id: foreign.id, form_slug: 'contact' }])
        assert.deepEqual([(await at(key)).status, codeOf(await at(key))], [404, 'NOT_FOUND'], JSON.stringify(key));
    assert.equal((await at({ form_slug: 'contact' }, 'b.example')).status, 201);
    assert.equal((await stack.rows(`select count(*) from form_submissions where form_id = '${foreign.id}' and site_id = '${b.id}'`))[0][0], '1');
    assert.deepEqual([(await at({ form_id: form.id, site_id: b.id })).status, (await at({ form_id: form.id }, 'nowhere')).status], [403, 404]);
    assert.deepEqual([(await at({})).status, codeOf(await at({}))], [400, 'FAILED_VALIDATION']);
    assert.equal((await at({ form_id: 'zzz' })).status, 400);
});

test('every_fault_of_a_form_is_told_at_once_and_nothing_is_stored', async () => {
    const before = await counts();
    const answer = await submit({ data: { name: 'x', phone: 'call me', plan: 'gold', topics: ['seo', 'spam'], seats: 10, site: 'javascript:alert(1)', zip: '123456', extra: 1 } });
    assert.deepEqual([answer.status, codeOf(answer)], [400, 'FAILED_VALIDATION'], answer.text);
    assert.deepEqual(answer.body.errors.map((e) => e.field), ['name', 'email', 'phone', 'plan', 'terms', 'topics', 'seats', 'site', 'zip', 'extra']);
    const bad = [
        { email: 'nobody' }, { email: 'a@b.c\r\nBcc: x@y.z' }, { name: '   ' }, { name: 'x'.repeat(41) }, { name: { a: 1 } }, { name: 12 }, { terms: false }, { terms: 'maybe' }, { topics: 'other' }, { topics: [1] },
        { topics: Array(65).fill('seo') }, { seats: 0 }, { seats: 'many' }, { seats: [] }, { zip: '1234a' }, { zip: '12345\n6' }, { site: 'https://' }, { site: 'http://a b' }, { site: 'ftp://x.example' },
        { message: 'x'.repeat(10001) }, { phone: '1'.repeat(51) }, { slow: 'a'.repeat(200) + 'c' }, { __proto__x: 1 }, { '': 'x' }, { "'; drop table leads; --": 'x' },
    ];
    for (const part of bad) {
        const refused = await submit({ data: { ...good, ...part } });
        assert.deepEqual([refused.status, codeOf(refused)], [400, 'FAILED_VALIDATION'], `${JSON.stringify(part).slice(0, 80)}: ${refused.text}`);
        assert.equal(refused.body.error, true);
    }
    for (const data of [undefined, null, [], 'x', 1]) assert.equal((await submit({ data })).status, 400);
    for (const part of [{ utm_source: 'x'.repeat(256) }, { page_url: 1 }, { gclid: {} }, { form_age_ms: -1 }, { form_age_ms: 'soon' }, { honeypot: 1 }])
        assert.equal((await submit({ data: good, ...part })).status, 400, JSON.stringify(part).slice(0, 80));
    assert.deepEqual(await counts(), before);
});

/* It cannot be written any more; a form that is older than the check may have it. */
test('pattern_that_does_not_compile_is_the_forms_fault_and_costs_no_visitor', async () => {
    const old = JSON.stringify([...fields, { name: 'broken', type: 'text', pattern: '(' }]);
    await stack.rows(`update forms set fields = '${old}' where id = '${form.id}'`);
    assert.equal((await submit({ data: { ...good, broken: 'anything' } })).status, 201);
});

test('what_is_not_filled_in_is_not_stored', async () => {
    const answer = await submit({ data: { ...good, phone: '', message: null, plan: '  ' } });
    assert.deepEqual((await rowOf('form_submissions', answer.body.submission_id)).data, good);
});

test('body_of_a_form_may_have_64_kib', async () => {
    const text = (size) => {
        const head = JSON.stringify({ form_id: form.id, data: { ...good, message: 'limit' } });
        return head + ' '.repeat(size - head.length);
    };
    assert.equal((await submit({}, { text: text(64 * 1024) })).status, 201);
    const over = await submit({}, { text: text(64 * 1024 + 1) });
    assert.deepEqual([over.status, codeOf(over)], [413, 'CONTENT_TOO_LARGE']);
});

test('robots_are_told_201_and_stored_as_spam', async () => {
    const before = await counts();
    const answers = [await submit({ data: { ...good, message: 'bot 1' }, honeypot: 'x' }), await submit({ data: { ...good, message: 'bot 2' }, form_age_ms: 1999 })];
    for (const answer of answers) {
        assert.deepEqual([answer.status, Object.keys(answer.body)], [201, ['success', 'submission_id', 'lead_id', 'conversion_id', 'sent', 'redirect_url', 'success_message']]);
        const submission = await rowOf('form_submissions', answer.body.submission_id);
        assert.deepEqual([submission.status, submission.lead_id, submission.conversion_id], ['spam', null, null]);
    }
    const [[submissions, leads, conversions]] = await counts();
    assert.deepEqual([[String(Number(before[0][0]) + 2), before[0][1], before[0][2]]], [[submissions, leads, conversions]]);
    // Somebody quick who tries again is no robot any more.
    const again = await submit({ data: { ...good, message: 'bot 2' }, form_age_ms: 2000 });
    assert.equal((await rowOf('form_submissions', again.body.submission_id)).status, 'new');
});

test('i36_a_hundred_equal_forms_at_once_are_one_lead', async () => {
    const before = (await counts())[0].map(Number);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) =>
        // The order of the members does not make it another form.
        submit({ data: n % 2 ? { ...good, message: 'hundred' } : { message: 'hundred', terms: true, email: good.email, name: good.name } })));
    for (const answer of answers) assert.equal(answer.status, 201, answer.text);
    for (const key of ['submission_id', 'lead_id', 'conversion_id']) assert.equal(new Set(answers.map((x) => x.body[key])).size, 1, key);
    assert.deepEqual((await counts())[0].map(Number), before.map((n) => n + 1));
});

test('equal_forms_of_others_or_of_later_are_others', async () => {
    const data = { ...good, message: 'again' };
    const first = await submit({ data });
    const other = await submit({ data: { ...data, message: 'again!' } });
    assert.notEqual(first.body.submission_id, other.body.submission_id);
    await stack.run(`update form_submissions set date_created = now() - interval '61 s' where id = '${first.body.submission_id}'`);
    const later = await submit({ data });
    assert.notEqual(first.body.submission_id, later.body.submission_id);
    assert.equal((await submit({ data })).body.submission_id, later.body.submission_id);
    await stack.run(`update form_submissions set ip_address = '192.0.2.1' where id = '${later.body.submission_id}'`);
    assert.notEqual((await submit({ data })).body.submission_id, later.body.submission_id);
});

test('i34_conversion_that_cannot_be_stored_leaves_no_submission_and_no_lead', async () => {
    const before = await counts();
    await stack.run("alter table conversions add constraint refuse check (gclid is distinct from 'refuse')");
    assert.ok((await submit({ data: { ...good, message: 'half' }, gclid: 'refuse' })).status >= 400);
    assert.deepEqual(await counts(), before);
    await stack.run('alter table conversions drop constraint refuse');
    assert.equal((await submit({ data: { ...good, message: 'half' }, gclid: 'refuse' })).status, 201);
});

test('form_without_name_email_or_phone_makes_a_conversion_and_no_lead', async () => {
    const made = (await stack.request('POST', '/items/forms', { site_id: a.id, name: 'Poll', fields: [{ name: 'answer', type: 'text' }] })).body.data;
    const answer = await stack.call({ method: 'POST', path: '/api/forms/submit', host: 'a.example', body: { form_id: made.id, data: { answer: 'x' }, fbclid: 'f' } });
    assert.equal(answer.status, 201, answer.text);
    assert.equal('lead_id' in answer.body, false);
    const conversion = await rowOf('conversions', answer.body.conversion_id);
    assert.deepEqual([conversion.lead_id, conversion.value, conversion.source], [null, 50, 'facebook']);
});

test('conversion_that_a_form_made_is_the_one_of_its_lead', async () => {
    const made = await submit({ data: { ...good, message: 'once' } });
    const told = (host, lead) => stack.call({ method: 'POST', path: '/api/track/conversion', host, body: { conversion_type: 'form', lead_id: lead } });
    assert.equal((await told('a.example', made.body.lead_id)).body.conversion_id, made.body.conversion_id);
    assert.equal((await told('b.example', made.body.lead_id)).status, 404);
});

test('pattern_of_a_visitor_never_runs_away', async () => {
    const started = await submit({ data: { ...good, slow: `${'a'.repeat(250)}!` } });
    assert.deepEqual([started.status, started.body.errors.map((e) => e.field)], [400, ['slow']]);
});
