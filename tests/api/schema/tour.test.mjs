// docs/collections.md, line by line: a new user makes collections of sites and reads them on the domain of a site.

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

/** The functions of the README's tour. */
const HEAD = `set -euo pipefail
api() { curl -gsS "$S$1" -H "$T" -H "Content-Type: application/json" "\${@:2}"; echo; }
field() { grep -o "\\"$1\\":[^,}]*" | head -n 1 | cut -d : -f 2- | tr -d '"]}'; }
J="Content-Type: application/json"
`;

test('the lines of the page make what it says', async () => {
    const page = await readFile(PAGE, 'utf8');
    const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map((m) => m[1]);
    assert.ok(blocks.length >= 3);
    const env = { ...process.env, S: stack.url, T: `Authorization: Bearer ${stack.adminToken}` };
    const { stdout } = await run('bash', ['-c', HEAD + blocks.slice(0, 2).join('\n')], { env });
    assert.doesNotMatch(stdout, /"errors"/, stdout);
    const seen = await stack.call({ path: '/items/concerts?fields=title,starts,genre.name', host: 'town.example' });
    assert.deepEqual(seen.body, { data: [{ title: 'Harvest song', starts: '2026-09-12T10:00:00.000Z', genre: { name: 'Folk' } }] });
    const elsewhere = await stack.call({ path: '/items/concerts?fields=title', host: 'unknown.example' });
    assert.ok(elsewhere.status === 403 || elsewhere.body.data.length === 0, elsewhere.text);
    const folder = stack.folder;
    const { stdout: applied } = await run('bash', ['-c', `${HEAD}cd ${folder}; ${blocks[2]}`], { env });
    assert.doesNotMatch(applied, /"errors"/, applied);
});
