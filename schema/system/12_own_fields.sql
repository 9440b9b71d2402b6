-- Which columns and tracked fields came with the platform: those stay, whoever asks. What people
-- add beside them, in the platform's own collections too, is theirs to remove.

set local client_min_messages = warning;
set local role spark_owner;
select set_config('spark.scope', 'platform', true);

create table spark.own_fields (
    collection text not null,
    field text not null,
    primary key (collection, field)
);
grant select on spark.own_fields to spark_platform;

-- Called at the end of every migration (core/io/migrate.c), in its transaction: what is new there
-- belongs to the platform. The system's tables of an opened database may not be ours to read; they
-- cannot be changed by name anyway.
create function spark.claim_fields() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into spark.own_fields (collection, field)
    select c.relname, a.attname
      from pg_attribute a join pg_class c on c.oid = a.attrelid
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
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
revoke execute on function spark.claim_fields() from public;

-- What was there before this file: the pack's tables by name, where the pack is, without the fields
-- that the work log says were added through the API.
do $$
declare
    own constant text[] := '{article_links,article_templates,authors,avatar_intelligence,avatar_variants,'
        'campaign_masters,campaigns,cartesian_patterns,content_fragments,content_modules,conversions,events,'
        'form_submissions,forms,generated_articles,generation_jobs,geo_clusters,geo_intelligence,geo_locations,'
        'globals,headline_inventory,hub_pages,image_templates,leads,link_targets,locations_cities,'
        'locations_counties,locations_states,navigation,newsletter_subscribers,offer_blocks,page_blocks,pages,'
        'pageviews,posts,production_queue,quality_flags,queue_items,site_analytics,sites,spintax_dictionaries,work_log}';
begin
    if to_regclass('public.work_log') is null or to_regclass('public.sites') is null then
        return;
    end if;
    insert into spark.own_fields (collection, field)
    select known.collection, known.field
      from (select c.relname::text as collection, a.attname::text as field
              from pg_attribute a join pg_class c on c.oid = a.attrelid
             where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
               and a.attnum > 0 and not a.attisdropped
            union
            select collection, field from public.directus_fields) known
     where known.collection = any (own)
       and not exists (select from public.work_log l
                        where l.action = 'field_created' and l.entity_id = known.collection || '.' || known.field);
end
$$;
