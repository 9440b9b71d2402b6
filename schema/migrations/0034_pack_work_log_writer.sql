-- The work log is written by spark.audit and by nothing else: a line cannot be forged through /items, a
-- bulk load or a statement of an extension.

set local client_min_messages = warning;
set local role spark_owner;

create or replace function spark.refuse_changed_log() returns trigger
language plpgsql as $$
begin
    if current_user in ('spark_tenant', 'spark_platform') then
        raise exception 'permission denied: the work log is written by spark.audit, and only grows'
            using errcode = 'insufficient_privilege';
    end if;
    return null;
end
$$;
create trigger spark_one_writer before insert on work_log
    for each statement execute function spark.refuse_changed_log();
revoke insert on work_log from spark_tenant;

-- spark.audit runs as the owner, whom row security holds as well; it has asked for whose site it is.
create policy audit_writer on work_log for insert to spark_owner with check (true);

update spark.collections set read_only = true where collection = 'work_log';
update spark.collections set audited = true where collection in ('sites', 'forms', 'globals');
select spark.raise_epoch();
