// The quality gate: what keeps an article from the world, on every path there is; what opens it; how many a
// day; and what goes out by itself when its day has come.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { codeOf, startApi } from '../../support/api.mjs';
import { until } from '../../support/stack.mjs';

let stack;
let made = 0;
before(async () => {
    stack = await startApi({ workers: 1 });
});
after(() => stack?.stop());

const NOBODY = '00000000-0000-7000-8000-00000000dead';
const ALL = ['draft', 'queued', 'processing', 'qc', 'approved', 'published', 'archived'];
const ask = (method, path, body, token) => stack.call({ method, path, body, token: token ?? stack.adminToken });
const one = async (text) => (await stack.rows(text))[0];

async function makeSite(columns = {}) {
    const name = `gate-${++made}`;
    const names = Object.keys(columns);
    const values = Object.values(columns).map((value) => (value === null ? 'null' : `'${value}'`));
    const [id] = await one(`insert into sites (${['name', 'domain', ...names]}) values (${[`'${name}'`, `'${name}.example'`, ...values]}) returning id`);
    const token = (await ask('POST', '/api/admin/site-tokens', { site_id: id, name })).body.token;
    return { id, token, host: `${name}.example` };
}

const text = (words) => `<p>${'word '.repeat(words)}</p>`;
/** Articles in qc with so many words, of a campaign that asks for `target`. */
async function makeArticles(site, count = 1, { words = 20, target = 20, provenance } = {}) {
    const [campaign] = await one(`insert into campaign_masters (site_id, name, target_word_count) values ('${site.id}', 'c ${++made}', ${target}) returning id`);
    const rows = await stack.rows(`insert into generated_articles (site_id, campaign_id, campaign_site_id, title, slug, status, content, word_count, provenance)
        select '${site.id}', '${campaign}', '${site.id}', 'Title', 'a-${made}-' || n, 'qc', '${text(words)}', ${words}, ${provenance ? `'${JSON.stringify(provenance)}'` : 'null'}
          from generate_series(1, ${count}) n returning id`);
    return rows.map(([id]) => id);
}
const approve = (site, article_ids, extra = {}) => ask('POST', '/api/seo/approve-batch', { article_ids, ...extra }, site.token);
const publish = (site, article_id, status = 'published') => ask('POST', '/api/seo/publish-article', { article_id, status }, site.token);
const articleOf = async (id) => (await ask('GET', `/items/generated_articles/${id}`)).body.data;
const postOf = async (id) => (await ask('GET', `/items/posts?filter[source_article_id][_eq]=${id}`)).body.data[0];
const statusOf = async (id) => (await one(`select status from generated_articles where id = '${id}'`))[0];
const conditionsOf = (answer) => answer.body.errors?.[0].extensions?.conditions ?? answer.body.errors?.[0].conditions;
const flag = (site, a, b, status = 'pending') => stack.run(`insert into quality_flags (site_id, article_a, article_b, status, verdict, similarity_score)
    values ('${site.id}', '${a}', '${b}', '${status}', 'block', 90)`);

/** Every way on which an article can come out. */
const paths = {
    'publish-article': (site, id) => publish(site, id),
    'PATCH of the article': (site, id) => ask('PATCH', `/items/generated_articles/${id}`, { status: 'published' }, site.token),
    'PATCH of many': (site, id) => ask('PATCH', '/items/generated_articles', { keys: [id], data: { status: 'published' } }, site.token),
    'POST of a post': (site, id) => ask('POST', '/items/posts', { title: 'x', slug: `x-${++made}`, status: 'published', source_article_id: id }, site.token),
    'PATCH of a draft': async (site, id) => {
        const draft = await ask('POST', '/items/posts', { title: 'x', slug: `x-${++made}`, source_article_id: id }, site.token);
        const answer = await ask('PATCH', `/items/posts/${draft.body.data.id}`, { status: 'published' }, site.token);
        if (answer.status !== 200) await ask('DELETE', `/items/posts/${draft.body.data.id}`, undefined, site.token);
        return answer;
    },
};

