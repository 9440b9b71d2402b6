-- One site with :rows small posts, for bench/rls.sh. Computed from row numbers: every run holds the
-- same bytes. One post in a thousand has "needle" in its title, one in ten thousand "haystack".

insert into sites (id, name, url, domain, status)
values ('01960000-0000-7000-8000-0000000000ff', 'row security', 'http://rls.bench.test', 'rls.bench.test', 'active')
on conflict do nothing;

insert into posts (id, site_id, title, slug, status, excerpt, category, published_at)
select ('01980000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
       '01960000-0000-7000-8000-0000000000ff',
       case when n % 10000 = 0 then 'haystack ' when n % 1000 = 0 then 'needle ' else 'plain ' end
         || md5(n::text) || ' of many',
       'rls-' || lpad(n::text, 8, '0'),
       case when n % 10 = 0 then 'draft' else 'published' end,
       'excerpt ' || md5((n * 7)::text) || ' ' || md5((n * 13)::text),
       'category ' || lpad((n % 500)::text, 3, '0'),
       timestamptz '2020-01-01 00:00:00+00' + n * interval '1 minute'
  from generate_series(1, :rows) as series (n);

create table rls_numbers (
    id uuid primary key,
    site_id uuid not null references sites (id) on delete cascade,
    whole integer not null,
    price numeric(10, 2) not null,
    data jsonb not null
);
insert into rls_numbers
select id, site_id, n::int, n / 100.0, jsonb_build_object('n', n)
  from posts, lateral (select ('x' || right(id::text, 12))::bit(48)::bigint as n) as number
 where site_id = '01960000-0000-7000-8000-0000000000ff';
create index on rls_numbers (site_id, whole);
create index on rls_numbers (site_id, price);
create index on rls_numbers using gin (data jsonb_path_ops);
select spark.protect_table('rls_numbers');

create extension if not exists pg_trgm;
create extension if not exists btree_gin;
create index rls_title on posts using gin (site_id, title gin_trgm_ops);

vacuum (freeze, analyze) posts, rls_numbers;
