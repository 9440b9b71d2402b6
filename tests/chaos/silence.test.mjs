// PostgreSQL or Redis that stand still while their sockets stay open: processes stopped for real, and a
// network that lets nothing through on the connections it has. Nobody waits for ever, and what was
// acknowledged is there afterwards.

import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import { readFile, readdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, startApi } from '../support/api.mjs';
import { startBackends, until } from '../support/stack.mjs';

let backends;
let stack;
let site;

// DATABASE_PATIENCE is what is waited for new connections after the old ones were given up.
const env = { DATABASE_PATIENCE: '2000', STATEMENT_TIMEOUT: '1500', WORKER_LEASE: '60' };

before(async () => {
    backends = await startBackends();
    stack = await startApi({ backends, env });
    site = await makeTenant(stack, 'A', 'a.example');
});
after(async () => {
    await stack?.stop();
    await backends?.stop();
});

const signal = async (name) => {
    const postmaster = await backends.postgresPid();
    for (const entry of await readdir('/proc')) {
        if (!/^\d+$/.test(entry)) continue;
        const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
        const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
        if (Number(entry) === postmaster || Number(parent) === postmaster) process.kill(Number(entry), name);
    }
};
/** PostgreSQL and all its sessions stand still while `work` is done. */
const frozen = async (work) => {
    await signal('SIGSTOP');
    try {
        return await work();
    } finally {
        await signal('SIGCONT');
    }
};
const ask = (target, more = {}) => stack.call({ path: target, token: stack.adminToken, ...more });
const write = (name) => ask('/items/authors', { method: 'POST', body: { site_id: site.id, name } });
const metric = async (name) => Number((await ask('/metrics')).text.match(new RegExp(`^spark_${name} (\\d+)`, 'm'))[1]);
const log = () => readFile(path.join(stack.folder, 'server.log'), 'utf8');

test('postgresql_that_stands_still_is_503_and_nothing_acknowledged_is_lost', async () => {
    const sent = [];
    for (let n = 0; n < 8; n++) sent.push({ name: `before ${n}`, answer: await write(`before ${n}`) });
    assert.ok(sent.every(({ answer }) => answer.status === 200));
    const fibers = await metric('fibers_live');
    await frozen(async () => {
        const reads = [1, 2, 3, 4].map((n) => ask(`/items/posts?sort=id&limit=${n}`));
        const searches = [1, 2].map((n) => ask(`/items/posts?search=post&limit=${n}`));
        const writes = [1, 2, 3, 4].map(async (n) => sent.push({ name: `during ${n}`, answer: await write(`during ${n}`) }));
        assert.equal((await ask('/server/ready')).status, 503);
        assert.equal((await ask('/server/health')).status, 503);
        assert.equal((await ask('/server/ping')).status, 200);
        await Promise.all(writes);
        const answers = [...(await Promise.all([...reads, ...searches])), ...sent.slice(8).map(({ answer }) => answer)];
        for (const answer of answers)
            assert.deepEqual([answer.status, codeOf(answer), answer.headers['retry-after']], [503, 'SERVICE_UNAVAILABLE', '1'], answer.text);
        // From now on nobody waits for what is not there.
        assert.equal((await ask('/items/posts')).status, 503);
        assert.match(await log(), /"event":"db_connection_lost".*PostgreSQL has not answered for \d+ ms/);
        assert.equal((await ask('/server/ready')).status, 503);
    });
    await until(async () => (await ask('/server/ready')).status === 200, 'readiness');
    assert.ok((await metric('db_silences')) > 0);
    for (let n = 0; n < 4; n++) {
        assert.equal((await ask(`/items/posts?limit=${n + 1}`)).status, 200);
        sent.push({ name: `after ${n}`, answer: await write(`after ${n}`) });
        assert.equal(sent.at(-1).answer.status, 200, sent.at(-1).answer.text);
    }
    const found = new Map(await stack.rows(`select name, count(*) from authors group by name`));
    for (const { name, answer } of sent) {
        const copies = Number(found.get(name) ?? 0);
        assert.ok(answer.status === 200 ? copies === 1 : copies <= 1, `${name}: ${answer.status}, ${copies} times`);
    }
    await until(async () => (await metric('fibers_live')) <= fibers, 'all fibers to have ended');
});

