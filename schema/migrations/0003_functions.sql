-- Functions that policies, triggers and defaults of later files use.

set local client_min_messages = warning;
set local role spark_owner;

-- The owner of rows that are for everybody. Known here although its row comes with the pack.
create function spark.library_site() returns uuid
language sql immutable parallel safe
return '00000000-0000-7000-8000-000000000001'::uuid;

-- The site of the transaction, or null: never a default, so that a forgotten one fails closed.
create function spark.current_site() returns uuid
language sql stable parallel safe
return nullif(current_setting('spark.site', true), '')::uuid;

create function spark.current_site_or_library() returns uuid
language sql stable parallel safe
return coalesce(nullif(current_setting('spark.site', true), '')::uuid, spark.library_site());

-- Epoch -------------------------------------------------------------------------------------------

-- Called only when the epoch moved on, so the hot path holds no plpgsql.
create function spark.stale_epoch(epoch bigint) returns integer
language plpgsql as $$
begin
    raise exception 'the epoch is now %', epoch using errcode = 'SPE01';
end
$$;

-- Definer, because the tenant lane may change its users but must not write the epoch itself.
-- Once per transaction is enough: the mark is transaction-local and goes with a rolled back savepoint.
create function spark.raise_epoch() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    raised bigint;
begin
    if current_setting('spark.epoch_raised', true) = pg_current_xact_id()::text then
        return;
    end if;
    update spark.epoch set epoch = epoch + 1 returning epoch into raised;
    perform set_config('spark.epoch_raised', pg_current_xact_id()::text, true);
    perform pg_notify('spark_epoch', raised::text);
end
$$;

create function spark.raise_epoch_after() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform spark.raise_epoch();
    return null;
end
$$;

-- Statement level: a bulk change raises once. `columns` narrows updates to those that change a right,
-- null means all of them.
create function spark.raise_epoch_on(target regclass, columns text[] default null) returns void
language plpgsql as $$
declare
    column_list text := (select string_agg(quote_ident(c), ', ') from unnest(columns) c);
begin
    execute format('create or replace trigger spark_epoch after insert or delete or truncate on %s '
                   'for each statement execute function spark.raise_epoch_after()', target);
    execute format('create or replace trigger spark_epoch_update after update %s on %s '
                   'for each statement execute function spark.raise_epoch_after()',
                   coalesce('of ' || column_list, ''), target);
end
$$;

-- Row security ------------------------------------------------------------------------------------

-- The policies and grants of one table. An index on the site column serves them: uuid equality is
-- leakproof, and the setting is read once per scan.
--
-- FORCE only where spark_owner owns the table: in an opened Directus database the old owner must go on
-- seeing its own rows.
create function spark.set_row_policies(
    target regclass, site_column name, shared_read boolean, site_optional boolean)
