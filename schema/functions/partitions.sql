-- Tables that are partitioned by month.

-- Creates the partitions of the coming months for every partitioned table; returns how many were new.
create or replace function spark.ensure_all_partitions() returns integer
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

-- Creates the monthly partitions of a table, from the last month to `ahead` months from now; returns how many were
-- new. Rows in the default partition move to their own partition. Runs in PLATFORM scope, because attaching checks
-- foreign keys as the owner, under the policies: without a scope every referenced site would be missing.
--
-- Security definer, so that the steward may call it on the platform lane. No lane has rights on a partition
-- itself: the policies are those of its parent.
create or replace function spark.ensure_partitions(parent regclass, ahead integer default 3) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    schema_name constant name := (select relnamespace::regnamespace::text from pg_class where oid = parent);
    parent_name constant name := (select relname from pg_class where oid = parent);
    key constant name := (select a.attname from pg_partitioned_table p
                            join pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0]
                           where p.partrelid = parent and p.partnatts = 1 and p.partstrat = 'r');
    fallback constant regclass := (select partdefid from pg_partitioned_table where partrelid = parent);
    scope constant text := coalesce(current_setting('spark.scope', true), '');
    this_month constant timestamp := date_trunc('month', now() at time zone 'utc');
    month timestamptz;
    next_month timestamptz;
    child text;
    made integer := 0;
begin
    if key is null or coalesce(ahead, -1) not between 0 and 24 then
        raise exception '% is not partitioned by a range of one column, or % months ahead are not 0 to 24',
            parent, ahead
            using errcode = 'invalid_parameter_value';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('spark.ensure_partitions', parent::oid::bigint));
    perform set_config('spark.scope', 'platform', true);
    for step in -1 .. ahead loop
        month := (this_month + make_interval(months => step)) at time zone 'utc';
        next_month := (this_month + make_interval(months => step + 1)) at time zone 'utc';
        child := format('%I.%I', schema_name, parent_name || to_char(month at time zone 'utc', '_YYYYMM'));
        continue when to_regclass(child) is not null;
        execute format('create table %s (like %s including defaults including constraints '
                       'including storage including compression)', child, parent);
        if fallback <> 0::regclass then
            execute format('with moved as (delete from %s where %I >= %L and %2$I < %4$L returning *) '
                           'insert into %5$s select * from moved',
                           fallback, key, month, next_month, child);
        end if;
        execute format('alter table %s attach partition %s for values from (%L) to (%L)',
                       parent, child, month, next_month);
        execute format('revoke all on %s from spark_tenant, spark_platform', child);
        made := made + 1;
    end loop;
    if fallback <> 0::regclass then
        execute format('revoke all on %s from spark_tenant, spark_platform', fallback);
    end if;
    perform set_config('spark.scope', scope, true);
    return made;
end
$$;

-- The tables that retention may trim, by the names that callers use; null for others.
create or replace function spark.retained_table(name text) returns regclass
language sql stable
return case when name in ('work_log', 'pageviews', 'events', 'conversions') then to_regclass('public.' || name)
            when name = 'job_logs' then to_regclass('spark.job_logs') end;

-- The monthly partitions of a table that ended before a time, oldest first.
create or replace function spark.partitions_before(parent regclass, before timestamptz) returns setof regclass
language sql stable
begin atomic
    select c.oid::regclass
      from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
     where i.inhparent = parent and c.relname ~ '_[0-9]{6}$'
       and left(c.relname, -7) = p.relname
       and (to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month') at time zone 'utc' <= before
     order by c.relname;
end;

-- Drops partitions that ended before a time: only whole months, so that no row must be searched and nothing needs
-- vacuuming. Rows of the month that contains the time stay until it is over. Rows in the default partition are
-- deleted one by one.
--
-- Dropping needs a lock that waits for running statements, while later statements wait for it: so it times out
-- soon, and its job is retried.
create or replace function spark.drop_partitions(name text, before timestamptz) returns integer
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
