-- Production schedules and their slots. $1 is the site if a statement has one.

-- Planning -------------------------------------------------------------------------------------------

-- The parameters of a schedule: the campaign's settings, the site's time zone, and the range, whose ends are dates
-- in that zone ($3, $5) or instants ($4, $6). Not before the domain's age allows: whole months, less three.
-- name: production_window :read
-- returns: owner, status, mode, weekend_throttle, jitter, business_hours, time_zone, backdating, earliest, now, start, until
select c.site_id, c.status, c.velocity_mode, c.weekend_throttle, c.time_jitter_minutes, c.business_hours_only,
       s.time_zone, s.backdating_allowed,
       now() - make_interval(months => greatest(0, floor(least(s.domain_age_years, 50) * 12)::int - 3)), now(),
       coalesce($4::timestamptz, coalesce($3::date, c.backdate_start)::timestamp at time zone s.time_zone),
       coalesce($6::timestamptz, coalesce($5::date, c.backdate_end)::timestamp at time zone s.time_zone)
  from campaign_masters c join sites s on s.id = $1
 where c.site_id in ($1, spark.library_site()) and c.id = $2;

-- The publishing hours of every day of a range, as instants. $4, $5: minutes after local midnight; 1440 is the
-- next midnight, however long the day is.
-- name: production_days :read
-- returns: date, opens, closes, is_weekend
select date, opens, closes, is_weekend
  from (select d::date::text as date, (d + make_interval(mins => $4::int)) at time zone $1::text as opens,
               (d + make_interval(mins => $5::int)) at time zone $1::text as closes, extract(isodow from d) >= 6 as is_weekend
          from generate_series(date_trunc('day', $2::timestamptz at time zone $1::text),
                               $3::timestamptz at time zone $1::text, interval '1 day') d) days
 where opens < $3::timestamptz and closes > $2::timestamptz and closes > opens
 order by opens limit 3661;

-- name: production_create :write
-- params: site uuid, id uuid, campaign uuid, campaign_site uuid, status text, total int4, velocity_mode text,
--         schedule json, is_test_first bool
insert into production_queue (site_id, id, campaign_id, campaign_site_id, status, total_requested, velocity_mode,
                              schedule_data, test_batch_first)
values (:site, :id, :campaign, :campaign_site, :status, :total, :velocity_mode, :schedule::jsonb, :is_test_first);

-- Times in µs.
-- name: slots_create :write
insert into queue_items (site_id, id, queue_id, position, publish_date)
select $1, u.id, $2, u.position::int, timestamptz 'epoch' + u.at_us * interval '1 microsecond'
  from unnest($3::uuid[], $4::int8[], $5::int8[]) as u (id, position, at_us);

-- Queues ---------------------------------------------------------------------------------------------

-- name: production_show :read
-- returns: campaign_id, status, error, total, pending, claimed, done, failed, published, refused
select q.campaign_id, q.status, q.error_log, count(i.id), count(*) filter (where i.status = 'pending'),
       count(*) filter (where i.status = 'claimed'), count(*) filter (where i.status = 'done'),
       count(*) filter (where i.status = 'failed'), count(i.published_at), count(i.refused)
  from production_queue q
  left join queue_items i on i.site_id = q.site_id and i.queue_id = q.id
 where q.site_id = $1 and q.id = $2
 group by q.site_id, q.id;

-- Locks the row until the caller has made the transition. `target` is null if there is none.
-- name: production_lock :write
-- returns: campaign_id, campaign_site_id, status, target
select q.campaign_id, q.campaign_site_id, q.status,
       (select m.to_status from spark.production_moves() m where m.from_status = q.status and m.action = $3::text)
  from production_queue q
 where q.site_id = $1 and q.id = $2
   for update of q;

-- name: production_set :write
update production_queue
   set status = $3::text,
       started_at = case when $3::text = 'running' then coalesce(started_at, now()) else started_at end,
       completed_at = case when $3::text in ('done', 'cancelled') then now() end,
       error_log = case when $3::text = 'failed' then $4::text when $3::text = 'approved' then null else error_log end
 where site_id = $1 and id = $2;

-- name: production_count :write
update production_queue set completed_count = $3 where site_id = $1 and id = $2;

-- Only changes the site's own campaign, never one of the library.
-- name: campaign_test_batch :write
update campaign_masters set test_batch_status = $3 where site_id = $1 and id = $2;

-- A test article has no scheduled date: it is not part of the schedule's slots.
-- name: articles_flag_test :write
update generated_articles set is_test_batch = true where site_id = $1 and id = any ($2);

-- Slots ----------------------------------------------------------------------------------------------

-- Claims $3 slots, in order, for job $4 (0: for a synchronous request).
-- name: slots_claim :write
-- returns: claimed
with picked as (
    select id from queue_items
     where site_id = $1 and queue_id = $2 and status = 'pending'
     order by position limit $3
       for update skip locked
), claimed as (
    update queue_items i set status = 'claimed', claimed_at = now(), claimed_by = $4
      from picked p
     where i.site_id = $1 and i.id = p.id
    returning 1
)
select count(*) from claimed;

-- The slots of a job that are not done yet.
-- name: slots_lock :write
-- returns: id, publish_date
select id, publish_date from queue_items
 where site_id = $1 and queue_id = $2 and status = 'claimed' and claimed_by = $3
 order by position limit $4
   for update;

-- The article keeps its creation time; only its publication date comes from the schedule.
-- name: slots_done :write
with made as (
    select * from unnest($2::uuid[], $3::uuid[]) as m (slot, article)
), dated as (
    update generated_articles a set date_published = i.publish_date, date_modified = i.modified_date
      from made m join queue_items i on i.site_id = $1 and i.id = m.slot
     where a.site_id = $1 and a.id = m.article
    returning a.id, jsonb_strip_nulls(jsonb_build_object(
        'city', a.location_city, 'county', a.location_county, 'state', a.location_state)) as location
)
update queue_items i
   set status = 'done', attempts = attempts + 1, error = null, article_id = d.id, location = nullif(d.location, '{}')
  from made m join dated d on d.id = m.article
 where i.site_id = $1 and i.id = m.slot;

-- name: slots_fail :write
update queue_items set status = 'failed', attempts = attempts + 1, error = $3 where site_id = $1 and id = any ($2);

-- The schedule no longer runs: its slots become pending again, at their positions.
-- name: slots_release :write
update queue_items set status = 'pending', claimed_at = null, claimed_by = null
 where site_id = $1 and queue_id = $2 and status = 'claimed' and claimed_by = $3;

-- name: slots_retry :write
update queue_items set status = 'pending', claimed_at = null, claimed_by = null
 where site_id = $1 and queue_id = $2 and status = 'failed';
