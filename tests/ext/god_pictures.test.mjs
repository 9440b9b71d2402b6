// What a collection refuses, it refuses in a bulk load too: row by row, with the reason.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { buildFolder, startStack } from '../support/stack.mjs';

let stack;

before(async () => {
    stack = await startStack({ extensionsPath: path.join(buildFolder, 'extensions') });
    await stack.request('POST', '/items/sites', { name: 'A', domain: 'a.example' });
});
after(() => stack?.stop());

const load = (items, atomic) =>
    stack.request('POST', '/god/data/bulk-insert', { collection: 'image_templates', items, atomic }, { authorization: '', 'x-god-token': stack.env.GOD_MODE_TOKEN });

test('a bulk load leaves out pictures that hold what a picture may not', async () => {
    const found = await stack.request('GET', '/items/sites?filter[name][_eq]=A');
    const site_id = found.body.data[0].id;
    const items = ['<svg><rect width="1"/></svg>', '<svg><script/></svg>', '<svg onload="x"/>'].map((svg_source, n) => ({ site_id, name: `bulk ${n}`, svg_source }));
    const answer = await load(items);
    assert.match(answer.text, /may not have the element <script>/);
    assert.match(answer.text, /may not have the attribute .{1,2}onload/);
    const stored = await stack.request('GET', '/items/image_templates?filter[name][_starts_with]=bulk');
    const names = stored.body.data.map((row) => row.name);
    assert.ok(!names.includes('bulk 1') && !names.includes('bulk 2'), names.join());
});
