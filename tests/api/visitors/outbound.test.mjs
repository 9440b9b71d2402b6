// Calls to the outside: a real web server and a real SMTP sink stand here; what reaches them, how often,
// under which key, and what never may.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import dns from 'node:dns/promises';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { codeOf, makeTenant, startApi } from '../../support/api.mjs';
import { startRelay, startWeb } from '../../support/outside.mjs';
import { until } from '../../support/stack.mjs';

let stack;
let a;
let b;
let web;
let relay;
const fields = [{ name: 'name', type: 'text' }, { name: 'email', type: 'email' }, { name: 'phone', type: 'phone' }, { name: 'message', type: 'textarea' }];

before(async () => {
    web = await startWeb();
    relay = await startRelay();
    stack = await startApi({
        env: {
            OUTBOUND_CALLS: 'on', OUTBOUND_ALLOW: '10.255.0.0/16, 127.0.0.1/32', JOB_RETRY_BASE: '20', WORKER_LEASE: '2',
            FACEBOOK_URL: `${web.url}/facebook`, GOOGLE_MEASUREMENT_URL: `${web.url}/google`,
            SMTP_URL: relay.url, SMTP_STARTTLS: 'false', MAIL_FROM: 'spark@platform.example',
        },
        workers: 1,
    });
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
});
after(async () => {
    await stack?.stop();
    await web?.stop();
    await relay?.stop();
});

let made = 0;
async function makeForm(site, body) {
    const slug = `form-${++made}`;
    const answer = await stack.request('POST', '/items/forms', { site_id: site.id, name: `Form ${made}`, slug, fields, ...body });
    assert.equal(answer.status, 200, answer.text);
    return answer.body.data;
}
const submit = (form, data, rest = {}, host = 'a.example') =>
    stack.call({ method: 'POST', path: '/api/forms/submit', host, body: { form_id: form.id, data: { message: `m${++made}`, ...data }, ...rest } });
const secret = (site, name, value) => stack.request('POST', '/api/admin/site-secrets', { site_id: site.id, name, value });
/** The jobs whose payload names this id. */
const jobsOf = async (id) => (await stack.rows(`select row_to_json(j) from spark.jobs j where payload::text like '%${id}%' order by id`)).map(([row]) => JSON.parse(row));
const ended = (id, count = 1) => until(async () => {
    const jobs = await jobsOf(id);
    return jobs.length >= count && jobs.every((job) => ['done', 'dead'].includes(job.state)) && jobs;
}, `the jobs of ${id}`);
const conversionOf = async (id) => JSON.parse((await stack.rows(`select row_to_json(c) from conversions c where id = '${id}'`))[0][0]);

test('webhook_arrives_once_with_its_key_and_a_signature_over_its_bytes', async () => {
    assert.deepEqual((await secret(a, 'webhook_secret', 'site-wide key')).body, { success: true, name: 'webhook_secret', is_set: true });
    const form = await makeForm(a, { submit_action: 'webhook', webhook_url: `${web.url}/hook?token=t` });
    const data = { name: 'Ann "Ü"', email: 'ann@example.com', message: 'two\nlines' };
    const answer = await submit(form, data, { page_url: 'https://a.example/p', utm_source: 's' });
    assert.deepEqual([answer.status, answer.body.sent], [201, { google: false, facebook: false }], answer.text);
    const [job] = await ended(answer.body.submission_id);
    assert.deepEqual([job.kind, job.state, job.result], ['deliver-webhook', 'done', { sent: true }]);
    const calls = web.at('/hook');
    assert.equal(calls.length, 1);
    const [{ method, url, headers, text }] = calls;
    assert.deepEqual([method, url, headers['content-type']], ['POST', '/hook?token=t', 'application/json']);
    assert.equal(headers['idempotency-key'], `webhook-${answer.body.submission_id}`);
    assert.equal(headers['x-spark-signature'], `sha256=${createHmac('sha256', 'site-wide key').update(text).digest('hex')}`);
    const { submission, ...rest } = JSON.parse(text);
    assert.deepEqual(rest, { event: 'form.submitted', id: `webhook-${answer.body.submission_id}`, site_id: a.id, form: { id: form.id, name: form.name, slug: form.slug } });
    assert.deepEqual([submission.id, submission.data, submission.page_url, submission.utm_source, submission.utm_medium, submission.lead_id, submission.conversion_id],
        [answer.body.submission_id, data, 'https://a.example/p', 's', null, answer.body.lead_id, answer.body.conversion_id]);

    await secret(a, `webhook_secret:${form.id}`, 'own key');
    const again = await submit(form, {});
    await ended(again.body.submission_id);
    const call = web.at('/hook')[1];
    assert.equal(call.headers['x-spark-signature'], `sha256=${createHmac('sha256', 'own key').update(call.text).digest('hex')}`);
    const plain = await makeForm(b, { submit_action: 'webhook', webhook_url: `${web.url}/unsigned` });
    await ended((await submit(plain, {}, {}, 'b.example')).body.submission_id);
    assert.deepEqual([web.at('/unsigned').length, web.at('/unsigned')[0].headers['x-spark-signature']], [1, undefined]);
});

