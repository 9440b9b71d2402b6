-- The factory: campaigns, their headlines, the articles made from them, and their publication.
--
-- $1 is the site if a statement has one. Rows of the library are read in addition to the site's own.

-- The site of a row, on the platform lane, before a request is narrowed to one site ---------------

-- name: campaign_sites :read
-- returns: site_id
select distinct site_id from campaign_masters where id = any ($1) limit 2;

-- name: article_sites :read
-- returns: site_id
select distinct site_id from generated_articles where id = any ($1) limit 2;

-- name: queue_sites :read
-- returns: site_id
select distinct site_id from production_queue where id = any ($1) limit 2;

-- name: site_exists :read
-- returns: id
select id from sites where id = $1 and id <> spark.library_site();

-- Campaigns ----------------------------------------------------------------------------------------

-- name: campaign_find :read
-- returns: id, site_id, status, name, headline_root, headline_cursor, niche_variables, location_mode, location_target, target_word_count, template, structure, recipe, title_spintax, avatar_key, variant_type, site_name, site_url
select c.id, c.site_id, c.status, c.name, c.headline_spintax_root, c.headline_cursor, c.niche_variables,
       c.location_mode, c.location_target, c.target_word_count, t.id, t.structure_json, c.content_recipe,
       c.spintax_title, c.avatar_key, c.variant_type, s.name, coalesce(s.url, 'https://' || s.domain)
  from campaign_masters c
  left join article_templates t on t.site_id = c.article_template_site_id and t.id = c.article_template
  left join sites s on s.id = $1
 where c.site_id in ($1, spark.library_site()) and c.id = $2;

-- A site's own dictionary takes precedence over the library's with the same name.
-- name: dictionaries_of_site :read
-- returns: category, terms
select distinct on (lower(category)) category, data
  from spintax_dictionaries
 where site_id in ($1, spark.library_site())
 order by lower(category), site_id = spark.library_site(), id
 limit 1000;

-- name: places_states :read
-- returns: id, city, county, state, state_code, population
select id, null::text, null::text, name, code, population
  from locations_states
 where site_id in ($1, spark.library_site()) and ($2::uuid is null or id = $2)
 order by name, id limit $3;

-- name: places_counties :read
-- returns: id, city, county, state, state_code, population
select c.id, null::text, c.name, s.name, s.code, c.population
  from locations_counties c join locations_states s on s.site_id = c.state_site_id and s.id = c.state_id
 where c.site_id in ($1, spark.library_site()) and ($2::uuid is null or c.state_id = $2)
 order by c.population desc nulls last, c.id limit $3;

-- name: places_cities :read
-- returns: id, city, county, state, state_code, population
select c.id, c.name, n.name, s.name, s.code, c.population
  from locations_cities c
  join locations_states s on s.site_id = c.state_site_id and s.id = c.state_id
  left join locations_counties n on n.site_id = c.county_site_id and n.id = c.county_id
 where c.site_id in ($1, spark.library_site()) and ($2::uuid is null or $2 in (c.state_id, c.county_id))
 order by c.population desc nulls last, c.id limit $3;

-- Headlines ----------------------------------------------------------------------------------------

-- name: headlines_store :write
-- params: site uuid, campaign uuid, campaign_site uuid, formula text?, ids uuid[], titles text[],
--         hashes text[], locations text[]
-- returns: inserted, page
with made as (
    insert into headline_inventory (id, site_id, campaign_id, campaign_site_id, headline_text,
                                    final_title_text, text_hash, location_data)
    select u.id, :site, :campaign, :campaign_site, left(:formula, 500), u.title, u.hash, u.location::jsonb
      from unnest(:ids::uuid[], :titles::text[], :hashes::text[], :locations::text[])
           as u (id, title, hash, location)
        on conflict (site_id, campaign_id, text_hash) do nothing
    returning id, final_title_text
)
select (select count(*) from made) as inserted,
       (select jsonb_agg(final_title_text order by id)
          from (select * from made order by id limit 100) as first) as page;

-- Never moves backwards: generating an earlier range again must not change the start of the next run.
-- name: headline_cursor_set :write
update campaign_masters set headline_cursor = greatest(headline_cursor, $3)
 where site_id = $1 and id = $2;

-- name: headlines_count :read
-- returns: count
select count(*) from headline_inventory where site_id = $1 and campaign_id = $2;

-- name: headlines_left :read
-- returns: count
select count(*) from headline_inventory where site_id = $1 and campaign_id = $2 and status = 'available';

