// README's page of your own, word by word: its lines against a server with an empty database, its page in a browser.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { startApi } from '../support/api.mjs';
import { openPage, startBrowser } from '../support/browser.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const ADDRESS = 'http://127.0.0.1:8055';

let stack;
let pages;
let browser;
let made; // what the lines printed
let html;
before(async () => {
    stack = await startApi({ env: { RATE_LIMITER_ENABLED: 'true' } });
    const readme = await readFile(path.join(root, 'README.md'), 'utf8');
    const section = readme.slice(readme.indexOf('## A collection of your own'));
    const block = (language) => {
        const text = section.match(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``))[1];
        assert.ok(text.includes(ADDRESS));
        return text.replaceAll(ADDRESS, stack.url).replace(`$(sed -n 's/^ADMIN_TOKEN=//p' var/secrets.env)`, stack.adminToken);
    };
    html = block('html');
    made = (await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', block('sh')], { cwd: root })).stdout;
    pages = createServer(async (request, response) => {
        const isModule = request.url.startsWith('/node_modules/');
        response.setHeader('content-type', isModule ? 'text/javascript' : 'text/html; charset=utf-8');
        response.end(isModule ? await readFile(path.join(root, 'tests', request.url)) : html);
    }).listen(0, '127.0.0.1');
    await once(pages, 'listening');
    browser = await startBrowser();
});
after(async () => {
    await browser?.close();
    pages?.close();
    await stack?.stop();
});

const listAt = async (host) => {
    const page = await openPage(browser, `http://${host}:${pages.address().port}/`);
    await page.waitForFunction(() => document.querySelector('li') !== null, undefined, { timeout: 5000 }).catch(() => {});
    const items = await page.locator('li').allTextContents();
    await page.context().close();
    return items;
};

test('the_lines_make_what_they_say', () => {
    assert.doesNotMatch(made, /"errors"/, made);
    assert.match(made, /"title":"Harvest song"/);
});

test('the_page_of_the_site_shows_its_concerts', async () => {
    assert.deepEqual(await listAt('town.localhost'), ['Harvest song (Folk)']);
});

test('a_page_of_no_site_shows_none', async () => {
    assert.deepEqual(await listAt('elsewhere.localhost'), []);
});
