-- The quality gate: approval, checks, and publication of due articles. $1 is the site if a statement has one.
-- spark.quality_gate defines the conditions (schema/functions/pack_quality_gate.sql).

-- name: articles_approve :write
-- params: site uuid, ids uuid[], waives_word_target bool, reason text?, audit_user arg, audit_actor arg,
--         audit_ip arg
-- returns: id uuid, status text, is_approved bool
select id, status, is_approved from spark.approve_articles(:site, :ids, :waives_word_target, :reason,
       :audit_user, :audit_actor, :audit_ip);

-- No row: all conditions are met.
-- name: gate_ask :write
-- returns: conditions, sentence, opens_at
select r.conditions, r.sentence, r.opens_at
  from generated_articles a cross join lateral spark.gate_refusal(a) r
 where a.site_id = $1 and a.id = $2;

-- Due slots ------------------------------------------------------------------------------------------

-- Without the pack there are no schedules, and the function below does not exist.
-- name: plans_exist :read
-- returns: exist
select exists (select from spark.collections where collection = 'queue_items');

-- name: publication_sites :read
-- returns: site_id
select site_id from spark.sites_to_publish() site_id;

-- The next due slot that is not locked, with its schedule locked against changes: a pause waits for this one and
-- stops the next. Articles are looked up and not joined: a plan that was made while their table was small would
-- read them all.
-- name: slot_due :write
-- returns: id, queue_id, article_id
select i.id, i.queue_id, i.article_id
  from queue_items i
  join production_queue q on q.site_id = i.site_id and q.id = i.queue_id
 where i.site_id = $1 and i.status = 'done' and i.published_at is null and i.article_id is not null
   and coalesce(i.publish_after, i.publish_date) <= now() and q.status not in ('paused', 'cancelled')
 order by coalesce(i.publish_after, i.publish_date) limit 1
   for update of i skip locked for share of q;

-- Publishing, approving or deleting an article locks the article first and then its slot. Here the slot comes
-- first, so the article is only taken if it is not locked: waiting for it could deadlock.
-- name: slot_article_take :write
-- returns: id
select id from generated_articles where site_id = $1 and id = $2 for update skip locked;

-- name: article_post :write
-- returns: post_id, post_slug
select p.id, p.slug
  from posts p
 where p.site_id = $1
   and p.id = (select a.published_to_post from generated_articles a where a.site_id = $1 and a.id = $2);

-- Publishes the existing draft post of an article; triggers publish the article.
-- name: draft_publish :write
-- returns: id
update posts set status = 'published' where site_id = $1 and id = $2 and status = 'draft' returning id;

-- Postpones the next check: longer the longer it has waited, at most an hour. is_new: the reason has changed.
-- name: slot_hold :write
-- returns: is_new
with found as (
    select id, refused is distinct from $3::jsonb as is_new from queue_items where site_id = $1 and id = $2
)
update queue_items i
   set refused = $3::jsonb,
       publish_after = now() + least(interval '1 hour', greatest(interval '1 minute', (now() - i.publish_date) / 8))
  from found f
 where i.site_id = $1 and i.id = f.id
returning f.is_new;

-- A used-up ramp holds back all slots that are due today.
-- name: slots_hold_ramp :write
-- returns: held, is_new
with due as (
    select i.id, i.refused is distinct from '["publish_ramp"]' as is_new
      from queue_items i
     where i.site_id = $1 and i.status = 'done' and i.published_at is null and i.article_id is not null
       and coalesce(i.publish_after, i.publish_date) <= now()
       for update skip locked
), held as (
    update queue_items i set refused = '["publish_ramp"]', publish_after = $2
      from due d
     where i.site_id = $1 and i.id = d.id
    returning d.is_new
)
select count(*), count(*) filter (where is_new) from held;
