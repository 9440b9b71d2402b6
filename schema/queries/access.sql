-- Identity: tokens, users, policies, hostnames. On the platform lane.

-- An existing Directus database has no sites table of Spark, though it may have a table with that name: then the
-- statements below that join it are not used.
-- name: access_has_sites :read
-- returns: has_sites
select exists (select from spark.collections where collection = 'sites' and site_column = 'id') as has_sites;

-- Reads the site's stamp in the same snapshot as the cached row.
-- name: access_site_token :read
-- returns: id, site_id, scopes, expires_at, site_epoch
select t.id, t.site_id, t.scopes, t.expires_at,
       coalesce((select e.epoch from spark.site_epochs e where e.site_id = t.site_id), 1) as site_epoch
  from spark.site_tokens t join sites s on s.id = t.site_id
 where t.token_hash = $1 and s.status in ('active', 'setup', 'paused');

-- A site token for an explanation, by its id.
-- name: access_site_token_by_id :read
-- returns: site_id, scopes, expires_at, is_valid
select t.site_id, t.scopes, t.expires_at,
       s.status in ('active', 'setup', 'paused') and (t.expires_at is null or t.expires_at > now()) as is_valid
  from spark.site_tokens t join sites s on s.id = t.site_id
 where t.id = $1;

-- name: access_user_by_token :read
-- returns: id, role, site_id, site_epoch
select u.id, u.role, u.site_id,
       coalesce((select e.epoch from spark.site_epochs e where e.site_id = u.site_id), 1) as site_epoch
  from directus_users u where u.token = $1 and u.status = 'active';

-- name: access_user_by_id :read
-- returns: id, role, site_id, status, site_epoch
select u.id, u.role, u.site_id, u.status,
       coalesce((select e.epoch from spark.site_epochs e where e.site_id = u.site_id), 1) as site_epoch
  from directus_users u where u.id = $1;

-- name: access_session :read
-- returns: token
select token from directus_sessions where token = $1 and "user" = $2 and expires > now();

-- The user whom ADMIN_TOKEN stands for.
-- name: access_user_by_email :read
-- returns: id, role
select id, role from directus_users
 where email = $1 collate spark.any_case and lower(email) = lower($1) and status = 'active' and site_id is null;

-- The users of an archived or deleted site have no access, as its tokens have none.
-- name: access_site_is_open :read
-- returns: is_open
select exists (select from sites where id = $1 and status in ('active', 'setup', 'paused')) as is_open;

-- The policies of a user: attached to it, to its role or to a role above; of a user without a role also those of the
-- public. The order is that in which presets are merged, where the last one wins: the highest role first, the user's own
-- last. Of policies attached to one and the same, without a sort value, the row that was written first comes first.
-- name: access_policies_of_user :read
-- returns: id, name, ip_access, is_admin, has_app_access, enforces_tfa
with recursive tree (id, parent, depth) as (
    select id, parent, 0 from directus_roles where id = $2
    union
    select r.id, r.parent, t.depth + 1 from directus_roles r join tree t on r.id = t.parent where t.depth < 32
)
select p.id, p.name, p.ip_access, p.admin_access as is_admin, p.app_access as has_app_access,
       p.enforce_tfa as enforces_tfa
  from directus_access a
  join directus_policies p on p.id = a.policy
  left join tree t on t.id = a.role
 where a."user" = $1 or t.id is not null
    or ($2 is null and a.role is null and a."user" is null)
 order by a."user" nulls first, t.depth desc nulls first, a.sort, a.ctid;

-- A role and those above it.
-- name: access_role_chain :read
-- returns: id
with recursive tree (id, parent, depth) as (
    select id, parent, 0 from directus_roles where id = $1
    union
    select r.id, r.parent, t.depth + 1 from directus_roles r join tree t on r.id = t.parent where t.depth < 32
)
select id from tree;

-- name: access_policies_of_public :read
-- returns: id, name, ip_access, is_admin, has_app_access, enforces_tfa
select p.id, p.name, p.ip_access, p.admin_access as is_admin, p.app_access as has_app_access,
       p.enforce_tfa as enforces_tfa
  from directus_access a join directus_policies p on p.id = a.policy
 where a.role is null and a."user" is null
 order by a.sort, a.ctid;

