-- What the schema promises, asked of a database that has just been migrated (schema_check.sh does both).
-- Everything happens in one transaction that is rolled back. A broken promise ends with its sentence.

\set ON_ERROR_STOP 1
\set QUIET 1
set client_min_messages = warning;

begin;

create schema verify;
grant usage on schema verify to public;

create function verify.that(claim text, holds boolean) returns void language plpgsql as $$
begin
    if holds is not true then
        raise exception 'not so: %', claim;
    end if;
end
$$;

-- Runs a statement in a role and a scope, and returns how many rows it saw or touched.
create function verify.rows(lane text, site text, scope text, statement text) returns bigint language plpgsql as $$
declare
    touched bigint;
begin
    perform set_config('spark.site', site, true), set_config('spark.scope', scope, true), set_config('role', lane, true);
    execute statement;
    get diagnostics touched = row_count;
    perform set_config('role', 'none', true), set_config('spark.site', '', true), set_config('spark.scope', '', true);
    return touched;
end
$$;

-- The SQLSTATE a statement ends with, or 'none'; what it did is undone.
create function verify.state(lane text, site text, scope text, statement text) returns text language plpgsql as $$
begin
    perform verify.rows(lane, site, scope, statement);
    raise exception using errcode = 'ZZZZZ';
exception
    when sqlstate 'ZZZZZ' then return 'none';
    when others then return sqlstate;
end
$$;

create function verify.epoch() returns bigint language sql as 'select epoch from spark.epoch';

-- The plan of a statement as one text, under a lane and with sequential scans discouraged.
create function verify.plan(lane text, site text, statement text) returns text language plpgsql as $$
declare
    line text;
    plan text := '';
begin
    perform set_config('enable_seqscan', 'off', true), set_config('spark.site', site, true),
            set_config('spark.scope', 'platform', true), set_config('role', lane, true);
    for line in execute 'explain (costs off) ' || statement loop
        plan := plan || line || E'\n';
    end loop;
    perform set_config('role', 'none', true), set_config('spark.site', '', true),
            set_config('spark.scope', '', true), set_config('enable_seqscan', 'on', true);
    return plan;
end
$$;

-- Shape -------------------------------------------------------------------------------------------

create view verify.tenant_tables as
select c.collection, c.site_column, c.shared_read, t.oid::regclass as rel, t.relkind
  from spark.collections c
  join pg_class t on t.relname = c.collection and t.relnamespace = 'public'::regnamespace
 where not c.site_optional;

select verify.that('the pack has 42 collections', count(*) = 42) from verify.tenant_tables;

select verify.that(format('%s has a site that is never null', rel),
                   (select a.attnotnull and a.atttypid = 'uuid'::regtype from pg_attribute a
                     where a.attrelid = rel and a.attname = site_column))
  from verify.tenant_tables;

select verify.that(format('%s is owned by spark_owner, with row security enabled and forced', t.rel),
                   c.relowner = 'spark_owner'::regrole and c.relrowsecurity and c.relforcerowsecurity)
  from verify.tenant_tables t join pg_class c on c.oid = t.rel;

select verify.that(format('every unique index of %s but its key begins with the site', i.indrelid::regclass),
                   i.indisprimary or a.attname = t.site_column)
  from verify.tenant_tables t
  join pg_index i on i.indrelid = t.rel and i.indisunique
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
 where t.collection <> 'sites';

select verify.that(format('%s: %s stays within a site', f.conrelid::regclass, pg_get_constraintdef(f.oid)),
                   f.confrelid in ('sites'::regclass, 'directus_users'::regclass)
                   or (select a.attname ~ '(^|_)site_id$' from pg_attribute a where a.attrelid = f.conrelid and a.attnum = f.conkey[1]))
  from pg_constraint f join verify.tenant_tables t on t.rel = f.conrelid
 where f.contype = 'f';

