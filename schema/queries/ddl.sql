-- Schema changes through the API, and the description of the schema. On the platform lane; DDL enters spark_owner
-- for the rest of its transaction, so the rows of the Directus tables, which another role may own, are written
-- before that.

-- Serialises schema changes: what a check has read stays true until the commit.
-- name: ddl_lock :write
select pg_advisory_xact_lock(hashtextextended('spark.ddl', 0));

-- The schema stays as it is until the transaction ends; others may read it, too.
-- name: ddl_lock_reading :write
select pg_advisory_xact_lock_shared(hashtextextended('spark.ddl', 0));

-- name: ddl_become_owner :write
set local role spark_owner;

-- Back to the role of the connection.
-- name: ddl_resign_owner :write
reset role;

-- name: ddl_raise_epoch :write
select spark.raise_epoch();

-- name: ddl_epoch :read
-- returns: epoch
select epoch from spark.epoch;

-- The first of the names, counted from one, that is taken by any relation, including views and sequences: CREATE TABLE
-- would fail. No row: all are free.
-- name: ddl_collections_taken :read
-- returns: place
select n.place
  from unnest($1::text[]) with ordinality as n (name, place)
 where exists (select from pg_class where relnamespace = 'public'::regnamespace and relname = n.name)
    or exists (select from directus_collections where collection = n.name)
 order by n.place limit 1;

-- Only where there are sites can rows be theirs.
-- name: ddl_has_sites :read
-- returns: has_sites
select to_regclass('public.sites') is not null as has_sites;

-- name: ddl_has_geometry :read
-- returns: has_geometry
select to_regtype('geometry') is not null as has_geometry;

-- Whether a table can belong to sites. `key`: its only key column, or that beside the site.
-- name: ddl_tenant_facts :read
-- returns: is_tenants, has_sites, key, site_type, is_own
select exists (select from spark.collections where collection = $1::text) as is_tenants,
       to_regclass('public.sites') is not null as has_sites,
       (select a.attname::text from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
         where i.indrelid = t.oid and i.indisprimary and i.indnkeyatts = 1) as key,
       (select format_type(a.atttypid, null) from pg_attribute a
         where a.attrelid = t.oid and a.attname = 'site_id' and not a.attisdropped) as site_type,
       exists (select from spark.own_fields where collection = $1::text) as is_own
  from (select) nothing
  left join pg_class t on t.relnamespace = 'public'::regnamespace and t.relname = $1::text and t.relkind in ('r', 'p');

-- name: ddl_collection_own :read
-- returns: is_there, is_own
select to_regclass('public.' || quote_ident($1::text)) is not null
       or exists (select from directus_collections where collection = $1::text) as is_there,
       exists (select from spark.own_fields where collection = $1::text) as is_own;

-- The fields of other collections that refer to $1.
-- name: ddl_references :read
-- returns: collection, field
select many_collection as collection, many_field as field
  from directus_relations where one_collection = $1::text and many_collection <> $1::text
 union
select t.relname::text, a.attname::text
  from pg_constraint k
  join pg_class t on t.oid = k.conrelid and t.relnamespace = 'public'::regnamespace and not t.relispartition
  join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[array_upper(k.conkey, 1)]
 where k.confrelid = to_regclass('public.' || quote_ident($1::text)) and k.contype = 'f' and k.conparentid = 0
   and k.conrelid <> k.confrelid
 order by 1, 2;

-- $2: Directus' meta of each of the collections $1. Omitted members get Directus' defaults. $3: whether they name their
-- folders, which may be among them.
-- name: ddl_collections_insert :write
insert into directus_collections (
       collection, icon, note, display_template, hidden, singleton, translations, archive_field,
       archive_app_filter, archive_value, unarchive_value, sort_field, accountability, color,
       item_duplication_fields, sort, "group", collapse, preview_url, versioning)
select n.collection, m.icon, m.note, m.display_template, coalesce(m.hidden, false), coalesce(m.singleton, false),
       m.translations, m.archive_field, coalesce(m.archive_app_filter, true), m.archive_value,
       m.unarchive_value, m.sort_field,
       case when n.meta::jsonb ? 'accountability' then m.accountability else 'all' end, m.color,
       m.item_duplication_fields, m.sort, case when $3::boolean then m."group" end, coalesce(m.collapse, 'open'),
       m.preview_url, coalesce(m.versioning, false)
  from unnest($1::text[], $2::text[]) with ordinality as n (collection, meta, place)
 cross join lateral jsonb_populate_record(null::directus_collections, n.meta::jsonb) m
 order by n.place;

