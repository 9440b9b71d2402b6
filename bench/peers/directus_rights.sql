-- Makes Directus serve the copied tables as Spark does: per site one user with a static token, whose
-- policy reads and creates rows of that site only. Activity and revisions are kept (the default).
--
-- :tokens is the prefix of the tokens; the number of the site, two digits, follows.

begin;

insert into directus_collections (collection, accountability)
values ('sites', 'all'), ('authors', 'all'), ('posts', 'all'),
       ('topics', 'all'), ('topic_notes', 'all'), ('topic_marks', 'all'), ('stories', 'all'), ('tags', 'all'), ('stories_tags', 'all');

insert into directus_relations (many_collection, many_field, one_collection, one_field, junction_field)
values ('topic_notes', 'topic', 'topics', 'notes', null), ('topic_marks', 'topic', 'topics', 'marks', null),
       ('stories', 'author', 'authors', null, null), ('stories_tags', 'story', 'stories', 'tags', 'tag'), ('stories_tags', 'tag', 'tags', null, 'story');

insert into directus_fields (collection, field, special)
values ('topics', 'notes', 'o2m'), ('topics', 'marks', 'o2m'), ('stories', 'tags', 'm2m');

insert into directus_relations (many_collection, many_field, one_collection)
values ('posts', 'author', 'authors'), ('posts', 'site_id', 'sites'), ('authors', 'site_id', 'sites');

create temporary table bench_users on commit drop as
select s as number,
       ('01960000-0000-7000-8000-' || lpad(to_hex(s), 12, '0'))::uuid as site,
       ('01962000-0000-7000-8000-' || lpad(to_hex(s), 12, '0'))::uuid as policy,
       ('01963000-0000-7000-8000-' || lpad(to_hex(s), 12, '0'))::uuid as person
  from generate_series(1, :sites) as s;

insert into directus_policies (id, name, admin_access, app_access)
select policy, 'bench site ' || number, false, false from bench_users;

insert into directus_users (id, email, status, token)
select person, 'site-' || number || '@example.com', 'active', :'tokens' || lpad(number::text, 2, '0')
  from bench_users;

insert into directus_access (id, "user", policy)
select gen_random_uuid(), person, policy from bench_users;

insert into directus_permissions (collection, action, permissions, presets, fields, policy)
select collection, action,
       json_build_object('site_id', json_build_object('_eq', site)),
       case action when 'create' then json_build_object('site_id', site) end,
       '*', policy
  from bench_users,
       (values ('posts', 'read'), ('posts', 'create'), ('authors', 'read'), ('authors', 'create'),
               ('stories', 'read'), ('stories', 'create'), ('tags', 'read'), ('tags', 'create'),
               ('stories_tags', 'read'), ('stories_tags', 'create'), ('topics', 'read'), ('topic_notes', 'read'), ('topic_marks', 'read')) as rule (collection, action);

commit;
