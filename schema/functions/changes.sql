-- The change feed (docs/decisions/0035-the-change-feed.md).

-- Creates the triggers that record a table's changes: when the table is created, and again when it gets a site
-- column.
--
-- Excluded: tables partitioned by month (page views, events, the log) and system tables, whose rows
-- are not cached; and tables without a key, which are not collections.
create or replace function spark.watch_table(target regclass) returns void
language plpgsql as $$
declare
    name constant name := (select relname from pg_class where oid = target);
    site constant name := (select site_column from spark.collections where collection = name);
    -- Prefers a key column other than the site, but the key of a table of sites is the site.
    key constant name := (select a.attname from pg_index i
                           cross join lateral unnest(i.indkey) with ordinality k (attnum, place)
                            join pg_attribute a on a.attrelid = target and a.attnum = k.attnum
                           where i.indrelid = target and i.indisprimary
                           order by a.attname is not distinct from site, k.place limit 1);
    is_usual boolean;
    note text;
begin
    if key is null or (select relkind <> 'r' or relispartition from pg_class where oid = target)
       or name in ('directus_activity', 'directus_revisions', 'directus_sessions', 'directus_migrations') then
        return;
    end if;
    is_usual := key = 'id' and site = 'site_id';
    note := format('spark.note_change_by(%L, %L)', key, coalesce(site, ''));
    execute format('create or replace trigger spark_change_insert after insert on %s '
                   'referencing new table as added for each statement execute function %s',
                   target, case when is_usual then 'spark.note_created()' else note end);
    execute format('create or replace trigger spark_change_update after update on %s '
                   'referencing old table as gone new table as added for each statement execute function %s',
                   target, case when is_usual then 'spark.note_updated()' else note end);
    execute format('create or replace trigger spark_change_delete after delete on %s '
                   'referencing old table as gone for each statement execute function %s',
                   target, case when is_usual then 'spark.note_deleted()' else note end);
    execute format('create or replace trigger spark_change_truncate after truncate on %s '
                   'for each statement execute function spark.note_truncate()', target);
end
$$;

-- Whether the process that sent this statement notifies subscribers itself. Then the statement starts with a
-- comment that names the change (items_put_announced in core/content/items/items_hook.c). Trigger depth 1 excludes
-- cascades and changes made by triggers.
create or replace function spark.is_announced(action text, collection name) returns boolean
language sql volatile parallel restricted
return pg_catalog.pg_trigger_depth() operator(pg_catalog.=) 1
       and pg_catalog.starts_with(pg_catalog.current_query(),
                                  '/* announced ' operator(pg_catalog.||) action operator(pg_catalog.||) ' '
                                  operator(pg_catalog.||) pg_catalog.replace(collection, '*', '?')
                                  operator(pg_catalog.||) ' */');

-- Inserts one change for each site whose rows the statement wrote; lists its keys if there are at most a thousand.
--
-- Security definer, because the lanes may not write the feed. The statements are static, so each session plans
-- them once per table. Setting search_path would cost as much as the insert, so every name is schema-qualified.
-- Most statements write one row, and an aggregate costs half as much as the insert: hence the two branches.
create or replace function spark.note_created() returns trigger
language plpgsql security definer as $$
declare
    announced constant boolean := spark.is_announced('create', tg_table_name);
begin
    if exists (select from added offset 1) then
        insert into spark.changes (site, collection, action, keys, is_announced)
        select r.site_id, tg_table_name, 'create',
               case when pg_catalog.count(*) operator(pg_catalog.<=) 1000 then pg_catalog.array_agg(r.id::pg_catalog.text) end,
               announced
          from added r group by r.site_id;
    else
        insert into spark.changes (site, collection, action, keys, is_announced)
        select r.site_id, tg_table_name, 'create', array[r.id::pg_catalog.text], announced from added r;
    end if;
    return null;
end
$$;