async function expectRefused(site, id, conditions) {
    const before = await articleOf(id);
    for (const [name, go] of Object.entries(paths)) {
        const answer = await go(site, id);
        assert.deepEqual([answer.status, codeOf(answer), conditionsOf(answer)], [409, 'QUALITY_GATE', conditions], `${name}: ${answer.text}`);
        assert.equal(await postOf(id), undefined, name);
    }
    const many = await ask('PUT', '/api/seo/publish-article', { article_ids: [id], status: 'published' }, site.token);
    assert.deepEqual([many.body.published, many.body.results[0].code], [0, 'QUALITY_GATE'], many.text);
    assert.match(many.body.results[0].error, /^The quality gate holds this article back: /);
    const after = await articleOf(id);
    assert.deepEqual({ ...after, date_updated: null }, { ...before, date_updated: null });
    assert.equal(after.is_published, false);
}

async function expectPublished(id) {
    const article = await articleOf(id);
    const post = await postOf(id);
    assert.deepEqual([article.status, article.is_published, article.publish_status], ['published', true, 'published']);
    assert.ok(article.published_at && article.date_published);
    if (post) assert.deepEqual([post.status, post.robots, article.published_to_post, article.published_url], ['published', 'index,follow', post.id, `/${post.slug}`]);
    if (post) assert.ok(post.published_at);
}

test('each_condition_alone_keeps_an_article_back_on_every_path', async (t) => {
    const site = await makeSite();
    await t.test('not approved', async () => expectRefused(site, (await makeArticles(site))[0], ['not_approved']));
    await t.test('under its word target', async () => {
        const [id] = await makeArticles(site, 1, { words: 19, target: 20 });
        await approve(site, [id]);
        assert.match((await publish(site, id)).body.message, /it has 19 of 20 words/);
        await expectRefused(site, id, ['under_word_target']);
    });
    await t.test('too much like another, until an editor decides', async () => {
        const [id, other] = await makeArticles(site, 2);
        await approve(site, [id]);
        await flag(site, other, id);
        await expectRefused(site, id, ['duplicate']);
        await stack.run(`update quality_flags set status = 'ignored' where article_b = '${id}'`);
        assert.equal((await publish(site, id)).status, 200);
    });
    await t.test('the ramp of its site', async () => {
        const small = await makeSite({ publish_ramp_start: 1 });
        const [first, second] = await makeArticles(small, 2);
        await approve(small, [first, second]);
        assert.equal((await publish(small, first)).status, 200);
        await expectRefused(small, second, ['publish_ramp']);
    });
    await t.test('and all of them are named together', async () => {
        const [id, other] = await makeArticles(site, 2, { words: 5, target: 20 });
        await flag(site, id, other);
        assert.deepEqual(conditionsOf(await publish(site, id)), ['not_approved', 'under_word_target', 'duplicate']);
    });
});

test('with_nothing_in_the_way_every_path_publishes_article_and_post_together', async () => {
    const site = await makeSite();
    for (const [name, go] of Object.entries(paths)) {
        const [id] = await makeArticles(site);
        await approve(site, [id]);
        const answer = await go(site, id);
        assert.equal(answer.status, 200, `${name}: ${answer.text}`);
        await expectPublished(id);
    }
    assert.deepEqual(await one(`select published from spark.publish_days where site_id = '${site.id}'`), [String(Object.keys(paths).length)]);
});

test('nothing_is_born_published_or_approved', async () => {
    const site = await makeSite();
    const bear = (body) => ask('POST', '/items/generated_articles', { title: 'x', ...body }, site.token);
    for (const status of ALL) {
        const answer = await bear({ status });
        const wanted = status === 'published' ? 'QUALITY_GATE' : status === 'approved' ? 'CONFLICT' : undefined;
        assert.deepEqual([answer.status, codeOf(answer)], [wanted ? 409 : 200, wanted], `${status}: ${answer.text}`);
    }
    assert.equal((await bear({ is_published: true })).status, 409);
    assert.equal((await bear({ approval: { approved_at: '2026-01-01' } })).status, 409);
    assert.equal((await bear({ status: 'nonsense' })).status, 400);
    const [id] = await makeArticles(site);
    for (const change of [{ is_published: true }, { approval: { approved_at: 'now', waive_word_target: true } }, { status: 'approved', is_published: true }]) {
        const answer = await ask('PATCH', `/items/generated_articles/${id}`, change, site.token);
        if (answer.status === 200) assert.equal(answer.body.data.is_published, false);
        else assert.deepEqual([answer.status, codeOf(answer)], [409, 'CONFLICT'], answer.text);
    }
    // With the same move an approval of one's own making is not kept either.
    const [other] = await makeArticles(site, 1, { words: 1 });
    await ask('PATCH', `/items/generated_articles/${other}`, { status: 'approved', approval: { waive_word_target: true } }, site.token);
    assert.deepEqual(Object.keys((await articleOf(other)).approval), ['approved_at']);
    assert.equal((await publish(site, other)).status, 409);
});

