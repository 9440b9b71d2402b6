-- References that may point into the library.

-- Adds the CHECK, foreign key, index and triggers of the pair to a table. `on_delete`: CASCADE or SET NULL.
create or replace function spark.add_library_reference(
    target regclass, reference name, reference_site name, referenced regclass,
    referenced_column name default 'id', on_delete text default 'set null')
returns void language plpgsql as $$
declare
    prefix constant text := (select relname from pg_class where oid = target) || '_' || reference;
    referenced_name constant text := (select relname from pg_class where oid = referenced);
    what text := on_delete;
begin
    if on_delete = 'set null' then
        what := format('set null (%I, %I)', reference_site, reference);
    end if;
    execute format('alter table %s add constraint %I check ((%I is null) = (%I is null))',
                   target, prefix || '_pair', reference, reference_site);
    execute format('alter table %s add constraint %I check (%I in (site_id, %L::uuid))',
                   target, prefix || '_tenant', reference_site, spark.library_site());
    execute format('alter table %s add constraint %I foreign key (%I, %I) references %s (site_id, %I) '
                   'on update cascade on delete %s',
                   target, prefix || '_foreign', reference_site, reference, referenced, referenced_column, what);
    execute format('create index on %s (%I, %I)', target, reference_site, reference);
    execute format('create trigger %I before insert on %s for each row when (new.%I is not null and new.%I is null) '
                   'execute function spark.fill_reference_site(%L, %L, %L, %L)',
                   'spark_fill_' || reference, target, reference, reference_site,
                   reference, reference_site, referenced_name, referenced_column);
    -- A client that changes only x leaves the old x_site_id behind.
    execute format('create trigger %I before update of %I on %s for each row '
                   'when (new.%2$I is distinct from old.%2$I and new.%4$I is not distinct from old.%4$I '
                   'or (new.%2$I is null) <> (new.%4$I is null)) '
                   'execute function spark.fill_reference_site(%5$L, %6$L, %7$L, %8$L)',
                   'spark_refill_' || reference, reference, target, reference_site,
                   reference, reference_site, referenced_name, referenced_column);
end
$$;

-- A reference that may point into the library is the pair (x_site_id, x). Clients only send x; this trigger sets
-- the other half: the row's own site if it has such a key, otherwise the library, for which the foreign key then
-- decides. Arguments: x, x_site_id, referenced table, referenced column. Code that writes many rows sends the
-- pair, and the trigger's WHEN then skips the call.
create or replace function spark.fill_reference_site() returns trigger
language plpgsql as $$
declare
    is_own boolean;
    site uuid;
begin
    execute format('select exists (select from %I where site_id = ($1).site_id and %I = ($1).%I)',
                   tg_argv[2], tg_argv[3], tg_argv[0])
       into is_own using new;
    execute format('select case when ($1).%I is null then null when $2 then ($1).site_id else $3 end', tg_argv[0])
       into site using new, is_own, spark.library_site();
    return jsonb_populate_record(new, jsonb_build_object(tg_argv[1], site));
end
$$;
