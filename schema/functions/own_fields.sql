-- Fields that came with the platform (docs/decisions/0020-what-came-with-the-platform-stays.md).

-- Called at the end of every migration (core/io/pg/migrate.c), in its transaction: new fields belong to the
-- platform. In an existing Directus database the owner may lack rights on the system tables; fields of those
-- cannot be changed through the API anyway.
create or replace function spark.claim_fields() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into spark.own_fields (collection, field)
    select c.relname, a.attname
      from pg_attribute a join pg_class c on c.oid = a.attrelid
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and c.relname not like 'directus\_%'
       and a.attnum > 0 and not a.attisdropped and a.xmin = pg_current_xact_id()::xid
    on conflict do nothing;
    begin
        insert into spark.own_fields (collection, field)
        select f.collection, f.field from public.directus_fields f where f.xmin = pg_current_xact_id()::xid
        on conflict do nothing;
    exception when insufficient_privilege then
        null;
    end;
end
$$;
