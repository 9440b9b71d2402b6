-- The sources of articles and their storage: avatars, fragments, blocks, modules, pictures.
--
-- $1 is the site if a statement has one. Rows of the library are read in addition to the site's own.

-- Avatars ------------------------------------------------------------------------------------------

-- One variant of an avatar: $2 is the id of either, $3 the avatar's key, $4 the variant, which overrides that of
-- the id. If the variant has no row, the avatar's own words and the grammar table apply.
-- name: avatar_find :read
-- returns: key, variant_type, identity, data
with avatar as (
    select a.site_id, a.avatar_key, a.base_name, a.data, v.variant_type
      from avatar_intelligence a
      left join avatar_variants v on v.site_id in ($1, spark.library_site()) and v.id = $2::uuid
                                 and v.avatar_site_id = a.site_id and v.avatar_key = a.avatar_key
     where a.site_id in ($1, spark.library_site()) and (a.id = $2::uuid or v.id is not null or a.avatar_key = $3::text)
     order by v.id is null, a.id = $2::uuid desc nulls last, a.site_id = spark.library_site()
     limit 1
)
select a.avatar_key, coalesce($4::text, a.variant_type, 'neutral'),
       coalesce(nullif(v.identity, ''), nullif(v.data ->> 'identity', ''), nullif(a.data ->> 'identity', ''), a.base_name),
       coalesce(v.data, '{}')
  from avatar a
  left join lateral (
      select identity, data from avatar_variants v
       where v.site_id in ($1, spark.library_site()) and v.avatar_site_id = a.site_id and v.avatar_key = a.avatar_key
         and v.variant_type = coalesce($4::text, a.variant_type, 'neutral')
       order by v.site_id = spark.library_site() limit 1) v on true;

-- On either lane: row-level security limits the visible rows.
-- name: avatar_locate :read
-- returns: id, site_id, key
select id, site_id, avatar_key from avatar_intelligence where id = $1 or avatar_key = $2::text order by id limit 100;

-- Inserts the missing variants of an avatar. Their identity is that of an existing variant, or the avatar's own.
-- name: avatar_variants_store :write
insert into avatar_variants (site_id, id, avatar_key, avatar_site_id, variant_type, name, identity, data)
select a.site_id, u.id, a.avatar_key, a.site_id, u.type, left(a.base_name || ' (' || u.type || ')', 255), left(i.identity, 255),
       u.words::jsonb || jsonb_strip_nulls(jsonb_build_object('identity', i.identity, 'base_name', a.base_name))
  from avatar_intelligence a
 cross join unnest($3::uuid[], $4::text[], $5::text[]) as u (id, type, words)
 cross join lateral (
      select coalesce((select coalesce(nullif(v.identity, ''), v.data ->> 'identity') from avatar_variants v
                        where v.site_id = a.site_id and v.avatar_key = a.avatar_key
                          and coalesce(nullif(v.identity, ''), nullif(v.data ->> 'identity', '')) is not null
                        order by v.variant_type = 'neutral' desc limit 1),
                      nullif(a.data ->> 'identity', ''), a.base_name) as identity) i
 where a.site_id = $1 and a.avatar_key = $2
    on conflict (site_id, avatar_key, variant_type) do nothing;

-- name: avatar_variants_of :write
-- returns: id, variant_type
select id, variant_type from avatar_variants where site_id = $1 and avatar_key = $2
 order by array_position(array['male', 'female', 'neutral'], variant_type::text);

-- Plans --------------------------------------------------------------------------------------------

