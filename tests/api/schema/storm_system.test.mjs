// What the system keeps about items, while the fields of those items come, change and go: revisions and reverting, versions
// (saved, read, compared, promoted), comments, presets, notifications and shares of two sites, on two servers.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { makeCollections, schemaIsTheDatabases, startStorm } from '../../support/storm.mjs';

const WRITES = 9; // of each writer
const ROUNDS = 3;

let world;
let role;
before(async () => {
    world = await startStorm();
    await makeCollections(world);
    const policy = (await world.ok('POST', '/policies', { name: 'Shared' })).id;
    role = (await world.ok('POST', '/roles', { name: 'Shared' })).id;
    await world.ok('POST', '/access', { role, policy });
    for (const collection of ['st_posts', 'st_people']) await world.ok('POST', '/permissions', { policy, collection, action: 'read', permissions: {}, fields: ['*'] });
    for (const site of world.sites) {
        const admins = (await world.ok('POST', '/policies', { name: `Admins of ${site.name}`, admin_access: true, app_access: true })).id;
        site.role = (await world.ok('POST', '/roles', { name: `Admin of ${site.name}` })).id;
        await world.ok('POST', '/access', { role: site.role, policy: admins });
        site.userToken = `token-of-a-user-of-${site.name}-0123456789`;
        [[site.user]] = await world.stack.rows(`insert into directus_users (id, email, site_id, role, token, status)
            values (gen_random_uuid(), 'writer@${site.host}', '${site.id}', '${site.role}', '${site.userToken}', 'active') returning id`);
    }
});
after(() => world?.stop());

/* The schema changes under the drafts and the history; the collection itself changes its mind about versions. */
async function changer() {
    const { ok } = world;
    for (let round = 0; round < ROUNDS; round++) {
        await ok('POST', '/fields/st_posts', { field: 'extra', type: 'string', schema: { default_value: '7' }, meta: {} });
        await ok('PATCH', '/fields/st_posts/extra', { type: 'text', schema: { is_indexed: true } });
        await ok('PATCH', '/fields/st_posts/n', { type: 'bigInteger', schema: {} });
        await ok('PATCH', '/collections/st_posts', { meta: { versioning: false, note: `round ${round}` } });
        await ok('POST', '/collections', { collection: 'st_gone', schema: {}, meta: { tenant: true }, fields: [{ field: 'title', type: 'string', meta: {} }] });
        await ok('PATCH', '/collections/st_posts', { meta: { versioning: true } });
        await ok('PATCH', '/fields/st_posts/extra', { type: 'integer', schema: { default_value: 7, is_indexed: false } });
        await ok('DELETE', '/relations/st_posts/author');
        await ok('POST', '/relations', { collection: 'st_posts', field: 'author', related_collection: 'st_people', meta: {}, schema: { on_delete: 'SET NULL' } });
        await ok('DELETE', '/collections/st_gone');
        await ok('PATCH', '/fields/st_posts/n', { type: 'integer', schema: {} });
        await ok('DELETE', '/fields/st_posts/extra');
    }
}

const newModel = () => ({ titles: new Map(), comments: new Map(), presets: new Map(), notifications: 0, shares: 0, versions: 0, saves: 0, gone: 0 });