test('no_move_brings_its_own_approval_along', async () => {
    const site = await makeSite();
    const [id] = await makeArticles(site, 1, { words: 1 });
    assert.equal((await approve(site, [id])).status, 200);
    const record = (await articleOf(id)).approval;
    const forged = { approved_at: 'now', waive_word_target: true };
    for (const body of [{ status: 'published', approval: forged }, { status: 'published', approval: forged, is_published: true }, { status: 'archived', approval: forged }])
        for (const answer of [await ask('PATCH', `/items/generated_articles/${id}`, body, site.token),
            await ask('PATCH', '/items/generated_articles', { keys: [id], data: body }, site.token),
            await ask('PATCH', '/items/generated_articles', [{ id, ...body }], site.token)])
            assert.deepEqual([answer.status, codeOf(answer)], [409, 'CONFLICT'], answer.text);
    assert.deepEqual((await articleOf(id)).approval, record);
    assert.equal(await statusOf(id), 'approved');
    assert.equal((await publish(site, id)).status, 409);
});

test('a_word_target_below_every_number_is_none', async () => {
    const site = await makeSite();
    const [id] = await makeArticles(site, 1, { provenance: { target_words: -1e300 } });
    assert.equal((await approve(site, [id])).status, 200);
    assert.equal((await publish(site, id)).status, 200);
});

test('a_word_target_is_waived_by_name_and_the_record_stays', async () => {
    const site = await makeSite();
    const [id] = await makeArticles(site, 1, { words: 5, target: 20 });
    await approve(site, [id]);
    const record = (await articleOf(id)).approval;
    assert.deepEqual([record.actor, record.waive_word_target], ['site_token', false]);
    assert.ok(Date.parse(record.approved_at));
    assert.equal((await publish(site, id)).status, 409);
    const waived = await approve(site, [id], { waive_word_target: true, reason: 'A short one, on purpose' });
    assert.deepEqual([waived.body.approved, waived.body.skipped], [1, []]);
    assert.deepEqual((await approve(site, [id], { waive_word_target: true })).body.skipped, [{ id, reason: 'It is approved, not qc.' }]);
    assert.equal((await publish(site, id)).status, 200);
    const kept = (await articleOf(id)).approval;
    assert.deepEqual([kept.waive_word_target, kept.reason], [true, 'A short one, on purpose']);
    const lines = (await ask('GET', `/api/admin/worklog?entity_id=${id}&action=approved`, undefined, site.token)).body.logs;
    assert.deepEqual(lines.map((line) => [line.details.waive_word_target, line.details.reason, line.actor]),
        [[true, 'A short one, on purpose', 'site_token'], [undefined, undefined, 'site_token']]);
    // Sent back, an article is as if nobody had approved it.
    const [back] = await makeArticles(site);
    await approve(site, [back], { waive_word_target: true });
    await ask('PATCH', `/items/generated_articles/${back}`, { status: 'qc' }, site.token);
    assert.equal((await articleOf(back)).approval, null);
    assert.equal((await approve(site, [back], { reason: 'x'.repeat(1001) })).status, 400);
});

test('the_target_is_what_was_asked_when_it_was_made_and_the_words_are_those_of_its_text', async () => {
    const site = await makeSite();
    const [asked] = await makeArticles(site, 1, { words: 20, target: 500, provenance: { target_words: 20 } });
    const [cut] = await makeArticles(site, 1, { words: 40, target: 30 });
    await approve(site, [asked, cut]);
    assert.equal((await publish(site, asked)).status, 200);
    await ask('PATCH', `/items/generated_articles/${cut}`, { content: text(10) }, site.token);
    assert.deepEqual(conditionsOf(await publish(site, cut)), ['under_word_target']);
});

