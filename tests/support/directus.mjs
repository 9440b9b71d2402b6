// The reference: Directus itself, from npm, with a database of its own on the PostgreSQL of a stack.
// DIRECTUS_PEERS names the folder that bench/peers/install.sh filled.
//
//   const directus = await startDirectus(stack.databaseUrl);
//   await fetch(directus.url + '/items/posts', { headers: { authorization: `Bearer ${directus.adminToken}` } });

import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { Child, createDatabase, freePort, makeFolder, secrets, sql, until } from './stack.mjs';

const run = promisify(execFile);

/** What node-postgres takes: the parts of `postgresql://user:password@host:port/name?host=…`. */
function connection(databaseUrl) {
    const url = new URL(databaseUrl.replace(/^postgres(ql)?:/, 'http:').replace(/@\//, '@localhost/'));
    return {
        DB_CLIENT: 'pg',
        DB_HOST: url.searchParams.get('host') ?? url.hostname,
        DB_PORT: url.searchParams.get('port') ?? (url.port || '5432'),
        DB_DATABASE: url.pathname.slice(1),
        DB_USER: decodeURIComponent(url.username),
        DB_PASSWORD: decodeURIComponent(url.password) || 'none',
    };
}

/** options: env ({}), peers (process.env.DIRECTUS_PEERS), prepare (of the bootstrapped database's URL) */
export async function startDirectus(databaseUrl, options = {}) {
    const peers = options.peers ?? process.env.DIRECTUS_PEERS;
    if (!peers) throw new Error('DIRECTUS_PEERS is not set: run bench/peers/install.sh FOLDER');
    const database = await createDatabase(databaseUrl);
    const folder = await makeFolder('directus');
    const port = await freePort();
    const node = path.join(peers, 'node');
    const cli = path.join(peers, 'node_modules/directus/cli.js');
    const env = {
        ...connection(database.url),
        PATH: process.env.PATH,
        HOME: folder,
        TZ: 'UTC',
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        PORT: String(port),
        PUBLIC_URL: `http://127.0.0.1:${port}`,
        KEY: 'key-of-the-tests-0123456789',
        SECRET: secrets.SECRET,
        ADMIN_EMAIL: secrets.ADMIN_EMAIL,
        ADMIN_PASSWORD: secrets.ADMIN_PASSWORD,
        ADMIN_TOKEN: secrets.ADMIN_TOKEN,
        CACHE_ENABLED: 'false',
        RATE_LIMITER_ENABLED: 'false',
        RATE_LIMITER_GLOBAL_ENABLED: 'false',
        PRESSURE_LIMITER_ENABLED: 'false',
        TELEMETRY: 'false',
        WEBSOCKETS_ENABLED: 'false',
        LOG_LEVEL: 'warn',
        LOGIN_STALL_TIME: '0',
        EXTENSIONS_PATH: path.join(folder, 'extensions'),
        STORAGE_LOCAL_ROOT: path.join(folder, 'uploads'),
        ...options.env,
    };
    const discard = async () => {
        await database.drop();
        await rm(folder, { recursive: true, force: true });
    };
    let child;
    try {
        await run(node, [cli, 'bootstrap'], { env, cwd: peers, maxBuffer: 64 << 20 });
        await options.prepare?.(database.url);
        child = new Child('directus', node, [cli, 'start'], { env, logFile: path.join(folder, 'directus.log') });
        const url = `http://127.0.0.1:${port}`;
        await until(async () => {
            if (!child.isRunning) throw new Error(`Directus ended\n${child.tail.join('\n')}`);
            return (await fetch(`${url}/server/ping`).catch(() => undefined))?.ok;
        }, 'Directus', 120);
        return {
            url,
            port,
            child,
            databaseUrl: database.url,
            adminToken: secrets.ADMIN_TOKEN,
            sql: (text) => sql(database.url, text),
            async stop() {
                await child.stop();
                await discard();
            },
        };
    } catch (error) {
        await child?.kill();
        await discard();
        throw error;
    }
}
