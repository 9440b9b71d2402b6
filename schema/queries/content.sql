-- The sources of the schema snapshot. Read in one sync group between two reads of the epoch, so that a change in
-- between is detected and the load starts again.

-- Tables of `public` with their columns. Partitions are accessed through their parents. The key (id, site_id) of a
-- tenant-owned table is reported as id; the site column is reported separately.
-- name: schema_columns :read
-- returns: collection, field, type_oid, max_length, is_nullable, has_default, is_generated, key_columns, is_own, indexed
with first_columns as ( -- 2: an index begins with the column; 1: with the column of the site, and then with this one
    select x.indrelid, x.attnum, max(x.rank) as rank
      from (select i.indrelid, i.indkey[0] as attnum, 2 as rank, i.indpred, i.indexrelid, i.indisvalid from pg_index i
            union all
            select i.indrelid, i.indkey[1], 1, i.indpred, i.indexrelid, i.indisvalid
              from pg_index i
              join pg_class c on c.oid = i.indrelid
              join spark.collections t on t.collection = c.relname
              join pg_attribute s on s.attrelid = i.indrelid and s.attname = t.site_column and s.attnum = i.indkey[0]
             where i.indnkeyatts > 1) x
      join pg_class ix on ix.oid = x.indexrelid
      join pg_am am on am.oid = ix.relam and am.amname = 'btree'
      join pg_attribute a on a.attrelid = x.indrelid and a.attnum = x.attnum
     where x.indisvalid
       and (x.indpred is null or pg_get_expr(x.indpred, x.indrelid) = format('(%I IS NOT NULL)', a.attname))
     group by x.indrelid, x.attnum)
select c.relname::text as collection, a.attname::text as field,
       coalesce(nullif(t.typbasetype, 0), a.atttypid)::int8 as type_oid,
       case when a.atttypid in (1042, 1043) and a.atttypmod > 4 then a.atttypmod - 4 else 0 end::int4 as max_length,
       not a.attnotnull as is_nullable,
       (a.atthasdef or a.attidentity <> '') as has_default,
       (a.attgenerated <> '' or a.attidentity = 'a') as is_generated,
       case when not a.attnum = any (i.indkey) or i.indkey is null then 0
            when i.indnkeyatts = 2 and i.indkey[1] = site.attnum then (a.attnum = i.indkey[0])::int
            else i.indnkeyatts end::int4 as key_columns,
       own.field is not null as is_own, coalesce(first_columns.rank, 0) as indexed
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
  left join pg_index i on i.indrelid = c.oid and i.indisprimary
  left join spark.collections owned on owned.collection = c.relname
  left join pg_attribute site on site.attrelid = c.oid and site.attname = owned.site_column
  left join spark.own_fields own on own.collection = c.relname and own.field = a.attname
  left join first_columns on first_columns.indrelid = c.oid and first_columns.attnum = a.attnum
 where c.relnamespace = 'public'::regnamespace
   and c.relkind in ('r', 'p') and not c.relispartition
   and has_table_privilege(c.oid, 'select')
 order by c.relname, a.attnum;

-- name: schema_fields :read
-- returns: collection, field, special, validation, is_searchable
select f.collection, f.field, f.special, f.validation, coalesce(f.searchable, true) as is_searchable
  from (select true as searchable) absent -- what the name means where an old database has no such column
 cross join lateral (select m.id, m.collection, m.field, m.special, m.validation::text as validation, m.sort, searchable
                       from directus_fields m) f
 order by f.collection, f.sort nulls last, f.id;

-- name: schema_relations :read
-- returns: many_collection, many_field, one_collection, one_field, collection_field, allowed, sort_field, deletes
select r.many_collection, r.many_field, r.one_collection, r.one_field, r.one_collection_field as collection_field,
       r.one_allowed_collections as allowed, r.sort_field, r.one_deselect_action = 'delete' as deletes
  from directus_relations r
  left join directus_fields f on f.collection = r.one_collection and f.field = r.one_field
 order by f.id nulls last, r.id; -- aliases come in the order of their fields

