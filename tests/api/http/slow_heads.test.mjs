// Connections that ask for nothing, or not yet: how many one address may have, how long a head may
// take, and who makes room for whom.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import net from 'node:net';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { makeTenant, startApi } from '../../support/api.mjs';
import { binary, until } from '../../support/stack.mjs';

const limits = { CONNECTIONS_MAX: '400', CONNECTIONS_PER_ADDRESS: '300', HEADS_PER_ADDRESS: '50', HEAD_TIMEOUT: '600000', TRUSTED_PROXIES: '127.0.0.9' };
let stack;
before(async () => {
    stack = await startApi({ env: limits });
    await allGone(); // fetch() keeps the connection of the first ping for some seconds
});
after(() => stack.stop());

const half = 'GET /server/ping HTTP/1.1\r\nHost: a.example\r\n';
const whole = `${half}\r\n`;

/** A connection from `address` that has sent `bytes`: { socket, text, isClosed }. */
async function open(bytes = '', address = '127.0.0.1') {
    const client = { socket: net.connect({ port: stack.port, host: '127.0.0.1', localAddress: address }), text: '', isClosed: false };
    client.socket.on('data', (chunk) => (client.text += chunk.toString('latin1')));
    client.socket.on('close', () => (client.isClosed = true));
    client.socket.on('error', () => {});
    await Promise.race([once(client.socket, 'connect'), once(client.socket, 'close')]);
    if (bytes && !client.isClosed) client.socket.write(bytes);
    return client;
}
const openMany = (count, bytes, address) => Promise.all(Array.from({ length: count }, () => open(bytes, address)));
/** Idle ones, which have had an answer. */
async function openIdle(count, address) {
    const clients = [];
    while (clients.length < count) {
        const some = await openMany(Math.min(40, count - clients.length), whole, address);
        await Promise.all(some.map(answered));
        clients.push(...some);
    }
    return clients;
}
const closed = (clients) => clients.filter((client) => client.isClosed).length;
const end = (clients) => clients.forEach((client) => client.socket.destroy());
const answered = (client) => until(() => client.text.includes('pong'), 'an answer');
const counter = async (name) => {
    const client = await open(`GET /metrics HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer ${stack.adminToken}\r\nConnection: close\r\n\r\n`, '127.0.0.8');
    await until(() => client.isClosed, 'the metrics');
    return Number(client.text.match(new RegExp(`^spark_${name} (\\d+)`, 'm'))[1]);
};
const allGone = () => until(async () => (await counter('http_connections')) === 1, 'the end of the connections');

test('an_address_that_holds_all_the_connections_it_may_keeps_nobody_else_waiting', async () => {
    const idle = await openIdle(300, '127.0.0.1');
    const more = await openMany(150, half);
    await until(() => closed(more) === 150, 'the refusals');
    assert.equal(closed(idle), 0);
    const other = await open(whole, '127.0.0.2');
    await answered(other);
    assert.ok((await counter('http_address_refused')) >= 150);
    end([...idle, other]);
    await allGone();
});

test('more_half_heads_than_connections_of_one_address_delay_no_other', async () => {
    const flood = await openMany(450, half);
    await until(() => closed(flood) >= 400, 'the end of the oldest');
    const other = await open(whole, '127.0.0.2');
    await answered(other);
    assert.equal(closed(flood), 400, 'as many as may be are still there');
    end([...flood, other]);
    await allGone();
});

test('of_too_many_half_heads_the_oldest_is_closed', async () => {
    const before = await counter('http_head_evicted');
    const heads = [];
    for (let n = 0; n < 50; n++) heads.push(await open(half));
    await until(async () => (await counter('http_connections')) === 51, 'all of them');
    const last = await open(half);
    await until(() => heads[0].isClosed, 'the oldest');
    assert.equal(closed(heads), 1);
    assert.equal(await counter('http_head_evicted'), before + 1);
    last.socket.write('\r\n');
    await answered(last);
    end([...heads, last]);
    await allGone();
});