returns void language plpgsql as $$
declare
    own constant text := format('%I = nullif(current_setting(''spark.site'', true), '''')::uuid', site_column);
    -- Without a setting both elements are null, and the library is closed as well.
    own_or_library constant text := format(
        '%I = any (array[nullif(current_setting(''spark.site'', true), '''')::uuid, '
        'case when nullif(current_setting(''spark.site'', true), '''') is not null then %L::uuid end])',
        site_column, spark.library_site());
    platform text := 'coalesce(current_setting(''spark.scope'', true), '''') = ''platform''';
    policy record;
    sequence_name regclass;
begin
    if site_optional then
        platform := platform || format(' or %I is null', site_column);
    end if;
    for policy in select polname from pg_policy where polrelid = target and polname like 'spark\_%' loop
        execute format('drop policy %I on %s', policy.polname, target);
    end loop;

    execute format('alter table %s enable row level security', target);
    if (select relowner from pg_class where oid = target) = 'spark_owner'::regrole then
        execute format('alter table %s force row level security', target);
    end if;

    if shared_read then
        execute format('create policy spark_tenant_select on %s for select to spark_tenant using (%s)',
                       target, own_or_library);
        execute format('create policy spark_tenant_insert on %s for insert to spark_tenant with check (%s)',
                       target, own);
        execute format('create policy spark_tenant_update on %s for update to spark_tenant '
                       'using (%s) with check (%2$s)', target, own);
        execute format('create policy spark_tenant_delete on %s for delete to spark_tenant using (%s)', target, own);
    else
        execute format('create policy spark_tenant on %s to spark_tenant using (%s) with check (%2$s)', target, own);
    end if;
    execute format('create policy spark_platform on %s to spark_platform, spark_owner '
                   'using (%s) with check (%2$s)', target, platform);
    execute format('grant select, insert, update, delete on %s to spark_tenant, spark_platform', target);

    -- serial columns; identity columns need no right of their own
    for sequence_name in
        select d.objid::regclass from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S'
         where d.refobjid = target and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i')
    loop
        execute format('grant usage, select on sequence %s to spark_tenant, spark_platform', sequence_name);
    end loop;
end
$$;

-- Marks a collection as owned by tenants. Called at the birth of every such table, here or through
-- the API; the caller owns the table. Calling it again only renews policies and marks.
create function spark.protect_table(
    target regclass, site_column name default 'site_id', shared_read boolean default false)
returns void language plpgsql as $$
declare
    column_type regtype := (select atttypid from pg_attribute
                             where attrelid = target and attname = site_column and attnum > 0 and not attisdropped);
begin
    if column_type is distinct from 'uuid'::regtype then
        raise exception '% has no column % of type uuid', target, site_column
            using errcode = 'undefined_column';
    end if;
    perform spark.set_row_policies(target, site_column, shared_read, false);
    insert into spark.collections (collection, site_column, shared_read)
    select relname, protect_table.site_column, protect_table.shared_read from pg_class where oid = target
    on conflict (collection) do update
       set site_column = excluded.site_column, shared_read = excluded.shared_read;
end
$$;

-- The system tables that hold tenants' rows beside rows of nobody.
create function spark.protect_system_table(target regclass) returns void
language plpgsql as $$
begin
    perform spark.set_row_policies(target, 'site_id', false, true);
    insert into spark.collections (collection, site_column, site_optional)
    select relname, 'site_id', true from pg_class where oid = target
    on conflict (collection) do nothing;
end
$$;

-- Triggers ----------------------------------------------------------------------------------------

create function spark.touch_date_updated() returns trigger
language plpgsql as $$
begin
    new.date_updated := now();
    return new;
end
$$;

create function spark.touch_updated_at() returns trigger
language plpgsql as $$
begin
    new.updated_at := now();
    return new;
end
$$;

-- A reference that may point into the library is the pair (x_site_id, x). Clients send only x; this
-- fills in the other half: the row's own site if it has such a key, else the library, where the
-- foreign key has the last word. Arguments: x, x_site_id, referenced table, referenced column.
-- Code that writes many rows sends the pair itself, and the trigger's WHEN keeps it from being called.
create function spark.fill_reference_site() returns trigger
language plpgsql as $$
declare
    is_own boolean;
    site uuid;
begin
    execute format('select exists (select from %I where site_id = ($1).site_id and %I = ($1).%I)',
                   tg_argv[2], tg_argv[3], tg_argv[0])
       into is_own using new;
    execute format('select case when ($1).%I is null then null when $2 then ($1).site_id else $3 end', tg_argv[0])
       into site using new, is_own, spark.library_site();
    return jsonb_populate_record(new, jsonb_build_object(tg_argv[1], site));
end
$$;

-- Adds the pair's CHECK, foreign key, index and triggers to a table. `on_delete` CASCADE or SET NULL.
create function spark.add_library_reference(
    target regclass, reference name, reference_site name, referenced regclass,
    referenced_column name default 'id', on_delete text default 'set null')
returns void language plpgsql as $$
declare
    prefix constant text := (select relname from pg_class where oid = target) || '_' || reference;
    referenced_name constant text := (select relname from pg_class where oid = referenced);
    what text := on_delete;
begin
    if on_delete = 'set null' then
        what := format('set null (%I, %I)', reference_site, reference);
    end if;
    execute format('alter table %s add constraint %I check ((%I is null) = (%I is null))',
                   target, prefix || '_pair', reference, reference_site);
    execute format('alter table %s add constraint %I check (%I in (site_id, %L::uuid))',
                   target, prefix || '_tenant', reference_site, spark.library_site());
    execute format('alter table %s add constraint %I foreign key (%I, %I) references %s (site_id, %I) '
                   'on update cascade on delete %s',
                   target, prefix || '_foreign', reference_site, reference, referenced, referenced_column, what);
    execute format('create index on %s (%I, %I)', target, reference_site, reference);
    execute format('create trigger %I before insert on %s for each row when (new.%I is not null and new.%I is null) '
                   'execute function spark.fill_reference_site(%L, %L, %L, %L)',
                   'spark_fill_' || reference, target, reference, reference_site,
                   reference, reference_site, referenced_name, referenced_column);
    -- A client that changes x alone leaves the old x_site_id behind.
    execute format('create trigger %I before update of %I on %s for each row '
                   'when (new.%2$I is distinct from old.%2$I and new.%4$I is not distinct from old.%4$I '
                   'or (new.%2$I is null) <> (new.%4$I is null)) '
                   'execute function spark.fill_reference_site(%5$L, %6$L, %7$L, %8$L)',
                   'spark_refill_' || reference, reference, target, reference_site,
                   reference, reference_site, referenced_name, referenced_column);
end
$$;

-- Storage -----------------------------------------------------------------------------------------

-- Bodies of some KB: lz4 costs a quarter less CPU per read than pglz. A server built without it keeps pglz.
create function spark.compress(target regclass, variadic columns name[]) returns void
language plpgsql as $$
declare
    column_name name;
begin
    foreach column_name in array columns loop
        execute format('alter table %s alter column %I set compression lz4', target, column_name);
    end loop;
exception when feature_not_supported or invalid_parameter_value then
    null;
end
$$;

-- Makes the monthly partitions of a table, from the last month to `ahead` months from now, and says
-- how many were new. Rows that had meanwhile fallen into the default partition move to their own.
-- In the platform's scope, because attaching checks foreign keys as the owner, under the policies: with
-- no scope every referenced site would be missing.
--
-- Definer, so that the scheduler may call it on the platform lane. Nobody may name a partition itself:
-- the policies are those of its parent.
create function spark.ensure_partitions(parent regclass, ahead integer default 3) returns integer
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
revoke all on function spark.ensure_partitions(regclass, integer) from public;
grant execute on function spark.ensure_partitions(regclass, integer) to spark_platform;
