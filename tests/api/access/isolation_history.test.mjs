// What a site wrote about its row (versions, revisions, activity, comments, shares) names it by collection and key. It
// never reaches the row of another site with the same key, not even through the platform.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, startApi } from '../../support/api.mjs';

let stack, a, b;
before(async () => {
    stack = await startApi();
    await stack.run("update directus_collections set versioning = true where collection in ('posts', 'campaign_masters')");
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
});
after(() => stack?.stop());

const as = (tenant) => (method, path, body) => stack.call({ method, path, token: tenant.token, body });
const admin = (method, path, body, site) => stack.call({ method, path, token: stack.adminToken, body, headers: site ? { 'x-site-id': site.id } : {} });
const ok = (answer) => {
    assert.ok(answer.status === 200 || answer.status === 204, `${answer.status} ${answer.text}`);
    return answer.body?.data;
};
let serial = 0;
const slug = () => `history-${++serial}`;
const post = async (tenant, id, title, more = {}) => ok(await as(tenant)('POST', '/items/posts', { id, title, slug: slug(), ...more }));
const version = async (tenant, item, delta, key = 'draft') => {
    const { id } = ok(await as(tenant)('POST', '/versions', { key, collection: 'posts', item }));
    ok(await as(tenant)('POST', `/versions/${id}/save`, delta));
    return id;
};
const titles = async (id) => Object.fromEntries((await stack.rows(`select site_id, title from posts where id = '${id}'`)).map(([site, title]) => [site === a.id ? 'A' : 'B', title]));

test('versions_of_two_sites_with_the_same_key_are_each_its_own', async () => {
    const id = randomUUID();
    await post(a, id, 'a');
    await post(b, id, 'b');
    const ofA = await version(a, id, { title: 'draft of A' });
    const ofB = await version(b, id, { title: 'draft of B' });
    for (const [tenant, other, own, title, hidden] of [[a, b, ofA, 'draft of A', 'draft of B'], [b, a, ofB, 'draft of B', 'draft of A']]) {
        const call = as(tenant);
        const theirs = tenant === a ? ofB : ofA;
        assert.equal(ok(await call('GET', `/items/posts/${id}?version=draft&fields=title`)).title, title);
        assert.equal(ok(await call('GET', `/items/posts/${id}?version=draft&versionRaw=true&fields=title`)).title, title);
        const list = await call('GET', `/versions?filter[item][_eq]=${id}&fields=*`);
        assert.deepEqual(ok(list).map((row) => row.id), [own]);
        assert.ok(!list.text.includes(hidden) && !list.text.includes(other.id));
        for (const [method, path, body] of [['GET', `/versions/${theirs}`], ['GET', `/versions/${theirs}/compare`], ['POST', `/versions/${theirs}/save`, { title: 'x' }],
            ['POST', `/versions/${theirs}/promote`, { mainHash: 'x' }], ['PATCH', `/versions/${theirs}`, { name: 'x' }], ['DELETE', `/versions/${theirs}`]])
            assert.equal((await call(method, path, body)).status, 403, `${method} ${path}`);
    }
    const { mainHash } = ok(await as(a)('GET', `/versions/${ofA}/compare`));
    ok(await as(a)('POST', `/versions/${ofA}/promote`, { mainHash }));
    assert.deepEqual(await titles(id), { A: 'draft of A', B: 'b' });
    // The platform acts on the row of the version's own site, and asks which one is meant where it names the row.
    const compared = ok(await admin('GET', `/versions/${ofB}/compare`));
    assert.equal(compared.main.title, 'b');
    ok(await admin('POST', `/versions/${ofB}/promote`, { mainHash: compared.mainHash }));
    assert.deepEqual(await titles(id), { A: 'draft of A', B: 'draft of B' });
    assert.equal(codeOf(await admin('GET', `/items/posts/${id}?version=draft`)), 'AMBIGUOUS_KEY');
    assert.equal(ok(await admin('GET', `/items/posts/${id}?version=draft&fields=title`, undefined, a)).title, 'draft of A');
});