test('i36_form_sent_twice_is_told_once_and_spam_is_told_to_nobody', async () => {
    const form = await makeForm(a, { submit_action: 'webhook', webhook_url: `${web.url}/twice` });
    const data = { name: 'Same', message: 'same' };
    const answers = await Promise.all(Array.from({ length: 30 }, () => submit(form, data)));
    assert.equal(new Set(answers.map((answer) => answer.body.submission_id)).size, 1);
    const spam = await submit(form, data, { honeypot: 'x' });
    assert.equal(spam.status, 201);
    await ended(answers[0].body.submission_id);
    assert.equal((await jobsOf(answers[0].body.submission_id)).length, 1);
    assert.equal((await jobsOf(spam.body.submission_id)).length, 0);
    assert.equal(web.at('/twice').length, 1);
});

test('i34_submission_lead_conversion_and_jobs_are_one_transaction', async () => {
    const form = await makeForm(a, { submit_action: 'webhook', webhook_url: `${web.url}/atomic` });
    const counts = () => stack.rows('select (select count(*) from form_submissions), (select count(*) from leads), (select count(*) from conversions), (select count(*) from spark.jobs)');
    const before = await counts();
    await stack.run(`create function spark.refuse() returns trigger language plpgsql as $$ begin raise exception 'no' using errcode = '23514'; end $$;
        create trigger refuse before insert on spark.jobs for each row execute function spark.refuse()`);
    const answer = await submit(form, { name: 'Nobody' });
    await stack.run('drop trigger refuse on spark.jobs; drop function spark.refuse()');
    assert.ok(answer.status >= 400, answer.text);
    assert.deepEqual(await counts(), before);
});

test('failing_webhook_is_called_again_under_the_same_key_until_it_takes_it', async () => {
    web.plan.set('/flaky', [{ status: 500 }, { status: 503 }, { status: 429 }, { status: 204 }]);
    const form = await makeForm(a, { submit_action: 'webhook', webhook_url: `${web.url}/flaky` });
    const { body } = await submit(form, { email: 'flaky@example.com' });
    const [job] = await ended(body.submission_id);
    assert.deepEqual([job.state, job.failures, job.attempt], ['done', 3, 4]);
    const calls = web.at('/flaky');
    assert.equal(calls.length, 4);
    for (const value of ['idempotency-key', 'x-spark-signature']) assert.equal(new Set(calls.map((call) => call.headers[value])).size, 1);
    assert.equal(new Set(calls.map((call) => call.text)).size, 1);
});

test('other_side_that_asks_for_time_gets_it', async () => {
    web.plan.set('/later', [{ status: 503, headers: { 'retry-after': '3000' } }]);
    const form = await makeForm(a, { submit_action: 'webhook', webhook_url: `${web.url}/later` });
    const { body } = await submit(form, {});
    const [job] = await until(async () => {
        const jobs = await jobsOf(body.submission_id);
        return jobs[0].failures === 1 && jobs;
    }, 'the first answer');
    assert.equal(job.state, 'queued');
    const [[wait]] = await stack.rows(`select extract(epoch from run_at - now())::int from spark.jobs where id = ${job.id}`);
    assert.ok(Number(wait) > 2900 && Number(wait) <= 3000, wait);
    assert.match(job.error, /answered 503/);
});

