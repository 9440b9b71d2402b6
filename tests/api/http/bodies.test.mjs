// Bodies: who may send a large one is known before it is read, and all of them together have a
// limit.

import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../../support/api.mjs';
import { until } from '../../support/stack.mjs';

const MIB = 1 << 20;
let stack;
let a;
let b;
before(async () => {
    stack = await startApi({ env: { BODY_MEMORY: String(16 * MIB), BULK_PAYLOAD_SIZE: String(32 * MIB), BODY_TIMEOUT: '8000' } });
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
});
after(() => stack.stop());

/** A connection that has sent `bytes`: { socket, text, isClosed }. */
function open(bytes, address = '127.0.0.1') {
    const client = { socket: net.connect({ port: stack.port, host: '127.0.0.1', localAddress: address }), text: '', isClosed: false };
    client.socket.on('data', (chunk) => (client.text += chunk.toString('latin1')));
    client.socket.on('close', () => (client.isClosed = true));
    client.socket.on('error', () => {});
    client.socket.write(bytes);
    return client;
}
const head = (length, token, ...headers) =>
    [`POST /api/admin/import-blueprint HTTP/1.1`, `Host: ${token === b.token ? 'b' : 'a'}.example`, 'Content-Type: application/json', `Content-Length: ${length}`, ...(token ? [`Authorization: Bearer ${token}`] : []), ...headers, '', ''].join('\r\n');
const status = (client) => Number(client.text.slice(9, 12));
const ended = (client) => until(() => client.isClosed, 'the end of the connection');
const counter = async (name) => Number((await stack.call({ path: '/metrics', token: stack.adminToken })).text.match(new RegExp(`^spark_${name} (\\d+)`, 'm'))[1]);
const noneHeld = () => until(async () => (await counter('http_body_bytes')) === 0, 'the bodies to be gone');

test('a_large_body_is_refused_by_its_head_and_never_read', async () => {
    const refusals = [[undefined, 401], ['not-a-token', 401], [a.readToken, 403]];
    for (const [token, wanted] of refusals) {
        const client = open(head(4 * MIB, token));
        await ended(client);
        assert.equal(status(client), wanted, client.text);
        assert.match(client.text, /^connection: close$/im);
    }
    const large = open(head(24 * MIB, stack.adminToken));
    await ended(large);
    assert.equal(status(large), 413, large.text);
    const nowhere = open(head(4 * MIB, stack.adminToken).replace('import-blueprint', 'nope'));
    await ended(nowhere);
    assert.equal(status(nowhere), 404, nowhere.text);
    await noneHeld();
});

test('who_sends_on_while_being_refused_still_reads_why', async () => {
    const client = open(head(8 * MIB));
    client.socket.write('x'.repeat(8 * MIB) + 'GET /server/ping HTTP/1.1\r\nHost: a.example\r\n\r\n');
    await ended(client);
    assert.equal(status(client), 401, client.text);
    assert.equal(client.text.match(/HTTP\/1\.1 /g).length, 1);
});

test('go_on_is_said_to_those_who_may', async () => {
    const refused = open(head(10, undefined, 'Expect: 100-continue'));
    await ended(refused);
    assert.equal(status(refused), 401, refused.text);
    const taken = open(head(2, stack.adminToken, 'Expect: 100-continue', 'Connection: close'));
    await until(() => taken.text.includes('\r\n\r\n'), 'the word');
    assert.equal(taken.text, 'HTTP/1.1 100 Continue\r\n\r\n');
    taken.socket.write('{}');
    await ended(taken);
    assert.match(taken.text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 400 /);
});

test('a_large_body_of_somebody_who_may_arrives_whole_and_the_connection_goes_on', async () => {
    const body = JSON.stringify({ title: 'large', slug: 'large', status: 'draft', content: 'y'.repeat(700000) });
    const post = `POST /items/posts HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nAuthorization: Bearer ${a.token}\r\n\r\n${body}`;
    const client = open(`${post}GET /server/ping HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`);
    await ended(client);
    assert.match(client.text, /^HTTP\/1\.1 200 [^]*HTTP\/1\.1 200 [^]*pong$/);
    assert.deepEqual(await stack.rows("select length(content) from posts where slug = 'large'"), [['700000']]);
    await noneHeld();
});

