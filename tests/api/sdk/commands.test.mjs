// The real SDK, 21.3.0 and 26: every REST command it exports is called, or named as part of something else.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { readOpen } from '../../peer/golden.mjs';
import { startSpark, tokenOf } from '../../peer/pair.mjs';
import { callAll, commands, elsewhere, versions } from '../../support/sdk_commands.mjs';

let pair;
before(async () => {
    pair = await startSpark();
});
beforeEach(() => pair.reset());
after(() => pair.stop());

for (const [version, load] of Object.entries(versions)) {
    test(`sdk_${version}_has_no_command_that_is_not_called`, async () => {
        const known = new Set([...commands.map(([name]) => name), ...elsewhere]);
        assert.deepEqual(Object.keys(await load()).filter((name) => !known.has(name)), []);
    });

    test(`sdk_${version}_commands_work`, async () => {
        const open = new Set((await readOpen('sdk_open')).map((line) => line.split(' ')).filter(([of]) => of === version).map(([, name]) => name));
        const { worked, failed } = await callAll(await load(), pair.spark.url, tokenOf('admin'));
        const unexpected = [...failed].filter(([name]) => !open.has(name)).map(([name, why]) => `${name}: ${why}`);
        assert.deepEqual(unexpected, []);
        assert.deepEqual([...worked].filter((name) => open.has(name)), [], 'work by now: `make record-open` takes them out of sdk_open.txt');
    });
}