test('refusal_for_good_is_a_dead_job_that_says_why_and_the_submission_stays', async () => {
    for (const [status, says] of [[400, /answered 400/], [401, /answered 401/], [404, /answered 404/], [410, /answered 410/]]) {
        web.plan.set(`/no-${status}`, [{ status }]);
        const form = await makeForm(a, { submit_action: 'webhook', webhook_url: `${web.url}/no-${status}` });
        const { body } = await submit(form, { email: 'kept@example.com' });
        const [job] = await ended(body.submission_id);
        assert.deepEqual([job.state, job.failures, job.error_class], ['dead', 1, 'OUTBOUND_REFUSED']);
        assert.match(job.error, says);
        assert.equal(web.at(`/no-${status}`).length, 1);
        assert.equal((await stack.rows(`select count(*) from form_submissions s join leads l on l.id = s.lead_id join conversions c on c.id = s.conversion_id where s.id = '${body.submission_id}'`))[0][0], '1');
    }
});

test('redirects_are_not_followed_wherever_they_lead', async () => {
    for (const [status, location] of [[302, `${web.url}/inner`], [307, `http://127.0.0.2:${web.port}/inner`], [308, 'http://169.254.169.254/latest/meta-data/'], [301, 'file:///etc/passwd']]) {
        web.plan.set(`/moved-${status}`, [{ status, headers: { location } }]);
        const form = await makeForm(a, { submit_action: 'webhook', webhook_url: `${web.url}/moved-${status}` });
        const [job] = await ended((await submit(form, {})).body.submission_id);
        assert.deepEqual([job.state, job.failures], ['dead', 1]);
        assert.match(job.error, /redirects are not followed/);
    }
    assert.equal(web.at('/inner').length, 0);
});

test('answer_without_end_is_cut_and_still_an_answer', async () => {
    web.plan.set('/big', [{ status: 200, body: 'x'.repeat(1 << 20) }]);
    const form = await makeForm(a, { submit_action: 'webhook', webhook_url: `${web.url}/big` });
    const [job] = await ended((await submit(form, {})).body.submission_id);
    assert.deepEqual([job.state, job.attempt], ['done', 1]);
});

test('i22_conversion_is_called_sent_only_after_a_2xx_and_hashes_are_hashes', async () => {
    await stack.run(`insert into site_analytics (site_id, google_analytics_id, fb_pixel_id, fb_test_event_code) values ('${a.id}', 'G-ABC123', '1234567890', 'TEST1')`);
    await secret(a, 'facebook_access_token', 'fb token');
    await secret(a, 'google_api_secret', 'g/secret&x=1');
    web.plan.set('/facebook/1234567890/events', [{ status: 500 }, { status: 200, body: '{"events_received":1}' }]);
    web.plan.set('/google', [{ status: 403 }, { status: 204 }]);
    const form = await makeForm(a, {});
    const { body, text } = await submit(form, { name: 'Ann', email: ' Ann@Example.COM ', phone: '+1 (555) 010-99' }, { page_url: 'https://a.example/p', fbclid: 'click', gclid: 'g' });
    assert.deepEqual(body.sent, { google: false, facebook: false }, text);
    const jobs = await ended(body.conversion_id, 2);
    const byNetwork = Object.fromEntries(jobs.map((job) => [job.payload.network, job]));
    assert.deepEqual([byNetwork.facebook.state, byNetwork.facebook.attempt, byNetwork.google.state], ['done', 2, 'dead']);
    const row = await conversionOf(body.conversion_id);
    assert.deepEqual([row.sent_to_google, row.sent_to_facebook], [false, true]);

    const [first, second] = web.at('/facebook/1234567890/events');
    assert.equal(first.text, second.text);
    assert.deepEqual([second.headers.authorization, second.headers['idempotency-key']], ['Bearer fb token', `facebook-${body.conversion_id}`]);
    const { data: [event], test_event_code: code } = JSON.parse(second.text);
    const hash = (value) => createHash('sha256').update(value).digest('hex');
    assert.deepEqual([event.event_name, event.event_id, event.action_source, event.event_source_url, code], ['Lead', body.conversion_id, 'website', 'https://a.example/p', 'TEST1']);
    assert.deepEqual([event.user_data.em, event.user_data.ph], [[hash('ann@example.com')], [hash('155501099')]]);
    assert.match(event.user_data.fbc, /^fb\.1\.\d{13}\.click$/);
    assert.deepEqual([event.user_data.client_ip_address, event.custom_data], ['127.0.0.1', { value: 50, currency: 'USD' }]);

    assert.equal(web.at('/google')[0].url, '/google?measurement_id=G-ABC123&api_secret=g%2Fsecret%26x%3D1');
    assert.doesNotMatch(JSON.stringify(byNetwork), /g%2Fsecret|g\/secret|fb token/, 'no secret stands in a job');
    // Set right, tried again by an operator: the same key, and the flag.
    await stack.spark('job', 'retry', String(byNetwork.google.id));
    await ended(body.conversion_id, 2);
    assert.equal((await conversionOf(body.conversion_id)).sent_to_google, true);
    const google = web.at('/google');
    assert.deepEqual([google.length, google[0].headers['idempotency-key'], google[1].headers['idempotency-key']], [2, `google-${body.conversion_id}`, `google-${body.conversion_id}`]);
    const payload = JSON.parse(google[1].text);
    assert.deepEqual([payload.client_id, payload.events], [body.conversion_id, [{ name: 'generate_lead', params: { value: 50, currency: 'USD', transaction_id: body.conversion_id, source: 'google_ads' } }]]);
});

