// docs/collections.md, line by line: a snapshot as a file. What makes collections is README's (e2e/page_of_your_own).

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { startApi } from '../../support/api.mjs';

const run = promisify(execFile);
const PAGE = path.resolve(import.meta.dirname, '../../../docs/collections.md');

let stack;
before(async () => {
    stack = await startApi();
});
after(() => stack.stop());

const HEAD = `set -euo pipefail
J="Content-Type: application/json"
`;

test('a_snapshot_goes_out_as_yaml_and_comes_back_as_the_page_says', async () => {
    const page = await readFile(PAGE, 'utf8');
    const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map((m) => m[1]);
    assert.equal(blocks.length, 1);
    const env = { ...process.env, S: stack.url, T: `Authorization: Bearer ${stack.adminToken}` };
    const { stdout } = await run('bash', ['-c', `${HEAD}cd ${stack.folder}; ${blocks[0]}`], { env });
    assert.doesNotMatch(stdout, /"errors"/, stdout);
    assert.match(await readFile(path.join(stack.folder, 'schema.yaml'), 'utf8'), /^version: 1\n/);
    assert.equal(await readFile(path.join(stack.folder, 'diff.json'), 'utf8'), '', 'nothing differs');
});
