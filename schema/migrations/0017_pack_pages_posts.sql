-- What a site's visitors read.

set local client_min_messages = warning;
set local role spark_owner;

create table pages (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    status varchar(50) not null default 'draft' check (status in ('draft', 'published', 'archived')),
    title varchar(255),
    slug varchar(255),
    permalink varchar(255), -- what is routed, from the first slash
    content text,
    blocks jsonb not null default '[]' check (jsonb_typeof(blocks) = 'array'), -- [{id, block_type, block_config}]
    schema_json jsonb,
    seo_title varchar(70),
    seo_description varchar(160),
    seo_image uuid,
    date_created timestamptz not null default now(),
    date_updated timestamptz,
    unique (site_id, id),
    unique (site_id, permalink),
    foreign key (site_id, seo_image) references directus_files (site_id, id) on delete set null (seo_image)
);
create index pages_status on pages (site_id, status, date_created desc);
create index pages_slug on pages (site_id, slug);
create index pages_image on pages (site_id, seo_image) where seo_image is not null;
create trigger pages_touch before update on pages for each row execute function spark.touch_date_updated();
select spark.compress('pages', 'content', 'blocks', 'schema_json');
select spark.protect_table('pages');

create table page_blocks (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    page_id uuid not null,
    "order" integer not null default 0,
    block_type varchar(50) not null,
    block_config jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz,
    unique (site_id, id),
    foreign key (site_id, page_id) references pages (site_id, id) on delete cascade
);
create index page_blocks_page on page_blocks (site_id, page_id, "order");
create trigger page_blocks_touch before update on page_blocks for each row execute function spark.touch_updated_at();
select spark.protect_table('page_blocks');

create table posts (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    status varchar(50) not null default 'draft' check (status in ('draft', 'published', 'archived')),
    title varchar(255),
    slug varchar(255),
    excerpt text,
    content text,
    featured_image uuid,
    featured_image_alt varchar(500),
    category varchar(100),
    author uuid,
    published_at timestamptz,
    meta_title varchar(255),
    meta_description varchar(500),
    seo_title varchar(255),
    seo_description varchar(500),
    meta_keywords varchar(500),
    robots varchar(100) not null default 'index,follow',
    schema_type varchar(100) not null default 'BlogPosting',
    schema_json jsonb,
    source varchar(100),
    source_article_id uuid,
    avatar_key varchar(100),
    date_created timestamptz not null default now(),
    date_updated timestamptz,
    unique (site_id, id),
    unique (site_id, slug),
    foreign key (site_id, author) references authors (site_id, id) on delete set null (author),
    foreign key (site_id, featured_image) references directus_files (site_id, id) on delete set null (featured_image),
    foreign key (site_id, source_article_id) references generated_articles (site_id, id) on delete set null (source_article_id)
);
-- What a list of posts shows lies in the index: a page of 25 is one visit and not 26.
create index posts_status on posts (site_id, status, published_at desc) include (id, title, slug, author);
create index posts_created on posts (site_id, date_created desc);
create index posts_author on posts (site_id, author) where author is not null;
create index posts_category on posts (site_id, category) where category is not null;
create index posts_image on posts (site_id, featured_image) where featured_image is not null;
-- Publishing an article twice finds the first post.
create unique index posts_source on posts (site_id, source_article_id) where source_article_id is not null;
create trigger posts_touch before update on posts for each row execute function spark.touch_date_updated();
select spark.compress('posts', 'content', 'schema_json');
select spark.protect_table('posts');
