// Clients that do not read: what they may cost, and whom they may cost it.

import assert from 'node:assert/strict';
import net from 'node:net';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../support/api.mjs';
import { until } from '../support/stack.mjs';

const MIB = 1 << 20;
const READERS = 60;
let stack;
let site;
before(async () => {
    // Without its quarantine the sanitizer's allocator gives back what is freed, as the real one.
    const asan = `${process.env.ASAN_OPTIONS ?? 'detect_leaks=1'}:quarantine_size_mb=0:thread_local_quarantine_size_kb=0`;
    stack = await startApi({ env: { ASAN_OPTIONS: asan } });
    site = await makeTenant(stack, 'A', 'a.example');
    await stack.rows(`insert into posts (site_id, title, slug, status, content)
        select '${site.id}', 'Post ' || n, 'post-of-many-' || n, 'published', repeat('x', 1000) from generate_series(1, 10000) n`);
});
after(() => stack.stop());

const bytes = async (name) => Number((await readFile(`/proc/${stack.server.pid}/status`, 'utf8')).match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))[1]) * 1024;
const counter = async (name) => Number((await stack.call({ path: '/metrics', token: stack.adminToken })).text.match(new RegExp(`^spark_${name} (\\d+)`, 'm'))[1]);
const request = 'GET /items/posts?limit=-1 HTTP/1.1\r\nHost: a.example\r\n\r\n';

/** A connection that has asked; nobody reads it until read() is called. */
function ask(address = '127.0.0.1') {
    const client = { socket: net.connect({ port: stack.port, host: '127.0.0.1', localAddress: address }), isClosed: false };
    client.socket.on('error', () => {});
    client.socket.on('close', () => (client.isClosed = true));
    client.socket.pause();
    client.socket.write(request);
    return client;
}

/** Reads all of the answer, a piece and a pause at a time. */
async function read(client, piece = 256 * 1024) {
    let text = '';
    let wanted;
    while (wanted === undefined || text.length < wanted) {
        await until(() => client.socket.readableLength > 0 || client.isClosed, 'more of the answer');
        const chunk = client.socket.read();
        if (chunk === null && client.isClosed) break;
        if (chunk !== null) text += chunk.toString('latin1');
        const end = text.indexOf('\r\n\r\n');
        if (wanted === undefined && end > 0) wanted = end + 4 + Number(text.match(/^content-length: (\d+)/im)[1]);
        if (text.length % piece === 0) await new Promise((resume) => setImmediate(resume));
    }
    return { status: Number(text.slice(9, 12)), isWhole: text.length === wanted, length: text.length };
}

const allAnswered = () => until(async () => (await counter('http_in_flight')) === 1, 'the ends of their requests');

test('sixty_that_do_not_read_cost_a_bounded_memory_which_comes_back', async () => {
    assert.equal((await stack.call({ path: '/items/posts?limit=-1', host: 'a.example' })).body.data.length, 10000);
    await until(async () => (await counter('http_answer_bytes')) === 0, 'the first answer to be out');
    const before = await bytes('VmRSS');
    const clients = Array.from({ length: READERS }, () => ask());
    await until(async () => (await counter('http_requests')) >= READERS, 'their requests');
    await allAnswered();
    const peak = await bytes('VmHWM');
    assert.ok(peak - before <= 150 * MIB, `${((peak - before) / MIB).toFixed()} MiB more at the peak`);
    assert.ok((await counter('http_answer_bytes')) <= 96 * MIB);
    clients.forEach((client) => client.socket.destroy());
    await until(async () => (await counter('http_answer_bytes')) === 0, 'the answers to be gone');
    await until(async () => (await bytes('VmRSS')) <= before + 8 * MIB, 'the memory to come back');
});

test('who_reads_slowly_gets_the_whole_answer_while_sixty_do_not_read', async () => {
    const honest = ask('127.0.0.2');
    await until(() => honest.socket.readableLength > 0, 'the beginning of the answer');
    const refused = await counter('http_answers_refused');
    let clients = Array.from({ length: READERS }, () => ask());
    await until(async () => (await counter('http_answers_refused')) > refused, 'the budget to be used up');
    const answer = read(honest);
    await allAnswered();
    const more = Array.from({ length: READERS }, () => ask());
    assert.deepEqual([(await answer).status, (await answer).isWhole], [200, true]);
    await allAnswered();
    [...clients, ...more, honest].forEach((client) => client.socket.destroy());
    await until(async () => (await counter('http_answer_bytes')) === 0, 'the answers to be gone');
});

test('answers_that_nobody_reads_make_room_for_new_ones', async () => {
    const clients = Array.from({ length: READERS }, () => ask());
    await allAnswered();
    const evicted = await counter('http_answers_evicted');
    await until(async () => {
        const late = ask('127.0.0.2');
        const { status, isWhole } = await read(late);
        late.socket.destroy();
        return status === 200 && isWhole;
    }, 'room');
    assert.ok((await counter('http_answers_evicted')) > evicted);
    clients.forEach((client) => client.socket.destroy());
});

test('small_answers_are_given_whatever_the_large_ones_hold', async () => {
    const clients = Array.from({ length: READERS }, () => ask());
    await allAnswered();
    for (let n = 0; n < 20; n++) assert.equal((await stack.call({ path: '/items/posts?limit=5', host: 'a.example' })).status, 200);
    clients.forEach((client) => client.socket.destroy());
    await until(async () => (await counter('http_answer_bytes')) === 0, 'the answers to be gone');
});

test('who_reads_nothing_for_the_whole_time_out_is_closed', async () => {
    const short = await startApi({ env: { SEND_TIMEOUT: '2000' } });
    const outer = stack;
    try {
        stack = short;
        const tenant = await makeTenant(stack, 'A', 'a.example');
        await stack.rows(`insert into posts (site_id, title, slug, status, content) select '${tenant.id}', 'Post', 'post-of-many-' || n, 'published', repeat('x', 1000) from generate_series(1, 10000) n`);
        const client = ask();
        await until(async () => (await counter('http_send_timeouts')) === 1, 'the time-out');
        await until(async () => (await counter('http_answer_bytes')) === 0, 'its memory');
        client.socket.destroy();
    } finally {
        stack = outer;
        await short.stop();
    }
});