/** PostgreSQL behind TCP; hang() lets nothing more through on the connections there are. */
async function startProxy(databaseUrl) {
    const [, user, database, folder] = /\/\/([^@]+)@\/([^?]+)\?host=([^&]+)/.exec(databaseUrl);
    const socket = path.join(decodeURIComponent(folder), '.s.PGSQL.5432');
    const pairs = new Set();
    const server = net.createServer({ pauseOnConnect: true }, (client) => {
        const upstream = net.connect(socket);
        const pair = [client, upstream];
        pairs.add(pair);
        for (const end of pair) {
            end.on('error', () => {});
            end.on('close', () => {
                if (pair.hangs) return;
                pairs.delete(pair);
                for (const other of pair) other.destroy();
            });
        }
        client.pipe(upstream);
        upstream.pipe(client);
        client.resume();
    });
    server.listen(0, '127.0.0.1');
    await new Promise((resume) => server.once('listening', resume));
    return {
        url: `postgresql://${user}@127.0.0.1:${server.address().port}/${database}`,
        hang() {
            for (const pair of pairs) {
                pair.hangs = true;
                pair[0].unpipe(pair[1]);
                pair[1].unpipe(pair[0]);
                for (const end of pair) end.pause();
            }
        },
        async stop() {
            for (const pair of pairs) for (const end of pair) end.destroy();
            await new Promise((resume) => server.close(resume));
        },
    };
}

test('connections_that_went_dead_are_replaced_and_only_who_met_one_first_waits', async () => {
    const proxy = await startProxy(stack.databaseUrl);
    try {
        await stack.server.stop();
        // Less than two deadlines: whoever had to wait for two of them would be answered 408.
        Object.assign(stack.env, { DATABASE_URL: proxy.url, REQUEST_TIMEOUT: '10500' });
        await stack.startServer();
        await until(async () => (await ask('/server/ready')).status === 200, 'readiness');
        assert.equal((await write('warm')).status, 200);
        assert.equal((await ask('/items/posts?search=post')).status, 200);
        proxy.hang();
        const first = await Promise.all([1, 2, 3].map((n) => ask(`/items/posts?limit=${n}`)));
        for (const answer of first) assert.equal(answer.status, 200, answer.text);
        const next = await Promise.all([write('next'), ask('/items/posts?search=post'), ask('/items/authors')]);
        for (const answer of next) assert.equal(answer.status, 200, answer.text);
        await until(async () => (await ask('/server/ready')).status === 200, 'readiness');
        assert.equal((await stack.rows(`select count(*) from authors where name = 'next'`))[0][0], '1');
    } finally {
        await stack.server.stop();
        Object.assign(stack.env, { DATABASE_URL: stack.databaseUrl, REQUEST_TIMEOUT: '30000' });
        await stack.startServer();
        await proxy.stop();
    }
});

test('redis_that_stands_still_holds_up_neither_requests_nor_jobs', async () => {
    stack.startWorker();
    const track = (n) => stack.call({ method: 'POST', path: '/api/track/pageview', host: 'a.example', body: { page_path: `/v/${n}` } });
    const stored = async (path) => Number((await stack.rows(`select count(*) from pageviews where page_path like '${path}'`))[0][0]);
    assert.equal((await track('before')).status, 202);
    await until(async () => (await stored('/v/before')) === 1, 'the worker');
    process.kill(await backends.redisPid(), 'SIGSTOP');
    try {
        const answers = await Promise.all([1, 2, 3, 4].map((n) => track(`during/${n}`)));
        assert.deepEqual(answers.map(({ status }) => status), [202, 202, 202, 202]);
        assert.equal(await stored('/v/during/%'), 4);
        assert.equal((await ask('/items/posts')).status, 200);
        assert.equal((await ask('/api/admin/jobs')).status, 200);
        assert.equal((await ask('/server/ready')).status, 200);
        assert.equal(JSON.parse((await ask('/server/health')).text).status, 'warn');
        await stack.rows(`set role spark_owner; insert into spark.jobs (kind, payload) select 'bench-noop', '{}' from generate_series(1, 20)`);
        const done = async () => Number((await stack.rows(`set role spark_owner; select count(*) from spark.jobs where kind = 'bench-noop' and state = 'done'`))[0][0]);
        await until(async () => (await done()) === 20, 'jobs without Redis');
    } finally {
        process.kill(await backends.redisPid(), 'SIGCONT');
    }
    await until(async () => {
        assert.equal((await track('after')).status, 202);
        return JSON.parse((await ask('/server/health')).text).status === 'ok';
    }, 'Redis to be used again');
    await until(async () => (await stored('/v/after')) > 0, 'what went through Redis');
    assert.equal(await stored('/v/during/%'), 4);
});
