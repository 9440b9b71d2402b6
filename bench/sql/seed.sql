-- The data set of every content workload: :sites sites, 10 authors each, :posts posts of about 2 KB.
--
-- Everything is computed from row numbers, so two runs hold the same bytes. All values of a column
-- have the same length: then every answer to one kind of request has the same length too, and a
-- load generator can verify each of them. Posts of the sites alternate, as they would in life.

begin;

create temporary table bench_words on commit drop as
select array[
    'about', 'above', 'again', 'answer', 'around', 'autumn', 'basket', 'before', 'bridge', 'bright',
    'bring', 'brother', 'build', 'butter', 'candle', 'carry', 'castle', 'center', 'change', 'choose',
    'circle', 'clear', 'clever', 'close', 'cloud', 'coffee', 'color', 'common', 'copper', 'corner',
    'cotton', 'country', 'course', 'cover', 'dance', 'decide', 'deep', 'desert', 'dinner', 'doctor',
    'double', 'dream', 'early', 'earth', 'east', 'enough', 'enter', 'evening', 'family', 'farm',
    'feather', 'field', 'finger', 'fire', 'flower', 'follow', 'forest', 'forget', 'fourth', 'friend',
    'garden', 'gather', 'gentle', 'glass', 'golden', 'grass', 'green', 'ground', 'happy', 'harbor',
    'harvest', 'heavy', 'helper', 'hidden', 'honest', 'house', 'hundred', 'island', 'kettle',
    'kitchen', 'ladder', 'letter', 'light', 'listen', 'little', 'machine', 'market', 'meadow',
    'middle', 'minute', 'mirror', 'modern', 'morning', 'mountain', 'music', 'narrow', 'nature',
    'needle', 'night', 'north', 'number', 'ocean', 'orange', 'orchard', 'paper', 'pepper', 'picture',
    'planet', 'pocket', 'quiet', 'rabbit', 'rather', 'reason', 'river', 'salt', 'second', 'silver',
    'simple', 'spring', 'stone', 'street', 'summer', 'table', 'thread', 'timber', 'travel', 'valley',
    'window', 'winter', 'wonder', 'yellow', 'zebra'
]::text[] as words;

-- 1,000 paragraphs of 255 characters, from which the posts are put together.
create temporary table bench_paragraphs on commit drop as
select p::int as number,
       left((select string_agg(words[1 + (p * 7919 + k * 104729 + p * k * 31) % array_length(words, 1)],
                               ' ' order by k)
               from generate_series(1, 70) as k), 255) as body
  from generate_series(0, 999) as p, bench_words;
create index on bench_paragraphs (number);
analyze bench_paragraphs;

insert into sites (id, name, url, domain, status)
select ('01960000-0000-7000-8000-' || lpad(to_hex(s), 12, '0'))::uuid,
       'bench site ' || lpad(s::text, 2, '0'),
       'http://site-' || lpad(s::text, 2, '0') || '.bench.test',
       'site-' || lpad(s::text, 2, '0') || '.bench.test',
       'active'
  from generate_series(1, :sites) as s;

insert into authors (id, site_id, name)
select ('01961000-0000-7000-8000-' || lpad(to_hex(s * 10 + a), 12, '0'))::uuid,
       ('01960000-0000-7000-8000-' || lpad(to_hex(s), 12, '0'))::uuid,
       'author ' || lpad(a::text, 2, '0') || ' of site ' || lpad(s::text, 2, '0')
  from generate_series(1, :sites) as s, generate_series(0, 9) as a;