-- name: ddl_collection_group :write
update directus_collections set "group" = $2::jsonb ->> 'group' where collection = $1::text;

-- The fields $2 of the collections $1, in their order. $3: meta of each; `special` is an array there and stored as a
-- comma-separated list. $4: 'next' for a field that gets the next place of its group if it names none; the n-th of them
-- comes n behind the highest place, of those that were there or that fields before it have named. $5: `special` of
-- fields that name none.
-- name: ddl_fields_insert :write
with given as (
    select n.collection, n.field, n.meta::jsonb as meta, n.sorting, n.special, n.place
      from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) with ordinality
           as n (collection, field, meta, sorting, special, place)
), counted as (
    select g.collection, g.field, g.place, g.sorting, m.interface, m.options, m.display, m.display_options, m.readonly,
           m.hidden, m.sort, m.width, m.translations, m.note, m.conditions, m.required, m."group", m.validation,
           m.validation_message,
           coalesce(case jsonb_typeof(g.meta -> 'special')
                    when 'array' then (select nullif(string_agg(word, ','), '')
                                         from jsonb_array_elements_text(g.meta -> 'special') word)
                    when 'string' then nullif(g.meta ->> 'special', '') end, g.special) as special,
           count(*) filter (where m.sort is null and g.sorting = 'next')
               over (partition by g.collection, m."group" order by g.place) as nth
      from given g
     cross join lateral jsonb_populate_record(null::directus_fields, g.meta - 'special' - 'id') m
)
insert into directus_fields (
       collection, field, special, interface, options, display, display_options, readonly, hidden,
       sort, width, translations, note, conditions, required, "group", validation, validation_message)
select c.collection, c.field, c.special, c.interface, c.options, c.display, c.display_options,
       coalesce(c.readonly, false), coalesce(c.hidden, false),
       case when c.sort is null and c.sorting = 'next' then
           c.nth + greatest((select coalesce(max(f.sort), 0) from directus_fields f
                              where f.collection = c.collection and f."group" is not distinct from c."group"),
                            max(c.sort - c.nth) over (partition by c.collection, c."group" order by c.place))
       else c.sort end,
       coalesce(c.width, 'full'), c.translations, c.note, c.conditions, coalesce(c.required, false),
       c."group", c.validation, c.validation_message
  from counted c
 order by c.place;

-- A separate statement, because existing Directus databases may be too old for the column.
-- name: ddl_fields_searchable :write
update directus_fields f set searchable = $3
  from unnest($1::text[], $2::text[]) as n (collection, field)
 where f.collection = n.collection and f.field = n.field;

-- $4: meta of each. A list of allowed collections is an array too.
-- name: ddl_relations_insert :write
insert into directus_relations (
       many_collection, many_field, one_collection, one_field, one_collection_field,
       one_allowed_collections, junction_field, sort_field, one_deselect_action)
select n.collection, n.field, n.related, m.one_field, m.one_collection_field,
       case jsonb_typeof(n.meta::jsonb -> 'one_allowed_collections')
            when 'array' then (select nullif(string_agg(name, ','), '')
                                 from jsonb_array_elements_text(n.meta::jsonb -> 'one_allowed_collections') name)
            when 'string' then nullif(n.meta::jsonb ->> 'one_allowed_collections', '') end,
       m.junction_field, m.sort_field, coalesce(m.one_deselect_action, 'nullify')
  from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality as n (collection, field, related, meta, place)
 cross join lateral jsonb_populate_record(null::directus_relations, n.meta::jsonb - 'one_allowed_collections' - 'id') m
 order by n.place;

