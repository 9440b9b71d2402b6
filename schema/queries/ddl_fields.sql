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
