-- Statistics of tables that fill (docs/decisions/0029-statistics.md).

-- Plans of named statements are kept. Made while PostgreSQL knows nothing of a table they may read all rows of a
-- site, and they stay until its statistics are taken (docs/decisions/0029-statistics.md). Whoever fills a table
-- asks here after its commit: each table that has doubled since, or shrunk to half, is analysed; null: of all.
--
-- Definer, because only the owner may. Columns without an index are left out, for they are long and no plan
-- looks at them; a table that something else is vacuuming or changing is left alone.
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
        -- One does it, the others go on.
        if young.columns is not null and pg_try_advisory_xact_lock(hashtextextended('spark.refresh_statistics', young.name::oid::bigint)) then
            execute format('analyze (skip_locked) %s (%s)', young.name, young.columns);
            analysed := analysed + 1;
        end if;
    end loop;
    return analysed;
end
$$;
