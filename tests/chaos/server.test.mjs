// The server through bad days: what it says while PostgreSQL or Redis is away, and that what it
// acknowledged, or had committed when it was killed, is not lost.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';

import { startBackends, startStack, until } from '../support/stack.mjs';

const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
let backends;
let stack;

before(async () => {
    backends = await startBackends();
    stack = await startStack({ backends, env: { WORKER_LEASE: '2', REQUEST_TIMEOUT: '7000', DATABASE_PATIENCE: '2000' } });
    await stack.spark('site', 'create', '--domain', 'a.example');
});
after(async () => {
    agent.destroy();
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

const owner = (text) => stack.sql(`set role spark_owner; set spark.scope = 'platform'; ${text}`);
const track = async (n, path = 'pageview') => {
    const body = path === 'event' ? { event_name: `e${n}` } : { page_path: `/v/${n}` };
    const { hostname, port } = new URL(stack.url);
    return new Promise((resolve) => {
        const text = JSON.stringify(body);
        const request = http.request({ hostname, port, agent, method: 'POST', path: `/api/track/${path}`,
            headers: { host: 'a.example', 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } }, async (response) => {
            let answer = '';
            for await (const part of response) answer += part;
            resolve({ status: response.statusCode, headers: response.headers, body: JSON.parse(answer) });
        });
        request.on('error', () => resolve({ status: 0 }));
        request.end(text);
    });
};
const metric = async (name) => Number((await stack.request('GET', '/metrics')).text.match(new RegExp(`^\\w*${name} (\\d+)`, 'm'))[1]);
/** How often each of these events is in its table. */
const copies = async (answers) => {
    const list = answers.map((answer) => `'${answer.body.event_id}'`).join(', ');
    const rows = await owner(`select id, count(*) from (select id from pageviews union all select id from events) x where id in (${list}) group by id`);
    return new Map(rows);
};

test('redis_away_is_not_seen_by_tracking_and_nothing_is_lost_or_doubled', async () => {
    const before = await track('before');
    assert.equal(before.status, 202);
    let sent;
    await without(await backends.redisPid(), 'SIGKILL', async () => {
        sent = await Promise.all(Array.from({ length: 500 }, (_, n) => track(n, n % 5 ? 'pageview' : 'event')));
        assert.deepEqual([...new Set(sent.map((answer) => answer.status))], [202]);
        const stored = await copies(sent);
        assert.equal(stored.size, 500, 'acknowledged is stored, with no Redis and no worker');
        assert.ok([...stored.values()].every((count) => count === '1'));
        assert.equal((await get('/items/sites?limit=1')).status, 200);
    });
    const direct = await metric('tracking_direct');
    assert.ok(direct >= 500, `${direct}`);
    const later = await until(async () => {
        const known = await metric('tracking_direct');
        const answer = await track('later');
        return (await metric('tracking_direct')) === known && [answer];
    }, 'Redis to be used again');
    stack.startWorker();
    await until(async () => (await copies([before, ...later])).size === 2, 'what is in Redis to be stored');
    const all = await copies([before, ...sent, ...later]);
    assert.ok([...all.values()].every((count) => count === '1'));
    assert.equal(all.size, 502);
});

test('redis_that_dies_under_load_neither_loses_nor_doubles_an_event', async () => {
    const answers = [];
    let goes = true;
    const visitors = Array.from({ length: 16 }, async (_, v) => {
        for (let n = 0; goes; n++) answers.push(await track(`load-${v}-${n}`));
    });
    await until(() => answers.length > 200, 'the load');
    await without(await backends.redisPid(), 'SIGKILL', async () => {
        const known = answers.length;
        await until(() => answers.length > known + 200, 'the load without Redis');
    });
    const known = answers.length;
    await until(() => answers.length > known + 200, 'the load with Redis again');
    goes = false;
    await Promise.all(visitors);
    assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [202]);
    await until(async () => (await copies(answers)).size === answers.length, 'all to be stored');
    assert.ok([...(await copies(answers)).values()].every((count) => count === '1'));
});

test('redis_and_postgresql_away_is_503_with_retry_after_and_nothing_is_stored', async () => {
    const count = async () => (await owner('select count(*) from pageviews'))[0][0];
    assert.equal((await track('warm')).status, 202);
    await until(async () => (await owner(`select count(*) from pageviews where page_path = '/v/warm'`))[0][0] === '1', 'the worker');
    const known = await count();
    await without(await backends.redisPid(), 'SIGKILL', async () => {
        process.kill(await backends.postgresPid(), 'SIGQUIT');
        await until(async () => (await track('dying')).status === 503, 'both outages to show', 40);
        const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => track('lost', n % 2 ? 'pageview' : 'event')));
        for (const { status, headers, body } of answers) {
            assert.deepEqual([status, body.code], [503, 'SERVICE_UNAVAILABLE']);
            assert.ok(Number(headers['retry-after']) >= 1);
        }
    });
    await until(async () => (await track('back')).status === 202, 'both to be back');
    await until(async () => Number(await count()) > Number(known), 'the worker');
    assert.deepEqual(await owner(`select page_path from pageviews where page_path = '/v/lost' union all select event_name from events where event_name = 'elost'`), []);
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