select verify.that(format('%s: %s has an index behind it', f.conrelid::regclass, pg_get_constraintdef(f.oid)),
                   exists (select from pg_index i
                            where i.indrelid = f.conrelid
                              and (i.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey))
  from pg_constraint f join verify.tenant_tables t on t.rel = f.conrelid
 where f.contype = 'f' and f.conparentid = 0;

select verify.that(format('%s has a status set', collection),
                   exists (select from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and k.conkey = array[a.attnum]
                            where k.conrelid = rel and k.contype = 'c' and a.attname = 'status'))
  from verify.tenant_tables
 where collection <> 'work_log'
   and exists (select from pg_attribute where attrelid = rel and attname = 'status' and not attisdropped);

-- Rows: one of everything for two sites and, where it may be, the library --------------------------

\ir ../fixtures/every_table.sql

select verify.that(format('the seed reaches %s', collection),
                   verify.rows('none', '', '', format('select from %s where %I = %L', rel, site_column, s.id)) > 0)
  from verify.tenant_tables, verify.sites s where s.name <> 'library';

-- Isolation ---------------------------------------------------------------------------------------

select verify.that(format('%s shows nothing to %s without a setting', rel, lane),
                   verify.rows(lane, '', '', format('select from %s', rel)) = 0
                   and verify.rows(lane, '', 'other', format('select from %s', rel)) = 0)
  from verify.tenant_tables, unnest('{spark_tenant,spark_platform,spark_owner}'::text[]) lane;

select verify.that(format('%s: %s cannot change or remove without a setting', rel, lane),
                   verify.rows(lane, '', '', format('update %s set %I = %2$I', rel, site_column)) = 0
                   and (collection = 'sites' or verify.rows(lane, '', '', format('delete from %s', rel)) = 0))
  from verify.tenant_tables, unnest('{spark_tenant,spark_platform}'::text[]) lane
 where collection <> 'work_log';

select verify.that(format('the work log only grows: %s by %s in %s', what, lane, scope),
                   verify.state(lane, s.id::text, scope, what) = '42501')
  from verify.sites s, unnest('{spark_tenant,spark_platform}'::text[]) lane, unnest('{"",platform}'::text[]) scope,
       unnest('{update work_log set action = action,delete from work_log,truncate work_log}'::text[]) what
 where s.name = 'a';

select verify.that(format('the work log has one writer: no line by %s in %s', lane, scope),
                   verify.state(lane, s.id::text, scope, format($$insert into work_log (site_id, action) values (%L, 'x')$$, s.id)) = '42501')
  from verify.sites s, unnest('{spark_tenant,spark_platform}'::text[]) lane, unnest('{"",platform}'::text[]) scope
 where s.name = 'a';
select verify.that(format('spark.audit by %s in %s for %s', lane, scope, s.name),
                   verify.state(lane, a.id::text, scope,
                                format($$select spark.audit(%L, 'x', null, null, null, 'info', 'done', null, null, null)$$, s.id))
                   = case when s.name = 'a' or lane = 'spark_platform' and scope = 'platform' then 'none' else '42501' end)
  from verify.sites a, verify.sites s, unnest('{spark_tenant,spark_platform}'::text[]) lane, unnest('{"",platform}'::text[]) scope
 where a.name = 'a';

-- A row that was valid a moment ago, offered again: refused before any other constraint looks at it.
create function verify.insert_of(target regclass, site_column name, site uuid) returns text language plpgsql as $$
declare
    found jsonb;
    columns text := (select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
                      where attrelid = target and attnum > 0 and not attisdropped and attgenerated = '');
begin
    execute format('select to_jsonb(t) from %s t where %I = $1 limit 1', target, site_column) into found using site;
    return format('insert into %s (%s) select %2$s from jsonb_populate_record(null::%1$s, %3$L)', target, columns,
                  found || jsonb_build_object('id', gen_random_uuid()));
end
$$;

select verify.that(format('%s: %s cannot insert without a setting', rel, lane),
                   verify.state(lane, '', '', verify.insert_of(rel, site_column, s.id)) = '42501')
  from verify.tenant_tables, verify.sites s, unnest('{spark_tenant,spark_platform}'::text[]) lane
 where s.name = 'a';

select verify.that(format('%s: site a cannot insert for %s', rel, s.name),
                   verify.state('spark_tenant', a.id::text, 'platform', verify.insert_of(rel, site_column, s.id)) = '42501')
  from verify.tenant_tables t, verify.sites a, verify.sites s
 where a.name = 'a' and s.name <> 'a' and (s.name = 'b' or t.shared_read);

select verify.that(format('%s: site a sees only its own rows%s', rel, case when shared_read then ' and the library' else '' end),
                   verify.rows('spark_tenant', a.id::text, '', format('select from %s where %I = %L', rel, site_column, a.id)) > 0
                   and verify.rows('spark_tenant', a.id::text, '', format('select from %s where %I = %L', rel, site_column, b.id)) = 0
                   and verify.rows('spark_tenant', a.id::text, '', format('select from %s where %I <> %L', rel, site_column, a.id))
                       = verify.rows('none', '', '', format('select from %s where %L::boolean and %I = spark.library_site()', rel, shared_read, site_column)))
  from verify.tenant_tables, verify.sites a, verify.sites b where a.name = 'a' and b.name = 'b';

select verify.that(format('%s: site a changes and removes nothing of b or the library', rel),
                   verify.rows('spark_tenant', a.id::text, '', format('update %s set %I = %2$I where %2$I <> %L', rel, site_column, a.id)) = 0
                   and (collection = 'sites'
                        or verify.rows('spark_tenant', a.id::text, '', format('delete from %s where %I <> %L', rel, site_column, a.id)) = 0))
  from verify.tenant_tables, verify.sites a where a.name = 'a' and collection <> 'work_log';

select verify.that(format('%s: site a cannot give its rows away', rel),
                   verify.state('spark_tenant', a.id::text, '', format('update %s set %I = %L where %2$I = %4$L', rel, site_column, b.id, a.id)) = '42501')
  from verify.tenant_tables, verify.sites a, verify.sites b where a.name = 'a' and b.name = 'b';

select verify.that(format('%s: the platform sees everything', rel),
                   verify.rows('spark_platform', '', 'platform', format('select from %s', rel))
                   = verify.rows('none', '', '', format('select from %s', rel)))
  from verify.tenant_tables;

select verify.that(format('partition %s is closed to %s', c.oid::regclass, lane),
                   verify.state(lane, s.id::text, 'platform', format('select from %s', c.oid::regclass)) = '42501')
  from pg_class c, verify.sites s, unnest('{spark_tenant,spark_platform}'::text[]) lane
 where c.relispartition and c.relkind = 'r' and s.name = 'a';

select verify.that('no connection keeps a tenant beyond its transaction', current_setting('spark.site', true) = '');

-- System tables -----------------------------------------------------------------------------------

insert into directus_folders (id, name, site_id) select gen_random_uuid(), name, id from verify.sites where name <> 'library';
insert into directus_folders (id, name) values (gen_random_uuid(), 'nobody');
select verify.that('a tenant sees its own folders only', verify.rows('spark_tenant', id::text, '', 'select from directus_folders') = 1)
  from verify.sites where name = 'a';
select verify.that('without a scope the platform lane sees the folders of nobody', verify.rows('spark_platform', '', '', 'select from directus_folders') = 1);
select verify.that('the platform sees all folders', verify.rows('spark_platform', '', 'platform', 'select from directus_folders') = 3);
select verify.that('a tenant cannot write a folder of nobody',
                   verify.state('spark_tenant', id::text, '', $$insert into directus_folders (id, name, site_id) values (gen_random_uuid(), 'x', null)$$) = '42501')
  from verify.sites where name = 'a';
select verify.that('a tenant''s activity gets its site by itself',
                   verify.rows('spark_tenant', id::text, '', $$insert into directus_activity (action, collection, item) values ('create', 'posts', '1')$$) = 1)
  from verify.sites where name = 'a';
select verify.that(format('a tenant does not read %s', target),
                   verify.state('spark_tenant', id::text, 'platform', format('select from %s', target)) = '42501')
  from verify.sites, unnest('{directus_roles,directus_policies,directus_access,directus_permissions,directus_sessions,
                              directus_settings,spark.site_tokens,spark.site_domains,spark.site_secrets,spark.workers,
                              spark.leases,spark.load_pageviews}'::text[]) target
 where name = 'a';
select verify.that('the platform lane reads every system table',
                   verify.rows('spark_platform', '', 'platform', format('select from %s', c.oid::regclass)) >= 0)
  from pg_class c where relname like 'directus\_%' and relkind = 'r';
select verify.that('a tenant does not raise the epoch by hand',
                   verify.state('spark_tenant', id::text, '', 'update spark.epoch set epoch = 0') = '42501')
  from verify.sites where name = 'a';
select verify.that('a tenant neither makes nor removes sites',
                   verify.state('spark_tenant', id::text, '', 'delete from sites') = '42501'
                   and verify.state('spark_tenant', id::text, '', $$insert into sites (name) values ('x')$$) = '42501')
  from verify.sites where name = 'a';

-- Seed --------------------------------------------------------------------------------------------

select verify.that('the public policy applies to whoever has no user and no role',
                   exists (select from directus_access where policy = 'abf8a154-5b1c-4a46-ac9c-7300570f4f17' and role is null and "user" is null));
select verify.that('the Administrator role has an admin policy',
                   exists (select from directus_roles r join directus_access a on a.role = r.id
                             join directus_policies p on p.id = a.policy where p.admin_access and p.app_access));
select verify.that('there is one row of settings, number 1', (select array_agg(id) = '{1}' from directus_settings));
select verify.that('every collection of the pack is known to the API',
                   exists (select from directus_collections d where d.collection = t.collection)) from verify.tenant_tables t;
select verify.that(format('%s.%s is known to the API', t.rel, a.attname),
                   exists (select from directus_fields f where f.collection = t.collection and f.field = a.attname))
  from verify.tenant_tables t join pg_attribute a on a.attrelid = t.rel and a.attnum > 0 and not a.attisdropped;

-- Relations ---------------------------------------------------------------------------------------

create function verify.of(target regclass, site text) returns uuid language plpgsql as $$
declare
    found uuid;
begin
    execute format('select id from %s where site_id = (select id from verify.sites where name = $1) limit 1', target) into found using site;
    return found;
end
$$;

select verify.that('a post cannot name the author of another site',
                   verify.state('spark_tenant', id::text, '', format('update posts set author = %L', verify.of('authors', 'b'))) = '23503')
  from verify.sites where name = 'a';
select verify.that('not even the platform relates two sites',
                   verify.state('spark_platform', '', 'platform',
                                format('update posts set author = %L where site_id = %L', verify.of('authors', 'b'), id)) = '23503')
  from verify.sites where name = 'a';
select verify.that('a post cannot show the file of another site',
                   verify.state('spark_tenant', id::text, '',
                                format('update posts set featured_image = %L', (select f.id from directus_files f where f.filename_download = 'b'))) = '23503')
  from verify.sites where name = 'a';
select verify.that('a campaign may use a template of the library',
                   verify.rows('spark_tenant', id::text, '', format('update campaign_masters set article_template = %L where site_id = %L',
                                                                    verify.of('article_templates', 'library'), id)) = 1)
  from verify.sites where name = 'a';
select verify.that('and the other half of the reference follows',
                   (select article_template_site_id = spark.library_site() from campaign_masters where id = verify.of('campaign_masters', 'a')));
select verify.that('a campaign may not use a template of another site',
                   verify.state('spark_tenant', id::text, '', format('update campaign_masters set article_template = %L where site_id = %L',
                                                                     verify.of('article_templates', 'b'), id)) = '23503')
  from verify.sites where name = 'a';
select verify.that('nor by naming that site itself',
                   verify.state('spark_tenant', a.id::text, '',
                                format('update campaign_masters set article_template = %L, article_template_site_id = %L where site_id = %L',
                                       verify.of('article_templates', 'b'), b.id, a.id)) = '23514')
  from verify.sites a, verify.sites b where a.name = 'a' and b.name = 'b';
delete from article_templates where id = verify.of('article_templates', 'library');
select verify.that('a removed template leaves its campaigns, without it and with their site',
                   (select article_template is null and article_template_site_id is null and site_id = (select id from verify.sites where name = 'a')
                      from campaign_masters where id = verify.of('campaign_masters', 'a')));
delete from authors where id = verify.of('authors', 'a');
select verify.that('a removed author leaves the post its site', (select author is null from posts where id = verify.of('posts', 'a')));
update avatar_intelligence set avatar_key = 'founder_2' where site_id = (select id from verify.sites where name = 'a');
select verify.that('a persona that is renamed takes its variants along',
                   exists (select from avatar_variants where avatar_key = 'founder_2' and avatar_site_id = site_id));

-- Uniqueness --------------------------------------------------------------------------------------

select verify.that('a headline differing in white space only is the same headline',
                   verify.state('spark_tenant', id::text, '',
                                format($$insert into headline_inventory (campaign_id, final_title_text) values (%L, ' Best Clinic')$$,
                                       verify.of('campaign_masters', 'a'))) = '23505')
  from verify.sites where name = 'a';
select verify.that('one headline makes one article',
                   verify.state('spark_tenant', id::text, '',
                                format($$insert into generated_articles (title, headline_id) values ('x', %L)$$,
                                       verify.of('headline_inventory', 'a'))) = '23505')
  from verify.sites where name = 'a';
select verify.that('a pair of articles is flagged once, in either order',
                   verify.state('spark_tenant', s.id::text, '',
                                format('insert into quality_flags (article_a, article_b) values (%L, %L)', f.article_b, f.article_a)) = '23505')
  from verify.sites s join quality_flags f on f.site_id = s.id where s.name = 'a';
select verify.that('no two sites answer to one host, not even as an alias',
                   verify.state('spark_platform', '', 'platform', $$insert into sites (name, domain) values ('c', 'www.b.example')$$) = '23505');
select verify.that('hosts are kept in lower case and without the last dot',
                   (select array_agg(domain order by domain) = '{b.example,www.b.example}' from spark.site_domains
                     where site_id = (select id from verify.sites where name = 'b')));
select verify.that('the library site stays', verify.state('none', '', '', 'delete from sites where id = spark.library_site()') = '23001');

-- Indexes under row security -----------------------------------------------------------------------

select verify.that('a post by id uses an index for ' || lane,
                   verify.plan(lane, id::text, format('select * from posts where site_id = %L and id = %L', id, id)) ~ 'Index Cond: .*id = ')
  from verify.sites, unnest('{spark_tenant,spark_platform}'::text[]) lane where name = 'a';
select verify.that('a list of posts is read in the order of its index',
                   verify.plan('spark_tenant', id::text, format($$select id from posts where site_id = %L and status = 'published' order by published_at desc limit 25$$, id))
                   !~ 'Sort|Seq Scan')
  from verify.sites where name = 'a';
select verify.that(format('the policy alone narrows %s by an index', t.rel), plan ~ 'Index Cond: .*(site_id|id) = ' and plan !~ 'Seq Scan')
  from verify.sites s, verify.tenant_tables t,
       lateral verify.plan('spark_tenant', s.id::text, format('select * from %s', t.rel)) plan
 where s.name = 'a';

-- Epoch -------------------------------------------------------------------------------------------
-- Within this one transaction a stamp is raised only once, so each claim forgets the marks first.

create function verify.stamps() returns jsonb language sql as
    $$select jsonb_object_agg(site_id, epoch) from (select site_id::text, epoch from spark.site_epochs
                                                    union all select 'all', epoch from spark.epoch) s$$;
-- Which stamps a statement moved: 'all', names of sites, 'nil'.
create function verify.moved(statement text) returns text language plpgsql as $$
declare
    before jsonb := verify.stamps();
begin
    perform set_config('spark.epoch_raised', '', true), set_config('spark.site_epoch_raised', '', true);
    execute statement;
    return (select string_agg(coalesce(s.name, case when key = 'all' then key else 'nil' end), ' ' order by s.name, key)
              from jsonb_each(verify.stamps()) left join verify.sites s on s.id::text = key
             where value is distinct from before -> key);
end
$$;
create function verify.raises(statement text) returns boolean language sql as
    $$select verify.moved(statement) is not distinct from 'all'$$;

insert into directus_users (id, email, site_id) select id, 'u@example.com', id from verify.sites where name = 'a';
select verify.that('moves the stamp of all: ' || statement, verify.raises(statement))
  from unnest(array[
    $$insert into directus_permissions (collection, action, policy) values ('posts', 'read', 'abf8a154-5b1c-4a46-ac9c-7300570f4f17')$$,
    $$delete from directus_permissions$$, $$update directus_policies set admin_access = false where false$$,
    $$update directus_access set sort = 2$$, $$update directus_roles set name = 'x'$$,
    $$update directus_collections set note = 'x'$$, $$update directus_fields set note = 'x'$$,
    $$update directus_relations set one_deselect_action = 'delete'$$, $$update directus_settings set project_name = 'x'$$,
    $$select spark.protect_table('posts')$$]) statement;
select verify.that(format('moves %s: %s', stamps, statement), verify.moved(statement) is not distinct from stamps)
  from (values
    ('a', $$update directus_users set token = 'x' where site_id is not null$$),
    ('a', $$update directus_users set status = 'suspended' where site_id is not null$$),
    ('a', $$update directus_users set password = 'x' where site_id is not null$$),
    ('a', $$update directus_users set status = 'active' where site_id is not null$$),
    ('a', $$insert into directus_access (id, "user", policy)
            select gen_random_uuid(), id, 'abf8a154-5b1c-4a46-ac9c-7300570f4f17' from verify.sites where name = 'a'$$),
    ('a', $$delete from directus_access where "user" is not null$$),
    ('a b', $$update directus_users set site_id = (select id from verify.sites where name = 'b') where site_id is not null$$),
    ('a b', $$update directus_users set site_id = (select id from verify.sites where name = 'a') where site_id is not null$$),
    (null, $$insert into directus_users (id, email, token) values (gen_random_uuid(), 'p@example.com', 'p')$$),
    ('all', $$update directus_users set token = 'q' where email = 'p@example.com'$$),
    ('all', $$delete from directus_users where email = 'p@example.com'$$),
    (null, $$insert into spark.site_tokens (site_id, name, token_hash) select id, 'x', sha256('x') from verify.sites where name = 'a'$$),
    ('a', $$update spark.site_tokens set expires_at = now() where name = 'x'$$),
    (null, $$update spark.site_tokens set expires_at = expires_at where name = 'x'$$),
    ('a', $$delete from spark.site_tokens where name = 'x'$$),
    ('a nil', $$update sites set status = 'paused' where name = 'a'$$),
    ('a nil', $$update sites set domain = 'new.example' where name = 'a'$$),
    (null, $$update directus_users set last_access = now(), last_page = '/'$$),
    (null, $$update spark.site_tokens set last_used_at = now()$$),
    (null, $$update sites set settings = '{}', factory_status = 'generating' where name = 'a'$$),
    (null, $$update posts set title = 'x'$$)) claims (stamps, statement);
select verify.that('moves the stamp of all once a transaction', verify.raises('select spark.raise_epoch(), spark.raise_epoch()')
                   and not (select before <> verify.epoch() from (select verify.epoch() as before, spark.raise_epoch() offset 0) once));
select verify.that('a tenant makes no account: ' || statement,
                   verify.state('spark_tenant', id::text, '', statement) = '42501')
  from verify.sites, unnest(array[
    $$insert into directus_users (id) values (gen_random_uuid())$$, $$delete from directus_users$$,
    $$update directus_users set status = 'active'$$, $$update directus_users set email = null$$,
    $$update directus_users set site_id = null$$]) statement
 where name = 'a';
select verify.that('a tenant changes a profile',
                   verify.rows('spark_tenant', id::text, '', $$update directus_users set first_name = 'x'$$) = 1)
  from verify.sites where name = 'a';
select verify.that('a tenant moves no stamp by hand',
                   verify.state('spark_tenant', id::text, '', format('select spark.raise_site_epoch(%L)', id)) = '42501'
                   and verify.state('spark_tenant', id::text, '', 'update spark.site_epochs set epoch = 2') = '42501')
  from verify.sites where name = 'a';

prepare enter_site as
select set_config('spark.site', $1, true) as site, case when epoch = $2 then 0 else spark.stale_epoch(epoch) end as stale from spark.epoch;
select verify.that('the right epoch enters', verify.rows('spark_tenant', '', '', format('execute enter_site(''x'', %s)', verify.epoch())) = 1);
select verify.that('a stale epoch is refused with a code of its own',
                   verify.state('spark_tenant', '', '', 'execute enter_site(''x'', 0)') = 'SPE01');

-- Jobs --------------------------------------------------------------------------------------------

select verify.that('a tenant queues a job for itself',
                   verify.rows('spark_tenant', id::text, '', $$insert into spark.jobs (kind, dedup_key) values ('generate', 'k') returning id$$) = 1)
  from verify.sites where name = 'a';
select verify.that('a live job with that key is one', verify.rows('spark_tenant', id::text, '',
                   $$insert into spark.jobs (kind, dedup_key) values ('generate', 'k') on conflict do nothing$$) = 0)
  from verify.sites where name = 'a';
update spark.jobs set state = 'done';
select verify.that('a finished one frees the key', verify.rows('spark_tenant', id::text, '',
                   $$insert into spark.jobs (kind, dedup_key) values ('generate', 'k') on conflict do nothing$$) = 1)
  from verify.sites where name = 'a';
select verify.that('the platform''s jobs share one space of keys',
                   verify.rows('spark_platform', '', 'platform', $$insert into spark.jobs (kind, dedup_key) values ('clean', 'p'), ('clean', 'p') on conflict do nothing$$) = 1);
select verify.that('site b sees no job of a', verify.rows('spark_tenant', id::text, '', 'select from spark.jobs') = 0)
  from verify.sites where name = 'b';
select verify.that('a tenant queues nothing for another site or the platform',
                   verify.state('spark_tenant', a.id::text, '', format($$insert into spark.jobs (kind, site_id) values ('x', %L)$$, b.id)) = '42501'
                   and verify.state('spark_tenant', a.id::text, '', $$insert into spark.jobs (kind, site_id) values ('x', null)$$) = '42501')
  from verify.sites a, verify.sites b where a.name = 'a' and b.name = 'b';

-- Partitions --------------------------------------------------------------------------------------

select verify.that('an event that comes twice is stored once',
                   verify.rows('spark_platform', '', 'platform', format($$insert into pageviews (id, site_id, timestamp) values (%L, %L, '2031-02-03'), (%1$L, %2$L, '2031-02-03') on conflict do nothing$$, id, id)) = 1
                   and verify.rows('spark_platform', '', 'platform', format($$insert into pageviews (id, site_id, timestamp) values (%L, %L, '2031-02-03') on conflict do nothing$$, id, id)) = 0)
  from verify.sites where name = 'a';
select verify.that('this month has a partition', to_regclass(t || to_char(now() at time zone 'utc', '_YYYYMM')) is not null)
  from unnest('{pageviews,events,conversions,work_log,spark.job_logs}'::text[]) t;
insert into pageviews (site_id, timestamp)
select id, (date_trunc('month', now() at time zone 'utc') + interval '5 months 3 days') at time zone 'utc' from verify.sites where name = 'a';
select verify.that('a month without a partition waits in the default one', verify.rows('none', '', '', 'select from pageviews_default') = 2);
select verify.that('the platform makes partitions ahead', verify.rows('spark_platform', '', '', $$select spark.ensure_partitions('pageviews', 6)$$) = 1);
select verify.that('and waiting rows move in', verify.rows('none', '', '', 'select from pageviews_default') = 1);
select verify.that('a second call makes none', (select spark.ensure_partitions('pageviews', 6) = 0));
select verify.that('new partitions carry the key',
                   verify.rows('spark_platform', '', 'platform', 'insert into pageviews select * from pageviews on conflict do nothing') = 0);
select verify.that('a tenant makes no partitions', verify.state('spark_tenant', id::text, '', $$select spark.ensure_partitions('pageviews')$$) = '42501')
  from verify.sites where name = 'a';

-- The end of a site -------------------------------------------------------------------------------

delete from sites where name = 'a';
select verify.that(format('%s keeps nothing of a removed site', t.rel),
                   verify.rows('none', '', '', format('select from %s where %I = %L', t.rel, t.site_column, s.id)) = 0)
  from verify.tenant_tables t, verify.sites s where s.name = 'a';
select verify.that('its log passes to the library', exists (select from work_log where site_id = spark.library_site()));
select verify.that(format('%s keeps the rows of b', t.rel),
                   verify.rows('none', '', '', format('select from %s where %I = %L', t.rel, t.site_column, s.id)) > 0)
  from verify.tenant_tables t, verify.sites s where s.name = 'b';

rollback;
\echo schema: every promise holds