test('the_switch_turns_the_gate_off_but_not_the_machine_and_its_change_is_logged', async () => {
    const site = await makeSite();
    const [id, unapproved, other] = await makeArticles(site, 3, { words: 5, target: 20 });
    await approve(site, [id]);
    await flag(site, id, other);
    assert.equal((await publish(site, id)).status, 409);
    assert.equal((await ask('PATCH', `/items/sites/${site.id}`, { quality_gate: false }, site.token)).status, 200);
    assert.equal((await publish(site, id)).status, 200);
    const answer = await ask('PATCH', `/items/generated_articles/${unapproved}`, { status: 'published' }, site.token);
    assert.deepEqual([answer.status, codeOf(answer)], [409, 'CONFLICT'], answer.text);
    // What is brought along from elsewhere may begin as published.
    const brought = await ask('POST', '/items/generated_articles', { title: 'x', status: 'published' }, site.token);
    assert.deepEqual([brought.status, brought.body.data.is_published], [200, true], brought.text);
    const lines = await stack.rows(`select actor, details from work_log where site_id = '${site.id}' and entity_type = 'sites' and details::text like '%quality_gate%'`);
    assert.equal(lines.length, 1);
    assert.equal(lines[0][0], 'site_token');
});

test('drafts_are_noindex_until_they_are_published_and_an_editors_word_is_kept', async () => {
    const site = await makeSite();
    const ids = await makeArticles(site, 4);
    await approve(site, ids);
    const drafts = [];
    for (const id of ids) drafts.push((await publish(site, id, 'draft')).body.post_id);
    const robots = async () => (await stack.rows(`select robots from posts where site_id = '${site.id}' order by id`)).map(([value]) => value);
    assert.deepEqual(await robots(), Array(4).fill('noindex'));
    await ask('PATCH', `/items/posts/${drafts[1]}`, { robots: 'noindex,nofollow' }, site.token);
    for (const draft of drafts.slice(0, 2)) assert.equal((await ask('PATCH', `/items/posts/${draft}`, { status: 'published' }, site.token)).status, 200);
    assert.deepEqual(await robots(), ['index,follow', 'noindex,nofollow', 'noindex', 'noindex']);
    await expectPublished(ids[0]);
    // An article that is published takes its draft along.
    assert.equal((await ask('PATCH', `/items/generated_articles/${ids[2]}`, { status: 'published' }, site.token)).status, 200);
    await expectPublished(ids[2]);
    // Taken back, a post is a draft again.
    await ask('PATCH', `/items/posts/${drafts[0]}`, { status: 'draft' }, site.token);
    assert.equal((await robots())[0], 'noindex');
    // It stays with its article, else the gate would lose it; without the article it may go on.
    const lost = await ask('PATCH', `/items/posts/${drafts[3]}`, { source_article_id: null }, site.token);
    assert.deepEqual([lost.status, codeOf(lost)], [409, 'CONFLICT'], lost.text);
    assert.equal((await ask('DELETE', `/items/generated_articles/${ids[3]}`, undefined, site.token)).status, 204);
    assert.equal((await ask('GET', `/items/posts/${drafts[3]}`, undefined, site.token)).body.data.source_article_id, null);
    // A post of no article is nobody's business.
    assert.equal((await ask('POST', '/items/posts', { title: 'x', slug: 'own', status: 'published' }, site.token)).body.data.robots, 'index,follow');
});

test('posts_of_articles_are_dated_in_the_past_only_where_the_site_allows_it', async () => {
    for (const allowed of [false, true]) {
        const site = await makeSite({ backdating_allowed: allowed });
        const [id] = await makeArticles(site);
        await approve(site, [id]);
        const answer = await ask('POST', '/items/posts', { title: 'x', slug: 'x', status: 'published', published_at: '2020-01-01T00:00:00Z', source_article_id: id }, site.token);
        assert.equal(answer.status, 200, answer.text);
        const dated = async () => new Date((await postOf(id)).published_at).getUTCFullYear() < 2021;
        assert.equal(await dated(), allowed);
        await ask('PATCH', `/items/posts/${answer.body.data.id}`, { published_at: '2019-01-01T00:00:00Z' }, site.token);
        assert.equal(await dated(), allowed);
    }
});