function writerOf(site, w, model, other) {
    const mark = `${site.name}${w}`;
    const ask = (method, target, body) => world.ask(site.userToken, method, target, body);
    const see = async (what, allowed, method, target, body) => world.see(`${mark} ${what}`, await ask(method, target, body), allowed);
    const same = (what, told, expected) => world.claim(JSON.stringify(told) === JSON.stringify(expected), `${mark} ${what}: ${JSON.stringify(told)}, not ${JSON.stringify(expected)}`);
    const make = async (n) => {
        const row = await see('makes a post', [200], 'POST', '/items/st_posts?fields=id', { title: `${mark} post ${n}`, n });
        if (row) model.titles.set(row.id, `${mark} post ${n}`);
        return row?.id;
    };
    const title = async (what, id) => {
        const row = await see(`reads ${what}`, [200], 'GET', `/items/st_posts/${id}?fields=title`);
        if (row) same(what, row.title, model.titles.get(id));
    };
    const versions = async (n) => {
        const id = await make(n);
        const made = await see('makes a version', [200, 'UNPROCESSABLE_CONTENT'], 'POST', '/versions', { key: 'draft', collection: 'st_posts', item: String(id) });
        if (!made) return;
        model.versions++;
        world.claim(made.hash?.length === 40, `${mark} makes a version ${JSON.stringify(made)}`);
        const saved = await see('saves', [200], 'POST', `/versions/${made.id}/save`, { title: `${mark} draft ${n}`, extra: '5' });
        if (!saved) return;
        model.saves++;
        same('what is saved', saved.title, `${mark} draft ${n}`);
        const read = await see('reads the version', [200, 'FORBIDDEN', 'UNPROCESSABLE_CONTENT', 'INVALID_QUERY'], 'GET', `/items/st_posts/${id}?version=draft&fields=title`);
        if (read) same('the version', read.title, `${mark} draft ${n}`);
        await title('the item beside its version', id);
        const compared = await see('compares', [200], 'GET', `/versions/${made.id}/compare`);
        if (!compared) return;
        same('what is compared', compared.current.title, `${mark} draft ${n}`);
        const promoted = await see('promotes', [200, 'UNPROCESSABLE_CONTENT'], 'POST', `/versions/${made.id}/promote`, { mainHash: compared.mainHash });
        if (promoted !== undefined) model.titles.set(id, `${mark} draft ${n}`);
        await title('the item after promoting', id);
    };
    const revert = async (n) => {
        const id = await make(n);
        if (await see('changes', [200], 'PATCH', `/items/st_posts/${id}?fields=id`, { title: `${mark} changed ${n}` })) model.titles.set(id, `${mark} changed ${n}`);
        await title('the changed item', id);
        const revisions = await see('reads revisions', [200], 'GET', `/revisions?filter[collection][_eq]=st_posts&filter[item][_eq]=${id}&sort=id&fields=id,data,activity.action,activity.user`);
        if (!revisions) return;
        same('revisions', revisions.map((r) => [r.data.title, r.activity.action, r.activity.user]), [[`${mark} post ${n}`, 'create', site.user], [`${mark} changed ${n}`, 'update', site.user]]);
        if ((await see('reverts', [204], 'POST', `/utils/revert/${revisions[0].id}`)) !== undefined) model.titles.set(id, `${mark} post ${n}`);
        await title('the reverted item', id);
    };
    const comments = async (n) => {
        const id = await make(n);
        const made = await see('comments', [200], 'POST', '/comments', { comment: `${mark} comment ${n}`, collection: 'st_posts', item: String(id) });
        if (!made) return;
        if (await see('changes a comment', [200], 'PATCH', `/comments/${made.id}`, { comment: `${mark} new comment ${n}` })) model.comments.set(made.id, `${mark} new comment ${n}`);
        const list = await see('reads comments', [200], 'GET', `/comments?filter[collection][_eq]=st_posts&filter[item][_eq]=${id}&fields=comment`);
        same('comments', list, [{ comment: `${mark} new comment ${n}` }]);
        if (n % 2 && (await see('deletes a comment', [204], 'DELETE', `/comments/${made.id}`)) !== undefined) model.comments.delete(made.id);
    };
    const mine = async (n) => {
        const made = await see('makes a preset', [200], 'POST', '/presets', { collection: 'st_posts', user: site.user, bookmark: `${mark} ${n}`, layout_query: { tabular: { fields: ['title', 'extra'] } } });
        if (!made) return;
        model.presets.set(made.id, `${mark} ${n}`);
        const read = await see('reads a preset', [200], 'GET', `/presets/${made.id}?fields=bookmark,layout_query`);
        same('a preset', read, { bookmark: `${mark} ${n}`, layout_query: { tabular: { fields: ['title', 'extra'] } } });
        const note = await see('notifies', [200], 'POST', '/notifications', { recipient: site.user, subject: `${mark} ${n}`, collection: 'st_posts', item: '1' });
        if (!note) return;
        model.notifications++;
        await see('archives a notification', [200], 'PATCH', `/notifications/${note.id}`, { status: 'archived' });
    };
    const shares = async (n) => {
        const id = await make(n);
        const made = await see('shares', [200], 'POST', '/shares', { collection: 'st_posts', item: String(id), role, name: `${mark} ${n}` });
        if (!made) return;
        model.shares++;
        const tokens = await see('opens a share', [200], 'POST', '/shares/auth', { share: made.id });
        if (!tokens) return;
        const shared = async (what, allowed, target) => world.see(`${mark}'s visitor ${what}`, await world.ask(tokens.access_token, 'GET', target, undefined, { host: site.host }), allowed);
        same('a shared item', await shared('reads', [200], `/items/st_posts/${id}?fields=title`), { title: model.titles.get(id) });
        same('all shared items', (await shared('reads all', [200], '/items/st_posts?fields=id'))?.length, 1);
        const theirs = [...other.titles.keys()].at(-1);
        if (theirs) await shared('reads of another site', ['FORBIDDEN'], `/items/st_posts/${theirs}`);
    };
    const gone = async (n) => { // in a collection that comes and goes
        const made = await see('writes where it may be gone', [200, 'FORBIDDEN'], 'POST', '/items/st_gone?fields=id', { title: `${mark} gone ${n}` });
        if (!made) return;
        await see('comments where it may be gone', [200, 'FORBIDDEN'], 'POST', '/comments', { comment: `${mark} gone ${n}`, collection: 'st_gone', item: String(made.id) });
        await see('reads revisions of what may be gone', [200], 'GET', `/revisions?filter[collection][_eq]=st_gone&filter[item][_eq]=${made.id}`);
    };
    const EACH = [versions, revert, comments, mine, gone, shares, versions, gone, revert];
    return async () => {
        for (let n = 0; n < WRITES; n++) await EACH[(n + w * 4) % EACH.length](n);
    };
}

