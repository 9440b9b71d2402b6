-- The collections that the sequences work on, the same for Directus and Spark. Rows are few and made by rules, keys are fixed, so that
-- both servers begin alike; no number here reaches 1,000,000, from where on keys are made by the servers (pair.mjs).

create table countries (code varchar(2) primary key, name varchar(255), area integer);
insert into countries values ('de', 'Germany', 357), ('fr', 'France', 551), ('jp', 'Japan', 377), ('xx', null, null);

create table authors (
    id uuid primary key default gen_random_uuid(), name varchar(255) not null, email varchar(255) unique, bio text, born date,
    rating real, active boolean default true, country varchar(2) references countries (code) on delete set null,
    boss uuid references authors (id) on delete set null);
insert into authors
select format('00000000-0000-4000-8000-a000%s', lpad(n::text, 8, '0'))::uuid, 'Author ' || n, case n when 5 then null else 'author' || n || '@example.com' end,
       case n when 1 then null when 2 then '' else 'Bio of ' || n end, case n when 4 then null else date '1970-01-31' + n * 400 end, n / 7.0, n % 3 <> 0,
       (array['de', 'fr', 'jp', null])[1 + n % 4], case when n > 2 then format('00000000-0000-4000-8000-a000%s', lpad((n / 2)::text, 8, '0'))::uuid end
from generate_series(1, 6) n;

create table categories (id serial primary key, name varchar(100) not null, sort integer, parent integer references categories (id) on delete set null);
insert into categories (name, sort, parent) select 'Category ' || n, (n * 5) % 7, case when n > 2 then n / 2 end from generate_series(1, 7) n;

create table labels (id uuid primary key default gen_random_uuid(), name varchar(50) not null unique, color varchar(20), weight integer);
insert into labels
select format('00000000-0000-4000-8000-b000%s', lpad(n::text, 8, '0'))::uuid, 'label-' || n, (array['red', 'green', 'blue'])[1 + n % 3], case n when 4 then null else n * 10 end
from generate_series(1, 6) n;

create table articles (
    id serial primary key, status varchar(20) not null default 'draft', title varchar(255) not null, slug varchar(100) unique, body text,
    views integer default 0, reach bigint, price numeric(10, 2), score real, featured boolean default false,
    published_at timestamptz, starts timestamp, day date, clock time, meta json, keywords text, ref uuid, sort integer,
    author uuid references authors (id) on delete set null, category integer references categories (id) on delete set null);
insert into articles (status, title, slug, body, views, reach, price, score, featured, published_at, starts, day, clock, meta, keywords, ref, sort, author, category)
select (array['published', 'draft', 'published', 'archived'])[1 + n % 4], 'Article ' || n || ' on ' || (array['maps', 'trains', 'Glass'])[1 + n % 3], 'article-' || n,
       case n % 6 when 0 then null when 1 then '' else 'Text of ' || n end, n * 13 % 50, case n % 5 when 0 then null else 9007199254740993 + n end,
       case n % 4 when 0 then null else n * 1.25 end, case n % 7 when 0 then null else n / 7.0 end, case n % 5 when 0 then null else n % 2 = 0 end,
       case n % 8 when 0 then null else timestamptz '2023-01-30 22:15:00.5Z' + n * interval '37 days 3 hours' end,
       case n % 9 when 0 then null else timestamp '2023-05-06 07:08:09' + n * interval '11 days 5 hours' end,
       case n % 10 when 0 then null else date '2024-02-27' + n end, case n % 11 when 0 then null else time '06:30:15' + n * interval '41 minutes' end,
       case n % 4 when 0 then null when 1 then json_build_object('size', n, 'tags', json_build_array('a', n), 'deep', json_build_object('k', 'v' || n)) when 2 then json_build_array(n, n + 1) else to_json('word ' || n) end,
       case n % 4 when 0 then null when 1 then '' when 2 then 'one' else 'one,two,' || n end, case when n % 3 = 0 then format('00000000-0000-4000-8000-c000%s', lpad(n::text, 8, '0'))::uuid end,
       case n % 6 when 5 then null else (n * 7) % 25 end,
       case when n % 6 > 0 then format('00000000-0000-4000-8000-a000%s', lpad((1 + n % 5)::text, 8, '0'))::uuid end, case n % 5 when 4 then null else 1 + n % 5 end
