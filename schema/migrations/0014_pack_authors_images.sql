-- Authors of posts, and SVG templates for featured images (the library's are for everybody).

set local client_min_messages = warning;
set local role spark_owner;

create table authors (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    name varchar(255) not null,
    bio text,
    avatar uuid,
    email varchar(255),
    date_created timestamptz not null default now(),
    unique (site_id, id),
    foreign key (site_id, avatar) references directus_files (site_id, id) on delete set null (avatar)
);
create index authors_avatar on authors (site_id, avatar);
select spark.protect_table('authors');

create table image_templates (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site_or_library() references sites (id) on delete cascade,
    name varchar(255) not null,
    svg_source text not null,
    is_default boolean not null default false,
    preview uuid,
    width integer not null default 1200 check (width between 1 and 10000),
    height integer not null default 630 check (height between 1 and 10000),
    gradient_start varchar(32) not null default '#2563eb',
    gradient_end varchar(32) not null default '#1d4ed8',
    text_color varchar(32) not null default '#ffffff',
    accent_color varchar(32),
    font_family varchar(255) not null default 'Arial',
    title_size integer not null default 48 check (title_size between 1 and 500),
    subtitle_size integer not null default 18 check (subtitle_size between 1 and 500),
    date_created timestamptz not null default now(),
    unique (site_id, id),
    foreign key (site_id, preview) references directus_files (site_id, id) on delete set null (preview)
);
create unique index image_templates_default on image_templates (site_id) where is_default;
create index image_templates_preview on image_templates (site_id, preview);
select spark.protect_table('image_templates', shared_read => true);
