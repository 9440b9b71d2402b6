-- What a share leads to.

-- The one-column key of a table of `public`, and its type; null if it has none. A site beside it is not part of it.
create or replace function spark.key_of_table(collection text, out field text, out type text)
language sql stable as $$
select a.attname::text, format_type(a.atttypid, a.atttypmod)
  from pg_index i
  join pg_class c on c.oid = i.indrelid and c.relnamespace = 'public'::regnamespace and c.relname = collection
  join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
  left join spark.collections owned on owned.collection = c.relname
  left join pg_attribute site on site.attrelid = c.oid and site.attname = owned.site_column
 where i.indisprimary
   and (i.indnkeyatts = 1 or i.indnkeyatts = 2 and i.indkey[1] = site.attnum or a.attname = 'id')
$$;

-- The site whose rows a share reaches: its own; the library for a row of the library; else none.
create or replace function spark.share_site(shared uuid) returns uuid
language plpgsql stable as $$
declare
    root record;
    own record;
    is_library boolean;
begin
    select s.collection, s.item, s.site_id, t.site_column into root
      from directus_shares s left join spark.collections t on t.collection = s.collection and t.shared_read
     where s.id = shared;
    select * into own from spark.key_of_table(root.collection);
    if root.site_id is not null or root.site_column is null or own.field is null then
        return root.site_id;
    end if;
    execute format('select exists (select from %I where %I = $1::%s and %I = $2)',
                   root.collection, own.field, own.type, root.site_column)
       into is_library using root.item, spark.library_site();
    return case when is_library then spark.library_site() end;
exception when data_exception then
    return null; -- the item was never a key
end
$$;

-- Whose creator is gone, the public's rights bound.
create or replace function spark.share_loses_creator() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if new.user_created is null then
        insert into spark.share_orphans (share) values (new.id) on conflict do nothing;
    else
        delete from spark.share_orphans where share = new.id;
    end if;
    return null;
end
$$;
