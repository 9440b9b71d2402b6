// export=csv, csv_utf8, json, xml, yaml: byte for byte what Directus 11.17.4 wrote (tests/fixtures/queries/exports.jsonl), on
// lists, single rows and SEARCH; and the limits.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { startApi } from '../../support/api.mjs';
import { requestOf } from '../../support/questions.mjs';

const fixture = (name) => readFile(new URL(`../../fixtures/queries/${name}`, import.meta.url), 'utf8');

let stack;
before(async () => {
    stack = await startApi({ pack: false });
    await stack.run(await fixture('schema.sql'));
});
after(() => stack.stop());

const ask = (question) => stack.call(requestOf(question, stack.adminToken));

test('each format is written as Directus writes it', async () => {
    const files = (await fixture('exports.jsonl')).trim().split('\n').map((line) => JSON.parse(line));
    assert.ok(files.length > 20);
    for (const { ask: question, type, text } of files) {
        const answer = await ask(question);
        assert.equal(answer.status, 200, question);
        assert.equal(answer.headers['content-type'], type, question);
        assert.match(answer.headers['content-disposition'], /^attachment; filename="\w+ \d{8}-\d{6}\.(csv|json|xml|yaml)"$/);
        assert.equal(answer.text, text, question);
    }
});

test('a file has no envelope and no counts', async () => {
    const answer = await ask('SEARCH /items/articles {"query":{"fields":["id"],"limit":2,"export":"csv","meta":"*"}}');
    assert.equal(answer.text, '"id"\n1\n2');
    assert.match(answer.headers['content-disposition'], /^attachment; filename="articles /);
});

test('errors are JSON, whatever the format', async () => {
    for (const [question, status] of [
        ['articles?export=csv&fields=nope', 403],
        ['articles?export=pdf', 400],
        ['articles?export[]=csv', 400],
        ['articles?export=xml&limit=100000', 400],
        ['nope?export=yaml', 403],
    ]) {
        const answer = await ask(question);
        assert.equal(answer.status, status, question);
        assert.equal(answer.body.errors.length, 1);
        assert.equal(answer.headers['content-disposition'], undefined, question);
    }
});

test('names and characters that XML does not know are replaced', async () => {
    await stack.run(`create table odd (id serial primary key, doc json, "a b" text); insert into odd (doc, "a b") values ('{"x y":1,"":2,"1st":3,"é":4}', E'\\x07');
        insert into directus_collections (collection) values ('odd')`);
    const { text } = await ask('odd?export=xml');
    assert.match(text, /<x_y>1<\/x_y>\n *<_>2<\/_>\n *<_st>3<\/_st>\n *<é>4<\/é>/);
    assert.match(text, /<a_b>\ufffd<\/a_b>/);
});

test('cells that look like formulas are data, and stay as they are', async () => {
    const { text } = await ask('types?export=csv&fields=txt&filter[id]=5');
    assert.equal(text, '"txt"\n"=cmd()|x"');
});

test('rows that nobody may read are in no file', async () => {
    const { text } = await ask('@limited articles?export=csv&fields=status&limit=-1');
    assert.deepEqual(new Set(text.split('\n').slice(1)), new Set(['"published"']));
    assert.equal((await ask('@public articles?export=csv')).status, 403);
});
