// POST /utils/import/:collection: rows from a file, all of them or none. What Directus answers to the same files is in
// tests/peer/subjects/imports.mjs.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { codeOf, fileForm, makeTenant, startApi } from '../../support/api.mjs';

let stack;
let a;
let b;
before(async () => {
    stack = await startApi();
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
});
after(() => stack.stop());

const load = (collection, text, { token = a.token, type } = {}) => stack.call({ method: 'POST', path: `/utils/import/${collection}`, token, ...fileForm(text, type) });
const numbers = (count) => Array.from({ length: count }, (_, n) => n);
const count = async (where) => Number((await stack.rows(`select count(*) from authors where ${where}`))[0][0]);

test('more_rows_than_one_request_may_write_are_imported_in_one_transaction', async () => {
    const rows = 2500;
    const answer = await load('authors', `name\n${numbers(rows).map((n) => `many ${n}`).join('\n')}\n`);
    assert.deepEqual([answer.status, answer.text, answer.headers['content-type']], [200, '', undefined]);
    assert.equal(await count(`name like 'many %' and site_id = '${a.id}'`), rows);
    assert.deepEqual(await stack.rows(`select count(distinct xmin::text) from authors where name like 'many %'`), [['1']]);
    assert.deepEqual(await stack.rows(`select count(*) from directus_activity where collection = 'authors' and action = 'create' and item in (select id::text from authors where name like 'many %')`), [[String(rows)]]);
});

test('nothing_is_written_when_one_row_of_many_is_wrong', async () => {
    const answer = await load('authors', `name\n${numbers(300).map((n) => `half ${n}`).join('\n')}\n""\n`);
    assert.deepEqual([answer.status, codeOf(answer), answer.body.errors[0].extensions.rows], [400, 'FAILED_VALIDATION', [{ type: 'lines', rows: [301] }]]);
    assert.equal(await count(`name like 'half %'`), 0);
});

test('no_more_than_a_thousand_faulty_rows_are_counted', async () => {
    const answer = await load('authors', `name,bio\n${'""\n'.repeat(1500)}`);
    assert.deepEqual([answer.status, answer.body.errors.length, answer.body.errors[0].extensions.rows], [400, 1, [{ type: 'range', start: 1, end: 1000 }]]);
});

test('a_row_of_another_site_is_neither_changed_nor_seen', async () => {
    for (const [text, type] of [[`id,name\n${b.author.id},stolen`], [JSON.stringify([{ id: b.author.id, name: 'stolen' }]), 'application/json']])
        assert.ok((await load('authors', text, { type })).status < 500);
    assert.deepEqual(await stack.rows(`select name from authors where site_id = '${b.id}'`), [[`Author of B`]]);
    const foreign = await load('authors', `name,site_id\nx,${b.id}`);
    assert.ok(foreign.status >= 400 || (await count(`name = 'x' and site_id = '${b.id}'`)) === 0);
    assert.equal(await count(`name = 'x' and site_id = '${b.id}'`), 0);
});

test('a_token_that_may_only_read_and_system_collections_are_refused', async () => {
    assert.equal((await load('authors', 'name\nx', { token: a.readToken })).status, 403);
    for (const name of ['directus_users', 'directus_permissions', 'directus_activity'])
        assert.deepEqual([(await load(name, 'id\n1', { token: stack.adminToken })).status], [403], name);
});

test('files_that_are_none_are_refused', async () => {
    const send = (headers, text) => stack.call({ method: 'POST', path: '/utils/import/authors', token: a.token, headers, text });
    const boundary = { 'content-type': 'multipart/form-data; boundary=b' };
    const field = '--b\r\ncontent-disposition: form-data; name="x"\r\n\r\ny\r\n--b--\r\n';
    for (const [answer, code] of [
        [await send(boundary, field), 'INVALID_PAYLOAD'], [await send(boundary, ''), 'INVALID_PAYLOAD'], [await send({ 'content-type': 'text/csv' }, 'name\nx'), 'UNSUPPORTED_MEDIA_TYPE'],
        [await load('authors', 'x', { type: 'text/html' }), 'UNSUPPORTED_MEDIA_TYPE'], [await load('authors', '{}', { type: 'application/json' }), 'INVALID_PAYLOAD'],
        [await load('authors', '[{"name":"x"},5]', { type: 'application/json' }), 'INVALID_PAYLOAD'], [await load('authors', numbers(256).join(',')), 'INVALID_PAYLOAD'],
        [await load('nope', 'name\nx'), 'FORBIDDEN']])
        assert.equal(codeOf(answer), code, answer.text);
    assert.equal(await count(`name = 'x'`), 0);
});

test('a_name_with_dots_leads_into_rows_and_lists', async () => {
    const answer = await load('posts', 'title,author.name,related.0.x,related.1.x\nwith an author,Nia,1,2');
    assert.equal(answer.status, 200, answer.text);
    assert.equal(await count(`name = 'Nia' and site_id = '${a.id}'`), 1);
});