-- All facts for creating the relations from $1.$2 to $3, a row each. `target_key`: its only key column. `is_indexed`: by
-- an index that is not a relation's own, as in apply_field_indexes.
-- name: ddl_relation_facts :read
-- returns: has_collection, has_field, is_column, has_relation, has_foreign_key, has_target, own_key, target_key, key_type, field_type, site_column, target_site_column, target_shared, special, is_tracked, has_companion, target_keyed_by_site, is_indexed
select many.oid is not null or exists (select from directus_collections where collection = n.collection) as has_collection,
       near.attname is not null or tracked.field is not null as has_field,
       near.attname is not null as is_column,
       exists (select from directus_relations where many_collection = n.collection and many_field = n.field) as has_relation,
       exists (select from pg_constraint k
                where k.contype = 'f' and k.conrelid = many.oid and k.confrelid = one.oid
                  and k.conkey[array_upper(k.conkey, 1)] = near.attnum) as has_foreign_key,
       one.oid is not null as has_target,
       (select a.attname::text from pg_index p join pg_attribute a on a.attrelid = p.indrelid and a.attnum = p.indkey[0]
         where p.indrelid = many.oid and p.indisprimary
           and (p.indnkeyatts = 1 or p.indnkeyatts = 2 and a.attname <> own.site_column)) as own_key,
       far.attname::text as target_key,
       format_type(far.atttypid, null) as key_type, format_type(near.atttypid, null) as field_type,
       own.site_column, target.site_column as target_site_column,
       coalesce(target.shared_read, false) as target_shared,
       tracked.special, tracked.field is not null as is_tracked,
       exists (select from directus_fields where collection = n.collection and field = n.field || '_site_id') as has_companion,
       coalesce(i.indnkeyatts = 2, false) as target_keyed_by_site,
       exists (select from pg_index p
                 join pg_class x on x.oid = p.indexrelid
                where p.indrelid = many.oid and not p.indisunique and not p.indisprimary and x.relname not like 'spark\_fk\_%'
                  and (n.collection not like 'directus\_%' or x.relname like '%\_index')
                  and (p.indnkeyatts = 1 and p.indkey[0] = near.attnum
                       or p.indnkeyatts = 2 and p.indkey[1] = near.attnum
                          and p.indkey[0] = (select a.attnum from pg_attribute a where a.attrelid = many.oid
                                                and a.attname = 'site_id' and not a.attisdropped))) as is_indexed
  from unnest($1::text[], $2::text[], $3::text[]) with ordinality as n (collection, field, related, place)
  left join pg_class many on many.relnamespace = 'public'::regnamespace and many.relname = n.collection and many.relkind in ('r', 'p')
  left join pg_attribute near on near.attrelid = many.oid and near.attname = n.field and near.attnum > 0 and not near.attisdropped
  left join lateral (select f.field, f.special from directus_fields f
                      where f.collection = n.collection and f.field = n.field limit 1) tracked on true
  left join pg_class one on one.relnamespace = 'public'::regnamespace and one.relname = n.related and one.relkind in ('r', 'p')
  left join spark.collections own on own.collection = n.collection
  left join spark.collections target on target.collection = n.related
  left join pg_attribute site on site.attrelid = one.oid and site.attname = target.site_column
  left join pg_index i on i.indrelid = one.oid and i.indisprimary
                      and (i.indnkeyatts = 1 or i.indnkeyatts = 2 and i.indkey[1] = site.attnum)
  left join pg_attribute far on far.attrelid = one.oid and far.attnum = i.indkey[0]
 order by n.place;

-- The schema as Directus' snapshot ------------------------------------------------------------------
--
-- json, not jsonb, because the order of the keys matters.

-- name: snapshot_collections :slow
-- returns: collection, meta, schema
select c.collection,
       json_build_object(
           'accountability', c.accountability, 'archive_app_filter', c.archive_app_filter,
           'archive_field', c.archive_field, 'archive_value', c.archive_value, 'collapse', c.collapse,
           'collection', c.collection, 'color', c.color, 'display_template', c.display_template,
           'group', c."group", 'hidden', c.hidden, 'icon', c.icon,
           'item_duplication_fields', c.item_duplication_fields, 'note', c.note,
           'preview_url', c.preview_url, 'singleton', c.singleton, 'sort', c.sort,
           'sort_field', c.sort_field, 'translations', c.translations,
           'unarchive_value', c.unarchive_value, 'versioning', c.versioning)::text as meta,
       case when t.oid is not null then '{"name":' || to_json(c.collection)::text || '}' end as schema
  from directus_collections c
  left join pg_class t on t.relnamespace = 'public'::regnamespace and t.relname = c.collection and t.relkind in ('r', 'p')
 where c.collection not like 'directus\_%'
 order by c.collection collate "C";

