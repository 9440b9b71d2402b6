-- What the catalogs say of collections, in the terms of Directus' API.

-- A default as a value: the constant if it is a literal, otherwise its expression. Numbers and JSON keep their type.
create or replace function spark.default_value(expression text, type oid) returns json
language sql immutable parallel safe as $$
select case
       when expression is null or expression ~* '^null(::|$)' then null
       when expression in ('true', 'false') or expression ~ '^-?[0-9]+(\.[0-9]+)?$' then expression::json
       when literal.text is null then to_json(expression)
       when type in ('json'::regtype, 'jsonb'::regtype) then literal.text::json
       when type in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'float4'::regtype, 'float8'::regtype, 'numeric'::regtype)
            and literal.text ~ '^-?[0-9]+(\.[0-9]+)?$' then literal.text::json
       else to_json(literal.text) end
  from (select replace(substring(expression from
                       '^''((?:[^'']|'''')*)''(?:::[a-z "]+(?:\([0-9]+\))?(?:[a-z ]+)?)?$'), '''''', '''') as text) literal
$$;

-- The columns of the tables of `public`, or of one. An index that a relation made for its foreign key (spark_fk_…) is
-- not the field's; of the indexes of system tables only those are that Directus and its API name (…_index). Includes indexes that begin with the site, as all on a tenant-owned
-- table do; a unique constraint within a site is on (field, site). The site column of a system table is hidden.
create or replace function spark.describe_columns(only_table text)
returns table (
    collection text, field text, attnum int2, type_oid oid, data_type text, default_value json, generation_expression text,
    max_length int4, numeric_precision int4, numeric_scale int4, is_generated boolean, is_nullable boolean,
    is_unique boolean, is_indexed boolean, is_primary_key boolean, has_auto_increment boolean,
    foreign_key_schema text, foreign_key_table text, foreign_key_column text, comment text)
language sql stable parallel safe rows 5000 as $$
with tables as (
    select c.oid, c.relname::text as name,
           (select a.attnum from pg_attribute a
             where a.attrelid = c.oid and a.attname = coalesce(t.site_column, 'site_id') and not a.attisdropped) as site,
           t.site_column is not null and c.relname like 'directus\_%' as hides_site
      from pg_class c
      left join spark.collections t on t.collection = c.relname
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and (only_table is null or c.relname = only_table) and has_table_privilege(c.oid, 'select')
), indexes as (
    select i.indrelid as oid, i.indkey[(i.indnkeyatts = 2 and not i.indisunique)::int] as attnum,
           bool_or(i.indisunique) as is_unique, bool_or(not i.indisunique) as is_indexed,
           bool_or(i.indisprimary) as is_primary
      from tables t
      join pg_index i on i.indrelid = t.oid
      join pg_class x on x.oid = i.indexrelid
     where x.relname not like 'spark\_fk\_%' and (t.name not like 'directus\_%' or i.indisunique or x.relname like '%\_index')
       and i.indpred is null and (i.indnkeyatts = 1 or i.indnkeyatts = 2 and i.indkey[i.indisunique::int] = t.site)
     group by 1, 2
), keys as (
    select distinct on (1, 2) k.conrelid as oid, k.conkey[array_upper(k.conkey, 1)] as attnum,
           f.relnamespace::regnamespace::text as schema, f.relname::text as target, a.attname::text as target_column
      from tables t
      join pg_constraint k on k.conrelid = t.oid and k.contype = 'f' and k.conparentid = 0
      join pg_class f on f.oid = k.confrelid
      join pg_attribute a on a.attrelid = k.confrelid and a.attnum = k.confkey[array_upper(k.confkey, 1)]
     order by 1, 2, k.oid
)
select t.name, a.attname::text, a.attnum, coalesce(nullif(ty.typbasetype, 0), a.atttypid), format_type(a.atttypid, null),
       case when d.expression <> 'spark.current_site()' and a.attgenerated = '' then spark.default_value(d.expression, a.atttypid) end,
       case when a.attgenerated <> '' then d.expression end,
       case when a.atttypid in ('varchar'::regtype, 'bpchar'::regtype) and a.atttypmod > 4 then a.atttypmod - 4 end,
       case a.atttypid when 'int2'::regtype then 16 when 'int4'::regtype then 32 when 'int8'::regtype then 64
                       when 'float4'::regtype then 24 when 'float8'::regtype then 53
                       when 'numeric'::regtype then case when a.atttypmod > 4 then ((a.atttypmod - 4) >> 16) & 65535 end end,
       case when a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) then 0
            when a.atttypid = 'numeric'::regtype and a.atttypmod > 4 then (a.atttypmod - 4) & 2047 end,
       a.attgenerated <> '', not a.attnotnull, coalesce(ix.is_unique, false), coalesce(ix.is_indexed, false),
       coalesce(ix.is_primary, false), a.attidentity <> '' or coalesce(d.expression like 'nextval(%', false),
       fk.schema, fk.target, fk.target_column, note.description
  from tables t
  join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and not (t.hides_site and a.attnum = t.site)
  join pg_type ty on ty.oid = a.atttypid
  left join (select adrelid, adnum, pg_get_expr(adbin, adrelid) as expression from pg_attrdef) d
         on a.atthasdef and d.adrelid = a.attrelid and d.adnum = a.attnum
  left join indexes ix on ix.oid = t.oid and ix.attnum = a.attnum
  left join keys fk on fk.oid = t.oid and fk.attnum = a.attnum
  left join pg_description note on note.classoid = 'pg_class'::regclass and note.objoid = t.oid and note.objsubid = a.attnum
$$;

-- The actions of a foreign key by their letters in pg_constraint.
create or replace function spark.key_action(letter "char") returns text
language sql immutable parallel safe
return case letter when 'a' then 'NO ACTION' when 'r' then 'RESTRICT' when 'c' then 'CASCADE'
                   when 'n' then 'SET NULL' else 'SET DEFAULT' end;

-- The foreign keys of `public` that a relation may be, or those of one table. Of a pair with the site, its other half.
create or replace function spark.describe_keys(only_table text)
returns table (
    constraint_name text, "table" text, "column" text, foreign_key_schema text, foreign_key_table text,
    foreign_key_column text, on_update text, on_delete text, key_oid oid)
language sql stable parallel safe rows 1000 as $$
select distinct on (t.relname, a.attname, f.relname)
       k.conname::text, t.relname::text, a.attname::text, f.relnamespace::regnamespace::text, f.relname::text,
       b.attname::text, spark.key_action(k.confupdtype), spark.key_action(k.confdeltype), k.oid
  from pg_class t
  join pg_constraint k on k.conrelid = t.oid and k.contype = 'f' and k.conparentid = 0
  join pg_class f on f.oid = k.confrelid
  join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[array_upper(k.conkey, 1)]
  join pg_attribute b on b.attrelid = k.confrelid and b.attnum = k.confkey[array_upper(k.confkey, 1)]
 where t.relnamespace = 'public'::regnamespace and not t.relispartition and (only_table is null or t.relname = only_table)
 order by t.relname, a.attname, f.relname, k.oid
$$;
