-- What holds a site together: links, menus, hubs, its look.

set local client_min_messages = warning;
set local role spark_owner;

create table link_targets (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    status varchar(50) not null default 'active' check (status in ('active', 'inactive')),
    target_url varchar(500),
    target_post uuid,
    anchor_text varchar(255),
    anchor_variations jsonb not null default '[]' check (jsonb_typeof(anchor_variations) = 'array'),
    keyword_focus varchar(255),
    priority integer not null default 5,
    is_active boolean not null default true,
    is_hub boolean not null default false,
    max_per_article integer not null default 2 check (max_per_article between 1 and 100),
    date_created timestamptz not null default now(),
    unique (site_id, id),
    foreign key (site_id, target_post) references posts (site_id, id) on delete set null (target_post)
);
create index link_targets_active on link_targets (site_id, is_active, priority desc);
create index link_targets_post on link_targets (site_id, target_post) where target_post is not null;
select spark.protect_table('link_targets');

create table globals (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null unique default spark.current_site() references sites (id) on delete cascade,
    site_name varchar(255),
    site_tagline text,
    logo varchar(500),
    favicon varchar(500),
    primary_color varchar(50),
    secondary_color varchar(50),
    footer_text text,
    scripts_head text,
    scripts_body text,
    social_links jsonb not null default '[]',
    theme_settings jsonb not null default '{}',
    unique (site_id, id)
);
select spark.protect_table('globals');

create table navigation (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    label varchar(100) not null,
    url varchar(500) not null,
    parent_id uuid check (parent_id <> id),
    target varchar(20) not null default '_self' check (target in ('_self', '_blank')),
    icon varchar(100),
    sort_order integer not null default 0,
    unique (site_id, id),
    foreign key (site_id, parent_id) references navigation (site_id, id) on delete cascade
);
create index navigation_parent on navigation (site_id, parent_id, sort_order);
select spark.protect_table('navigation');

create table hub_pages (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    title varchar(255) not null,
    slug varchar(255) not null,
    description text,
    parent_id uuid check (parent_id <> id),
    level varchar(50), -- 'state', 'county' … or a depth: both occur
    articles_count integer not null default 0 check (articles_count >= 0),
    sitemap_status varchar(20) not null default 'ghost' check (sitemap_status in ('ghost', 'queued', 'indexed')),
    title_template varchar(255),
    slug_pattern varchar(255),
    schema_json jsonb,
    sort_order integer not null default 0,
    unique (site_id, id),
    unique (site_id, slug),
    foreign key (site_id, parent_id) references hub_pages (site_id, id) on delete set null (parent_id)
);
create index hub_pages_parent on hub_pages (site_id, parent_id, sort_order);
create index hub_pages_sitemap on hub_pages (site_id, sitemap_status);
select spark.protect_table('hub_pages');

-- The access token for conversions of a network is a secret: spark.site_secrets has it.
create table site_analytics (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null unique default spark.current_site() references sites (id) on delete cascade,
    google_analytics_id varchar(100),
    google_ads_id varchar(100),
    google_ads_conversion_label varchar(255),
    google_ads_phone_conversion varchar(255),
    gtm_container_id varchar(100),
    fb_pixel_id varchar(100),
    fb_test_event_code varchar(100),
    is_active boolean not null default true,
    unique (site_id, id)
);
select spark.protect_table('site_analytics');
