-- One user a site, with a policy of three rules that grant different fields of different posts: each field is masked
-- somewhere. Its token is 'bench-rules-' and the number of the site. It has a role: users without one have the rules of the
-- public as well.
set spark.scope = 'platform';
insert into directus_roles (id, name) values ('01980000-0000-7000-8000-000000000002', 'three rules');
insert into directus_policies (id, name) values ('01980000-0000-7000-8000-000000000001', 'three rules');
insert into directus_permissions (policy, collection, action, permissions, fields) values
    ('01980000-0000-7000-8000-000000000001', 'posts', 'read', '{"status": {"_eq": "published"}}', 'id,site_id,title,slug,status,published_at,author,content,robots,schema_type,date_created'),
    ('01980000-0000-7000-8000-000000000001', 'posts', 'read', '{"status": {"_neq": "published"}}', '*'),
    ('01980000-0000-7000-8000-000000000001', 'posts', 'read', '{"published_at": {"_lt": "$NOW"}, "slug": {"_nnull": true}}', 'id,title,excerpt,slug'),
    ('01980000-0000-7000-8000-000000000001', 'authors', 'read', '{"name": {"_nempty": true}}', 'id,name');
insert into directus_users (id, email, token, status, role, site_id)
select gen_random_uuid(), 'rules-' || n || '@bench.test', 'bench-rules-' || n, 'active', '01980000-0000-7000-8000-000000000002',
       ('01960000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
  from generate_series(1, :sites) n;
insert into directus_access (id, policy, role)
values (gen_random_uuid(), '01980000-0000-7000-8000-000000000001', '01980000-0000-7000-8000-000000000002');
