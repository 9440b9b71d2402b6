// Link insertion and its undo through the endpoints, one article at once and many by a worker.

import assert from 'node:assert/strict';
import test from 'node:test';

import { startStack, until } from '../../support/stack.mjs';

let stack;
let made = 0;

test.before(async () => {
    stack = await startStack({ workers: 1 });
});
test.after(() => stack?.stop());

async function makeSite() {
    const name = `links-${++made}`;
    await stack.request('POST', '/items/sites', { name, domain: `${name}.example` });
    const found = await stack.request('GET', `/items/sites?filter[name][_eq]=${name}&fields=id`);
    const id = found.body.data[0].id;
    const answer = await stack.request('POST', '/api/admin/site-tokens', { site_id: id, name });
    return { id, as: { authorization: `Bearer ${answer.body.token}` } };
}

async function create(collection, body) {
    const answer = await stack.request('POST', `/items/${collection}`, body);
    assert.equal(answer.status, 200, answer.text);
    return answer.body.data;
}

const insert = (body, site) => stack.request('POST', '/api/seo/insert-links', body, site?.as);
const remove = (body, site) => stack.request('POST', '/api/seo/remove-links', body, site?.as);
const makeArticle = (site, content, extra = {}) => create('generated_articles', { site_id: site.id, title: 'T', slug: `t-${++made}`, content, ...extra });
const makeTarget = (site, body) => create('link_targets', { site_id: site.id, ...body });
const read = async (collection, query) => (await stack.request('GET', `/items/${collection}?limit=1000&${query}`)).body.data;
const contentOf = async (article) => (await read('generated_articles', `filter[id][_eq]=${article.id}&fields=content`))[0].content;
const logsOf = (article, action) => read('work_log', `filter[entity_id][_eq]=${article.id}&filter[action][_eq]=${action}`);

const TEXT = '<h2>Solar panels</h2><p title="solar panels">Our Solar Panels are <a href="/x"><b>solar panels</b></a> for roofs.</p>';

