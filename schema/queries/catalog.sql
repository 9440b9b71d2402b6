-- What the API tells of the schema: collections, fields and relations, with Directus' members in Directus' order.
-- On the platform lane; what of it a caller may see is decided beside it (core/content/catalog).

-- Tables and folders. `meta` is null for what Directus does not track. $1: one collection, or null for all.
-- name: catalog_collections :slow
-- returns: collection, is_table, group_name, meta, schema
select coalesce(c.collection, t.name) as collection, t.name is not null as is_table, c.group_name, c.meta,
       case when t.name is not null then
           (select row_to_json(s)::text from (select 'public' as schema, t.name, t.comment) s) end as schema
  from (select relname::text as name, obj_description(oid, 'pg_class') as comment
          from pg_class
         where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
           and ($1::text is null or relname = $1::text) and has_table_privilege(oid, 'select')) t
  full join (
       select m.collection, m."group" as group_name,
              (select row_to_json(r)::text
                 from (select m.collection, m.icon, m.note, m.display_template, m.hidden, m.singleton, m.translations,
                              m.archive_field, m.archive_app_filter, m.archive_value, m.unarchive_value, m.sort_field,
                              m.accountability, m.color, m.item_duplication_fields, m.sort, m."group", m.collapse,
                              m.preview_url, m.versioning,
                              (select site_column from spark.collections o where o.collection = m.collection) as tenant) r) as meta
         from directus_collections m
        where $1::text is null or m.collection = $1::text) c on c.collection = t.name
 order by 1;

-- Columns in the order of the table, then fields without one. $1: one collection, or null for all; $2: one field.
-- name: catalog_fields :slow
-- returns: collection, field, type_oid, data_type, special, meta, schema
select coalesce(k.collection, f.collection) as collection, coalesce(k.field, f.field) as field,
       coalesce(k.type_oid, 0)::int8 as type_oid, k.data_type, f.special, f.meta,
       case when k.field is not null then
           (select row_to_json(s)::text
              from (select k.field as name, k.collection as "table", k.data_type, k.default_value, k.generation_expression,
                           k.max_length, k.numeric_precision, k.numeric_scale, k.is_generated, k.is_nullable,
                           k.is_unique, k.is_indexed, k.is_primary_key, k.has_auto_increment, k.foreign_key_schema,
                           k.foreign_key_table, k.foreign_key_column, k.comment) s) end as schema
  from (select * from spark.describe_columns($1::text) d where $2::text is null or d.field = $2::text) k
  full join (
       select m.id, m.collection, m.field, m.special,
              (select row_to_json(r)::text
                 from (select m.id, m.collection, m.field, to_json(string_to_array(m.special, ',')) as special, m.interface,
                              m.options, m.display, m.display_options, m.readonly, m.hidden, m.sort, m.width,
                              m.translations, m.note, m.conditions, coalesce(m.required, false) as required, m."group",
                              m.validation, m.validation_message,
                              coalesce((to_jsonb(m) ->> 'searchable')::boolean, true) as searchable) r) as meta
         from directus_fields m
        where ($1::text is null or m.collection = $1::text) and ($2::text is null or m.field = $2::text)) f
    on f.collection = k.collection and f.field = k.field
 order by k.field is null, 1, k.attnum, f.id;

-- Relations that are tracked, and foreign keys without one. $1: a collection, or null for all; $2: its field.
-- name: catalog_relations :slow
-- returns: collection, field, related, one_field, allowed, meta, schema
select coalesce(r.many_collection, k."table") as collection, coalesce(r.many_field, k."column") as field,
       case when r.id is null then k.foreign_key_table else r.one_collection end as related, r.one_field,
       r.one_allowed_collections as allowed,
       case when r.id is not null then
           (select row_to_json(m)::text
              from (select r.id, r.many_collection, r.many_field, r.one_collection, r.one_field, r.one_collection_field,
                           to_json(string_to_array(r.one_allowed_collections, ',')) as one_allowed_collections,
                           r.junction_field, r.sort_field, r.one_deselect_action) m) end as meta,
       case when k."table" is not null then
           (select row_to_json(s)::text
              from (select k.constraint_name, k."table", k."column", k.foreign_key_schema, k.foreign_key_table,
                           k.foreign_key_column, k.on_update, k.on_delete) s) end as schema
  from (select * from spark.describe_keys($1::text) d where $2::text is null or d."column" = $2::text) k
  full join (select * from directus_relations m
              where ($1::text is null or m.many_collection = $1::text) and ($2::text is null or m.many_field = $2::text)) r
    on r.many_collection = k."table" and r.many_field = k."column" and r.one_collection = k.foreign_key_table
 where not exists (select from spark.collections o
                    where o.collection = k."table" and o.site_column = k."column" and k.foreign_key_table <> 'sites')
 order by k."table" is null, k.key_oid, r.id;
