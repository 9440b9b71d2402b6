// The last release's database, full of what people left in it, under today's binary: what was there is
// there, what went on goes on, and nobody must repair anything first.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { codeOf, startApi } from '../support/api.mjs';
import { applyReleased } from '../support/released.mjs';
import { binary, createDatabase, sql, startBackends, until, withDatabase } from '../support/stack.mjs';

const run = promisify(execFile);
const A = '0e000000-0000-7000-8000-00000000000a';
const CAMPAIGN = '0c000000-0000-7000-8000-00000000000a';
const QUEUE = '0d000000-0000-7000-8000-00000000000a';
const ROWS = ['tests/fixtures/upgrade/rows.sql'];
const TOKEN = 'token-of-the-old-site-a';

test('a database of the last release, with the pack', async (t) => {
    const stack = await startApi({
        workers: 1,
        prepare: (url) => applyReleased(url, ['system', 'pack'], ROWS),
    });
    t.after(() => stack.stop());
    const ask = (method, path, body, more) => stack.call({ method, path, body, token: stack.adminToken, ...more });
    const one = async (text) => (await stack.rows(text))[0]?.[0];
    const articleOf = (slug) => one(`select id from generated_articles where slug = '${slug}'`);
    const publish = async (slug) => ask('POST', '/api/seo/publish-article', { article_id: await articleOf(slug), status: 'published' });

    await t.test('what the doctor sees is good', async () => {
        const { stdout } = await stack.spark('doctor', '--json');
        assert.deepEqual(JSON.parse(stdout).filter((line) => line.state === 'bad'), []);
    });

    await t.test('a host belongs to one site, however it was written; what no request asks for stays as it is', async () => {
        const hosts = Object.fromEntries(await stack.rows('select d.domain, s.name from spark.site_domains d join sites s on s.id = d.site_id'));
        const of = (domain) => hosts[domain];
        assert.deepEqual(['shop.example', 'www.shop.example', 'dot.example', 'xn--mnchen-3ya.example', 'xn--strae-oqa.example', 'xn--kln-sna.example', '[2001:db8::1]'].map(of),
            ['A', 'A', 'B', 'C', 'E', 'H', 'F']);
        assert.deepEqual(['straße.example', '[2001:db8:0::1]', '。', '[::zz]', 'http://x.example/'].map(of), ['D', 'G', 'I', 'I', 'I']);
        assert.equal(Object.values(hosts).filter((name) => name === 'J').length, 1);
    });

    await t.test('tokens open the site that they opened', async () => {
        const answer = await ask('GET', '/items/forms?fields=name&sort=name', undefined, { token: TOKEN, host: 'shop.example' });
        assert.deepEqual(answer.body.data.map((form) => form.name), ['Good', 'Mail', 'Script']);
    });

    await t.test('fields of people are theirs to remove, those of the pack are not', async () => {
        const unowned = await stack.rows(`
            select k.collection || '.' || a.attname
              from spark.collections k join pg_attribute a on a.attrelid = ('public.' || k.collection)::regclass
             where not k.site_optional and a.attnum > 0 and not a.attisdropped
               and not exists (select from spark.own_fields o where o.collection = k.collection and o.field = a.attname)
            union
            select f.collection || '.' || f.field from directus_fields f
             where not exists (select from spark.own_fields o where o.collection = f.collection and o.field = f.field) order by 1`);
        assert.deepEqual(unowned.flat(), ['generated_articles.own_score', 'posts.own_alias', 'sites.own_color']);
    });

    await t.test('what is out stays out, with its date', async () => {
        assert.deepEqual(await stack.rows(`select slug, is_published, published_at from generated_articles where status = 'published' order by slug`),
            [['published', 't', '2026-01-02 03:04:05+00'], ['status-alone', 'f', '']]);
        assert.deepEqual(await stack.rows(`select slug, status from posts order by slug`), [['approved', 'draft'], ['published', 'published'], ['qc', 'published']]);
        const answer = await stack.call({ path: '/items/posts?fields=slug&sort=slug', host: 'shop.example' });
        assert.deepEqual(answer.body.data.map((post) => post.slug), ['published', 'qc']);
        const odd = await stack.rows(`select id, status from generated_articles where slug in ('flag-alone', 'status-alone')`);
        for (const [id, status] of odd)
            assert.equal((await ask('PATCH', `/items/generated_articles/${id}`, { title: 'Changed', status })).status, 200);
    });

    await t.test('nobody edited what the migrations filled in', async () => {
        assert.equal(await one(`select date_updated from generated_articles where slug = 'approved'`), '2026-02-03 04:05:06+00');
        assert.match(await one(`select approval from generated_articles where slug = 'approved'`), /2026-02-03T04:05:06/);
        assert.equal(await one(`select robots from posts where slug = 'approved'`), 'noindex');
        assert.equal(await one(`select sum(published) from spark.publish_days`), '2');
    });

    await t.test('approved long ago is approved, and as long as it must be', async () => {
        // Its draft is there: the post is what is published.
        const post = await one(`select id from posts where slug = 'approved'`);
        assert.equal((await ask('PATCH', `/items/posts/${post}`, { status: 'published' })).status, 200);
        assert.equal(await one(`select status from generated_articles where slug = 'approved'`), 'published');
        const refused = await publish('short');
        assert.equal(codeOf(refused), 'QUALITY_GATE');
        assert.match(refused.text, /2 of 3 words/);
        const waived = await ask('POST', '/api/seo/approve-batch', { article_ids: [await articleOf('short')], waive_word_target: true, reason: 'as it was' });
        assert.equal(waived.status, 200);
        assert.equal((await publish('short')).status, 200);
    });

    await t.test('jobs that waited under an old name are done', async () => {
        const jobs = () => stack.rows(`select kind, state, error from spark.jobs where kind ~ 'scan|noop' order by kind`);
        await until(async () => (await jobs()).every(([, state]) => state === 'done' || state === 'dead'), 'the old jobs');
        assert.deepEqual(await jobs(), [['bench-noop', 'done', ''], ['scan-duplicates', 'done', '']]);
        assert.equal(await one(`select dedup_key from spark.jobs where kind = 'scan-duplicates'`), 'scan-duplicates');
    });

    await t.test('a queue goes on where it was; a hostile picture of old is not drawn', async () => {
        const answer = await ask('POST', '/api/seo/process-queue', { queue_id: QUEUE });
        assert.ok(answer.status === 200 || answer.status === 202, answer.text);
        await until(async () => (await one(`select completed_count from production_queue where id = '${QUEUE}'`)) === '4', 'the queue');
        assert.equal(await one(`select count(distinct article_id) from queue_items where status = 'done'`), '4');
        assert.equal(await one(`select count(*) from generated_articles where featured_image_svg ~ 'script|onload|elsewhere'`), '0');
    });

    await t.test('forms take what is sent, also those whose target nobody could call', async () => {
        for (const form_slug of ['good', 'script', 'mail']) {
            const answer = await stack.call({ method: 'POST', path: '/api/forms/submit', host: 'shop.example', body: { form_slug, data: { email: `${form_slug}@x.example` }, form_age_ms: 9000 } });
            assert.equal(answer.status, 201, answer.text);
        }
    });

    await t.test('the work log reads on from where it was', async () => {
        const { body } = await ask('GET', `/api/admin/worklog?site_id=${A}&limit=100`);
        const actions = body.logs.map((line) => line.action);
        assert.ok(actions.filter((action) => action === 'approved').length >= 2, actions.join());
        assert.equal((await ask('PATCH', `/items/campaign_masters/${CAMPAIGN}`, { avatar_key: 'founder', variant_type: 'female' })).status, 200);
        assert.equal((await ask('PATCH', `/items/sites/${A}`, { own_color: 'red' })).status, 200);
        assert.equal(await one(`select count(*) from pageviews`), '10');
    });
});

