// Starts what a test needs, for real: a database of its own on the PostgreSQL of the run, a Redis
// of its own, `spark migrate`, `spark server`, workers. Everything is stopped by its process id.
//
//   const stack = await startStack({ workers: 1 });
//   test.after(() => stack.stop());
//   await fetch(stack.url + '/server/ping');
//
// tests/run.sh names the servers in the environment; run alone (`node --test tests/api/access/keys.test.mjs`
// with SPARK_BIN set) a file starts its own.

import { spawn, execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, chmod, rm, readFile } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');

export const binary = process.env.SPARK_BIN ?? path.join(root, 'build/asan/bin/spark');
export const buildFolder = process.env.SPARK_BUILD_DIR ?? path.dirname(path.dirname(binary));

/** Waits for a condition, which is asked again and again; fails with `what` after `seconds`. */
export async function until(condition, what, seconds = 60) {
    const end = Date.now() + seconds * 1000;
    for (;;) {
        const answer = await condition();
        if (answer) return answer;
        if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
        await new Promise((resume) => setTimeout(resume, 20));
    }
}

/** A folder that the embedded servers' own user can reach too. */
export async function makeFolder(name) {
    const parent = process.env.SPARK_TEST_WORK ?? tmpdir();
    const folder = await mkdtemp(path.join(parent, `${name}-`));
    await chmod(folder, 0o755);
    return folder;
}

export async function freePort() {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return port;
}

/** A child process with its output kept for messages. */
export class Child {
    constructor(name, command, args, { env = {}, logFile, user = {} } = {}) {
        this.name = name;
        this.tail = [];
        this.process = spawn(command, args, {
            env: { ...process.env, ...env },
            stdio: ['ignore', 'pipe', 'pipe'],
            ...user, // uid and gid
        });
        this.ended = once(this.process, 'exit').then(([code, signal]) => ({ code, signal }));
        const file = logFile ? createWriteStream(logFile, { flags: 'a' }) : undefined;
        for (const stream of [this.process.stdout, this.process.stderr]) {
            createInterface({ input: stream }).on('line', (line) => {
                this.tail.push(line);
                if (this.tail.length > 200) this.tail.shift();
                file?.write(line + '\n');
            });
        }
    }

    get pid() {
        return this.process.pid;
    }

    get isRunning() {
        return this.process.exitCode === null && this.process.signalCode === null;
    }

    kill(signal = 'SIGKILL') {
        if (this.isRunning) this.process.kill(signal);
        return this.ended;
    }

    /** Ends it in its own time; an exit code other than 0 is an error (a sanitizer's word). */
    async stop(seconds = 60) {
        if (this.isRunning) this.process.kill('SIGTERM');
        let timer;
        const late = new Promise((resume) => (timer = setTimeout(resume, seconds * 1000, 'late')));
        const end = await Promise.race([this.ended, late]);
        clearTimeout(timer);
        if (end === 'late') {
            await this.kill('SIGKILL');
            throw new Error(`${this.name} did not stop in ${seconds} s\n${this.tail.join('\n')}`);
        }
        return end;
    }
}

/**
 * `spark up --backends-only` of its own: for tests that kill or restart PostgreSQL or Redis.
 * options: data (a folder to start on, which then is the caller's to remove)
 */
