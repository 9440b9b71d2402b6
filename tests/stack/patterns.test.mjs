// On the program that is shipped too, with the stacks that it has: patterns of forms and of rules
// that a compiler for them recurses on.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, startApi } from '../support/api.mjs';
import { buildFolder } from '../support/stack.mjs';

let stack;
let a;
before(async () => {
    stack = await startApi({ extensionsPath: path.join(buildFolder, 'extensions') });
    a = await makeTenant(stack, 'A', 'a.example');
});
after(() => stack.stop());

const as = (token) => (method, target, body) => stack.call({ method, path: target, token, body });
const site = (...request) => as(a.token)(...request);
const form = (pattern, slug) => ({ name: 'f', slug, fields: [{ name: 'v', type: 'textarea', pattern }] });
const submit = (slug, v) => stack.call({ method: 'POST', path: '/api/forms/submit', host: 'a.example', body: { form_slug: slug, data: { v }, form_age_ms: 9000 } });
const metric = async (name) => Number((await as(stack.adminToken)('GET', '/metrics')).text.match(new RegExp(`^spark_${name} (\\d+)$`, 'm'))[1]);
const isUp = async () => assert.equal((await stack.call({ path: '/server/ping' })).status, 200);

const filled = (head, unit, tail = '') => head + unit.repeat(Math.floor((4096 - head.length - tail.length) / unit.length)) + tail;
const chained = () => {
    let pattern = '(?<=(?1))';
    for (let i = 2; pattern.length < 4050; i++) pattern += `(a(?${i}))`;
    return `${pattern}(b)`;
};
const patterns = {
    octets: [String.raw`(?:\d{1,3}\.?){1,200}`, '1.2.3.4', 201],
    words: [String.raw`(\s*\S{1,100}){1,250}`, 'some words', 201],
    list: ['([^,]{1,40},? ?){1,150}', 'a, b, c', 201],
    graphemes: [String.raw`(?:\X{1,255}){1,255}`, 'e\u0301', 201],
    optional: [filled('a*', '(b)?'), 'aab', 201],
    nested: [filled('('.repeat(20), 'a*b?', ')'.repeat(20)), 'ab', 201],
    lookbehinds: [chained(), 'ab', 400],
    backtracking: ['(a+)+b', 'a'.repeat(9000), 400],
    walking: ['(?:a*+b|a*+c|a*+d|a*+e|a)*', 'a'.repeat(9000) + '!', 400],
};
for (const [slug, [pattern, value, status]] of Object.entries(patterns))
    test(`pattern of a form does not end the server: ${slug}`, async () => {
        assert.equal((await site('POST', '/items/forms', form(pattern, slug))).status, 200);
        const answer = await submit(slug, value);
        assert.equal(answer.status, status, answer.text);
        await isUp();
    });

test('bad_patterns_are_refused_where_forms_are_written_whatever_the_path', async () => {
    const bad = form('(', 'bad');
    const made = (await site('POST', '/items/forms', form('a', 'good'))).body.data.id;
    const refused = (answer) => {
        assert.deepEqual([answer.status, codeOf(answer)], [400, 'FAILED_VALIDATION'], answer.text);
        assert.match(answer.text, /The pattern of \\"v\\": Invalid regular expression at offset 1/);
    };
    refused(await site('POST', '/items/forms', bad));
    refused(await site('POST', '/items/forms', [form('a', 'g1'), bad]));
    refused(await site('PATCH', `/items/forms/${made}`, { fields: bad.fields }));
    refused(await site('PATCH', '/items/forms', { keys: [made], data: { fields: bad.fields } }));
    refused(await site('PATCH', '/items/forms', [{ id: made, fields: bad.fields }]));
    refused(await site('POST', '/items/forms', form('(?i)[\\x{100}-\\x{10ffff}\\x{100}-\\x{10ffff}]', 'wide')).then((answer) => {
        assert.match(answer.text, /too many characters in ranges that ignore case/);
        return { ...answer, text: answer.text.replace(/offset 0.*?"/, 'offset 1"') };
    }));
    const many = await site('POST', '/items/forms', Array.from({ length: 200 }, (_, i) => (i === 150 ? bad : form('a', `m${i}`))));
    assert.equal(many.status, 400, many.text);
    assert.match(many.text, /Invalid regular expression at offset 1/);
    const blueprint = await stack.call({ method: 'POST', path: '/api/admin/import-blueprint', token: a.token,
        body: { format: 'spark-site/1', site_id: a.id, forms: [bad] } });
    assert.equal(blueprint.status, 400, blueprint.text);
    assert.match(blueprint.text, /Invalid regular expression at offset 1/);
    const stored = (await stack.rows(`select count(*) from forms where slug in ('bad', 'wide', 'g1') or slug ~ '^m[0-9]'`))[0][0];
    assert.equal(stored, '0');
});

test('bad_patterns_in_rules_are_refused_when_the_rule_is_written', async () => {
    const god = (target, body) => stack.call({ method: 'POST', path: `/god/schema/${target}`, body, headers: { 'x-god-token': stack.env.GOD_MODE_TOKEN } });
    const ruled = (field, pattern) => ({ field, type: 'string', meta: { validation: { _and: [{ [field]: { _regex: pattern } }] } } });
    const refused = (answer) => {
        assert.equal(answer.status, 400, answer.text);
        assert.match(answer.text, /Invalid regular expression at offset/);
    };
    const key = { field: 'id', type: 'integer', schema: { is_primary_key: true, has_auto_increment: true } };
    const ok = (answer) => assert.equal(answer.status, 200, answer.text);
    refused(await god('collections/create', { collection: 'ruled', schema: {}, fields: [key, ruled('word', '[')] }));
    ok(await god('collections/create', { collection: 'ruled', schema: {}, fields: [key, ruled('word', String.raw`/^(?:[a-z]{1,3}\.?){1,200}$/i`)] }));
    refused(await god('fields/create', { collection: 'ruled', ...ruled('other', '(') }));
    const { schema } = (await stack.call({ path: '/god/schema/snapshot', headers: { 'x-god-token': stack.env.GOD_MODE_TOKEN } })).body;
    const admin = (word) => stack.request('POST', '/items/ruled', { word });
    assert.equal((await admin('Ab.cD')).status, 200);
    const bad = await admin('12');
    assert.deepEqual([bad.status, codeOf(bad)], [400, 'FAILED_VALIDATION'], bad.text);
    const changed = schema.replaceAll(/_regex: .*/g, '_regex: "("');
    assert.notEqual(changed, schema);
    refused(await god('apply', { yaml: changed }));
    await isUp();
});

test('patterns_are_kept_compiled', async () => {
    assert.equal((await submit('octets', '1.2')).status, 201);
    const before = await metric('regex_compiles');
    for (let i = 0; i < 3; i++) assert.equal((await submit('octets', `1.${i}.7`)).status, 201);
    assert.equal(await metric('regex_compiles'), before);
});
