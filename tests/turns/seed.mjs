// Two tenants' worth of what the platform accepts at most: rows, texts, templates, targets.

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

const done = ['done', 'dead', 'cancelled'];

/** Waits for every job of a kind. */
export const jobsEnd = (stack, kind) =>
    until(async () => {
        const rows = await stack.rows(`select count(*) from spark.jobs where kind = '${kind}' and state not in (${done.map(quote)})`);
        return rows[0][0] === '0';
    }, `the jobs ${kind}`, 120);
