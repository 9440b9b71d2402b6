// The work log: what writes it, who reads what of it, pages that stand still, months that come and go.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { codeOf, makeTenant, startApi } from '../../support/api.mjs';
import { until } from '../../support/stack.mjs';

let stack;
let a;
let b;
before(async () => {
    stack = await startApi({ workers: 1 });
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
});
after(() => stack.stop());

const LIBRARY = '00000000-0000-7000-8000-000000000001';
const log = (query = '', token = stack.adminToken) => stack.call({ path: `/api/admin/worklog${query}`, token });
const logs = async (query, token) => {
    const answer = await log(query, token);
    assert.equal(answer.status, 200, answer.text);
    return answer.body.logs;
};
const id = (n) => `00000000-0000-7000-a000-${n.toString(16).padStart(12, '0')}`;
const write = (site, action, rows) =>
    stack.rows(`insert into work_log (site_id, id, timestamp, action, entity_type, entity_id, level)
                values ${rows.map(([n, time]) => `('${site}', '${id(n)}', '${time}', '${action}', 'test', 'e${n}', 'info')`).join(', ')}`);

test('a_line_has_the_form_of_the_panel_and_its_raw_fields', async () => {
    await stack.rows(`insert into work_log (site_id, id, timestamp, action, entity_type, entity_id, details, level, status, actor, ip)
                      values ('${a.id}', '${id(1)}', '2026-02-03T04:05:06.007Z', 'links_failed', 'posts', 'x', '{"n": 1}', 'error', 'failed', 'admin', '192.0.2.1')`);
    const [line] = await logs('?action=links_failed');
    assert.deepEqual(line, {
        id: id(1), timestamp: '2026-02-03T04:05:06.007Z',
        formatted: '[2026-02-03T04:05:06.007Z] [LINKS_FAILED] posts: {"n": 1}', type: 'error',
        site_id: a.id, action: 'links_failed', entity_type: 'posts', entity_id: 'x', details: { n: 1 },
        level: 'error', status: 'failed', user: null, actor: 'admin', ip: '192.0.2.1',
    });
});

test('the_type_follows_from_the_action', async () => {
    const types = { batch_rejected: 'error', slug_collision: 'warning', duplicate_found: 'warning', batch_done: 'system', page_indexed: 'system', looked_at: 'info' };
    let n = 10;
    for (const action of Object.keys(types)) await write(a.id, action, [[n++, '2026-02-04T00:00:00Z']]);
    for (const [action, type] of Object.entries(types)) assert.equal((await logs(`?action=${action}`))[0].type, type, action);
});

test('details_that_are_too_long_are_told_by_their_size', async () => {
    await stack.rows(`insert into work_log (site_id, action, details) values ('${a.id}', 'long', jsonb_build_object('t', repeat('x', 9000)))`);
    assert.deepEqual((await logs('?action=long'))[0].details, { left_out_bytes: 9009 });
});

test('filters_narrow_and_bad_ones_are_refused_by_name', async () => {
    await write(a.id, 'filtered', [[100, '2026-03-01T00:00:00Z'], [101, '2026-03-02T00:00:00Z'], [102, '2026-03-03T00:00:00Z']]);
    await write(b.id, 'filtered', [[103, '2026-03-02T12:00:00Z']]);
    const found = async (query) => (await logs(`?action=filtered&${query}`)).map((line) => line.entity_id);
    assert.deepEqual(await found(''), ['e102', 'e103', 'e101', 'e100']);
    assert.deepEqual(await found(`site_id=${a.id}`), ['e102', 'e101', 'e100']);
    assert.deepEqual(await found(`site=${b.id}`), ['e103']);
    assert.deepEqual(await found('since=2026-03-02T00:00:00Z&until=2026-03-03T00:00:00Z'), ['e103', 'e101']);
    assert.deepEqual(await found('entity_type=test&entity_id=e101'), ['e101']);
    assert.deepEqual(await found('level=error'), []);
    assert.deepEqual(await found('entity_type=other'), []);
    for (const [query, field] of [['limit=0', 'limit'], ['limit=x', 'limit'], ['level=loud', 'level'], ['since=yesterday', 'since'], ['until=1.1.', 'until'],
        ['site_id=1', 'site_id'], ['cursor=1', 'cursor'], ['cursor=-1_x', 'cursor'], [`cursor=99999999999999999999_${id(1)}`, 'cursor'], [`action=${'x'.repeat(101)}`, 'action'], ['entity_id=%ff', 'entity_id']]) {
        const answer = await log(`?${query}`);
        assert.deepEqual([answer.status, answer.body.error, answer.body.errors?.[0].field], [400, true, field], `${query} ${answer.text}`);
    }
    assert.deepEqual([(await log(`?site_id=${id(99)}`)).status], [404]);
});

