-- Row-level security of tenant-owned tables.

-- Registers a collection as tenant-owned. Called when such a table is created, here or through the API, by the
-- table's owner. Calling it again only updates policies and registration.
create or replace function spark.protect_table(
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
    perform spark.watch_table(target);
end
$$;

-- Protects system tables that contain rows of tenants and rows without a site.
create or replace function spark.protect_system_table(target regclass) returns void
language plpgsql as $$
begin
    perform spark.set_row_policies(target, 'site_id', false, true);
    insert into spark.collections (collection, site_column, site_optional)
    select relname, 'site_id', true from pg_class where oid = target
    on conflict (collection) do nothing;
end
$$;

-- Sets the policies and grants of one table. An index on the site column serves them: uuid equality is leakproof,
-- and the setting is read once per scan.
--
-- FORCE only if spark_owner owns the table: in an existing Directus database the previous owner must still see its
-- own rows.
create or replace function spark.set_row_policies(
    target regclass, site_column name, shared_read boolean, site_optional boolean)
returns void language plpgsql as $$
declare
    own constant text := format('%I = nullif(current_setting(''spark.site'', true), '''')::uuid', site_column);
    -- Without a setting both elements are null, so the library is hidden too.
    own_or_library constant text := format(
        '%I = any (array[nullif(current_setting(''spark.site'', true), '''')::uuid, '
        'case when nullif(current_setting(''spark.site'', true), '''') is not null then %L::uuid end])',
        site_column, spark.library_site());
    -- In a subquery it is evaluated once per scan, and the planner expects half of the rows and not one in two hundred.
    platform text := '(select coalesce(current_setting(''spark.scope'', true), '''') = ''platform'')';
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

-- If no foreign key enforces that a reference stays in its site, a write looks up the referenced row
-- (core/content/items/write_reference.c) and calls this if the row is not visible. Raises the same error as a
-- violated foreign key. Strict: null references nothing.
create or replace function spark.refuse_reference(key anyelement, target text, field text) returns anyelement
language plpgsql strict as $$
begin
    raise exception 'no row of "%" may be referred to by this key', field
        using errcode = 'foreign_key_violation', table = target, constraint = target || '_' || field || '_foreign';
end
$$;
