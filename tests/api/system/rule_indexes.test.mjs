// The rules of system collections find the rows just written by index, and logins find users, however many rows there are.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { startApi } from '../../support/api.mjs';

let stack;
before(async () => {
    stack = await startApi({ pack: false, env: { LOGIN_STALL_TIME: '1' } });
});
after(() => stack?.stop());

const file = (name) => path.resolve(import.meta.dirname, `../../../schema/queries/${name}.sql`);
/** A few rows in any installation. */
const SMALL = new Set(['directus_collections', 'directus_settings', 'directus_roles', 'directus_policies', 'directus_access']);
/** What strangers make the server ask. */
const LOGINS = new Set(['session_user_by_email', 'access_user_by_email', 'access_session', 'session_rotate', 'share_find', 'share_use', 'share_session', 'access_user_by_id']);

/** [name, text with $1, $2 …, number of parameters] of each statement. */
async function statements(of) {
    const parts = (await readFile(file(of), 'utf8')).split(/^-- name: /m).slice(1);
    return parts.map((part) => {
        const name = part.match(/^\w+/)[0];
        const names = [...(part.match(/^-- params: (.*(?:\n-- {2,}.*)*)$/m)?.[1] ?? '').matchAll(/(\w+) [\w[\]]+\??/g)].map((m) => m[1]);
        let text = part.slice(part.indexOf('\n')).replace(/^--.*$/gm, '').trim();
        names.forEach((one, i) => (text = text.replaceAll(new RegExp(`(?<!:):${one}\\b`, 'g'), `$${i + 1}`)));
        const count = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map((m) => Number(m[1])));
        return [name, text.replace(/;$/, ''), count];
    });
}

const explain = async (text, count) =>
    (await stack.sql(`set plan_cache_mode = force_generic_plan; set enable_seqscan = off; prepare one as ${text};
        explain execute one${count ? `(${Array(count).fill('null').join(', ')})` : ''}`)).map(([line]) => line).join('\n');

test('no_statement_of_a_rule_scans_a_table', async () => {
    const ofLogins = (await statements('access')).filter(([name]) => LOGINS.has(name));
    assert.equal(ofLogins.length, LOGINS.size);
    const all = [...ofLogins, ...(await statements('system'))];
    for (const [name, text, count] of all) {
        const plan = await explain(text, count);
        const scanned = [...plan.matchAll(/Seq Scan on (\w+)/g)].map((m) => m[1]).filter((table) => !SMALL.has(table));
        assert.deepEqual(scanned, [], `${name}:\n${plan}`);
    }
});

test('what_goes_with_a_row_is_found_by_index', async () => {
    for (const [table, column] of [['directus_revisions', 'version'], ['directus_sessions', 'share'], ['directus_revisions', 'activity'], ['directus_revisions', 'parent'], ['directus_sessions', '"user"']]) {
        const [[type]] = await stack.sql(`select format_type(atttypid, -1) from pg_attribute where attrelid = '${table}'::regclass and attname = '${column.replaceAll('"', '')}'`);
        const plan = await explain(`delete from only ${table} where ${column} = $1::${type}`, 1);
        assert.doesNotMatch(plan, /Seq Scan/, `${table}.${column}`);
    }
});

test('an_address_in_any_case_of_letters_is_the_same_and_no_other_is', async () => {
    const ask = (method, target, body, token) => stack.call({ method, path: target, body, token });
    const addresses = ['straße.Ünal@example.com', 'someone@example.com', 'some1@example.com'];
    for (const email of addresses)
        assert.equal((await ask('POST', '/users', { email, password: `password of ${email}` }, stack.adminToken)).status, 200);
    for (const email of addresses)
        for (const written of [email, email.toUpperCase().replace('STRASSE', 'straße'), email.toLowerCase()])
            assert.equal((await ask('POST', '/auth/login', { email: written, password: `password of ${email}` })).status, 200, written);
    for (const written of ['strasse.ünal@example.com', 'straße.unal@example.com', 'ｓomeone@example.com', 'some¹@example.com'])
        assert.notEqual((await ask('POST', '/auth/login', { email: written, password: 'password of someone@example.com' })).status, 200, written);
    assert.equal((await ask('POST', '/users', { email: 'STRAßE.üNAL@example.com' }, stack.adminToken)).status, 400);
});
