// Where a request ends: one answer to every way of saying it, and no second request taken from what
// a refused one leaves behind.

import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

import { makeTenant, raw, startApi } from '../../support/api.mjs';
import { clear, refused } from '../../support/framings.mjs';
import { until } from '../../support/stack.mjs';

let stack;
before(async () => {
    stack = await startApi();
    await makeTenant(stack, 'A', 'a.example');
});
after(() => stack.stop());

const next = 'GET /server/ping HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';
const statuses = (text) => [...text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map((m) => Number(m[1]));
const counter = async (name) => Number((await stack.call({ path: '/metrics', token: stack.adminToken })).text.match(new RegExp(`^spark_${name} (\\d+)`, 'm'))[1]);

test('what_is_clear_is_answered_and_the_connection_goes_on', async () => {
    for (const [name, [bytes, status]] of Object.entries(clear)) {
        const { text, ended } = await raw(stack, Buffer.from(bytes + next, 'latin1'));
        assert.deepEqual([statuses(text), ended], [[status, 200], true], `${name}: ${text}`);
    }
});

test('every_framing_that_is_not_has_its_one_answer_and_ends_the_connection', async () => {
    const before = await counter('http_framing_refused');
    for (const [name, [bytes, status]] of Object.entries(refused)) {
        const { text, ended } = await raw(stack, Buffer.from(bytes + next, 'latin1'));
        assert.deepEqual([statuses(text), ended], [[status], true], `${name}: ${text}`);
        const [head, body] = text.split('\r\n\r\n');
        assert.match(head, /^connection: close$/im, name);
        assert.equal(JSON.parse(body).errors.length, 1, name);
    }
    assert.equal(await counter('http_framing_refused'), before + Object.keys(refused).length);
    assert.deepEqual(await stack.rows('select count(*) from posts'), [['3']]);
});

test('it_does_not_matter_how_the_bytes_are_split', async () => {
    const piecewise = async (bytes, size) => {
        const socket = net.connect({ port: stack.port, host: '127.0.0.1', noDelay: true });
        let text = '';
        socket.on('data', (chunk) => (text += chunk.toString('latin1')));
        socket.on('error', () => {});
        const closed = once(socket, 'close');
        for (let i = 0; i < bytes.length && socket.writable; i += size) {
            socket.write(bytes.subarray(i, i + size));
            await new Promise((resume) => setImmediate(resume));
        }
        await closed;
        return statuses(text);
    };
    for (const name of ['length and chunks', 'a chunk size with 0x', 'a trailer', 'a bare CR in a header', 'a folded header'])
        for (const size of [1, 7]) assert.deepEqual(await piecewise(Buffer.from(refused[name][0] + next, 'latin1'), size), [refused[name][1]], name);
    for (const name of ['a length', 'chunks', 'an address of this host for a target'])
        for (const size of [1, 7]) assert.deepEqual(await piecewise(Buffer.from(clear[name][0] + next, 'latin1'), size), [clear[name][1], 200], name);
});

test('a_refusal_speaks_the_language_of_the_path', async () => {
    const { text } = await raw(stack, 'POST /api/lead HTTP/1.1\r\nHost: a.example\r\nContent-Length: +1\r\n\r\n{');
    assert.deepEqual(JSON.parse(text.split('\r\n\r\n')[1]), { error: true, message: 'The Content-Length is not one decimal number of at most 18 digits.', code: 'INVALID_PAYLOAD' });
});

test('a_chunk_that_breaks_in_a_large_body_is_400_and_closes', async () => {
    const head = `POST /items/posts HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer ${stack.adminToken}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const { text, ended } = await raw(stack, `${head}20000\r\n${'a'.repeat(0x20000)}\r\n0x0\r\n\r\n${next}`);
    assert.deepEqual([statuses(text), ended], [[400], true], text);
});

test('chunks_of_every_size_make_the_same_body', async () => {
    const body = JSON.stringify({ query: { filter: { title: { _neq: 'x'.repeat(200000) } } } });
    for (const size of [50, 4096, 65536, 150000]) {
        let chunks = '';
        for (let i = 0; i < body.length; i += size) chunks += `${body.slice(i, i + size).length.toString(16)}\r\n${body.slice(i, i + size)}\r\n`;
        const { text } = await raw(stack, `SEARCH /items/posts HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer ${stack.adminToken}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n${next}`);
        assert.deepEqual(statuses(text), [200, 200], `${size}: ${text}`);
    }
});

test('many_pipelined_requests_with_bodies_are_answered_in_order', async () => {
    const one = (n) => `POST /api/nope-${n} HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\nabc`;
    const bytes = Array.from({ length: 200 }, (_, n) => one(n)).join('') + next;
    const { text } = await raw(stack, bytes);
    assert.deepEqual([...text.matchAll(/nope-(\d+)/g)].map((m) => Number(m[1])).filter((n, i, all) => i === 0 || n !== all[i - 1]), Array.from({ length: 200 }, (_, n) => n));
    await until(async () => (await counter('http_in_flight')) === 1, 'their ends');
});