from generate_series(1, 24) n;

create table remarks (
    id serial primary key, article integer references articles (id) on delete cascade, author uuid references authors (id) on delete set null,
    text text, stars integer, sort integer);
insert into remarks (article, author, text, stars, sort)
select case n when 40 then null else 1 + n * n % 12 end, case n % 4 when 0 then null else format('00000000-0000-4000-8000-a000%s', lpad((1 + n % 6)::text, 8, '0'))::uuid end,
       'Remark ' || n, n % 6, 100 - n from generate_series(1, 40) n;

create table articles_labels (
    id serial primary key, articles_id integer references articles (id) on delete cascade, labels_id uuid references labels (id) on delete cascade,
    note varchar(255), sort integer);
insert into articles_labels (articles_id, labels_id, note, sort)
select 1 + n % 9, format('00000000-0000-4000-8000-b000%s', lpad((1 + n % 5)::text, 8, '0'))::uuid, case n % 3 when 0 then null else 'note ' || n end, n % 4 * 10 + n from generate_series(1, 20) n;

create table block_texts (id serial primary key, heading varchar(255), text text);
insert into block_texts (heading, text) select 'Heading ' || n, 'Block ' || n from generate_series(1, 5) n;
create table block_quotes (id uuid primary key default gen_random_uuid(), quote text, author uuid references authors (id) on delete set null);
insert into block_quotes select format('00000000-0000-4000-8000-d000%s', lpad(n::text, 8, '0'))::uuid, 'Quote ' || n, format('00000000-0000-4000-8000-a000%s', lpad(n::text, 8, '0'))::uuid from generate_series(1, 4) n;
create table articles_blocks (id serial primary key, articles_id integer references articles (id) on delete cascade, collection varchar(64), item varchar(255), sort integer);
insert into articles_blocks (articles_id, collection, item, sort)
select 1 + n % 4, case n % 2 when 0 then 'block_texts' else 'block_quotes' end,
       case n % 2 when 0 then (1 + n % 5)::text else format('00000000-0000-4000-8000-d000%s', lpad((1 + n % 4)::text, 8, '0')) end, n
from generate_series(1, 10) n;

create table languages (code varchar(5) primary key, name varchar(100));
insert into languages values ('en-US', 'English'), ('de-DE', 'German'), ('fr-FR', 'French');
create table articles_translations (
    id serial primary key, articles_id integer references articles (id) on delete cascade, languages_code varchar(5) references languages (code) on delete set null,
    title varchar(255), summary text);
insert into articles_translations (articles_id, languages_code, title, summary)
select 1 + n % 5, (array['en-US', 'de-DE'])[1 + n % 2], 'Title ' || n, case n % 3 when 0 then null else 'Summary ' || n end from generate_series(1, 10) n;

create table home (id serial primary key, headline varchar(255), theme json, visits integer default 7, star integer references articles (id) on delete set null);
create table about (id serial primary key, headline varchar(255), owner uuid references authors (id) on delete set null);
insert into about (headline, owner) values ('About us', '00000000-0000-4000-8000-a00000000001');

-- One field of each type, with what is peculiar about each.
create table samples (
    id serial primary key, name varchar(255), long text, yes boolean, number integer, huge bigint, ratio real, wide double precision, money numeric(12, 3),
    day date, moment timestamp, clock time, instant timestamptz, data json, list text, ident uuid, secret varchar(255), masked varchar(255));
