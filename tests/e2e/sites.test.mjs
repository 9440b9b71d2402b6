// Pages of sites in a real browser: each on its own domain, the API on another, Directus' SDK between them.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../support/api.mjs';
import { openPage, startBrowser } from '../support/browser.mjs';

const SDK = path.resolve(import.meta.dirname, '../node_modules/@directus/sdk/dist');
const USER = 'visitor@shop.example';
let stack;
let shop;
let pages;
let browser;
before(async () => {
    stack = await startApi({ env: { LOGIN_STALL_TIME: '0' } });
    shop = await makeTenant(stack, 'Shop', 'shop.example', ['api.shop.example']);
    await makeTenant(stack, 'Rival', 'rival.platform.example');
    await stack.run(`insert into directus_users (id, email, password, site_id) select gen_random_uuid(), '${USER}', password, '${shop.id}' from directus_users where email = '${stack.env.ADMIN_EMAIL}'`);
    pages = createServer(async (request, response) => {
        const file = request.url.startsWith('/sdk/') ? await readFile(path.join(SDK, request.url.slice(5))).catch(() => undefined) : undefined;
        response.setHeader('content-type', file ? 'text/javascript' : 'text/html; charset=utf-8');
        response.end(file ?? '<!doctype html><title>A page</title><link rel="icon" href="data:,">');
    }).listen(0, '127.0.0.1');
    await once(pages, 'listening');
    browser = await startBrowser({ hosts: ['*.example'] });
});
after(async () => {
    await browser?.close();
    pages?.close();
    await stack?.stop();
});

const pageAt = (host) => openPage(browser, `http://${host}:${pages.address().port}/`);
const api = (host) => `http://${host}:${stack.port}`;
/** Runs `code`, the body of an async function with the SDK's names, `base` and `args`, in the page. */
const inPage = (page, base, code, args = {}) =>
    page.evaluate(async ([text, base, args]) => {
        const sdk = await import('/sdk/index.js');
        const run = new Function('sdk', 'base', 'args', `return (async () => { ${text} })()`);
        return run(sdk, base, args).catch((error) => ({ failed: error.errors?.[0]?.extensions?.code ?? error.name }));
    }, [code, base, args]);

test('a_page_on_its_own_domain_reads_its_content_with_the_sdk_from_a_host_of_the_platform', async () => {
    const page = await pageAt('shop.example');
    const titles = await inPage(page, api('platform.example'), `const client = sdk.createDirectus(base).with(sdk.rest());
        return (await client.request(sdk.readItems('posts', { fields: ['title'], sort: ['title'] }))).map((post) => post.title);`);
    assert.deepEqual(titles, ['Shop post 0', 'Shop post 2']);
    const searched = await inPage(page, api('platform.example'), `const client = sdk.createDirectus(base).with(sdk.rest());
        return (await client.request(sdk.withSearch(sdk.readItems('posts', { filter: { title: { _ends_with: '2' } } })))).length;`);
    assert.equal(searched, 1);
    const all = await inPage(page, api('platform.example'), `const client = sdk.createDirectus(base).with(sdk.staticToken(args.token)).with(sdk.rest());
        return (await client.request(sdk.readItems('posts'))).length;`, { token: shop.readToken });
    assert.equal(all, 3);
    const site = await page.evaluate(async (url) => (await fetch(url)).headers.get('x-site-id'), `${api('platform.example')}/items/posts`);
    assert.equal(site, shop.id);
    const refused = await inPage(page, api('platform.example'), `const client = sdk.createDirectus(base).with(sdk.rest());
        return client.request(sdk.createItem('posts', { title: 'x' }));`);
    assert.deepEqual(refused, { failed: 'FORBIDDEN' }, 'the page reads why');
    await page.context().close();
});