test('a_version_whose_row_is_gone_is_not_one_of_another_sites_row', async () => {
    const id = randomUUID();
    await post(b, id, 'b');
    const ofB = await version(b, id, { title: 'planted by B' });
    ok(await as(b)('DELETE', `/items/posts/${id}`));
    await post(a, id, 'a');
    for (const who of [admin, as(b), as(a)]) {
        for (const [method, path, body] of [['GET', `/versions/${ofB}/compare`], ['POST', `/versions/${ofB}/save`, { title: 'more' }], ['GET', `/items/posts/${id}?version=draft`], ['GET', `/items/posts/${id}?version=draft&versionRaw=true`]]) {
            const answer = await who(method, path, body);
            assert.ok([403, 404].includes(answer.status) && !answer.text.includes('planted'), `${method} ${path}: ${answer.status} ${answer.text}`);
        }
    }
    const own = await version(a, id, { title: 'draft of A' }, 'other');
    const { mainHash } = ok(await as(a)('GET', `/versions/${own}/compare`));
    for (const who of [admin, as(b), as(a)]) assert.equal((await who('POST', `/versions/${ofB}/promote`, { mainHash })).status, 403);
    assert.deepEqual(await titles(id), { A: 'a' });
});

test('a_draft_moves_no_row_to_another_site', async () => {
    const id = randomUUID();
    await post(a, id, 'a');
    const draft = await version(a, id, { title: 'moved', site_id: b.id, author: b.author.id });
    for (const [fields, who] of [['site_id,title', as(a)], ['site_id,author.name', as(a)], ['site_id,title', admin], ['*.*', admin]]) {
        const answer = await who('GET', `/items/posts/${id}?version=draft&fields=${fields}`);
        assert.ok(!answer.text.includes('Author of B'), answer.text);
    }
    const { mainHash } = ok(await as(a)('GET', `/versions/${draft}/compare`));
    for (const who of [as(a), admin])
        for (const body of [{ mainHash }, { mainHash, fields: ['site_id'] }, { mainHash, fields: ['author'] }, { mainHash, fields: ['title', 'site_id'] }]) {
            const answer = await who('POST', `/versions/${draft}/promote`, body);
            assert.ok(answer.status >= 400 && answer.status < 500, `${JSON.stringify(body)}: ${answer.text}`);
        }
    assert.deepEqual(await titles(id), { A: 'a' });
});

test('a_version_of_a_row_of_the_library_changes_nothing_of_it', async () => {
    const shared = ok(await admin('POST', '/items/campaign_masters', { name: 'for everybody', headline_spintax_root: 'x', site_id: null })).id;
    const made = await as(a)('POST', '/versions', { key: 'draft', collection: 'campaign_masters', item: shared });
    if (made.status === 200) {
        const { id } = made.body.data;
        await as(a)('POST', `/versions/${id}/save`, { name: 'taken' });
        const compared = await as(a)('GET', `/versions/${id}/compare`);
        const answer = await as(a)('POST', `/versions/${id}/promote`, { mainHash: compared.body?.data?.mainHash ?? 'x' });
        assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
    }
    assert.deepEqual(await stack.rows(`select name from campaign_masters where id = '${shared}'`), [['for everybody']]);
    const { id } = ok(await admin('POST', '/versions', { key: 'ours', collection: 'campaign_masters', item: shared }));
    ok(await admin('POST', `/versions/${id}/save`, { name: 'renamed' }));
    assert.equal((await as(a)('GET', `/items/campaign_masters/${shared}?version=ours`)).status, 403);
    const { mainHash } = ok(await admin('GET', `/versions/${id}/compare`));
    ok(await admin('POST', `/versions/${id}/promote`, { mainHash }));
    assert.deepEqual(await stack.rows(`select name, site_id = spark.library_site() from campaign_masters where id = '${shared}'`), [['renamed', 't']]);
    const [[first]] = await stack.rows(`select min(id) from directus_revisions where collection = 'campaign_masters' and item = '${shared}' and data->>'name' = 'renamed'`);
    ok(await admin('PATCH', `/items/campaign_masters/${shared}`, { name: 'again' }));
    ok(await admin('POST', `/utils/revert/${first}`));
    assert.deepEqual(await stack.rows(`select name from campaign_masters where id = '${shared}'`), [['renamed']]);
});

const revisionOf = async (tenant, id) => (await stack.rows(`select max(id) from directus_revisions where collection = 'posts' and item = '${id}' and site_id = '${tenant.id}'`))[0][0];

