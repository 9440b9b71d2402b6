-- Campaigns. One of the library site is global: every site may read and run it.

set local client_min_messages = warning;
set local role spark_owner;

create table campaign_masters (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site_or_library() references sites (id) on delete cascade,
    status varchar(50) not null default 'active' check (status in ('active', 'inactive', 'paused', 'completed')),
    name varchar(255) not null,
    headline_spintax_root text,
    headline_cursor bigint not null default 0 check (headline_cursor >= 0), -- absolute index of the next headline
    niche_variables jsonb default '{}',
    location_mode varchar(50) not null default 'none' check (location_mode in ('none', 'state', 'county', 'city')),
    location_target varchar(255), -- id of a state or of a county
    batch_count integer not null default 1 check (batch_count >= 0),
    target_word_count integer not null default 1500 check (target_word_count between 0 and 100000),
    article_template uuid,
    article_template_site_id uuid,
    velocity_mode varchar(20) not null default 'STEADY' check (velocity_mode in ('RAMP_UP', 'STEADY', 'SPIKES')),
    weekend_throttle boolean not null default true,
    time_jitter_minutes integer not null default 120 check (time_jitter_minutes between 0 and 1440),
    business_hours_only boolean not null default true,
    backdate_start date,
    backdate_end date,
    content_recipe jsonb not null default '["intro", "benefits", "howto", "conclusion"]',
    spintax_title text,
    target_locations_filter jsonb,
    target_article_count integer check (target_article_count >= 0),
    test_batch_status varchar(20) check (test_batch_status in ('pending', 'ready', 'approved', 'rejected')),
    test_batch_review_url varchar(500),
    date_created timestamptz not null default now(),
    date_updated timestamptz,
    unique (site_id, id),
    check (backdate_end >= backdate_start)
);
select spark.add_library_reference('campaign_masters', 'article_template', 'article_template_site_id',
                                   'article_templates');
create index campaign_masters_status on campaign_masters (site_id, status);
create index campaign_masters_name on campaign_masters (site_id, name);
create index campaign_masters_created on campaign_masters (site_id, date_created desc);
create trigger campaign_masters_touch before update on campaign_masters
    for each row execute function spark.touch_date_updated();
select spark.protect_table('campaign_masters', shared_read => true);
