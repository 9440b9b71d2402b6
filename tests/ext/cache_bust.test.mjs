// cache-bust, the shipped extension: generations in Redis, and messages for whoever purges.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { buildFolder, startStack, until } from '../support/stack.mjs';

let stack;
let site;
let other;
let listener;
const heard = [];

before(async () => {
    stack = await startStack({ extensionsPath: path.join(buildFolder, 'extensions') });
    listener = spawn('redis-cli', ['-s', stack.redis.url.slice('unix://'.length), 'PSUBSCRIBE', 'spark:ext:*:cache-bust:*'],
        { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    let subscribed = false;
    listener.stdout.on('data', (chunk) => {
        text += chunk;
        const lines = text.split('\n');
        text = lines.pop();
        for (const [i, line] of lines.entries()) {
            subscribed ||= line === 'psubscribe';
            if (line.startsWith('{')) heard.push({ channel: lines[i - 1], ...JSON.parse(line) });
        }
    });
    await until(() => subscribed, 'the subscription');
    const make = async (name) => (await stack.request('POST', '/items/sites', { name, domain: `${name}.example` })).body.data.id;
    site = await make('a');
    other = await make('b');
});
after(async () => {
    listener?.kill();
    await stack?.stop();
});

const generation = async (of, collection) => Number(await stack.redis.command('GET', `spark:ext:{${of}}:cache-bust:${collection}`));
const about = (collection, action) => heard.filter((m) => m.collection === collection && m.action === action);

test('a change raises the generation of its site and collection, and nothing else', async () => {
    const made = await stack.request('POST', '/items/posts', { site_id: site, title: 't', slug: 't' });
    const id = made.body.data.id;
    await until(() => about('posts', 'create').length === 1, 'the message');
    assert.deepEqual(about('posts', 'create'), [{
        channel: `spark:ext:{${site}}:cache-bust:changed`,
        site, collection: 'posts', action: 'create', generation: 1,
        surrogate_keys: [`${site}/posts`, `${site}/posts/${id}`],
    }]);
    await stack.request('PATCH', `/items/posts/${id}`, { title: 'u' });
    await until(() => about('posts', 'update').length === 1, 'the message of the update');
    await stack.request('DELETE', `/items/posts/${id}`);
    await until(() => about('posts', 'delete').length === 1, 'the message of the deletion');
    assert.equal(about('posts', 'delete')[0].generation, 3);
    assert.equal(await generation(site, 'posts'), 3);
    assert.equal(await generation(other, 'posts'), 0);
    assert.equal(await generation(site, 'pages'), 0);
    assert.ok(await generation(site, 'sites') >= 1);
});

test('of more than a hundred rows the collection is named alone', async () => {
    const before = heard.length;
    const rows = Array.from({ length: 101 }, (_, i) => ({ site_id: other, title: `n${i}`, permalink: `/n${i}` }));
    const made = await stack.request('POST', '/items/pages', rows);
    assert.equal(made.status, 200, made.text);
    await until(() => heard.length > before, 'the message');
    assert.deepEqual(heard[before].surrogate_keys, [`${other}/pages`]);
    assert.equal(await generation(other, 'pages'), 1);
});

test('a bulk load is told for each site', async () => {
    const before = heard.length;
    const loaded = await stack.request('POST', '/god/data/bulk-insert',
        { collection: 'navigation', items: [site, other, site].map((id) => ({ site_id: id, label: 'x', url: '/' })) },
        { authorization: '', 'x-god-token': stack.env.GOD_MODE_TOKEN });
    assert.equal(loaded.body.inserted, 3, loaded.text);
    await until(() => heard.length >= before + 2, 'two messages');
    const told = heard.slice(before).sort((a, b) => a.surrogate_keys.length - b.surrogate_keys.length);
    assert.deepEqual(told.map((m) => [m.site, m.surrogate_keys.length, m.generation]), [[other, 2, 1], [site, 3, 1]]);
});

test('what no site shows is not told', async () => {
    const before = heard.length;
    await stack.request('POST', '/items/leads', { site_id: site, email: 'a@b.example' });
    await stack.request('POST', '/items/globals', { site_id: site, site_name: 'x' });
    await until(() => about('globals', 'create').length === 1, 'the message of the globals');
    assert.deepEqual(heard.slice(before).map((m) => m.collection), ['globals']);
});

test('a published article is told as the post that it becomes', async () => {
    const [[article]] = await stack.sql(`set spark.scope = 'platform'; insert into generated_articles (site_id, id, title, slug, status, content)
        values ('${site}', gen_random_uuid(), 'T', 'told', 'qc', repeat('word ', 2000)) returning id`);
    const approved = await stack.request('POST', '/api/seo/approve-batch', { article_ids: [article] }, { 'x-site-id': site });
    assert.equal(approved.body.approved, 1, approved.text);
    const before = heard.length;
    const made = await stack.request('POST', '/api/seo/publish-article', { article_id: article, status: 'draft' }, { 'x-site-id': site });
    assert.equal(made.status, 200, made.text);
    await until(() => heard.slice(before).some((m) => m.collection === 'posts'), 'the message');
});

test('imported pages are told as edited ones are', async () => {
    const before = heard.length;
    const imported = await stack.request('POST', '/api/admin/import-blueprint',
        { format: 'spark-site/1', site_id: site, pages: [{ permalink: '/imported', title: 'x' }], navigation: [{ label: 'Imported', url: '/imported' }] });
    assert.equal(imported.status, 200, imported.text);
    await until(() => heard.length >= before + 2, 'two messages');
    const told = heard.slice(before).filter((m) => ['pages', 'navigation'].includes(m.collection));
    assert.deepEqual(told.map((m) => [m.site, m.collection, m.action, m.surrogate_keys.length]).sort(),
        [[site, 'navigation', 'create', 2], [site, 'pages', 'create', 2]]);
});

test('while Redis is away writes go on', async () => {
    await stack.redis.kill();
    const made = await stack.request('POST', '/items/posts', { site_id: site, title: 'away', slug: 'away' });
    assert.equal(made.status, 200, made.text);
    await stack.redis.start();
    const failures = (await stack.request('GET', '/metrics')).text.match(/^spark_extension_failures(?:_total)? (\d+)$/m)[1];
    assert.equal(failures, '0', 'that Redis is away is no failure of the extension');
});
