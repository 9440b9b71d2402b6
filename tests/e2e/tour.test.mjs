// README's tour, word by word, against a server and workers with an empty database.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { startStack } from '../support/stack.mjs';

const root = path.resolve(import.meta.dirname, '../..');

let stack;
before(async () => {
    // What the tour asks for is what `make run` gives: limits on.
    stack = await startStack({ workers: 2, env: { RATE_LIMITER_ENABLED: 'true' } });
});
after(() => stack?.stop());

/** The block of shell under a heading, with the two lines that say where the server is changed to ours. */
async function shellOf(heading) {
    const readme = await readFile(path.join(root, 'README.md'), 'utf8');
    const [, block] = readme.slice(readme.indexOf(`## ${heading}`)).match(/```sh\n([^]*?)```/);
    const here = block
        .replace('S=http://127.0.0.1:8055\n', `S=${stack.url}\n`)
        .replace(`$(sed -n 's/^ADMIN_TOKEN=//p' var/secrets.env)`, stack.adminToken);
    assert.ok(here.includes(stack.url) && here.includes(stack.adminToken));
    return here;
}

test('tour_takes_a_campaign_from_nothing_to_a_thousand_published_linked_and_sitemapped_articles', async () => {
    const script = await shellOf('A thousand articles with curl');
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd: root, maxBuffer: 16 << 20 });
    const said = stdout.slice(-4000);
    const rows = (text) => stack.sql(`set spark.scope = 'platform'; ${text}`);
    assert.deepEqual(await rows(`select count(*), count(distinct slug), count(*) filter (where published_at is not null and robots = 'index,follow')
        from posts where status = 'published'`), [['1000', '1000', '1000']], said);
    assert.deepEqual(await rows(`select count(*) from generated_articles where status = 'published' and sitemap_status = 'indexed'`), [['1000']], said);
    assert.deepEqual(await rows(`select count(*) from spark.jobs where state <> 'done'`), [['0']], said);
    const [[linked]] = await rows(`select count(*) from posts where content like '%<a href="/care"%' or content like '%<a href="/brakes"%'`);
    assert.ok(Number(linked) > 900, `${linked} of the posts have links`);
    assert.match(stdout, /^1000$/m, 'the addresses in the sitemap');
    const [last] = stdout.trim().split('\n').slice(-1);
    assert.deepEqual(JSON.parse(last), { success: true, total: 1000, ghost: 0, queued: 0, indexed: 1000, published: 1000, draft: 0 });
});