-- name: access_permissions :read
-- returns: id, policy, collection, action, permissions, validation, presets, fields
select id, policy, collection, action, permissions, validation, presets, fields
  from directus_permissions
 where policy = any ($1)
 order by array_position($1, policy), id;

-- Always returns one row: an unknown hostname is cached under the stamp of the nil site.
-- name: access_site_by_host :read
-- returns: site_id, site_epoch
select h.site_id,
       coalesce((select e.epoch from spark.site_epochs e
                  where e.site_id = coalesce(h.site_id, '00000000-0000-0000-0000-000000000000')), 1) as site_epoch
  from (select) always
  left join (select d.site_id from spark.site_domains d join sites s on s.id = d.site_id
              where d.domain = $1 and s.status = 'active') h on true;

-- Logins -----------------------------------------------------------------------------------------

-- name: session_user_by_email :read
-- returns: id, password, status, role, site_id, provider, tfa_secret, is_admin, has_app_access
select u.id, u.password, u.status, u.role, u.site_id, u.provider, u.tfa_secret,
       coalesce(bool_or(p.admin_access), false) as is_admin,
       coalesce(bool_or(p.app_access), false) as has_app_access
  from directus_users u
  left join directus_access a on a."user" = u.id or a.role = u.role
  left join directus_policies p on p.id = a.policy
 where u.email = $1 collate spark.any_case and lower(u.email) = lower($1)
 group by u.id;

-- name: session_open :write
insert into directus_sessions (token, "user", expires, ip, user_agent, origin)
values ($1, $2, $3, $4, $5, $6);

-- name: session_touch_user :write
update directus_users set last_access = now() where id = $1;

-- name: session_log :write
insert into directus_activity (action, "user", ip, user_agent, origin, collection, item)
values ($1, $2, $3, $4, $5, 'directus_users', $6);

-- name: session_sweep :write
delete from directus_sessions where expires < now();

-- Rotates the token in one statement: two refreshes with one token cannot both succeed. The session of a user who is
-- no longer active ends. With :site, only sessions of that
-- site's users.
-- name: session_rotate :write
-- params: token text, next text, expires time, ip word?, user_agent word?, origin word?,
--         site uuid?
-- returns: id, role, site_id, status, is_admin, has_app_access
with rotated as (
    update directus_sessions s
       set token = :next, expires = :expires, ip = :ip, user_agent = :user_agent, origin = :origin
      from directus_users u
     where s.token = :token and s.expires > now() and s.share is null and s.next_token is null
       and u.id = s."user" and u.status = 'active' and (:site::uuid is null or u.site_id = :site)
     returning u.id
), ended as (
    delete from directus_sessions s using directus_users u
     where s.token = :token and s.share is null and u.id = s."user" and u.status <> 'active'
     returning u.id
)
select u.id, u.role, u.site_id, u.status,
       coalesce(bool_or(p.admin_access), false) as is_admin,
       coalesce(bool_or(p.app_access), false) as has_app_access
  from (select id from rotated union all select id from ended) r
  join directus_users u on u.id = r.id
  left join directus_access a on a."user" = u.id or a.role = u.role
  left join directus_policies p on p.id = a.policy
 group by u.id;

-- The session in a cookie: a new one takes its place, and the old one lasts until :grace, because a browser may have
-- sent other requests with it. Refreshing the old one again gives the same new one.
-- name: session_renew :write
-- params: token text, next text, expires time, grace time, ip word?, user_agent word?, origin word?,
--         site uuid?
-- returns: id, role, site_id, status, is_admin, has_app_access, next
with renewed as (
    update directus_sessions s
       set next_token = coalesce(s.next_token, :next),
           expires = case when s.next_token is null then least(s.expires, :grace) else s.expires end
      from directus_users u
     where s.token = :token and s.expires > now() and s.share is null
       and u.id = s."user" and u.status = 'active' and (:site::uuid is null or u.site_id = :site)
     returning u.id, s.next_token
), opened as (
    insert into directus_sessions (token, "user", expires, ip, user_agent, origin)
    select next_token, id, :expires, :ip, :user_agent, :origin from renewed
        on conflict (token) do nothing
), ended as (
    delete from directus_sessions s using directus_users u
     where s.token = :token and s.share is null and u.id = s."user" and u.status <> 'active'
     returning u.id
)
select u.id, u.role, u.site_id, u.status,
       coalesce(bool_or(p.admin_access), false) as is_admin,
       coalesce(bool_or(p.app_access), false) as has_app_access,
       max(r.next_token) as next
  from (select id, next_token from renewed union all select id, null from ended) r
  join directus_users u on u.id = r.id
  left join directus_access a on a."user" = u.id or a.role = u.role
  left join directus_policies p on p.id = a.policy
 group by u.id;

