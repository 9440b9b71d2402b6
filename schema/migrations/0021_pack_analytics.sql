-- Append-only tables, partitioned by month: retention drops a partition instead of deleting rows.
--
-- The key is (site_id, timestamp, id). The id is made when the event is accepted, and the timestamp
-- with it: a delivery that comes twice carries both, and `on conflict do nothing` keeps it single.

set local client_min_messages = warning;
set local role spark_owner;

create table pageviews (
    id uuid not null default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    timestamp timestamptz not null default now(),
    page_path varchar(500),
    page_title varchar(500),
    session_id varchar(255),
    visitor_id varchar(255),
    referrer varchar(500),
    user_agent varchar(500),
    ip_address varchar(45),
    device_type varchar(20),
    browser varchar(50),
    os varchar(50),
    utm_source varchar(255),
    utm_medium varchar(255),
    utm_campaign varchar(255),
    utm_content varchar(255),
    utm_term varchar(255),
    is_bot boolean not null default false,
    bot_name varchar(100),
    primary key (site_id, timestamp, id)
) partition by range (timestamp);
create table pageviews_default partition of pageviews default;
create index pageviews_visitor on pageviews (site_id, visitor_id);
select spark.ensure_partitions('pageviews');
select spark.protect_table('pageviews');

create table events (
    id uuid not null default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    timestamp timestamptz not null default now(),
    event_name varchar(255) not null,
    event_category varchar(255),
    event_label varchar(255),
    event_value varchar(255),
    page_path varchar(500),
    session_id varchar(255),
    visitor_id varchar(255),
    metadata jsonb,
    user_agent varchar(500),
    ip_address varchar(45),
    primary key (site_id, timestamp, id)
) partition by range (timestamp);
create table events_default partition of events default;
create index events_name on events (site_id, event_name, timestamp);
select spark.ensure_partitions('events');
select spark.protect_table('events');

create table conversions (
    id uuid not null default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    timestamp timestamptz not null default now(),
    lead_id uuid,
    conversion_type varchar(100),
    value numeric(10, 2),
    currency varchar(3) not null default 'USD' check (currency ~ '^[A-Z]{3}$'),
    source varchar(255),
    campaign varchar(255),
    gclid varchar(255),
    fbclid varchar(255),
    sent_to_google boolean not null default false,
    sent_to_facebook boolean not null default false,
    primary key (site_id, timestamp, id),
    foreign key (site_id, lead_id) references leads (site_id, id) on delete set null (lead_id)
) partition by range (timestamp);
create table conversions_default partition of conversions default;
create index conversions_lead on conversions (site_id, lead_id);
select spark.ensure_partitions('conversions');
select spark.protect_table('conversions');

-- What the platform itself did belongs to the library site; so does, in the end, the log of a site
-- that was removed.
create table work_log (
    id uuid not null default gen_random_uuid(),
    site_id uuid not null default spark.current_site_or_library() references sites (id) on delete set default,
    timestamp timestamptz not null default now(),
    action varchar(100) not null,
    entity_type varchar(100),
    entity_id text,
    details jsonb,
    level varchar(20) not null default 'info' check (level in ('debug', 'info', 'success', 'warning', 'error')),
    status varchar(100),
    user_id uuid,
    primary key (site_id, timestamp, id)
) partition by range (timestamp);
create table work_log_default partition of work_log default;
create index work_log_timestamp on work_log (timestamp desc);
create index work_log_entity on work_log (site_id, entity_type, entity_id);
select spark.ensure_partitions('work_log');
select spark.protect_table('work_log');

-- COPY FROM is refused under row security, and COPY knows no ON CONFLICT. The drain copies a batch in
-- here, inserts from here into pageviews and deletes, all in one transaction: nobody ever sees a row.
create unlogged table spark.load_pageviews (like pageviews including defaults)
    with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
grant select, insert, delete on spark.load_pageviews to spark_platform;
