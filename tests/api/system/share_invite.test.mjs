// POST /shares/invite: who may send the link of a share, what arrives at a real SMTP relay, and what is refused.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, startApi } from '../../support/api.mjs';
import { startRelay } from '../../support/outside.mjs';
import { until } from '../../support/stack.mjs';

let stack, relay, a, b;
before(async () => {
    relay = await startRelay();
    stack = await startApi({ env: { OUTBOUND_CALLS: 'on', SMTP_URL: relay.url, SMTP_STARTTLS: 'false', MAIL_FROM: 'spark@platform.example', PUBLIC_URL: 'https://platform.example/', JOB_RETRY_BASE: '20' }, workers: 1 });
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
});
after(async () => {
    await stack?.stop();
    await relay?.stop();
});

async function makeShare(tenant) {
    const made = await stack.call({ method: 'POST', path: '/shares?fields=id', token: stack.adminToken, body: { collection: 'posts', item: tenant.posts[0].id, name: 'S' } });
    assert.equal(made.status, 200, made.text);
    return made.body.data.id;
}
/** A user who reads shares and makes nothing else of them; of a site, or of the platform. */
async function makeUser(names, { site, rule = {} } = {}) {
    const [id, policy, token] = [randomUUID(), randomUUID(), `token-${randomUUID()}`];
    await stack.run(`insert into directus_users (id, first_name, last_name, email, token, status, site_id) values ('${id}', ${names[0] ? `'${names[0]}'` : 'null'}, ${names[1] ? `'${names[1]}'` : 'null'}, '${id}@example.com', '${token}', 'active', ${site ? `'${site}'` : 'null'});
        insert into directus_policies (id, name) values ('${policy}', 'of a test'); insert into directus_access (id, "user", policy) values (gen_random_uuid(), '${id}', '${policy}');
        insert into directus_permissions (policy, collection, action, permissions, fields) values ('${policy}', 'directus_shares', 'read', '${JSON.stringify(rule)}', 'id,collection')`);
    return { id, token };
}
const invite = (token, body, rest = {}) => stack.call({ method: 'POST', path: '/shares/invite', token, body, ...rest });
const mailsTo = (address) => until(() => { const found = relay.mails.filter((mail) => mail.to.includes(address)); return found.length > 0 && found; }, `mail to ${address}`);
const textOf = (mail) => {
    const [head, body] = mail.text.split('\r\n\r\n');
    return /base64/.test(head) ? Buffer.from(body.replaceAll('\r\n', ''), 'base64').toString() : body;
};
const subjectOf = (mail) => Buffer.from(/^Subject: =\?UTF-8\?B\?(.*)\?=\r$/m.exec(mail.text)[1], 'base64').toString();
const jobs = async () => Number((await stack.rows(`select count(*) from spark.jobs where kind = 'deliver-invitation'`))[0][0]);

