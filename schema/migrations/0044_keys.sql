-- Keys of tenants' rows are unique in their site. Unique over all sites, a key answered whether another
-- site has a row with it: who inserted one was told so (docs/decisions/0028-keys-by-site.md).

set local client_min_messages = warning;
set local role spark_owner;

-- A statement of the platform that names a row by its key alone must not touch two sites' rows. It asks
-- for this where it finds the second one. Expensive: what is beside it in a condition is asked first.
create function spark.refuse_ambiguous_key() returns boolean
language plpgsql volatile cost 100000 as $$
begin
    raise exception 'several sites have a row with this key' using errcode = 'SPK01';
end
$$;
grant execute on function spark.refuse_ambiguous_key() to spark_tenant, spark_platform;

-- A row of the library is seen by every site, so its key is no secret, and it is the site's own as well:
-- two rows of one key would be two answers to one question.
create function spark.keep_library_keys() returns trigger
language plpgsql as $$
declare
    is_taken boolean;
begin
    execute format('select exists (select from added a cross join lateral (select from %1$I.%2$I t '
                   'where t.%3$I = a.%3$I and (t.%4$I = $1) <> (a.%4$I = $1) limit 1) taken)',
                   tg_table_schema, tg_table_name, tg_argv[0], tg_argv[1])
       into is_taken using spark.library_site();
    if is_taken then
        raise exception 'the library has a row with this key, or a site has that of a row for the library'
            using errcode = 'unique_violation', schema = tg_table_schema, table = tg_table_name,
                  constraint = tg_table_name || '_pkey';
    end if;
    return null;
end
$$;

-- The same for one row that gets another key or another site, which is rare.
create function spark.keep_library_key() returns trigger
language plpgsql as $$
declare
    is_taken boolean;
begin
    execute format('select exists (select from %1$I.%2$I t where t.%3$I = ($1).%3$I and (t.%4$I = $2) <> (($1).%4$I = $2))',
                   tg_table_schema, tg_table_name, tg_argv[0], tg_argv[1])
       into is_taken using new, spark.library_site();
    if is_taken then
        raise exception 'the library has a row with this key, or a site has that of a row for the library'
            using errcode = 'unique_violation', schema = tg_table_schema, table = tg_table_name,
                  constraint = tg_table_name || '_pkey';
    end if;
    return null;
end
$$;

-- Constraints over one column that hold over all sites become such over (column, site).
create function spark.unique_by_site(target regclass, site_column name) returns void
language plpgsql as $$
declare
    found record;
begin
    for found in
        select k.conname, a.attname
          from pg_constraint k
          join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
         where k.conrelid = target and k.contype = 'u' and cardinality(k.conkey) = 1 and a.attname <> site_column
           and not exists (select from pg_constraint f where f.contype = 'f' and f.conindid = k.conindid)
    loop
        execute format('alter table %s drop constraint %I, add constraint %2$I unique (%I, %I)',
                       target, found.conname, found.attname, site_column);
    end loop;
end
$$;

-- Makes the key of a tenant-owned table unique in its site: PRIMARY KEY (id) becomes (id, site_id), under
-- its name. Foreign keys of other tables lean on UNIQUE (site_id, id), which is made where it is missing. Other
-- columns that are unique over all sites become so in theirs.
--
-- The key comes first: whoever asks for it alone, on the platform, has an index as well. And it is the
-- youngest index of its table: where PostgreSQL reckons that several cost the same, as it does while it
-- knows nothing of a table, it takes that one, and not a scan of the site.
--
-- False, and the key stays, where a key over the id alone is needed (another table's foreign key
-- points to it) or where rows may have no site. There sites may not choose keys (core/content/items/payload.c).
create function spark.key_by_site(target regclass, site_column name default 'site_id') returns boolean
language plpgsql as $$
declare
    key record;
    site record;
    name constant name := (select relname from pg_class where oid = target);
begin
    select a.attnum, a.attnotnull into strict site
      from pg_attribute a where a.attrelid = target and a.attname = site_column;
    perform spark.unique_by_site(target, site_column);
    select k.conname, k.conindid, a.attname, a.attnum into key
      from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
     where k.conrelid = target and k.contype = 'p' and cardinality(k.conkey) = 1;
    if not found or key.attname = site_column or not site.attnotnull
       or exists (select from pg_constraint f where f.contype = 'f' and f.conindid = key.conindid) then
        return false;
    end if;
    if not exists (select from pg_constraint k where k.conrelid = target and k.contype = 'u'
                    and k.conkey = array[site.attnum, key.attnum]) then
        execute format('alter table %s add unique (%I, %I)', target, site_column, key.attname);
    end if;
    execute format('alter table %s drop constraint %I, add constraint %2$I primary key (%I, %I)',
                   target, key.conname, key.attname, site_column);
    if (select shared_read from spark.collections where collection = name) then
        execute format('create trigger spark_library_keys after insert on %s referencing new table as added '
                       'for each statement execute function spark.keep_library_keys(%L, %L)',
                       target, key.attname, site_column);
        execute format('create trigger spark_library_key after update of %1$I, %2$I on %3$s for each row '
                       'when (new.%1$I <> old.%1$I or new.%2$I <> old.%2$I) '
                       'execute function spark.keep_library_key(%1$L, %2$L)',
                       key.attname, site_column, target);
    end if;
    return true;
end
$$;

-- An index that came later would be taken instead where all seem to cost the same, so the key is made once more
-- after it. Only while the table is small: a large one has statistics, and building the key takes as long as the
-- index did.
create function spark.renew_key(target regclass, site_column name default 'site_id') returns void
language plpgsql as $$
declare
    key record;
begin
    select k.conname, k.conindid, a.attname into key
      from pg_constraint k
      join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
      join pg_attribute s on s.attrelid = k.conrelid and s.attname = site_column and s.attnum = k.conkey[2]
     where k.conrelid = target and k.contype = 'p' and cardinality(k.conkey) = 2;
    if found and pg_relation_size(target) <= 8 * 1024 * 1024
       and not exists (select from pg_constraint f where f.contype = 'f' and f.conindid = key.conindid) then
        execute format('alter table %s drop constraint %I, add constraint %2$I primary key (%I, %I)',
                       target, key.conname, key.attname, site_column);
    end if;
end
$$;

-- Collections made through the API before. Those of the pack have a migration of their own; what belongs to
-- another owner, as all of an opened Directus database does, keeps its keys.
set local spark.scope = 'platform';
select spark.key_by_site(c.oid::regclass, t.site_column::name)
  from spark.collections t
  join pg_class c on c.relname = t.collection and c.relnamespace = 'public'::regnamespace
 where c.relowner = 'spark_owner'::regrole and c.relkind = 'r' and not t.site_optional and t.site_column = 'site_id'
 order by c.relname;
select spark.raise_epoch();

-- Statistics --------------------------------------------------------------------------------------
-- Plans of named statements are kept. Made while PostgreSQL knows nothing of a table they may read all rows of a
-- site, and they stay until its statistics are taken (docs/decisions/0029-statistics.md). Whoever fills a table
-- asks here after its commit: each table that has doubled since, or shrunk to half, is analysed; null: of all.
--
-- Definer, because only the owner may. Columns without an index are left out, for they are long and no plan
-- looks at them; a table that something else is vacuuming or changing is left alone.
create function spark.analyze_young(collection text default null) returns integer
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
revoke all on function spark.analyze_young(text) from public;
grant execute on function spark.analyze_young(text) to spark_tenant, spark_platform;