export async function startBackends(options = {}) {
    const folder = options.data ? undefined : await makeFolder('backends');
    const data = options.data ?? path.join(folder, 'var');
    const child = spawn(binary, ['up', '--backends-only', '--data', data], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, DATABASE_URL: '', REDIS_URL: '' },
    });
    const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
    const errors = [];
    createInterface({ input: child.stderr }).on('line', (line) => errors.push(line));
    const values = {};
    for await (const line of createInterface({ input: child.stdout })) {
        if (line === 'ready') break;
        values[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1);
    }
    if (!values.DATABASE_URL) throw new Error(`the backends did not start\n${errors.join('\n')}`);
    const socket = values.REDIS_URL.slice('unix://'.length);
    return {
        databaseUrl: values.DATABASE_URL,
        databaseAdminUrl: values.DATABASE_ADMIN_URL,
        redisUrl: values.REDIS_URL,
        supervisorPid: child.pid,
        data,
        sockets: path.dirname(socket),
        /** The process now, after restarts too. */
        postgresPid: async () => Number((await readFile(path.join(data, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0]),
        redisPid: async () => Number(await readFile(path.join(data, 'redis/redis.pid'), 'utf8')),
        redis: async (...words) => (await run('redis-cli', ['-s', socket, ...words])).stdout.trim(),
        /** kill -9 of the supervisor alone. */
        kill() {
            child.kill('SIGKILL');
            return ended;
        },
        async stop() {
            child.kill('SIGTERM');
            const end = await ended;
            if (folder) await rm(folder, { recursive: true, force: true });
            return end;
        },
    };
}

/** Runs SQL with psql; the rows as arrays of text. */
export async function sql(databaseUrl, text) {
    const { stdout } = await run('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-At', '-F', '\x1f', '-d', databaseUrl, '-c', text], {
        maxBuffer: 64 << 20,
    });
    const lines = stdout.split('\n');
    lines.pop();
    return lines.map((line) => line.split('\x1f'));
}

/** `postgresql://user@/name?host=…` with another database name. */
export function withDatabase(databaseUrl, name) {
    return databaseUrl.replace(/^(\w+:\/\/[^/]*\/)[^?]*/, `$1${name}`);
}

let made = 0;

/** An empty database on the server of `databaseUrl`; drop() removes it. */
export async function createDatabase(databaseUrl) {
    const name = `test_${process.pid}_${++made}`;
    await sql(databaseUrl, `create database ${name}`);
    return {
        url: withDatabase(databaseUrl, name),
        // Plain, which knows how to send autovacuum away, that is not ours to terminate; and by force, for
        // sessions that are just ending.
        async drop() {
            for (let tries = 9; ; tries--) {
                const failure = await sql(databaseUrl, `drop database if exists ${name}${tries % 2 ? '' : ' with (force)'}`).then(() => undefined, (error) => error);
                if (failure === undefined) return;
                if (tries === 0) throw failure;
            }
        },
    };
}

/** A Redis of its own on a unix socket, so that its keys are nobody else's. */
export async function startRedis() {
    const folder = await makeFolder('redis');
    const socket = path.join(folder, 's');
    const args = ['--port', '0', '--unixsocket', socket, '--dir', folder, '--appendonly', 'yes',
        '--maxmemory-policy', 'noeviction', '--save', ''];
    let child;
    const start = async () => {
        child = new Child('redis', 'redis-server', args);
        await until(async () => {
            if (!child.isRunning) throw new Error(`redis ended\n${child.tail.join('\n')}`);
            return child.tail.some((line) => line.includes('eady to accept connections'));
        }, 'Redis');
    };
    await start();
    return {
        url: `unix://${socket}`,
        get pid() {
            return child.pid;
        },
        command: async (...words) => (await run('redis-cli', ['-s', socket, ...words])).stdout.trim(),
        kill: () => child.kill('SIGKILL'),
        start,
        async stop() {
            await child.stop();
            await rm(folder, { recursive: true, force: true });
        },
    };
}

export const secrets = {
    ADMIN_TOKEN: 'admin-token-of-the-tests-0123456789',
    ADMIN_EMAIL: 'admin@example.com',
    ADMIN_PASSWORD: 'password-of-the-tests',
    GOD_MODE_TOKEN: 'god-token-of-the-tests-0123456789',
    SECRET: 'secret-of-the-tests-0123456789-0123456789',
};

/**
 * A migrated database, a Redis, a server and workers.
 *
 * options: workers (0), env ({}), extensionsPath, backends (from startBackends), pack (true),
 * prepare (of the empty database's URL, before it is migrated)
 */
