-- The work log.

-- name: audit_add :write
-- params: site arg, action text, entity_type word?, entity_id word?, details word?, level text,
--         status text, audit_user arg, audit_actor arg, audit_ip arg
select spark.audit(:site, :action, :entity_type, :entity_id, :details, :level, :status, :audit_user,
                   :audit_actor, :audit_ip);

-- One entry per row: sites and keys of the written rows.
-- name: audit_rows :write
-- params: sites uuid[], keys text[], action text, entity_type text, details arg, audit_user arg,
--         audit_actor arg, audit_ip arg
select spark.audit(w.site, :action, :entity_type, w.id, :details::jsonb, 'info', 'done', :audit_user,
                   :audit_actor, :audit_ip)
  from unnest(:sites::uuid[], :keys::text[]) as w (site, id);

-- Entries of several callers at once, on the platform lane.
-- name: audit_many :write
select spark.audit_many($1::jsonb);

-- A page of the log, newest first. ($2, $3) is the position: the last row of the previous page, or a time with the
-- smallest id. The redundant comparison with $2 alone enables partition pruning.
-- name: worklog_of_site :slow
-- params: site uuid, before time, before_id uuid, since time, level text?, action text?, entity_type text?,
--         entity_id text?, most int
-- returns: id, site_id, timestamp, action, entity_type, entity_id, details, details_bytes, level, status, user_id, actor, ip
select id, site_id, timestamp, action, entity_type, entity_id,
       case when octet_length(details::text) <= 8192 then details::text end as details,
       octet_length(details::text) as details_bytes, level, status, user_id, actor, ip
  from work_log
 where site_id = :site and (timestamp, id) < (:before, :before_id) and timestamp <= :before and timestamp >= :since
   and (:level::text is null or level = :level) and (:action::text is null or action = :action)
   and (:entity_type::text is null or entity_type = :entity_type)
   and (:entity_id::text is null or entity_id = :entity_id)
 order by timestamp desc, id desc
 limit :most;

-- name: worklog_of_all :slow
-- params: before time, before_id uuid, since time, level text?, action text?, entity_type text?,
--         entity_id text?, most int
-- returns: id, site_id, timestamp, action, entity_type, entity_id, details, details_bytes, level, status, user_id, actor, ip
select id, site_id, timestamp, action, entity_type, entity_id,
       case when octet_length(details::text) <= 8192 then details::text end as details,
       octet_length(details::text) as details_bytes, level, status, user_id, actor, ip
  from work_log
 where (timestamp, id) < (:before, :before_id) and timestamp <= :before and timestamp >= :since
   and (:level::text is null or level = :level) and (:action::text is null or action = :action)
   and (:entity_type::text is null or entity_type = :entity_type)
   and (:entity_id::text is null or entity_id = :entity_id)
 order by timestamp desc, id desc
 limit :most;
