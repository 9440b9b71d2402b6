// HTTP as it is on the wire: connections, heads, clients that go away, drains, a database that is
// not there.

import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, raw, startApi } from '../../support/api.mjs';
import { startBackends, until } from '../../support/stack.mjs';

let backends;
let stack;
let site;
before(async () => {
    backends = await startBackends();
    stack = await startApi({ backends, env: { REQUESTS_MAX: '8', REQUEST_TIMEOUT: '6000', DATABASE_PATIENCE: '2000' } });
    site = await makeTenant(stack, 'A', 'a.example');
});
after(async () => {
    try {
        await stack.stop();
    } finally {
        await backends.stop(); // else the runner waits for them until its timeout
    }
});

const head = (line, ...headers) => `${line} HTTP/1.1\r\nHost: a.example\r\n${headers.map((h) => h + '\r\n').join('')}\r\n`;
const counter = async (name) => Number((await stack.call({ path: '/metrics', token: stack.adminToken })).text.match(new RegExp(`^spark_${name} (\\d+)`, 'm'))[1]);
/* PostgreSQL and all its children stand still: requests wait without any clock. */
const freeze = async (frozen) => {
    const group = await backends.postgresPid();
    const { readdir, readFile } = await import('node:fs/promises');
    for (const name of await readdir('/proc')) {
        if (!/^\d+$/.test(name)) continue;
        const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
        const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
        if (Number(name) === group || Number(parent) === group) process.kill(Number(name), frozen ? 'SIGSTOP' : 'SIGCONT');
    }
};
const frozen = async (work) => {
    await freeze(true);
    try {
        return await work();
    } finally {
        await freeze(false);
    }
};
const ask = (path) => stack.call({ path, token: stack.adminToken });

test('connection_is_kept_alive_and_pipelined_requests_are_answered_in_order', async () => {
    const { text } = await raw(stack,
        head('GET /server/ping') + head(`GET /items/posts/${site.posts[0].id}?fields=title`) + head('GET /items/posts/nope') + head('GET /server/ping', 'Connection: close'));
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((m) => m[1]);
    assert.deepEqual(statuses, ['200', '200', '403', '200']);
    assert.match(text, /"title":"A post 0"/);
});

test('HEAD_has_the_headers_of_GET_and_no_body', async () => {
    const get = await raw(stack, head('GET /items/posts?fields=title', 'Connection: close'));
    const headOnly = await raw(stack, head('HEAD /items/posts?fields=title', 'Connection: close'));
    const headers = (t) => t.slice(0, t.indexOf('\r\n\r\n')).replace(/^Date.*$/im, '');
    assert.equal(headers(headOnly.text), headers(get.text));
    assert.ok(headOnly.text.endsWith('\r\n\r\n'));
});

test('304_and_204_have_no_body_and_the_connection_goes_on', async () => {
    const first = await stack.call({ path: '/items/posts?fields=title', host: 'a.example' });
    const { text } = await raw(stack, head('GET /items/posts?fields=title', `If-None-Match: ${first.headers.etag}`) + head('GET /server/ping', 'Connection: close'));
    assert.match(text, /^HTTP\/1\.1 304 [^]*?\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*pong$/);
});

test('replies_forbid_guessing_of_types_and_name_no_version', async () => {
    for (const path of ['/server/ping', '/items/posts', '/no/such', '/api/nope']) {
        const { headers } = await stack.call({ path });
        assert.equal(headers['x-content-type-options'], 'nosniff', path);
        assert.equal(headers.server, 'spark');
    }
});