-- In the transaction that uses the headlines, so that a crash leaves none reserved.
-- name: headlines_claim :write
-- returns: id uuid, title text, text_hash text, location json?
select id, final_title_text, text_hash, location_data
  from headline_inventory
 where site_id = $1 and campaign_id = $2 and status = 'available'
 order by id limit $3
   for update skip locked;

-- A headline that the caller supplies: inserted if it is new, otherwise the existing one.
-- name: headline_take :write
-- params: site uuid, campaign uuid, campaign_site uuid, id uuid, title text, text_hash text, location json?
-- returns: id uuid, title text, text_hash text, location json?, status text, article_id uuid?
insert into headline_inventory (id, site_id, campaign_id, campaign_site_id, final_title_text, text_hash,
                                location_data)
values (:id, :site, :campaign, :campaign_site, :title, :text_hash, :location::jsonb)
    on conflict (site_id, campaign_id, text_hash)
    do update set location_data = coalesce(excluded.location_data, headline_inventory.location_data)
returning id, final_title_text, text_hash, location_data, status, used_on_article;

-- Retires headlines that could not become articles; otherwise they would be claimed first every time.
-- name: headlines_retire :write
update headline_inventory h
   set status = case when a.id is null then 'archived' else 'used' end, used_on_article = a.id
  from unnest($2::uuid[]) as r (id)
  left join generated_articles a on a.site_id = $1 and a.headline_id = r.id
 where h.site_id = $1 and h.id = r.id;

-- Articles -----------------------------------------------------------------------------------------

-- The first free slug of slug, slug-2, slug-3 … from number $3 on.
-- name: article_slug_free :write
-- returns: slug, number
select candidate.slug, candidate.n
  from (select case n when 1 then $2::text else $2::text || '-' || n end as slug, n
          from (select generate_series($3::int, $3::int + 1000) as n offset 0) numbers) candidate
 where (select count(*) from (select from generated_articles a
                               where a.site_id = $1 and a.slug = candidate.slug limit 1) taken) = 0
 limit 1;

-- Batches of generation ------------------------------------------------------------------------------

-- name: generation_create :write
-- params: site uuid, id uuid, campaign uuid, campaign_site uuid, batch_size int4, target_quantity int4,
--         jobs_total int4
insert into generation_jobs (site_id, id, campaign_id, campaign_site_id, type, batch_size, target_quantity,
                             jobs_total)
values (:site, :id, :campaign, :campaign_site, 'Spintax Mass', :batch_size, :target_quantity, :jobs_total);

-- The last statement before the commit: all jobs of the batch contend for this row.
-- name: generation_advance :write
-- params: site uuid, id uuid, made int4, campaign uuid, audit_user arg, audit_actor arg, audit_ip arg
with advanced as (
    update generation_jobs
       set current_offset = current_offset + :made, jobs_done = jobs_done + 1,
           progress = spark.generation_progress(current_offset + :made, target_quantity),
           status = spark.generation_status(status, jobs_total, jobs_done + 1, jobs_failed),
           started_at = coalesce(started_at, now()),
           completed_at = case when jobs_done + 1 + jobs_failed >= jobs_total then now() end
     where site_id = :site and id = :id
)
select spark.audit(:site, 'generated', 'generation_jobs', :id::uuid::text,
                   jsonb_build_object('articles', :made::int, 'campaign_id', :campaign::uuid),
                   'success', 'done', :audit_user, :audit_actor, :audit_ip);

-- After the commit of many rows: statistics for the plans of small tables.
-- name: statistics_refresh :write
select spark.refresh_statistics();

-- Review and publishing ----------------------------------------------------------------------------

-- name: queue_decide :write
-- params: site uuid, queue uuid, status text, decision text, campaign uuid, audit_user arg, audit_actor arg,
--         audit_ip arg
with decided as (
    update production_queue set status = :status where site_id = :site and id = :queue
), noted as (
    update campaign_masters set test_batch_status = :decision where site_id = :site and id = :campaign
)
select spark.audit(:site, :decision, 'production_queue', :queue::uuid::text,
                   jsonb_build_object('campaign_id', :campaign::uuid, 'to', :status::text,
                                      'from',
                                      (select status from production_queue where site_id = :site and id = :queue)),
                   'info', 'done', :audit_user, :audit_actor, :audit_ip);

-- name: article_lock :write
-- returns: status, title, slug, content, meta_title, meta_description, image_alt, schema_json, city, state, post_id
select status, title, slug, content, meta_title, meta_description, featured_image_alt, schema_json,
       location_city, location_state, published_to_post
  from generated_articles
 where site_id = $1 and id = $2
   for update;

