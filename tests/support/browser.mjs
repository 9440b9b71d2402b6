// Debian's Chromium through playwright-core, and a page that keeps what it complained about.
//
//   const browser = await startBrowser();
//   const page = await openPage(browser, stack.url + '/admin/');
//   …
//   assert.deepEqual(page.complaints, []);

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { chromium } from 'playwright-core';

const root = path.resolve(import.meta.dirname, '../..');
const pictures = path.join(root, 'build/e2e');

/** hosts: names that lead to this machine, as DNS would ("*.example" too). */
export const startBrowser = ({ hosts = [] } = {}) =>
    chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        headless: true,
        args: [
            '--no-sandbox', // the tests run as root too
            '--disable-gpu',
            '--disable-dev-shm-usage',
            '--disable-quic',
            '--no-first-run',
            '--disable-background-networking',
            '--disable-component-update',
            '--disable-sync',
            ...(hosts.length > 0 ? [`--host-resolver-rules=${hosts.map((host) => `MAP ${host} 127.0.0.1`).join(', ')}`] : []),
        ],
    });

/** options: those of a browser context, e.g. colorScheme, reducedMotion, viewport. */
export async function openPage(browser, url, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    page.complaints = []; // errors on the console (a refusal by the CSP is one), exceptions
    page.strangers = []; // requests to anybody but the server
    page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) page.complaints.push(message.text());
    });
    page.on('pageerror', (error) => page.complaints.push(String(error)));
    page.on('request', (request) => {
        const { protocol, origin } = new URL(request.url());
        if (protocol.startsWith('http') && origin !== new URL(url).origin) page.strangers.push(request.url());
    });
    await page.goto(url);
    return page;
}

/** build/e2e/<name>.png, for people to look at. */
export async function takePicture(page, name) {
    await mkdir(pictures, { recursive: true });
    await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true, animations: 'disabled' });
}
