-- Adding and deleting fields of existing collections. On the platform lane.

-- is_needed: a policy, a trigger, a view or another table's key depends on the column.
-- name: ddl_field_facts :read
-- returns: has_collection, has_table, has_field, is_column, is_key, is_site, is_tenants, is_own, is_needed
select t.oid is not null or exists (select from directus_collections where collection = $1::text) as has_collection,
       t.oid is not null as has_table,
       a.attname is not null or exists (select from directus_fields where collection = $1::text and field = $2::text) as has_field,
       a.attname is not null as is_column,
       exists (select from pg_index i where i.indrelid = t.oid and i.indisprimary and a.attnum = any (i.indkey)
                  and not (i.indnkeyatts = 2 and a.attname = 'site_id')) as is_key,
       exists (select from spark.collections c where c.collection = $1::text and c.site_column = $2::text) as is_site,
       exists (select from spark.collections c where c.collection = $1::text and c.site_column = 'site_id') as is_tenants,
       exists (select from spark.own_fields o where o.collection = $1::text and o.field = $2::text) as is_own,
       exists (select from pg_depend d
                where d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid and d.refobjsubid = a.attnum
                  and d.deptype = 'n') as is_needed
  from (select) nothing
  left join pg_class t on t.relnamespace = 'public'::regnamespace and t.relname = $1::text and t.relkind in ('r', 'p')
  left join pg_attribute a on a.attrelid = t.oid and a.attname = $2::text and a.attnum > 0 and not a.attisdropped;

-- What others say of a field that goes: relations that have it as their other side or sort by it, fields in the
-- group that it was, the collection itself.
-- name: ddl_field_unlink :write
with relations as (
    update directus_relations
       set one_field = case when one_collection = $1 and one_field = $2 then null else one_field end,
           sort_field = case when many_collection = $1 and sort_field = $2 then null else sort_field end
     where (one_collection = $1 and one_field = $2) or (many_collection = $1 and sort_field = $2)
), members as (
    update directus_fields set "group" = null where collection = $1 and "group" = $2
)
update directus_collections c
   set archive_field = nullif(archive_field, $2), sort_field = nullif(sort_field, $2),
       item_duplication_fields = case when json_typeof(item_duplication_fields::json) = 'array' then
           (select json_agg(e order by n) from json_array_elements_text(item_duplication_fields::json) with ordinality as l (e, n)
             where e <> $2) else item_duplication_fields end
 where collection = $1
   and (archive_field = $2 or sort_field = $2 or position(to_json($2::text)::text in item_duplication_fields::text) > 0);

-- Deletes the metadata of a field: itself, the other side of its relation, the relation, permissions.
-- name: ddl_field_forget :write
with relations as (
    delete from directus_relations where many_collection = $1 and many_field = $2
    returning one_collection, one_field
), far_ends as (
    delete from directus_fields f using relations r where f.collection = r.one_collection and f.field = r.one_field
), permissions as (
    update directus_permissions
       set fields = nullif(array_to_string(array_remove(string_to_array(fields, ','), $2), ','), '')
     where collection = $1 and $2 = any (string_to_array(fields, ','))
)
delete from directus_fields where collection = $1 and field = $2;

-- What a field is now, in the members of the API. No row: it has no column.
-- name: ddl_field_now :read
-- returns: type_oid, special, entry
select d.type_oid::int8 as type_oid, (select f.special from directus_fields f where f.collection = $1 and f.field = $2 limit 1) as special,
       json_build_object('schema', json_build_object('default_value', d.default_value, 'max_length', d.max_length,
                         'numeric_precision', d.numeric_precision, 'numeric_scale', d.numeric_scale,
                         'is_nullable', d.is_nullable, 'is_unique', d.is_unique, 'is_indexed', d.is_indexed,
                         'is_primary_key', d.is_primary_key, 'has_auto_increment', d.has_auto_increment))::text as entry
  from spark.describe_columns($1) d where d.field = $2;
