// No turn of a worker takes long: the heaviest input of every kind of job, and the CPU of the longest turn that it made.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../support/api.mjs';
import { startRelay, startWeb } from '../support/outside.mjs';
import { until } from '../support/stack.mjs';
import { measureJob, MOST_MS, SHOWN_MS } from './measure.mjs';
import { EMPTY_GROUPS, importCampaign, jobsEnd, MIB, seedDue, seedDuplicates, seedPageviews, seedRows, TEXT } from './seed.mjs';

/* So many fields that what fills them is as large as a visitor's form may be. */
const FIELDS = Array.from({ length: 250 }, (_, n) => ({ name: `n${n}`, type: 'textarea' }));
/* A scan takes half a million articles; what it keeps grows with them and its turns do not, so that this many do. */
const ALIKE = Number(process.env.TURNS_ARTICLES ?? 7000);

let stack;
let web;
let relay;
let a;
let campaign;
let templateCampaign;
let webhookForm;
let mailForm;

const api = async (method, target, body, site = a) => {
    const answer = await stack.call({ method, path: target, token: site.token, body });
    assert.ok(answer.status < 300, `${target} → ${answer.status} ${answer.text.slice(0, 300)}`);
    return answer.body;
};
const made = async (collection, body) => (await api('POST', `/items/${collection}?fields=id`, body)).data.id;

before(async () => {
    web = await startWeb();
    relay = await startRelay();
    stack = await startApi({
        env: {
            LOOP_TURN_MAX: String(SHOWN_MS), LOG_LEVEL: 'warn', OUTBOUND_CALLS: 'on', OUTBOUND_ALLOW: '127.0.0.1/32',
            FACEBOOK_URL: `${web.url}/facebook`, GOOGLE_MEASUREMENT_URL: `${web.url}/google`,
            SMTP_URL: relay.url, SMTP_STARTTLS: 'false', MAIL_FROM: 'spark@platform.example',
        },
    });
    stack.startWorker({ LOG_LEVEL: 'debug' });
    a = await makeTenant(stack, 'A', 'a.example');
    await seedRows(stack, a.id, a.author.id);
    campaign = await made('campaign_masters', { name: 'empty', headline_spintax_root: '{a|b}', target_word_count: 0 });
    templateCampaign = await importCampaign(stack, a.id);
    await made('generated_articles', { title: 'x', slug: 'heavy', status: 'qc', content: `<p>${TEXT(MIB - 5000)}</p>` });
    webhookForm = await made('forms', { name: 'w', slug: 'w', fields: FIELDS, submit_action: 'webhook', webhook_url: `${web.url}/hook` });
    mailForm = await made('forms', { name: 'm', slug: 'm', fields: FIELDS, submit_action: 'email', email_recipients: Array.from({ length: 10 }, (_, n) => `r${n}@example.com`).join(',') });
});
after(async () => {
    await stack?.stop();
    await web?.stop();
    await relay?.stop();
});

const queueJob = (kind, payload, site = a.id) =>
    stack.rows(`insert into spark.jobs (site_id, kind, payload, max_failures) values (${site ? `'${site}'` : 'null'}, '${kind}', '${JSON.stringify(payload)}', 1)`);
/** As large as a visitor's form may be, and never twice the same. */
const submit = (form) => stack.call({
    method: 'POST', path: '/api/forms/submit', host: 'a.example',
    body: { form_id: form, form_age_ms: 9000, fbclid: 'x', data: Object.fromEntries(FIELDS.map(({ name }) => [name, `${Math.random()} é `.padEnd(170, 'ü x')])) },
}).then((answer) => assert.equal(answer.status, 201, answer.text));

const duplicates = async () => {
    const site = await makeTenant(stack, 'D', `d-${Date.now()}.example`);
    await seedDuplicates(stack, site.id, ALIKE, 120);
    await api('POST', '/api/seo/scan-duplicates', { min_shared: 1 }, site);
};
const due = async () => {
    const site = await makeTenant(stack, 'E', `e-${Date.now()}.example`);
    await seedDue(stack, site.id, 400, `<p>${TEXT(20000)}</p>`);
    await queueJob('publish-due', {}, site.id);
    await until(async () => (await stack.rows(`select count(*) from queue_items where site_id = '${site.id}' and published_at is null`))[0][0] === '0', 'the slots', 120);
};

