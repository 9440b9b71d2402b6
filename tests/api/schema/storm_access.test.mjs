// Users with rules read and write while permissions, policies and roles change, and the fields that the rules name come and go:
// every answer is that of one state of the rights, never more, and the next request after a change is of the new one.

import { after, before, test } from 'node:test';

import { blow, learn, makeCollections, outcomeOf, saidBy, schemaIsTheDatabases, startStorm, wholePost } from '../../support/storm.mjs';

const POSTS = 4;
const ROUNDS = 2;

let world;
let ids; // of the role, the policy and what changes
before(async () => {
    world = await startStorm();
    const { ok, stack, sites } = world;
    await makeCollections(world);
    for (const site of sites) for (let n = 1; n <= POSTS; n++) await ok('POST', '/items/st_posts', wholePost(site.name, n), { headers: { 'x-site-id': site.id } });
    const policy = (await ok('POST', '/policies', { name: 'Readers' })).id;
    const other = (await ok('POST', '/policies', { name: 'Others' })).id;
    ids = { policy, other, role: (await ok('POST', '/roles', { name: 'Reader' })).id, nobody: (await ok('POST', '/roles', { name: 'Nobody' })).id };
    ids.access = (await ok('POST', '/access', { role: ids.role, policy })).id;
    const may = async (collection, action, more = {}) => (await ok('POST', '/permissions', { policy, collection, action, permissions: {}, validation: null, presets: null, fields: ['*'], ...more })).id;
    ids.posts = await may('st_posts', 'read');
    for (const collection of ['st_people', 'st_posts_tags', 'st_tags']) await may(collection, 'read');
    ids.create = await may('st_posts', 'create', { fields: ['title', 'n'] });
    ids.update = await may('st_posts', 'update', { permissions: { title: { _contains: 'title 1' } }, fields: ['n', 'sort'] });
    for (const site of sites) {
        site.userToken = `token-of-a-user-of-${site.name}-0123456789`;
        await stack.rows(`insert into directus_users (id, email, site_id, role, token, status) values (gen_random_uuid(), 'reader@${site.host}', '${site.id}', '${ids.role}', '${site.userToken}', 'active')`);
        site.user = (await stack.rows(`select id from directus_users where email = 'reader@${site.host}'`))[0][0];
    }
});
after(() => world?.stop());

const step = (name, ...changes) => ({
    name,
    change: async () => {
        for (const change of changes) await change();
    },
});
const steps = () => {
    const { ok, sites } = world;
    const posts = (body) => () => ok('PATCH', `/permissions/${ids.posts}`, body);
    const users = (body) => () => ok('PATCH', '/users', { keys: sites.map((site) => site.user), data: body });
    return [
        step('only titles', posts({ fields: ['id', 'title'] })),
        step('only some', posts({ permissions: { n: { _gt: 2 } }, fields: ['*'] })),
        step('those of some author', posts({ permissions: { author: { name: { _ends_with: '2' } } } })),
        step('comments may be read', async () => (ids.comments = (await ok('POST', '/permissions', { policy: ids.policy, collection: 'st_comments', action: 'read', permissions: { body: { _contains: '.1' } }, fields: ['body', 'post'] })).id)),
        step('those with some comment', posts({ permissions: { comments: { _some: { body: { _contains: ' 3.' } } } } })),
        step('a field comes', () => ok('POST', '/fields/st_posts', { field: 'secret', type: 'string', schema: { default_value: 'x' }, meta: {} })),
        step('a rule is about it', posts({ permissions: { secret: { _eq: 'x' } }, fields: ['id', 'title', 'secret'] })),
        step('it has another default', () => ok('PATCH', '/fields/st_posts/secret', { type: 'text', schema: { default_value: 'y' } })),
        step('all but it may be read', posts({ permissions: {}, fields: ['id', 'title', 'n', 'author', 'comments', 'tags'] })),
        step('the field goes', () => ok('DELETE', '/fields/st_posts/secret')),
        step('what is made is checked', () => ok('PATCH', `/permissions/${ids.create}`, { validation: { n: { _gt: 100 } }, presets: { sort: 7 } })),
        step('what is made is not checked', () => ok('PATCH', `/permissions/${ids.create}`, { validation: null, presets: null })),
        step('nothing is changed', () => ok('PATCH', `/permissions/${ids.update}`, { permissions: { n: { _lt: 0 } } })),
        step('the first is changed', () => ok('PATCH', `/permissions/${ids.update}`, { permissions: { title: { _contains: 'title 1' } } })),
        step('the role has another policy', () => ok('PATCH', `/access/${ids.access}`, { policy: ids.other })),
        step('the role has its policy', () => ok('PATCH', `/access/${ids.access}`, { policy: ids.policy })),
        step('users have another role', users({ role: ids.nobody })),
        step('users are suspended', users({ status: 'suspended', role: ids.role })),
        step('users are active', users({ status: 'active' })),
        step('comments may not be read', () => ok('DELETE', `/permissions/${ids.comments}`)),
        step('all may be read', posts({ permissions: {}, fields: ['*'] })),
    ];
};