-- Triggers set its dates and publish the article. No row: the slug was taken after it was checked; try again.
-- name: post_create :write
-- params: site uuid, id uuid, title text, slug text, status text, meta_description text?, content text?,
--         image_alt text?, meta_title text?, keywords text?, schema_json json?, article uuid
-- returns: slug
insert into posts (site_id, id, title, slug, status, excerpt, content, featured_image_alt, meta_title,
                   meta_description, meta_keywords, schema_json, source, source_article_id)
select :site, :id, :title, free.slug, :status::text, :meta_description::text, :content, :image_alt, :meta_title,
       :meta_description::text, :keywords, :schema_json::jsonb, 'seo_engine', :article
  from (select candidate.slug
          from (select case n when 1 then :slug::text else :slug::text || '-' || n end as slug
                  from (select generate_series(1, 10000) as n offset 0) numbers) candidate
         where (select count(*) from (select from posts p
                                       where p.site_id = :site and p.slug = candidate.slug limit 1) taken) = 0
         limit 1) free
    on conflict (site_id, slug) do nothing
returning slug;

-- Records the post of an article; the post's triggers record the publication.
-- name: article_posted :write
-- params: site uuid, article uuid, post uuid, slug text, is_published bool, audit_user arg, audit_actor arg,
--         audit_ip arg
with posted as (
    update generated_articles
       set published_to_post = :post, published_url = '/' || :slug::text,
           publish_status = case when :is_published then publish_status else 'ready' end
     where site_id = :site and id = :article
)
select spark.audit(:site, 'published', 'generated_articles', :article::uuid::text,
                   jsonb_build_object('post_id', :post::uuid, 'slug', :slug::text,
                                      'as', case when :is_published then 'published' else 'draft' end),
                   'success', 'done', :audit_user, :audit_actor, :audit_ip);

-- Blueprints -----------------------------------------------------------------------------------------

-- Serialises imports with the same campaign name, because that name is not unique.
-- name: blueprint_lock :write
select pg_advisory_xact_lock(hashtextextended(concat('spark.blueprint.', $1::uuid, '.', $2::text), 0));

-- name: template_store :write
-- returns: id
with found as (
    select id from article_templates where site_id = $1 and name = $3 and structure_json = $4::jsonb
     order by id limit 1
), made as (
    insert into article_templates (site_id, id, name, structure_json, description)
    select $1, $2, $3, $4::jsonb, $5 where not exists (select from found)
    returning id
)
select id from found union all select id from made;

-- name: campaign_by_name :write
-- returns: id
select id from campaign_masters where site_id = $1 and name = $2 order by id limit 1;

-- name: campaign_create :write
-- params: site uuid, id uuid, name text, headline_root text?, niche_variables json, location_mode text,
--         location_target text?, batch_count int4, target_words int4, article_template uuid?
insert into campaign_masters (site_id, id, name, headline_spintax_root, niche_variables, location_mode,
                              location_target, batch_count, target_word_count, article_template,
                              article_template_site_id)
values (:site, :id, :name, :headline_root, :niche_variables::jsonb, :location_mode, :location_target,
        :batch_count, :target_words, :article_template,
        case when :article_template::uuid is not null then :site::uuid end);

-- name: fragments_store :write
-- params: site uuid, campaign uuid?, ids uuid[], types text[], bodies text[], word_counts int[],
--         hashes text[]
insert into content_fragments (site_id, id, campaign_id, campaign_site_id, fragment_type, content_body,
                               word_count, content_hash)
select :site, u.id, :campaign, case when :campaign::uuid is not null then :site::uuid end, u.type, u.body,
       u.words, u.hash
  from unnest(:ids::uuid[], :types::text[], :bodies::text[], :word_counts::int8[], :hashes::text[])
       as u (id, type, body, words, hash)
    on conflict (site_id, campaign_id, fragment_type, content_hash) do nothing;

-- name: dictionaries_store :write
-- params: site uuid, ids uuid[], categories text[], datas text[]
insert into spintax_dictionaries (site_id, id, category, data)
select :site, u.id, u.category, u.data::jsonb
  from unnest(:ids::uuid[], :categories::text[], :datas::text[]) as u (id, category, data)
    on conflict (site_id, category) do nothing;

-- name: offer_blocks_store :write
-- params: site uuid, ids uuid[], types text[], block_ids text[], avatar_keys text[], names text[],
--         htmls text[], datas text[]
insert into offer_blocks (site_id, id, block_type, block_id, avatar_key, name, html_content, data)
select :site, u.id, u.type, u.block, u.avatar, u.name, u.html, u.data::jsonb
  from unnest(:ids::uuid[], :types::text[], :block_ids::text[], :avatar_keys::text[], :names::text[],
              :htmls::text[], :datas::text[])
       as u (id, type, block, avatar, name, html, data)
    on conflict do nothing;