test('limit_is_100_by_default_and_never_more_than_1000', async () => {
    await stack.rows(`insert into work_log (site_id, timestamp, action) select '${b.id}', '2026-04-01'::timestamptz + n * interval '1 second', 'many' from generate_series(1, 1100) n`);
    assert.equal((await logs('?action=many')).length, 100);
    assert.equal((await logs('?action=many&limit=5')).length, 5);
    assert.equal((await logs('?action=many&limit=1000')).length, 1000);
    assert.equal((await logs('?action=many&limit=1000000')).length, 1000);
});

test('pages_stand_still_while_rows_are_written_and_ties_are_told_apart', async () => {
    const rows = Array.from({ length: 50 }, (_, i) => [1000 + i, `2026-05-0${1 + Math.floor(i / 10)}T00:00:00.000001Z`]); // ten of each moment
    await write(a.id, 'paged', rows);
    const seen = [];
    let cursor = '';
    for (let turn = 0; ; turn++) {
        const answer = await log(`?action=paged&limit=7${cursor && `&cursor=${cursor}`}`);
        seen.push(...answer.body.logs.map((line) => line.id));
        await write(a.id, 'paged', [[2000 + turn, '2026-06-01T00:00:00Z']]);
        cursor = answer.body.next_cursor;
        if (cursor === null) break;
    }
    assert.deepEqual(seen, rows.map(([n]) => id(n)).reverse());
    // A page that ends exactly with the last row leads to an empty one.
    const all = await log('?action=paged&until=2026-05-31T00:00:00Z&limit=50');
    assert.equal(all.body.logs.length, 50);
    const end = await log(`?action=paged&until=2026-05-31T00:00:00Z&limit=50&cursor=${all.body.next_cursor}`);
    assert.deepEqual([end.body.logs, end.body.next_cursor], [[], null]);
});

test('pages_go_on_across_the_months', async () => {
    await stack.rows(`select spark.ensure_partitions('work_log')`);
    const now = new Date();
    const edge = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
    const times = [-1, 0, 1].map((ms) => new Date(edge + ms).toISOString());
    await write(a.id, 'edge', times.map((time, i) => [3000 + i, time]));
    const parts = await stack.sql(`set role spark_owner; set spark.scope = 'platform'; select count(distinct tableoid) from work_log where action = 'edge'`);
    assert.deepEqual(parts, [['2']]);
    const seen = [];
    for (let cursor = ''; cursor !== null;) {
        const answer = await log(`?action=edge&limit=1${cursor && `&cursor=${cursor}`}`);
        seen.push(...answer.body.logs.map((line) => line.timestamp));
        cursor = answer.body.next_cursor;
    }
    assert.deepEqual(seen, times.reverse());
});

test('a_site_token_sees_its_site_only', async () => {
    await write(a.id, 'mine', [[4000, '2026-07-01T00:00:00Z']]);
    await write(b.id, 'mine', [[4001, '2026-07-01T00:00:00Z']]);
    await write(LIBRARY, 'mine', [[4002, '2026-07-01T00:00:00Z']]);
    assert.deepEqual((await logs('?action=mine', a.token)).map((line) => line.entity_id), ['e4000']);
    assert.deepEqual((await logs(`?action=mine&site_id=${a.id}`, a.token)).map((line) => line.entity_id), ['e4000']);
    const other = await log(`?site_id=${b.id}`, a.token);
    assert.deepEqual([other.status, codeOf(other)], [403, 'FORBIDDEN']);
    const everywhere = await logs('?action=mine');
    assert.deepEqual(everywhere.map((line) => line.site_id).sort(), [a.id, b.id, null].sort());
    // A cursor of another site's page is a place in time, and no more.
    const page = await log(`?site_id=${b.id}&limit=1`);
    assert.ok((await logs(`?limit=1000&cursor=${page.body.next_cursor}`, a.token)).every((line) => line.site_id === a.id));
    assert.equal((await stack.call({ path: '/api/admin/worklog' })).status, 401);
});

