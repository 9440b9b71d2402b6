// Clients that do not read: whom they may cost what. What they cost in memory: tests/stack/memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MIB, PATIENCE, ask, askMany, counter, end, noneHeld, read, start, useUp } from '../../support/readers.mjs';
import { until } from '../../support/stack.mjs';

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

test('what_has_been_read_is_given_back_while_the_rest_waits', async () => {
    const stack = await start(2000, { SEND_TIMEOUT: '600000' });
    try {
        const client = ask(stack);
        await until(async () => (await counter(stack, 'http_answer_bytes')) > 28 * MIB, 'the answer', PATIENCE);
        await read(client, 20 * MIB);
        await until(async () => (await counter(stack, 'http_answer_bytes')) < 20 * MIB, 'what was read to be given back', PATIENCE);
        const { status, isWhole } = await read(client);
        assert.deepEqual([status, isWhole], [200, true]);
        await noneHeld(stack);
        end([client]);
    } finally {
        await stack.stop();
    }
});

test('small_answers_count_when_nobody_reads_them', async () => {
    const stack = await start(10, { SEND_TIMEOUT: '600000' });
    try {
        const client = ask(stack, '127.0.0.1', 'GET /items/posts?limit=3 HTTP/1.1\r\nHost: a.example\r\n\r\n'.repeat(100));
        await until(async () => (await counter(stack, 'http_answer_bytes')) > 0, 'the one that does not go out', PATIENCE);
        assert.ok((await counter(stack, 'http_answer_bytes')) <= 64 * 1024);
        end([client]);
        await noneHeld(stack);
    } finally {
        await stack.stop();
    }
});

test('answers_of_writes_are_counted_and_never_refused', async () => {
    const stack = await start(200, { ANSWER_MEMORY: String(12 * MIB), SEND_TIMEOUT: '600000' });
    try {
        const keys = (await stack.rows("select id from posts where slug like 'post-of-many-%'")).map(([id]) => id);
        const body = JSON.stringify({ keys, data: { excerpt: 'changed' } });
        const patch = `PATCH /items/posts HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\nAuthorization: Bearer ${stack.adminToken}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
        const first = ask(stack, '127.0.0.1', patch);
        await until(async () => (await counter(stack, 'http_answer_bytes')) > MIB, 'the answer to be counted', PATIENCE);
        const clients = await useUp(stack);
        const { status, isWhole } = await read(ask(stack, '127.0.0.1', patch));
        assert.deepEqual([status, isWhole], [200, true]);
        end([...clients, first]);
        await noneHeld(stack);
    } finally {
        await stack.stop();
    }
});

test('a_proxy_that_does_not_say_for_whom_it_asks_is_no_owner', async () => {
    const stack = await start(200, { ANSWER_MEMORY: String(12 * MIB), SEND_TIMEOUT: '600000', TRUSTED_PROXIES: '127.0.0.9' });
    try {
        const list = `GET /items/posts?limit=-1 HTTP/1.1\r\nHost: 127.0.0.1:${stack.port}\r\nAuthorization: Bearer ${stack.adminToken}\r\n\r\n`;
        const clients = Array.from({ length: 4 }, () => ask(stack, '127.0.0.9', list));
        await until(async () => (await counter(stack, 'http_answer_bytes')) > 9 * MIB, 'more than the share of one owner', PATIENCE);
        end(clients);
        await noneHeld(stack);
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
