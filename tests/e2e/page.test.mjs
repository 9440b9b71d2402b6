// The admin page in Chromium, on a real stack.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openPage, startBrowser, takePicture } from '../support/browser.mjs';
import { asPlatform, firstStartIsOver, makeArticle, makeJobs, makeSite, makeSiteToken } from '../support/queue.mjs';
import { secrets, startStack } from '../support/stack.mjs';

const hostile = `<h2>Why a maple</h2><p onclick="window.parent.broken = 1">Ten years, <em>ten</em> colours.
    <script>window.parent.broken = 1</script><img src="x" onerror="window.parent.broken = 1"><a href="javascript:alert(1)">here</a>
    <a href="https://example.com/">there</a><iframe src="https://example.com/"></iframe><style>body { display: none }</style></p>`;

let stack;
let browser;
let site;
let address;
before(async () => {
    stack = await startStack();
    await firstStartIsOver(stack);
    browser = await startBrowser();
    address = `${stack.url}/admin/`;
    site = await makeSite(stack, 'Demo Gardens');
});
after(async () => {
    await browser?.close();
    await stack?.stop();
});

const signedIn = () => `${address}#token=${encodeURIComponent(stack.adminToken)}`;
const text = (page, selector) => page.locator(selector).textContent();

/** Opens the page as the administrator and waits until it is live. */
async function openBoard(options) {
    const page = await openPage(browser, signedIn(), options);
    await page.locator('#live[data-live="true"]').waitFor();
    await page.locator('#status[data-state="good"]').waitFor();
    return page;
}

const waitForText = (page, selector, wanted) =>
    page.waitForFunction(([where, what]) => document.querySelector(where)?.textContent === what, [selector, wanted]);

function assertQuiet(page) {
    assert.deepEqual(page.complaints, []);
    assert.deepEqual(page.strangers, []);
}

test('empty_database_says_where_articles_will_appear', async () => {
    const page = await openBoard();
    await page.getByText('No articles yet.').waitFor();
    assert.equal(await text(page, '#queued'), '0');
    await takePicture(page, 'empty');
    assertQuiet(page);
    await page.context().close();
});

test('without_a_token_the_page_asks_for_one_and_has_the_focus_there', async () => {
    const page = await openPage(browser, address);
    assert.ok(await page.getByRole('heading', { name: 'Sign in' }).isVisible());
    assert.equal(await page.evaluate(() => document.activeElement.id), 'token');
    await takePicture(page, 'sign-in');
    assertQuiet(page);
    await page.context().close();
});

test('wrong_token_is_refused_with_a_sentence', async () => {
    const page = await openPage(browser, address);
    await page.getByLabel('Token').fill('no-such-token');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'does not know this token' }).waitFor();
    assert.ok(!(await page.locator('#board').isVisible()));
    await takePicture(page, 'wrong-token');
    await page.context().close();
});

test('token_in_the_address_signs_in_and_leaves_the_address', async () => {
    const page = await openBoard();
    assert.equal(page.url(), address);
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    await page.reload();
    await page.locator('#live[data-live="true"]').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    assert.ok(await page.getByRole('heading', { name: 'Sign in' }).isVisible());
    await page.reload();
    assert.ok(await page.getByRole('heading', { name: 'Sign in' }).isVisible());
    assertQuiet(page);
    await page.context().close();
});

test('e_mail_and_password_sign_in', async () => {
    const page = await openPage(browser, address);
    await page.getByText('Use e-mail and password').click();
    await page.getByLabel('E-mail').fill(secrets.ADMIN_EMAIL);
    await page.getByLabel('Password').fill('wrong');
    await page.locator('#login-form button').click();
    await page.getByRole('alert').filter({ hasText: 'Invalid user credentials' }).waitFor();
    await page.getByLabel('Password').fill(secrets.ADMIN_PASSWORD);
    await page.keyboard.press('Enter');
    await page.locator('#live[data-live="true"]').waitFor();
    await page.context().close();
});

