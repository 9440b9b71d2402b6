-- Statistics of growing tables (docs/decisions/0029-statistics.md).

-- Plans of named statements are cached. A plan that was made without statistics may read all rows of a site, and
-- stays until the table is analysed (docs/decisions/0029-statistics.md). Code that fills a table calls this after
-- its commit: analyses every given table that has doubled, or shrunk to half, since its last analysis; null: all
-- tables.
--
-- Security definer, because only the owner may analyse. Columns without an index are skipped, because they are
-- long and plans do not use their statistics; a table that is being vacuumed or altered is skipped.
create or replace function spark.analyze_young(collection text default null) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    young record;
    analysed integer := 0;
begin
    for young in
        select c.oid::regclass as name,
               (select string_agg(distinct quote_ident(a.attname), ', ')
                  from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
                 where i.indrelid = c.oid) as columns
          from pg_class c
         cross join lateral (select pg_relation_size(c.oid) / 8192 as pages) now
         where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
           and c.relowner = 'spark_owner'::regrole
           and (analyze_young.collection is null or c.relname = analyze_young.collection)
           and (now.pages > 2 * greatest(c.relpages, 8) or c.relpages > 2 * greatest(now.pages, 8))
    loop
        -- One session analyses; the others skip the table.
        if young.columns is not null and pg_try_advisory_xact_lock(hashtextextended('spark.refresh_statistics', young.name::oid::bigint)) then
            execute format('analyze (skip_locked) %s (%s)', young.name, young.columns);
            analysed := analysed + 1;
        end if;
    end loop;
    return analysed;
end
$$;