-- A row whose key or site changed is a change of both.
create or replace function spark.note_updated() returns trigger
language plpgsql security definer as $$
declare
    announced constant boolean := spark.is_announced('update', tg_table_name);
begin
    if exists (select from added offset 1) then
        insert into spark.changes (site, collection, action, keys, is_announced)
        select r.site_id, tg_table_name, 'update',
               case when pg_catalog.count(*) operator(pg_catalog.<=) 1000 then pg_catalog.array_agg(r.id::pg_catalog.text) end,
               announced
          from (select a.site_id, a.id from added a union select g.site_id, g.id from gone g) r group by r.site_id;
    else
        insert into spark.changes (site, collection, action, keys, is_announced)
        select r.site_id, tg_table_name, 'update', array[r.id::pg_catalog.text], announced
          from (select a.site_id, a.id from added a
                union all
                select g.site_id, g.id from gone g
                 where not exists (select from added a
                                    where a.id::pg_catalog.text operator(pg_catalog.=) g.id::pg_catalog.text
                                      and (a.site_id operator(pg_catalog.=) g.site_id
                                           or a.site_id is null and g.site_id is null))) r;
    end if;
    return null;
end
$$;

create or replace function spark.note_deleted() returns trigger
language plpgsql security definer as $$
declare
    announced constant boolean := spark.is_announced('delete', tg_table_name);
begin
    if exists (select from gone offset 1) then
        insert into spark.changes (site, collection, action, keys, is_announced)
        select r.site_id, tg_table_name, 'delete',
               case when pg_catalog.count(*) operator(pg_catalog.<=) 1000 then pg_catalog.array_agg(r.id::pg_catalog.text) end,
               announced
          from gone r group by r.site_id;
    else
        insert into spark.changes (site, collection, action, keys, is_announced)
        select r.site_id, tg_table_name, 'delete', array[r.id::pg_catalog.text], announced from gone r;
    end if;
    return null;
end
$$;

-- The same for tables with other column names: the first argument is the key column, the second the site column
-- ('': none).
create or replace function spark.note_change_by() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    columns constant text := format('%s as site, %I::text as key',
                                    case tg_argv[1] when '' then 'null::uuid' else quote_ident(tg_argv[1]) end, tg_argv[0]);
    rows constant text := case tg_op when 'INSERT' then format('select %s from added', columns)
                                     when 'DELETE' then format('select %s from gone', columns)
                                     else format('select %1$s from added union select %1$s from gone', columns) end;
begin
    execute format('insert into spark.changes (site, collection, action, keys, is_announced) '
                   'select r.site, $1, $2, case when count(*) <= 1000 then array_agg(r.key) end, spark.is_announced($2, $1) '
                   'from (%s) r group by r.site', rows)
      using tg_table_name, case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end;
    return null;
end
$$;

create or replace function spark.note_truncate() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into spark.changes (collection, action, is_announced) values (tg_table_name, 'delete', false);
    return null;
end
$$;

-- The changes that became visible between two snapshots, from a seq on. Changes of transactions that were in
-- progress at the first snapshot are looked up by transaction id, so one that commits late is not missed, and none
-- is read twice.
--
-- Uses custom plans: nearly all rows are older than the first snapshot, which a generic plan cannot know.
create or replace function spark.changes_between(
    seen pg_snapshot, now pg_snapshot, after bigint, with_announced boolean, most integer)
returns table (xid xid8, seq bigint, site uuid, collection text, action text, keys text[], is_announced boolean)
language plpgsql stable set plan_cache_mode = force_custom_plan as $$
begin
    return query
    select c.xid, c.seq, c.site, c.collection, c.action, c.keys, c.is_announced
      from spark.changes c
     where (c.xid >= pg_snapshot_xmax(seen) or c.xid = any(array(select pg_snapshot_xip(seen))))
       and pg_visible_in_snapshot(c.xid, changes_between.now) and c.seq > after
       and (with_announced or not c.is_announced)
     order by c.seq
     limit most;
end
$$;
