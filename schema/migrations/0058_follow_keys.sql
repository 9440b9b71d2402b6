-- spark.follow_key moves the sequences of key columns, also of tables that belong to somebody else.

do $grants$
declare
    sequence regclass;
begin
    for sequence in
        select c.oid from pg_class c
         where c.relnamespace = 'public'::regnamespace and c.relkind = 'S' and c.relowner <> 'spark_owner'::regrole
           and not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype = 'e')
    loop
        execute format('grant usage, select, update on sequence %s to spark_owner', sequence);
    end loop;
end
$grants$;
alter default privileges in schema public grant usage, select, update on sequences to spark_owner;
