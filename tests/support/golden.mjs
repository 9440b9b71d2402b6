// The recorded answers of Directus against Spark, one file of tests for some subjects each, so that they run beside each other.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { readOpen } from '../peer/golden.mjs';
import { startSpark } from '../peer/pair.mjs';
import { replay } from '../peer/replay.mjs';
import { tell } from '../peer/report.mjs';

export function replaySubjects(subjects) {
    let pair;
    before(async () => {
        pair = await startSpark();
    });
    after(() => pair.stop());

    for (const subject of subjects)
        test(`golden_${subject}`, async () => {
            const open = new Set(await readOpen('open'));
            const { results, stale } = await replay(pair, subject);
            const differ = results.filter(({ name, difference }) => difference && !open.has(name));
            assert.equal(differ.length, 0, `${differ.length} of ${results.length} differ from Directus:\n${differ.slice(0, 10).map(tell).join('\n\n')}`);
            const alike = results.filter(({ name, difference }) => !difference && open.has(name)).map(({ name }) => name);
            assert.deepEqual(alike, [], 'are alike by now: `make record-open` takes them out of tests/fixtures/golden/open.txt');
            assert.deepEqual(stale, [], 'have changed since they were recorded: `make record-golden`');
        });
}