test('insert-links', async (t) => {
    const site = await makeSite();
    const target = await makeTarget(site, { target_url: '/solar?a=1&b=2', anchor_text: 'solar panels', anchor_variations: ['Roofs'] });

    await t.test('links text only, writes records and one line of the work log', async () => {
        const article = await makeArticle(site, TEXT);
        const answer = await insert({ article_id: article.id, min_distance: 0 }, site);
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.body.success, true);
        assert.equal(answer.body.article_id, article.id);
        assert.equal(answer.body.links_inserted, 2);
        assert.deepEqual(answer.body.anchors_used, ['Solar Panels', 'roofs']);
        assert.equal(await contentOf(article), TEXT.replace('Solar Panels', '<a href="/solar?a=1&amp;b=2">Solar Panels</a>').replace('roofs', '<a href="/solar?a=1&amp;b=2">roofs</a>'));
        const links = await read('article_links', `filter[article_id][_eq]=${article.id}&sort=position`);
        assert.deepEqual(links.map((l) => [l.target_id, l.anchor, l.position, l.batch_id]),
            [[target.id, 'Solar Panels', 3, answer.body.batch_id], [target.id, 'roofs', 9, answer.body.batch_id]]);
        const logs = await logsOf(article, 'links_inserted');
        assert.equal(logs.length, 1);
        assert.deepEqual(logs[0].details, { anchors: ['Solar Panels', 'roofs'], batch_id: answer.body.batch_id, links_inserted: 2 });
    });

    await t.test('inserts nothing the second time', async () => {
        const article = await makeArticle(site, TEXT);
        assert.equal((await insert({ article_id: article.id })).body.links_inserted, 0, 'the link that is there is nearer than 50 words');
        assert.equal((await insert({ article_id: article.id, min_distance: 0 })).body.links_inserted, 2);
        const content = await contentOf(article);
        for (const as of [site, undefined]) {
            const again = await insert({ article_id: article.id, min_distance: 0 }, as);
            assert.deepEqual([again.status, again.body.links_inserted, again.body.links_present], [200, 0, 2]);
        }
        assert.equal(await contentOf(article), content);
        assert.equal((await logsOf(article, 'links_inserted')).length, 1);
    });

    await t.test('of ten requests at once one inserts', async () => {
        const article = await makeArticle(site, TEXT);
        const answers = await Promise.all(Array.from({ length: 10 }, () => insert({ article_id: article.id, min_distance: 0 }, site)));
        assert.deepEqual(answers.map((a) => a.status), Array(10).fill(200));
        assert.equal(answers.reduce((sum, a) => sum + a.body.links_inserted, 0), 2);
        assert.equal((await read('article_links', `filter[article_id][_eq]=${article.id}`)).length, 2);
    });

    await t.test('a dry run says what it would do', async () => {
        const article = await makeArticle(site, TEXT);
        const answer = await insert({ article: article.id, min_distance: 0, max_links: 1, dry_run: true }, site);
        assert.deepEqual([answer.body.links_inserted, answer.body.anchors_used, answer.body.dry_run], [0, ['Solar Panels'], true]);
        assert.equal(await contentOf(article), TEXT);
        assert.deepEqual(await read('article_links', `filter[article_id][_eq]=${article.id}`), []);
    });

    await t.test('undo gives the text back, also beside later edits', async () => {
        const article = await makeArticle(site, TEXT);
        await insert({ article_id: article.id, min_distance: 0 }, site);
        const edited = `<p>New.</p>${await contentOf(article)}`;
        await stack.request('PATCH', `/items/generated_articles/${article.id}`, { content: edited });
        const answer = await remove({ article_id: article.id }, site);
        assert.deepEqual([answer.status, answer.body.links_removed, answer.body.links_missing], [200, 2, 0], answer.text);
        assert.equal(await contentOf(article), `<p>New.</p>${TEXT}`);
        assert.deepEqual(await read('article_links', `filter[article_id][_eq]=${article.id}`), []);
        assert.equal((await logsOf(article, 'links_removed')).length, 1);
        assert.equal((await remove({ article_id: article.id }, site)).body.links_removed, 0);
    });

    await t.test('undo takes one run back', async () => {
        const article = await makeArticle(site, '<p>solar panels and roofs</p>');
        const first = await insert({ article_id: article.id, min_distance: 0, max_links: 1 }, site);
        const second = await insert({ article_id: article.id, min_distance: 0, max_links: 2 }, site);
        assert.equal((await remove({ article_id: article.id, batch_id: second.body.batch_id }, site)).body.links_removed, 1);
        assert.equal(await contentOf(article), '<p><a href="/solar?a=1&amp;b=2">solar panels</a> and roofs</p>');
        assert.equal((await remove({ article_id: article.id, batch_id: first.body.batch_id }, site)).body.links_removed, 1);
        assert.equal(await contentOf(article), '<p>solar panels and roofs</p>');
    });
});

test('temporal rule', async (t) => {
    const site = await makeSite();
    const post = await create('posts', { site_id: site.id, title: 'P', slug: 'p', published_at: '2030-01-01T00:00:00Z' });
    await makeTarget(site, { target_post: post.id, anchor_text: 'later' });
    const count = async (extra) => (await insert({ article_id: (await makeArticle(site, 'now or later', extra)).id }, site)).body.links_inserted;
    await t.test('a younger post is left out, and a missing date is today', async () => {
        assert.equal(await count({ date_published: '2029-01-01T00:00:00Z' }), 0);
        assert.equal(await count({ date_published: '2031-01-01T00:00:00Z' }), 1);
        assert.equal(await count({ date_published: '2029-01-01T00:00:00Z', date_modified: new Date().toISOString() }), 1);
    });
    await t.test('an article never links to the post it became', async () => {
        assert.equal(await count({ date_published: '2031-01-01T00:00:00Z', published_to_post: post.id }), 0);
    });
});

test('targets that may not be linked are left out', async () => {
    const site = await makeSite();
    const article = await makeArticle(site, 'one two three four five');
    await makeTarget(site, { target_url: 'javascript:alert(1)', anchor_text: 'one' });
    await makeTarget(site, { target_url: '//evil.example', anchor_text: 'two' });
    await makeTarget(site, { target_url: '/x', anchor_text: 'three', is_active: false });
    await makeTarget(site, { target_url: '/x', anchor_text: 'four', status: 'inactive' });
    await makeTarget(site, { anchor_text: 'five' });
    const answer = await insert({ article_id: article.id, min_distance: 0 }, site);
    assert.deepEqual([answer.status, answer.body.links_inserted, answer.body.message], [200, 0, 'The site has no active link targets.']);
});

