-- Generated articles, the central unit.
--
-- A headline makes one article and a campaign never the same text twice: both are unique indexes, so
-- that two workers, or one worker twice, cannot disagree with them.

set local client_min_messages = warning;
set local role spark_owner;

create table generated_articles (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    status varchar(50) not null default 'draft'
        check (status in ('queued', 'processing', 'qc', 'approved', 'published', 'draft', 'archived')),
    campaign_id uuid,
    campaign_site_id uuid,
    job_id uuid,
    headline_id uuid,
    title varchar(255) not null,
    slug varchar(255),
    content text,
    meta_title varchar(70),
    meta_description varchar(160),
    word_count integer check (word_count >= 0),
    word_count_status varchar(20) check (word_count_status in ('optimal', 'under_target')),
    location_city varchar(255),
    location_county varchar(255),
    location_state varchar(255),
    featured_image_svg text,
    featured_image_filename varchar(255),
    featured_image_alt varchar(500),
    featured_image uuid,
    schema_json jsonb,
    generation_hash varchar(64),
    provenance jsonb, -- fragments, choices and seed it was made from
    is_published boolean not null default false,
    publish_status varchar(20) check (publish_status in ('ready', 'published')),
    published_to_post uuid,
    published_at timestamptz,
    published_url varchar(500),
    sitemap_status varchar(20) not null default 'ghost' check (sitemap_status in ('ghost', 'queued', 'indexed')),
    is_test_batch boolean not null default false,
    date_published timestamptz,
    date_modified timestamptz,
    modules_used jsonb,
    parent_hub_id uuid,
    seo_score integer check (seo_score between 0 and 100),
    readability_score numeric(5, 2),
    uniqueness_score numeric(5, 2),
    priority varchar(20) check (priority in ('high', 'medium', 'low')),
    assignee uuid,
    due_date date,
    notes text,
    sync_status varchar(50),
    date_created timestamptz not null default now(),
    date_updated timestamptz,
    unique (site_id, id),
    foreign key (site_id, job_id) references generation_jobs (site_id, id) on delete set null (job_id),
    foreign key (site_id, headline_id) references headline_inventory (site_id, id) on delete set null (headline_id),
    foreign key (site_id, featured_image) references directus_files (site_id, id) on delete set null (featured_image),
    foreign key (assignee) references directus_users (id) on delete set null
);
select spark.add_library_reference('generated_articles', 'campaign_id', 'campaign_site_id', 'campaign_masters');
create unique index generated_articles_hash on generated_articles (site_id, campaign_id, generation_hash);
create unique index generated_articles_headline on generated_articles (site_id, headline_id);
create index generated_articles_status on generated_articles (site_id, status, date_created desc);
create index generated_articles_created on generated_articles (site_id, date_created desc);
create index generated_articles_slug on generated_articles (site_id, slug);
create index generated_articles_job on generated_articles (site_id, job_id);
-- Few rows have these, so most inserts do not pay for them.
create index generated_articles_sitemap on generated_articles (site_id, sitemap_status, date_published) where is_published;
create index generated_articles_county on generated_articles (site_id, location_county) where location_county is not null;
create index generated_articles_city on generated_articles (site_id, location_state, location_city) where location_state is not null;
create index generated_articles_hub on generated_articles (site_id, parent_hub_id) where parent_hub_id is not null;
create index generated_articles_post on generated_articles (site_id, published_to_post) where published_to_post is not null;
create index generated_articles_image on generated_articles (site_id, featured_image) where featured_image is not null;
create index generated_articles_assignee on generated_articles (assignee) where assignee is not null;
create trigger generated_articles_touch before update on generated_articles
    for each row execute function spark.touch_date_updated();
select spark.compress('generated_articles', 'content', 'featured_image_svg', 'schema_json', 'provenance');
select spark.protect_table('generated_articles');

create table quality_flags (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    status varchar(50) not null default 'pending' check (status in ('pending', 'resolved', 'ignored')),
    batch_id varchar(255),
    article_a uuid not null,
    article_b uuid not null check (article_b <> article_a),
    collision_text text,
    similarity_score double precision check (similarity_score between 0 and 100),
    date_created timestamptz not null default now(),
    unique (site_id, id),
    foreign key (site_id, article_a) references generated_articles (site_id, id) on delete cascade,
    foreign key (site_id, article_b) references generated_articles (site_id, id) on delete cascade
);
-- One flag a pair, whichever was looked at first: a second scan finds it.
create unique index quality_flags_pair on quality_flags (site_id, least(article_a, article_b), greatest(article_a, article_b));
create index quality_flags_a on quality_flags (site_id, article_a);
create index quality_flags_b on quality_flags (site_id, article_b);
create index quality_flags_status on quality_flags (site_id, status, date_created desc);
select spark.protect_table('quality_flags');
