-- Applies a schema snapshot: facts for the diff, and changes of existing metadata. On the platform lane, in one
-- transaction with the DDL.

-- name: apply_own :read
-- returns: collection, field
select collection, field from spark.own_fields;

-- $2: meta; members that it omits stay unchanged.
-- name: apply_collection_meta :write
update directus_collections c
   set icon = m.icon, note = m.note, display_template = m.display_template, hidden = coalesce(m.hidden, false),
       singleton = coalesce(m.singleton, false), translations = m.translations, archive_field = m.archive_field,
       archive_app_filter = coalesce(m.archive_app_filter, true), archive_value = m.archive_value,
       unarchive_value = m.unarchive_value, sort_field = m.sort_field, accountability = m.accountability,
       color = m.color, item_duplication_fields = m.item_duplication_fields, sort = m.sort, "group" = m."group",
       collapse = coalesce(m.collapse, 'open'), preview_url = m.preview_url, versioning = coalesce(m.versioning, false)
  from directus_collections d, jsonb_populate_record(d, $2::jsonb - 'collection') m
 where d.collection = $1::text and c.collection = d.collection;

-- The fields $2 of the collections $1. $3: meta of each, as above.
-- name: apply_field_meta :write
update directus_fields f
   set special = case when not m.given ? 'special' then m.old_special
                      when jsonb_typeof(m.given -> 'special') = 'array'
                      then (select nullif(string_agg(word, ','), '') from jsonb_array_elements_text(m.given -> 'special') word)
                      else nullif(m.given ->> 'special', '') end,
       interface = m.interface, options = m.options, display = m.display, display_options = m.display_options,
       readonly = coalesce(m.readonly, false), hidden = coalesce(m.hidden, false), sort = m.sort,
       width = coalesce(m.width, 'full'), translations = m.translations, note = m.note, conditions = m.conditions,
       required = coalesce(m.required, false), "group" = m."group", validation = m.validation,
       validation_message = m.validation_message
  from (select d.id as old_id, d.special as old_special, n.meta::jsonb as given, p.*
          from unnest($1::text[], $2::text[], $3::text[]) as n (collection, field, meta)
          join directus_fields d on d.collection = n.collection and d.field = n.field
         cross join lateral jsonb_populate_record(d, n.meta::jsonb - 'special' - 'id' - 'collection' - 'field') p) m
 where f.id = m.old_id;

-- name: apply_relation_meta :write
update directus_relations r
   set one_field = m.one_field, one_collection_field = m.one_collection_field,
       one_allowed_collections = case when not $3::jsonb ? 'one_allowed_collections' then d.one_allowed_collections
            when jsonb_typeof($3::jsonb -> 'one_allowed_collections') = 'array'
            then (select nullif(string_agg(name, ','), '') from jsonb_array_elements_text($3::jsonb -> 'one_allowed_collections') name)
            else nullif($3::jsonb ->> 'one_allowed_collections', '') end,
       junction_field = m.junction_field, sort_field = m.sort_field,
       one_deselect_action = coalesce(m.one_deselect_action, 'nullify')
  from directus_relations d,
       jsonb_populate_record(d, $3::jsonb - 'one_allowed_collections' - 'id' - 'many_collection' - 'many_field' - 'one_collection') m
 where d.many_collection = $1::text and d.many_field = $2::text and r.id = d.id;

-- name: apply_relation_forget :write
delete from directus_relations where many_collection = $1 and many_field = $2;

-- What others say of a collection that goes: the other sides of its relations, folders that it was, lists of
-- collections that it was in.
-- name: apply_collection_unlink :write
with far_ends as (
    delete from directus_fields f using directus_relations r
     where r.many_collection = $1 and f.collection = r.one_collection and f.field = r.one_field and f.collection <> $1
), members as (
    update directus_collections set "group" = null where "group" = $1
)
update directus_relations
   set one_allowed_collections = nullif(array_to_string(array_remove(string_to_array(one_allowed_collections, ','), $1), ','), '')
 where many_collection <> $1 and $1 = any (string_to_array(one_allowed_collections, ','));

-- name: apply_collection_forget :write
with fields as (
    delete from directus_fields where collection = $1
), relations as (
    delete from directus_relations where many_collection = $1 or one_collection = $1
), permissions as (
    delete from directus_permissions where collection = $1
), presets as (
    delete from directus_presets where collection = $1
), orphans as (
    update directus_revisions set parent = null
     where collection <> $1 and parent in (select id from directus_revisions where collection = $1)
), revisions as (
    delete from directus_revisions where collection = $1
), activity as (
    delete from directus_activity where collection = $1
)
delete from directus_collections where collection = $1;

-- The constraints and triggers that keep a relation within its site or the library.
-- name: apply_relation_keys :read
-- returns: constraint_name
select k.conname::text as constraint_name
  from pg_constraint k
  join pg_attribute a on a.attrelid = k.conrelid and a.attname = $2::text
 where k.conrelid = to_regclass('public.' || quote_ident($1::text))
   and (k.contype = 'f' and k.conkey[array_upper(k.conkey, 1)] = a.attnum
        or k.conname in ($1::text || '_' || $2::text || '_pair', $1::text || '_' || $2::text || '_tenant'));

-- Indexes on one field, or on the site and the field; a unique constraint within a site is on (field, site).
-- Without those that a relation made for its foreign key.
-- name: apply_field_indexes :read
-- returns: index_name, constraint_name, is_unique
select c.relname::text as index_name, k.conname::text as constraint_name, i.indisunique as is_unique
  from pg_index i
  join pg_class c on c.oid = i.indexrelid
  join pg_attribute a on a.attrelid = i.indrelid and a.attname = $2::text
  left join pg_attribute site on site.attrelid = i.indrelid and site.attname = 'site_id' and not site.attisdropped
  left join pg_constraint k on k.conindid = i.indexrelid and k.contype = 'u'
 where i.indrelid = to_regclass('public.' || quote_ident($1::text)) and not i.indisprimary
   and c.relname not like 'spark\_fk\_%' and ($1 not like 'directus\_%' or c.relname like '%\_index')
   and (i.indnkeyatts = 1 and i.indkey[0] = a.attnum
        or i.indnkeyatts = 2 and not i.indisunique and i.indkey[0] = site.attnum and i.indkey[1] = a.attnum
        or i.indnkeyatts = 2 and i.indisunique and i.indkey[0] = a.attnum and i.indkey[1] = site.attnum);