insert into samples (name, long, yes, number, huge, ratio, wide, money, day, moment, clock, instant, data, list, ident, secret, masked) values
    ('alpha', 'The long text', true, 1, 1, 0.5, 0.1, 1.5, '2024-01-01', '2024-01-01T00:00:00', '00:00:00', '2024-01-01T00:00:00Z', '{"a":1}', 'a,b', '00000000-0000-4000-8000-e00000000001', '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$MTIz', 'hidden'),
    ('Alpha', '50% of_it', false, -1, -9007199254740993, -0.25, 1e100, -0.001, '1999-12-31', '1999-12-31T23:59:59', '23:59:59', '1999-12-31T23:59:59.999Z', '[1,2]', '', '00000000-0000-4000-8000-e00000000002', '', ''),
    ('', '', null, 0, 9223372036854775807, 0, 0, 0, '2024-02-29', '2024-02-29T12:30:15', '12:30:15', '2024-02-29T12:30:15.250Z', '"text"', 'one', null, null, null),
    ('Ünïcödé ✓', 'line 1' || chr(10) || 'line "2"', true, 2147483647, null, 3.5e10, 3.141592653589793, 999999999.999, '2100-06-15', '2100-06-15T06:07:08', '06:07:08', '2100-06-15T06:07:08Z', 'true', 'p,"q",r', '00000000-0000-4000-8000-e00000000003', null, 'more'),
    ('123', '123', false, 123, 123, 123, 123, 123, '2024-01-01', '2024-01-01T10:00:00', '10:00:00', '2024-01-01T10:00:00Z', '123', '1,2,3', '00000000-0000-4000-8000-e00000000004', null, null),
    ('alphabet', 'quote '' and \ backslash', true, 2, 2, 2.5, 2.5, 2.5, '2024-03-31', '2024-03-31T02:30:00', '02:30:00', '2024-03-31T02:30:00Z', '{"a":{"b":[1,{"c":null}]}}', 'x', null, null, null),
    (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
    ('null', 'true', null, 5, 5, 5.5, 5.5, 5.5, '2024-01-02', '2024-01-02T00:00:00', '00:00:01', '2024-01-02T00:00:00Z', 'null', 'null', null, null, null);

-- What is checked on writing.
create table rules (
    id serial primary key, needed varchar(255) not null, short varchar(10), level integer not null default 5, code varchar(20) not null unique,
    small smallint, amount numeric(5, 2), word varchar(255), range integer, choice varchar(255), mail varchar(255), pair varchar(255));
insert into rules (needed, code) values ('one', 'first'), ('two', 'second');

-- What is written by itself.
create table stamps (
    id uuid primary key, name varchar(255), made timestamptz, changed timestamptz, maker uuid references directus_users (id) on delete set null,
    changer uuid references directus_users (id) on delete set null, maker_role uuid references directus_roles (id) on delete set null,
    changer_role uuid references directus_roles (id) on delete set null, ident uuid, secret varchar(255), masked varchar(255), flag integer, doc text, list text,
    day_made date, moment_made timestamp, clock_made time);
insert into stamps (id, name) values ('00000000-0000-4000-8000-f00000000001', 'first'), ('00000000-0000-4000-8000-f00000000002', 'second');

create table queue (id serial primary key, name varchar(255), position integer);
insert into queue (name, position) select 'entry ' || n, case n when 6 then null else (n * 3) % 7 end from generate_series(1, 6) n;

create table papers (id serial primary key, title varchar(255), text text, views integer default 0, author uuid references authors (id) on delete set null);
insert into papers (title, text, author) select 'Paper ' || n, 'Text ' || n, format('00000000-0000-4000-8000-a000%s', lpad(n::text, 8, '0'))::uuid from generate_series(1, 4) n;
create table paper_notes (id serial primary key, paper integer references papers (id) on delete cascade, note text);
insert into paper_notes (paper, note) select 1 + n % 3, 'Note ' || n from generate_series(1, 6) n;

create table quiet (id serial primary key, name varchar(255));
insert into quiet (name) values ('q1'), ('q2');
create table untracked (id serial primary key, name varchar(255));
insert into untracked (name) values ('u1'), ('u2');

insert into directus_collections (collection, singleton, sort_field, versioning, accountability, archive_field, archive_value, unarchive_value, hidden) values
    ('countries', false, null, false, 'all', null, null, null, false), ('authors', false, null, false, 'all', null, null, null, false),
    ('categories', false, 'sort', false, 'all', null, null, null, false), ('labels', false, null, false, 'all', null, null, null, false),
    ('articles', false, null, false, 'all', 'status', 'archived', 'draft', false), ('remarks', false, null, false, 'all', null, null, null, false),
    ('articles_labels', false, null, false, 'all', null, null, null, true), ('block_texts', false, null, false, 'all', null, null, null, false),
    ('block_quotes', false, null, false, 'all', null, null, null, false), ('articles_blocks', false, null, false, 'all', null, null, null, true),
    ('languages', false, null, false, 'all', null, null, null, false), ('articles_translations', false, null, false, 'all', null, null, null, true),
    ('home', true, null, false, 'all', null, null, null, false), ('about', true, null, true, 'all', null, null, null, false),
    ('samples', false, null, false, 'all', null, null, null, false), ('rules', false, null, false, 'all', null, null, null, false),
    ('stamps', false, null, false, 'all', null, null, null, false), ('queue', false, 'position', false, 'activity', null, null, null, false),
    ('papers', false, null, true, 'all', null, null, null, false), ('paper_notes', false, null, false, 'all', null, null, null, false),
    ('quiet', false, null, false, null, null, null, null, false), ('chapter', false, null, false, 'all', null, null, null, false);

insert into directus_relations (many_collection, many_field, one_collection, one_field, one_collection_field, one_allowed_collections, junction_field, sort_field, one_deselect_action) values
    ('authors', 'country', 'countries', 'authors', null, null, null, null, 'nullify'),
    ('authors', 'boss', 'authors', 'staff', null, null, null, null, 'nullify'),
    ('categories', 'parent', 'categories', 'children', null, null, null, null, 'nullify'),
    ('articles', 'author', 'authors', 'articles', null, null, null, null, 'nullify'),
    ('articles', 'category', 'categories', null, null, null, null, null, 'nullify'),
    ('remarks', 'article', 'articles', 'remarks', null, null, null, 'sort', 'delete'),
    ('remarks', 'author', 'authors', null, null, null, null, null, 'nullify'),
    ('articles_labels', 'articles_id', 'articles', 'labels', null, null, 'labels_id', 'sort', 'nullify'),
    ('articles_labels', 'labels_id', 'labels', 'articles', null, null, 'articles_id', null, 'nullify'),
    ('articles_blocks', 'articles_id', 'articles', 'blocks', null, null, 'item', 'sort', 'delete'),
    ('articles_blocks', 'item', null, null, 'collection', 'block_texts,block_quotes', 'articles_id', null, 'nullify'),
    ('block_quotes', 'author', 'authors', null, null, null, null, null, 'nullify'),
    ('articles_translations', 'articles_id', 'articles', 'translations', null, null, 'languages_code', null, 'nullify'),
    ('articles_translations', 'languages_code', 'languages', null, null, null, 'articles_id', null, 'nullify'),
    ('home', 'star', 'articles', null, null, null, null, null, 'nullify'),
    ('about', 'owner', 'authors', null, null, null, null, null, 'nullify'),
    ('stamps', 'maker', 'directus_users', null, null, null, null, null, 'nullify'),
    ('stamps', 'changer', 'directus_users', null, null, null, null, null, 'nullify'),
    ('stamps', 'maker_role', 'directus_roles', null, null, null, null, null, 'nullify'),
    ('stamps', 'changer_role', 'directus_roles', null, null, null, null, null, 'nullify'),
    ('papers', 'author', 'authors', null, null, null, null, null, 'nullify'),
    ('paper_notes', 'paper', 'papers', 'notes', null, null, null, null, 'nullify');

insert into directus_fields (collection, field, special, interface, sort, validation, validation_message, searchable) values
    ('countries', 'authors', 'o2m', 'list-o2m', 1, null, null, true), ('authors', 'articles', 'o2m', 'list-o2m', 1, null, null, true), ('authors', 'staff', 'o2m', 'list-o2m', 2, null, null, true),
    ('authors', 'country', 'm2o', 'select-dropdown-m2o', 3, null, null, true), ('categories', 'children', 'o2m', 'list-o2m', 1, null, null, true),
    ('labels', 'articles', 'm2m', 'list-m2m', 1, null, null, true), ('labels', 'color', null, 'input', 2, null, null, false),
    ('articles', 'author', 'm2o', 'select-dropdown-m2o', 1, null, null, true), ('articles', 'category', 'm2o', 'select-dropdown-m2o', 2, null, null, true),
    ('articles', 'remarks', 'o2m', 'list-o2m', 3, null, null, true), ('articles', 'labels', 'm2m', 'list-m2m', 4, null, null, true),
    ('articles', 'blocks', 'm2a', 'list-m2a', 5, null, null, true), ('articles', 'translations', 'translations', 'translations', 6, null, null, true),
    ('articles', 'meta', 'cast-json', 'input-code', 7, null, null, true), ('articles', 'keywords', 'cast-csv', 'tags', 8, null, null, true),
    ('articles', 'featured', 'cast-boolean', 'boolean', 9, null, null, true),
    ('home', 'theme', 'cast-json', 'input-code', 1, null, null, true),
    ('samples', 'data', 'cast-json', 'input-code', 1, null, null, true), ('samples', 'list', 'cast-csv', 'tags', 2, null, null, true),
    ('samples', 'secret', 'hash,conceal', 'input-hash', 3, null, null, true), ('samples', 'masked', 'conceal', 'input', 4, null, null, true), ('samples', 'yes', 'cast-boolean', 'boolean', 5, null, null, true),
    ('rules', 'word', null, 'input', 1, '{"_and":[{"word":{"_regex":"^[a-z]+$"}}]}', 'Only small letters', true),
    ('rules', 'range', null, 'input', 2, '{"_and":[{"range":{"_gte":1}},{"range":{"_lt":10}}]}', null, true),
    ('rules', 'choice', null, 'input', 3, '{"choice":{"_in":["a","b"]}}', null, true),
    ('rules', 'mail', null, 'input', 4, '{"mail":{"_contains":"@"}}', null, true),
    ('rules', 'pair', null, 'input', 5, '{"_or":[{"pair":{"_eq":"x"}},{"pair":{"_starts_with":"y"}}]}', null, true),
    ('stamps', 'id', 'uuid', 'input', 1, null, null, true), ('stamps', 'made', 'date-created', 'datetime', 2, null, null, true), ('stamps', 'changed', 'date-updated', 'datetime', 3, null, null, true),
    ('stamps', 'maker', 'user-created', 'select-dropdown-m2o', 4, null, null, true), ('stamps', 'changer', 'user-updated', 'select-dropdown-m2o', 5, null, null, true),
    ('stamps', 'maker_role', 'role-created', 'select-dropdown-m2o', 6, null, null, true), ('stamps', 'changer_role', 'role-updated', 'select-dropdown-m2o', 7, null, null, true),
    ('stamps', 'ident', 'uuid', 'input', 8, null, null, true), ('stamps', 'secret', 'hash,conceal', 'input-hash', 9, null, null, true), ('stamps', 'masked', 'conceal', 'input', 10, null, null, true),
    ('stamps', 'flag', 'cast-boolean', 'boolean', 11, null, null, true), ('stamps', 'doc', 'cast-json', 'input-code', 12, null, null, true), ('stamps', 'list', 'cast-csv', 'tags', 13, null, null, true),
    ('stamps', 'day_made', 'date-created', 'datetime', 14, null, null, true), ('stamps', 'moment_made', 'date-created', 'datetime', 15, null, null, true),
    ('papers', 'notes', 'o2m', 'list-o2m', 1, null, null, true);

-- Who asks. The static token of each is token-of-<name>-0123456789.
insert into directus_roles (id, name, icon, description, parent) values
    ('00000000-0000-4000-8000-100000000001', 'Editors', 'edit', 'They edit', null),
    ('00000000-0000-4000-8000-100000000002', 'Juniors', 'person', null, '00000000-0000-4000-8000-100000000001'),
    ('00000000-0000-4000-8000-100000000003', 'Guests', 'person', null, null);
insert into directus_policies (id, name, icon, app_access, admin_access, ip_access) values
    ('00000000-0000-4000-8000-200000000001', 'Writing', 'edit', false, false, null), ('00000000-0000-4000-8000-200000000002', 'More fields', 'badge', false, false, null),
    ('00000000-0000-4000-8000-200000000003', 'App', 'badge', true, false, null), ('00000000-0000-4000-8000-200000000004', 'Own remarks', 'badge', false, false, null),
    ('00000000-0000-4000-8000-200000000005', 'Elsewhere', 'badge', false, false, '10.1.2.3,192.168.0.0/16');
insert into directus_users (id, first_name, last_name, email, status, role, token) values
    ('00000000-0000-4000-8000-300000000001', 'Edda', 'Editor', 'editor@example.com', 'active', '00000000-0000-4000-8000-100000000001', 'token-of-editor-0123456789'),
    ('00000000-0000-4000-8000-300000000002', 'Juno', 'Junior', 'junior@example.com', 'active', '00000000-0000-4000-8000-100000000002', 'token-of-junior-0123456789'),
    ('00000000-0000-4000-8000-300000000003', 'Gus', 'Guest', 'guest@example.com', 'active', '00000000-0000-4000-8000-100000000003', 'token-of-guest-0123456789'),
    ('00000000-0000-4000-8000-300000000004', 'Stan', 'Still', 'still@example.com', 'suspended', '00000000-0000-4000-8000-100000000001', 'token-of-still-0123456789'),
    ('00000000-0000-4000-8000-300000000005', 'Nora', 'None', 'none@example.com', 'active', null, 'token-of-none-0123456789'),
    ('00000000-0000-4000-8000-300000000006', 'Abe', 'App', 'app@example.com', 'active', '00000000-0000-4000-8000-100000000003', 'token-of-app-0123456789');
insert into directus_access (id, role, "user", policy, sort) values
    ('00000000-0000-4000-8000-400000000001', '00000000-0000-4000-8000-100000000001', null, '00000000-0000-4000-8000-200000000001', 1),
    ('00000000-0000-4000-8000-400000000002', '00000000-0000-4000-8000-100000000002', null, '00000000-0000-4000-8000-200000000002', 1),
    ('00000000-0000-4000-8000-400000000003', null, '00000000-0000-4000-8000-300000000002', '00000000-0000-4000-8000-200000000004', 1),
    ('00000000-0000-4000-8000-400000000004', null, '00000000-0000-4000-8000-300000000006', '00000000-0000-4000-8000-200000000003', 1),
    ('00000000-0000-4000-8000-400000000005', null, '00000000-0000-4000-8000-300000000003', '00000000-0000-4000-8000-200000000005', 1);
insert into directus_permissions (policy, collection, action, permissions, validation, presets, fields) values
    ('abf8a154-5b1c-4a46-ac9c-7300570f4f17', 'articles', 'read', '{"status":{"_eq":"published"}}', null, null, 'id,title,slug,author,labels'),
    ('abf8a154-5b1c-4a46-ac9c-7300570f4f17', 'authors', 'read', null, null, null, 'id,name'),
    ('abf8a154-5b1c-4a46-ac9c-7300570f4f17', 'about', 'read', '{}', null, null, '*'),
    ('00000000-0000-4000-8000-200000000001', 'articles', 'read', '{"status":{"_in":["published","draft"]}}', null, null, 'id,title,slug,status,views,author,category,remarks,labels,blocks'),
    ('00000000-0000-4000-8000-200000000001', 'articles', 'create', '{}', '{"views":{"_lte":100}}', '{"status":"draft","views":3}', '*'),
    ('00000000-0000-4000-8000-200000000001', 'articles', 'update', '{"status":{"_eq":"draft"}}', '{"title":{"_contains":"a"}}', '{"body":"edited"}', 'title,slug,status,views,remarks,labels,author'),
    ('00000000-0000-4000-8000-200000000001', 'articles', 'delete', '{"status":{"_eq":"draft"}}', null, null, null),
    ('00000000-0000-4000-8000-200000000001', 'authors', 'read', '{}', null, null, 'id,name,articles,country'),
    ('00000000-0000-4000-8000-200000000001', 'categories', 'read', '{"name":{"_neq":"Category 2"}}', null, null, '*'),
    ('00000000-0000-4000-8000-200000000001', 'remarks', 'read', '{"stars":{"_gt":1}}', null, null, '*'),
    ('00000000-0000-4000-8000-200000000001', 'remarks', 'create', null, null, '{"stars":4}', 'text,stars,article'),
    ('00000000-0000-4000-8000-200000000001', 'remarks', 'update', '{"stars":{"_lt":5}}', null, null, 'text,article'),
    ('00000000-0000-4000-8000-200000000001', 'articles_labels', 'read', '{}', null, null, '*'), ('00000000-0000-4000-8000-200000000001', 'articles_labels', 'create', '{}', null, null, '*'),
    ('00000000-0000-4000-8000-200000000001', 'articles_labels', 'update', '{}', null, null, '*'), ('00000000-0000-4000-8000-200000000001', 'labels', 'read', '{"color":{"_neq":"red"}}', null, null, 'id,name'),
    ('00000000-0000-4000-8000-200000000001', 'articles_blocks', 'read', '{}', null, null, '*'), ('00000000-0000-4000-8000-200000000001', 'block_texts', 'read', '{}', null, null, '*'),
    ('00000000-0000-4000-8000-200000000001', 'directus_users', 'read', '{"id":{"_eq":"$CURRENT_USER"}}', null, null, 'id,first_name,email,role'),
    ('00000000-0000-4000-8000-200000000001', 'directus_users', 'update', '{"id":{"_eq":"$CURRENT_USER"}}', null, null, 'first_name'),
    ('00000000-0000-4000-8000-200000000001', 'stamps', 'read', '{}', null, null, '*'), ('00000000-0000-4000-8000-200000000001', 'stamps', 'create', '{}', null, null, '*'),
    ('00000000-0000-4000-8000-200000000001', 'stamps', 'update', '{"maker":{"_eq":"$CURRENT_USER"}}', null, null, '*'), ('00000000-0000-4000-8000-200000000001', 'papers', 'read', '{}', null, null, '*'),
    ('00000000-0000-4000-8000-200000000001', 'papers', 'update', '{}', null, null, 'title'),
    ('00000000-0000-4000-8000-200000000002', 'articles', 'read', '{"featured":{"_eq":true}}', null, null, 'id,body,meta,price'),
    ('00000000-0000-4000-8000-200000000002', 'articles', 'update', '{"featured":{"_eq":true}}', null, null, 'body'),
    ('00000000-0000-4000-8000-200000000002', 'articles', 'create', null, '{"title":{"_nempty":true}}', '{"views":4}', 'title'),
    ('00000000-0000-4000-8000-200000000002', 'samples', 'read', '{"number":{"_gt":0}}', null, null, '*'),
    ('00000000-0000-4000-8000-200000000004', 'remarks', 'read', '{"author":{"country":{"code":{"_eq":"fr"}}}}', null, null, 'id,text'),
    ('00000000-0000-4000-8000-200000000004', 'remarks', 'delete', '{"_or":[{"stars":{"_eq":5}},{"article":{"status":{"_eq":"archived"}}}]}', null, null, null),
    ('00000000-0000-4000-8000-200000000005', 'articles', 'read', '{}', null, null, '*');

insert into directus_folders (id, name, parent) values ('00000000-0000-4000-8000-500000000001', 'Top', null), ('00000000-0000-4000-8000-500000000002', 'Below', '00000000-0000-4000-8000-500000000001');
