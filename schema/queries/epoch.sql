-- The first message of every sync group: enters the scope, transaction-locally, and refuses with
-- SQLSTATE SPE01 if the epoch is no longer the one that the group's statements were compiled against.
--
-- Plain SQL on purpose: this runs before every statement of every request, and plpgsql would cost more
-- than all of it. The two settings are never both meant: the lanes' roles read one each.
-- $1 is the site as text, or 'platform', or '' for NONE; $2 the epoch.

-- name: db_enter_site :read
-- returns: site, stale
select set_config('spark.site', $1, true) as site,
       case when epoch = $2 then 0 else spark.stale_epoch(epoch) end as stale
  from spark.epoch;

-- name: db_enter_platform :read
-- returns: scope, stale
select set_config('spark.scope', $1, true) as scope,
       case when epoch = $2 then 0 else spark.stale_epoch(epoch) end as stale
  from spark.epoch;

-- The same for writes under rights that belong to one site: $3 is the site, $4 its stamp. A stale one is
-- refused with SPE02 before anything is written.

-- name: db_enter_site_stamped :read
-- returns: site, stale
select set_config('spark.site', $1, true) as site,
       case when e.epoch <> $2 then spark.stale_epoch(e.epoch)
            when coalesce(s.epoch, 1) = $4 then 0
            else spark.stale_site() end as stale
  from spark.epoch e left join spark.site_epochs s on s.site_id = $3;

-- name: db_enter_platform_stamped :read
-- returns: scope, stale
select set_config('spark.scope', $1, true) as scope,
       case when e.epoch <> $2 then spark.stale_epoch(e.epoch)
            when coalesce(s.epoch, 1) = $4 then 0
            else spark.stale_site() end as stale
  from spark.epoch e left join spark.site_epochs s on s.site_id = $3;

-- The same for a group of reads, which change nothing: $3 are the sites of all its members, whose stamps
-- come back (a row for each of them that has one, at least one row) and are compared by the caller, who
-- throws away what was read under another. So each further site costs no more than its set_config.
--
-- The sites stand in a sub-select so that the planner never knows how many they are. It would plan every
-- run anew otherwise, which costs more than the run.

-- name: db_enter_site_of_reads :read
-- returns: site, stale, stamped_site, stamp
select set_config('spark.site', $1, true) as site,
       case when e.epoch = $2 then 0 else spark.stale_epoch(e.epoch) end as stale,
       s.site_id as stamped_site, s.epoch as stamp
  from spark.epoch e left join spark.site_epochs s on s.site_id = any((select $3::uuid[])::uuid[]);

-- name: db_enter_platform_of_reads :read
-- returns: scope, stale, stamped_site, stamp
select set_config('spark.scope', $1, true) as scope,
       case when e.epoch = $2 then 0 else spark.stale_epoch(e.epoch) end as stale,
       s.site_id as stamped_site, s.epoch as stamp
  from spark.epoch e left join spark.site_epochs s on s.site_id = any((select $3::uuid[])::uuid[]);

-- What a snapshot is loaded under: read it first, in the same transaction as the rest.
-- name: db_epoch :read
-- returns: epoch
select epoch from spark.epoch;

-- The stamp of all and those of some sites; a row for each of these, or one without. The start of the
-- server is here because behind a pooler a connection survives the server that it led to.
-- name: db_stamps :read
-- returns: epoch, server_started, site_id, site_epoch
select e.epoch, pg_postmaster_start_time() as server_started, w.site_id, coalesce(s.epoch, 1) as site_epoch
  from spark.epoch e
  left join unnest($1::uuid[]) w (site_id) on true
  left join spark.site_epochs s on s.site_id = w.site_id;

-- While one of these transactions is open, changes of schema and rights wait (spark.wait_for_pause).
-- name: db_pause :write
select pg_advisory_xact_lock(spark.pause_key($1));