-- name: states_store :write
-- params: site uuid, ids uuid[], names text[], codes text[], countries text[], populations int[],
--         regions text[]
insert into locations_states (site_id, id, name, code, country_code, population, region)
select :site, u.id, u.name, u.code, coalesce(u.country, 'US'), nullif(u.population, 0), u.region
  from unnest(:ids::uuid[], :names::text[], :codes::text[], :countries::text[], :populations::int8[],
              :regions::text[])
       as u (id, name, code, country, population, region)
    on conflict (site_id, country_code, code) do nothing;

-- name: state_codes :write
-- returns: code
select code from locations_states where site_id in ($1, spark.library_site());

-- name: counties_store :write
-- params: site uuid, ids uuid[], names text[], states text[], populations int[]
insert into locations_counties (site_id, id, name, state_id, state_site_id, population)
select :site, u.id, u.name, s.id, s.site_id, nullif(u.population, 0)
  from unnest(:ids::uuid[], :names::text[], :states::text[], :populations::int8[]) as u (id, name, state, population)
 cross join lateral (select s.id, s.site_id from locations_states s
                      where s.site_id in (:site, spark.library_site()) and s.code = u.state
                      order by s.site_id = spark.library_site() limit 1) s
 where not exists (select from locations_counties c
                    where c.site_id in (:site, spark.library_site()) and c.state_id = s.id and c.name = u.name);

-- name: cities_store :write
-- params: site uuid, ids uuid[], names text[], states text[], counties text[], populations int[],
--         postal_codes text[]
insert into locations_cities (site_id, id, name, state_id, state_site_id, county_id, county_site_id,
                              population, postal_code)
select :site, u.id, u.name, s.id, s.site_id, c.id, c.site_id, nullif(u.population, 0), u.postal_code
  from unnest(:ids::uuid[], :names::text[], :states::text[], :counties::text[], :populations::int8[],
              :postal_codes::text[])
       as u (id, name, state, county, population, postal_code)
 cross join lateral (select s.id, s.site_id from locations_states s
                      where s.site_id in (:site, spark.library_site()) and s.code = u.state
                      order by s.site_id = spark.library_site() limit 1) s
  left join lateral (select c.id, c.site_id from locations_counties c
                      where c.site_id in (:site, spark.library_site()) and c.state_id = s.id and c.name = u.county
                      order by c.site_id = spark.library_site() limit 1) c on true
 where not exists (select from locations_cities x
                    where x.site_id in (:site, spark.library_site()) and x.state_id = s.id and x.name = u.name
                      and x.county_id is not distinct from c.id);

-- The values that the columns of these tables allow, by default, type and CHECK. Separate from the schema
-- snapshot: PostgreSQL locks a table to show its CHECKs, and a snapshot must not wait for a session that alters
-- one. A CHECK with OR is ignored.
-- name: blueprint_column_rules :read
-- returns: collection, field, default_sql, least, most, choices, json_kind
select c.relname::text as collection, a.attname::text as field,
       case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as default_sql,
       greatest(substring(rule.text from '\((?:"[^"]+"|\w+) >= \(*''?(-?\d{1,18})(?![\d.])')::int8, bounds.least) as least,
       least(substring(rule.text from '\((?:"[^"]+"|\w+) <= \(*''?(-?\d{1,18})(?![\d.])')::int8, bounds.most) as most,
       replace(regexp_replace(substring(rule.text from ' = ANY \(+ARRAY\[([^]]*)\]'), '''|::character varying|::text', '', 'g'), ', ', ',') as choices,
       substring(rule.text from 'jsonb_typeof\(\S+ = ''(array|object)''') as json_kind
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  left join lateral (select string_agg(k.text, ' ' order by k.oid) as text
                       from (select oid, pg_get_constraintdef(oid) as text
                               from pg_constraint
                              where conrelid = c.oid and contype = 'c' and conkey = array[a.attnum]) k
                      where k.text !~ ' OR ') rule on true
 cross join lateral (select case when a.atttypid = 1700 and a.atttypmod > 4
                                 then ((a.atttypmod - 4) >> 16) - ((a.atttypmod - 4) & 65535) end as digits) numeric
 cross join lateral (select case a.atttypid when 21 then 32767 when 23 then 2147483647
                                 when 1700 then case when digits between 0 and 18 then (10 ^ digits)::int8 - 1 end end::int8 as most) highest
 cross join lateral (select highest.most, case when a.atttypid in (21, 23) then -highest.most - 1 else -highest.most end as least) bounds
 where c.relnamespace = 'public'::regnamespace and c.relname = any ($1::text[]);