test('nobody_changes_or_removes_a_line', async () => {
    await write(a.id, 'fixed', [[5000, '2026-07-02T00:00:00Z']]);
    for (const token of [a.token, stack.adminToken]) {
        assert.equal((await stack.call({ method: 'PATCH', path: `/items/work_log/${id(5000)}`, token, body: { action: 'x' } })).status, 403);
        assert.equal((await stack.call({ method: 'DELETE', path: `/items/work_log/${id(5000)}`, token })).status, 403);
    }
    for (const role of ['spark_tenant', 'spark_platform'])
        for (const statement of ["update work_log set action = 'x'", 'delete from work_log', 'truncate work_log'])
            await assert.rejects(stack.sql(`begin; set local role ${role}; set local spark.scope = 'platform'; set local spark.site = '${a.id}'; ${statement}; commit`), /permission denied/);
    assert.equal((await logs('?action=fixed')).length, 1);
});

test('nobody_forges_a_line', async () => {
    const line = { site_id: a.id, action: 'forged', actor: 'admin', ip: '192.0.2.9' };
    for (const token of [a.token, stack.adminToken])
        for (const body of [line, [line, line], { action: 'forged' }]) {
            const answer = await stack.call({ method: 'POST', path: '/items/work_log', token, body });
            assert.deepEqual([answer.status, codeOf(answer)], [403, 'FORBIDDEN'], answer.text);
        }
    const god = { 'x-god-token': stack.env.GOD_MODE_TOKEN };
    const loaded = await stack.call({ method: 'POST', path: '/god/data/bulk-insert', headers: god, body: { collection: 'work_log', items: [line] } });
    assert.deepEqual([loaded.status, codeOf(loaded)], [403, 'FORBIDDEN'], loaded.text);
    for (const role of ['spark_tenant', 'spark_platform'])
        await assert.rejects(stack.sql(`begin; set local role ${role}; set local spark.scope = 'platform'; set local spark.site = '${a.id}';
            insert into work_log (site_id, action) values ('${a.id}', 'forged'); commit`), /permission denied/);
    assert.deepEqual(await stack.rows(`select count(*) from work_log where action = 'forged' or ip = '192.0.2.9'`), [['0']]);
    // It is read as before.
    assert.equal((await stack.call({ path: '/items/work_log?limit=1', token: a.token })).status, 200);
});

test('the_writer_writes_for_the_site_of_its_lane_only', async () => {
    const write = (role, scope, site, own) => stack.sql(`begin; set local role ${role}; set local spark.scope = '${scope}'; set local spark.site = '${own}';
        select spark.audit(${site}, 'by_lane', null, null, null, 'info', 'done', null, 'user', null); commit`);
    await write('spark_tenant', '', `'${a.id}'`, a.id);
    await write('spark_tenant', '', 'null', a.id);
    await write('spark_platform', 'platform', `'${b.id}'`, '');
    await write('spark_platform', 'platform', 'null', '');
    for (const [role, scope, site, own] of [['spark_tenant', '', `'${b.id}'`, a.id], ['spark_tenant', 'platform', `'${b.id}'`, a.id],
        ['spark_tenant', '', 'null', ''], ['spark_tenant', '', `'${LIBRARY}'`, a.id], ['spark_platform', '', `'${b.id}'`, '']])
        await assert.rejects(write(role, scope, site, own), /permission denied/, `${role} ${scope} ${site} ${own}`);
    assert.deepEqual((await logs('?action=by_lane')).map((line) => line.site_id).sort(), [a.id, a.id, b.id, null].sort());
});