test('each_address_gets_a_mail_of_its_own_with_the_link_and_the_name_of_the_sender', async () => {
    const share = await makeShare(a);
    const { token } = await makeUser(['Ann', 'Lee']);
    const answer = await invite(token, { share, emails: ['one@guests.example', 'two@guests.example'] });
    assert.deepEqual([answer.status, answer.text], [204, '']);
    for (const address of ['one@guests.example', 'two@guests.example']) {
        const [mail, ...more] = await mailsTo(address);
        assert.deepEqual([mail.to, more.length], [[address], 0]);
        assert.match(mail.from, /spark@platform\.example/);
        assert.equal(subjectOf(mail), 'Ann Lee has shared an item with you');
        assert.match(mail.text, /^Message-ID: <invitation-[0-9a-f-]{36}@/im);
        assert.match(textOf(mail), /Ann Lee has invited you to view an item in posts\.[^]*https:\/\/platform\.example\/admin\/shared\//);
        assert.ok(textOf(mail).includes(share));
    }
});

test('a_user_of_a_site_invites_to_shares_of_that_site_alone', async () => {
    const [own, other] = [await makeShare(a), await makeShare(b)];
    const { token, id } = await makeUser([], { site: a.id });
    const before = await jobs();
    const refused = await invite(token, { share: other, emails: ['three@guests.example'] });
    assert.deepEqual([refused.status, codeOf(refused), await jobs()], [403, 'FORBIDDEN', before]);
    assert.equal((await invite(token, { share: own, emails: ['four@guests.example'] })).status, 204);
    const [mail] = await mailsTo('four@guests.example');
    assert.ok(textOf(mail).startsWith('Hello!'));
    assert.ok(textOf(mail).includes(`${id}@example.com has invited you`), textOf(mail));
    assert.deepEqual(await stack.rows(`select site_id from spark.jobs where kind = 'deliver-invitation' and payload ->> 'email' = 'four@guests.example'`), [[a.id]]);
});

test('who_may_not_read_the_share_or_is_nobody_is_refused', async () => {
    const share = await makeShare(a);
    const before = await jobs();
    const { token } = await makeUser(['No', 'One'], { rule: { name: { _eq: 'another' } } });
    const emails = ['five@guests.example'];
    for (const who of [token, undefined, a.token]) {
        const answer = await invite(who, { share, emails });
        assert.deepEqual([answer.status, codeOf(answer)], [403, 'FORBIDDEN'], answer.text);
    }
    for (const unknown of [randomUUID(), 'x']) assert.equal((await invite(stack.adminToken, { share: unknown, emails })).status, 403);
    assert.equal(await jobs(), before);
});

test('a_bad_body_is_refused_and_sends_nothing', async () => {
    const share = await makeShare(a);
    const before = await jobs();
    const bad = [[{}, '"share" is required'], [{ share: 5 }], [{ share }, '"emails" is required'], [{ share, emails: 'x' }, '"emails" must be an array'], [{ share, emails: ['ok@guests.example', 5] }, '"emails[1]" must be a string'],
        [{ share, emails: ['ok@guests.example', 'x'] }, '"emails[1]" must be a valid email'], [{ share, emails: ['a@b.example\r\nBcc: c@d.example'] }, '"emails[0]" must be a valid email'],
        [{ share, emails: Array.from({ length: 51 }, (_, n) => `n${n}@guests.example`) }, '"emails" must contain less than or equal to 50 items']];
    for (const [body, reason] of bad) {
        const answer = await invite(stack.adminToken, body);
        assert.deepEqual([answer.status, codeOf(answer)], [400, 'INVALID_PAYLOAD'], answer.text);
        if (reason) assert.equal(answer.body.errors[0].extensions.reason, reason);
    }
    assert.equal((await invite(stack.adminToken, { share, emails: [] })).status, 204);
    assert.equal(await jobs(), before);
});

test('a_name_cannot_add_a_header', async () => {
    const share = await makeShare(a);
    const { token } = await makeUser(['Eve\r\nBcc: six@guests.example', 'x']);
    assert.equal((await invite(token, { share, emails: ['seven@guests.example'] })).status, 204);
    const [mail] = await mailsTo('seven@guests.example');
    assert.deepEqual(mail.to, ['seven@guests.example']);
    assert.doesNotMatch(mail.text.split('\r\n\r\n')[0], /^Bcc:/im);
});

test('a_share_that_is_gone_is_not_mailed_and_a_busy_relay_is_tried_again', async () => {
    const share = await makeShare(a);
    relay.refusals.push('451 later');
    assert.equal((await invite(stack.adminToken, { share, emails: ['eight@guests.example'] })).status, 204);
    assert.equal((await mailsTo('eight@guests.example')).length, 1);
    await stack.run(`insert into spark.jobs (kind, payload) select 'deliver-invitation', jsonb_build_object('invitation', gen_random_uuid(), 'share', gen_random_uuid(), 'sender', 'x', 'email', 'nine@guests.example')`);
    await until(async () => (await stack.rows(`select result ->> 'reason' from spark.jobs where kind = 'deliver-invitation' and payload ->> 'email' = 'nine@guests.example' and state = 'done'`))[0]?.[0] === 'removed', 'the job');
    assert.ok(!relay.mails.some((mail) => mail.to.includes('nine@guests.example')));
});

test('without_mail_it_answers_503_and_queues_nothing', async () => {
    for (const missing of ['OUTBOUND_CALLS', 'SMTP_URL', 'MAIL_FROM', 'PUBLIC_URL']) {
        const silent = await startApi({ pack: false, env: { OUTBOUND_CALLS: 'on', SMTP_URL: relay.url, SMTP_STARTTLS: 'false', MAIL_FROM: 'spark@platform.example', PUBLIC_URL: 'https://platform.example', [missing]: missing === 'OUTBOUND_CALLS' ? 'off' : '' } });
        try {
            const [[share]] = await silent.run(`insert into directus_collections (collection) values ('things'); insert into directus_shares (id, name, collection, item) values (gen_random_uuid(), 'S', 'things', '1') returning id`);
            const answer = await silent.call({ method: 'POST', path: '/shares/invite', token: silent.adminToken, body: { share, emails: ['ten@guests.example'] } });
            assert.deepEqual([answer.status, codeOf(answer)], [503, 'SERVICE_UNAVAILABLE'], `${missing}: ${answer.text}`);
            assert.equal(Number((await silent.rows('select count(*) from spark.jobs'))[0][0]), 0);
        } finally {
            await silent.stop();
        }
    }
});
