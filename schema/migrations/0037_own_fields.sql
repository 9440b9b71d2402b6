-- Which columns and tracked fields came with the platform: those stay, whoever asks. What people
-- add beside them, in the platform's own collections too, is theirs to remove.

set local client_min_messages = warning;
set local role spark_owner;

create table spark.own_fields (
    collection text not null,
    field text not null,
    primary key (collection, field)
);
grant select on spark.own_fields to spark_platform;

-- Called at the end of every migration (core/io/pg/migrate.c), in its transaction: what is new there
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

-- What was there before this file, by name where the pack is: a list, because an older database does not
-- know any more which of its columns were added by people.
insert into spark.own_fields (collection, field)
select own.collection, field
  from (values
    ('article_links', 'anchor article_id batch_id date_created href id position site_id target_id'),
    ('article_templates', 'campaigns date_created date_updated description id is_default name site_id'
            ' structure_json'),
    ('authors', 'avatar bio date_created email id name posts site_id'),
    ('avatar_intelligence', 'avatar_key base_name business_niches data demographics id pain_points'
            ' psychographics site_id status tech_stack wealth_cluster'),
    ('avatar_variants', 'avatar_key avatar_site_id data id identity name prompt_modifier site_id status'
            ' tone_modifiers variant_type'),
    ('campaign_masters', 'article_template article_template_site_id articles avatar_key avatar_site_id'
            ' backdate_end backdate_start batch_count business_hours_only content_recipe'
            ' date_created date_updated fragments headline_cursor headline_spintax_root headlines'
            ' id jobs location_mode location_target name niche_variables queues site_id'
            ' spintax_title status target_article_count target_locations_filter target_word_count'
            ' test_batch_review_url test_batch_status time_jitter_minutes variant_type'
            ' velocity_mode weekend_throttle'),
    ('campaigns', 'batch_size config current_count date_created frequency id last_run max_articles name'
            ' next_run site_id status template template_site_id type'),
    ('cartesian_patterns', 'data date_created description example_output formula id name pattern_key'
            ' pattern_logic pattern_type site_id status'),
    ('content_fragments', 'campaign_id campaign_site_id content_body content_hash date_created fragment_type'
            ' id site_id status word_count'),
    ('content_modules', 'content_spintax date_created id is_active module_type name site_id usage_count'
            ' variables'),
    ('conversions', 'campaign conversion_type currency fbclid gclid id lead_id sent_to_facebook sent_to_google'
            ' site_id source timestamp value'),
    ('events', 'event_category event_label event_name event_value id ip_address metadata page_path session_id'
            ' site_id timestamp user_agent visitor_id'),
    ('form_submissions', 'conversion_id data data_hash date_created form_id id ip_address lead_id page_url'
            ' site_id status user_agent utm_campaign utm_medium utm_source'),
    ('forms', 'conversion_value date_created email_recipients fields id leads name redirect_url site_id slug'
            ' submissions submit_action success_message webhook_url'),
    ('generated_articles', 'approval assignee campaign_id campaign_site_id content date_created date_modified'
            ' date_published date_updated due_date featured_image featured_image_alt'
            ' featured_image_filename featured_image_svg generation_hash headline_id id'
            ' is_published is_test_batch job_id location_city location_county location_state'
            ' meta_description meta_title modules_used notes parent_hub_id priority provenance'
            ' publish_status published_at published_to_post published_url readability_score'
            ' schema_json seo_score site_id sitemap_status slug status sync_status title'
            ' uniqueness_score word_count word_count_status'),
    ('generation_jobs', 'articles attempts batch_size campaign_id campaign_site_id completed_at config'
            ' current_offset date_created date_updated error filters id jobs_done jobs_failed'
            ' jobs_total priority progress site_id started_at status target_quantity type'),
    ('geo_clusters', 'cluster_key cluster_name data description id locations site_id state'),
    ('geo_intelligence', 'city cluster_key country county data id is_active keywords latitude local_modifiers'
            ' longitude median_income neighborhood population site_id state status zip_code'),
    ('geo_locations', 'city cluster_id cluster_site_id coordinates id neighborhood population site_id state'
            ' zip_focus'),
    ('globals', 'favicon footer_text id logo primary_color scripts_body scripts_head secondary_color site_id'
            ' site_name site_tagline social_links theme_settings'),
    ('headline_inventory', 'campaign_id campaign_site_id date_created final_title_text headline_text id'
            ' is_used location_data reserved_by reserved_until site_id status text_hash'
            ' used_on_article'),
    ('hub_pages', 'articles articles_count children description id level parent_id schema_json site_id'
            ' sitemap_status slug slug_pattern sort_order title title_template'),
    ('image_templates', 'accent_color date_created font_family gradient_end gradient_start height id'
            ' is_default name preview site_id subtitle_size svg_source text_color title_size width'),
    ('leads', 'company conversions date_created email form_id id ip_address landing_page message name niche'
            ' notes page_url phone referrer site_id source status submissions utm_campaign utm_medium'
            ' utm_source value'),
    ('link_targets', 'anchor_text anchor_variations date_created id is_active is_hub keyword_focus'
            ' max_per_article priority site_id status target_post target_url'),
    ('locations_cities', 'county_id county_site_id id latitude longitude name population postal_code ranking'
            ' site_id state_id state_site_id zip_codes'),
    ('locations_counties', 'cities fips_code id name population site_id state_id state_site_id'),
    ('locations_states', 'cities code counties country_code id name population region site_id'),
    ('navigation', 'children icon id label parent_id site_id sort_order target url'),
    ('newsletter_subscribers', 'date_created email id site_id status'),
    ('offer_blocks', 'avatar_key block_id block_type data html_content id name site_id status'),
    ('page_blocks', 'block_config block_type created_at id order page_id site_id updated_at'),
    ('pages', 'blocks content date_created date_updated id page_blocks permalink schema_json seo_description'
            ' seo_image seo_title site_id slug status title'),
    ('pageviews', 'bot_name browser device_type id ip_address is_bot os page_path page_title referrer'
            ' session_id site_id timestamp user_agent utm_campaign utm_content utm_medium utm_source'
            ' utm_term visitor_id'),
    ('posts', 'author avatar_key category content date_created date_updated excerpt featured_image'
            ' featured_image_alt id meta_description meta_keywords meta_title published_at robots schema_json'
            ' schema_type seo_description seo_title site_id slug source source_article_id status title'),
    ('production_queue', 'campaign_id campaign_site_id completed_at completed_count date_created error_log id'
            ' items schedule_data site_id started_at status test_batch_first total_requested'
            ' velocity_mode'),
    ('quality_flags', 'article_a article_b batch_id collision_text containment_score date_created id'
            ' similarity_score site_id status verdict'),
    ('queue_items', 'article_id attempts claimed_at claimed_by error id location modified_date position'
            ' publish_after publish_date published_at queue_id refused site_id status'),
    ('site_analytics', 'fb_pixel_id fb_test_event_code google_ads_conversion_label google_ads_id'
            ' google_ads_phone_conversion google_analytics_id gtm_container_id id is_active site_id'),
    ('sites', 'articles backdating_allowed campaigns date_created date_updated domain domain_age_years'
            ' domain_aliases duplicate_block duplicate_containment duplicate_review factory_status forms'
            ' hub_pages id leads name navigation pages posts publish_ramp_growth publish_ramp_start'
            ' quality_gate settings site_type sitemap_drip_rate status time_zone url'),
    ('spintax_dictionaries', 'base_word category data description id key site_id variations'),
    ('work_log', 'action actor details entity_id entity_type id ip level site_id status timestamp user_id')) as own (collection, fields),
       string_to_table(own.fields, ' ') field
 where exists (select from spark.collections where collection = 'work_log');
