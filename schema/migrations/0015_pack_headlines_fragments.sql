-- Batches of generation as an editor sees them, the headlines they consume, the fragments and modules
-- articles are assembled from.

set local client_min_messages = warning;
set local role spark_owner;

create table generation_jobs (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    status varchar(50) not null default 'pending'
        check (status in ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    campaign_id uuid,
    campaign_site_id uuid,
    type varchar(50),
    batch_size integer not null default 10 check (batch_size between 1 and 10000),
    target_quantity integer check (target_quantity >= 0),
    filters jsonb,
    config jsonb,
    current_offset integer not null default 0 check (current_offset >= 0), -- articles made
    progress integer not null default 0 check (progress between 0 and 100),
    -- The rows of spark.jobs it was cut into; it is over when done and failed make up the total.
    jobs_total integer not null default 0 check (jobs_total >= 0),
    jobs_done integer not null default 0 check (jobs_done >= 0),
    jobs_failed integer not null default 0 check (jobs_failed >= 0),
    priority varchar(20) not null default 'medium' check (priority in ('high', 'medium', 'low')),
    error text,
    attempts integer not null default 0,
    started_at timestamptz,
    completed_at timestamptz,
    date_created timestamptz not null default now(),
    date_updated timestamptz,
    unique (site_id, id)
) with (fillfactor = 70); -- its counters change with every job of it
select spark.add_library_reference('generation_jobs', 'campaign_id', 'campaign_site_id',
                                   'campaign_masters');
create index generation_jobs_status on generation_jobs (site_id, status);
create index generation_jobs_created on generation_jobs (site_id, date_created desc);
create trigger generation_jobs_touch before update on generation_jobs
    for each row execute function spark.touch_date_updated();
select spark.protect_table('generation_jobs');

create table headline_inventory (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    status varchar(50) not null default 'available' check (status in ('available', 'reserved', 'used', 'archived')),
    campaign_id uuid not null,
    campaign_site_id uuid,
    headline_text varchar(500), -- the template form
    final_title_text varchar(500) not null,
    text_hash varchar(64) not null default '' check (length(text_hash) = 64),
    location_data jsonb,
    is_used boolean not null generated always as (status = 'used') stored,
    used_on_article uuid,
    reserved_until timestamptz,
    reserved_by bigint, -- a row of spark.jobs
    date_created timestamptz not null default now(),
    unique (site_id, id),
    unique (site_id, campaign_id, text_hash)
) with (fillfactor = 80);
select spark.add_library_reference('headline_inventory', 'campaign_id', 'campaign_site_id',
                                   'campaign_masters', 'id', 'cascade');
-- The claim: the first free ones of a campaign, in order.
create index headline_inventory_claim on headline_inventory (site_id, campaign_id, status, id);
create index headline_inventory_article on headline_inventory (site_id, used_on_article);
create index headline_inventory_reserved on headline_inventory (reserved_until) where status = 'reserved';

-- SHA-256, in hex, of the text in NFC with runs of white space made one blank. Writers of many rows
-- send it themselves. The default, which no row can keep, tells the API that clients need not.
create function spark.text_hash(value text) returns text
language sql immutable strict parallel safe
return encode(sha256(convert_to(normalize(btrim(regexp_replace(value, '\s+', ' ', 'g')), NFC), 'UTF8')), 'hex');

create function spark.hash_headline() returns trigger
language plpgsql as $$
begin
    new.text_hash := spark.text_hash(new.final_title_text);
    return new;
end
$$;
create trigger headline_inventory_hash before insert on headline_inventory for each row
    when (coalesce(new.text_hash, '') = '') execute function spark.hash_headline();
create trigger headline_inventory_rehash before update of final_title_text on headline_inventory for each row
    when (new.final_title_text is distinct from old.final_title_text and new.text_hash = old.text_hash)
    execute function spark.hash_headline();
select spark.protect_table('headline_inventory');

-- A fragment without a campaign serves every campaign of its site; the library's serve every site.
create table content_fragments (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site_or_library() references sites (id) on delete cascade,
    status varchar(50) not null default 'active' check (status in ('active', 'archived')),
    campaign_id uuid,
    campaign_site_id uuid,
    fragment_type varchar(100) not null,
    content_body text not null,
    content_hash varchar(64) not null default '' check (length(content_hash) = 64),
    word_count integer check (word_count >= 0),
    date_created timestamptz not null default now(),
    unique (site_id, id)
);
select spark.add_library_reference('content_fragments', 'campaign_id', 'campaign_site_id',
                                   'campaign_masters', 'id', 'cascade');
create index content_fragments_type on content_fragments (site_id, fragment_type, campaign_id);
-- An import that comes twice is stored once.
create unique index content_fragments_hash on content_fragments
    (site_id, campaign_id, fragment_type, content_hash) nulls not distinct;
select spark.compress('content_fragments', 'content_body');

create function spark.hash_fragment() returns trigger
language plpgsql as $$
begin
    new.content_hash := spark.text_hash(new.content_body);
    return new;
end
$$;
create trigger content_fragments_hash before insert on content_fragments for each row
    when (coalesce(new.content_hash, '') = '') execute function spark.hash_fragment();
create trigger content_fragments_rehash before update of content_body on content_fragments for each row
    when (new.content_body is distinct from old.content_body and new.content_hash = old.content_hash)
    execute function spark.hash_fragment();
select spark.protect_table('content_fragments', shared_read => true);

create table content_modules (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    module_type varchar(100) not null,
    name varchar(255),
    content_spintax text not null,
    variables jsonb,
    usage_count integer not null default 0 check (usage_count >= 0),
    is_active boolean not null default true,
    date_created timestamptz not null default now(),
    unique (site_id, id)
) with (fillfactor = 80);
create index content_modules_pick on content_modules (site_id, module_type, is_active, usage_count, id);
select spark.compress('content_modules', 'content_spintax');
select spark.protect_table('content_modules');
