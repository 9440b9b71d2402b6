// Rows about items and rows of people belong to a site: whoever speaks for another, by a token, as a user or as a visitor, neither
// sees nor touches them, whatever was granted; and what the platform writes for a site's people is theirs.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../../support/api.mjs';

let stack, sites;
const COLLECTIONS = ['comments', 'notifications', 'presets', 'shares', 'versions'];

before(async () => {
    stack = await startApi();
    await stack.run("update directus_collections set versioning = true where collection = 'posts'");
    sites = [await makeTenant(stack, 'A', 'a.example'), await makeTenant(stack, 'B', 'b.example')];
    const policy = randomUUID();
    await stack.run(`insert into directus_policies (id, name) values ('${policy}', 'everything of these');
        insert into directus_permissions (policy, collection, action, permissions, fields)
            select '${policy}', c, a, '{}', '*' from unnest('{posts,directus_users,${COLLECTIONS.map((c) => `directus_${c}`).join(',')}}'::text[]) c,
                unnest('{create,read,update,delete,share}'::text[]) a`);
    for (const site of sites) {
        Object.assign(site, { user: randomUUID(), userToken: `user-token-${randomUUID()}` });
        await stack.run(`insert into directus_users (id, email, token, site_id, first_name) values ('${site.user}', '${site.user}@example.com', '${site.userToken}', '${site.id}', 'U');
            insert into directus_access (id, "user", policy) values (gen_random_uuid(), '${site.user}', '${policy}')`);
    }
    await stack.run(`insert into directus_access (id, policy) values (gen_random_uuid(), '${policy}')`);
});
after(() => stack?.stop());

const as = (token, host) => (method, target, body) => stack.call({ method, path: target, token, host, body });
const bodies = (site) => {
    const item = { collection: 'posts', item: site.posts[0].id };
    return {
        comments: { comment: 'secret', ...item },
        notifications: { recipient: site.user, subject: 'secret' },
        presets: { user: site.user, bookmark: 'secret' },
        shares: { name: 'secret', ...item },
        versions: { key: `k${randomUUID().slice(0, 8)}`, name: 'secret', ...item },
    };
};
const everything = () => Promise.all(COLLECTIONS.map((c) => stack.rows(`select * from directus_${c} order by id`))).then(JSON.stringify);

test('rows_of_a_site_are_made_by_its_people_and_by_the_platform', async () => {
    for (const site of sites)
        for (const [who, token] of [['token', site.token], ['user', site.userToken], ['platform', stack.adminToken]])
            for (const [name, body] of Object.entries(bodies(site))) {
                const answer = await as(token)('POST', `/${name}`, body);
                assert.equal(answer.status, 200, `${who} ${name}: ${answer.text}`);
                const [[owner]] = await stack.rows(`select site_id from directus_${name} where id = '${answer.body.data.id}'`);
                assert.equal(owner, site.id, `${who} ${name}`);
                (site.rows ??= {})[name] = [...(site.rows?.[name] ?? []), answer.body.data.id];
            }
});

test('whoever_speaks_for_one_site_sees_its_rows_only', async () => {
    const [a, b] = sites;
    for (const [token, host] of [[a.token], [a.userToken], [undefined, 'a.example']])
        for (const name of COLLECTIONS) {
            const answer = await as(token, host)('GET', `/${name}?limit=-1`);
            assert.equal(answer.status, 200, answer.text);
            assert.deepEqual(answer.body.data.map((row) => row.id).sort(), [...a.rows[name]].sort(), `${token ?? host} ${name}`);
            for (const id of b.rows[name]) {
                assert.equal((await as(token, host)('GET', `/${name}/${id}`)).status, 403);
                assert.deepEqual((await as(token, host)('GET', `/${name}?filter[id][_eq]=${id}`)).body.data, []);
            }
            const counted = await as(token, host)('GET', `/${name}?aggregate[count]=*`);
            assert.equal(Number(counted.body.data[0].count), a.rows[name].length);
        }
});

test('nobody_reaches_a_row_of_another_site', async () => {
    const [a, b] = sites;
    const before = await everything();
    const theirs = bodies(b);
    for (const [token, host] of [[a.token], [a.userToken], [undefined, 'a.example']])
        for (const name of COLLECTIONS) {
            const call = as(token, host);
            const field = { comments: 'comment', notifications: 'subject', presets: 'bookmark', shares: 'name', versions: 'name' }[name];
            for (const id of b.rows[name]) {
                for (const [method, path, body] of [['PATCH', `/${name}/${id}`, { [field]: 'x' }], ['PATCH', `/${name}`, { keys: [id], data: { [field]: 'x' } }],
                    ['PATCH', `/${name}`, [{ id, [field]: 'x' }]], ['DELETE', `/${name}/${id}`], ['DELETE', `/${name}`, [id]]]) {
                    const answer = await call(method, path, body);
                    assert.ok([200, 204, 403].includes(answer.status), `${method} ${path}: ${answer.text}`);
                    assert.doesNotMatch(answer.text, /secret/, `${method} ${path}`);
                }
            }
            // Rows about an item, or for a person, of the other site.
            const answer = await call('POST', `/${name}`, theirs[name]);
            assert.ok([400, 403].includes(answer.status), `${token ?? host} ${name}: ${answer.text}`);
        }
    assert.equal(await everything(), before);
});

test('a_mention_reaches_nobody_of_another_site', async () => {
    const [a, b] = sites;
    const before = await stack.rows('select count(*) from directus_notifications');
    const app = randomUUID(); // notifications are shown in the app
    await stack.run(`insert into directus_policies (id, name, app_access) values ('${app}', 'app', true);
        insert into directus_access (id, "user", policy) select gen_random_uuid(), u, '${app}' from unnest('{${a.user},${b.user}}'::uuid[]) u`);
    const comment = `@${b.user} @${a.user}`;
    const answer = await as(a.userToken)('POST', '/comments', { comment, collection: 'posts', item: a.posts[0].id });
    assert.equal(answer.status, 200, answer.text);
    const made = await stack.rows(`select recipient, site_id, message like '%Unknown User%' from directus_notifications where collection = 'posts'`);
    assert.deepEqual(made, [[a.user, a.id, 't']]);
    assert.equal(Number((await stack.rows('select count(*) from directus_notifications'))[0][0]), Number(before[0][0]) + 1);
    await stack.run(`delete from directus_access where policy = '${app}'; delete from directus_policies where id = '${app}'`);
});