const rows = (text) => world.stack.rows(text);

test('history, versions, comments, presets, notifications and shares beside changes of the schema', async () => {
    const models = world.sites.map(() => [newModel(), newModel(), newModel()]);
    const writers = world.sites.flatMap((site, s) => models[s].map((model, w) => writerOf(site, w, model, models[1 - s][w])));
    await Promise.all([changer(), ...writers.map((writer) => writer())]);
    world.calm();
    for (const [s, site] of world.sites.entries()) {
        const all = (what) => models[s].flatMap((model) => [...what(model)].map(([id, text]) => `${id} ${text}`)).sort();
        const sum = (what) => String(models[s].reduce((n, model) => n + what(model), 0));
        const of = async (columns, table, where = 'true') => (await rows(`select ${columns} from ${table} where site_id = '${site.id}' and ${where}`)).map((row) => row.join(' ')).sort();
        assert.deepEqual(await of('id, title', 'st_posts'), all((model) => model.titles));
        assert.deepEqual(await of('id, comment', 'directus_comments', "collection = 'st_posts'"), all((model) => model.comments));
        assert.deepEqual(await of('id, bookmark', 'directus_presets'), all((model) => model.presets));
        assert.deepEqual(await of('count(*)', 'directus_notifications', "status = 'archived'"), [sum((model) => model.notifications)]);
        assert.deepEqual(await of('count(*)', 'directus_shares', 'times_used = 1'), [sum((model) => model.shares)]);
        assert.deepEqual(await of('count(*)', 'directus_versions'), [sum((model) => model.versions)]);
        assert.deepEqual(await of('count(*)', 'directus_activity', "action = 'version_save'"), [sum((model) => model.saves)]);
        assert.deepEqual(await of('count(*)', 'directus_activity', "action = 'create' and collection = 'st_posts'"), [sum((model) => model.titles.size)]);
        assert.deepEqual(await of('a.id', `directus_activity a`, `"user" is distinct from '${site.user}' and collection = 'st_posts'`), []);
    }
    assert.deepEqual(await rows(`select r.id from directus_revisions r join directus_activity a on a.id = r.activity where r.site_id is distinct from a.site_id`), []);
    for (const table of ['activity', 'revisions', 'versions', 'shares', 'presets', 'permissions', 'fields'])
        assert.deepEqual(await rows(`select collection from directus_${table} where collection = 'st_gone'`), [], `directus_${table} of a collection that is gone`);
    await schemaIsTheDatabases(world);
});
