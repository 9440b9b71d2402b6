-- Sites: what every other table of the pack hangs on, and the library site that owns the rows that
-- are for everybody.
--
-- The columns wp_username and wp_app_password of the model are left out: secrets stand in
-- spark.site_secrets, where no collection can show them.

set local client_min_messages = warning;
set local role spark_owner;
set local spark.scope = 'platform';

create table sites (
    id uuid primary key default gen_random_uuid(),
    status varchar(50) not null default 'active'
        check (status in ('active', 'inactive', 'archived', 'paused', 'setup')),
    name varchar(255) not null,
    url varchar(500),
    domain varchar(255), -- exact host, lower case, without port; the only thing tenant lookup uses
    domain_aliases jsonb not null default '[]' check (jsonb_typeof(domain_aliases) = 'array'),
    settings jsonb not null default '{}',
    time_zone varchar(64) not null default 'UTC', -- publishing hours are the site's own
    domain_age_years double precision not null default 1 check (domain_age_years >= 0),
    sitemap_drip_rate integer not null default 50 check (sitemap_drip_rate between 0 and 50000),
    factory_status varchar(50) not null default 'idle'
        check (factory_status in ('idle', 'generating', 'publishing', 'dripping')),
    site_type varchar(50),
    date_created timestamptz not null default now(),
    date_updated timestamptz
);
create unique index sites_domain on sites (lower(domain));
create index sites_status on sites (status);
create trigger sites_touch before update on sites for each row execute function spark.touch_date_updated();

-- A site's row is its own tenant. It may change it, but neither make nor remove one.
select spark.protect_table('sites', 'id');
revoke insert, delete, truncate on sites from spark_tenant;

-- Nor may it say to which hosts it answers, or whether it is archived: whoever took the platform's own
-- host, or www. of a neighbour's, would get that one's visitors and shut out everybody's tokens there.
create function spark.keep_site_place() returns trigger
language plpgsql as $$
begin
    if current_user = 'spark_tenant' then
        raise exception 'status, domain and domain_aliases of a site are the platform''s to change'
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;
create trigger sites_keep_place before update of status, domain, domain_aliases on sites for each row
    when (new.status <> old.status or new.domain is distinct from old.domain or new.domain_aliases <> old.domain_aliases)
    execute function spark.keep_site_place();

-- Archived: nobody reaches it by a host, a token or a list; only references find it.
insert into sites (id, status, name) values (spark.library_site(), 'archived', 'Library');

create function spark.keep_library_site() returns trigger
language plpgsql as $$
begin
    raise exception 'the library site cannot be removed' using errcode = 'restrict_violation';
end
$$;
create trigger sites_keep_library before delete on sites for each row
    when (old.id = '00000000-0000-7000-8000-000000000001') execute function spark.keep_library_site();

-- Domain and aliases share one table of hosts, so that no two sites can answer to the same one.
-- Definer: the table of hosts is nobody's who may change a site.
create function spark.sync_site_domains() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from spark.site_domains where site_id = new.id;
    insert into spark.site_domains (domain, site_id, is_alias)
    select host, new.id, bool_and(is_alias)
      from (select lower(rtrim(new.domain, '.')) as host, false as is_alias
            union all
            select lower(rtrim(alias, '.')), true from jsonb_array_elements_text(new.domain_aliases) alias) hosts
     where host <> ''
     group by host;
    return null;
end
$$;
create trigger sites_domains_insert after insert on sites for each row
    when (new.domain is not null or new.domain_aliases <> '[]') execute function spark.sync_site_domains();
create trigger sites_domains_update after update of domain, domain_aliases on sites for each row
    when (new.domain is distinct from old.domain or new.domain_aliases <> old.domain_aliases)
    execute function spark.sync_site_domains();

select spark.raise_epoch_on('sites', '{status,domain,domain_aliases}');

alter table spark.site_domains add foreign key (site_id) references sites (id) on delete cascade;
alter table spark.site_tokens add foreign key (site_id) references sites (id) on delete cascade;
alter table spark.site_secrets add foreign key (site_id) references sites (id) on delete cascade;