/** The rest needs no server. */
let backends;
let server;
let admin;
before(async () => {
    if (!process.env.SPARK_TEST_DATABASE_URL) backends = await startBackends();
    server = process.env.SPARK_TEST_DATABASE_URL ?? backends.databaseUrl;
    admin = process.env.SPARK_TEST_DATABASE_ADMIN_URL ?? backends?.databaseAdminUrl;
});
after(() => backends?.stop());

async function upgrade(t, groups, { rows = [], then } = {}) {
    const database = await createDatabase(server);
    t.after(() => database.drop());
    await applyReleased(database.url, groups, rows);
    if (then) await sql(database.url, then);
    const env = { ...process.env, DATABASE_URL: database.url, REDIS_URL: 'unix:///nobody' };
    const { stdout } = await run(binary, ['migrate'], { env });
    return { stdout, rows: (text) => sql(database.url, text) };
}

test('what the schema promises is promised to an upgraded database too', async (t) => {
    const { rows } = await upgrade(t, ['system', 'pack'], { rows: ROWS });
    const [[name]] = await rows('select current_database()');
    const check = path.join(import.meta.dirname, '../db/schema_check.sql');
    const { stdout } = await run('psql', ['-X', '-q', '-At', '-d', withDatabase(admin, name), '-f', check]);
    assert.match(stdout, /every promise holds/);
});

test('an opened database without the pack stays without it', async (t) => {
    const { stdout, rows } = await upgrade(t, ['system'],
        { then: 'create table sites (id serial primary key, name text); create table work_log (id int, action text); insert into sites (name) values (1)' });
    assert.match(stdout, /, 10 were there/);
    assert.deepEqual(await rows('select count(*) from spark.own_fields'), [['0']]);
    assert.deepEqual(await rows('select name from sites'), [['1']]);
    assert.deepEqual(await rows(`select count(*) from spark.migrations where name like '%pack%'`), [['0']]);
});

test('an opened database with the pack, whose system tables are not ours to read, is upgraded all the same', async (t) => {
    const { rows } = await upgrade(t, ['system', 'pack'],
        { then: 'alter table directus_fields owner to current_user; revoke all on directus_fields from spark_owner, spark_platform' });
    assert.ok(Number((await rows('select count(*) from spark.own_fields'))[0][0]) > 600);
});
