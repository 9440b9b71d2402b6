// What a request costs PostgreSQL is fixed by what it asks, never by how many rows there are.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../../support/api.mjs';

const ROWS = 300;

let stack;
let few;
let many;
before(async () => {
    stack = await startApi();
    few = await makeTenant(stack, 'few', 'few.example');
    many = await makeTenant(stack, 'many', 'many.example');
    for (const [collection, row] of [
        ['authors', (i) => ({ name: `Author ${i}` })],
        ['navigation', (i) => ({ label: `Entry ${i}`, url: `/${i}` })],
        ['campaign_masters', (i) => ({ name: `Campaign ${i}`, headline_spintax_root: '{a|b}' })],
        ['generated_articles', (i) => ({ title: `Article ${i}`, slug: `article-${i}`, status: 'qc', campaign_id: many.campaign.id })],
        ['posts', (i) => ({ title: `Post ${i}`, slug: `many-${i}`, author: many.author.id, status: 'published' })],
        ['page_blocks', (i) => ({ page_id: many.page.id, block_type: 'hero', order: i })],
    ]) {
        const body = Array.from({ length: ROWS }, (_, i) => row(i));
        const answer = await stack.call({ method: 'POST', path: `/items/${collection}`, token: many.token, body });
        assert.equal(answer.status, 200, `${collection}: ${answer.text.slice(0, 300)}`);
    }
});
after(() => stack?.stop());

const statements = async () => {
    const { text } = await stack.call({ path: '/metrics', token: stack.adminToken });
    return Number(text.match(/^spark_db_statements (\d+)/m)[1]);
};

/** How many statements a request sends, and the bytes it brings: the fewest of several times, because
 * the first ones fill caches and the server has things of its own to ask now and then. */
async function cost(request) {
    const found = { without: Infinity, with: Infinity, bytes: 0 };
    for (let i = 0; i < 6; i++) {
        const before = await statements();
        const between = await statements();
        const answer = await stack.call(request);
        const end = await statements();
        assert.equal(answer.status, 200, answer.text.slice(0, 300));
        found.without = Math.min(found.without, between - before);
        found.with = Math.min(found.with, end - between);
        found.bytes = answer.text.length;
    }
    return { sent: found.with - found.without, bytes: found.bytes };
}

for (const [what, path] of [
    ['a list', '/items/posts?limit=-1'],
    ['a list with a relation to one', '/items/posts?fields=*,author.*&limit=-1'],
    ['a list with a relation to many', '/items/pages?fields=*,page_blocks.*&limit=-1'],
    ['campaigns', '/api/campaigns?limit=1000'],
    ['articles', '/api/seo/articles?limit=1000'],
])
    test(`i40_${what.replaceAll(' ', '_')}_costs_the_same_for_many_rows_as_for_few`, async () => {
        const small = await cost({ path, token: few.token });
        const large = await cost({ path, token: many.token });
        assert.ok(large.bytes > 10 * small.bytes, `${small.bytes} and ${large.bytes} bytes`);
        assert.ok(small.sent > 0 && small.sent <= 3, `${small.sent} statements`);
        assert.equal(large.sent, small.sent);
    });

test('i40_numbers_are_counted_by_the_database_and_not_from_rows', async () => {
    const small = await cost({ path: '/api/seo/stats', token: few.token });
    const large = await cost({ path: '/api/seo/stats', token: many.token });
    assert.equal(large.sent, small.sent);
    assert.ok(Math.abs(large.bytes - small.bytes) < 10, `${small.bytes} and ${large.bytes} bytes`);
});