test('ambiguous_heads_are_refused_and_the_connection_is_closed', async () => {
    const post = 'POST /items/posts HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\n';
    const smuggled = head('GET /server/ping');
    const bad = {
        'two lengths': `${post}Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}${smuggled}`,
        'the same length twice': `${post}Content-Length: 2\r\ncontent-length: 2\r\n\r\n{}${smuggled}`,
        'length and chunks': `${post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
        'two encodings': `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
        'unknown encoding': `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
        'a length with a sign': `${post}Content-Length: +2\r\n\r\n{}${smuggled}`,
        'a list of lengths': `${post}Content-Length: 2, 2\r\n\r\n{}${smuggled}`,
        'two hosts': `GET /items/posts HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n${smuggled}`,
        'a target that names another host': `GET http://b.example/items/posts HTTP/1.1\r\nHost: a.example\r\n\r\n${smuggled}`,
        'no host': `GET /items/posts HTTP/1.1\r\n\r\n${smuggled}`,
        'a folded header': `GET /items/posts HTTP/1.1\r\nHost: a.example\r\nX-A: b\r\n c\r\n\r\n${smuggled}`,
        'a space before the colon': `GET /items/posts HTTP/1.1\r\nHost : a.example\r\n\r\n${smuggled}`,
        'a broken chunk': `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n${smuggled}`,
        'a broken request line': `GET\r\n\r\n${smuggled}`,
    };
    for (const [name, bytes] of Object.entries(bad)) {
        const { text, ended } = await raw(stack, bytes);
        assert.ok(ended, name);
        assert.deepEqual([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((m) => m[1]), ['400'], `${name}: ${text}`);
    }
    assert.deepEqual(await stack.rows('select count(*) from posts'), [['3']]);
});

test('odd_but_clear_requests_are_understood', async () => {
    const close = 'Connection: close';
    const answers = {
        [`GET http://a.example/server/ping HTTP/1.1\r\nHost: a.example\r\n${close}\r\n\r\n`]: '200',
        [`GET /server/ping HTTP/1.0\r\n\r\n`]: '200',
        [`OPTIONS /items/posts HTTP/1.1\r\nHost: x\r\n${close}\r\n\r\n`]: '404',
        [`TRACE /items/posts HTTP/1.1\r\nHost: x\r\n${close}\r\n\r\n`]: '404',
        [`GET /%00/\xff\xfe%zz HTTP/1.1\r\nHost: x\r\n${close}\r\n\r\n`]: '404',
        [`GET /items/${'x/'.repeat(2000)} HTTP/1.1\r\nHost: x\r\n${close}\r\n\r\n`]: '404',
        [`GET /items/posts?${'a[b]'.repeat(1000)}=1 HTTP/1.1\r\nHost: a.example\r\n${close}\r\n\r\n`]: '200',
    };
    for (const [bytes, status] of Object.entries(answers)) {
        const { text } = await raw(stack, Buffer.from(bytes, 'latin1'));
        assert.equal(text.slice(9, 12), status, bytes.slice(0, 60) + text);
        const body = text.slice(text.indexOf('\r\n\r\n') + 4);
        if (body.startsWith('{')) JSON.parse(Buffer.from(body, 'latin1').toString());
    }
});

test('slow_upload_in_many_pieces_arrives_whole', async () => {
    const body = JSON.stringify({ email: 'slow@example.com' });
    const socket = net.connect(stack.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk));
    for (const byte of `POST /api/lead HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`) {
        socket.write(byte);
        await new Promise((resume) => setImmediate(resume));
    }
    await once(socket, 'close');
    assert.match(text, /^HTTP\/1\.1 201 /);
});

test('client_that_goes_away_cancels_its_request', async () => {
    const before = await counter('http_cancelled');
    await frozen(async () => {
        const socket = net.connect(stack.port, '127.0.0.1');
        socket.write(head('GET /items/posts?sort=id'));
        await once(socket, 'connect');
        await stack.call({ path: '/server/ping' });
        socket.destroy();
        await stack.call({ path: '/server/ping' });
    });
    await until(async () => (await counter('http_cancelled')) > before, 'the counter');
    await until(async () => (await counter('http_in_flight')) === 1, 'the end of its fiber');
});

test('what_a_client_that_is_gone_has_pipelined_is_not_worked_on', async () => {
    const before = await counter('http_requests');
    let looks = 0;
    /* Each look is a request too. */
    const standstill = async () => {
        let last = 0;
        let still = 0;
        await until(async () => {
            const now = (await counter('http_requests')) - before - ++looks;
            still = now === last ? still + 1 : 0;
            last = now;
            return still === 10;
        }, 'nothing to be done any more');
        return last;
    };
    const socket = net.connect(stack.port, '127.0.0.1');
    socket.pause();
    socket.write(head('GET /server/specs/oas', `Authorization: Bearer ${stack.adminToken}`).repeat(400));
    const answered = await standstill();
    assert.ok(answered > 0 && answered < 300, `${answered} answers fit into the kernel`);
    socket.resetAndDestroy();
    assert.ok((await standstill()) < 400, 'the rest');
});

test('more_requests_than_allowed_are_answered_503_at_once', async () => {
    const late = await frozen(async () => {
        const held = Array.from({ length: 8 }, () => ask('/items/posts?sort=id').catch((error) => error));
        const refused = await until(async () => {
            const answer = await stack.call({ path: '/server/ping' });
            return answer.status === 503 ? answer : undefined;
        }, 'a refusal');
        assert.equal(codeOf(refused), 'SERVICE_UNAVAILABLE');
        assert.equal(refused.headers['retry-after'], '1');
        return held;
    });
    for (const answer of await Promise.all(late)) assert.equal(answer.status, 200, answer.text);
    assert.equal((await stack.call({ path: '/server/ping' })).status, 200);
});