test('conversion_is_told_to_whom_the_page_asked_for_and_the_site_is_set_up_for', async () => {
    const track = (body, host = 'a.example', path = 'conversion') => stack.call({ method: 'POST', path: `/api/track/${path}`, host, body });
    const networks = async (answer) => {
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(answer.body.sent, { google: false, facebook: false });
        return (await jobsOf(answer.body.conversion_id)).map((job) => job.payload.network).sort();
    };
    const both = { conversion_type: 'sale', send_to_google: true, send_to_facebook: true, fbclid: 'x' };
    assert.deepEqual(await networks(await track({ conversion_type: 'sale' })), []);
    assert.deepEqual(await networks(await track({ ...both, send_to_google: false })), ['facebook']);
    assert.deepEqual(await networks(await track(both)), ['facebook', 'google']);
    assert.deepEqual(await networks(await track({ ...both, fbclid: undefined })), ['google'], 'nothing that Facebook could match');
    assert.deepEqual(await networks(await track(both, 'b.example')), [], 'b is not set up');
    assert.deepEqual(await networks(await track({ phone_number: '+1', fbclid: 'x' }, 'a.example', 'call-click')), ['facebook', 'google']);
    const lead = (await stack.call({ method: 'POST', path: '/api/lead', host: 'a.example', body: { email: 'l@example.com' } })).body.id;
    const told = await Promise.all(Array.from({ length: 10 }, () => track({ ...both, lead_id: lead })));
    assert.equal((await jobsOf(told[0].body.conversion_id)).length, 2, 'once, however many ask');
    await stack.run(`update site_analytics set is_active = false where site_id = '${a.id}'`);
    assert.deepEqual(await networks(await track(both)), []);
    await stack.run(`update site_analytics set is_active = true where site_id = '${a.id}'`);
});

test('mail_reaches_every_recipient_and_no_header_can_be_smuggled_into_it', async () => {
    const form = await makeForm(a, { submit_action: 'email', email_recipients: 'one@example.com, two@example.com', name: 'Köntakt' });
    const evil = 'x\r\nBcc: evil@example.com\r\n\r\n.\r\nMAIL FROM:<evil@example.com>';
    const { body, text } = await submit(form, { email: 'ann@example.com', message: evil });
    assert.equal((await ended(body.submission_id))[0].state, 'done', text);
    assert.equal(relay.mails.length, 1);
    const [mail] = relay.mails;
    assert.deepEqual(mail.to, ['one@example.com', 'two@example.com']);
    assert.match(mail.from, /^MAIL FROM:<spark@platform\.example>/);
    const [head, content] = mail.text.split('\r\n\r\n');
    const headers = Object.fromEntries(head.replaceAll('\r\n ', ' ').split('\r\n').map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]));
    assert.deepEqual(Object.keys(headers), ['from', 'to', 'reply-to', 'subject', 'date', 'message-id', 'idempotency-key', 'auto-submitted', 'mime-version', 'content-type', 'content-transfer-encoding']);
    assert.deepEqual([headers['reply-to'], headers['message-id'], headers['idempotency-key']], ['ann@example.com', `<mail-${body.submission_id}@platform.example>`, `mail-${body.submission_id}`]);
    assert.equal(Buffer.from(headers.subject.match(/^=\?UTF-8\?B\?(.*)\?=$/)[1], 'base64').toString(), 'New submission: Köntakt');
    assert.ok(Buffer.from(content, 'base64').toString().includes(evil));
    for (const line of mail.text.split('\r\n')) assert.match(line, /^[\x20-\x7e]{0,998}$/);
});