-- name: snapshot_fields :slow
-- returns: collection, field, type_oid, special, meta, schema
select f.collection, f.field, coalesce(d.type_oid, 0)::int8 as type_oid, f.special,
       json_build_object(
           'collection', f.collection, 'conditions', f.conditions, 'display', f.display,
           'display_options', f.display_options, 'field', f.field, 'group', f."group", 'hidden', f.hidden,
           'interface', f.interface, 'note', f.note, 'options', f.options, 'readonly', f.readonly,
           'required', coalesce(f.required, false),
           'searchable', coalesce(f.is_searchable, true), 'sort', f.sort,
           'special', to_json(string_to_array(f.special, ',')), 'translations', f.translations,
           'validation', f.validation, 'validation_message', f.validation_message, 'width', f.width)::text as meta,
       case when d.field is not null then json_build_object(
           'name', d.field, 'table', f.collection, 'data_type', d.data_type, 'default_value', d.default_value,
           'max_length', d.max_length, 'numeric_precision', d.numeric_precision, 'numeric_scale', d.numeric_scale,
           'is_nullable', d.is_nullable, 'is_unique', d.is_unique, 'is_indexed', d.is_indexed,
           'is_primary_key', d.is_primary_key, 'is_generated', d.is_generated,
           'generation_expression', d.generation_expression, 'has_auto_increment', d.has_auto_increment,
           'foreign_key_table', d.foreign_key_table, 'foreign_key_column', d.foreign_key_column)::text end as schema
  from (select true as searchable) absent -- what the name means where an old database has no such column
 cross join lateral (select m.*, searchable as is_searchable from directus_fields m) f
  left join spark.describe_columns(null) d on d.collection = f.collection and d.field = f.field
 where f.collection not like 'directus\_%'
   and exists (select from directus_collections c where c.collection = f.collection)
 order by f.collection collate "C", f.id;

-- System fields: only the indexes that Directus or its API have added to them.
-- name: snapshot_system_fields :slow
-- returns: collection, field, schema
select t.relname::text as collection, a.attname::text as field, '{"is_indexed":true}' as schema
  from pg_class t
  join pg_index i on i.indrelid = t.oid and not i.indisunique and i.indnkeyatts = 1 and i.indpred is null
  join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
  join pg_class x on x.oid = i.indexrelid and x.relname like '%\_index'
 where t.relnamespace = 'public'::regnamespace and t.relname like 'directus\_%' and t.relkind in ('r', 'p')
 group by t.relname, a.attname
 order by t.relname collate "C", a.attname collate "C";

-- $1, $2: a collection and a field, or null for all. `id` is part of the API's format, not of the snapshot.
-- name: snapshot_relations :slow
-- returns: collection, field, related, id, meta, schema
select r.many_collection as collection, r.many_field as field, r.one_collection as related, r.id,
       json_build_object(
           'junction_field', r.junction_field, 'many_collection', r.many_collection, 'many_field', r.many_field,
           'one_allowed_collections', to_json(string_to_array(r.one_allowed_collections, ',')),
           'one_collection', r.one_collection, 'one_collection_field', r.one_collection_field,
           'one_deselect_action', r.one_deselect_action, 'one_field', r.one_field, 'sort_field', r.sort_field)::text as meta,
       (select json_build_object(
                   'table', t.relname, 'column', a.attname, 'foreign_key_table', o.relname,
                   'foreign_key_column', b.attname, 'constraint_name', k.conname,
                   'on_update', case k.confupdtype when 'a' then 'NO ACTION' when 'r' then 'RESTRICT' when 'c' then 'CASCADE'
                                                   when 'n' then 'SET NULL' else 'SET DEFAULT' end,
                   'on_delete', case k.confdeltype when 'a' then 'NO ACTION' when 'r' then 'RESTRICT' when 'c' then 'CASCADE'
                                                   when 'n' then 'SET NULL' else 'SET DEFAULT' end)::text
          from pg_constraint k
          join pg_class t on t.oid = k.conrelid and t.relnamespace = 'public'::regnamespace
          join pg_class o on o.oid = k.confrelid
          join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[array_upper(k.conkey, 1)]
          join pg_attribute b on b.attrelid = k.confrelid and b.attnum = k.confkey[array_upper(k.confkey, 1)]
         where k.contype = 'f' and k.conparentid = 0 and t.relname = r.many_collection
           and a.attname = r.many_field and o.relname = r.one_collection
         order by k.oid limit 1) as schema
  from directus_relations r
 where r.many_collection not like 'directus\_%'
   and ($1::text is null or r.many_collection = $1::text) and ($2::text is null or r.many_field = $2::text)
 order by r.many_collection collate "C", r.id;

-- Bulk loads ----------------------------------------------------------------------------------------

-- The existing sites among $1.
-- name: bulk_sites :write
-- returns: id
select id from sites where id = any ($1::uuid[]) for key share;

-- After the commit that filled a collection: refreshes the statistics behind cached plans. Null: of all tables.
-- name: statistics_of_collection :write
select spark.analyze_young($1::text);

-- Types of columns whose text only PostgreSQL can validate.
-- name: bulk_types :read
-- returns: field, type
select a.attname::text as field, format_type(a.atttypid, a.atttypmod) as type
  from pg_attribute a
  join pg_class c on c.oid = a.attrelid
 where c.relnamespace = 'public'::regnamespace and c.relname = $1 and a.attnum > 0 and not a.attisdropped;
