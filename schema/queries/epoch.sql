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

-- What a snapshot is loaded under: read it first, in the same transaction as the rest.
-- name: db_epoch :read
-- returns: epoch
select epoch from spark.epoch;