test('mail_that_the_relay_puts_off_comes_later_and_one_that_it_refuses_is_dead', async () => {
    const form = await makeForm(a, { submit_action: 'email', email_recipients: 'three@example.com' });
    relay.refusals.push('450 not now');
    const first = await ended((await submit(form, {})).body.submission_id);
    assert.deepEqual([first[0].state, first[0].attempt], ['done', 2]);
    relay.refusals.push('550 nobody here');
    const [second] = await ended((await submit(form, {})).body.submission_id);
    assert.deepEqual([second.state, second.failures, second.error_class], ['dead', 1, 'OUTBOUND_REFUSED']);
    assert.match(second.error, /550/);
});

test('targets_that_are_none_are_refused_where_they_are_written_and_where_they_are_used', async () => {
    const write = (body) => stack.request('POST', '/items/forms', { site_id: a.id, name: 'x', slug: `bad-${++made}`, fields, ...body });
    for (const webhook_url of ['ftp://x.example/', 'javascript:alert(1)', 'file:///etc/passwd', 'http://', 'x.example', 'http://user:pass@x.example/', 'http://x.example/\r\nX: y', 'http://x y/', 'gopher://127.0.0.1:25/'])
        assert.deepEqual([(await write({ webhook_url })).status, webhook_url], [400, webhook_url]);
    for (const email_recipients of ['nobody', 'a@b@c.example', 'a@x.example\r\nBcc: evil <e@x.example>', '<a@x.example>', 'a@x.example, b', '"a b"@x.example', 'x'.repeat(2601)])
        assert.deepEqual([(await write({ email_recipients })).status, email_recipients], [400, email_recipients]);
    for (const body of [{ webhook_url: '' }, { webhook_url: null }, { webhook_url: 'HTTPS://X.example?y' }, { email_recipients: '' }, { email_recipients: 'a+b@x.example;\nc@y.example , ' }])
        assert.equal((await write(body)).status, 200, JSON.stringify(body));
    // Rows from before the rules, as an upgrade leaves them.
    const [[definition]] = await stack.rows(`select pg_get_constraintdef(oid) from pg_constraint where conname = 'forms_email_recipients_check'`);
    await stack.run(`set role spark_owner; alter table forms drop constraint forms_webhook_url_check, drop constraint forms_email_recipients_check`);
    const bad = [await makeForm(a, { submit_action: 'webhook', webhook_url: 'gopher://127.0.0.1:25/x' }), await makeForm(a, { submit_action: 'email', email_recipients: 'x@y.example\r\nRCPT TO:<e@x.example>' }),
        await makeForm(a, { submit_action: 'email', email_recipients: Array.from({ length: 11 }, (_, n) => `r${n}@x.example`).join(',') })];
    assert.match(definition, /NOT VALID/);
    const mails = relay.mails.length;
    for (const form of bad) {
        const [job] = await ended((await submit(form, {})).body.submission_id);
        assert.deepEqual([job.state, job.failures, job.error_class], ['dead', 1, 'INVALID_PAYLOAD'], job.error);
    }
    assert.equal(relay.mails.length, mails);
});

