-- Places: states, counties, cities. Public facts that belong to the library; a site may add its own
-- (a district, a resort) below them.

set local client_min_messages = warning;
set local role spark_owner;

create table locations_states (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site_or_library() references sites (id) on delete cascade,
    name varchar(100) not null,
    code varchar(10) not null,
    country_code varchar(10) not null default 'US',
    population integer check (population >= 0),
    region varchar(100),
    unique (site_id, id),
    unique (site_id, country_code, code)
);

create table locations_counties (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site_or_library() references sites (id) on delete cascade,
    name varchar(100) not null,
    state_id uuid not null,
    state_site_id uuid,
    fips_code varchar(10),
    population integer check (population >= 0),
    unique (site_id, id)
);
select spark.add_library_reference('locations_counties', 'state_id', 'state_site_id',
                                   'locations_states', 'id', 'cascade');
create unique index locations_counties_fips on locations_counties (site_id, fips_code);
create index locations_counties_population on locations_counties (state_id, population desc nulls last);

create table locations_cities (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site_or_library() references sites (id) on delete cascade,
    name varchar(100) not null,
    state_id uuid not null,
    state_site_id uuid,
    county_id uuid,
    county_site_id uuid,
    population integer check (population >= 0),
    zip_codes jsonb,
    postal_code varchar(20),
    latitude numeric(10, 6) check (latitude between -90 and 90),
    longitude numeric(10, 6) check (longitude between -180 and 180),
    ranking integer,
    unique (site_id, id)
);
select spark.add_library_reference('locations_cities', 'state_id', 'state_site_id',
                                   'locations_states', 'id', 'cascade');
select spark.add_library_reference('locations_cities', 'county_id', 'county_site_id',
                                   'locations_counties', 'id', 'set null');
-- Not site first: a place's children are few, and a site reads its own and the library's in one range.
create index locations_cities_county on locations_cities (county_id, population desc nulls last);
create index locations_cities_state on locations_cities (state_id, population desc nulls last);

select spark.protect_table(name::regclass, shared_read => true)
  from unnest('{locations_states,locations_counties,locations_cities}'::text[]) name;
