-- Planned production: a queue and its slots. The original kept the slots in one JSON array beside a
-- counter, so that a failure shifted everything behind it; rows advance one by one.

set local client_min_messages = warning;
set local role spark_owner;

create table production_queue (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    status varchar(50) not null default 'pending'
        check (status in ('pending', 'test_batch', 'approved', 'running', 'paused', 'done', 'failed', 'cancelled')),
    campaign_id uuid not null,
    campaign_site_id uuid,
    total_requested integer not null default 0 check (total_requested >= 0),
    completed_count integer not null default 0 check (completed_count >= 0),
    velocity_mode varchar(20) check (velocity_mode in ('RAMP_UP', 'STEADY', 'SPIKES')),
    schedule_data jsonb, -- how the slots were computed: range, seed, options
    started_at timestamptz,
    completed_at timestamptz,
    error_log text,
    date_created timestamptz not null default now(),
    unique (site_id, id)
) with (fillfactor = 70);
select spark.add_library_reference('production_queue', 'campaign_id', 'campaign_site_id',
                                   'campaign_masters', 'id', 'cascade');
create index production_queue_status on production_queue (site_id, status, date_created desc);
select spark.protect_table('production_queue');

create table queue_items (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    status varchar(50) not null default 'pending' check (status in ('pending', 'claimed', 'done', 'failed')),
    queue_id uuid not null,
    position integer not null check (position >= 0),
    publish_date timestamptz not null,
    modified_date timestamptz,
    attempts integer not null default 0,
    claimed_at timestamptz,
    claimed_by bigint, -- a row of spark.jobs
    article_id uuid,
    error text,
    unique (site_id, id),
    unique (site_id, queue_id, position),
    foreign key (site_id, queue_id) references production_queue (site_id, id) on delete cascade,
    foreign key (site_id, article_id) references generated_articles (site_id, id) on delete set null (article_id)
) with (fillfactor = 70);
create index queue_items_claim on queue_items (site_id, queue_id, status, position);
create index queue_items_article on queue_items (site_id, article_id) where article_id is not null;
select spark.protect_table('queue_items');

create table campaigns (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    status varchar(50) not null default 'active' check (status in ('active', 'paused', 'completed')),
    name varchar(255) not null,
    type varchar(50) check (type in ('geo', 'spintax', 'topic')),
    template uuid,
    template_site_id uuid,
    config jsonb,
    frequency varchar(20) not null default 'once' check (frequency in ('once', 'daily', 'weekly')),
    batch_size integer not null default 10 check (batch_size between 1 and 10000),
    max_articles integer not null default 100 check (max_articles >= 0),
    current_count integer not null default 0 check (current_count >= 0),
    last_run timestamptz,
    next_run timestamptz,
    date_created timestamptz not null default now(),
    unique (site_id, id)
);
select spark.add_library_reference('campaigns', 'template', 'template_site_id',
                                   'article_templates');
create index campaigns_status on campaigns (site_id, status, next_run);
select spark.protect_table('campaigns');