test('secrets_are_written_and_removed_and_never_read', async () => {
    const known = await stack.request('GET', `/api/admin/site-secrets?site_id=${a.id}`);
    assert.equal(known.status, 200, known.text);
    assert.ok(known.body.secrets.length >= 3);
    for (const entry of known.body.secrets) assert.deepEqual(Object.keys(entry), ['name', 'updated_at']);
    for (const [[sealed], plain] of [[(await stack.rows(`select encode(sealed, 'escape') from spark.site_secrets where name = 'facebook_access_token'`))[0], 'fb token']])
        assert.ok(!sealed.includes(plain));
    for (const body of [{}, { name: 'x' }, { name: 'facebook_access_token' }, { name: 'facebook_access_token', value: '' }, { name: 'facebook_access_token', value: 'a\r\nX: y' }, { name: 'facebook_access_token', value: 5 },
        { name: 'webhook_secret:x', value: 'y' }, { name: 'facebook_access_token', value: 'x'.repeat(4097) }, { name: 'facebook_access_token', value: 'x', site_id: 'x' }]) {
        const answer = await stack.request('POST', '/api/admin/site-secrets', { site_id: a.id, ...body });
        assert.deepEqual([answer.status, answer.body.error], [400, true], JSON.stringify(body).slice(0, 80));
    }
    assert.equal(codeOf(await stack.request('POST', '/api/admin/site-secrets', { site_id: '99999999-9999-4999-8999-999999999999', name: 'webhook_secret', value: 'x' })), 'NOT_FOUND');
    for (const path of ['/api/admin/site-secrets', `/api/admin/site-secrets?site_id=${a.id}`]) {
        const token = (await stack.request('POST', '/api/admin/site-tokens', { site_id: a.id, name: 'x' })).body.token;
        assert.equal((await stack.call({ path, token })).status, 403);
        assert.equal((await stack.call({ path })).status, 401);
    }
    assert.deepEqual((await secret(a, 'webhook_secret', null)).body, { success: true, name: 'webhook_secret', is_set: false });
    assert.deepEqual((await stack.request('GET', `/api/admin/site-secrets?site_id=${a.id}`)).body.secrets.filter(({ name }) => name === 'webhook_secret'), []);
    const logged = await stack.rows(`select action, entity_id, details::text from work_log where entity_type = 'site_secrets'`);
    assert.ok(logged.some(([action, name]) => action === 'secret_removed' && name === 'webhook_secret'));
    assert.doesNotMatch(JSON.stringify(logged), /fb token|site-wide/);
});

test('address_that_never_answers_keeps_the_worker_from_its_own_site_only', async () => {
    const open = new Set();
    let most = 0;
    const silent = net.createServer((socket) => {
        open.add(socket);
        most = Math.max(most, open.size);
        socket.on('close', () => open.delete(socket));
        socket.on('error', () => {});
        socket.resume(); // else nobody would notice that the caller has gone
    });
    await new Promise((resume) => silent.listen(0, '127.0.0.1', resume));
    const hanging = await makeForm(a, { submit_action: 'webhook', webhook_url: `http://127.0.0.1:${silent.address().port}/` });
    const sent = await Promise.all(Array.from({ length: 40 }, () => submit(hanging, {})));
    try {
        await until(() => open.size === 16, 'as many calls as a site may have');
        await until(async () => (await stack.run(`select count(*) from spark.jobs where site_id = '${a.id}' and error_class = 'postponed'`))[0][0] > 0, 'the others to be put back');
        assert.equal(most, 16);
        const form = await makeForm(b, { submit_action: 'webhook', webhook_url: `${web.url}/meanwhile` });
        const [job] = await ended((await submit(form, {}, {}, 'b.example')).body.submission_id);
        assert.deepEqual([job.state, web.at('/meanwhile').length], ['done', 1]);
    } finally {
        await stack.run(`update forms set webhook_url = '${web.url}/awake' where id = '${hanging.id}'`);
        silent.close();
        for (const socket of open) socket.destroy();
    }
    for (const { body } of sent) assert.equal((await ended(body.submission_id))[0].state, 'done');
    assert.equal(web.at('/awake').length, 40);
});

test('certificate_that_nobody_vouches_for_is_no_answer', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'tls-'));
    const [key, cert] = ['key', 'cert'].map((name) => path.join(folder, name));
    await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert,
        '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']);
    let requests = 0;
    const server = https.createServer({ key: await readFile(key), cert: await readFile(cert) }, (_, response) => {
        requests++;
        response.end();
    });
    await new Promise((resume) => server.listen(0, '127.0.0.1', resume));
    const form = await makeForm(a, { submit_action: 'webhook', webhook_url: `https://127.0.0.1:${server.address().port}/secret-path` });
    const { body } = await submit(form, {});
    const [job] = await until(async () => {
        const jobs = await jobsOf(body.submission_id);
        return jobs[0].failures > 0 && jobs;
    }, 'the first try');
    assert.match(job.error, /certificate/i);
    assert.doesNotMatch(job.error, /secret-path/);
    assert.equal(requests, 0);
    await stack.run(`update spark.jobs set state = 'cancelled', finished_at = now() where id = ${job.id} and state = 'queued'`);
    server.close();
    await rm(folder, { recursive: true });
});

