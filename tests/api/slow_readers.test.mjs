// Clients that do not read: what they may cost, and whom they may cost it.

import assert from 'node:assert/strict';
import net from 'node:net';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { makeTenant, startApi } from '../support/api.mjs';
import { until } from '../support/stack.mjs';

const MIB = 1 << 20;
const READERS = 60;
const PATIENCE = 240; // seconds: the rows of sixty large answers take their time on a busy machine

/** A server with a site and `count` published posts of 15 KB. */
async function start(count, env) {
    // Without its quarantine the sanitizer's allocator gives back what is freed, as the real one.
    const asan = `${process.env.ASAN_OPTIONS ?? 'detect_leaks=1'}:quarantine_size_mb=0:thread_local_quarantine_size_kb=0`;
    const stack = await startApi({ env: { ASAN_OPTIONS: asan, REQUEST_TIMEOUT: '300000', STATEMENT_TIMEOUT: '300000', ...env } });
    const site = await makeTenant(stack, 'A', 'a.example');
    await stack.rows(`insert into posts (site_id, title, slug, status, content)
        select '${site.id}', 'Post ' || n, 'post-of-many-' || n, 'published', repeat('x', 15000) from generate_series(1, ${count}) n`);
    return stack;
}

const bytes = async (stack, name) => Number((await readFile(`/proc/${stack.server.pid}/status`, 'utf8')).match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))[1]) * 1024;
const counter = async (stack, name) => Number((await stack.call({ path: '/metrics', token: stack.adminToken })).text.match(new RegExp(`^spark_${name} (\\d+)`, 'm'))[1]);
const request = 'GET /items/posts?limit=-1 HTTP/1.1\r\nHost: a.example\r\n\r\n';

/** A connection that has asked; nobody reads it until read() is called. */
function ask(stack, address = '127.0.0.1') {
    const client = { socket: net.connect({ port: stack.port, host: '127.0.0.1', localAddress: address }), isClosed: false };
    client.socket.on('error', () => {});
    client.socket.on('close', () => (client.isClosed = true));
    client.socket.pause();
    client.socket.write(request);
    return client;
}
const askMany = (stack, address) => Array.from({ length: READERS }, () => ask(stack, address));
const end = (clients) => clients.forEach((client) => client.socket.destroy());

/** Reads on until there are `least` bytes, or the whole answer: { status, isWhole }. */
async function read(client, least = Infinity) {
    client.text ??= '';
    for (;;) {
        const head = client.text.indexOf('\r\n\r\n');
        const wanted = head < 0 ? Infinity : head + 4 + Number(client.text.match(/^content-length: (\d+)/im)[1]);
        if (client.text.length >= Math.min(wanted, least) || (client.isClosed && client.socket.readableLength === 0))
            return { status: Number(client.text.slice(9, 12)), isWhole: client.text.length === wanted };
        client.text += client.socket.read()?.toString('latin1') ?? '';
        await new Promise((resume) => setTimeout(resume, 1));
    }
}

/** Clients that ask and do not read, until there is no memory for one more answer. */
async function useUp(stack) {
    const refused = await counter(stack, 'http_answers_refused');
    const clients = askMany(stack);
    await until(async () => (await counter(stack, 'http_answers_refused')) > refused, 'the memory to be used up', PATIENCE);
    return clients;
}
const noneHeld = (stack) => until(async () => (await counter(stack, 'http_answer_bytes')) === 0, 'the answers to be gone', PATIENCE);

test('sixty_that_do_not_read_cost_a_bounded_memory_which_comes_back', async () => {
    const stack = await start(1000, { SEND_TIMEOUT: '600000' });
    try {
        // The first large answer also fills caches that stay.
        assert.equal((await stack.call({ path: '/items/posts?limit=-1', host: 'a.example' })).body.data.length, 1002);
        await noneHeld(stack);
        const before = await bytes(stack, 'VmRSS');
        const clients = await useUp(stack);
        const peak = await bytes(stack, 'VmHWM');
        assert.ok(peak - before <= 150 * MIB, `${((peak - before) / MIB).toFixed()} MiB more at the peak`);
        assert.ok((await counter(stack, 'http_answer_bytes')) <= 96 * MIB);
        end(clients);
        await noneHeld(stack);
        await until(async () => (await bytes(stack, 'VmRSS')) <= before + 8 * MIB, 'the memory to come back');
    } finally {
        await stack.stop();
    }
});

test('readers_that_stand_still_make_room_and_those_that_go_on_get_all', async (t) => {
    const stack = await start(200, { ANSWER_MEMORY: String(12 * MIB), SEND_TIMEOUT: '600000' });
    try {
        await t.test('who reads slowly gets the whole answer while sixty do not read', async () => {
            const honest = ask(stack, '127.0.0.2');
            await read(honest, 64 * 1024);
            const clients = await useUp(stack);
            await read(honest, 256 * 1024);
            clients.push(...askMany(stack));
            const { status, isWhole } = await read(honest);
            assert.deepEqual([status, isWhole], [200, true]);
            end([...clients, honest]);
            await noneHeld(stack);
        });
        await t.test('what finds no room is 503, and small answers are given all the same', async () => {
            const clients = await useUp(stack);
            for (let n = 0; n < 20; n++) assert.equal((await stack.call({ path: '/items/posts?limit=1&fields=title', host: 'a.example' })).status, 200);
            assert.ok((await counter(stack, 'http_answer_bytes')) <= 9 * MIB, 'three quarters for one site');
            const refused = await until(async () => {
                const answer = await stack.call({ path: '/items/posts?limit=-1', host: 'a.example' });
                return answer.status === 503 ? answer : undefined;
            }, 'a refusal', PATIENCE);
            assert.equal(refused.headers['retry-after'], '1');
            end(clients);
            await noneHeld(stack);
        });
        await t.test('an answer that nobody reads from is given up for a new one', async () => {
            const clients = await useUp(stack);
            const evicted = await counter(stack, 'http_answers_evicted');
            await until(async () => {
                const late = ask(stack, '127.0.0.2');
                const { status, isWhole } = await read(late);
                end([late]);
                return status === 200 && isWhole;
            }, 'room', PATIENCE);
            assert.ok((await counter(stack, 'http_answers_evicted')) > evicted);
            end(clients);
            await noneHeld(stack);
        });
    } finally {
        await stack.stop();
    }
});

test('who_reads_nothing_for_the_whole_time_out_is_closed', async () => {
    const stack = await start(200, { SEND_TIMEOUT: '2000' });
    try {
        const client = ask(stack);
        await until(async () => (await counter(stack, 'http_send_timeouts')) === 1, 'the time-out', PATIENCE);
        await noneHeld(stack);
        end([client]);
    } finally {
        await stack.stop();
    }
});