-- Post n belongs to site 1 + n % sites; every tenth one is a draft, with a title of 64 characters
-- instead of 60, because 'draft' is 4 shorter than 'published' and all rows shall be equally long.
insert into posts (id, site_id, title, slug, status, content, author, published_at)
select ('01970000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
       ('01960000-0000-7000-8000-' || lpad(to_hex(1 + n % :sites), 12, '0'))::uuid,
       left(first.body, case when (n / :sites) % 10 = 0 then 64 else 60 end),
       'post-' || lpad(n::text, 8, '0'),
       case when (n / :sites) % 10 = 0 then 'draft' else 'published' end,
       (select string_agg(part.body, ' ' order by k)
          from generate_series(1, 8) as k
          join bench_paragraphs as part on part.number = (n * 31 + k * 127) % 1000),
       ('01961000-0000-7000-8000-' || lpad(to_hex((1 + n % :sites) * 10 + n % 7), 12, '0'))::uuid,
       timestamptz '2023-01-01 00:00:00+00' + n * interval '10 minutes'
  from generate_series(1, :posts) as series (n)
  join bench_paragraphs as first on first.number = n % 1000
 order by n;

-- 250 topics a site, each written with its ten notes and ten marks: lists with two to-many relations.
create table topics (
    id uuid primary key, site_id uuid not null references sites (id), title varchar(60) not null,
    published_at timestamptz not null, unique (site_id, id));
create index on topics (site_id, published_at);
create table topic_notes (
    id uuid primary key, site_id uuid not null, topic uuid not null, body varchar(40) not null,
    foreign key (site_id, topic) references topics (site_id, id));
create index on topic_notes (site_id, topic, id);
create table topic_marks (
    id uuid primary key, site_id uuid not null, topic uuid not null, name varchar(20) not null,
    foreign key (site_id, topic) references topics (site_id, id));
create index on topic_marks (site_id, topic, id);

insert into topics (id, site_id, title, published_at)
select ('01980000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
       ('01960000-0000-7000-8000-' || lpad(to_hex(1 + n % :sites), 12, '0'))::uuid,
       'topic ' || lpad(n::text, 8, '0'), timestamptz '2023-01-01 00:00:00+00' + n * interval '10 minutes'
  from generate_series(1, :topics) as series (n);
insert into topic_notes (id, site_id, topic, body)
select ('01981000-0000-7000-8000-' || lpad(to_hex(n * 10 + k), 12, '0'))::uuid,
       ('01960000-0000-7000-8000-' || lpad(to_hex(1 + n % :sites), 12, '0'))::uuid,
       ('01980000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
       'note ' || k || ' of topic ' || lpad(n::text, 8, '0')
  from generate_series(1, :topics) as series (n), generate_series(0, 9) as k
 order by n, k;
insert into topic_marks (id, site_id, topic, name)
select ('01982000-0000-7000-8000-' || lpad(to_hex(n * 10 + k), 12, '0'))::uuid,
       ('01960000-0000-7000-8000-' || lpad(to_hex(1 + n % :sites), 12, '0'))::uuid,
       ('01980000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'mark ' || k
  from generate_series(1, :topics) as series (n), generate_series(0, 9) as k
 order by n, k;

-- Stories, which are made together with their author and their tags: 5,000 of them, 50 tags a site, five on a story.
create table stories (
    id uuid primary key default gen_random_uuid(), site_id uuid not null default spark.current_site() references sites (id),
    title varchar(255), slug varchar(255), status varchar(50) not null default 'draft', content text, author uuid,
    unique (site_id, id), unique (site_id, slug), foreign key (site_id, author) references authors (site_id, id));
create index on stories (site_id, author);
create table tags (
    id uuid primary key default gen_random_uuid(), site_id uuid not null default spark.current_site() references sites (id),
    name varchar(40) not null, unique (site_id, id));
create table stories_tags (
    id uuid primary key default gen_random_uuid(), site_id uuid not null default spark.current_site(), story uuid, tag uuid,
    foreign key (site_id, story) references stories (site_id, id), foreign key (site_id, tag) references tags (site_id, id));
create index on stories_tags (site_id, story);
create index on stories_tags (site_id, tag);
insert into stories (id, site_id, title, slug, content, author)
select id, site_id, title, slug, content, author from posts order by id limit 5000;
insert into tags (id, site_id, name)
select ('01983000-0000-7000-8000-' || lpad(to_hex(s * 50 + k), 12, '0'))::uuid,
       ('01960000-0000-7000-8000-' || lpad(to_hex(s), 12, '0'))::uuid, 'tag ' || k
  from generate_series(1, :sites) as s, generate_series(0, 49) as k;
insert into stories_tags (id, site_id, story, tag)
select ('01984000-0000-7000-8000-' || lpad(to_hex(n * 5 + k), 12, '0'))::uuid,
       ('01960000-0000-7000-8000-' || lpad(to_hex(1 + n % :sites), 12, '0'))::uuid,
       ('01970000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
       ('01983000-0000-7000-8000-' || lpad(to_hex((1 + n % :sites) * 50 + (n * 7 + k * 11) % 50), 12, '0'))::uuid
  from generate_series(1, 5000) as series (n), generate_series(0, 4) as k;

select spark.protect_table(name::regclass) from unnest(array['topics', 'topic_notes', 'topic_marks', 'stories', 'tags', 'stories_tags']) as name;
insert into directus_collections (collection, accountability)
values ('topics', 'all'), ('topic_notes', 'all'), ('topic_marks', 'all'), ('stories', 'all'), ('tags', 'all'), ('stories_tags', 'all');
insert into directus_relations (many_collection, many_field, one_collection, one_field, junction_field)
values ('topic_notes', 'topic', 'topics', 'notes', null), ('topic_marks', 'topic', 'topics', 'marks', null),
       ('stories', 'author', 'authors', null, null), ('stories_tags', 'story', 'stories', 'tags', 'tag'), ('stories_tags', 'tag', 'tags', null, 'story');
insert into directus_fields (collection, field, special)
values ('topics', 'notes', 'o2m'), ('topics', 'marks', 'o2m'), ('stories', 'tags', 'm2m');

-- Someone of the platform who reads the posts of all sites.
insert into directus_policies (id, name) values ('01964000-0000-7000-8000-000000000001', 'bench counts');
insert into directus_users (id, email, status, token)
values ('01964000-0000-7000-8000-000000000002', 'counter@example.com', 'active', :'counter_token');
insert into directus_access (id, "user", policy)
values ('01964000-0000-7000-8000-000000000003', '01964000-0000-7000-8000-000000000002', '01964000-0000-7000-8000-000000000001');
insert into directus_permissions (policy, collection, action, permissions, fields)
values ('01964000-0000-7000-8000-000000000001', 'posts', 'read', '{}', '*');

commit;

vacuum (freeze, analyze) sites, authors, posts, topics, topic_notes, topic_marks, stories, tags, stories_tags;
checkpoint;
