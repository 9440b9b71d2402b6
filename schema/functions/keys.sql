-- Keys that are unique within a site (docs/decisions/0028-keys-by-site.md).

-- In PLATFORM scope, a statement that identifies a row by its key alone must not affect rows of two sites. It
-- calls this when it finds a second one. High cost, so that the planner evaluates other conditions first.
create or replace function spark.refuse_ambiguous_key() returns boolean
language plpgsql volatile cost 100000 as $$
begin
    raise exception 'several sites have a row with this key' using errcode = 'SPK01';
end
$$;

-- Every site sees the rows of the library, so a site must not use the key of such a row: two visible rows would
-- have the same key. The key is not secret, so refusing it reveals nothing.
create or replace function spark.keep_library_keys() returns trigger
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

-- The same for a row whose key or site changes, which is rare.
create or replace function spark.keep_library_key() returns trigger
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

-- Makes the primary key of a tenant-owned table unique per site: PRIMARY KEY (id) becomes (id, site_id) with the
-- same name. Foreign keys of other tables need UNIQUE (site_id, id), which is created if it is missing. Other
-- globally unique columns become unique per site.
--
-- The id comes first, so that lookups by id alone in PLATFORM scope can use the index. It must be the newest index
-- of its table: among indexes with equal estimated cost, as on a table without statistics, PostgreSQL chooses the
-- newest, and not a scan of the site.
--
-- Returns false and keeps the key if another table's foreign key references the id alone, or if rows may have no
-- site. Then sites may not choose keys (core/content/items/payload.c).
create or replace function spark.key_by_site(target regclass, site_column name default 'site_id') returns boolean
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

-- Replaces unique constraints on one column by constraints on (column, site).
create or replace function spark.unique_by_site(target regclass, site_column name) returns void
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

-- A newer index would be preferred if all costs are estimated equal, so the key is created again after it. Only
-- while the table is small: a large one has statistics, and creating the key takes as long as creating the index
-- did.
create or replace function spark.renew_key(target regclass, site_column name default 'site_id') returns void
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

-- Moves the sequence of a key column behind a key that somebody chose, so that the next made key is free. A
-- small step draws the numbers, because setting the sequence could take back what another session has drawn meanwhile.
create or replace function spark.follow_key(collection text, key_column text, key bigint) returns void
language plpgsql strict security definer set search_path = pg_catalog, pg_temp as $$
declare
    small_step constant integer := 32;
    sequence regclass := pg_get_serial_sequence(format('public.%I', collection), key_column);
    last bigint;
begin
    if sequence is null then
        return;
    end if;
    execute format('select last_value - case when is_called then 0 else 1 end from %s', sequence) into last;
    if key > last + small_step then
        perform setval(sequence, key);
        return;
    end if;
    while last < key loop
        last := nextval(sequence);
    end loop;
exception
    when insufficient_privilege then -- a sequence made by somebody whose default rights do not include it
        return;
end
$$;
revoke all on function spark.follow_key from public;
grant execute on function spark.follow_key to spark_platform;
