-- Prints the DDL that makes plain copies of the tables of the data set: same columns, types, column
-- compression, defaults, keys and indexes; no row security, no triggers, no function of Spark; the
-- key is id alone, for a copy has no sites to keep apart. What is measured beside Spark works on these.

with tables as (
    select c.oid, c.relname, array_position(array['sites', 'authors', 'posts', 'topics', 'topic_notes', 'topic_marks', 'stories', 'tags', 'stories_tags'], c.relname::text) as step
      from pg_class as c
     where c.oid = any (array['sites'::regclass, 'authors'::regclass, 'posts'::regclass,
                              'topics'::regclass, 'topic_notes'::regclass, 'topic_marks'::regclass,
                              'stories'::regclass, 'tags'::regclass, 'stories_tags'::regclass])
), columns as (
    select t.oid,
           string_agg(format('%I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                             case a.attcompression when 'l' then ' compression lz4'
                                                   when 'p' then ' compression pglz' else '' end,
                             case when a.attnotnull then ' not null' else '' end,
                             case when pg_get_expr(d.adbin, d.adrelid) like '%spark.%' then ''
                                  else coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') end),
                      ', ' order by a.attnum) as list
      from tables as t
      join pg_attribute as a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef as d on d.adrelid = t.oid and d.adnum = a.attnum and a.attgenerated = ''
     group by t.oid
)
select line
  from (
    select 1 as part, t.step, format('create table %I (%s);', t.relname, c.list) as line
      from tables as t join columns as c using (oid)
    union all
    select 2, t.step, format('alter table %I add primary key (id);', t.relname) from tables as t
    union all
    select 3, t.step, pg_get_indexdef(i.indexrelid) || ';'
      from tables as t join pg_index as i on i.indrelid = t.oid and not i.indisprimary
    union all
    select 4, 1, 'alter table authors add foreign key (site_id) references sites (id);'
    union all
    select 4, 2, 'alter table posts add foreign key (site_id) references sites (id);'
    union all
    select 4, 3, 'alter table posts add foreign key (author) references authors (id);'
    union all
    select 4, 4, 'alter table stories add foreign key (author) references authors (id);'
    union all
    select 4, 5, 'alter table stories_tags add foreign key (story) references stories (id), add foreign key (tag) references tags (id);'
  ) as lines
 order by part, step, line;
