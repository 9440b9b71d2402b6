-- What tenancy adds to the system collections: one nullable site_id on the tables that hold tenants'
-- rows, their row policies, and the rights of the lanes. Runs as the migrating user (see 04).

set local client_min_messages = warning;

do $tenancy$
declare
    target text;
begin
    foreach target in array array['users', 'files', 'folders', 'activity', 'revisions', 'comments', 'shares', 'presets', 'notifications']
    loop
        target := 'public.directus_' || target;
        execute format('alter table %s add column if not exists site_id uuid default spark.current_site()', target);
        -- Partial: nearly nothing in an opened database, where no row has a site.
        execute format('create index if not exists %I on %s (site_id, %I) where site_id is not null',
                       split_part(target, '.', 2) || '_site', target,
                       case when target like '%activity' then 'timestamp' else 'id' end);
        perform spark.protect_system_table(target::regclass);
    end loop;
end
$tenancy$;

-- Composite foreign keys of a tenant's rows to its files and users end here.
create unique index if not exists directus_files_site_id_id on public.directus_files (site_id, id);
create unique index if not exists directus_users_site_id_id on public.directus_users (site_id, id);
grant select, references on public.directus_files, public.directus_users to spark_owner;

-- The other tables know no tenant: the platform lane alone reads and writes them. In an opened
-- database that includes the collections people made there.
do $grants$
declare
    target record;
begin
    for target in
        select c.oid::regclass as name, c.relkind from pg_class c
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S') and not c.relispartition
           and not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype = 'e')
    loop
        if target.relkind = 'S' then
            execute format('grant usage, select on sequence %s to spark_platform', target.name);
        else
            execute format('grant select, insert, update, delete on %s to spark_platform', target.name);
        end if;
    end loop;
end
$grants$;
alter default privileges in schema public grant select, insert, update, delete on tables to spark_platform;
alter default privileges in schema public grant usage, select on sequences to spark_platform;

-- The schema, not the rights: harmless to read for whoever speaks for one site.
grant select on public.directus_collections, public.directus_fields, public.directus_relations to spark_tenant;

-- Whatever changes rights or schema raises the epoch. Of users only the columns that a right hangs on:
-- last_access and last_page change with every request.
select spark.raise_epoch_on('public.directus_users', '{token,role,status,password,site_id}');
select spark.raise_epoch_on(format('public.directus_%s', name)::regclass)
  from unnest('{roles,policies,access,permissions,collections,fields,relations,settings}'::text[]) name;
select spark.raise_epoch_on('spark.site_tokens', '{site_id,token_hash,scopes,expires_at}');
select spark.raise_epoch_on('spark.collections');
select spark.raise_epoch_on('spark.site_domains');
