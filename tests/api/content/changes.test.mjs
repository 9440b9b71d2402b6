// What becomes of rows is announced once, on spark:items, whatever path they took; by a server and a worker that both read
// the change feed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';

import { startStack, until } from '../../support/stack.mjs';

let stack;
let listener;
let site;
let other;
const heard = [];

before(async () => {
    stack = await startStack({ workers: 1 });
    listener = spawn('redis-cli', ['-s', stack.redis.url.slice('unix://'.length), 'SUBSCRIBE', 'spark:items'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    let isSubscribed = false;
    listener.stdout.on('data', (chunk) => {
        text += chunk;
        const lines = text.split('\n');
        text = lines.pop();
        for (const line of lines) {
            isSubscribed ||= line === 'subscribe';
            if (line.startsWith('{')) heard.push(JSON.parse(line));
        }
    });
    await until(() => isSubscribed, 'the subscription');
    const make = async (name) => (await stack.request('POST', '/items/sites', { name, domain: `${name}.example` })).body.data.id;
    site = await make('a');
    other = await make('b');
});
after(async () => {
    listener?.kill();
    await stack?.stop();
});

const asOwner = (text) => stack.sql(`set spark.scope = 'platform'; ${text}`);

/** Until what was written before has been announced: one more row, written the way that takes longest. */
async function settled() {
    const [[id]] = await asOwner(`insert into link_targets (id, site_id, target_url) values (gen_random_uuid(), '${other}', '/x') returning id`);
    await until(() => heard.some((message) => message.keys.includes(id)), 'the last announcement');
}

/** What is announced of what `write` does, of some collections. */
async function announced(collections, write) {
    const from = heard.length;
    await write();
    await settled();
    return heard.slice(from).filter((message) => collections.includes(message.collection));
}

test('a_row_written_through_items_is_announced_once', async () => {
    let id;
    const found = await announced(['posts'], async () => {
        id = (await stack.request('POST', '/items/posts', { site_id: site, title: 't', slug: 't' })).body.data.id;
        await stack.request('PATCH', `/items/posts/${id}`, { title: 'u' });
        assert.equal((await stack.request('DELETE', `/items/posts/${id}`)).status, 204);
    });
    assert.deepEqual(found, ['create', 'update', 'delete'].map((action) => ({ site, collection: 'posts', action, keys: [id] })));
});

test('rows_that_a_deletion_takes_along_are_announced', async () => {
    const page = (await stack.request('POST', '/items/pages', { site_id: site, title: 'p', permalink: '/p' })).body.data.id;
    const block = (await stack.request('POST', '/items/page_blocks', { site_id: site, page_id: page, block_type: 'hero' })).body.data.id;
    await settled();
    const found = await announced(['pages', 'page_blocks'], () => stack.request('DELETE', `/items/pages/${page}`));
    assert.deepEqual(found.map((message) => [message.collection, message.action, message.keys]).sort(),
        [['page_blocks', 'delete', [block]], ['pages', 'delete', [page]]]);
});

test('an_imported_page_and_its_navigation_are_announced_like_edited_ones', async () => {
    const document = {
        format: 'spark-site/1', site_id: site,
        pages: [{ permalink: '/imported', title: 'Imported' }, { permalink: '/too', title: 'Too' }],
        navigation: [{ label: 'Home', url: '/' }],
        globals: { site_name: 'x' },
    };
    const found = await announced(['pages', 'navigation', 'globals'], async () => {
        const answer = await stack.request('POST', '/api/admin/import-blueprint', document);
        assert.equal(answer.status, 200, answer.text);
    });
    const rows = await asOwner(`select id, permalink from pages where site_id = '${site}' order by permalink`);
    assert.deepEqual(found.map((message) => [message.site, message.collection, message.action, message.keys.length]).sort(),
        [[site, 'globals', 'create', 1], [site, 'navigation', 'create', 1], [site, 'pages', 'create', 2]]);
    assert.deepEqual(found.find((message) => message.collection === 'pages').keys.sort(), rows.map(([id]) => id).sort());
});

test('a_bulk_load_is_announced_once_for_each_site', async () => {
    const found = await announced(['navigation'], async () => {
        const items = [site, other, site].map((id) => ({ site_id: id, label: 'x', url: '/' }));
        const loaded = await stack.request('POST', '/god/data/bulk-insert', { collection: 'navigation', items },
            { authorization: '', 'x-god-token': stack.env.GOD_MODE_TOKEN });
        assert.equal(loaded.body.inserted, 3, loaded.text);
    });
    assert.deepEqual(found.map((message) => [message.site, message.keys.length]).sort(), [[other, 1], [site, 2]].sort());
});

test('what_psql_writes_is_announced_once_and_what_it_takes_back_never', async () => {
    const found = await announced(['authors'], async () => {
        await asOwner(`begin; insert into authors (site_id, name) values ('${site}', 'never'); rollback`);
        await asOwner(`insert into authors (site_id, name) select '${site}', i from generate_series(1, 3) i`);
        await asOwner(`insert into authors (site_id, name) select '${site}', i from generate_series(1, 1001) i`);
    });
    assert.deepEqual(found.map((message) => [message.site, message.action, message.keys.length]), [[site, 'create', 3], [site, 'create', 0]]);
});

test('rows_of_the_library_are_announced_for_all_sites', async () => {
    const found = await announced(['authors', 'offer_blocks'], () => asOwner(
        `insert into offer_blocks (site_id, block_type, block_id, data) values (spark.library_site(), 'universal', 'b', '{}')`));
    assert.deepEqual(found.map((message) => [message.site, message.collection]), [[null, 'offer_blocks']]);
});