test('counters_move_when_jobs_come_and_go', async () => {
    const page = await openBoard();
    await makeJobs(stack, site, 1234);
    await waitForText(page, '#queued', '1,234');
    await makeJobs(stack, site, 12, 'dead');
    await waitForText(page, '#dead', '12');
    await asPlatform(stack, "update spark.jobs set state = 'done', finished_at = now() where state = 'queued'");
    await waitForText(page, '#queued', '0');
    await waitForText(page, '#done_last_hour', '1,234');
    assert.notEqual(await text(page, '#rate'), '0');
    assert.match(await page.locator('#pulse .line').getAttribute('d'), /^M/);
    assertQuiet(page);
    await page.context().close();
});

test('new_articles_appear_by_themselves_newest_first', async () => {
    const page = await openBoard();
    await makeArticle(stack, site, { title: 'Planting a maple', content: hostile, status: 'qc', words: 1040, minutesAgo: 95 });
    await makeArticle(stack, site, { title: 'Five <b>quiet</b> hedges', content: '<p>Box.</p>', status: 'published', words: 1, minutesAgo: 3 });
    await waitForText(page, '#articles', '2 in all');
    await page.locator('#article-list li').nth(1).waitFor();
    const rows = await page.locator('#article-list li').allTextContents();
    assert.equal(rows.length, 2);
    assert.match(rows[0], /Five <b>quiet<\/b> hedges\s*Published\s*1 word\s*3 minutes ago/);
    assert.match(rows[1], /Planting a maple\s*In review\s*1,040 words\s*1 hour ago/);
    assertQuiet(page);
    await page.context().close();
});

test('article_is_shown_without_what_could_run', async () => {
    const page = await openBoard();
    await page.getByRole('button', { name: 'Planting a maple' }).click();
    const frame = page.frameLocator('#article-preview');
    await frame.getByText('Why a maple').waitFor();
    assert.equal(await page.locator('#article-preview').getAttribute('sandbox'), '');
    const inside = await frame.locator('body').innerHTML();
    assert.doesNotMatch(inside, /script|onclick|onerror|javascript:|<iframe|<style/);
    assert.match(inside, /<a href="https:\/\/example\.com\/"/);
    assert.equal(await page.evaluate(() => window.broken), undefined);
    await takePicture(page, 'article');
    await page.keyboard.press('Escape');
    assert.ok(!(await page.locator('#article').isVisible()));
    assert.equal(await page.evaluate(() => document.activeElement.textContent.includes('Planting a maple')), true);
    assert.ok(page.complaints.every((complaint) => /has been blocked/.test(complaint)), page.complaints.join('\n'));
    assert.deepEqual(page.strangers, []);
    await page.context().close();
});

test('policy_of_the_page_refuses_inline_scripts', async () => {
    const page = await openPage(browser, address);
    await page.evaluate(() => {
        const script = document.createElement('script');
        script.textContent = 'window.broken = 1';
        document.body.append(script);
    });
    assert.equal(await page.evaluate(() => window.broken), undefined);
    assert.match(page.complaints.join(), /Content Security Policy/);
    await page.context().close();
});

test('theme_follows_the_system_and_the_button', async () => {
    const paper = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const page = await openBoard({ colorScheme: 'dark' });
    assert.equal(await paper(page), 'rgb(20, 19, 17)');
    await page.getByRole('button', { name: 'Theme: auto' }).click();
    assert.equal(await paper(page), 'rgb(250, 248, 244)');
    await page.reload();
    assert.equal(await paper(page), 'rgb(250, 248, 244)');
    await page.getByRole('button', { name: 'Theme: light' }).click();
    assert.equal(await paper(page), 'rgb(20, 19, 17)');
    assertQuiet(page);
    await page.context().close();
});

test('keyboard_reaches_everything_and_the_skip_link_comes_first', async () => {
    const page = await openBoard();
    await page.locator('#article-list li').first().waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
    const reached = new Set();
    for (let i = 0; i < 12; i++) {
        await page.keyboard.press('Tab');
        reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.className));
    }
    for (const wanted of ['theme', 'sign-out', 'row']) assert.ok(reached.has(wanted), wanted);
    await page.locator('.row').first().focus();
    await page.keyboard.press('Enter');
    await page.locator('#article').waitFor();
    await page.context().close();
});

