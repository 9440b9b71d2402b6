-- The change feed (core/content/changes). A snapshot is its text, as pg_snapshot prints it.

-- Whether anything has become visible since a snapshot ($1; null at first). A server that went back in time
-- (a backup) has an older one.
-- name: changes_look :read
-- returns: snapshot, has_changes, is_older
select pg_current_snapshot()::text as snapshot,
       coalesce((select max(xid) from spark.changes) >= pg_snapshot_xmax($1::text::pg_snapshot), false)
       or exists (select from pg_snapshot_xip($1::text::pg_snapshot) late (xid)
                   cross join lateral (select from spark.changes c where c.xid = late.xid limit 1) found) as has_changes,
       coalesce(pg_snapshot_xmax(pg_current_snapshot()) < pg_snapshot_xmax($1::text::pg_snapshot), false) as is_older;

-- $1 and $2: the snapshots; $3: the last seq of the page before; $4: also those that are announced.
-- name: changes_between :read
-- returns: xid, seq, site, collection, action, keys, is_announced
select xid::text as xid, seq, site, collection, action, keys, is_announced
  from spark.changes_between($1::text::pg_snapshot, $2::text::pg_snapshot, $3, $4, 200);

-- Of these changes those that nobody has announced, by seq: the caller announces them.
-- name: changes_claim :write
-- returns: seq
with claimed as (update spark.changes c set is_announced = true
                   from unnest($1::text[], $2::bigint[]) w (xid, seq)
                  where c.xid = w.xid::xid8 and c.seq = w.seq and not c.is_announced
                 returning c.seq)
select seq from claimed order by seq;

-- The oldest page, as far as it is older than $1 hours.
-- name: changes_trim :write
-- returns: removed
with old as (select xid, seq, at from spark.changes order by xid, seq limit 5000),
     gone as (delete from spark.changes c using old o
               where c.xid = o.xid and c.seq = o.seq and o.at < now() - make_interval(hours => $1) returning c.seq)
select count(*) as removed from gone;
