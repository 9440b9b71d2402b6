-- What changes of the schema leave in directus_activity and directus_revisions: that of the rows of directus_collections and
-- directus_fields, as Directus keeps it. It keeps nothing of directus_relations.

-- Rows that were made or changed (action: create or update), in their order: the fields of collections, or collections where
-- the field is null. given: their meta in the body. A new row's revision holds what was given, without references to other
-- rows; that of a changed one the row, and what was given as what changed.
-- name: ddl_history :write
-- params: action text, collections text[], fields text[], given text[], user arg, ip arg, user_agent arg, origin arg
with told as materialized (
       select nextval('public.directus_activity_id_seq') as activity, r.*
         from (select case when n.field is null then 'directus_collections' else 'directus_fields' end as collection,
                      coalesce(f.id::text, c.collection) as item, n.given::jsonb - 'id' - 'tenant' as given,
                      case when f.id is null then jsonb_build_object('collection', n.collection)
                      else jsonb_build_object('field', n.field) end as name,
                      case when f.id is null then to_jsonb(c) else to_jsonb(f) || jsonb_build_object('special',
                                string_to_array(f.special, ',')) end as now,
                      f.id is not null as is_field
                 from unnest(:collections::text[], :fields::text[], :given::text[]) with ordinality
                      as n (collection, field, given, place)
                 left join directus_fields f on f.collection = n.collection and f.field = n.field
                 left join directus_collections c on n.field is null and c.collection = n.collection
                where f.id is not null or c.collection is not null
                order by n.place) r),
     act as (insert into directus_activity (id, action, "user", collection, ip, user_agent, origin, item)
             select activity, :action, :user::uuid, collection, :ip::text, :user_agent::text, :origin::text, item from told),
     rev as (select t.*, case when :action = 'update' then t.now - 'group' - case when is_field then 'collection' else '' end
                         else t.given - 'collection' - 'group' || t.name ||
                              jsonb_strip_nulls(jsonb_build_object('sort', t.now -> 'sort')) ||
                              case when t.now ->> 'special' is null then '{}'
                              else jsonb_build_object('special', t.now -> 'special') end end as data,
                    case when t.is_field then jsonb_build_object('collection', t.now -> 'collection') || t.name
                    else '{}' end as named
               from told t)
insert into directus_revisions (activity, collection, item, data, delta)
select activity, collection, item, data, case when :action = 'update' then named || given else data end from rev;

-- Rows that are about to go: of a field the other side of its relation, then itself; else the collection, its fields, then
-- the other sides of their relations.
-- name: ddl_history_gone :write
-- params: collection text, field text?, user arg, ip arg, user_agent arg, origin arg
insert into directus_activity (action, "user", collection, ip, user_agent, origin, item)
select 'delete', :user::uuid, g.collection, :ip::text, :user_agent::text, :origin::text, g.item
  from (select 'directus_collections' as collection, collection::text as item, 1 as place, 0 as id
          from directus_collections where collection = :collection and :field::text is null
         union all
        select 'directus_fields', f.id::text, case when :field::text is null then 4 else 2 end, f.id from directus_relations r
          join directus_fields f on f.collection = r.one_collection and f.field = r.one_field
         where r.many_collection = :collection
           and case when :field::text is null then f.collection <> :collection else r.many_field = :field end
         union all
        select 'directus_fields', id::text, 3, id
          from directus_fields where collection = :collection and field = coalesce(:field::text, field)) g
 order by g.place, g.id;
