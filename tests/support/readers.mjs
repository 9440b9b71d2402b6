// Clients that ask for large answers and do not read them.

import net from 'node:net';
import { readFile } from 'node:fs/promises';

import { makeTenant, startApi } from './api.mjs';
import { until } from './stack.mjs';

export const MIB = 1 << 20;
const READERS = 60;
export const PATIENCE = 240; // seconds: the rows of sixty large answers take their time on a busy machine

/** A server with a site and `count` published posts of 15 KB. */
export async function start(count, env) {
    const stack = await startApi({ env: { REQUEST_TIMEOUT: '300000', STATEMENT_TIMEOUT: '300000', ...env } });
    const site = await makeTenant(stack, 'A', 'a.example');
    await stack.rows(`insert into posts (site_id, title, slug, status, content)
        select '${site.id}', 'Post ' || n, 'post-of-many-' || n, 'published', repeat('x', 15000) from generate_series(1, ${count}) n`);
    return stack;
}

export const bytes = async (stack, name) => Number((await readFile(`/proc/${stack.server.pid}/status`, 'utf8')).match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))[1]) * 1024;
export const counter = async (stack, name) => Number((await stack.call({ path: '/metrics', token: stack.adminToken })).text.match(new RegExp(`^spark_${name} (\\d+)`, 'm'))[1]);
const request = 'GET /items/posts?limit=-1 HTTP/1.1\r\nHost: a.example\r\n\r\n';

/** A connection that has asked; nobody reads it until read() is called. */
export function ask(stack, address = '127.0.0.1', bytes = request) {
    const client = { socket: net.connect({ port: stack.port, host: '127.0.0.1', localAddress: address }), isClosed: false };
    client.socket.on('error', () => {});
    client.socket.on('close', () => (client.isClosed = true));
    client.socket.pause();
    client.socket.write(bytes);
    return client;
}
export const askMany = (stack, address) => Array.from({ length: READERS }, () => ask(stack, address));
export const end = (clients) => clients.forEach((client) => client.socket.destroy());

/** Reads on until there are `least` bytes, or the whole answer: { status, isWhole }. */
export async function read(client, least = Infinity) {
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
export async function useUp(stack) {
    const refused = await counter(stack, 'http_answers_refused');
    const clients = askMany(stack);
    await until(async () => (await counter(stack, 'http_answers_refused')) > refused, 'the memory to be used up', PATIENCE);
    return clients;
}
export const noneHeld = (stack) => until(async () => (await counter(stack, 'http_answer_bytes')) === 0, 'the answers to be gone', PATIENCE);
