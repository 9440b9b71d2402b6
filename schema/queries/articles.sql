-- What /api/seo tells of the articles there are: counts, a list, and what is near one of them.

-- $1: the site, null for the platform.
-- name: article_stats :slow
-- returns: total, ghost, queued, indexed, published, draft
select count(*) as total,
       count(*) filter (where sitemap_status = 'ghost') as ghost,
       count(*) filter (where sitemap_status = 'queued') as queued,
       count(*) filter (where sitemap_status = 'indexed') as indexed,
       count(*) filter (where is_published) as published,
       count(*) filter (where not is_published) as draft
  from generated_articles
 where $1::uuid is null or site_id = $1;

-- name: articles_page :read
-- returns: id, site_id, campaign_id, status, title, meta_title, word_count, is_published, sitemap_status, city, county, state, date_created
select id, site_id, campaign_id, status, title, meta_title, word_count, is_published, sitemap_status,
       location_city, location_county, location_state, date_created
  from generated_articles
 where ($1::uuid is null or site_id = $1)
   and ($2::uuid is null or campaign_id = $2)
   and ($3::text is null or status = $3)
 order by date_created desc, id desc
 limit $4::int8 offset $5::int8;

-- name: nearby_article :read
-- returns: id, title, path, city, county, state
select a.id, a.title, coalesce('/' || p.slug, a.published_url, '/' || a.slug), a.location_city, a.location_county,
       a.location_state
  from generated_articles a
  left join posts p on p.site_id = a.site_id and p.id = a.published_to_post
 where a.site_id = $1 and a.id = $2;

-- The newest of the same county, then others of the state by city. Counties of one name in two states
-- are two.
-- name: nearby_articles :read
-- returns: id, title, path, city, county, state, is_county
with here as (
    select location_county, location_state from generated_articles where site_id = $1 and id = $2
), of_county as (
    select a.id, row_number() over (order by coalesce(a.date_published, a.date_created) desc, a.id desc) as place
      from here h join generated_articles a
        on a.site_id = $1 and a.location_county = h.location_county
       and a.location_state is not distinct from h.location_state
     where a.id <> $2 and a.sitemap_status = 'indexed' and a.is_published and a.status = 'published'
     order by place limit $3::int8
), of_state as (
    select a.id, row_number() over (order by a.location_city, a.id) as place
      from here h join generated_articles a
        on a.site_id = $1 and a.location_state = h.location_state
       and a.location_county is distinct from h.location_county
     where a.id <> $2 and a.sitemap_status = 'indexed' and a.is_published and a.status = 'published'
     order by place limit $3::int8
)
select a.id, a.title, coalesce('/' || p.slug, a.published_url, '/' || a.slug), a.location_city, a.location_county,
       a.location_state, n.kind = 0
  from (select 0 as kind, place, id from of_county
        union all select 1, place, id from of_state
         order by kind, place limit $3::int8) n
  join generated_articles a on a.site_id = $1 and a.id = n.id
  left join posts p on p.site_id = a.site_id and p.id = a.published_to_post
 order by n.kind, n.place;

-- From the article's own hub upwards; eight steps, so that hubs in a circle end. Then, if none of these is
-- the state's, the one that bears its name.
-- name: nearby_hubs :read
-- returns: id, title, path, level, is_parent, depth
with recursive chain (id, parent_id, title, slug, level, depth) as (
    select h.id, h.parent_id, h.title, h.slug, h.level, 1
      from generated_articles a join hub_pages h on h.site_id = a.site_id and h.id = a.parent_hub_id
     where a.site_id = $1 and a.id = $2
    union all
    select h.id, h.parent_id, h.title, h.slug, h.level, c.depth + 1
      from chain c join hub_pages h on h.site_id = $1 and h.id = c.parent_id
     where c.depth < 8
), named as (
    select h.id, h.title, h.slug, h.level
      from generated_articles a join hub_pages h
        on h.site_id = a.site_id and h.level = 'state' and lower(h.title) = lower(a.location_state)
     where a.site_id = $1 and a.id = $2 and not exists (select from chain where chain.level = 'state')
     order by h.sort_order, h.id limit 1
)
select id, title, '/' || slug, level, true, depth from chain
union all
select id, title, '/' || slug, level, false, 9 from named
 order by depth;
