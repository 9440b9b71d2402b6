// The host: what it refuses and says, what it survives, and what an extension may do through it.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { buildFolder, startStack, until } from '../support/stack.mjs';

const extensionsPath = path.join(buildFolder, 'tests/ext');
let stack;
let siteA;
let siteB;

const events = (name) =>
    stack.server.tail.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)).filter(({ event }) => event === name);

before(async () => {
    stack = await startStack({ extensionsPath, workers: 1, env: { JOB_RETRY_BASE: '1' } });
    siteA = (await stack.request('POST', '/items/sites', { name: 'A', domain: 'a.example' })).body.data.id;
    siteB = (await stack.request('POST', '/items/sites', { name: 'B', domain: 'b.example' })).body.data.id;
});
after(() => stack?.stop());

/** Row security holds for psql too. */
const asPlatform = (text) => stack.sql(`set role spark_platform; set spark.scope = 'platform'; ${text}`);

const probe = (sql, args = [], headers = {}) => stack.request('POST', '/probe/sql', { sql, args }, headers);

test('what does not fit is refused with a sentence, and the server goes on', () => {
    const reasons = Object.fromEntries(events('extension_refused').map(({ reason }) => [path.basename(reason.split(' ')[0]), reason]));
    assert.match(reasons['wrong-magic.so'], /is no extension of Spark: its magic number is .*rebuild it$/);
    assert.match(reasons['wrong-major.so'], /was built against spark\.h 99\.0, this host speaks 1\.4: rebuild it/);
    assert.match(reasons['too-new.so'], /needs spark\.h 1\.1\d\d, this host speaks only 1\.4: update the host/);
    assert.match(reasons['wrong-size.so'], /has 8 bytes and that version's has \d+: rebuild it with an unchanged spark\.h$/);
    assert.match(reasons['no-entry.so'], /does not export spark_extension_get\(\)$/);
    assert.match(reasons['bad-name.so'], /has no proper name/);
    assert.match(reasons['bad-start.so'], /did not start: its start function returned 6$/);
    assert.match(reasons['twin-two.so'], /is called "twin" as another one is/);
    assert.equal(Object.keys(reasons).length, 8);
    assert.deepEqual(events('extension_started').map(({ extension }) => extension), ['probe', 'rogue', 'taker', 'twin']);
});

test('what did not start offers nothing, and of two with one name the first stays', async () => {
    assert.equal((await stack.request('GET', '/bad-start')).status, 404);
    assert.equal((await stack.request('GET', '/twin')).text, 'one');
});

test('offers that clash are refused one by one', async () => {
    assert.match((await stack.request('GET', '/probe/state')).text, /^conflicts=3 /);
    assert.equal((await stack.request('GET', '/server/ping')).text, 'pong');
});

test('an endpoint sees the request and answers it', async () => {
    const answer = await stack.request('POST', '/probe/echo/a?b=c', { d: 1 }, { 'x-probe': 'seen' });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.text, 'POST /probe/echo/a b=c site= admin=1 platform=1 {"d":1}');
    assert.equal(answer.headers.get('x-answer'), 'seen');
    assert.equal(answer.headers.get('x-split'), null);
    assert.equal(answer.headers.get('set-cookie'), null);
    const visitor = await stack.request('POST', '/probe/echo/a', { d: 1 }, { authorization: '' });
    assert.equal(visitor.text, 'POST /probe/echo/a  site= admin=0 platform=0 {"d":1}');
    const narrowed = await stack.request('POST', '/probe/echo/a', { d: 1 }, { 'x-site-id': siteA });
    assert.equal(narrowed.text, `POST /probe/echo/a  site=${siteA} admin=1 platform=0 {"d":1}`);
    const large = await stack.request('POST', '/probe/echo/a', { d: 'x'.repeat(17000) });
    assert.equal(large.status, 413);
    assert.equal((await stack.request('GET', '/probe/nothing')).status, 204);
});

test('a failure has the status, the sentence and the form of its API', async () => {
    const expected = { 1: [500, 'EXTENSION_FAILED'], 2: [400, 'INVALID_PAYLOAD'], 3: [404, 'NOT_FOUND'], 4: [403, 'FORBIDDEN'],
        5: [409, 'CONFLICT'], 6: [503, 'SERVICE_UNAVAILABLE'], 99: [500, 'EXTENSION_FAILED'] };
    for (const [given, [status, code]] of Object.entries(expected)) {
        const answer = await stack.request('GET', `/api/probe/fail/${given}`);
        assert.equal(answer.status, status, answer.text);
        assert.equal(answer.body.error, true);
        assert.equal(answer.body.code, code);
        assert.match(answer.body.message, /as told/);
    }
    const mute = await stack.request('GET', '/probe/mute');
    assert.equal(mute.status, 500);
    assert.equal(mute.body.errors[0].message, 'The extension "probe" failed without giving a reason.');
});

test('values come as text', async () => {
    const answer = await probe(`select 'a'::text, 'b'::varchar, 42::smallint, -7::int, 9007199254740993::bigint, true,
        '0193e8a0-0000-7000-8000-000000000001'::uuid, '{"x": [1]}'::json, '{"y": 2}'::jsonb,
        '2024-12-29T23:56:42Z'::timestamptz, '2024-12-29 23:56:42'::timestamp, '2024-02-29'::date, null::text, $1::text`, ['sent']);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.text.split('\n').slice(1, -1), ['a', 'b', '42', '-7', '9007199254740993', 'true',
        '0193e8a0-0000-7000-8000-000000000001', '{"x": [1]}', '{"y": 2}', '2024-12-29T23:56:42.000Z', '2024-12-29T23:56:42.000Z',
        '2024-02-29', '(null)', 'sent']);
    const odd = await probe('select 1.5::numeric as ratio');
    assert.equal(odd.status, 500);
    assert.match(odd.body.errors[0].message, /"ratio" has a type that must be selected as ::text/);
});

