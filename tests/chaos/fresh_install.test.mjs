// FORCE_FRESH_INSTALL, which empties a database: only by its own name, and only once, however often
// the variable is still set when `spark up` starts again.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { Child, binary, createDatabase, freePort, makeFolder, secrets, sql, startBackends, until } from '../support/stack.mjs';

let folder;
let backends;
let database;

before(async () => {
    folder = await makeFolder('fresh');
    backends = await startBackends();
    database = await createDatabase(backends.databaseUrl);
});
after(async () => {
    await database?.drop();
    await backends?.stop();
    await rm(folder, { recursive: true, force: true });
});

/** One whole life of `spark up`; what it said. */
async function upAndDown(value) {
    const up = new Child('spark up', binary, ['up', '--no-demo', '--data', path.join(folder, 'var')], {
        env: { ...secrets, DATABASE_URL: database.url, REDIS_URL: backends.redisUrl, HOST: '127.0.0.1',
            PORT: String(await freePort()), WORKERS: '0', FORCE_FRESH_INSTALL: value },
    });
    await until(() => {
        if (!up.isRunning) throw new Error(`spark up ended\n${up.tail.join('\n')}`);
        return up.tail.some((line) => line.includes('Ctrl-C'));
    }, 'spark up', 120);
    await up.stop();
    return up.tail.join('\n');
}

const titles = async () => (await sql(database.url, `set role spark_owner; set spark.scope = 'platform'; select name from sites where domain = 'kept.example'`)).flat();

test('i10_a_start_empties_nothing_but_what_is_named_and_that_once', async (t) => {
    const name = (await sql(database.url, 'select current_database()'))[0][0];
    await upAndDown('');
    const keep = () => sql(database.url, `set role spark_owner; set spark.scope = 'platform'; insert into sites (name, domain) values ('Kept', 'kept.example')`);
    await keep();

    for (const value of ['true', 'True', '1', `${name} `, name.toUpperCase(), 'postgres'])
        await t.test(`'${value}' drops nothing and is told so`, async () => {
            assert.match(await upAndDown(value), new RegExp(`FORCE_FRESH_INSTALL is not '${name}', the name of this database: nothing was dropped`));
            assert.deepEqual(await titles(), ['Kept']);
        });

    await t.test('the name of the database empties it', async () => {
        assert.match(await upAndDown(name), /emptied the database/);
        assert.deepEqual(await titles(), []);
    });

    await t.test('the next start with the same value drops nothing', async () => {
        await keep();
        assert.match(await upAndDown(name), /already done on this database: nothing was dropped; unset it/);
        assert.deepEqual(await titles(), ['Kept']);
    });
});