-- Ends the session and, during the grace period, the one that it replaced: that one would open it again.
-- name: session_close :write
-- params: token text, ip word?, user_agent word?, origin word?, site uuid?
-- returns: entry
with closed as (
    delete from directus_sessions s using directus_users u
     where (s.token = :token or s.next_token = :token) and u.id = s."user" and (:site::uuid is null or u.site_id = :site)
     returning u.id, u.site_id
), of_share as (
    delete from directus_sessions s using directus_shares sh
     where (s.token = :token or s.next_token = :token) and sh.id = s.share and (:site::uuid is null or spark.share_site(sh.id) = :site)
     returning sh.id
), one as (
    select distinct id, site_id from closed
), activity as (
    insert into directus_activity (action, "user", ip, user_agent, origin, collection, item)
    select 'logout', id, :ip::text, :user_agent::text, :origin::text, 'directus_users', id::text from one
)
select spark.audit(site_id, 'logout', 'directus_users', id::text, null, 'info', 'done', id, 'user', :ip)::text as entry
  from one
 union all
select null from of_share;

-- The administrator of a new installation -----------------------------------------------------------

-- name: admin_exists :read
-- returns: count
select count(*) as count from directus_users u
  join directus_access a on a."user" = u.id or a.role = u.role
  join directus_policies p on p.id = a.policy and p.admin_access;

-- name: admin_create :write
insert into directus_users (id, email, password, status, role, first_name, last_name)
select $1, $2, $3, 'active', (select r.id from directus_roles r
                                join directus_access a on a.role = r.id
                                join directus_policies p on p.id = a.policy and p.admin_access
                               order by r.name limit 1), 'Admin', 'User'
    on conflict (email) do nothing;

-- Site tokens ---------------------------------------------------------------------------------------

-- name: site_token_create :write
-- params: id uuid, site uuid, name text, token_hash bytes, scopes text[], expires_at time?, audit_user arg,
--         audit_actor arg, audit_ip arg
-- returns: id, audited
with made as (
    insert into spark.site_tokens (id, site_id, name, token_hash, scopes, expires_at)
    select :id, id, :name, :token_hash, :scopes, :expires_at
      from sites where id = :site and id <> spark.library_site()
    returning id, site_id, name, scopes, expires_at
)
select id, spark.audit(site_id, 'token_created', 'site_tokens', id::text,
                       jsonb_build_object('name', name, 'scopes', scopes, 'expires_at', expires_at),
                       'info', 'done', :audit_user, :audit_actor, :audit_ip)
  from made;

-- name: site_find_by_domain_or_id :read
-- returns: id, name
select id, name from sites
 where id <> spark.library_site()
   and (id::text = lower($1) or id = (select site_id from spark.site_domains where domain = lower($1)));

-- The page of the admin app that a user saw last. It is no change of the user: neither activity nor revision.
-- name: user_track_page :write
update directus_users set last_page = $2 where id = $1 and last_page is distinct from $2;

-- Shares -------------------------------------------------------------------------------------------

