// Two tenants' worth of what the platform accepts at most: rows, texts, templates, targets.

import assert from 'node:assert/strict';

import { until } from '../support/stack.mjs';

/* {|} in all its nestings: many groups, and every text of them is empty. */
export const EMPTY_GROUPS = '{{{{|}|}|}|}'.repeat(5400);
export const MIB = 1024 * 1024;
const SENTENCE = 'Solar panels of Madison, öäü and é, are <b>fine</b> and 12 &amp; more. ';
/** At most so many bytes of prose. */
export const TEXT = (bytes) => SENTENCE.repeat(Math.floor(bytes / Buffer.byteLength(SENTENCE)));
const quote = (text) => `'${text.replaceAll("'", "''")}'`;

/** Rows by SQL, as many as the routes below read at once. */
export async function seedRows(stack, site, author) {
    await stack.rows(`
        insert into posts (id, site_id, title, slug, status, author, content)
        select gen_random_uuid(), '${site}', 'post ' || n, 'many-' || n, 'published', '${author}', repeat(${quote(SENTENCE)}, 14) from generate_series(1, 10000) n;
        insert into generated_articles (id, site_id, title, slug, content, status, word_count)
        select gen_random_uuid(), '${site}', 'article ' || n, 'article-' || n, '<p>' || repeat(${quote(`${SENTENCE}word`)} || n % 97 || ' ', 200) || '</p>', 'qc', 2000 from generate_series(1, 1000) n;
        insert into link_targets (id, site_id, target_url, anchor_text, is_active)
        select gen_random_uuid(), '${site}', '/t/' || n, 'solar panels ' || n, true from generate_series(1, 19000) n;
        insert into content_fragments (id, site_id, fragment_type, content_body)
        select gen_random_uuid(), '${site}', 'intro', '<p>' || n || repeat('{a|b {c|d}} of {{CITY|x}} ', 100) || '</p>' from generate_series(1, 2000) n;
        insert into content_modules (id, site_id, module_type, content_spintax)
        select gen_random_uuid(), '${site}', t, repeat('{a|b {c|d}} ', 400) || n from generate_series(1, 500) n, unnest(array['intro','benefits','howto','conclusion']) t;
        insert into spintax_dictionaries (id, site_id, category, data)
        select gen_random_uuid(), '${site}', 'dictionary' || n, (select jsonb_agg('term ' || i) from generate_series(1, 200) i) from generate_series(1, 500) n;
        insert into work_log (site_id, action, entity_id, details)
        select '${site}', 'seeded', 'x', jsonb_build_object('text', repeat('x', 1000)) from generate_series(1, 2000) n;
        insert into headline_inventory (id, site_id, campaign_id, final_title_text)
        select gen_random_uuid(), '${site}', c.id, 'headline ' || n from (select id from campaign_masters where site_id = '${site}' limit 1) c, generate_series(1, 20000) n;`);
}

/** A campaign that makes articles of 240 KB of template, with headlines that are free. */
export async function importCampaign(stack, site) {
    const imported = await stack.request('POST', '/api/admin/import-blueprint', {
        site_id: site,
        template: { name: 'Two parts', structure_json: ['intro', 'end'] },
        campaign: { name: 'whole', headline_spintax_root: '{a|b}', target_word_count: 0 },
        fragments: ['intro', 'end'].map((type) => ({ fragment_type: type, content_body: `<p>${'{a|b {c|d}} '.repeat(5000)}</p>` })),
        headlines: Array.from({ length: 2000 }, (_, n) => `Headline ${n}`),
    });
    assert.equal(imported.status, 200, imported.text);
    return imported.body.campaign_id;
}

/** A form of as many fields as count, each with a pattern that takes its steps. */
export const FORM_FIELDS = Array.from({ length: 256 }, (_, n) => ({ name: `n${n}`, type: 'text', pattern: `([^,]{1,40},? ?){1,${n % 40 + 1}}` }));

/**
 * Articles that say much the same, no two alike: `count` short ones that were read before (their signatures differ
 * in two rows of 512), and `long` new ones of 200 KB.
 */
