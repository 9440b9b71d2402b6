// What clients that do not read cost: on the release build alone, for a sanitizer's allocator keeps
// what is freed.

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { MIB, bytes, counter, end, noneHeld, start, useUp } from '../support/readers.mjs';
import { buildFolder, until } from '../support/stack.mjs';

const testOfRelease = path.basename(buildFolder) === 'asan' ? () => {} : test;

testOfRelease('sixty_that_do_not_read_cost_a_bounded_memory_which_comes_back', async () => {
    const stack = await start(1000, { SEND_TIMEOUT: '600000' });
    try {
        // The first large answer also fills caches that stay.
        assert.equal((await stack.call({ path: '/items/posts?limit=-1', host: 'a.example' })).body.data.length, 1002);
        await noneHeld(stack);
        const before = await bytes(stack, 'VmRSS');
        const clients = await useUp(stack);
        const peak = await bytes(stack, 'VmHWM');
        assert.ok(peak - before <= 150 * MIB, `${((peak - before) / MIB).toFixed()} MiB more at the peak`);
        assert.ok((await counter(stack, 'http_answer_bytes')) <= 96 * MIB);
        end(clients);
        await noneHeld(stack);
        await until(async () => (await bytes(stack, 'VmRSS')) <= before + 8 * MIB, 'the memory to come back');
    } finally {
        await stack.stop();
    }
});
