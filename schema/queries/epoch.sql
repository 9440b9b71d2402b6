-- The first message of every sync group: sets the scope, transaction-locally, and fails with SQLSTATE SPE01 if the
-- epoch is no longer the one that the group's statements were compiled for.
--
-- Deliberately plain SQL: this runs before every statement of every request, and plpgsql would cost more than all
-- of it. Only one of the two settings applies: each lane's role reads its own. $1 is the site as text, or
-- 'platform', or '' for NONE; $2 the epoch.

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

-- The same for writes with rights that belong to one site: $3 is the site, $4 its stamp. A stale stamp fails with
-- SPE02 before anything is written.

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

-- The same for a group of reads: $3 are the sites of all its members. Their stamps are returned (a row for each
-- that has one, at least one row); the caller compares them and discards results that were read under another
-- stamp. So each further site only costs its set_config.
--
-- The sites are in a sub-select so that the planner does not know their number. Otherwise it would choose custom
-- plans, and planning costs more than the execution.

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

-- The epoch of a schema snapshot: read it first, in the same transaction as the rest.
-- name: db_epoch :read
-- returns: epoch
select epoch from spark.epoch;

-- The epoch and the stamps of some sites; a row for each site, or one without. Includes the start time of the
-- server, because behind a pooler a connection survives a restart of the server.
-- name: db_stamps :read
-- returns: epoch, server_started, site_id, site_epoch
select e.epoch, pg_postmaster_start_time() as server_started, w.site_id, coalesce(s.epoch, 1) as site_epoch
  from spark.epoch e
  left join unnest($1::uuid[]) w (site_id) on true
  left join spark.site_epochs s on s.site_id = w.site_id;

-- While such a transaction is open, changes of schema and rights wait (spark.wait_for_pause).
-- name: db_pause :write
select pg_advisory_xact_lock(spark.pause_key($1));