-- A pair (site, key) gives two rows; `keeps_site`: the key alone cannot leave its site, `site_field`: the column
-- with the other half.
-- name: schema_foreign_keys :read
-- returns: collection, field, target, target_field, keeps_site, site_field
select c.relname::text as collection, a.attname::text as field,
       f.relname::text as target, b.attname::text as target_field,
       exists (select from spark.collections t
                 join pg_attribute s on s.attrelid = k.confrelid and s.attname = t.site_column
                where t.collection = f.relname and s.attnum = any (k.confkey) and cardinality(k.confkey) > 1
              ) as keeps_site,
       (select n.attname::text
          from unnest(k.conkey, k.confkey) as half (many, one)
          join spark.collections t on t.collection = f.relname
          join pg_attribute s on s.attrelid = k.confrelid and s.attnum = half.one and s.attname = t.site_column
          join pg_attribute n on n.attrelid = k.conrelid and n.attnum = half.many
         where half.many <> pair.many) as site_field
  from pg_constraint k
  join pg_class c on c.oid = k.conrelid and c.relnamespace = 'public'::regnamespace and not c.relispartition
  join pg_class f on f.oid = k.confrelid and f.relnamespace = 'public'::regnamespace and not f.relispartition
 cross join lateral unnest(k.conkey, k.confkey) as pair (many, one)
  join pg_attribute a on a.attrelid = k.conrelid and a.attnum = pair.many
  join pg_attribute b on b.attrelid = k.confrelid and b.attnum = pair.one
 where k.contype = 'f'
 order by k.oid;

-- name: schema_collections :read
-- returns: collection, sort_field, accountability, is_singleton
select collection, sort_field, accountability, singleton as is_singleton from directus_collections;

-- name: schema_tenants :read
-- returns: collection, site_column, shared_read, site_optional, read_only, audited, keyed_by_site
select t.collection, t.site_column, t.shared_read, t.site_optional, t.read_only, t.audited,
       exists (select from pg_class c
                 join pg_attribute s on s.attrelid = c.oid and s.attname = t.site_column
                 join pg_index i on i.indrelid = c.oid and i.indisprimary and i.indnkeyatts > 1 and s.attnum = any (i.indkey)
                where c.relnamespace = 'public'::regnamespace and c.relname = t.collection) as keyed_by_site
  from spark.collections t;

-- name: schema_roles :read
-- returns: id, parent
select id, parent from directus_roles;

-- Activity and revisions of new rows. The ids of the revisions are taken from their sequence already; 0: no revision, no
-- parent. Rows of no site have the nil UUID, those of all sites the library's.
-- name: history_write :write
-- params: collections text[], items text[], sites uuid[], revisions int[], parents int[], data text[], user arg, ip arg,
--         user_agent arg, origin arg
with h as materialized (
       select nextval('public.directus_activity_id_seq') as activity, n.collection, n.item, nullif(n.revision, 0) as revision,
              nullif(n.parent, 0) as parent, n.data::json as data,
              nullif(nullif(n.site, '00000000-0000-7000-8000-000000000001'), '00000000-0000-0000-0000-000000000000') as site
         from unnest(:collections::text[], :items::text[], :sites::uuid[], :revisions::int8[], :parents::int8[], :data::text[])
              as n (collection, item, site, revision, parent, data)),
     act as (insert into directus_activity (id, action, "user", collection, ip, user_agent, origin, item, site_id)
             select activity, 'create', :user::uuid, collection, :ip::text, :user_agent::text, :origin::text, item, site from h)
insert into directus_revisions (id, activity, collection, item, data, delta, parent, site_id)
select revision, activity, collection, item, data, data, parent, site from h where revision is not null;

-- The revisions of rows that were written for another row get the revision of that row as their parent.
-- name: revisions_adopt :write
update directus_revisions set parent = adopted.parent
  from unnest((select $1::int8[]), (select $2::int8[])) as adopted (id, parent)
 where directus_revisions.id = adopted.id;

-- name: revision_site :read
-- returns: site_id
select site_id from directus_revisions where id = $1::text::int8;

-- The row takes the place of the target in the order of its collection.
-- name: items_move :write
-- params: collection text, order_column text, key_column text, site_column text?, moved text, target text
select spark.move_in_order(:collection, :order_column, :key_column, :site_column, :moved, :target);

-- What the columns of one table hold in a row of which nothing is said. Not of those that are counted or that PostgreSQL computes.
-- name: content_defaults :read
-- returns: field, value
select a.attname::text as field, spark.default_value(pg_get_expr(d.adbin, d.adrelid), a.atttypid)::text as value
  from pg_class c
  join pg_attrdef d on d.adrelid = c.oid
  join pg_attribute a on a.attrelid = c.oid and a.attnum = d.adnum and a.attgenerated = ''
 where c.relnamespace = 'public'::regnamespace and c.relname = $1
   and pg_get_expr(d.adbin, d.adrelid) <> 'spark.current_site()' and pg_get_expr(d.adbin, d.adrelid) not like 'nextval(%';
