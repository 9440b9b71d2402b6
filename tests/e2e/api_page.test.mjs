// The page of the API in Chromium: it shows what the server describes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openPage, startBrowser, takePicture } from '../support/browser.mjs';
import { readRoutes } from '../support/api.mjs';
import { startStack } from '../support/stack.mjs';

let stack;
let browser;
before(async () => {
    stack = await startStack();
    browser = await startBrowser();
});
after(async () => {
    await browser?.close();
    await stack?.stop();
});

test('every_route_is_listed_and_can_be_found', async () => {
    const page = await openPage(browser, `${stack.url}/admin/api.html`);
    const routes = await readRoutes();
    await page.getByText(`${routes.length} routes`).waitFor();
    assert.equal(await page.locator('.routes li').count(), routes.length);
    assert.equal(await page.locator('.facts', { hasText: 'Needs a token.' }).count(), routes.filter(({ guard }) => guard === 'GUARD_ADMIN' || guard === 'GUARD_MEMBER').length);
    await takePicture(page, 'api');

    await page.getByLabel('Find a route').fill('post /auth/log');
    await page.getByText('2 routes').waitFor();
    assert.deepEqual(await page.locator('.path').allTextContents(), ['/auth/login', '/auth/logout']);
    assert.deepEqual([page.complaints, page.strangers], [[], []]);
    await page.context().close();
});

test('page_without_a_description_says_so', async () => {
    const page = await openPage(browser, 'about:blank');
    await page.route('**/server/specs/oas', (route) => route.abort());
    await page.goto(`${stack.url}/admin/api.html`);
    await page.getByText('The description cannot be read').waitFor();
    await page.context().close();
});
