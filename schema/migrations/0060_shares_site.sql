-- functions: shares site
-- A share reaches rows of its own site alone, and no more than its creator may read.
set local client_min_messages = warning;

drop function if exists spark.share_reach(uuid);

-- The shares whose creator was deleted or taken away. Without this, their user_created is that of a share that a token
-- without a user made, which nobody bounds.
create table if not exists spark.share_orphans (
    share uuid primary key references public.directus_shares (id) on delete cascade
);
alter table spark.share_orphans owner to spark_owner;
grant select, references on public.directus_shares to spark_owner;
grant select on spark.share_orphans to spark_platform;
create or replace trigger spark_share_creator after update of user_created on public.directus_shares for each row
    when (old.user_created is distinct from new.user_created) execute function spark.share_loses_creator();

-- Shares and versions that the platform made of an item of a site belong to that site. Where two sites have a row with the
-- key, nobody knows which one was meant; then they reach neither.
set local spark.scope = 'platform';
do $$
declare
    one record;
    found uuid[];
begin
    for one in select 'directus_shares' as owner, s.id, s.collection, s.item, k.field, k.type, t.site_column
                 from public.directus_shares s join spark.collections t on t.collection = s.collection
                cross join lateral spark.key_of_table(s.collection) k where s.site_id is null and k.field is not null
               union all
               select 'directus_versions', v.id, v.collection, v.item, k.field, k.type, t.site_column
                 from public.directus_versions v join spark.collections t on t.collection = v.collection
                cross join lateral spark.key_of_table(v.collection) k where v.site_id is null and k.field is not null
    loop
        begin
            execute format('select array_agg(%I) from public.%I where %I = $1::%s', one.site_column, one.collection, one.field, one.type)
               into found using one.item;
        exception when data_exception or insufficient_privilege then
            continue; -- the item was never a key, or the row is not ours to see
        end;
        if cardinality(found) = 1 and found[1] <> spark.library_site() then
            execute format('update public.%I set site_id = $1 where id = $2', one.owner) using found[1], one.id;
        end if;
    end loop;
end
$$;
