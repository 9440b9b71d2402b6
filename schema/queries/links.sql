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

-- The address is where its post is, or what the article itself says.
-- name: link_article :read
-- returns: content, url, post_id, published, modified
select content, published_url, published_to_post, coalesce(date_published, published_at), date_modified
  from generated_articles
 where site_id = $1 and id = $2;

-- Nothing is written when the text is no longer what was read. A target that went meanwhile leaves its
-- link behind, as one that goes later would.
-- name: links_store :write
-- returns: id
with changed as (
    update generated_articles set content = $3
     where site_id = $1 and id = $2 and sha256(convert_to(content, 'UTF8')) = $4::bytea
    returning id
), stored as (
    insert into article_links (site_id, id, batch_id, article_id, target_id, href, anchor, position)
    select $1, u.id, $5, c.id, t.id, u.href, u.anchor, u.position
      from changed c
     cross join unnest($6::uuid[], $7::uuid[], $8::text[], $9::text[], $10::int8[]) as u (id, target, href, anchor, position)
      left join link_targets t on t.site_id = $1 and t.id = u.target
), logged as (
    insert into work_log (site_id, action, entity_type, entity_id, details, level, user_id)
    select $1, 'links_inserted', 'generated_articles', c.id::text,
           jsonb_build_object('links_inserted', cardinality($6::uuid[]), 'anchors', to_jsonb($9::text[]), 'batch_id', $5::uuid),
           'success', $11
      from changed c
)
select id from changed;

-- name: links_of_article :read
-- returns: id, href, anchor
select id, href, anchor from article_links
 where site_id = $1 and article_id = $2 and ($3::uuid is null or batch_id = $3)
 order by position, id
 limit 10000;

-- name: links_take_out :write
-- returns: id
with changed as (
    update generated_articles set content = $3
     where site_id = $1 and id = $2 and sha256(convert_to(content, 'UTF8')) = $4::bytea
    returning id
), gone as (
    delete from article_links l using changed c
     where l.site_id = $1 and l.article_id = c.id and l.id = any ($5::uuid[])
), logged as (
    insert into work_log (site_id, action, entity_type, entity_id, details, level, user_id)
    select $1, 'links_removed', 'generated_articles', c.id::text, jsonb_build_object('links_removed', $6::int8), 'info', $7
      from changed c
)
select id from changed;

-- A campaign's articles, a page at a time.
-- name: link_articles_of_campaign :read
-- returns: id
select id from generated_articles
 where site_id = $1 and campaign_id = $2 and id > $3 and content <> ''
 order by id limit $4;

-- name: link_articles_known :read
-- returns: id
select id from generated_articles where site_id = $1 and id = any ($2);
