-- How both servers begin, and the way back there. Run by a superuser after model.sql; peer.counted, which pair.mjs fills, has the first key
-- of each table whose keys are counted.

-- Keys that each installation makes at random, and lists would be sorted by.
set session_replication_role = replica;
do $$
declare
    administrators uuid := (select role from directus_users where email = 'admin@example.com');
    everything uuid := (select id from directus_policies where admin_access);
begin
    update directus_users set id = '00000000-0000-4000-8000-300000000000', role = '00000000-0000-4000-8000-100000000000', first_name = 'Admin', last_name = 'User',
        token = 'token-of-admin-0123456789', last_access = null, last_page = null, language = null where email = 'admin@example.com';
    update directus_roles set id = '00000000-0000-4000-8000-100000000000', description = '$t:admin_description', icon = 'verified' where id = administrators;
    update directus_policies set id = '00000000-0000-4000-8000-200000000000' where id = everything;
    update directus_access set id = '00000000-0000-4000-8000-400000000000', role = '00000000-0000-4000-8000-100000000000', policy = '00000000-0000-4000-8000-200000000000'
    where policy = everything;
    update directus_access set id = '00000000-0000-4000-8000-400000000009' where policy = 'abf8a154-5b1c-4a46-ac9c-7300570f4f17';
    update directus_settings set id = 1, project_name = 'Peers', project_id = '00000000-0000-4000-8000-600000000000';
    delete from directus_activity; delete from directus_revisions; delete from directus_sessions;
end $$;
set session_replication_role = origin;

do $$
declare t text;
begin
    for t in select tablename from pg_tables where schemaname = 'public' loop
        execute format('create table peer.%1$I as table public.%1$I', t);
        execute format('grant select on peer.%1$I to public', t);
    end loop;
end $$;

-- A row that was written since has a younger xmin; one that was deleted is missing in the count.
create table peer."state of" (name name primary key, rows bigint, youngest bigint, columns smallint);
do $$
begin
    execute 'create view peer."state now" as ' || (select string_agg(format(
        'select %L::name as name, count(*) as rows, coalesce(max(xmin::text::bigint), 0) as youngest, '
        '(select relnatts from pg_class where oid = ''public.%1$I''::regclass) as columns from public.%1$I', t.tablename), ' union all ')
        from pg_tables t where t.schemaname = 'public');
end $$;

-- Brings every table back to its copy in the schema peer, and says which ones it had to.
create function peer.reset() returns text language plpgsql security definer as $$
declare
    strange text[] := array(select t.tablename from pg_tables t where t.schemaname = 'public' and not exists
        (select from pg_tables b where b.schemaname = 'peer' and b.tablename = t.tablename));
    changed text[] := array(select n.name from peer."state now" n left join peer."state of" o using (name)
        where (n.rows, n.youngest, n.columns) is distinct from (o.rows, o.youngest, o.columns));
    place text;
    field text;
begin
    perform set_config('session_replication_role', 'replica', true);
    perform set_config('spark.scope', 'platform', true);
    foreach place in array strange loop
        execute format('drop table public.%I cascade', place);
    end loop;
    foreach place in array changed loop
        for field in select a.attname from pg_attribute a where a.attrelid = format('public.%I', place)::regclass and a.attnum > 0 and not a.attisdropped
                and not exists (select from pg_attribute b where b.attrelid = format('peer.%I', place)::regclass and b.attname = a.attname) loop
            execute format('alter table public.%I drop column %I cascade', place, field);
        end loop;
        execute format('delete from public.%1$I; insert into public.%1$I select * from peer.%1$I', place);
        perform setval(pg_get_serial_sequence('public.' || c.name, 'id'), c.first, false) from peer.counted c where c.name = place;
    end loop;
    delete from peer."state of" where name = any (changed::name[]);
    insert into peer."state of" select * from peer."state now" where name = any (changed::name[]);
    if changed || strange <> '{}' and to_regnamespace('spark') is not null then
        perform spark.raise_epoch();
    end if;
    return array_to_string(changed || strange, ',');
end $$;
select peer.reset();