test('request_that_reaches_its_deadline_is_408_and_the_next_one_is_served', async () => {
    const locked = stack.sql('begin; lock table authors in access exclusive mode; select pg_sleep(600)').catch((error) => error);
    const blocked = () => stack.rows("select pid from pg_stat_activity where query like '%lock table authors%' and query like '%pg_sleep%' and pid <> pg_backend_pid() and wait_event = 'PgSleep'");
    await until(async () => (await blocked()).length === 1, 'the lock');
    const late = await ask('/items/authors');
    assert.deepEqual([late.status, codeOf(late)], [408, 'OUT_OF_TIME'], late.text);
    // Its statement does not go on waiting for the lock, which is still held.
    await until(async () => (await stack.rows("select 1 from pg_stat_activity where application_name like 'spark%' and wait_event_type = 'Lock'")).length === 0, 'the cancel');
    await stack.rows(`select pg_terminate_backend(${(await blocked())[0][0]})`);
    await locked;
    assert.equal((await ask('/items/authors')).status, 200);
    assert.equal((await ask('/items/posts')).status, 200);
});

test('request_that_waits_for_a_lock_holds_up_nobody', async () => {
    const locked = stack.sql('begin; lock table authors in access exclusive mode; select pg_sleep(600)').catch((error) => error);
    const holders = () => stack.rows("select pid from pg_stat_activity where query like '%lock table authors%' and query like '%pg_sleep%' and pid <> pg_backend_pid() and wait_event = 'PgSleep'");
    const blocked = async () => (await stack.rows("select 1 from pg_stat_activity where application_name like 'spark%' and wait_event_type = 'Lock'")).length;
    await until(async () => (await holders()).length === 1, 'the lock');
    const ended = [];
    const late = [];
    for (let n = 1; n <= 3; n++) {
        late.push(ask('/items/authors').then((answer) => (ended.push(answer.status), answer)));
        // The third waits for its turn: one account may have two slow statements at a time.
        await until(async () => (await blocked()) >= Math.min(n, 2) || ended.length > 0, 'a blocked reader');
        for (let i = 0; i < 5; i++) assert.equal((await ask('/items/posts')).status, 200);
    }
    assert.deepEqual(ended, [], 'the readers of posts were served before those of authors gave up');
    for (const answer of await Promise.all(late)) assert.equal(answer.status, 408, answer.text);
    await stack.rows(`select pg_terminate_backend(${(await holders())[0][0]})`);
    await locked;
    assert.equal((await ask('/items/authors')).status, 200);
});

test('without_postgres_503_with_retry_after_and_recovery_without_a_restart', async () => {
    // The supervisor would start it again at once.
    process.kill(backends.supervisorPid, 'SIGSTOP');
    process.kill(await backends.postgresPid(), 'SIGKILL');
    await until(() => stack.sql('select 1').then(() => false, () => true), 'its end');
    const paths = ['/items/posts', `/items/posts/${site.posts[0].id}`];
    // Before the outage timeout and after it: then without any wait, many one after the other.
    const answers = await Promise.all(paths.map(ask));
    for (let n = 0; n < 50; n++) answers.push(await ask(paths[n % 2]));
    const health = [await ask('/server/health'), await stack.call({ path: '/server/health', host: 'a.example' })];
    process.kill(backends.supervisorPid, 'SIGCONT');
    for (const answer of answers) assert.deepEqual([answer.status, codeOf(answer), answer.headers['retry-after']], [503, 'SERVICE_UNAVAILABLE', '1'], answer.text);
    for (const answer of health) assert.deepEqual([answer.status, answer.text, answer.headers['content-type']], [503, '{"status":"error"}', 'application/health+json; charset=utf-8']);
    await until(async () => (await ask('/items/posts')).status === 200, 'recovery');
    assert.equal((await ask('/server/health')).status, 200);
});

test('without_redis_content_is_served_and_tracking_says_503', async () => {
    await backends.redis('set', 'x', 'y');
    process.kill(await backends.redisPid(), 'SIGSTOP');
    process.kill(await backends.redisPid(), 'SIGKILL');
    assert.equal((await ask('/items/posts')).status, 200);
    const track = () => stack.call({ method: 'POST', path: '/api/track/pageview', host: 'a.example', body: { page_path: '/' } });
    const answers = [];
    await until(async () => {
        answers.push(await track());
        return answers.at(-1).status === 202;
    }, 'recovery');
    for (const answer of answers.slice(0, -1)) assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '1']);
});

test('drain_finishes_what_is_in_flight_and_refuses_what_comes', async () => {
    const idle = net.connect(stack.port, '127.0.0.1');
    idle.write(head('GET /server/ping'));
    await once(idle, 'data');
    const idleClosed = once(idle, 'close');
    const answers = await frozen(async () => {
        const held = Array.from({ length: 4 }, (_, n) => stack.call({ path: `/items/posts?sort=id&limit=${n + 1}`, token: stack.adminToken }));
        await until(async () => (await stack.call({ path: '/server/ping' })).status === 200, 'the loop');
        stack.server.process.kill('SIGTERM');
        await idleClosed;
        await assert.rejects(stack.call({ path: '/server/ping', agent: false }), 'nobody listens any more');
        return held;
    });
    for (const answer of await Promise.all(answers)) {
        assert.equal(answer.status, 200);
        assert.equal(answer.headers.connection, 'close');
    }
    assert.deepEqual(await stack.server.ended, { code: 0, signal: null });
});
