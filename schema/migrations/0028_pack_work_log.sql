-- The work log as an audit: who acted, from where. `status` says how it ended (done, refused, failed).

set local client_min_messages = warning;

insert into directus_fields (collection, field, interface, readonly, hidden, sort, width)
select 'work_log', n.field, 'input', false, false, n.sort, 'half'
  from (values ('actor', 50), ('ip', 51)) n (field, sort)
 where not exists (select from directus_fields f where f.collection = 'work_log' and f.field = n.field);

set local role spark_owner;

alter table work_log add column actor varchar(20);
alter table work_log add column ip varchar(45);

-- The platform's pages, in the order of their cursor; a site's come from the primary key.
drop index work_log_timestamp;
create index work_log_newest on work_log (timestamp desc, id desc);

-- What was written stays as it was: neither lane changes or removes a line. The owner does: retention
-- drops months, and the lines of a removed site pass to the library. A trigger, because the platform
-- has its rights on all tables of the schema at once.
create function spark.refuse_changed_log() returns trigger
language plpgsql as $$
begin
    if current_user in ('spark_tenant', 'spark_platform') then
        raise exception 'permission denied: the work log only grows' using errcode = 'insufficient_privilege';
    end if;
    return null;
end
$$;
create trigger spark_only_grows before update or delete or truncate on work_log
    for each statement execute function spark.refuse_changed_log();
revoke update, delete on work_log from spark_tenant;

select spark.ensure_partitions('work_log');
