// How the static pages are served: headers, validators, compression.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';

import { startStack } from '../support/stack.mjs';

let stack;
before(async () => (stack = await startStack()));
after(() => stack.stop());

/** Without fetch, which asks for compression and undoes it unseen. */
function ask(path, { method = 'GET', headers = {} } = {}) {
    return new Promise((resolve, reject) => {
        request(stack.url + path, { method, headers }, (response) => {
            const chunks = [];
            response.on('data', (chunk) => chunks.push(chunk));
            response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }));
        })
            .on('error', reject)
            .end();
    });
}

test('root_leads_to_the_page', async () => {
    assert.equal((await ask('/')).headers.location, './admin/');
    const { status, headers } = await ask('/admin');
    assert.equal(status, 308);
    assert.equal(headers.location, 'admin/');
});

test('page_has_its_type_its_policy_and_a_strong_validator', async () => {
    const { status, headers, body } = await ask('/admin/');
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.match(headers['content-security-policy'], /^default-src 'none'; script-src 'self';/);
    assert.doesNotMatch(headers['content-security-policy'], /unsafe/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cache-control'], 'no-cache');
    assert.match(headers.etag, /^"[0-9a-f]{32}"$/);
    assert.equal(Number(headers['content-length']), body.length);
    assert.match(body.toString(), /^<!doctype html>/);
});

test('answers_of_the_api_are_not_sniffed', async () => {
    for (const path of ['/server/info', '/api/admin/queue', '/nowhere']) {
        const { headers } = await ask(path);
        assert.equal(headers['x-content-type-options'], 'nosniff', path);
        assert.equal(headers['referrer-policy'], 'no-referrer', path);
    }
});

test('compressed_page_is_the_page_and_has_a_validator_of_its_own', async () => {
    const plain = await ask('/admin/style.css');
    const small = await ask('/admin/style.css', { headers: { 'accept-encoding': 'br, gzip' } });
    assert.equal(small.headers['content-encoding'], 'gzip');
    assert.equal(small.headers.vary, 'accept-encoding');
    assert.equal(plain.headers.vary, 'accept-encoding');
    assert.ok(small.body.length < plain.body.length / 2);
    assert.deepEqual(gunzipSync(small.body), plain.body);
    assert.match(small.headers.etag, /^"[0-9a-f]{32}"$/);
    assert.notEqual(small.headers.etag, plain.headers.etag);
});

test('known_validator_gets_304_in_every_spelling', async () => {
    for (const encoding of ['identity', 'gzip']) {
        const headers = { 'accept-encoding': encoding };
        const { etag } = (await ask('/admin/main.js', { headers })).headers;
        for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
            const again = await ask('/admin/main.js', { headers: { ...headers, 'if-none-match': known } });
            assert.equal(again.status, 304, known);
            assert.equal(again.headers.etag, etag);
            assert.equal(again.body.length, 0);
        }
        assert.equal((await ask('/admin/main.js', { headers: { ...headers, 'if-none-match': '"other"' } })).status, 200);
    }
});

test('head_has_the_length_and_no_body', async () => {
    const { headers, body } = await ask('/admin/', { method: 'HEAD' });
    assert.ok(Number(headers['content-length']) > 1000);
    assert.equal(body.length, 0);
});

test('nothing_outside_the_folder_is_served', async () => {
    for (const path of ['/admin/nowhere.js', '/admin/..%2fMakefile', '/admin/%2e%2e/Makefile', '/admin/.git/config', '/admin//etc/passwd', '/admin/index.html%00'])
        assert.equal((await ask(path)).status, 404, path);
    const { status, headers } = await ask('/admin/', { method: 'POST' });
    assert.equal(status, 405);
    assert.equal(headers.allow, 'GET, HEAD');
});
