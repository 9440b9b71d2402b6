// A hook that crashes ends the server with the write it was asked about; the supervisor goes on
// without its extension, and the write goes through.

import assert from 'node:assert/strict';
import { copyFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { Child, binary, buildFolder, createDatabase, freePort, makeFolder, secrets, startBackends, until } from '../support/stack.mjs';

let folder;
let backends;

before(async () => {
    folder = await makeFolder('crash');
    await copyFile(path.join(buildFolder, 'tests/ext/rogue.so'), path.join(folder, 'rogue.so'));
    backends = await startBackends();
});
after(async () => {
    await backends?.stop();
    await rm(folder, { recursive: true, force: true });
});

async function startUp(database, name) {
    const port = await freePort();
    const up = new Child('spark up', binary, ['up', '--no-demo', '--data', path.join(folder, name)], {
        env: { ...secrets, DATABASE_URL: database.url, REDIS_URL: backends.redisUrl, HOST: '127.0.0.1', PORT: String(port), EXTENSIONS_PATH: folder, EXTENSIONS_SHIPPED: 'false', WORKERS: '1' },
    });
    await until(() => {
        if (!up.isRunning) throw new Error(`spark up ended\n${up.tail.join('\n')}`);
        return up.tail.some((line) => line.includes('Ctrl-C'));
    }, 'spark up', 120);
    const call = async (method, pathname, body) => {
        const answer = await fetch(`http://127.0.0.1:${port}${pathname}`, {
            method, body: JSON.stringify(body), headers: { authorization: `Bearer ${secrets.ADMIN_TOKEN}`, 'content-type': 'application/json' } });
        return { status: answer.status, body: await answer.json().catch(() => undefined) };
    };
    return { up, call, answers: () => until(() => call('GET', '/server/ping').then(({ status }) => status === 200, () => false), 'the server') };
}

const crashes = {
    filter: { collection: 'posts', item: { title: 'fault', slug: 'fault' }, stays: 0 },
    action: { collection: 'newsletter_subscribers', item: { email: 'a@b.example' }, stays: 1 },
};
for (const [kind, { collection, item, stays }] of Object.entries(crashes))
    test(`a crash in ${kind === 'filter' ? 'a filter' : 'an action'} leaves its extension out, and writes go on`, async () => {
        const database = await createDatabase(backends.databaseUrl);
        const spark = await startUp(database, kind);
        try {
            const site = (await spark.call('POST', '/items/sites', { name: 'a', domain: 'a.example' })).body.data.id;
            await spark.call('POST', `/items/${collection}`, { site_id: site, ...item }).catch(() => 'cut off');
            await until(() => spark.up.tail.some((line) => /server was ended by signal \d+ .* in the extension "rogue"/.test(line)), 'the verdict');
            await spark.answers();
            const found = await spark.call('GET', `/items/${collection}?filter[site_id][_eq]=${site}`);
            assert.equal(found.body.data.length, stays, 'an action comes after the commit, a filter before it');
            const again = await spark.call('POST', `/items/${collection}`, { site_id: site, ...item, ...(stays ? { email: 'c@d.example' } : {}) });
            assert.equal(again.status, 200, JSON.stringify(again.body));
        } finally {
            await spark.up.stop();
            await database.drop();
        }
    });
