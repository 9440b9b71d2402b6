-- The tables of the machinery. None of them is a collection; all but the jobs, their logs and the
-- epoch are out of the tenant lane's reach.

set local client_min_messages = warning;

-- The runner makes this one before its first file; with psql alone it is made here.
create table if not exists spark.migrations (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
);
alter table spark.migrations owner to spark_owner;

set local role spark_owner;
grant select on spark.migrations to spark_platform;

-- One row. Whoever changes schema, rights or tokens raises it in the same transaction; the first
-- message of every sync group compares it with the epoch its statement was compiled against.
create table spark.epoch (
    epoch bigint not null,
    only_row boolean primary key default true check (only_row)
) with (fillfactor = 10); -- room for new versions beside the old: the read stays one page
insert into spark.epoch (epoch) values (1);
grant select on spark.epoch to spark_tenant, spark_platform;

-- Which collections a tenant owns, and by which column. Written by spark.protect_table alone.
create table spark.collections (
    collection text primary key,
    site_column text not null,
    -- Rows of the library site are readable by every site.
    shared_read boolean not null default false,
    -- The system tables: a row without a site belongs to no tenant and is seen in PLATFORM and NONE.
    site_optional boolean not null default false
);
grant select on spark.collections to spark_tenant, spark_platform;

-- Hosts of sites: exact, lower case, without port. Filled by a trigger on sites where the pack is.
create table spark.site_domains (
    domain text primary key check (domain = lower(domain) and length(domain) between 1 and 255),
    site_id uuid not null,
    is_alias boolean not null default false
);
create index site_domains_site on spark.site_domains (site_id);
grant select, insert, update, delete on spark.site_domains to spark_platform;

-- Tokens of one site. Only the SHA-256 is stored: 256 random bits need no slow hash.
create table spark.site_tokens (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null,
    name text not null check (length(name) between 1 and 255),
    token_hash bytea not null unique check (octet_length(token_hash) = 32),
    scopes text[] not null default '{}',
    expires_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz not null default now()
);
create index site_tokens_site on spark.site_tokens (site_id);
grant select, insert, update, delete on spark.site_tokens to spark_platform;

-- What a site needs to talk to others (advertising tokens and the like), sealed by the server.
-- Kept out of every collection, so that no grant and no mistake in one can show it.
create table spark.site_secrets (
    site_id uuid not null,
    name text not null check (length(name) between 1 and 100),
    sealed bytea not null,
    updated_at timestamptz not null default now(),
    primary key (site_id, name)
);
grant select, insert, update, delete on spark.site_secrets to spark_platform;

-- One row per worker incarnation; the lease lives here, not in the jobs, so that a heartbeat is one
-- row every 5 s. The id (host:pid:start:random) is never used again.
create table spark.workers (
    id text primary key,
    host text not null,
    pid integer not null,
    version text not null,
    started_at timestamptz not null default now(),
    lease_until timestamptz not null,
    slots integer not null default 0,
    running integer not null default 0,
    current_job bigint, -- on the CPU at the last heartbeat: whom a crash is charged to
    draining boolean not null default false
) with (fillfactor = 50);
create index workers_lease on spark.workers (lease_until);
grant select, insert, update, delete on spark.workers to spark_platform;

-- Leadership: a row, not an advisory lock, because locks do not survive a transaction pooler.
create table spark.leases (
    name text primary key,
    holder text not null,
    until timestamptz not null
) with (fillfactor = 50);
grant select, insert, update, delete on spark.leases to spark_platform;