test('a statement stays in the scope of its caller', async () => {
    for (const [site, name] of [[siteA, 'a'], [siteB, 'b']])
        assert.equal((await stack.request('POST', '/items/posts', { site_id: site, title: name, slug: name })).status, 200);
    const titles = 'select title from posts order by title';
    assert.equal((await probe(titles)).text, '2\na\nb\n');
    assert.equal((await probe(titles, [], { 'x-site-id': siteA })).text, '1\na\n');
    const changed = await probe("update posts set excerpt = 'x' returning title", [], { 'x-site-id': siteB });
    assert.equal(changed.text, '1\nb\n');
    const intruder = await probe('insert into posts (site_id, title) values ($1::uuid, $2)', [siteB, 'c'], { 'x-site-id': siteA });
    assert.equal(intruder.status, 403, intruder.text);
    assert.equal((await probe('select count(*) from spark.site_tokens', [], { 'x-site-id': siteA })).status, 403);
});

test('only one statement, and none that changes the lane', async () => {
    for (const sql of ['begin', 'commit', 'set role spark_owner', 'reset all', 'copy posts to stdout', 'drop table posts', '', '-- nothing',
        'lock posts', 'do $$ begin end $$']) {
        const answer = await probe(sql);
        assert.equal(answer.status, 500, `${sql}: ${answer.text}`);
        assert.match(answer.body.errors[0].message, /begins with select, values, with/);
    }
    assert.equal((await probe('select 1; drop table posts')).status, 500);
    assert.equal((await probe('select count(*) from posts')).status, 200);
});

test('schema work is not for everybody who gets past a guard', async () => {
    assert.equal((await stack.request('GET', '/probe/overreach')).text, 'the whole schema');
    assert.equal((await stack.request('GET', '/probe/overreach', undefined, { authorization: '' })).status, 401);
    assert.equal((await stack.request('GET', '/probe/overreach', undefined, { 'x-site-id': siteA })).status, 403);
});

test('a filter may put another payload in place', async () => {
    const made = await stack.request('POST', '/items/authors', { site_id: siteA, name: 'rename me' });
    assert.equal(made.status, 200, made.text);
    assert.equal(made.body.data.name, 'renamed');
    const list = await stack.request('POST', '/items/authors', { site_id: siteA, name: 'list' });
    assert.equal(list.status, 500, list.text);
    assert.match(list.body.errors[0].message, /returned an item that is not an object/);
});

test("an action's failure does not reach the caller", async () => {
    const made = await stack.request('POST', '/items/authors', [{ site_id: siteA, name: 'x' }, { site_id: siteA, name: 'y' }]);
    assert.equal(made.status, 200, made.text);
    assert.equal(made.body.data.length, 2);
});

test('a filter that takes too long refuses the write, and the counter shows it', async () => {
    const late = await stack.request('POST', '/items/authors', { site_id: siteA, name: 'late' });
    assert.equal(late.status, 500, late.text);
    assert.match(late.body.errors[0].message, /took longer than 5 s/);
    assert.deepEqual((await stack.request('GET', '/items/authors?filter[name][_eq]=late')).body, { data: [] });
    const metrics = await stack.request('GET', '/metrics');
    assert.ok(Number(metrics.text.match(/^spark_extension_failures(?:_total)? (\d+)$/m)[1]) >= 1, metrics.text);
});

test('a job that fails runs again, and what it finishes with happens once', async () => {
    const accepted = await stack.request('POST', '/probe/enqueue', {}, { 'x-site-id': siteA });
    assert.equal(accepted.status, 200, accepted.text);
    await until(async () => (await asPlatform(`select state from spark.jobs where id = ${accepted.text}`))[0][0] === 'done', 'the job');
    assert.deepEqual(await asPlatform("select site_id, entity_id from work_log where action = 'probe'"), [[siteA, '2']]);
    assert.deepEqual(await asPlatform(`select failures, result from spark.jobs where id = ${accepted.text}`), [['1', '{"done": true}']]);
});

// Last: afterwards the extension is off.
test('ten failures in a row switch it off, and the writes go on', async () => {
    const good = await stack.request('POST', '/items/authors', { site_id: siteA, name: 'good' });
    assert.equal(good.status, 200, good.text); // ends the row that was
    for (let i = 0; i < 10; i++) {
        const answer = await stack.request('POST', '/items/authors', { site_id: siteA, name: 'broken' });
        assert.equal(answer.status, 500, answer.text);
    }
    const through = await stack.request('POST', '/items/authors', { site_id: siteA, name: 'broken' });
    assert.equal(through.status, 200, through.text);
    const endpoint = await stack.request('GET', '/probe/state');
    assert.equal(endpoint.status, 503);
    assert.match(endpoint.body.errors[0].message, /was disabled after 10 consecutive failures/);
    assert.equal(events('extension_switched_off').length, 1);
    assert.equal((await stack.request('GET', '/twin')).text, 'one');
});

test('EXTENSIONS_DISABLED leaves out what it names', async () => {
    const other = await startStack({ extensionsPath, env: { EXTENSIONS_DISABLED: 'probe, taker, twin-one' } });
    try {
        assert.equal((await other.request('GET', '/probe/state')).status, 404);
        assert.equal((await other.request('GET', '/twin')).text, 'two');
    } finally {
        await other.stop();
    }
});
