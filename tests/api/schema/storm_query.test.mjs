// Deep reads, aggregates, searches, filters over relations and reads of any collection while fields, relations and collections
// come, change and go: every answer is that of one state, and the next request after a change is of the new one.

import { after, before, test } from 'node:test';

import { blow, learn, makeCollections, outcomeOf, schemaIsTheDatabases, startStorm, WHOLE, wholePost } from '../../support/storm.mjs';

const POSTS = 6;
const ROUNDS = 2;

let world;
before(async () => {
    world = await startStorm();
    await makeCollections(world);
    for (const site of world.sites) {
        for (let n = 1; n <= POSTS; n++) await world.ok('POST', '/items/st_posts', wholePost(site.name, n), { headers: { 'x-site-id': site.id } });
        await world.ok('PATCH', '/items/st_solo', { name: site.name }, { headers: { 'x-site-id': site.id } });
    }
});
after(() => world?.stop());

const step = (name, method, target, body) => ({ name, change: () => world.ok(method, target, body) });
const steps = () => [
    step('a field comes', 'POST', '/fields/st_posts', { field: 'extra', type: 'string', schema: { default_value: '7', is_indexed: true }, meta: {} }),
    step('it becomes a text without an index', 'PATCH', '/fields/st_posts/extra', { type: 'text', schema: { is_indexed: false } }),
    step('it becomes a number', 'PATCH', '/fields/st_posts/extra', { type: 'integer', schema: { default_value: 7 } }),
    step('it must have a value', 'PATCH', '/fields/st_posts/extra', { type: 'integer', schema: { is_nullable: false } }),
    step('the alias of a relation comes', 'POST', '/fields/st_people', { field: 'edited', type: 'alias', meta: { special: ['o2m'] } }),
    step('its field comes', 'POST', '/fields/st_posts', { field: 'editor', type: 'integer', schema: {}, meta: {} }),
    step('the relation comes', 'POST', '/relations', { collection: 'st_posts', field: 'editor', related_collection: 'st_people', meta: { one_field: 'edited' }, schema: { on_delete: 'SET NULL' } }),
    step('its key restricts', 'PATCH', '/relations/st_posts/editor', { collection: 'st_posts', field: 'editor', related_collection: 'st_people', schema: { on_delete: 'NO ACTION' } }),
    step('a collection comes', 'POST', '/collections', { collection: 'st_lines', schema: {}, meta: { tenant: true }, fields: [
        { field: 'text', type: 'string', meta: {} }, { field: 'post', type: 'integer', meta: {} }] }),
    step('it is of the posts', 'POST', '/relations', { collection: 'st_lines', field: 'post', related_collection: 'st_posts', schema: { on_delete: 'CASCADE' }, meta: {} }),
    step('a block may be a line, not a paragraph', 'PATCH', '/relations/st_posts_blocks/item', { collection: 'st_posts_blocks', field: 'item', meta: { one_allowed_collections: ['st_heads', 'st_lines'] } }),
    step('a block may be a paragraph again', 'PATCH', '/relations/st_posts_blocks/item', { collection: 'st_posts_blocks', field: 'item', meta: { one_allowed_collections: ['st_heads', 'st_paras'] } }),
    step('the comments are of no post', 'DELETE', '/relations/st_comments/post'),
    step('the comments are of posts', 'POST', '/relations', { collection: 'st_comments', field: 'post', related_collection: 'st_posts', meta: { one_field: 'comments', one_deselect_action: 'delete' }, schema: { on_delete: 'CASCADE' } }),
    step('the collection goes', 'DELETE', '/collections/st_lines'),
    step('the field of the relation goes', 'DELETE', '/fields/st_posts/editor'),
    step('its alias goes', 'DELETE', '/fields/st_people/edited'),
    step('the field goes', 'DELETE', '/fields/st_posts/extra'),
];

const list = (collection, rest) => `/items/${collection}?sort=id&${rest}`;
const PATHS = [
    list('st_posts', WHOLE),
    list('st_posts', 'fields=*.*'),
    list('st_posts', 'fields=id,title,author.name,comments.body&deep[comments][_sort]=-id&deep[comments][_limit]=1&meta=*'),
    list('st_posts', 'fields=title,extra&filter[extra][_eq]=7'),
    list('st_posts', 'fields=title&filter[extra][_gt]=5&filter[author][name][_contains]=author'),
    '/items/st_posts?fields=title&sort=-extra,id',
    '/items/st_posts?aggregate[count]=*&groupBy[]=extra',
    '/items/st_posts?aggregate[sum]=extra&aggregate[avg]=n',
    '/items/st_posts?aggregate[count]=id&aggregate[max]=n&aggregate[countDistinct]=author',
    list('st_posts', 'fields=title,editor.name&filter[editor][_null]=true'),
    list('st_posts', 'fields=title,editor&filter[editor][name][_null]=true'),
    list('st_people', 'fields=name,edited.title&deep[edited][_sort]=id'),
    list('st_people', 'fields=name&filter[edited][_none][title][_contains]=title'),
    list('st_posts', 'fields=title&search=title 3'),
    list('st_comments', 'fields=body,post.title,post.author.name&filter[post][author][name][_ends_with]=2'),
    list('st_posts', 'fields=title&filter[comments][_some][body][_contains]=4.1'),
    list('st_posts', 'fields=title,tags.tag.name&filter[tags][tag][name][_contains]=5.2&deep[tags][_sort]=sort'),
    list('st_posts', 'fields=title,blocks.item:st_lines.text,blocks.item:st_heads.label&deep[blocks][_sort]=sort'),
    list('st_posts', 'fields=title&filter[blocks][item:st_paras][body][_contains]=para 2'),
    list('st_posts', 'fields=title,count(comments)&alias[first]=comments&deep[first][_limit]=1'),
    list('st_lines', 'fields=*,post.title'),
    '/items/st_solo?fields=*',
    '/fields/st_posts', '/fields/st_posts/extra', '/relations/st_posts', '/relations/st_lines/post', '/collections/st_lines',
];
/* Rows of the metadata get new keys in each round. */
const withoutKeys = (target, outcome) => (target.startsWith('/items') ? outcome : outcome.replace(/"(id|sort)":\d+/g, ''));
/* The first of all kinds as both sites, each other one as one of them. */
const asks = () => world.sites.flatMap((site, s) => PATHS.filter((_, i) => i < 3 || i % 2 === s).map((target) => ({
    name: `${site.name} GET ${target}`,
    run: async (on) => {
        const answer = await world.ask(site.token, 'GET', encodeURI(target), undefined, { on });
        world.claim(!answer.text.includes(world.sites[1 - s].id) && !answer.text.includes(`"${world.sites[1 - s].name} `), `${site.name} sees another site: ${answer.text.slice(0, 300)}`);
        return withoutKeys(target, outcomeOf(answer));
    },
})));

test('reads beside changes of what they read are answered as in one state', async () => {
    const all = { steps: steps(), asks: asks() };
    const learned = await learn(all.steps, all.asks);
    world.claim(learned.outcomes.every((set) => [...set].every((told) => !/^5/.test(told))), `quiet: ${learned.outcomes.flatMap((set) => [...set]).find((told) => /^5/.test(told))}`);
    world.calm();
    await blow(world, { ...all, learned, rounds: ROUNDS, readers: 6, reads: 2 * all.asks.length });
    world.calm();
    await schemaIsTheDatabases(world);
});
