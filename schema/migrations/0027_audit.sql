-- The audit: one function that every storey can call in its own transaction. And the upkeep of tables
-- that are partitioned by month.

set local client_min_messages = warning;
set local role spark_owner;

-- A line of the work log. With the rights of its caller, so that row security holds: a tenant's lane
-- writes for its own site alone. Without the pack there is no work log, and nothing happens; whether
-- there is one is asked in the table that only protect_table writes, because an opened Directus
-- database may have a table of that name and another shape.
create function spark.audit(
    site uuid, action text, entity_type text, entity_id text, details jsonb, level text, status text,
    user_id uuid, actor text, ip text)
returns void language plpgsql as $$
begin
    if not exists (select from spark.collections where collection = 'work_log') then
        return;
    end if;
    insert into public.work_log (site_id, action, entity_type, entity_id, details, level, status, user_id, actor, ip)
    values (coalesce(audit.site, spark.current_site_or_library()), left(audit.action, 100), left(audit.entity_type, 100),
            left(audit.entity_id, 500), audit.details, audit.level, left(audit.status, 100), audit.user_id,
            left(audit.actor, 20), left(audit.ip, 45));
end
$$;

-- Every table of ours that is partitioned by month has its next months; says how many were new.
create function spark.ensure_all_partitions() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    parent regclass;
    made integer := 0;
begin
    for parent in
        select p.partrelid::regclass from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
         where c.relnamespace in ('public'::regnamespace, 'spark'::regnamespace)
           and c.relowner = 'spark_owner'::regrole and p.partstrat = 'r' and p.partnatts = 1
         order by 1
    loop
        made := made + spark.ensure_partitions(parent);
    end loop;
    return made;
end
$$;
revoke all on function spark.ensure_all_partitions() from public;
grant execute on function spark.ensure_all_partitions() to spark_platform;

-- The tables that retention may trim, by the names that callers use; null for all others.
create function spark.retained_table(name text) returns regclass
language sql stable
return case when name in ('work_log', 'pageviews', 'events', 'conversions') then to_regclass('public.' || name)
            when name = 'job_logs' then to_regclass('spark.job_logs') end;

-- The monthly partitions of a table that ended before a moment, oldest first.
create function spark.partitions_before(parent regclass, before timestamptz) returns setof regclass
language sql stable
begin atomic
    select c.oid::regclass
      from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
     where i.inhparent = parent and c.relname ~ '_[0-9]{6}$'
       and left(c.relname, -7) = p.relname
       and (to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month') at time zone 'utc' <= before
     order by c.relname;
end;

-- Removes what is older than a moment: whole months only, so that no row is searched for and nothing
-- is left to vacuum; rows of the month in which the moment lies stay until that month is over. What
-- waits in the default partition goes row by row.
--
-- Dropping needs a lock that waits for running statements, and those that come after it wait for it:
-- so it gives up soon, and its job tries again later.
create function spark.drop_partitions(name text, before timestamptz) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '3s' as $$
declare
    parent constant regclass := spark.retained_table(name);
    fallback constant regclass := (select partdefid from pg_partitioned_table where partrelid = parent);
    child regclass;
    dropped integer := 0;
begin
    if parent is null or before is null then
        raise exception 'there is no retention for %', coalesce(name, 'nothing') using errcode = 'invalid_parameter_value';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('spark.ensure_partitions', parent::oid::bigint));
    for child in select spark.partitions_before(parent, before) loop
        execute format('drop table %s', child);
        dropped := dropped + 1;
    end loop;
    if fallback <> 0::regclass then
        execute format('delete from %s where timestamp < %L', fallback, before);
    end if;
    return dropped;
end
$$;
revoke all on function spark.drop_partitions(text, timestamptz) from public;
grant execute on function spark.drop_partitions(text, timestamptz) to spark_platform;
