-- Sitemaps and their drip.

-- $1: the site. Its own address: the domain, with scheme and port of `url` when that names the same host.
-- No row of the domain: the host by which it was asked for will do.
-- name: sitemap_site :read
-- returns: origin, last_number
select case when s.domain is null then null
            when o.host = lower(rtrim(s.domain, '.')) then o.origin
            else 'https://' || lower(rtrim(s.domain, '.')) end,
       coalesce(m.last_number, 0)
  from sites s
  left join spark.sitemaps m on m.site_id = s.id
 cross join lateral (select substring(lower(s.url) from '^https?://[^/?#@]+') as origin,
                            substring(lower(s.url) from '^https?://([^/?#:@]+)') as host) o
 where s.id = $1;

-- Files with something in them, 50,000 numbers each. Reads every address of the site.
-- name: sitemap_index :slow
-- returns: page, changed
select (number - 1) / 50000 + 1 as page, to_char(max(changed_at) at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  from spark.sitemap_page($1, 0, 2500000000)
 group by 1 order by 1;

-- What tells one state of a file from another, before its first byte goes out.
-- name: sitemap_page_state :slow
-- returns: count, hash
select count(*), coalesce(bit_xor(hashtextextended(concat(path, ' ', extract(epoch from changed_at)), number)), 0)
  from spark.sitemap_page($1, $2, $3);

-- name: sitemap_page_part :slow
-- returns: number, path, changed
select number, path, to_char(changed_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  from spark.sitemap_page($1, $2, $3)
 order by number limit 1000;

-- The drip --------------------------------------------------------------------------------------------

-- Two drips of a site wait for each other here; the next statement sees what the first one did.
-- name: sitemap_lock :write
insert into spark.sitemaps (site_id) values ($1)
    on conflict (site_id) do update set site_id = excluded.site_id;

-- Hubs first, ten a day at most, so that a crawler finds the pages that gather; then the newest articles,
-- as many as the rate leaves. Nothing at all if this day had its drip. A day on which nothing was there to
-- release is not used up. $2: the user.
-- name: sitemap_drip :write
-- returns: articles, hubs, remaining, rate, was_done, day, audited
with state as materialized (
    select m.last_number, s.sitemap_drip_rate as rate, (now() at time zone 'utc')::date as today,
           coalesce(m.dripped_on >= (now() at time zone 'utc')::date, false) as was_done
      from spark.sitemaps m join sites s on s.id = m.site_id
     where m.site_id = $1
), next_hubs as materialized (
    select id from hub_pages
     where site_id = $1 and sitemap_status in ('ghost', 'queued')
     order by sort_order, id
     limit (select case when was_done then 0 else least(rate, 10) end from state)
       for update skip locked
), hubs as (
    update hub_pages h set sitemap_status = 'indexed'
      from next_hubs n
     where h.site_id = $1 and h.id = n.id
    returning h.id, h.sort_order
), next_articles as materialized (
    select a.id, coalesce(a.date_published, a.date_created) as shown_at
      from generated_articles a
      left join posts p on p.site_id = a.site_id and p.id = a.published_to_post
     where a.site_id = $1 and a.is_published and a.sitemap_status in ('ghost', 'queued') and a.status = 'published'
       and coalesce(a.date_published, a.date_created) <= now()
       and coalesce(p.slug, a.published_url, a.slug) is not null
       and (p.id is null or (p.status = 'published' and p.robots !~* 'noindex'))
     order by shown_at desc, a.id desc
     limit (select case when was_done then 0 else rate - (select count(*) from hubs) end from state)
       for update of a skip locked
), articles as (
    update generated_articles a set sitemap_status = 'indexed'
      from next_articles n
     where a.site_id = $1 and a.id = n.id
    returning a.id, n.shown_at
), released as (
    select row_number() over (order by u.kind, u.sort_order, u.shown_at desc, u.article_id desc, u.hub_id) as place,
           u.article_id, u.hub_id
      from (select 0 as kind, sort_order, null::timestamptz as shown_at, null::uuid as article_id, id as hub_id from hubs
            union all
            select 1, 0, shown_at, id, null from articles) u
), done as (
    select (select count(*) from articles) as articles, (select count(*) from hubs) as hubs
), listed as (
    insert into spark.sitemap_urls (site_id, number, article_id, hub_id)
    select $1, s.last_number + r.place, r.article_id, r.hub_id from state s, released r
        on conflict do nothing
), remembered as (
    update spark.sitemaps m set dripped_on = s.today, last_number = s.last_number + d.articles + d.hubs
      from state s, done d
     where m.site_id = $1 and d.articles + d.hubs > 0
), waiting as (
    select (select count(*) from generated_articles
             where site_id = $1 and is_published and sitemap_status in ('ghost', 'queued') and status = 'published')
           + (select count(*) from hub_pages where site_id = $1 and sitemap_status in ('ghost', 'queued'))
           - d.articles - d.hubs as remaining
      from done d
), shown as (
    update sites set factory_status = case when w.remaining > 0 then 'dripping' else 'idle' end
      from waiting w, done d
     where sites.id = $1 and d.articles + d.hubs > 0 and sites.factory_status in ('idle', 'dripping')
)
select d.articles, d.hubs, w.remaining, s.rate::int8, s.was_done, s.today::text,
       (select spark.audit($1, 'sitemap_drip', 'sites', $1::uuid::text,
                           jsonb_build_object('articles_indexed', d.articles, 'hubs_indexed', d.hubs,
                                              'first_number', s.last_number + 1,
                                              'last_number', s.last_number + d.articles + d.hubs,
                                              'ids', (select jsonb_agg(coalesce(r.article_id, r.hub_id) order by r.place)
                                                        from released r where r.place <= 100)),
                           'success', 'done', $2, $3, $4)::text
         where d.articles + d.hubs > 0)
  from state s, done d, waiting w;