export async function startStack(options = {}) {
    const cleanUps = [];
    const stopAll = async () => {
        for (const cleanUp of cleanUps.reverse()) await cleanUp();
        cleanUps.length = 0;
    };
    try {
        let backends = options.backends;
        if (!backends && !process.env.SPARK_TEST_DATABASE_URL) {
            backends = await startBackends();
            cleanUps.push(() => backends.stop());
        }
        const database = await createDatabase(backends?.databaseUrl ?? process.env.SPARK_TEST_DATABASE_URL);
        cleanUps.push(() => database.drop());
        const redis = options.backends ? undefined : await startRedis();
        if (redis) cleanUps.push(() => redis.stop());

        const folder = await makeFolder('stack');
        cleanUps.push(() => rm(folder, { recursive: true, force: true }));
        const port = await freePort();
        const env = {
            ...secrets,
            DATABASE_URL: database.url,
            REDIS_URL: redis?.url ?? backends.redisUrl,
            HOST: '127.0.0.1',
            PORT: String(port),
            STARTUP_TIMEOUT: '60',
            SPARK_DATA: folder,
            RATE_LIMITER_ENABLED: 'false', // a test sends more than visitors do; those of the limits say true
            ...(options.extensionsPath ? { EXTENSIONS_PATH: options.extensionsPath, EXTENSIONS_SHIPPED: 'false' } : {}),
            ...options.env,
        };
        const spark = (...args) => run(binary, args, { env: { ...process.env, ...env }, maxBuffer: 64 << 20 });
        await options.prepare?.(database.url);
        await spark('migrate', options.pack === false ? '--no-pack' : '--pack');

        const stack = {
            url: `http://127.0.0.1:${port}`,
            port,
            env,
            folder,
            databaseUrl: database.url,
            redis,
            adminToken: env.ADMIN_TOKEN,
            workers: [],
            /** Runs `spark …` with the environment of this stack. */
            spark,
            sql: (text) => sql(database.url, text),
            async startServer() {
                stack.server = new Child('server', binary, ['server'], { env, logFile: path.join(folder, 'server.log') });
                await until(async () => {
                    if (!stack.server.isRunning) throw new Error(`the server ended\n${stack.server.tail.join('\n')}`);
                    return (await fetch(`${stack.url}/server/ping`).catch(() => undefined))?.ok;
                }, 'the server');
            },
            startWorker(extra = {}) {
                const slot = stack.workers.length + 1;
                const worker = new Child(`worker ${slot}`, binary, ['worker'], {
                    env: { ...env, SPARK_WORKER_SLOT: String(slot), ...extra },
                    logFile: path.join(folder, `worker-${slot}.log`),
                });
                stack.workers.push(worker);
                return worker;
            },
            /** A request with the admin's token; the answer with its body read as JSON. */
            async request(method, pathname, body, headers = {}) {
                const response = await fetch(stack.url + pathname, {
                    method,
                    headers: {
                        authorization: `Bearer ${env.ADMIN_TOKEN}`,
                        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
                        ...headers,
                    },
                    body: body === undefined ? undefined : JSON.stringify(body),
                });
                const text = await response.text();
                let json;
                try {
                    json = text === '' ? undefined : JSON.parse(text);
                } catch {
                    json = undefined;
                }
                return { status: response.status, headers: response.headers, text, body: json };
            },
            /** Stops all; a server or worker that ended badly by itself is an error. */
            async stop() {
                const ends = await Promise.all(
                    [stack.server, ...stack.workers].filter(Boolean).map(async (child) => ({ child, end: await child.stop() })),
                );
                await stopAll();
                for (const { child, end } of ends)
                    if (end.code !== 0 && end.signal !== 'SIGKILL')
                        throw new Error(`${child.name} ended with ${end.code ?? end.signal}\n${child.tail.join('\n')}`);
            },
        };
        if (options.server !== false) await stack.startServer();
        for (let i = 0; i < (options.workers ?? 0); i++) stack.startWorker();
        return stack;
    } catch (error) {
        await stopAll();
        throw error;
    }
}
