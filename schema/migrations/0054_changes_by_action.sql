-- functions: changes
--
-- A trigger function for each action, which notes one row without an aggregate.

set local client_min_messages = warning;

-- sites last: every request reads it.
do $watch$
declare
    target regclass;
begin
    for target in
        select c.oid from pg_class c
         where exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'spark_change_insert')
         order by c.relname = 'sites', c.relname
    loop
        perform spark.watch_table(target);
    end loop;
end
$watch$;

drop function if exists spark.note_change();
