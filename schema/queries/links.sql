-- Internal links. $1 is the site.

-- name: link_targets :read
-- returns: id, href, anchors, priority, max_per_article, is_hub, post_id, post_time, host
select t.id, coalesce(nullif(t.target_url, ''), '/posts/' || t.target_post::text),
       array(select a.anchor
               from (select t.anchor_text::text as anchor, 0::bigint as n
                     union all
                     select v.anchor, v.n from jsonb_array_elements_text(t.anchor_variations) with ordinality v (anchor, n)) a
              where a.anchor <> ''
              order by a.n limit 21),
       t.priority, t.max_per_article, t.is_hub, t.target_post, coalesce(p.published_at, p.date_created), s.domain
  from link_targets t
  left join posts p on p.site_id = t.site_id and p.id = t.target_post
  left join sites s on s.id = t.site_id
 where t.site_id = $1 and t.is_active and t.status = 'active'
   and (t.target_url <> '' or t.target_post is not null)
 order by t.priority desc, t.date_created, t.id
 limit $2;

-- The address is that of its post, or the article's own.
-- name: link_article :read
-- returns: id, content, url, post_id, published, modified
select id, content, published_url, published_to_post, coalesce(date_published, published_at), date_modified
  from generated_articles
 where site_id = $1 and id = $2;

-- The same for a page of articles: of a campaign, or by ids.
-- name: link_page_of_campaign :slow
-- returns: id, content, url, post_id, published, modified
select id, content, published_url, published_to_post, coalesce(date_published, published_at), date_modified
  from generated_articles
 where site_id = $1 and campaign_id = $2 and id > $3 and content <> ''
 order by id limit 50;

-- name: link_page_named :slow
-- returns: id, content, url, post_id, published, modified
select id, content, published_url, published_to_post, coalesce(date_published, published_at), date_modified
  from generated_articles
 where site_id = $1 and id = any ($2)
 order by id;

-- Stores articles, each with its links (by its index in $2) and its work log entry. Skips articles whose text has
-- changed since it was read. Locks them in order, so that two runs cannot deadlock. If a target was deleted
-- meanwhile, its link stays, as after a later deletion.
-- name: links_store :write
-- params: site uuid, articles uuid[], contents text[], hashes text[], details text[], batch uuid,
--         link_articles int[], link_ids uuid[], targets uuid[], hrefs text[], anchors text[],
--         positions int[], audit_user arg, audit_actor arg, audit_ip arg
-- returns: id, audited
with live as materialized (
    select a.id, u.content, u.details, u.n
      from unnest(:articles::uuid[], :contents::text[], :hashes::text[],
                  :details::text[]) with ordinality as u (id, content, hash, details, n)
      join generated_articles a on a.site_id = :site and a.id = u.id
     where encode(sha256(convert_to(a.content, 'UTF8')), 'hex') = u.hash
     order by a.id
       for no key update of a
), changed as (
    update generated_articles a set content = l.content
      from live l
     where a.site_id = :site and a.id = l.id
    returning a.id, l.n, l.details
), stored as (
    insert into article_links (site_id, id, batch_id, article_id, target_id, href, anchor, position)
    select :site, m.id, :batch, c.id, t.id, m.href, m.anchor, m.position
      from unnest(:link_articles::int8[], :link_ids::uuid[], :targets::uuid[], :hrefs::text[], :anchors::text[],
                  :positions::int8[])
           as m (n, id, target, href, anchor, position)
      join changed c on c.n = m.n
      left join link_targets t on t.site_id = :site and t.id = m.target
)
select id, spark.audit(:site, 'links_inserted', 'generated_articles', id::text, details::jsonb,
                       'success', 'done', :audit_user, :audit_actor, :audit_ip)
  from changed;

-- name: links_of_article :read
-- returns: id, href, anchor
select id, href, anchor from article_links
 where site_id = $1 and article_id = $2 and ($3::uuid is null or batch_id = $3)
 order by position, id
 limit 10000;

-- name: links_take_out :write
-- params: site uuid, article uuid, content text, content_hash bytes, links uuid[], removed int,
--         audit_user arg, audit_actor arg, audit_ip arg
-- returns: id, audited
with changed as (
    update generated_articles set content = :content
     where site_id = :site and id = :article and sha256(convert_to(content, 'UTF8')) = :content_hash::bytea
    returning id
), gone as (
    delete from article_links l using changed c
     where l.site_id = :site and l.article_id = c.id and l.id = any (:links::uuid[])
)
select id, spark.audit(:site, 'links_removed', 'generated_articles', id::text,
                       jsonb_build_object('links_removed', :removed::int8), 'info', 'done', :audit_user,
                       :audit_actor, :audit_ip)
  from changed;

-- name: link_articles_known :read
-- returns: id
select id from generated_articles where site_id = $1 and id = any ($2);
