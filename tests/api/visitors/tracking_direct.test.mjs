// Tracking while Redis is away: the buffer's limit, visitors who leave, leads that stay closed. What is
// lost when servers die is in tests/chaos/server.test.mjs.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { createInterface } from 'node:readline';

import { codeOf, makeTenant, startApi } from '../../support/api.mjs';
import { until } from '../../support/stack.mjs';

const BUFFER = 20;
let stack;
before(async () => {
    stack = await startApi({ env: { TRACKING_BUFFER: String(BUFFER), RATE_LIMITER_ENABLED: 'true' } });
    await makeTenant(stack, 'A', 'a.example');
    await stack.redis.kill();
});
after(async () => {
    await stack.redis.start();
    await stack.stop();
});

const send = (body, rest) => stack.call({ method: 'POST', path: '/api/track/pageview', host: 'a.example', body, ...rest });
const metric = async (name) => Number((await stack.request('GET', '/metrics')).text.match(new RegExp(`^\\w*${name} (\\d+)`, 'm'))[1]);
const paths = async (like) => (await stack.rows(`select page_path, count(*) from pageviews where page_path like '${like}' group by 1`));

/** Holds what every batch needs until the answer is called. */
async function block() {
    const session = spawn('psql', ['-X', '-q', '-At', '-d', stack.databaseUrl], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: session.stdout })[Symbol.asyncIterator]();
    session.stdin.write('begin; lock table spark.load_pageviews in access exclusive mode; \\echo held\n');
    assert.equal((await lines.next()).value, 'held');
    return () => new Promise((resume) => session.on('exit', resume) && session.stdin.end('rollback;\n'));
}

test('more_views_than_the_buffer_holds_are_503_and_the_others_are_stored_once', async () => {
    const release = await block();
    let refused = 0;
    const sent = Array.from({ length: 3 * BUFFER }, (_, n) => send({ page_path: `/full/${n}` }).then((answer) => {
        if (answer.status === 503) refused++;
        return answer;
    }));
    await until(() => refused === 2 * BUFFER, 'the buffer to be full');
    await release();
    const answers = await Promise.all(sent);
    const stored = answers.map((answer, n) => [answer.status, `/full/${n}`]).filter(([status]) => status === 202).map(([, path]) => path);
    assert.equal(stored.length, BUFFER);
    for (const answer of answers.filter(({ status }) => status !== 202)) {
        assert.deepEqual([answer.status, codeOf(answer)], [503, 'SERVICE_UNAVAILABLE']);
        assert.ok(Number(answer.headers['retry-after']) >= 1);
    }
    assert.deepEqual((await paths('/full/%')).sort(), stored.map((path) => [path, '1']).sort());
});

test('visitor_who_leaves_takes_nobody_with_him_and_gives_his_place_back', async () => {
    const release = await block();
    const leave = new AbortController();
    const before = await metric('http_in_flight');
    const gone = Array.from({ length: BUFFER }, (_, n) => fetch(`${stack.url}/api/track/pageview`, {
        method: 'POST', signal: leave.signal, headers: { origin: 'https://a.example', 'content-type': 'application/json' }, body: JSON.stringify({ page_path: `/gone/${n}` }),
    }).catch((error) => error.name));
    await until(async () => (await metric('http_in_flight')) >= before + BUFFER, 'all to wait');
    leave.abort();
    assert.deepEqual([...new Set(await Promise.all(gone))], ['AbortError']);
    await until(async () => (await metric('http_in_flight')) <= before, 'the server to see it');
    const stayed = Array.from({ length: BUFFER }, (_, n) => send({ page_path: `/stayed/${n}` }));
    await until(async () => (await metric('http_in_flight')) >= before + BUFFER, 'all to wait');
    await release();
    assert.deepEqual([...new Set((await Promise.all(stayed)).map((answer) => answer.status))], [202]);
    assert.equal((await paths('/stayed/%')).length, BUFFER);
    for (const [path, count] of await paths('/gone/%')) assert.equal(count, '1', path);
});

test('views_and_events_are_stored_beside_each_other_before_they_are_answered', async () => {
    const view = await send({ page_path: '/one?utm_source=s' });
    const event = await send({ event_name: 'e', metadata: { a: 'tab\t\\N' } }, { path: '/api/track/event' });
    assert.deepEqual([view.status, event.status], [202, 202], view.text + event.text);
    const rows = await stack.rows(`select page_path, utm_source from pageviews where id = '${view.body.event_id}'
        union all select event_name, metadata ->> 'a' from events where id = '${event.body.event_id}'`);
    assert.deepEqual(rows, [['/one', 's'], ['e', 'tab\t\\N']]);
});

test('i9_leads_stay_closed_while_nobody_can_count_them', async () => {
    const before = await stack.rows('select count(*) from leads');
    const answer = await stack.call({ method: 'POST', path: '/api/lead', host: 'a.example', body: { email: 'x@example.com' } });
    assert.deepEqual([answer.status, codeOf(answer)], [503, 'SERVICE_UNAVAILABLE']);
    assert.deepEqual(await stack.rows('select count(*) from leads'), before);
});
