-- What a share leads to.

-- The one-column key of a table of `public`, and its type; null if it has none.
create or replace function spark.key_of_table(collection text, out field text, out type text)
language sql stable as $$
select a.attname::text, format_type(a.atttypid, a.atttypmod)
  from pg_index i
  join pg_class c on c.oid = i.indrelid and c.relnamespace = 'public'::regnamespace and c.relname = collection
  join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
 where i.indisprimary and (i.indnkeyatts = 1 or a.attname = 'id')
$$;

-- The rows that a token of the share may reach: for each collection a filter. The item; the rows that it refers to; the rows
-- that refer to it; and what those refer to, as through a junction, at most a thousand of each. Rights and sites narrow them
-- further (core/access/identity/share.c).
create or replace function spark.share_reach(shared uuid) returns table (collection text, filter json)
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
        execute format('select json_agg(%I::text) from %I where %I = $1::%s and %1$I is not null',
                       relation.many_field, root.collection, own.field, own.type) into keys using root.item;
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
            execute format('select json_agg(k) from (select distinct %I::text as k from %I where %I = $1::%s and %1$I is not null limit 1000) x',
                           second.many_field, relation.many_collection, relation.many_field, own.type) into keys using root.item;
            if keys is not null and target.field is not null then
                return query select second.one_collection::text, json_build_object(target.field, json_build_object('_in', keys));
            end if;
        end loop;
    end loop;
exception when invalid_text_representation then
    return; -- the item was never a key: nothing is shared
end
$$;