-- A share during its time. `of_site`: whose rows it reaches. The rights of its creator bound it, those of the public once the
-- creator is gone; nothing bounds one that a token without a user made. A creator of another site shares nothing here.
-- name: share_find :read
-- returns: id, collection, item, role, password, max_uses, times_used, date_start, date_end, site_id, of_site, site_epoch, creator, creator_role, is_unbound, is_of_active
select s.id, s.collection, s.item, s.role, s.password, s.max_uses, s.times_used, s.date_start, s.date_end, s.site_id, own.site as of_site,
       coalesce((select e.epoch from spark.site_epochs e where e.site_id = own.site), 1) as site_epoch,
       s.user_created as creator, u.role as creator_role,
       s.user_created is null and not exists (select from spark.share_orphans o where o.share = s.id) as is_unbound,
       coalesce(u.status = 'active' and (u.site_id is null or u.site_id is not distinct from own.site), true) as is_of_active
  from directus_shares s
 cross join lateral (select spark.share_site(s.id) as site) own
  left join directus_users u on u.id = s.user_created
 where s.id = $1 and coalesce(s.date_start <= now(), true) and coalesce(s.date_end >= now(), true);

-- As Directus counts: one use more than max_uses.
-- name: share_use :write
-- returns: id
update directus_shares set times_used = coalesce(times_used, 0) + 1
 where id = $1 and coalesce(max_uses >= coalesce(times_used, 0), true)
   and coalesce(date_start <= now(), true) and coalesce(date_end >= now(), true)
returning id;

-- name: share_open :write
-- params: token text, share uuid, expires time, ip word?, user_agent word?, origin word?
insert into directus_sessions (token, share, expires, ip, user_agent, origin)
values (:token, :share, :expires, :ip, :user_agent, :origin);

-- The next session of a share during its time, as session_rotate and session_renew: it counts no further use.
-- name: share_rotate :write
-- params: token text, next text, expires time, ip word?, user_agent word?, origin word?, site uuid?
-- returns: share, role, next
update directus_sessions s
   set token = :next, expires = :expires, ip = :ip, user_agent = :user_agent, origin = :origin
  from directus_shares sh
 where s.token = :token and s.expires > now() and s.next_token is null and sh.id = s.share
   and coalesce(sh.date_start <= now(), true) and coalesce(sh.date_end >= now(), true)
   and (:site::uuid is null or spark.share_site(sh.id) = :site)
returning sh.id as share, sh.role, s.token as next;

-- name: share_renew :write
-- params: token text, next text, expires time, grace time, ip word?, user_agent word?, origin word?, site uuid?
-- returns: share, role, next
with renewed as (
    update directus_sessions s
       set next_token = coalesce(s.next_token, :next),
           expires = case when s.next_token is null then least(s.expires, :grace) else s.expires end
      from directus_shares sh
     where s.token = :token and s.expires > now() and sh.id = s.share
       and coalesce(sh.date_start <= now(), true) and coalesce(sh.date_end >= now(), true)
       and (:site::uuid is null or spark.share_site(sh.id) = :site)
    returning sh.id, sh.role, s.next_token
), opened as (
    insert into directus_sessions (token, share, expires, ip, user_agent, origin)
    select next_token, id, :expires, :ip, :user_agent, :origin from renewed
        on conflict (token) do nothing
)
select id as share, role, next_token as next from renewed;

-- name: share_session :read
-- returns: token
select token from directus_sessions where token = $1 and share = $2 and expires > now();

-- The item of a share, and the field that holds its key.
-- name: share_root :read
-- returns: collection, item, key
select s.collection, s.item, own.field as key
  from directus_shares s cross join lateral spark.key_of_table(s.collection) own
 where s.id = $1 and own.field is not null;

-- The relations whose column and whose target exist.
-- name: share_relations :read
-- returns: many_collection, many_field, one_collection, one_field, one_collection_field, one_allowed_collections, is_of_site
select r.many_collection, r.many_field, r.one_collection, r.one_field, r.one_collection_field, r.one_allowed_collections,
       exists (select from spark.collections t where t.collection = r.many_collection and t.site_column = r.many_field) as is_of_site
  from directus_relations r
 where exists (select from pg_attribute a join pg_class c on c.oid = a.attrelid
                where c.relnamespace = 'public'::regnamespace and c.relname = r.many_collection and a.attname = r.many_field)
   and case when r.one_collection is null then r.one_collection_field is not null and r.one_allowed_collections is not null
            else to_regclass('public.' || quote_ident(r.one_collection)) is not null end
 order by r.id;
