-- The work log only grows.

-- Entries are immutable: neither lane may change or delete one. Only the owner may: retention drops months, and
-- the entries of a deleted site pass to the library. Enforced by a trigger, because the platform role has all
-- rights on the tables of the schema.
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