-- The version of everything that a plan is made from, in a few bytes, for comparison. Small tables contribute the
-- transaction id of each row; fragments their stored hashes; modules, whose usage counts change, their text, and
-- only for campaigns that may use them ($3: whatever their template).
-- name: plan_version :read
-- returns: version
with campaign as (
    select c.*, t.id as template, t.structure_json
      from campaign_masters c
      left join article_templates t on t.site_id = c.article_template_site_id and t.id = c.article_template
     where c.site_id in ($1, spark.library_site()) and c.id = $2
), named as (
    select jsonb_array_elements_text(structure_json) as block from campaign
)
select concat_ws('.',
    (select md5(row (c.status, c.name, c.niche_variables, c.target_word_count, c.location_mode, c.location_target,
                     c.template, c.structure_json, c.content_recipe, c.spintax_title, c.avatar_key, c.variant_type,
                     s.name, s.url, s.domain)::text)
       from campaign c left join sites s on s.id = $1),
    (select concat_ws('.', count(*),
                      bit_xor(hashtextextended(concat(f.id, f.fragment_type, f.content_hash), 0)))
       from content_fragments f
      where f.site_id in ($1, spark.library_site()) and f.status = 'active'
        and (f.campaign_id is null or f.campaign_id = $2
             or f.campaign_id in (select m.id from campaign_masters m
                                   where m.site_id in ($1, spark.library_site())
                                     and m.name = 'Master Content Library'))),
    (select concat_ws('.', count(*), bit_xor(hashtextextended(concat(id, category, data), 0)))
       from spintax_dictionaries
      where site_id in ($1, spark.library_site())),
    (select concat_ws('.', count(*), bit_xor(hashtextextended(concat(id, xmin), 0)))
       from (select id, xmin from avatar_intelligence where site_id in ($1, spark.library_site())
              union all
             select id, xmin from avatar_variants where site_id in ($1, spark.library_site())
              union all
             select id, xmin from image_templates where site_id in ($1, spark.library_site()) and is_default
              union all
             select id, xmin from offer_blocks
              where site_id in ($1, spark.library_site())
                and coalesce(block_id, data ->> 'id') in (select block from named)) as small),
    (select concat_ws('.', count(*), bit_xor(hashtextextended(concat(m.id, m.module_type, m.content_spintax), 0)))
       from content_modules m
      where m.site_id = $1 and m.is_active and exists (select from campaign c where $3 or c.template is null))) as version;

-- name: plan_fragments :read
-- returns: id, type, body
select f.id, f.fragment_type, f.content_body
  from content_fragments f
 where f.site_id in ($1, spark.library_site()) and f.status = 'active'
   and (f.campaign_id is null or f.campaign_id = $2
        or f.campaign_id in (select m.id from campaign_masters m
                              where m.site_id in ($1, spark.library_site())
                                and m.name = 'Master Content Library'))
 order by f.id limit $3;

-- The blocks that a structure ($2) names, each once, with the lists for one avatar ($3). A site's own block takes
-- precedence over the library's. Exports omit block_id and have it in data.
-- name: plan_blocks :read
-- returns: id, block_id, name, html_content, data, personal_id, personal
with mine as (
    select b.*, coalesce(b.block_id, b.data ->> 'id') as called
      from offer_blocks b
     where b.site_id in ($1, spark.library_site()) and b.status = 'published'
       and coalesce(b.block_id, b.data ->> 'id') = any ($2::text[])
)
select b.id, b.called, b.name, b.html_content, b.data, p.id, p.data
  from (select distinct on (called) * from mine where block_type = 'universal'
         order by called, site_id = spark.library_site(), id limit $4) b
  left join lateral (select id, data from mine p
                      where p.block_type = 'personalized' and p.called = b.called and p.avatar_key = $3::text
                      order by p.site_id = spark.library_site(), p.id limit 1) p on true;

-- Modules belong to one site.
-- name: plan_modules :read
-- returns: id, type, body
select id, module_type, content_spintax
  from content_modules
 where site_id = $1 and is_active and module_type = any ($2::text[])
 order by id limit $3;

-- How often the campaign's newest articles ($3) use each fragment. Searches only the site's newest articles, so
-- that the cost does not depend on their total number.
-- name: plan_usage :read
-- returns: fragment, uses
select f.id, count(*)
  from (select a.provenance
          from (select campaign_id, provenance from generated_articles
                 where site_id = $1 order by date_created desc limit 5000) a
         where a.campaign_id = $2 and jsonb_typeof(a.provenance -> 'fragments') = 'array'
         limit $3) recent
 cross join lateral jsonb_array_elements_text(recent.provenance -> 'fragments') f (id)
 group by f.id;

