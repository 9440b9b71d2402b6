// Fields with the special `encrypt`: what the database holds of them, by whatever path they were written, and that nothing tells
// it. tests/peer/subjects/encrypt.mjs has what Directus answers.

import assert from 'node:assert/strict';
import { createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { fileForm, makeTenant, startApi } from '../../support/api.mjs';

const MASK = '**********';
let stack, tenant;
before(async () => {
    stack = await startApi();
    tenant = await makeTenant(stack, 'A', 'a.example');
    const field = (name, type, special, schema = {}) => ({ field: name, type, meta: { special }, schema });
    for (const [to, body] of [
        ['/collections', { collection: 'vaults', schema: {}, meta: { versioning: true }, fields: [
            { field: 'id', type: 'integer', meta: {}, schema: { is_primary_key: true, has_auto_increment: true } },
            field('name', 'string', null), field('code', 'text', ['encrypt']), field('data', 'json', ['cast-json', 'encrypt']), field('tight', 'string', ['encrypt'], { max_length: 60 }),
            field('parent', 'integer', ['m2o']), { field: 'children', type: 'alias', meta: { special: ['o2m'] }, schema: null }] }],
        ['/relations', { collection: 'vaults', field: 'parent', related_collection: 'vaults', meta: { one_field: 'children' }, schema: {} }],
    ]) {
        const made = await ask('POST', to, body);
        assert.equal(made.status, 200, made.text);
    }
});
after(() => stack?.stop());

const ask = (method, to, body, token = stack.adminToken) => stack.call({ method, path: to, body, token });
async function done(...request) {
    const answer = await ask(...request);
    assert.ok(answer.status === 200 || answer.status === 204, `${request.slice(0, 2)}: ${answer.text}`);
    return answer.body?.data;
}

/** The value of a column, opened as docs/security.md describes it. */
function opened(stored, name, secret = stack.env.SECRET) {
    assert.match(stored, /^sealed:1:/);
    const label = `spark: field ${name}`;
    const key = createHmac('sha256', Buffer.from(hkdfSync('sha256', secret, '', label, 32))).update('spark: sealed text, version 1').digest();
    const bytes = Buffer.from(stored.slice('sealed:1:'.length), 'base64url');
    const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
    cipher.setAAD(Buffer.from(label)).setAuthTag(bytes.subarray(-16));
    return Buffer.concat([cipher.update(bytes.subarray(12, -16)), cipher.final()]).toString();
}
const stored = async (id, column = 'code') => (await stack.rows(`select ${column} #>> '{}' from (select to_jsonb(${column}) as ${column} from vaults where id = ${id}) v`))[0][0];
const codeOf = async (id) => opened(await stored(id), 'vaults.code');

test('a_created_and_a_changed_value_are_stored_sealed', async () => {
    const { id, code } = await done('POST', '/items/vaults', { name: 'a', code: 'hush-1' });
    assert.equal(code, MASK);
    assert.equal(await codeOf(id), 'hush-1');
    await done('PATCH', `/items/vaults/${id}`, { code: 'hush-2' });
    assert.equal(await codeOf(id), 'hush-2');
});

test('many_rows_and_nested_rows_are_stored_sealed', async () => {
    const made = await done('POST', '/items/vaults?fields=id,children.id', [{ name: 'a', code: 'hush-3' }, { name: 'b', code: 'hush-4', children: [{ name: 'c', code: 'hush-5' }, { name: 'd', code: 'hush-6' }] }]);
    const ids = [made[0].id, made[1].id, ...made[1].children.map(({ id }) => id)];
    assert.deepEqual(await Promise.all(ids.map(codeOf)), ['hush-3', 'hush-4', 'hush-5', 'hush-6']);
    await done('PATCH', '/items/vaults', { keys: ids.slice(0, 2), data: { code: 'hush-7' } });
    assert.deepEqual(await Promise.all(ids.slice(0, 2).map(codeOf)), ['hush-7', 'hush-7']);
});

test('imports_and_bulk_loads_are_stored_sealed', async () => {
    for (const [name, form] of [['csv', fileForm('name,code\ncsv,hush-8')], ['json', fileForm('[{"name":"json","code":"hush-8"}]', 'application/json')]])
        assert.equal((await stack.call({ method: 'POST', path: '/utils/import/vaults', token: stack.adminToken, ...form })).status, 200, name);
    const load = (item) => stack.call({ method: 'POST', path: '/god/data/bulk-insert', headers: { 'x-god-token': stack.env.GOD_MODE_TOKEN }, body: { collection: 'vaults', items: [item] } });
    const loaded = await load({ name: 'load', code: 'hush-8', data: { pin: 'hush-8' } });
    assert.equal(loaded.body?.inserted, 1, loaded.text);
    for (const item of [{ tight: 'x'.repeat(60) }, { code: 'x'.repeat((1 << 20) + 1) }]) {
        const refused = await load({ name: 'load', ...item });
        assert.equal(refused.status, 400, refused.text);
        assert.match(refused.text, /must be a shorter text/);
    }
    const ids = await stack.rows(`select id from vaults where name in ('csv', 'json', 'load')`);
    assert.equal(ids.length, 3);
    for (const [id] of ids) assert.equal(await codeOf(id), 'hush-8');
    assert.equal(opened(await stored(ids[2][0], 'data'), 'vaults.data'), '{"pin":"hush-8"}');
});

test('a_column_of_JSON_holds_the_sealed_text_as_a_string', async () => {
    const { id, data } = await done('POST', '/items/vaults', { name: 'j', data: { pin: ['hush-9'] } });
    assert.equal(data, MASK);
    assert.deepEqual(JSON.parse(opened(await stored(id, 'data'), 'vaults.data')), { pin: ['hush-9'] });
});

test('asterisks_are_a_value_like_any_other_as_in_Directus', async () => {
    const { id } = await done('POST', '/items/vaults', { name: 'm', code: 'hush-10' });
    await done('PATCH', `/items/vaults/${id}`, { code: MASK });
    assert.equal(await codeOf(id), MASK);
});

test('sealed_text_that_somebody_sends_is_sealed_again', async () => {
    const { id } = await done('POST', '/items/vaults', { name: 's', code: 'hush-11' });
    const text = await stored(id);
    const copy = await done('POST', '/items/vaults', { name: 's', code: text });
    assert.equal(await codeOf(copy.id), text);
});

test('a_value_without_room_is_refused_without_telling_it', async () => {
    for (const tight of ['hush-12 hush-12 hush-12', 'hush-12 '.repeat(9)]) {
        const answer = await ask('POST', '/items/vaults', { name: 't', tight });
        assert.deepEqual([answer.status, answer.body.errors[0].extensions.code, answer.body.errors[0].extensions.value], [400, 'VALUE_TOO_LONG', MASK]);
        assert.doesNotMatch(answer.text, /hush/);
    }
    assert.deepEqual(await stack.rows(`select id from vaults where name = 't'`), []);
});

test('the_keys_of_settings_are_stored_sealed', async () => {
    assert.deepEqual(await done('PATCH', '/settings?fields=ai_openai_api_key', { ai_openai_api_key: 'hush-13' }), { ai_openai_api_key: MASK });
    const [[key]] = await stack.rows('select ai_openai_api_key from directus_settings');
    assert.equal(opened(key, 'directus_settings.ai_openai_api_key'), 'hush-13');
});

test('a_draft_keeps_values_sealed_and_its_item_gets_them', async () => {
    const item = await done('POST', '/items/vaults?fields=id,children.id', { name: 'v', code: 'hush-14', data: { a: 1 }, children: [{ name: 'w', code: 'hush-15' }] });
    const version = await done('POST', '/versions', { key: 'draft', collection: 'vaults', item: String(item.id) });
    const child = { id: item.children[0].id, code: 'hush-17' };
    const draft = { name: 'drafted', code: 'hush-16', data: { pin: 'hush-16' }, children: { create: [{ name: 'x', code: 'hush-18' }], update: [child], delete: [] } };
    const shown = [await ask('POST', `/versions/${version.id}/save`, draft)];
    for (const to of [`/items/vaults/${item.id}?version=draft&fields=*,children.*`, `/items/vaults/${item.id}?version=draft&versionRaw=true`, `/versions/${version.id}`, `/versions/${version.id}/compare`, '/revisions?limit=9&sort=-id'])
        shown.push(await ask('GET', to));
    for (const answer of shown) {
        assert.equal(answer.status, 200, answer.text);
        assert.doesNotMatch(answer.text, /hush/);
    }
    const { mainHash, current } = shown[4].body.data;
    assert.deepEqual([current.name, current.code, current.data, current.children.create[0].code, current.children.update[0].code], ['drafted', MASK, MASK, MASK, MASK]);
    await done('POST', `/versions/${version.id}/promote`, { mainHash });
    const [[created]] = await stack.rows(`select id from vaults where parent = ${item.id} and name = 'x'`);
    assert.deepEqual([await codeOf(item.id), await codeOf(child.id), await codeOf(created)], ['hush-16', 'hush-17', 'hush-18']);
    assert.equal(opened(await stored(item.id, 'data'), 'vaults.data'), '{"pin":"hush-16"}');
});

test('a_revert_leaves_the_value_as_it_is', async () => {
    const { id } = await done('POST', '/items/vaults', { name: 'r', code: 'hush-19' });
    await done('PATCH', `/items/vaults/${id}`, { name: 'r2', code: 'hush-20' });
    await done('PATCH', `/items/vaults/${id}`, { name: 'r3', code: 'hush-21' });
    const revisions = await done('GET', `/revisions?filter={"collection":"vaults","item":"${id}"}&sort=id&fields=id,data`);
    await done('POST', `/utils/revert/${revisions[1].id}`);
    assert.deepEqual([(await done('GET', `/items/vaults/${id}`)).name, await codeOf(id)], ['r2', 'hush-21']);
});

test('no_condition_tells_a_value_that_was_stored_before_the_field_was_encrypted', async () => {
    const [[id]] = await stack.rows(`insert into vaults (name, code) values ('old', 'plain-text') returning id`);
    const found = async (filter) => (await done('GET', `/items/vaults?fields=name&filter=${encodeURIComponent(JSON.stringify({ id: { _eq: Number(id) }, ...filter }))}`)).length;
    const tells = [{ _eq: 'plain-text' }, { _in: ['plain-text'] }, { _contains: 'plain' }, { _icontains: 'PLAIN' }, { _starts_with: 'p' }, { _ends_with: 't' }];
    assert.deepEqual(await Promise.all(tells.map((code) => found({ code }))), tells.map(() => 0));
    const denies = [{ _neq: 'plain-text' }, { _nin: ['plain-text'] }, { _ncontains: 'plain' }, { _nstarts_with: 'p' }, { _nends_with: 't' }, { _nnull: true }, { _nempty: true }];
    assert.deepEqual(await Promise.all(denies.map((code) => found({ code }))), denies.map(() => 1));
    assert.deepEqual(await done('GET', '/items/vaults?search=plain-text&fields=id'), []);
    for (const query of ['sort=code', 'aggregate[min]=code', 'groupBy=code', 'fields=json(data,pin)']) assert.equal((await ask('GET', `/items/vaults?${query}`)).status, 403, query);
});

test('rows_of_a_site_are_sealed_too_and_its_token_sees_asterisks', async () => {
    await done('POST', '/fields/authors', { field: 'key', type: 'text', meta: { special: ['encrypt'] }, schema: {} });
    const author = await done('POST', '/items/authors', { name: 'Own', key: 'hush-22' }, tenant.token);
    assert.equal(author.key, MASK);
    const [[text]] = await stack.rows(`select key from authors where id = '${author.id}'`);
    assert.equal(opened(text, 'authors.key'), 'hush-22');
});

test('nothing_that_was_written_stands_anywhere_in_the_database_or_the_log', async () => {
    const columns = await stack.rows(`select quote_ident(n.nspname) || '.' || quote_ident(c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname in ('public', 'spark') order by 1`);
    for (const [table] of columns) assert.deepEqual(await stack.rows(`select t::text from ${table} t where t::text like '%hush-%' limit 1`), [], table);
    assert.doesNotMatch(await readFile(path.join(stack.folder, 'server.log'), 'utf8'), /hush-/);
});
