// What the tests of the API share: requests with any Host header, bytes on a bare socket, two
// tenants with rows in every kind of table, a JWT, and the promise that no sanitizer spoke.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';

import { secrets, startStack, until } from './stack.mjs';

/** The longest turn of an event loop that each route or job made, where one passed 20 ms of CPU. Sanitizers make
 * all of them several times as long; what must hold on the release build, tests/turns holds. */
function sayLongTurns(text) {
    const longest = new Map();
    for (const [, cpu, fiber, work] of text.matchAll(/"event":"long_turn","cpu_us":(\d+),"fiber":"([^"]*)","work":"([^"]*)"/g)) {
        const what = work || fiber;
        longest.set(what, Math.max(longest.get(what) ?? 0, Number(cpu)));
    }
    for (const [what, cpu] of longest) console.log(`long turn: ${(cpu / 1000).toFixed(1)} ms, ${what}`);
}

/** startStack, whose stop() also reads what server and workers wrote. */
export async function startApi(options = {}) {
    const stack = await startStack({ ...options, env: { LOOP_TURN_MAX: '20', ...options.env } });
    const stop = stack.stop;
    const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
    stack.call = (request) => call(stack, { agent, ...request });
    /** Rows that no tenant's glasses hide. */
    stack.rows = (text) => stack.sql(`set spark.scope = 'platform'; ${text}`);
    stack.run = stack.rows;
    // The first start makes the administrator beside the first requests.
    await until(async () => (await stack.rows('select count(*) from directus_users'))[0][0] === '1', 'the administrator');
    stack.stop = async () => {
        agent.destroy();
        const logs = ['server.log', ...stack.workers.map((_, i) => `worker-${i + 1}.log`)];
        const folder = stack.folder;
        const ends = await Promise.all([stack.server, ...stack.workers].filter(Boolean).map((child) => child.stop()));
        for (const name of logs) {
            const text = await readFile(path.join(folder, name), 'utf8').catch(() => '');
            assert.doesNotMatch(text, /Sanitizer|runtime error|Assertion/, name);
            sayLongTurns(text);
        }
        await stop();
        assert.ok(ends.every((end) => end.code === 0 || end.signal === 'SIGKILL'), 'all ended well');
    };
    return stack;
}

/** { method, path, token, host, headers, body (JSON) or text, port (of another server) } → { status, headers, text, body } */
export function call(stack, { method = 'GET', path: target, token, host, headers = {}, body, text, agent, port }) {
    const payload = text ?? (body === undefined ? undefined : JSON.stringify(body));
    return new Promise((resolve, reject) => {
        const request = http.request({
            host: '127.0.0.1',
            port: port ?? stack.port,
            method,
            path: target,
            agent,
            setHost: false,
            headers: {
                host: host ?? `127.0.0.1:${stack.port}`,
                ...(token ? { authorization: `Bearer ${token}` } : {}),
                ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
                ...headers,
            },
        });
        request.on('error', reject);
        request.on('response', (response) => {
            const chunks = [];
            response.on('data', (chunk) => chunks.push(chunk));
            response.on('error', reject);
            response.on('end', () => {
                const answer = Buffer.concat(chunks).toString();
                let json;
                try {
                    json = JSON.parse(answer);
                } catch {
                    json = undefined;
                }
                resolve({ status: response.statusCode, headers: response.headers, text: answer, body: json });
            });
        });
        request.end(payload);
    });
}

/** A form with one file, for `call`. */
export const fileForm = (text, type = 'text/csv') => ({
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    text: `--b\r\ncontent-disposition: form-data; name="file"; filename="rows"\r\ncontent-type: ${type}\r\n\r\n${text}\r\n--b--\r\n`,
});

/** The code of an error answer, in either envelope. */
export const codeOf = (answer) => answer.body?.errors?.[0]?.extensions?.code ?? answer.body?.code;

/** Bytes on a socket of their own: { text, ended }; answers when the server closes or `enough(text)`. */
export function raw(stack, bytes, enough = () => false) {
    return new Promise((resolve, reject) => {
        const socket = net.connect(stack.port, '127.0.0.1');
        let text = '';
        const done = (ended) => {
            socket.destroy();
            resolve({ text, ended });
        };
        socket.on('data', (chunk) => {
            text += chunk.toString('latin1');
            if (enough(text)) done(false);
        });
        socket.on('end', () => done(true));
        socket.on('error', (error) => (error.code === 'ECONNRESET' || error.code === 'EPIPE' ? done(true) : reject(error)));
        socket.write(bytes);
    });
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function jwt(claims, { secret = secrets.SECRET, header = { alg: 'HS256', typ: 'JWT' } } = {}) {
    const text = `${part(header)}.${part(claims)}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** Every route of server/api/<family>/routes.def. */
export async function readRoutes() {
    const program = path.resolve(import.meta.dirname, '../../tools/route_table.py');
    const { stdout } = await promisify(execFile)('python3', [program], { maxBuffer: 64 << 20 });
    return JSON.parse(stdout).map((route) => ({ ...route, handler: route.name }));
}

/** Every error of err.def. */
export async function readErrors() {
    const file = path.resolve(import.meta.dirname, '../../core/base/system/err.def');
    const text = (await readFile(file, 'utf8')).replace(/\/\*[^]*?\*\//g, '');
    return [...text.matchAll(/^ERROR\((\w+), (\d+), "(\w+)"/gm)].map(([, name, status, code]) => ({ name, status: Number(status), code }));
}

async function create(stack, collection, body) {
    const answer = await stack.call({ method: 'POST', path: `/items/${collection}`, token: stack.adminToken, body });
    assert.equal(answer.status, 200, `${collection}: ${answer.text}`);
    return answer.body.data;
}

/** A site with a token, an author, posts and what else a tenant has. */
export async function makeTenant(stack, name, domain, aliases = []) {
    const site = await create(stack, 'sites', { name, domain, domain_aliases: aliases });
    const tenant = { id: site.id, name, host: domain };
    const own = (collection, body) => create(stack, collection, { site_id: site.id, ...body });
    const token = (scopes) =>
        stack.call({ method: 'POST', path: '/api/admin/site-tokens', token: stack.adminToken, body: { site_id: site.id, name: 'test', ...scopes } });
    tenant.token = (await token({})).body.token;
    tenant.readToken = (await token({ read_only: true })).body.token;
    tenant.author = await own('authors', { name: `Author of ${name}` });
    tenant.posts = [];
    for (const status of ['published', 'draft', 'published'])
        tenant.posts.push(await own('posts', { title: `${name} post ${tenant.posts.length}`, slug: `post-${tenant.posts.length}`, status, author: tenant.author.id, excerpt: `secret-of-${name}` }));
    tenant.page = await own('pages', { title: `${name} page`, permalink: '/', status: 'published' });
    tenant.block = await own('page_blocks', { page_id: tenant.page.id, block_type: 'hero' });
    tenant.campaign = await own('campaign_masters', { name: `${name} campaign`, headline_spintax_root: '{One|Two} {three|four}', niche_variables: {} });
    return tenant;
}
