-- Sources of headlines for campaigns that use patterns, and batches of headlines.

-- name: campaign_patterns :read
-- returns: patterns
select headline_patterns from campaign_masters where site_id in ($1, spark.library_site()) and id = $2;

-- A site's own pattern takes precedence over the library's with the same key. $2 null: all.
-- name: patterns_of_site :read
-- returns: pattern_key, formula, data
select pattern_key, formula, data
  from (select distinct on (pattern_key) pattern_key, formula, data
          from cartesian_patterns
         where site_id in ($1, spark.library_site()) and status = 'published'
           and ($2::text[] is null or pattern_key = any ($2))
         order by pattern_key, site_id = spark.library_site(), id) p
 order by pattern_key collate "C"
 limit 1000;

-- The values of {{NICHE}}: every niche of every persona, each once.
-- name: niches_of_site :read
-- returns: niche
select niche
  from (select distinct on (avatar_key) avatar_key, business_niches
          from avatar_intelligence
         where site_id in ($1, spark.library_site()) and status = 'published'
         order by avatar_key, site_id = spark.library_site(), id) a
 cross join lateral jsonb_array_elements_text(
           case when jsonb_typeof(business_niches) = 'array' then business_niches else '[]' end)
       with ordinality n (niche, place)
 where niche <> ''
 group by niche
 order by min(avatar_key collate "C" || '/' || lpad(place::text, 6, '0')), niche collate "C"
 limit 10000;

-- The cities of the clusters, then the places with rows of their own.
-- name: cluster_places :read
-- returns: place
with clusters as (
    select distinct on (cluster_key) cluster_key, data
      from geo_intelligence
     where site_id in ($1, spark.library_site()) and status = 'published' and is_active
     order by cluster_key, site_id = spark.library_site(), id
), listed as (
    select 1 as kind, cluster_key, n, place
      from clusters
     cross join lateral jsonb_array_elements(
               case when jsonb_typeof(data -> 'cities') = 'array' then data -> 'cities' else '[]' end)
           with ordinality as cities (place, n)
     union all
    select 2, c.cluster_key, row_number() over (partition by c.id order by l.id),
           jsonb_build_object('city', l.city, 'state', l.state, 'zip_focus', l.zip_focus,
                              'neighborhood', l.neighborhood, 'population', l.population)
      from geo_locations l
      join geo_clusters c on c.site_id = l.cluster_site_id and c.id = l.cluster_id
     where l.site_id in ($1, spark.library_site())
)
select place from listed
 where jsonb_typeof(place) = 'object'
 order by kind, cluster_key collate "C", n
 limit 1000;

-- For the current transaction: the WAL flush of a later commit also makes it durable.
-- name: commit_without_waiting :write
select set_config('synchronous_commit', 'off', true);

-- name: headline_batch_create :write
insert into generation_jobs (site_id, id, campaign_id, campaign_site_id, type, batch_size, target_quantity,
                             jobs_total)
values ($1, $2, $3, $4, 'Headlines', 10000, $5, 1);

-- $3: how many numbers have been processed.
-- name: headline_batch_advance :write
update generation_jobs
   set current_offset = greatest(current_offset, $3),
       progress = least(99, spark.generation_progress(greatest(current_offset, $3), target_quantity)),
       status = case when status = 'pending' then 'processing' else status end,
       started_at = coalesce(started_at, now())
 where site_id = $1 and id = $2;

-- name: headline_batch_end :write
update generation_jobs
   set current_offset = greatest(current_offset, $3), jobs_done = jobs_done + 1, progress = 100,
       status = spark.generation_status(status, jobs_total, jobs_done + 1, jobs_failed),
       started_at = coalesce(started_at, now()), completed_at = now()
 where site_id = $1 and id = $2;