test('another site', async (t) => {
    const a = await makeSite();
    const b = await makeSite();
    await makeTarget(b, { target_url: '/b', anchor_text: 'word' });
    const own = await makeArticle(a, 'a word');
    const foreign = await makeArticle(b, 'a word');
    await t.test('its articles are not there', async () => {
        for (const send of [insert, remove]) {
            const answer = await send({ article_id: foreign.id }, a);
            assert.deepEqual([answer.status, answer.body.error, answer.body.code], [404, true, 'NOT_FOUND'], answer.text);
        }
        assert.equal((await insert({ article_ids: [foreign.id] }, a)).status, 404);
        assert.equal((await insert({ article_id: foreign.id, site_id: b.id }, a)).status, 403);
        assert.equal(await contentOf(foreign), 'a word');
    });
    await t.test('its targets are not used', async () => {
        assert.equal((await insert({ article_id: own.id }, a)).body.links_inserted, 0);
        assert.equal((await insert({ article_id: own.id })).body.links_inserted, 0);
    });
});

test('bad input is refused with its field', async () => {
    const site = await makeSite();
    const article = await makeArticle(site, 'x');
    const missing = '99999999-9999-4999-8999-999999999999';
    for (const [body, status] of [
        [{}, 400], [{ article_id: 'x' }, 400], [{ article_id: 1 }, 400], [{ article_id: missing }, 404],
        [{ article_id: article.id, max_links: 0 }, 400], [{ article_id: article.id, max_links: 51 }, 400],
        [{ article_id: article.id, max_links: '5' }, 400], [{ article_id: article.id, max_links: 50 }, 200],
        [{ article_id: article.id, min_distance: -1 }, 400], [{ article_id: article.id, min_distance: 10001 }, 400],
        [{ article_id: article.id, min_distance: 10000 }, 200], [{ article_id: article.id, dry_run: 'yes' }, 400],
        [{ article_ids: [] }, 400], [{ article_ids: ['x'] }, 400], [{ article_ids: [missing] }, 404],
        [{ article_ids: Array(1001).fill(article.id) }, 400], [{ campaign_id: missing }, 404], [{ campaign_id: 'x' }, 400],
        [[], 400],
    ]) {
        const answer = await insert(body, site);
        assert.equal(answer.status, status, `${JSON.stringify(body).slice(0, 100)}: ${answer.text}`);
        if (status !== 200) assert.equal(answer.body.error, true);
    }
    for (const [body, status] of [[{}, 400], [{ article_id: missing }, 404], [{ article_id: article.id, batch_id: 'x' }, 400], [{ article_id: article.id, batch_id: missing }, 200]])
        assert.equal((await remove(body, site)).status, status, JSON.stringify(body));
    const huge = await makeArticle(site, null);
    assert.equal((await insert({ article_id: huge.id }, site)).body.links_inserted, 0);
});

test('a worker links many articles', async () => {
    const site = await makeSite();
    await makeTarget(site, { target_url: '/t', anchor_text: 'word' });
    const campaign = await create('campaign_masters', { site_id: site.id, name: 'C', headline_spintax_root: 'x' });
    const articles = [];
    for (let i = 0; i < 5; i++) articles.push(await makeArticle(site, `word ${i}`, { campaign_id: campaign.id }));
    const linked = async () => (await read('article_links', `filter[site_id][_eq]=${site.id}`)).length;
    const some = await insert({ article_ids: [articles[0].id, articles[1].id] }, site);
    assert.equal(some.status, 202, some.text);
    await until(async () => (await linked()) === 2, 'two articles');
    const all = await insert({ campaign_id: campaign.id }, site);
    assert.equal(all.status, 202, all.text);
    await until(async () => (await linked()) === 5, 'all articles');
    assert.equal(await contentOf(articles[4]), '<a href="/t">word</a> 4');
});