test('nothing_moves_for_who_prefers_it_so', async () => {
    const page = await openBoard({ reducedMotion: 'reduce' });
    const names = await page.evaluate(() => [...document.querySelectorAll('*')].map((element) => getComputedStyle(element, '::before').animationName + getComputedStyle(element).animationName));
    assert.ok(names.every((name) => name === 'nonenone'));
    await page.context().close();
});

test('token_of_one_site_sees_that_site', async () => {
    const other = await makeSite(stack, 'Other Nursery');
    const token = await makeSiteToken(stack, other);
    await makeJobs(stack, other, 3);
    const page = await openPage(browser, `${address}#token=${token}`);
    await waitForText(page, '#queued', '3');
    await page.getByText('No articles yet.').waitFor();
    assert.ok(!(await page.locator('#site-choice').isVisible()));
    assertQuiet(page);
    await page.context().close();
});

test('administrator_chooses_among_sites', async () => {
    const page = await openBoard();
    await page.getByLabel('Site').selectOption({ label: 'Other Nursery' });
    await page.getByText('No articles yet.').waitFor();
    await waitForText(page, '#queued', '3');
    await waitForText(page, '#dead', '0');
    await page.getByLabel('Site').selectOption({ label: 'Demo Gardens' });
    await page.locator('#article-list li').nth(1).waitFor();
    assertQuiet(page);
    await page.context().close();
});

test('board_in_both_themes_and_on_a_phone', async () => {
    const titles = ['How deep to plant a bare-root pear', 'Lawn care in Travis County: what to do in March', 'The quiet case for gravel', 'A hedge that needs no one',
        'Watering roses by the moon, and why not to', 'Compost that does not smell', 'Raised beds for a north-facing yard in Austin, Texas, with what grows there'];
    const states = ['qc', 'processing', 'approved', 'published', 'qc', 'draft', 'qc'];
    for (const [i, title] of titles.entries())
        await makeArticle(stack, site, { title, content: hostile, status: states[i], words: 717 + i * 41, minutesAgo: i * i * 7 });
    await makeJobs(stack, site, 318);
    await makeJobs(stack, site, 400, 'running');
    const pages = await Promise.all(
        Object.entries({ light: {}, dark: { colorScheme: 'dark' }, phone: { viewport: { width: 390, height: 844 } } }).map(
            async ([name, options]) => Object.assign(await openBoard(options), { name }),
        ),
    );
    for (const [i, part] of [9, 30, 14, 52, 120, 80].entries()) {
        await asPlatform(stack, `update spark.jobs set state = 'done', finished_at = now() where id in (select id from spark.jobs where state = 'running' limit ${part})`);
        for (const page of pages)
            await page.waitForFunction((least) => document.querySelector('#pulse .line').getAttribute('d')?.split('L').length >= least, i + 3);
    }
    for (const page of pages) {
        await page.locator('#article-list li').nth(8).waitFor();
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, 'no sideways scrolling');
        await takePicture(page, page.name);
        assertQuiet(page);
        await page.context().close();
    }
});

test('page_says_when_redis_is_away_and_when_it_is_back', async () => {
    const page = await openBoard();
    await stack.redis.kill();
    await page.getByRole('alert').filter({ hasText: 'Redis is away' }).waitFor();
    await page.locator('#status[data-state="warn"]').waitFor();
    await takePicture(page, 'redis-away');
    await stack.redis.start();
    await page.locator('#status[data-state="good"]').waitFor();
    assert.ok(!(await page.locator('#banner').isVisible()));
    await page.context().close();
});

test('page_says_when_the_server_is_away_and_goes_on_when_it_is_back', async () => {
    const page = await openBoard();
    await stack.server.stop();
    await page.getByRole('alert').filter({ hasText: 'The server does not answer' }).waitFor();
    await takePicture(page, 'server-away');
    await stack.startServer();
    await page.locator('#live[data-live="true"]').waitFor();
    await page.locator('#banner').waitFor({ state: 'hidden' });
    await page.context().close();
});
