-- Sitemaps: what the drip has released, in the order in which it did.
--
-- Every released address has a number that is its own for good. A sitemap of 50,000 is a range of
-- numbers: read by key however far back it lies, and no address ever moves to another file. What is
-- withdrawn later leaves a gap.

set local client_min_messages = warning;
set local role spark_owner;
set local spark.scope = 'platform';

-- One row a site; whoever drips holds it.
create table spark.sitemaps (
    site_id uuid primary key references sites (id) on delete cascade,
    dripped_on date, -- the last day, of UTC, on which something was released
    last_number bigint not null default 0 check (last_number >= 0)
);
select spark.set_row_policies('spark.sitemaps', 'site_id', false, false);
revoke delete on spark.sitemaps from spark_tenant;

create table spark.sitemap_urls (
    site_id uuid not null references sites (id) on delete cascade,
    number bigint not null check (number > 0),
    article_id uuid,
    hub_id uuid,
    released_at timestamptz not null default now(),
    primary key (site_id, number),
    check (num_nonnulls(article_id, hub_id) = 1),
    foreign key (site_id, article_id) references generated_articles (site_id, id) on delete cascade,
    foreign key (site_id, hub_id) references hub_pages (site_id, id) on delete cascade
);
create unique index sitemap_urls_article on spark.sitemap_urls (site_id, article_id) where article_id is not null;
create unique index sitemap_urls_hub on spark.sitemap_urls (site_id, hub_id) where hub_id is not null;
select spark.set_row_policies('spark.sitemap_urls', 'site_id', false, false);
revoke update, delete on spark.sitemap_urls from spark_tenant;

-- What was released before there were numbers.
with released as (
    select site_id, null::uuid as article_id, id as hub_id, 0 as kind from hub_pages where sitemap_status = 'indexed'
    union all
    select site_id, id, null, 1 from generated_articles where sitemap_status = 'indexed'
), listed as (
    insert into spark.sitemap_urls (site_id, number, article_id, hub_id)
    select site_id, row_number() over (partition by site_id order by kind, article_id, hub_id), article_id, hub_id
      from released
    returning site_id, number
)
insert into spark.sitemaps (site_id, last_number) select site_id, max(number) from listed group by site_id;

-- The addresses of a range that the world may still see, each with the last change that is known of it.
-- date_updated of an article is none: the drip itself moves it. Dates to come are no changes either. A
-- hub page keeps no dates.
--
-- Plain SQL, so that it is planned as a part of the statement that asks.
create function spark.sitemap_page(site uuid, after_number bigint, last_number bigint)
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