-- The default template of the site, else of the library.
-- name: plan_picture :read
-- returns: id, svg_source, width, height, gradient_start, gradient_end, text_color, accent_color, font_family, title_size, subtitle_size
select id, svg_source, width, height, gradient_start, gradient_end, text_color, accent_color, font_family, title_size,
       subtitle_size
  from image_templates
 where site_id in ($1, spark.library_site()) and is_default
 order by site_id = spark.library_site() limit 1;

-- Modules ------------------------------------------------------------------------------------------

-- name: modules_usage :write
-- returns: id, usage_count
select id, usage_count from content_modules where site_id = $1 and id = any ($2);

-- Locks rows in the order of their ids, so that transactions cannot deadlock.
-- name: modules_count :write
with used as (
    select u.id, u.uses from unnest($2::uuid[], $3::int8[]) as u (id, uses)
), locked as (
    select m.id from content_modules m where m.site_id = $1 and m.id in (select id from used) order by m.id for update
)
update content_modules m set usage_count = m.usage_count + u.uses
  from used u join locked l on l.id = u.id
 where m.site_id = $1 and m.id = u.id;

-- name: state_code_find :read
-- returns: code
select code from locations_states
 where site_id in ($1, spark.library_site()) and (lower(name) = lower($2::text) or upper(code) = upper($2::text))
 order by site_id = spark.library_site(), id limit 1;

-- name: site_backdating :read
-- returns: allowed
select backdating_allowed from sites where id = $1;

-- Articles -----------------------------------------------------------------------------------------

-- name: article_title_lock :write
select pg_advisory_xact_lock(hashtextextended(concat('spark.title.', $1::uuid, '.', $2::text), 0));

-- Skips rows that violate a unique index (slug, text, headline); the caller makes them again. An article without a
-- headline has the nil id.
-- name: articles_store :write
-- params: site uuid, campaign uuid, campaign_site uuid, generation uuid?, status text, published time?,
--         modified time?, ids uuid[], headlines uuid[], titles text[], slugs text[], contents text[],
--         meta_titles text[], meta_descriptions text[], word_counts int[], word_count_statuses text[],
--         cities text[], counties text[], states text[], svgs text[], alts text[], schemas text[],
--         hashes text[], provenances text[], modules text[]
-- returns: id, headline_id
with stored as (
    insert into generated_articles (
        site_id, id, status, campaign_id, campaign_site_id, job_id, headline_id, title, slug, content,
        meta_title, meta_description, word_count, word_count_status, location_city, location_county,
        location_state, featured_image_svg, featured_image_filename, featured_image_alt, schema_json,
        generation_hash, provenance, modules_used, date_published, date_modified)
    select :site, d.id, :status, :campaign, :campaign_site, :generation,
           nullif(d.headline_id, '00000000-0000-0000-0000-000000000000'), d.title, d.slug,
           d.content, d.meta_title, d.meta_description, d.word_count, d.word_count_status, d.city, d.county, d.state,
           d.svg, d.slug || '.svg', d.alt, d.schema_json::jsonb, d.hash, d.provenance::jsonb, d.modules::jsonb,
           :published::timestamptz, :modified::timestamptz
      from unnest(:ids::uuid[], :headlines::uuid[], :titles::text[], :slugs::text[], :contents::text[],
                  :meta_titles::text[], :meta_descriptions::text[],
                  :word_counts::int8[], :word_count_statuses::text[], :cities::text[], :counties::text[],
                  :states::text[],
                  :svgs::text[], :alts::text[], :schemas::text[], :hashes::text[], :provenances::text[], :modules::text[])
           as d (id, headline_id, title, slug, content, meta_title, meta_description, word_count,
                 word_count_status, city, county, state, svg, alt, schema_json, hash, provenance, modules)
        on conflict do nothing
    returning id, headline_id
), used as (
    update headline_inventory h set status = 'used', used_on_article = s.id
      from stored s
     where h.site_id = :site and h.id = s.headline_id
)
select id, headline_id from stored;
