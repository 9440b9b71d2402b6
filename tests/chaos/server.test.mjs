// The server through bad days: what it says while PostgreSQL or Redis is away, and that what it
// acknowledged, or had committed when it was killed, is not lost.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startBackends, startStack, until } from '../support/stack.mjs';

let backends;
let stack;

before(async () => {
    backends = await startBackends();
    stack = await startStack({ backends, env: { WORKER_LEASE: '2', REQUEST_TIMEOUT: '7000' } });
    await stack.spark('site', 'create', '--domain', 'a.example');
});
after(async () => {
    await stack?.stop();
    await backends?.stop();
});

const get = (path) => stack.request('GET', path).catch(() => ({ status: 0 }));
/** Stops the one that would start it again, kills, runs the body, lets it start again. */
async function without(pid, signal, body) {
    process.kill(backends.supervisorPid, 'SIGSTOP');
    try {
        process.kill(pid, signal);
        await body();
    } finally {
        process.kill(backends.supervisorPid, 'SIGCONT');
    }
}

test('postgresql_away_is_503_with_retry_after_and_its_return_needs_no_restart', async () => {
    assert.equal((await get('/items/sites?limit=1')).status, 200);
    await without(await backends.postgresPid(), 'SIGQUIT', async () => {
        const answer = await until(async () => {
            const answer = await get('/items/sites?limit=1');
            return answer.status !== 200 && answer;
        }, 'the outage to show', 40);
        assert.equal(answer.status, 503, answer.text);
        assert.ok(Number(answer.headers.get('retry-after')) >= 1);
        assert.equal(answer.body.errors[0].extensions.code, 'SERVICE_UNAVAILABLE');
        assert.equal((await get('/server/ping')).status, 200);
    });
    await until(async () => (await get('/items/sites?limit=1')).status === 200, 'the server to recover');
    assert.ok(stack.server.isRunning);
});

test('redis_away_is_503_for_tracking_alone_and_its_return_needs_no_restart', async () => {
    const { token } = JSON.parse((await stack.spark('token', 'create', '--site', 'a.example', '--json')).stdout);
    const track = () => stack.request('POST', '/api/track/pageview', { page_path: '/a' }, { authorization: `Bearer ${token}` });
    assert.equal((await track()).status, 202);
    await without(await backends.redisPid(), 'SIGKILL', async () => {
        const answer = await until(async () => {
            const answer = await track();
            return answer.status !== 202 && answer;
        }, 'the outage to show');
        assert.equal(answer.status, 503, answer.text);
        assert.ok(Number(answer.headers.get('retry-after')) >= 1);
        assert.equal((await get('/items/sites?limit=1')).status, 200);
    });
    await until(async () => (await track()).status === 202, 'tracking to recover');
    stack.startWorker();
    const stored = () => stack.sql(`set role spark_owner; set spark.scope = 'platform'; select count(*) from pageviews`);
    await until(async () => Number((await stored())[0][0]) >= 2, 'the page views to be stored');
});

test('job_whose_server_died_between_commit_and_push_is_done', async () => {
    const [{ id: site_id }] = JSON.parse((await stack.spark('site', 'list', '--json')).stdout);
    const fragments = ['intro', 'middle', 'end'].flatMap((fragment_type) =>
        [1, 2, 3].map((n) => ({ fragment_type, content_body: `<p>${fragment_type} ${n} {one|two|three} for {City} and {Niche}.</p>` })));
    const imported = await stack.request('POST', '/api/admin/import-blueprint', {
        site_id,
        template: { name: 'Three parts', structure_json: ['intro', 'middle', 'end'] },
        campaign: { name: 'one', headline_spintax_root: '{A|B|C|D} title', target_word_count: 10, niche_variables: { Niche: 'gardens' } },
        fragments,
    });
    assert.equal(imported.status, 200, imported.text);
    const { campaign_id } = imported.body;
    const headlines = await stack.request('POST', '/api/seo/generate-headlines', { campaign_id });
    assert.equal(headlines.status, 200, headlines.text);

    await stack.server.stop();
    stack.env.SPARK_FAULT = 'enqueue_after_commit';
    await stack.startServer();
    delete stack.env.SPARK_FAULT;
    await assert.rejects(stack.request('POST', '/api/seo/generate-article', { campaign_id, batch_size: 2, async: true }));
    assert.equal((await stack.server.ended).signal, 'SIGKILL');
    await stack.startServer();
    const made = () => stack.sql(`set role spark_owner; set spark.scope = 'platform'; select count(*) from generated_articles`);
    await until(async () => Number((await made())[0][0]) === 2, 'the articles');
});