test('a_revision_of_one_site_does_not_revert_the_row_of_another', async () => {
    const id = randomUUID();
    await post(b, id, 'planted by B');
    ok(await as(b)('PATCH', `/items/posts/${id}`, { excerpt: 'x' }));
    const revision = await revisionOf(b, id);
    await post(a, id, 'a');
    ok(await admin('POST', `/utils/revert/${revision}`)); // both rows exist: its own is reverted
    assert.deepEqual(await titles(id), { A: 'a', B: 'planted by B' });
    ok(await as(b)('DELETE', `/items/posts/${id}`));
    for (const who of [admin, as(b), as(a)]) {
        const answer = await who('POST', `/utils/revert/${revision}`); // a change of no row is no error, as in Directus
        assert.ok([204, 403].includes(answer.status), answer.text);
    }
    assert.deepEqual(await titles(id), { A: 'a' });
    // The other way round A's history shows and counts its own alone.
    const call = as(a);
    for (const path of [`/revisions?filter[item][_eq]=${id}&fields=*,activity.*`, `/activity?filter[item][_eq]=${id}&fields=*,revisions.*`, `/revisions?search=planted`, `/revisions?filter[data][_contains]=planted`]) {
        const answer = await call('GET', path);
        assert.ok(!answer.text.includes('planted'), `${path}: ${answer.text}`);
    }
    const [{ count }] = ok(await call('GET', `/revisions?aggregate[count]=*&filter[item][_eq]=${id}`));
    assert.equal(Number(count), Number((await stack.rows(`select count(*) from directus_revisions where item = '${id}' and site_id = '${a.id}'`))[0][0]));
});

test('nothing_written_of_a_row_carries_another_site', async () => {
    const id = randomUUID();
    await post(a, id, 'a');
    await post(b, id, 'b');
    for (const tenant of [a, b]) {
        ok(await as(tenant)('PATCH', `/items/posts/${id}`, { title: `of ${tenant.name}` }));
        ok(await as(tenant)('PATCH', '/items/posts', { keys: [id], data: { excerpt: tenant.name } }));
        ok(await as(tenant)('PATCH', `/items/authors/${tenant.author.id}`, { posts: { update: [{ id, title: `nested of ${tenant.name}` }], create: [], delete: [] } }));
    }
    ok(await admin('PATCH', `/items/posts/${id}`, { title: 'by the platform' }, a));
    const wrong = await stack.rows(`select r.id, r.site_id, a.site_id, r.data::text from directus_revisions r join directus_activity a on a.id = r.activity
        where r.item = '${id}' and (r.site_id is distinct from a.site_id or r.data->>'title' in ('of A', 'nested of A', 'by the platform') and r.site_id <> '${a.id}'
        or r.data->>'title' in ('of B', 'nested of B') and r.site_id <> '${b.id}')`);
    assert.deepEqual(wrong, []);
    assert.deepEqual(await stack.rows(`select count(*) from directus_revisions where item = '${id}' and site_id is null`), [['0']]);
    assert.equal(await titles(id).then((found) => found.B), 'nested of B');
});

test('comments_and_notifications_of_a_row_stay_in_its_site', async () => {
    const id = randomUUID();
    await post(a, id, 'a');
    await post(b, id, 'b');
    const comment = ok(await as(b)('POST', '/comments', { collection: 'posts', item: id, comment: 'comment of B' })).id;
    const call = as(a);
    assert.deepEqual(ok(await call('GET', `/comments?filter[item][_eq]=${id}`)), []);
    for (const [method, path, body] of [['GET', `/comments/${comment}`], ['PATCH', `/comments/${comment}`, { comment: 'x' }], ['DELETE', `/comments/${comment}`]])
        assert.equal((await call(method, path, body)).status, 403);
    assert.equal((await admin('POST', '/comments', { collection: 'posts', item: id, comment: 'which?' })).status, 409);
    const named = ok(await admin('POST', '/comments?fields=id', { collection: 'posts', item: id, comment: 'to A' }, a)).id;
    assert.deepEqual(await stack.rows(`select id, site_id from directus_comments where item = '${id}' order by comment = 'to A'`), [[comment, b.id], [named, a.id]]);
    assert.deepEqual(ok(await call('GET', `/comments?filter[item][_eq]=${id}&fields=comment`)), [{ comment: 'to A' }]);
});
