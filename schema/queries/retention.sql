-- Maintenance of tables that lose their oldest rows.

-- name: partitions_ensure :write
-- returns: made
select spark.ensure_all_partitions() as made;

-- Those of these tables that have a month that ended, or rows that were written, more than the given number of days
-- ago; 0 days keep everything.
-- name: retention_due :slow
-- returns: name, days
select t.name, t.days
  from unnest($1::text[], $2::bigint[]) with ordinality t (name, days, place)
 cross join lateral (select now() - make_interval(days => t.days::int) as before) limits
 where t.days > 0
   and case when spark.retained_table(t.name) is not null
            then exists (select from spark.partitions_before(spark.retained_table(t.name), limits.before))
            when t.name = 'directus_activity'
            then exists (select from directus_activity where timestamp < limits.before)
            when t.name = 'directus_revisions'
            then exists (select from directus_activity a join directus_revisions r on r.activity = a.id
                          where a.timestamp < limits.before)
       end
 order by t.place;

-- name: partitions_drop :write
-- returns: dropped
select spark.drop_partitions($1, now() - make_interval(days => $2)) as dropped;

-- One batch of the activity that is older than `days`, from the position (after, after_id) on. What a revision
-- belongs to stays, for deleting it would delete the revision. `last` is null at the end.
--
-- Rows that somebody has locked are left to the next time: no batch waits for a writer.
-- name: activity_trim :write
-- params: days int, after time, after_id int, most int
-- returns: deleted, last, last_id
with batch as materialized (
       select id, timestamp from directus_activity
        where timestamp < now() - make_interval(days => :days::int)
          and timestamp >= :after and (timestamp, id) > (:after, :after_id)
        order by timestamp, id limit :most),
     unlocked as materialized (
       select a.id from directus_activity a join batch b on b.id = a.id
        where not exists (select from directus_revisions r where r.activity = a.id)
          for update of a skip locked),
     gone as (delete from directus_activity where id in (select id from unlocked) returning id)
select (select count(*) from gone) as deleted, last.timestamp as last, last.id as last_id
  from (values (1)) one left join (select timestamp, id from batch order by timestamp desc, id desc limit 1) last on true;

-- The same of revisions: their age is that of their activity. A younger revision that names a deleted one as its parent
-- loses it.
-- name: revisions_trim :write
-- params: days int, after time, after_id int, most int
-- returns: deleted, last, last_id
with batch as materialized (
       select id, timestamp from directus_activity
        where timestamp < now() - make_interval(days => :days::int)
          and timestamp >= :after and (timestamp, id) > (:after, :after_id)
        order by timestamp, id limit :most),
     unlocked as materialized (
       select r.id from directus_revisions r join batch b on b.id = r.activity for update of r skip locked),
     adrift as (
       update directus_revisions set parent = null
        where parent in (select id from unlocked) and id not in (select id from unlocked)),
     gone as (delete from directus_revisions where id in (select id from unlocked) returning id)
select (select count(*) from gone) as deleted, last.timestamp as last, last.id as last_id
  from (values (1)) one left join (select timestamp, id from batch order by timestamp desc, id desc limit 1) last on true;
