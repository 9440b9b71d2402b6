-- The duplicate scan. $1 is the site. Pages have the lengths of core/factory/duplicates/duplicates_internal.h.

-- name: duplicate_thresholds :read
-- returns: review, block, containment
select duplicate_review, duplicate_block, duplicate_containment from sites where id = $1;

-- Which articles --------------------------------------------------------------------------------------

-- name: duplicate_ids_of_site :read
-- returns: id
select id from generated_articles
 where site_id = $1 and id > $2 and status <> 'archived'
 order by id limit 1000;

-- name: duplicate_ids_of_queue :read
-- returns: id
select distinct article_id from queue_items
 where site_id = $1 and queue_id = $3 and article_id > $2
 order by article_id limit 1000;

-- A schedule whose slots are not processed yet has only its campaign's test batch.
-- name: duplicate_ids_of_test_batch :read
-- returns: id
select t.id
  from (select a.id
          from production_queue q
          join generated_articles a on a.site_id = q.site_id and a.campaign_id = q.campaign_id and a.is_test_batch
         where q.site_id = $1 and q.id = $2
         order by a.date_created desc, a.id desc limit 20) t
 order by t.id;

-- name: duplicate_ids_named :read
-- returns: id
select id from generated_articles where site_id = $1 and id = any ($2) order by id;

-- name: duplicate_queue_exists :read
-- returns: id
select id from production_queue where site_id = $1 and id = $2;

-- Their texts -----------------------------------------------------------------------------------------

-- `touched` changes with every edit.
-- name: duplicate_texts :slow
-- returns: id, content, city, county, state, campaign_id, niche_variables, touched
select a.id, a.content, a.location_city, a.location_county, a.location_state, a.campaign_id, c.niche_variables,
       (extract(epoch from coalesce(a.date_updated, a.date_created)) * 1000000)::bigint
  from generated_articles a
  left join campaign_masters c on c.site_id = a.campaign_site_id and c.id = a.campaign_id
 where a.site_id = $1 and a.id = any ($2)
 order by a.id;

-- Signatures ------------------------------------------------------------------------------------------

-- Stores signatures of articles that have not changed since they were read. The lock serialises this with a
-- concurrent edit: either the row is not written, or the edit's trigger deletes it. An article without text has an
-- empty signature.
-- name: signatures_store :write
with live as (
    select a.id, u.shingles, substring($6::bytea from ((u.n - 1) * 512 + 1)::integer for 512) as rows
      from unnest($3::uuid[], $4::bigint[], $5::bigint[]) with ordinality as u (id, touched, shingles, n)
      join generated_articles a on a.site_id = $1 and a.id = u.id
       and (extract(epoch from coalesce(a.date_updated, a.date_created)) * 1000000)::bigint = u.touched
       for share of a
)
insert into spark.article_signatures (site_id, article_id, version, shingles, rows)
select $1, id, $2, shingles, case when shingles > 0 then rows else ''::bytea end from live
    on conflict (site_id, article_id) do update
   set version = excluded.version, shingles = excluded.shingles, rows = excluded.rows, scanned_threshold = null;

-- Not joined to the articles: a plan that was made while this table was small would be wrong later.
-- name: signatures_list :slow
-- returns: article_id, shingles, rows, scanned_threshold
select article_id, shingles, rows, scanned_threshold
  from spark.article_signatures
 where site_id = $1 and article_id > $2 and version = $3
 order by article_id limit 2000;

-- Compares the rows, so that a signature that was replaced meanwhile is not marked.
-- name: signatures_mark :write
update spark.article_signatures s
   set scanned_threshold = $2
  from unnest($3::uuid[]) with ordinality as u (id, n)
 where s.site_id = $1 and s.article_id = u.id
   and s.rows = substring($4::bytea from ((u.n - 1) * 512 + 1)::integer for 512);

-- Flags -----------------------------------------------------------------------------------------------

-- One flag per pair. An editor's decision is kept; a pending flag is updated. Deleted articles are skipped. Scores
-- are millionths.
-- name: duplicate_flags_store :write
-- params: site uuid, a uuid[], b uuid[], scores int[], contained int[], examples text[], block_from real,
--         batch text
-- returns: created
with found as (
    select u.a, u.b, u.score * 100.0 / 1e6 as score, u.contained * 100.0 / 1e6 as contained, u.examples,
           case when u.score / 1e6 >= :block_from::float8 then 'block' else 'review' end as verdict
      from unnest(:a::uuid[], :b::uuid[], :scores::bigint[], :contained::bigint[], :examples::text[])
           as u (a, b, score, contained, examples)
      join generated_articles x on x.site_id = :site and x.id = u.a
      join generated_articles y on y.site_id = :site and y.id = u.b
), stored as (
    insert into quality_flags (site_id, batch_id, article_a, article_b, collision_text, similarity_score,
                               containment_score, verdict)
    select :site, :batch, a, b, examples, score, contained, verdict from found
        on conflict (site_id, least(article_a, article_b), greatest(article_a, article_b)) do update
       set similarity_score = excluded.similarity_score, containment_score = excluded.containment_score,
           collision_text = excluded.collision_text, verdict = excluded.verdict
     where quality_flags.status = 'pending'
       and (quality_flags.similarity_score, quality_flags.verdict)
           is distinct from (excluded.similarity_score, excluded.verdict)
    returning (xmax = 0) as is_new
)
select count(*) filter (where is_new) from stored;