test('a_chunked_body_over_the_limit_of_its_route_is_413_where_it_passes_it', async () => {
    const client = open(`POST /items/posts HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nAuthorization: Bearer ${a.token}\r\n\r\n`);
    client.socket.write(`180000\r\n${'z'.repeat(0x180000)}`);
    await ended(client);
    assert.equal(status(client), 413, client.text);
    await noneHeld();
});

test('one_site_and_one_address_have_three_quarters_of_the_memory_and_a_body_that_stands_still_makes_room', async () => {
    const hold = (token, address) => {
        const client = open(head(10 * MIB, token), address);
        client.socket.write('x'.repeat(7 * MIB));
        return client;
    };
    const first = hold(a.token, '127.0.0.1');
    await until(async () => (await counter('http_body_bytes')) >= 7 * MIB, 'the first');
    const sameSite = hold(a.token, '127.0.0.2');
    await ended(sameSite);
    assert.equal(status(sameSite), 503, sameSite.text);
    assert.match(sameSite.text, /^retry-after: 1$/im);
    const other = hold(b.token, '127.0.0.3');
    await until(async () => (await counter('http_body_bytes')) >= 14 * MIB, 'the one of the other site');
    assert.ok(!first.isClosed);
    // Nothing more comes of either; when the next ones have been refused for a while, they go.
    const evicted = await counter('http_bodies_evicted');
    await until(async () => {
        const next = open(head(9 * MIB, b.token, 'Connection: close'), '127.0.0.4');
        next.socket.write('x'.repeat(9 * MIB));
        await ended(next);
        return status(next) !== 503;
    }, 'room');
    assert.ok((await counter('http_bodies_evicted')) > evicted);
    [first, other].forEach((client) => client.socket.destroy());
    await noneHeld();
});

test('half_heads_count_too_and_what_finds_no_room_is_503', async () => {
    const half = `GET /server/ping HTTP/1.1\r\nHost: a.example\r\nX-Long: ${'x'.repeat(120000)}`;
    const clients = Array.from({ length: 128 }, () => open(half, '127.0.0.5'));
    const refused = await until(() => clients.find((client) => client.isClosed), 'a refusal');
    assert.equal(status(refused), 503, refused.text);
    const held = await counter('http_body_bytes');
    assert.ok(held > 8 * MIB && held <= 12 * MIB, `${held} bytes are counted`);
    const small = open('GET /server/ping HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n', '127.0.0.5');
    await ended(small);
    assert.equal(status(small), 200, small.text);
    clients.forEach((client) => client.socket.destroy());
    await noneHeld();
});

test('a_body_is_given_back_when_it_is_answered_not_when_the_answer_is_read', async () => {
    const title = 'x'.repeat(60000);
    const search = JSON.stringify({ query: { limit: -1, filter: { title: { _neq: title } } } });
    await stack.rows(`insert into posts (site_id, title, slug, status, content)
        select '${a.id}', 'Long ' || n, 'long-' || n, 'published', repeat('x', 15000) from generate_series(1, 400) n`);
    const client = open(`SEARCH /items/posts HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\nAuthorization: Bearer ${a.token}\r\nContent-Length: ${search.length}\r\n\r\n${search}`);
    client.socket.pause();
    await until(async () => (await counter('http_answer_bytes')) > MIB && (await counter('http_in_flight')) === 1, 'the answer that nobody reads');
    assert.equal(await counter('http_body_bytes'), 0);
    client.socket.destroy();
});

test('a_body_that_comes_too_slowly_is_408', async () => {
    const small = open(head(100, stack.adminToken) + 'x');
    const large = open(head(4 * MIB, stack.adminToken) + 'x'.repeat(100000));
    await Promise.all([small, large].map(ended));
    assert.deepEqual([status(small), status(large)], [408, 408]);
    await noneHeld();
});
