-- The sitemap.

-- The public addresses of a range of numbers, each with its last known change. An article's date_updated is not
-- used, because the drip changes it; nor are dates in the future. Hub pages have no dates.
--
-- Plain SQL, so that it is inlined into the calling statement.
create or replace function spark.sitemap_page(site uuid, after_number bigint, last_number bigint)
returns table (number bigint, path text, changed_at timestamptz)
language sql stable parallel safe as $$
    select u.number,
           case when h.id is not null then '/' || h.slug
                when p.slug is not null then '/' || p.slug
                when a.published_url like '/%' then a.published_url
                else '/' || a.slug end,
           greatest(case when p.id is null then a.date_created else p.date_created end,
                    case when p.id is null and a.published_at <= now() then a.published_at end,
                    case when p.id is null and a.date_modified <= now() then a.date_modified end,
                    case when p.published_at <= now() then p.published_at end, p.date_updated)
      from spark.sitemap_urls u
      left join hub_pages h on h.site_id = u.site_id and h.id = u.hub_id
      left join generated_articles a on a.site_id = u.site_id and a.id = u.article_id
      left join posts p on p.site_id = a.site_id and p.id = a.published_to_post
     where u.site_id = $1 and u.number > $2 and u.number <= $3
       and (h.sitemap_status = 'indexed'
            or (a.sitemap_status = 'indexed' and a.is_published and a.status = 'published'
                and coalesce(p.slug, a.published_url, a.slug) is not null
                and (p.id is null or (p.status = 'published' and p.robots !~* 'noindex'))))
$$;
