// Floods in full: on the release build alone, for a sanitizer's server is slow and its allocator
// keeps what is freed.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { startApi } from '../support/api.mjs';
import { MIB, bytes, counter } from '../support/readers.mjs';
import { buildFolder, until } from '../support/stack.mjs';

const testOfRelease = path.basename(buildFolder) === 'asan' ? () => {} : test;
const HEADS = 10050;
const RESERVED = 500; // descriptors of this process and of the server for other things

const ping = 'GET /server/ping HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';

function open(stack, sent, address) {
    const socket = net.connect({ port: stack.port, host: '127.0.0.1', localAddress: address });
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.write(sent);
    return socket;
}
const end = (sockets) => sockets.forEach((socket) => socket.destroy());

/** What one client of its own gets: the whole answer. */
async function ask(stack, sent) {
    const socket = net.connect({ port: stack.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.write(sent);
    await once(socket, 'close');
    return text;
}

testOfRelease('ten_thousand_half_heads_of_one_address_keep_no_other_waiting', async () => {
    const stack = await startApi({ env: { HEAD_TIMEOUT: '600000' } });
    try {
        const { stdout } = await promisify(execFile)('bash', ['-c', 'ulimit -n']);
        const count = Math.min(HEADS, Number(stdout) - RESERVED || HEADS);
        const before = await bytes(stack, 'VmRSS');
        let most = before; // VmHWM is that of the first password's hash
        const heads = [];
        while (heads.length < count) {
            for (let i = 0; i < 150 && heads.length < count; i++) heads.push(open(stack, 'GET / HTTP/1.1\r\nHost: a.example\r\n', '127.0.0.3'));
            assert.match(await ask(stack, ping), /pong$/);
            most = Math.max(most, await bytes(stack, 'VmRSS'));
        }
        await until(async () => (await counter(stack, 'http_connections')) <= 130, 'the surplus to be closed');
        assert.ok(most - before <= 16 * MIB, `${most - before} bytes more`);
        end(heads);
    } finally {
        await stack.stop();
    }
});

testOfRelease('long_half_heads_of_many_addresses_cost_a_bounded_memory_which_comes_back', async () => {
    const stack = await startApi({ env: { HEAD_TIMEOUT: '600000' } });
    try {
        const before = await bytes(stack, 'VmRSS');
        const half = `GET /server/ping HTTP/1.1\r\nHost: a.example\r\nX-Long: ${'x'.repeat(120000)}`;
        const heads = [];
        for (let address = 3; address < 19; address++) {
            for (let i = 0; i < 128; i++) heads.push(open(stack, half, `127.0.0.${address}`));
            assert.match(await ask(stack, ping), /pong$/);
        }
        await until(async () => (await counter(stack, 'http_bodies_refused')) + (await counter(stack, 'http_bodies_evicted')) > 0, 'the memory to be used up');
        const more = (await bytes(stack, 'VmHWM')) - before;
        assert.ok(more <= 150 * MIB, `${more} bytes more`);
        end(heads);
        await until(async () => (await counter(stack, 'http_body_bytes')) === 0, 'the heads to be gone');
        await until(async () => (await bytes(stack, 'VmRSS')) <= before + 16 * MIB, 'the memory to come back');
    } finally {
        await stack.stop();
    }
});

testOfRelease('two_thousand_requests_in_one_packet_are_answered', async () => {
    const stack = await startApi();
    try {
        const text = await ask(stack, 'GET /server/ping HTTP/1.1\r\nHost:\r\n\r\n'.repeat(1999) + ping);
        assert.equal(text.split('pong').length - 1, 2000);
    } finally {
        await stack.stop();
    }
});