test('a_page_of_nobody_reads_nothing', async () => {
    const page = await pageAt('stranger.example');
    for (const host of ['platform.example', 'api.shop.example'])
        assert.deepEqual(await inPage(page, api(host), `return sdk.createDirectus(base).with(sdk.rest()).request(sdk.readItems('posts'));`), { failed: 'TypeError' }, host);
    await page.context().close();
});

test('a_session_in_a_cookie_lasts_over_reloads_until_the_logout', async () => {
    const page = await pageAt('shop.example');
    const client = `const client = sdk.createDirectus(base).with(sdk.authentication('session', { credentials: 'include', autoRefresh: false })).with(sdk.rest({ credentials: 'include' }));`;
    const run = (code) => inPage(page, api('api.shop.example'), client + code, { email: USER, password: stack.env.ADMIN_PASSWORD });
    const me = `return client.request(sdk.readMe({ fields: ['id'] }));`;
    assert.deepEqual(await run(me), { failed: 'INVALID_CREDENTIALS' });
    await run(`await client.login({ email: args.email, password: args.password }, { mode: 'session' });`);
    const [cookie] = await page.context().cookies();
    assert.deepEqual([cookie.name, cookie.domain, cookie.httpOnly, cookie.sameSite], ['directus_session_token', 'api.shop.example', true, 'Lax']);
    assert.equal(await page.evaluate(() => document.cookie), '');
    const { id } = await run(me);
    await page.reload();
    assert.deepEqual(await run(me), { id });
    await run(`await client.refresh({ mode: 'session' });`);
    assert.notEqual((await page.context().cookies())[0].value, cookie.value);
    await page.reload();
    assert.deepEqual(await run(me), { id });
    await run(`await client.logout({ mode: 'session' });`);
    assert.deepEqual(await run(me), { failed: 'INVALID_CREDENTIALS' });
    await page.context().close();
});

test('a_page_of_a_site_below_the_platforms_name_does_nothing_with_an_administrators_cookie', async () => {
    const page = await openPage(browser, `${api('platform.example')}/admin/`);
    const login = await page.evaluate(async (body) => {
        const answer = await fetch('/auth/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
        return answer.json();
    }, { email: stack.env.ADMIN_EMAIL, password: stack.env.ADMIN_PASSWORD, mode: 'session' });
    assert.deepEqual(login, { data: { expires: 86400000 } });
    await page.reload();
    assert.equal(await page.evaluate(async () => (await (await fetch('/users/me?fields=email')).json()).data.email), stack.env.ADMIN_EMAIL);

    // The browser sends the cookie along: both names are of one registrable domain.
    const rival = await page.context().newPage();
    await rival.goto(`http://rival.platform.example:${pages.address().port}/`);
    let sent;
    rival.on('request', async (request) => (sent ??= (await request.allHeaders()).cookie));
    const tries = await rival.evaluate(async ([base, id]) => {
        const one = (target, init = {}) => fetch(base + target, { credentials: 'include', ...init }).then(async (answer) => `${answer.status} ${(await answer.text()).slice(0, 60)}`, (error) => error.name);
        return [
            await one('/users/me'),
            await one('/items/posts?fields=title&limit=1&sort=title'),
            await one('/items/posts', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ title: 'forged' }) }),
            await one('/items/posts/' + id, { method: 'DELETE' }),
            await one('/auth/refresh', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"mode":"session"}' }),
            await one('/auth/logout', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"mode":"session"}' }),
        ].map((line) => line.slice(0, 3));
    }, [api('platform.example'), shop.posts[0].id]);
    assert.deepEqual(tries, ['401', '200', '403', '403', '400', '400']);
    assert.match(sent ?? '', /directus_session_token/, 'the cookie was sent, and did not count');
    assert.deepEqual(await stack.rows(`select count(*) from posts where title = 'forged'`), [['0']]);
    assert.equal((await stack.rows(`select count(*) from posts where id = '${shop.posts[0].id}'`))[0][0], '1');
    assert.equal(await page.evaluate(async () => (await fetch('/users/me')).status), 200, 'still logged in');
    await page.context().close();
});
