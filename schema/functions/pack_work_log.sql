-- The work log only grows.

-- What was written stays as it was: neither lane changes or removes a line. The owner does: retention
-- drops months, and the lines of a removed site pass to the library. A trigger, because the platform
-- has its rights on all tables of the schema at once.
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