test('worker_that_dies_between_call_and_end_calls_again_under_the_same_key', async () => {
    await stack.workers[0].kill();
    const conversion = await stack.call({ method: 'POST', path: '/api/track/conversion', host: 'a.example', body: { conversion_type: 'late', send_to_facebook: true, fbclid: 'x' } });
    const key = `facebook-${conversion.body.conversion_id}`;
    const calls = () => web.calls.filter((call) => call.headers['idempotency-key'] === key);
    const dying = stack.startWorker({ SPARK_FAULT: 'finish_before_commit' });
    assert.equal((await dying.ended).signal, 'SIGKILL');
    assert.equal(calls().length, 1);
    assert.equal((await conversionOf(conversion.body.conversion_id)).sent_to_facebook, false);
    stack.startWorker();
    await ended(conversion.body.conversion_id);
    assert.equal(calls().length, 2);
    assert.equal(calls()[0].text, calls()[1].text);
    assert.equal((await conversionOf(conversion.body.conversion_id)).sent_to_facebook, true);
});

test('i5_webhook_reaches_no_address_that_is_not_public_however_it_is_written', async () => {
    await Promise.all(stack.workers.map((worker) => worker.kill()));
    const known = web.calls.length;
    const { port } = web;
    // A name of this machine, when it has one that resolves: as good as a stranger's that leads here.
    const named = await dns.lookup(os.hostname()).then(() => [os.hostname()], () => []);
    const targets = ['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '0', '0.0.0.0', 'localhost', ...named, '[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[64:ff9b::7f00:1]', '10.255.0.1',
        '192.168.0.1', '172.16.0.1', '169.254.169.254', '100.64.0.1', '224.0.0.1', '[fe80::1]', '[fc00::1]'].map((host) => `http://${host}:${port}/inner`);
    const forms = await Promise.all(targets.map((webhook_url) => makeForm(a, { submit_action: 'webhook', webhook_url })));
    const sent = await Promise.all(forms.map((form) => submit(form, {})));
    stack.startWorker({ OUTBOUND_ALLOW: '' });
    for (const [n, { body }] of sent.entries()) {
        const [job] = await ended(body.submission_id);
        assert.deepEqual([targets[n], job.state, job.failures, job.error_class], [targets[n], 'dead', 1, 'FORBIDDEN'], job.error);
        assert.match(job.error, /is not public/);
    }
    assert.equal(web.calls.length, known);
});

test('switched_off_nobody_is_called_not_even_for_jobs_that_were_made', async () => {
    await Promise.all(stack.workers.map((worker) => worker.kill()));
    const known = web.calls.length;
    const form = await makeForm(a, { submit_action: 'webhook', webhook_url: `${web.url}/off` });
    const { body } = await submit(form, {});
    stack.startWorker({ OUTBOUND_CALLS: '' , OUTBOUND_ALLOW: '127.0.0.1' });
    const [job] = await ended(body.submission_id);
    assert.deepEqual([job.state, job.failures], ['dead', 1]);
    assert.match(job.error, /OUTBOUND_CALLS is off/);

    await stack.server.stop();
    delete stack.env.OUTBOUND_CALLS;
    await stack.startServer();
    const answer = await submit(form, { email: 'off@example.com' }, { fbclid: 'x' });
    assert.deepEqual([answer.status, answer.body.sent], [201, { google: false, facebook: false }], answer.text);
    const conversion = await stack.call({ method: 'POST', path: '/api/track/conversion', host: 'a.example', body: { conversion_type: 'x', send_to_google: true, send_to_facebook: true, fbclid: 'x' } });
    for (const id of [answer.body.submission_id, answer.body.conversion_id, conversion.body.conversion_id]) assert.deepEqual(await jobsOf(id), []);
    assert.equal(web.calls.length, known);
});
