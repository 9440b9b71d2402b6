-- What articles are made of: templates, personas, patterns, dictionaries, places, offers. Rows of the
-- library site are readable by every site; a site may add rows of its own beside them. Keys are unique
-- per site, so a site's own dictionary stands in front of the library's of the same name.

set local client_min_messages = warning;
set local role spark_owner;

create table article_templates (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site_or_library() references sites (id) on delete cascade,
    name varchar(255) not null,
    structure_json jsonb not null default '[]' check (jsonb_typeof(structure_json) = 'array'),
    description text,
    is_default boolean not null default false,
    date_created timestamptz not null default now(),
    date_updated timestamptz,
    unique (site_id, id)
);
create trigger article_templates_touch before update on article_templates
    for each row execute function spark.touch_date_updated();

create table avatar_intelligence (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site_or_library() references sites (id) on delete cascade,
    status varchar(50) not null default 'published' check (status in ('published', 'draft')),
    avatar_key varchar(100) not null,
    base_name varchar(255),
    wealth_cluster varchar(100),
    business_niches jsonb not null default '[]',
    pain_points jsonb,
    demographics jsonb,
    psychographics text,
    tech_stack jsonb,
    data jsonb,
    unique (site_id, id),
    unique (site_id, avatar_key)
);

create table avatar_variants (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site_or_library() references sites (id) on delete cascade,
    status varchar(50) not null default 'published' check (status in ('published', 'draft')),
    avatar_key varchar(100) not null,
    avatar_site_id uuid,
    variant_type varchar(50) not null check (variant_type in ('male', 'female', 'neutral')),
    name varchar(255),
    prompt_modifier text,
    identity varchar(255),
    tone_modifiers text,
    data jsonb not null default '{}',
    unique (site_id, id),
    unique (site_id, avatar_key, variant_type)
);
select spark.add_library_reference('avatar_variants', 'avatar_key', 'avatar_site_id',
                                   'avatar_intelligence', 'avatar_key', 'cascade');

create table cartesian_patterns (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site_or_library() references sites (id) on delete cascade,
    status varchar(50) not null default 'published' check (status in ('published', 'draft', 'archived')),
    pattern_key varchar(255) not null,
    pattern_type varchar(100),
    name varchar(255),
    pattern_logic text,
    formula text,
    data jsonb not null default '[]',
    example_output text,
    description text,
    date_created timestamptz not null default now(),
    unique (site_id, id),
    unique (site_id, pattern_key)
);

create table spintax_dictionaries (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site_or_library() references sites (id) on delete cascade,
    category varchar(255) not null,
    data jsonb not null default '[]' check (jsonb_typeof(data) = 'array'),
    base_word varchar(255),
    variations text,
    description text,
    key varchar(255),
    unique (site_id, id),
    unique (site_id, category)
);

create table geo_intelligence (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site_or_library() references sites (id) on delete cascade,
    status varchar(50) not null default 'published' check (status in ('published', 'draft')),
    cluster_key varchar(100) not null,
    city varchar(255),
    state varchar(255),
    county varchar(255),
    zip_code varchar(20),
    neighborhood varchar(255),
    country varchar(100) not null default 'US',
    population integer check (population >= 0),
    median_income double precision,
    keywords text,
    local_modifiers text,
    latitude numeric(10, 6) check (latitude between -90 and 90),
    longitude numeric(10, 6) check (longitude between -180 and 180),
    is_active boolean not null default true,
    data jsonb,
    unique (site_id, id),
    unique (site_id, cluster_key)
);

create table geo_clusters (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site_or_library() references sites (id) on delete cascade,
    cluster_key varchar(100) not null,
    cluster_name varchar(255),
    state varchar(255),
    description text,
    data jsonb,
    unique (site_id, id),
    unique (site_id, cluster_key)
);

create table geo_locations (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site_or_library() references sites (id) on delete cascade,
    cluster_id uuid not null,
    cluster_site_id uuid,
    city varchar(255),
    state varchar(255),
    zip_focus varchar(20),
    neighborhood varchar(255),
    population integer check (population >= 0),
    coordinates jsonb,
    unique (site_id, id)
);
select spark.add_library_reference('geo_locations', 'cluster_id', 'cluster_site_id',
                                   'geo_clusters', 'id', 'cascade');

create table offer_blocks (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site_or_library() references sites (id) on delete cascade,
    status varchar(50) not null default 'published' check (status in ('published', 'draft')),
    name varchar(255),
    html_content text,
    block_type varchar(100) not null check (block_type in ('universal', 'personalized')),
    block_id varchar(255),
    avatar_key varchar(100), -- not a foreign key: blocks are shared before their personas are
    data jsonb not null default '{}',
    unique (site_id, id)
);
-- Exports leave block_id out, so only named blocks are unique; an absent persona counts as one.
create unique index offer_blocks_name on offer_blocks (site_id, block_type, block_id, coalesce(avatar_key, ''))
 where block_id is not null;
create index offer_blocks_avatar on offer_blocks (site_id, avatar_key);

select spark.protect_table(name::regclass, shared_read => true)
  from unnest('{article_templates,avatar_intelligence,avatar_variants,cartesian_patterns,spintax_dictionaries,
                geo_intelligence,geo_clusters,geo_locations,offer_blocks}'::text[]) name;