test('what_a_job_does_is_logged_as_done_by_whoever_asked_for_it', async () => {
    const [[campaign]] = await stack.rows(`insert into campaign_masters (site_id, id, name, headline_spintax_root, status)
        values ('${a.id}', gen_random_uuid(), 'asked', '{A|B|C} {x|y|z}', 'active') returning id`);
    await stack.rows(`insert into content_fragments (site_id, id, campaign_id, fragment_type, content_body)
        values ('${a.id}', gen_random_uuid(), '${campaign}', 'intro_hook', 'text')`);
    const headlines = await stack.call({ method: 'POST', path: '/api/seo/generate-headlines', token: a.token, body: { campaign_id: campaign } });
    assert.equal(headlines.status, 200, headlines.text);
    const [made] = await logs(`?action=headlines_generated&entity_id=${campaign}`);
    assert.deepEqual([made.actor, made.ip, made.site_id], ['site_token', '127.0.0.1', a.id]);
    const queued = await stack.call({ method: 'POST', path: '/api/seo/generate-article', token: a.token, body: { campaign_id: campaign, batch_size: 2, total: 2 } });
    assert.ok(queued.status < 300, queued.text);
    await until(async () => (await logs('?action=generated')).length > 0, 'the line of the job');
    for (const line of await logs('?action=generated')) assert.deepEqual([line.actor, line.ip, line.site_id], ['site_token', '127.0.0.1', a.id]);
    assert.deepEqual(await stack.rows(`select distinct asked_actor, asked_ip from spark.jobs where site_id = '${a.id}' and kind = 'generate-articles'`),
        [['site_token', '127.0.0.1']]);
});

test('moves_of_articles_are_logged_one_by_one_with_who_and_where', async () => {
    const [article, other] = (await stack.rows(`insert into generated_articles (site_id, id, title, slug, status, content)
        select '${a.id}', gen_random_uuid(), 'T' || n, 't' || n, 'qc', 'x' from generate_series(1, 2) n returning id`)).map(([key]) => key);
    const approved = await stack.call({ method: 'POST', path: '/api/seo/approve-batch', token: a.token, body: { article_ids: [article, other] } });
    assert.equal(approved.body.approved, 2, approved.text);
    const published = await stack.call({ method: 'POST', path: '/api/seo/publish-article', token: a.token, body: { article_id: article, status: 'published' } });
    assert.equal(published.status, 200, published.text);
    const lines = (await logs(`?entity_id=${article}`, a.token)).map(({ action, status, actor, ip, level }) => ({ action, status, actor, ip, level }));
    const who = { status: 'done', actor: 'site_token', ip: '127.0.0.1', level: 'success' };
    assert.deepEqual(lines, [{ action: 'published', ...who }, { action: 'approved', ...who }]);
    assert.deepEqual((await logs(`?entity_id=${other}`)).map((line) => line.action), ['approved']);
    // A move that is refused leaves no line.
    await stack.call({ method: 'POST', path: '/api/seo/publish-article', token: a.token, body: { article_id: article, status: 'published' } });
    assert.equal((await logs(`?entity_id=${article}`)).length, 2);
});

test('logins_and_their_failures_are_logged', async () => {
    const login = (password) => stack.call({ method: 'POST', path: '/auth/login', body: { email: stack.env.ADMIN_EMAIL, password } });
    assert.equal((await login(stack.env.ADMIN_PASSWORD)).status, 200);
    assert.equal((await login('wrong')).status, 401);
    const [well] = await logs('?action=login');
    const [[user]] = await stack.rows(`select id from directus_users where email = '${stack.env.ADMIN_EMAIL}'`);
    assert.deepEqual([well.user, well.entity_id, well.ip, well.status, well.site_id], [user, user, '127.0.0.1', 'done', null]);
    const [badly] = await logs('?action=login_failed');
    assert.deepEqual([badly.details, badly.ip, badly.status, badly.level, badly.user, badly.actor], [{ email: stack.env.ADMIN_EMAIL }, '127.0.0.1', 'refused', 'warning', null, 'public']);
});

