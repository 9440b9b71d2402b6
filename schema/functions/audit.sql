-- Writes the work log (docs/decisions/0016-one-writer-of-the-work-log.md).

-- Whether the current lane may write into this site's log. Checks the role that the connection has entered,
-- because a security definer function says nothing about the caller's rights.
create or replace function spark.may_log(site uuid) returns boolean
language sql stable
begin atomic
    select case when pg_has_role(lane, 'spark_platform', 'member')
                     and coalesce(current_setting('spark.scope', true), '') = 'platform' then true
                else coalesce(site = nullif(current_setting('spark.site', true), '')::uuid, false) end
      from (select case current_setting('role') when 'none' then session_user
                        else current_setting('role')::name end) caller (lane);
end;

-- Writes a work log entry: on a tenant lane only of its own site, on the platform lane of any. Without the pack
-- there is no work log, and this does nothing. Checks spark.collections, which only protect_table writes, because
-- an existing Directus database may have a different table with that name.
create or replace function spark.audit(
    site uuid, action text, entity_type text, entity_id text, details jsonb, level text, status text,
    user_id uuid, actor text, ip text)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    owner constant uuid := coalesce(audit.site, spark.current_site_or_library());
begin
    if not exists (select from spark.collections where collection = 'work_log') then
        return;
    end if;
    if not spark.may_log(owner) then
        raise exception 'permission denied: a line of the work log belongs to the site that writes it'
            using errcode = 'insufficient_privilege';
    end if;
    insert into public.work_log (site_id, action, entity_type, entity_id, details, level, status, user_id, actor, ip)
    values (owner, left(audit.action, 100), left(audit.entity_type, 100),
            left(audit.entity_id, 500), audit.details, audit.level, left(audit.status, 100), audit.user_id,
            left(audit.actor, 20), left(audit.ip, 45));
end
$$;

-- Writes many entries, of any sites: an array of objects with column names. Entries of a site that was deleted
-- meanwhile go to the library, as the rest of its log does.
create or replace function spark.audit_many(lines jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from spark.collections where collection = 'work_log') then
        return;
    end if;
    insert into public.work_log (site_id, action, entity_type, entity_id, details, level, status, user_id, actor, ip)
    select coalesce(s.id, spark.library_site()), left(l.action, 100), left(l.entity_type, 100),
           left(l.entity_id, 500), l.details, l.level, 'done', l.user_id, left(l.actor, 20), left(l.ip, 45)
      from jsonb_to_recordset(lines) as l (site uuid, action text, entity_type text, entity_id text, details jsonb,
                                           level text, user_id uuid, actor text, ip text)
      left join public.sites s on s.id = l.site;
end
$$;