/* What queues the heaviest one. */
const jobs = {
    'bench-noop': () => queueJob('bench-noop', {}),
    'generate-articles': () => api('POST', '/api/seo/generate-article', { campaign_id: templateCampaign, batch_size: 200 }),
    'generate-headlines': async () => {
        const many = Array.from({ length: 60 }, (_, n) => `{${n}a|${n}b|${n}c}`).join(' ');
        for (const root of [many, `x${'{|}'.repeat(1000)}`, `x${'{|}'.repeat(20000)}`, EMPTY_GROUPS.slice(0, 65520)]) // the last two are refused
            await queueJob('generate-headlines', { campaign_id: campaign, spintax_root: root, limit: 50000 });
    },
    retention: async () => {
        await seedPageviews(stack, a.id, 50000);
        await queueJob('retention', { table: 'pageviews', older_than: 400 }, null);
        await stack.rows(`with old as (insert into directus_activity (action, collection, item, timestamp)
                                       select 'update', 'posts', n::text, now() - interval '500 days' from generate_series(1, 20000) n returning id, item)
                          insert into directus_revisions (activity, collection, item, data) select id, 'posts', item, '{}' from old`);
        await queueJob('retention', { table: 'directus_revisions', older_than: 400 }, null);
    },
    'process-queue': async () => {
        const plan = await api('POST', '/api/seo/schedule-production', { campaign_id: templateCampaign, total_articles: 100, test_batch_first: false });
        await api('POST', '/api/seo/approve-batch', { queue_id: plan.queue_id });
        await api('POST', '/api/seo/process-queue', { queue_id: plan.queue_id, limit: 100 });
    },
    'scan-duplicates': duplicates,
    'insert-links': async () => {
        const ids = (await stack.rows(`select id from generated_articles where site_id = '${a.id}' order by length(content) desc limit 300`)).map(([id]) => id);
        await api('POST', '/api/seo/insert-links', { article_ids: ids, max_links: 50, min_distance: 0 });
    },
    'deliver-webhook': () => submit(webhookForm),
    'deliver-mail': () => submit(mailForm),
    'deliver-conversion': async () => {
        await stack.rows(`insert into site_analytics (site_id, google_analytics_id, fb_pixel_id) select '${a.id}', 'G-ABC123', '1234567890' where not exists (select from site_analytics where site_id = '${a.id}')`);
        for (const name of ['google_api_secret', 'facebook_access_token']) await stack.request('POST', '/api/admin/site-secrets', { site_id: a.id, name, value: 'x'.repeat(1000) });
        await stack.call({ method: 'POST', path: '/api/track/conversion', host: 'a.example', body: { conversion_type: 'sale', value: 1, fbclid: 'x'.repeat(200), send_to_google: true, send_to_facebook: true } });
    },
    'deliver-invitation': async () => {
        const [[share]] = await stack.rows(`insert into directus_shares (id, name, collection, item, site_id) values (gen_random_uuid(), 'S', 'posts', '${a.posts[0].id}', '${a.id}') returning id`);
        await queueJob('deliver-invitation', { invitation: share, share, sender: 'é'.repeat(200), email: `${'x'.repeat(240)}@example.com` });
    },
    'publish-due': due,
};

test('every_kind_of_job_has_its_heaviest_input', async () => {
    const kinds = (await stack.rows(`select kind from spark.job_kinds where extension is null`)).map(([kind]) => kind);
    assert.deepEqual(kinds.sort(), Object.keys(jobs).sort());
});

/** Of each kind at least one ended well: what fails at once measures nothing. */
const isDone = async (kind) => (await stack.rows(`select count(*) > 0 from spark.jobs where kind = '${kind}' and state = 'done'`))[0][0] === 't';

for (const kind of Object.keys(jobs))
    test(`no turn of a worker passes ${MOST_MS} ms: ${kind}`, async () => {
        await measureJob(stack, kind, async () => {
            await jobs[kind]();
            await jobsEnd(stack, kind);
        });
        assert.ok(await isDone(kind), JSON.stringify(await stack.rows(`select state, error from spark.jobs where kind = '${kind}' limit 3`)));
    });