test('a_token_that_was_made_is_logged_without_the_token', async () => {
    const made = await stack.call({ method: 'POST', path: '/api/admin/site-tokens', token: stack.adminToken, body: { site_id: b.id, name: 'logged', read_only: true } });
    const [line] = await logs(`?action=token_created&site_id=${b.id}`);
    assert.deepEqual([line.entity_id, line.details.name, line.details.scopes, line.actor], [made.body.id, 'logged', ['read'], 'admin']);
    assert.ok(!JSON.stringify(line).includes(made.body.token));
    await stack.call({ method: 'POST', path: '/api/admin/site-tokens', token: stack.adminToken, body: { site_id: id(98), name: 'nobody' } });
    assert.equal((await logs('?action=token_created')).filter((l) => l.details.name === 'nobody').length, 0);
});

test('refusals_are_logged_and_whoever_is_refused_a_thousand_times_fills_nothing', async () => {
    await stack.rows('select 1');
    const before = (await logs('?action=denied&limit=1000')).length;
    const answers = await Promise.all(Array.from({ length: 1000 }, () => stack.call({ path: '/api/admin/worklog?access=1' })));
    assert.ok(answers.every((answer) => answer.status === 401));
    const skipped = async () => Number(/^spark_denials_skipped\S* (\d+)/m.exec((await stack.call({ path: '/metrics', token: stack.adminToken })).text)?.[1] ?? 0);
    await until(async () => (await logs('?action=denied')).length > 0, 'a line of the refusals');
    const after = (await logs('?action=denied&limit=1000')).length;
    // Ten a minute of one address; a test that is slow may see two minutes' worth, and no third.
    assert.ok(after - before <= 20 && after > 0, `${after} lines`);
    assert.ok(await skipped() >= 900);
    const line = (await logs('?action=denied')).at(-1);
    assert.deepEqual([line.status, line.level, line.ip, line.entity_type], ['refused', 'warning', '127.0.0.1', 'route']);
    assert.ok(!JSON.stringify(await logs('?action=denied')).includes('access=1'), 'a query may hold a token');
});

test('the_steward_keeps_the_months_to_come', async () => {
    const month = (ahead) => `select to_regclass('work_log_' || to_char((date_trunc('month', now() at time zone 'utc') + interval '${ahead} months'), 'YYYYMM')) is not null`;
    for (const ahead of [0, 1]) assert.deepEqual(await stack.rows(month(ahead)), [['t']]);
    // The next month's is lost; another leader makes it again.
    await stack.sql(`do $$ begin execute 'drop table work_log_' || to_char(date_trunc('month', now() at time zone 'utc') + interval '1 month', 'YYYYMM'); end $$`);
    assert.deepEqual(await stack.rows(month(1)), [['f']]);
    await stack.workers[0].stop();
    stack.startWorker();
    await until(async () => (await stack.rows(month(1)))[0][0] === 't', 'the partition of the next month');
});

test('retention_drops_whole_months_and_logs_it', async () => {
    const old = 'work_log_202001';
    await stack.sql(`set role spark_owner; set spark.scope = 'platform';
        create table ${old} (like work_log including defaults including constraints);
        alter table work_log attach partition ${old} for values from ('2020-01-01Z') to ('2020-02-01Z');
        insert into work_log (site_id, timestamp, action) values ('${a.id}', '2020-01-15Z', 'ancient'), ('${a.id}', '2019-05-05Z', 'ancient')`);
    assert.equal((await logs('?action=ancient')).length, 2);
    const young = (await logs('?limit=1000')).length;
    await stack.workers.at(-1).stop();
    stack.startWorker();
    await until(async () => (await logs('?action=retention')).length === 1, 'the retention job');
    assert.deepEqual(await stack.rows(`select to_regclass('${old}') is null`), [['t']]);
    assert.equal((await logs('?action=ancient')).length, 0);
    assert.ok((await logs('?limit=1000')).length >= young - 2);
    const [line] = await logs('?action=retention');
    assert.deepEqual([line.entity_type, line.details.dropped, line.actor], ['work_log', 1, 'machinery']);
});

test('retention_of_anything_else_is_refused', async () => {
    for (const name of ['posts', 'spark.jobs', 'work_log"; drop table posts; --', ''])
        await assert.rejects(stack.sql(`begin; set local role spark_platform; set local spark.scope = 'platform'; select spark.drop_partitions('${name}', now()); commit`), /no retention/);
    await assert.rejects(stack.sql(`begin; set local role spark_tenant; select spark.drop_partitions('work_log', now()); commit`), /permission denied/);
});
