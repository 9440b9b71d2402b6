-- Accounts are the platform's: in a site's scope they are neither made nor ended, and only what a
-- profile shows may be changed. What is left out here is what a login or a right hangs on, and what
-- people added: any of it may be unique over all sites, and a refused value would tell that it exists.
-- core/content/schema/system.def has the same list.

set local client_min_messages = warning;

-- A grant on a column touches its line of the catalog as a new column does, so the system's tables are
-- left out here: whose their fields are is known by their names (12_own_fields.sql).
set local role spark_owner;
create or replace function spark.claim_fields() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into spark.own_fields (collection, field)
    select c.relname, a.attname
      from pg_attribute a join pg_class c on c.oid = a.attrelid
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and c.relname not like 'directus\_%'
       and a.attnum > 0 and not a.attisdropped and a.xmin = pg_current_xact_id()::xid
    on conflict do nothing;
    begin
        insert into spark.own_fields (collection, field)
        select f.collection, f.field from public.directus_fields f where f.xmin = pg_current_xact_id()::xid
        on conflict do nothing;
    exception when insufficient_privilege then
        null;
    end;
end
$$;
reset role;

do $accounts$
declare
    profile constant text[] := '{first_name,last_name,location,title,description,tags,avatar,language,appearance,'
                               'theme_dark,theme_light,theme_light_overrides,theme_dark_overrides,text_direction,'
                               'email_notifications}';
    present constant text := (select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
                               where attrelid = 'public.directus_users'::regclass and attnum > 0
                                 and not attisdropped and attname = any (profile));
begin
    revoke insert, update, delete on public.directus_users from spark_tenant;
    if present is not null then
        execute format('grant update (%s) on public.directus_users to spark_tenant', present);
    end if;
end
$accounts$;