export const seedDuplicates = (stack, site, count, long) => stack.rows(`
    create temporary table base as select string_agg(decode(md5(n::text), 'hex'), '') as rows from generate_series(1, 32) n;
    create temporary table made as select gen_random_uuid() as id, n from generate_series(1, ${count}) n;
    insert into generated_articles (id, site_id, title, slug, content, status, word_count)
    select id, '${site}', 'alike ' || n, 'alike-' || n, '<p>' || repeat(${quote(SENTENCE)}, 4) || 'the number ' || md5(n::text) || '</p>', 'draft', 60 from made;
    insert into spark.article_signatures (site_id, article_id, version, shingles, rows)
    select '${site}', id, 1, 300, set_byte(set_byte(base.rows, n % 512, n % 256), n * 7 % 512, n / 512 % 256) from made, base;
    insert into generated_articles (site_id, title, slug, content, status, word_count)
    select '${site}', 'long ' || n, 'long-' || n, (select '<p>' || string_agg(${quote(SENTENCE)} || case when m % 50 = 0 then md5((n * m)::text) else m::text end, ' ') || '</p>' from generate_series(1, 2500) m), 'draft', 30000
      from generate_series(1, ${long}) n;`);

/** Articles that wait to be published, each with a slot whose time has come, of a site that may publish as many a day. */
export async function seedDue(stack, site, count, text) {
    await stack.rows(`update sites set publish_ramp_start = 100000 where id = '${site}'`);
    const [[campaign]] = await stack.rows(`insert into campaign_masters (site_id, name, target_word_count) values ('${site}', 'due', 0) returning id`);
    const rows = await stack.rows(`insert into generated_articles (site_id, campaign_id, campaign_site_id, title, slug, status, content, word_count)
        select '${site}', '${campaign}', '${site}', 'Due ' || n, 'due-' || gen_random_uuid(), 'qc', ${quote(text)}, 1000 from generate_series(1, ${count}) n returning id`);
    const ids = rows.map(([id]) => id);
    const answer = await stack.request('POST', '/api/seo/approve-batch', { site_id: site, article_ids: ids });
    assert.equal(answer.status, 200, answer.text);
    await stack.rows(`with queue as (insert into production_queue (site_id, status, campaign_id, campaign_site_id, total_requested) values ('${site}', 'done', '${campaign}', '${site}', ${count}) returning id)
        insert into queue_items (site_id, status, queue_id, position, publish_date, article_id)
        select '${site}', 'done', queue.id, u.n, now() - interval '1 hour', u.id from queue, unnest(array[${ids.map(quote)}]::uuid[]) with ordinality as u (id, n)`);
}

let months = 0;
/** A month of page views, long ago, in a partition of its own. */
export const seedPageviews = (stack, site, count) => stack.rows(`
    create table pageviews_old_${++months} (like pageviews including defaults including constraints);
    alter table pageviews attach partition pageviews_old_${months} for values from ('${2000 + months}-01-01Z') to ('${2000 + months}-02-01Z');
    insert into pageviews (site_id, page_path, timestamp) select '${site}', '/' || n, '${2000 + months}-01-15Z' from generate_series(1, ${count}) n`);

/** Tables of the platform, each of their columns a field that a snapshot tells of. */
export const seedSchema = (stack, tables, columns) => stack.sql(`
    set role spark_owner; set spark.scope = 'platform';
    do $$ begin
        for t in 1 .. ${tables} loop
            execute format('create table public.many_%s (id uuid primary key default gen_random_uuid(), %s)', t,
                           (select string_agg(format('f%s text', n), ', ') from generate_series(0, ${columns} - 2) n));
        end loop;
    end $$;
    insert into directus_collections (collection, note) select 'many_' || t, 'a table of many' from generate_series(1, ${tables}) t;
    insert into directus_fields (collection, field, interface, note, options, sort, width)
    select 'many_' || t, case when n = 0 then 'id' else 'f' || n - 1 end, 'input', 'a note to the field ' || n, '{"choices":[{"text":"a b","value":"c"}]}', n, 'full'
      from generate_series(1, ${tables}) t, generate_series(0, ${columns} - 1) n`);

const done = ['done', 'dead', 'cancelled'];

/** Waits for every job of a kind. */
export const jobsEnd = (stack, kind) =>
    until(async () => {
        const rows = await stack.rows(`select count(*) from spark.jobs where kind = '${kind}' and state not in (${done.map(quote)})`);
        return rows[0][0] === '0';
    }, `the jobs ${kind}`, 120);
