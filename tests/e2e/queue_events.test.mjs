// GET /api/admin/queue and its stream of server-sent events, without a browser.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { firstStartIsOver, makeJobs, makeSite, makeSiteToken } from '../support/queue.mjs';
import { startBackends, startStack, until } from '../support/stack.mjs';

let stack;
let sites;
before(async () => {
    stack = await startStack();
    await firstStartIsOver(stack);
    sites = [await makeSite(stack, 'First'), await makeSite(stack, 'Second')];
});
after(() => stack.stop());

const events = '/api/admin/queue/events';

/** An open stream: next() is its next event, close() ends it. */
async function openStream(token = stack.adminToken, url = stack.url) {
    const stop = new AbortController();
    const response = await fetch(url + events, { headers: { authorization: `Bearer ${token}` }, signal: stop.signal });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    return {
        response,
        async next() {
            for (;;) {
                const end = rest.indexOf('\n\n');
                if (end >= 0) {
                    const block = rest.slice(0, end);
                    rest = rest.slice(end + 2);
                    const event = /^event: (.*)$/m.exec(block)?.[1];
                    if (event) return { event, data: JSON.parse(/^data: (.*)$/m.exec(block)[1]) };
                    continue;
                }
                const { done, value } = await reader.read();
                if (done) return undefined;
                rest += value;
            }
        },
        async close() {
            stop.abort();
            await reader.cancel().catch(() => {});
        },
    };
}

/** The first event whose data fit. */
async function eventWhere(stream, fits) {
    for (;;) {
        const found = await stream.next();
        assert.ok(found, 'the stream ended');
        if (fits(found.data)) return found.data;
    }
}

test('counters_need_an_administrator', async () => {
    for (const path of ['/api/admin/queue', events]) {
        const response = await fetch(stack.url + path);
        assert.equal(response.status, 401);
        assert.equal((await response.json()).error, true);
    }
});

test('counters_come_with_version_and_uptime', async () => {
    const { status, body } = await stack.request('GET', '/api/admin/queue');
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body), ['queued', 'running', 'done_last_hour', 'dead', 'workers', 'articles', 'rate', 'version', 'uptime_s']);
    assert.match(body.version, /^\d+\.\d+\.\d+/);
    assert.equal(body.articles, 0);
});

test('stream_begins_with_the_counters_and_says_what_changed', async () => {
    const stream = await openStream();
    assert.equal(stream.response.status, 200);
    assert.equal(stream.response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    assert.equal(stream.response.headers.get('cache-control'), 'no-store');
    const first = await stream.next();
    assert.equal(first.event, 'queue');
    await makeJobs(stack, sites[0], 7);
    await makeJobs(stack, sites[0], 2, 'done');
    const later = await eventWhere(stream, (data) => data.queued === first.data.queued + 7);
    assert.equal(later.done_last_hour, first.data.done_last_hour + 2);
    assert.ok(later.rate > 0);
    await stream.close();
});

test('token_of_a_site_counts_its_own_jobs_alone', async () => {
    const token = await makeSiteToken(stack, sites[1]);
    await makeJobs(stack, sites[0], 5);
    await makeJobs(stack, null, 3);
    await makeJobs(stack, sites[1], 4);
    const stream = await openStream(token);
    assert.equal((await eventWhere(stream, () => true)).queued, 4);
    await stream.close();
});

test('administrator_may_narrow_to_one_site', async () => {
    const { body } = await stack.request('GET', '/api/admin/queue', undefined, { 'x-site-id': sites[1] });
    assert.equal(body.queued, 4);
});

test('stream_ends_when_rights_change', async () => {
    const token = await makeSiteToken(stack, sites[0]);
    const stream = await openStream(token);
    assert.ok(await stream.next());
    await stack.sql("begin; set local role spark_owner; set local spark.scope = 'platform'; delete from spark.site_tokens; commit");
    while (await stream.next());
    assert.equal((await openStream(token)).response.status, 401);
});

test('head_of_a_stream_ends_at_once', async () => {
    const response = await fetch(stack.url + events, { method: 'HEAD', headers: { authorization: `Bearer ${stack.adminToken}` } });
    assert.equal(response.status, 200);
    assert.equal(await response.text(), '');
});

test('sixty_fifth_stream_is_refused_until_a_place_is_free', async () => {
    await until(async () => (await metric('http_in_flight')) <= 1, 'earlier streams to end');
    const streams = await Promise.all(Array.from({ length: 64 }, () => openStream()));
    assert.ok(streams.every(({ response }) => response.status === 200));
    const refused = await stack.request('GET', events);
    assert.equal(refused.status, 503);
    assert.equal(refused.body.code, 'SERVICE_UNAVAILABLE');
    assert.equal(refused.headers.get('retry-after'), '1');
    await Promise.all(streams.map((stream) => stream.close()));
    const again = await until(async () => {
        const stream = await openStream();
        if (stream.response.status === 200) return stream;
        await stream.close();
        return undefined;
    }, 'a place');
    await again.close();
});

async function metric(name) {
    const { text } = await stack.request('GET', '/metrics');
    return Number(new RegExp(`^\\w*${name} (\\d+)`, 'm').exec(text)[1]);
}

test('open_streams_do_not_hold_up_the_end_of_the_server', async () => {
    const streams = [await openStream(), await openStream()];
    for (const stream of streams) assert.ok(await stream.next());
    const ends = Promise.all(streams.map(async (stream) => { while (await stream.next()); }));
    const { code } = await stack.server.stop(10);
    assert.equal(code, 0);
    await ends;
    await stack.startServer();
});

test('stream_says_when_the_database_is_away_and_goes_on_when_it_is_back', async () => {
    const backends = await startBackends();
    const own = await startStack({ backends });
    await firstStartIsOver(own);
    const stream = await openStream(own.adminToken, own.url);
    assert.equal((await stream.next()).event, 'queue');

    const postmaster = await backends.postgresPid();
    const children = (await readFile(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8')).trim().split(' ').map(Number);
    for (const pid of [postmaster, ...children]) process.kill(pid, 'SIGSTOP');
    try {
        assert.deepEqual(await stream.next(), { event: 'away', data: {} });
    } finally {
        for (const pid of [postmaster, ...children]) process.kill(pid, 'SIGCONT');
    }
    assert.equal((await stream.next()).event, 'queue');
    await stream.close();
    await own.stop();
    await backends.stop();
});