const OLD = 'sort=id&filter[title][_contains]= title ';
const GETS = [
    `/items/st_posts?${OLD}&fields=*,author.name,tags.tag.name&deep[tags][_sort]=sort`,
    `/items/st_posts?${OLD}&fields=id,title`,
    `/items/st_posts?${OLD}&fields=id,n,author.name,comments.body&deep[comments][_sort]=id`,
    `/items/st_posts?${OLD}&fields=title,secret`,
    '/items/st_posts?filter[title][_contains]= title &aggregate[count]=id&aggregate[sum]=n',
    `/items/st_posts?${OLD}&fields=title&filter[comments][body][_contains]=1`,
    '/items/st_comments?sort=body&fields=body,post.title',
    '/items/st_posts?fields=title&sort=id&search=title 3',
    '/permissions/me', '/fields/st_posts', '/users/me?fields=status,role',
];
const asks = () => {
    let n = 1;
    return world.sites.flatMap((site, s) => {
        const user = async (method, target, body, on) => {
            const answer = await world.ask(site.userToken, method, encodeURI(target), body, { on });
            const other = world.sites[1 - s];
            world.claim(!answer.text.includes(other.id) && !answer.text.includes(`"${other.name} `), `${site.name} sees another site: ${answer.text.slice(0, 300)}`);
            return answer;
        };
        return [
            ...GETS.map((target) => ({
                name: `${site.name} GET ${target}`,
                run: async (on) => outcomeOf(await user('GET', target, undefined, on)).replace(target.startsWith('/fields') ? /"(id|sort)":\d+/g : /$^/, ''),
            })),
            { name: `${site.name} makes a post`, run: async (on) => saidBy(await user('POST', '/items/st_posts?fields=id', { title: `${site.name} made ${n++}`, n: 50 }, on)) + '' },
            { name: `${site.name} makes a good post`, run: async (on) => saidBy(await user('POST', '/items/st_posts?fields=id', { title: `${site.name} made ${n++}`, n: 150 }, on)) + '' },
            { name: `${site.name} changes the first`, run: async (on) => saidBy(await user('PATCH', `/items/st_posts/${site.first}?fields=id`, { n: 1, sort: 1 }, on)) + '' },
            { name: `${site.name} changes the second`, run: async (on) => saidBy(await user('PATCH', `/items/st_posts/${site.first + 1}?fields=id`, { n: 2 }, on)) + '' },
            { name: `${site.name} deletes`, run: async (on) => saidBy(await user('DELETE', `/items/st_posts/${site.first}`, undefined, on)) + '' },
        ];
    });
};

test('reads and writes of users are of one state of their rights, and of their site', async () => {
    for (const site of world.sites) site.first = (await world.ask(site.token, 'GET', '/items/st_posts?sort=id&limit=1&fields=id')).body.data[0].id;
    const all = { steps: steps(), asks: asks() };
    const learned = await learn(all.steps, all.asks);
    for (const [i, set] of learned.outcomes.entries()) for (const outcome of set) world.claim(!/^5|SERVER|SERVICE/.test(outcome), `quiet, ${all.asks[i].name}: ${outcome}`);
    world.calm();
    await blow(world, { ...all, learned, rounds: ROUNDS, readers: 6, reads: 2 * all.asks.length });
    world.calm();
    await schemaIsTheDatabases(world);
});
