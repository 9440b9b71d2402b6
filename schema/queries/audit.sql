-- The work log: writing it, reading it, and the upkeep of what is partitioned by month.

-- name: audit_add :write
select spark.audit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- One line a row: sites and keys of what was written.
-- name: audit_rows :write
select spark.audit(w.site, $3, $4, w.id, $5::jsonb, 'info', 'done', $6, $7, $8)
  from unnest($1::uuid[], $2::text[]) as w (site, id);

-- Lines of several callers at once, on the platform's lane.
-- name: audit_many :write
select spark.audit_many($1::jsonb);

-- A page of the log, newest first. ($2, $3) is where it begins: the last row before it, or a moment
-- with the smallest id. The comparison with $2 alone says the same to partition pruning.
-- name: worklog_of_site :slow
-- returns: id, site_id, timestamp, action, entity_type, entity_id, details, details_bytes, level, status, user_id, actor, ip
select id, site_id, timestamp, action, entity_type, entity_id,
       case when octet_length(details::text) <= 8192 then details::text end as details,
       octet_length(details::text) as details_bytes, level, status, user_id, actor, ip
  from work_log
 where site_id = $1 and (timestamp, id) < ($2, $3) and timestamp <= $2 and timestamp >= $4
   and ($5::text is null or level = $5) and ($6::text is null or action = $6)
   and ($7::text is null or entity_type = $7) and ($8::text is null or entity_id = $8)
 order by timestamp desc, id desc
 limit $9;

-- name: worklog_of_all :slow
-- returns: id, site_id, timestamp, action, entity_type, entity_id, details, details_bytes, level, status, user_id, actor, ip
select id, site_id, timestamp, action, entity_type, entity_id,
       case when octet_length(details::text) <= 8192 then details::text end as details,
       octet_length(details::text) as details_bytes, level, status, user_id, actor, ip
  from work_log
 where (timestamp, id) < ($1, $2) and timestamp <= $1 and timestamp >= $3
   and ($4::text is null or level = $4) and ($5::text is null or action = $5)
   and ($6::text is null or entity_type = $6) and ($7::text is null or entity_id = $7)
 order by timestamp desc, id desc
 limit $8;

-- Upkeep -------------------------------------------------------------------------------------------

-- name: partitions_ensure :write
-- returns: made
select spark.ensure_all_partitions() as made;

-- Of these tables, those with a month that ended more than that many days ago; 0 days keep all.
-- name: retention_due :read
-- returns: name, days
select t.name, t.days
  from unnest($1::text[], $2::bigint[]) t (name, days)
 where t.days > 0 and spark.retained_table(t.name) is not null
   and exists (select from spark.partitions_before(spark.retained_table(t.name), now() - make_interval(days => t.days::int)));

-- name: partitions_drop :write
-- returns: dropped
select spark.drop_partitions($1, now() - make_interval(days => $2)) as dropped;
