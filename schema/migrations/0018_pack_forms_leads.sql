-- What visitors leave. Submissions and leads of a removed site are removed with it: they are personal
-- data that nobody would answer for any longer (the original kept leads without a site).

set local client_min_messages = warning;
set local role spark_owner;

create table forms (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    name varchar(255) not null,
    slug varchar(255),
    fields jsonb not null default '[]' check (jsonb_typeof(fields) = 'array'),
    submit_action varchar(50) not null default 'store' check (submit_action in ('store', 'webhook', 'email')),
    webhook_url varchar(500),
    email_recipients text,
    success_message text,
    redirect_url varchar(500),
    conversion_value numeric(10, 2) check (conversion_value >= 0),
    date_created timestamptz not null default now(),
    unique (site_id, id),
    unique (site_id, slug)
);
select spark.protect_table('forms');

create table form_submissions (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    status varchar(50) not null default 'new' check (status in ('new', 'processed', 'archived', 'spam')),
    form_id uuid not null,
    data jsonb not null,
    data_hash varchar(64) check (length(data_hash) = 64), -- the same form twice within a minute is one
    ip_address varchar(45),
    user_agent text,
    page_url varchar(2048),
    utm_source varchar(255),
    utm_medium varchar(255),
    utm_campaign varchar(255),
    date_created timestamptz not null default now(),
    unique (site_id, id),
    foreign key (site_id, form_id) references forms (site_id, id) on delete cascade
);
create index form_submissions_form on form_submissions (site_id, form_id, date_created desc);
create index form_submissions_created on form_submissions (site_id, date_created desc);
create index form_submissions_hash on form_submissions (site_id, form_id, data_hash) where data_hash is not null;
select spark.protect_table('form_submissions');

create table leads (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    status varchar(50) not null default 'new'
        check (status in ('new', 'contacted', 'qualified', 'converted', 'rejected', 'spam')),
    form_id uuid,
    name varchar(255),
    email varchar(255),
    phone varchar(50),
    company varchar(255),
    niche varchar(255),
    message text,
    notes text,
    source varchar(100),
    page_url varchar(2048),
    landing_page varchar(2048),
    referrer varchar(2048),
    utm_source varchar(255),
    utm_medium varchar(255),
    utm_campaign varchar(255),
    value numeric(10, 2),
    ip_address varchar(45),
    date_created timestamptz not null default now(),
    unique (site_id, id),
    foreign key (site_id, form_id) references forms (site_id, id) on delete set null (form_id)
);
create index leads_status on leads (site_id, status, date_created desc);
create index leads_created on leads (site_id, date_created desc);
create index leads_email on leads (site_id, lower(email));
create index leads_form on leads (site_id, form_id) where form_id is not null;
select spark.protect_table('leads');

create table newsletter_subscribers (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    status varchar(50) not null default 'subscribed' check (status in ('subscribed', 'unsubscribed')),
    email varchar(255) not null,
    date_created timestamptz not null default now(),
    unique (site_id, id)
);
create unique index newsletter_subscribers_email on newsletter_subscribers (site_id, lower(email));
select spark.protect_table('newsletter_subscribers');