test('when_all_connections_are_taken_an_idle_one_makes_room', async () => {
    const idle = [...(await openIdle(200, '127.0.0.2')), ...(await openIdle(200, '127.0.0.3'))];
    const late = await open(whole, '127.0.0.4');
    await answered(late);
    assert.equal(closed(idle), 1);
    end([...idle, late]);
    await allGone();
});

/* Clients that have begun to read; each has its place before the next one comes. */
async function takeAll(count, bytes) {
    const clients = [];
    while (clients.length < count) {
        const client = await open(bytes, `127.0.0.${2 + (clients.length % 3)}`);
        client.socket.once('data', () => client.socket.pause());
        await until(() => client.text.length > 0, 'the first bytes');
        clients.push(client);
    }
    return clients;
}

test('when_all_connections_are_taken_one_that_has_stood_still_for_seconds_makes_room', async (t) => {
    const small = await startApi({ env: { CONNECTIONS_MAX: '40', BODY_TIMEOUT: '600000', SEND_TIMEOUT: '600000', ANSWER_MEMORY: String(1 << 30) } });
    const port = stack.port;
    try {
        const site = await makeTenant(small, 'A', 'a.example');
        await small.rows(`insert into posts (site_id, title, slug, status, content)
            select '${site.id}', 'Post ' || n, 'post-of-many-' || n, 'published', repeat('x', 15000) from generate_series(1, 200) n`);
        stack.port = small.port;
        await t.test('in the middle of a body', async () => {
            const clients = await takeAll(40, `${whole}POST /api/lead HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100\r\n\r\nx`);
            const late = await open(whole, '127.0.0.9');
            await answered(late);
            end([...clients, late]);
        });
        await t.test('in the middle of an answer', async () => {
            const clients = await takeAll(40, 'GET /items/posts?limit=-1 HTTP/1.1\r\nHost: a.example\r\n\r\n');
            const late = await open(whole, '127.0.0.9');
            await answered(late);
            end([...clients, late]);
        });
    } finally {
        stack.port = port;
        await small.stop();
    }
});

test('our_proxies_have_no_limit_of_their_own', async () => {
    const clients = await openIdle(350, '127.0.0.9');
    assert.equal(closed(clients), 0);
    end(clients);
    await allGone();
});

test('doctor_says_how_many_connections_the_descriptors_allow', async () => {
    const run = promisify(execFile);
    const look = async (limit) => {
        const { stdout } = await run('bash', ['-c', `ulimit -n ${limit} && "$0" doctor --json`, binary], { env: { ...process.env, ...stack.env } }).catch((error) => error);
        return JSON.parse(stdout).find((finding) => finding.subject === 'client connections');
    };
    assert.deepEqual([(await look(500)).state, (await look(500)).detail], ['odd', '244, with 500 descriptors']);
    assert.equal((await look(1000)).state, 'good');
});

test('a_head_has_its_time_and_an_idle_connection_another', async () => {
    const fast = await startApi({ env: { HEAD_TIMEOUT: '1000', KEEPALIVE_TIMEOUT: '4000', SEND_TIMEOUT: '600000' } });
    const port = stack.port;
    try {
        stack.port = fast.port;
        const [silent, slow, idle] = [await open(), await open(half), await open(whole)];
        await answered(idle);
        await until(() => silent.isClosed && slow.isClosed, 'the end of both');
        assert.equal(silent.text, '');
        assert.match(slow.text, /^HTTP\/1\.1 408 [^]*"code":"OUT_OF_TIME"/);
        assert.ok(!idle.isClosed, 'an idle connection has more time than a head');
        idle.text = '';
        idle.socket.write(whole);
        await answered(idle);
        idle.socket.write(half);
        await until(() => idle.isClosed, 'the end of the second head');
        assert.match(idle.text, /pongHTTP\/1\.1 408 /);
        const left = await open(whole);
        await answered(left);
        await until(() => left.isClosed, 'the end of keep-alive');
        assert.ok(left.text.endsWith('pong'));
    } finally {
        stack.port = port;
        await fast.stop();
    }
});
