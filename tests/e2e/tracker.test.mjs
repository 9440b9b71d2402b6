// The script on a site's pages: a real browser, a page of another origin, rows in the tables.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../support/api.mjs';
import { startBrowser } from '../support/browser.mjs';
import { until } from '../support/stack.mjs';

let stack;
let site;
let pages;
let browser;
let origin;
before(async () => {
    stack = await startApi({ workers: 1 });
    // The site's page server: another origin than the platform's, and a domain of the site.
    site = await makeTenant(stack, 'A', 'localhost');
    pages = createServer((request, response) => {
        response.setHeader('content-type', 'text/html; charset=utf-8');
        response.end(`<!doctype html><title>Page ${new URL(request.url, 'http://x').pathname}</title>
            <a id="call" href="tel:+1-555-0100">call</a> <a id="out" href="https://elsewhere.example/x?secret=1">out</a> <a id="odd" href="http://[">odd</a>
            <form name="contact"><button id="send">send</button></form>
            <script>for (const id of ['call', 'out', 'odd']) document.getElementById(id).onclick = () => false; document.forms[0].onsubmit = () => false;</script>
            <script src="${stack.url}/js/tracker.js" data-site-id="${site.id}"></script>`);
    }).listen(0, '127.0.0.1');
    await once(pages, 'listening');
    origin = `http://localhost:${pages.address().port}`;
    browser = await startBrowser();
});
after(async () => {
    await browser?.close();
    pages?.close();
    await stack.stop();
});

const rows = async (text) => (await stack.rows(`select row_to_json(x) from (${text}) x`)).map(([row]) => JSON.parse(row));

async function open(path) {
    const page = await (await browser.newContext()).newPage();
    page.complaints = [];
    page.on('console', (message) => message.type() === 'error' && !message.text().includes('favicon') && page.complaints.push(message.text()));
    page.on('pageerror', (error) => page.complaints.push(String(error)));
    await page.goto(origin + path);
    return page;
}

test('tracker_is_served_to_any_page', async () => {
    const answer = await fetch(`${stack.url}/js/tracker.js`);
    assert.deepEqual([answer.status, answer.headers.get('content-type'), answer.headers.get('x-content-type-options')], [200, 'text/javascript; charset=utf-8', 'nosniff']);
    assert.equal((await fetch(`${stack.url}/js/main.js`)).status, 404);
});

test('page_views_events_and_conversions_of_a_visit_arrive', async () => {
    const page = await open('/first?utm_source=news&utm_campaign=may&gclid=g1');
    const views = (path) => until(async () => {
        const found = await rows(`select * from pageviews where page_path = '${path}'`);
        return found.length && found;
    }, path);
    const [first] = await views('/first');
    assert.deepEqual([first.site_id, first.page_title, first.utm_source, first.utm_campaign], [site.id, 'Page /first', 'news', 'may']);
    assert.match(first.visitor_id, /^v_[0-9a-f]{32}$/);
    assert.match(first.session_id, /^s_[0-9a-f]{32}$/);

    await page.evaluate(() => { history.pushState({}, '', '/second?x=1'); history.replaceState({}, '', '/second?x=2'); });
    const second = await views('/second');
    assert.deepEqual([second.length, second[0].visitor_id, second[0].session_id], [1, first.visitor_id, first.session_id]);

    for (const id of ['call', 'out', 'odd', 'send']) await page.click(`#${id}`);
    await page.evaluate(() => {
        globalThis.sparkTrack('video', { category: 'media', label: 'intro', value: 7, metadata: { at: 3 } });
        globalThis.sparkConversion('signup', 19.9, { currency: 'EUR' });
        globalThis.sparkTrack();
        globalThis.sparkTrack('round', { metadata: globalThis });
    });
    const events = await until(async () => {
        const found = await rows(`select * from events where visitor_id = '${first.visitor_id}' order by event_name`);
        return found.length >= 4 && found;
    }, 'the events');
    assert.deepEqual(events.map((e) => [e.event_name, e.event_category, e.event_label, e.event_value, e.page_path]), [
        ['call_click', 'engagement', '+1-555-0100', null, '/second'], ['form_submit', 'form', 'contact', null, '/second'],
        ['outbound_click', 'engagement', 'elsewhere.example/x', null, '/second'], ['video', 'media', 'intro', '7', '/second'],
    ]);
    assert.deepEqual(events[3].metadata, { at: 3 });
    const conversions = await until(async () => {
        const found = await rows('select conversion_type, value, currency, source, campaign, gclid from conversions order by 1');
        return found.length >= 2 && found;
    }, 'the conversions');
    assert.deepEqual(conversions, [
        { conversion_type: 'call', value: 75, currency: 'USD', source: 'news', campaign: 'may', gclid: 'g1' },
        { conversion_type: 'signup', value: 19.9, currency: 'EUR', source: 'news', campaign: 'may', gclid: 'g1' },
    ]);
    assert.deepEqual(page.complaints.filter((text) => !text.includes('400')), []);

    // The same browser keeps its visitor, another has its own.
    await page.goto(`${origin}/third`);
    assert.equal((await views('/third'))[0].visitor_id, first.visitor_id);
    await open('/other');
    assert.notEqual((await views('/other'))[0].visitor_id, first.visitor_id);
});

test('pages_whose_storage_is_closed_are_tracked_too', async () => {
    const context = await browser.newContext();
    await context.addInitScript(() => {
        for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(globalThis, name, { get() { throw new Error('closed'); } });
    });
    const page = await context.newPage();
    await page.goto(`${origin}/closed`);
    const [view] = await until(async () => {
        const found = await rows(`select * from pageviews where page_path = '/closed'`);
        return found.length && found;
    }, 'the view');
    assert.match(view.visitor_id, /^v_/);
});
