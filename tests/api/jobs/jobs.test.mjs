// GET /api/admin/jobs: what became of work that was handed to workers.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, startApi } from '../../support/api.mjs';
import { until } from '../../support/stack.mjs';

let stack;
let a;
let b;
before(async () => {
    stack = await startApi({ workers: 1 });
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
});
after(() => stack?.stop());

const get = (path, token = a.token) => stack.call({ path: `/api/admin/jobs${path}`, token });
/** Ended already, so that no worker takes them. */
const put = async (site, rows) =>
    (await stack.rows(`insert into spark.jobs (site_id, kind, state, error, worker, payload) values
        ${rows.map(({ kind = 'test', state = 'done', error }) => `('${site.id}', '${kind}', '${state}', ${error ? `'${error}'` : 'null'}, 'nobody', '{"email": "visitor@example.org"}')`).join(', ')} returning id`)).map(([id]) => Number(id));

test('a_job_is_watched_to_its_end_by_the_id_that_the_request_gave', async () => {
    const articles = Array.from({ length: 101 }, (_, i) => ({ title: `Article ${i}`, slug: `article-${i}`, status: 'qc', content: `<p>${`word ${i} `.repeat(40)}</p>` }));
    const made = await stack.call({ method: 'POST', path: '/items/generated_articles', token: a.token, body: articles });
    assert.equal(made.status, 200, made.text);
    const queued = await stack.call({ method: 'POST', path: '/api/seo/scan-duplicates', token: a.token, body: {} });
    assert.equal(queued.status, 202, queued.text);
    const job = await until(async () => {
        const answer = await get(`/${queued.body.job_id}`);
        assert.equal(answer.status, 200, answer.text);
        assert.notEqual(answer.body.job.state, 'dead', answer.text);
        return answer.body.job.state === 'done' && answer.body.job;
    }, 'the scan');
    assert.deepEqual([job.id, job.site_id, job.kind, job.attempt, job.failures, job.progress, job.error],
        [queued.body.job_id, a.id, 'scan-duplicates', 1, 0, null, null]);
    assert.equal(job.result.articles_scanned, 101);
    assert.ok(new Date(job.created_at) <= new Date(job.started_at) && new Date(job.started_at) <= new Date(job.finished_at));
});

test('a_running_job_says_how_far_it_is_and_without_redis_nothing', async () => {
    const [id] = await put(a, [{ state: 'running' }]);
    await stack.redis.command('hset', '{q:0}:progress', String(id), '{"done":30,"total":100}');
    assert.deepEqual((await get(`/${id}`)).body.job.progress, { done: 30, total: 100 });
    await stack.redis.kill();
    try {
        const answer = await get(`/${id}`);
        assert.deepEqual([answer.status, answer.body.job.state, answer.body.job.progress], [200, 'running', null]);
    } finally {
        await stack.redis.start();
        await stack.rows(`update spark.jobs set state = 'done', worker = null where id = ${id}`);
    }
});

test('a_dead_job_says_why_and_no_job_says_what_it_was_given', async () => {
    const [id] = await put(a, [{ state: 'dead', error: 'the campaign is gone' }]);
    const answer = await get(`/${id}`);
    assert.deepEqual([answer.body.job.state, answer.body.job.error], ['dead', 'the campaign is gone']);
    assert.doesNotMatch(answer.text, /payload|visitor@example/);
});

test('lists_are_newest_first_in_pages_and_filtered', async () => {
    const ids = await put(a, Array.from({ length: 7 }, (_, i) => ({ kind: i % 2 ? 'odd' : 'even', state: i < 2 ? 'dead' : 'done' })));
    const first = await get('?limit=5');
    assert.deepEqual(first.body.jobs.map((job) => job.id), ids.slice(2).reverse());
    assert.equal(first.body.next_before, ids[2]);
    const second = await get(`?limit=2&before=${first.body.next_before}`);
    assert.deepEqual(second.body.jobs.map((job) => job.id), [ids[1], ids[0]]);
    assert.deepEqual((await get('?kind=odd&state=dead')).body, { success: true, jobs: [second.body.jobs[0]], next_before: null });
    assert.deepEqual((await get('?kind=none')).body, { success: true, jobs: [], next_before: null });
});

test('a_token_sees_the_jobs_of_its_site_and_the_platform_all', async () => {
    const [theirs] = await put(b, [{ kind: 'theirs' }]);
    const [foreign, missing] = [await get(`/${theirs}`), await get('/999999999')];
    assert.deepEqual([foreign.status, foreign.text], [404, missing.text]);
    assert.deepEqual((await get('?kind=theirs')).body.jobs, []);
    assert.equal((await get(`?site_id=${b.id}`)).status, 403);
    const all = await get('?kind=theirs', stack.adminToken);
    assert.deepEqual(all.body.jobs.map((job) => [job.id, job.site_id]), [[theirs, b.id]]);
    assert.deepEqual((await get(`?kind=theirs&site_id=${a.id}`, stack.adminToken)).body.jobs, []);
    assert.equal((await get(`/${theirs}`, stack.adminToken)).status, 200);
});

test('what_cannot_be_asked_is_refused_with_its_field', async () => {
    for (const [query, field] of [['limit=0', 'limit'], ['limit=201', 'limit'], ['before=0', 'before'], ['before=x', 'before'],
        ['state=asleep', 'state'], [`kind=${'k'.repeat(101)}`, 'kind'], ['kind=%00', 'kind'], ['kind=%ff', 'kind'], ['site_id=x', 'site_id']]) {
        const answer = await get(`?${query}`);
        assert.deepEqual([answer.status, codeOf(answer), answer.body.errors?.[0].field], [400, 'INVALID_QUERY', field], `${query}: ${answer.text}`);
    }
    for (const id of ['x', '0', '-1', '9223372036854775807', '9223372036854775808']) assert.equal((await get(`/${id}`)).status, 404, id);
});
