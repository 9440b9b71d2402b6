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

-- The condition that rows of a table belong to the site, as SQL. Without a site: that they belong to none. Where the site
-- sees the library's rows, those too.
create or replace function spark.rows_of_site(collection text, of_site uuid) returns text
language sql stable as $$
select coalesce((
    select case when of_site is null and t.site_optional then format('%I is null', t.site_column)
                when of_site is null then 'false'
                when t.shared_read then format('%I in (%L::uuid, %L::uuid)', t.site_column, of_site, spark.library_site())
                else format('%I = %L::uuid', t.site_column, of_site) end
      from spark.collections t where t.collection = rows_of_site.collection), 'true')
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

-- The rows that a token of the share may reach: for each collection a filter. The item; the rows that it refers to; the rows
-- that refer to it; and what those refer to, as through a junction, at most a thousand of each. A row of another site that has
-- the same key leads nowhere. Rights narrow them further (core/access/identity/share_rights.c).
create or replace function spark.share_reach(shared uuid, of_site uuid) returns table (collection text, filter json)
language plpgsql stable as $$
declare
    root record;
    own record;
    target record;
    relation record;
    second record;
    keys json;
begin
    select s.collection, s.item into root from directus_shares s where s.id = shared;
    select * into own from spark.key_of_table(root.collection);
    if own.field is null then
        return;
    end if;
    return query select root.collection::text, json_build_object(own.field, json_build_object('_eq', root.item));

    for relation in select many_field, one_collection from directus_relations
                     where many_collection = root.collection and one_collection is not null loop
        select * into target from spark.key_of_table(relation.one_collection);
        execute format('select json_agg(%I::text) from %I where %I = $1::%s and %1$I is not null and %5$s',
                       relation.many_field, root.collection, own.field, own.type,
                       spark.rows_of_site(root.collection, of_site)) into keys using root.item;
        if keys is not null and target.field is not null then
            return query select relation.one_collection::text, json_build_object(target.field, json_build_object('_in', keys));
        end if;
    end loop;

    for relation in select many_collection, many_field from directus_relations
                     where one_collection = root.collection and one_field is not null loop
        return query select relation.many_collection::text,
                            json_build_object(relation.many_field, json_build_object('_eq', root.item));
        for second in select many_field, one_collection from directus_relations
                       where many_collection = relation.many_collection and many_field <> relation.many_field
                         and one_collection is not null loop
            select * into target from spark.key_of_table(second.one_collection);
            execute format('select json_agg(k) from (select distinct %I::text as k from %I where %I = $1::%s and %1$I is not null and %5$s limit 1000) x',
                           second.many_field, relation.many_collection, relation.many_field, own.type,
                           spark.rows_of_site(relation.many_collection, of_site)) into keys using root.item;
            if keys is not null and target.field is not null then
                return query select second.one_collection::text, json_build_object(target.field, json_build_object('_in', keys));
            end if;
        end loop;
    end loop;
exception when data_exception or undefined_table or undefined_column or undefined_function then
    return; -- the item was never a key, or a relation is of what no longer exists: nothing more is shared
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