test('the_ramp_counts_the_sites_own_day_and_grows_with_what_went_out', async () => {
    const site = await makeSite({ publish_ramp_start: 3, publish_ramp_growth: 1.5, time_zone: 'Pacific/Kiritimati' });
    const ids = await makeArticles(site, 14);
    await approve(site, ids);
    const publishUntilRefused = async () => {
        for (let published = 0; ; published++) {
            const answer = await publish(site, ids[0]);
            if (answer.status !== 200) return { published, answer };
            ids.shift();
        }
    };
    const nextDay = () => stack.run(`update spark.publish_days set day = day - 1000 where site_id = '${site.id}' and day > current_date - 500;
                                     update spark.publish_days set day = day - 1 where site_id = '${site.id}'`);
    const first = await publishUntilRefused();
    assert.equal(first.published, 3);
    assert.match(first.answer.body.message, /its site publishes 3 articles today and goes on from 20\d\d-/);
    const opens = Date.parse(first.answer.body.errors[0].opens_at);
    const [wanted] = await one(`select extract(epoch from ((now() at time zone 'Pacific/Kiritimati')::date + 1)::timestamp at time zone 'Pacific/Kiritimati') * 1000`);
    assert.equal(opens, Number(wanted));
    await nextDay();
    assert.equal((await publishUntilRefused()).published, 5); // 4.5
    await nextDay();
    await stack.run(`update sites set publish_ramp_growth = 1 where id = '${site.id}'`);
    assert.equal((await publishUntilRefused()).published, 5);
    await stack.run(`update sites set publish_ramp_start = null where id = '${site.id}'`);
    assert.equal((await publish(site, ids[0])).status, 200);
    for (const column of [{ publish_ramp_start: 0 }, { publish_ramp_growth: 0.9 }, { publish_ramp_growth: 101 }])
        assert.equal((await ask('PATCH', `/items/sites/${site.id}`, column, site.token)).status, 400);
});

test('publishers_in_a_race_stay_within_the_ramp', async () => {
    const site = await makeSite({ publish_ramp_start: 7 });
    const ids = await makeArticles(site, 24);
    await approve(site, ids);
    const ways = Object.values(paths);
    const answers = await Promise.all(ids.map((id, n) => ways[n % ways.length](site, id)));
    assert.equal(answers.filter((answer) => answer.status === 200).length, 7);
    assert.ok(answers.every((answer) => answer.status === 200 || codeOf(answer) === 'QUALITY_GATE'), answers.map((answer) => answer.text).join('\n'));
    assert.deepEqual(await one(`select count(*) filter (where a.is_published), (select published from spark.publish_days where site_id = '${site.id}'),
        (select count(*) from posts p where p.site_id = '${site.id}' and p.status = 'published' and not exists (select from generated_articles g where g.id = p.source_article_id and g.is_published))
        from generated_articles a where a.site_id = '${site.id}'`), ['7', '7', '0']);
    // All of a bulk or nothing.
    const fresh = await makeSite({ publish_ramp_start: 3 });
    const many = await makeArticles(fresh, 5);
    await approve(fresh, many);
    const bulk = (keys) => ask('PATCH', '/items/generated_articles', { keys, data: { status: 'published' } }, fresh.token);
    assert.equal((await bulk(many)).status, 409);
    assert.deepEqual(await Promise.all(many.map(statusOf)), Array(5).fill('approved'));
    assert.equal((await bulk(many.slice(0, 3))).status, 200);
});

test('a_site_meets_its_own_gate_only', async () => {
    const [mine, theirs] = [await makeSite({ publish_ramp_start: 1 }), await makeSite()];
    const [own] = await makeArticles(mine);
    const [foreign] = await makeArticles(theirs);
    await approve(mine, [own]);
    const tried = (await approve(mine, [foreign, NOBODY], { waive_word_target: true })).body;
    assert.deepEqual([tried.approved, tried.skipped.map((skipped) => skipped.reason)], [0, Array(2).fill('There is no such article.')]);
    assert.equal(await statusOf(foreign), 'qc');
    assert.equal((await publish(mine, own)).status, 200);
    await approve(theirs, [foreign]);
    assert.equal((await publish(theirs, foreign)).status, 200);
    assert.deepEqual(await one(`select has_table_privilege('spark_tenant', 'spark.publish_days', 'delete') from sites limit 1`), ['f']);
});
