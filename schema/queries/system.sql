-- The rules of Directus' own collections (core/content/system). They run in the transaction of the write. Keys come as text, from
-- the rows just written; cast to the type of the column, an index finds them.

-- Two writes of one address, in any case of letters, wait for each other.
-- name: system_lock_email :write
-- returns: locked
select pg_advisory_xact_lock(hashtextextended('directus_users.email ' || lower($1), 0))::text as locked;

-- name: system_email_is_taken :write
-- returns: is_taken
select exists (select from directus_users where email = $1 collate spark.any_case and lower(email) = lower($1) and not (id::text = any ($2::text[]))) as is_taken;

-- name: system_password_policy :write
-- returns: policy
select auth_password_policy as policy from directus_settings order by id limit 1;

-- name: system_end_sessions :write
delete from directus_sessions where "user" = any ($1::text[]::uuid[]) and ($2::text is null or token <> $2);

-- name: system_forget_auth_data :write
update directus_users set auth_data = null where id = any ($1::text[]::uuid[]);

-- Who writes one waits for the others.
-- name: system_lock_translations :write
-- returns: locked
select pg_advisory_xact_lock(hashtextextended('directus_translations', 0))::text as locked;

-- name: system_translation_is_double :write
-- returns: is_double
select exists (select from directus_translations written
                 join directus_translations other using (key, language)
                where written.id = any ($1::text[]::uuid[]) and other.id <> written.id) as is_double;

-- The site of a row is that of the user whom it belongs to.
-- name: system_notification_follows :write
update directus_notifications n set site_id = u.site_id from directus_users u
 where n.id = any ($1::text[]::int[]) and u.id = n.recipient and n.site_id is distinct from u.site_id;

-- name: system_preset_follows :write
update directus_presets p set site_id = u.site_id from directus_users u
 where p.id = any ($1::text[]::int[]) and u.id = p."user" and p.site_id is distinct from u.site_id;

-- name: system_names_of_users :write
-- returns: id, name
select id, coalesce(nullif(concat_ws(' ', nullif(first_name, ''), nullif(last_name, '')), ''), email, 'Unknown User')::text as name
  from directus_users where id = any ($1);

-- name: system_notify :write
-- params: recipient uuid, sender uuid?, subject text, message text, collection text, item text
insert into directus_notifications (recipient, sender, subject, message, collection, item, site_id)
select u.id, :sender, :subject, :message, :collection, :item, u.site_id from directus_users u where u.id = :recipient;

-- Versions ---------------------------------------------------------------------------------------

-- name: system_is_versioned :write
-- returns: is_versioned
select exists (select from directus_collections where collection = $1 and versioning) as is_versioned;

-- Writers of versions of one item take turns.
-- name: system_lock_versions :write
-- returns: locked
select pg_advisory_xact_lock(hashtextextended('directus_versions ' || $1 || ' ' || $2, 0))::text as locked;

-- Another version of the same item that has the same key as one of these.
-- name: system_version_is_double :write
-- returns: key, item, collection
select written.key, written.item, written.collection from directus_versions written
  join directus_versions other using (collection, item, key)
 where written.id = any ($1::text[]::uuid[]) and other.id <> written.id and other.site_id is not distinct from written.site_id
 limit 1;

-- name: system_version_dated :write
update directus_versions set hash = $2 where id = $1::text::uuid;

-- The site of a row is that of the item it is about.
-- name: system_version_moves :write
update directus_versions set site_id = $2 where id = $1::text::uuid and site_id is distinct from $2;

-- name: system_comment_moves :write
update directus_comments set site_id = $2 where id = $1::text::uuid and site_id is distinct from $2;

-- name: system_share_moves :write
update directus_shares set site_id = $2 where id = $1::text::uuid and site_id is distinct from $2;

-- Members replace those that the draft had, as text: what is in a JSON field keeps its order. What was saved is kept as a revision of the item,
-- and the row of the draft has its activity and revision, too.
-- name: system_version_save :write
-- params: id uuid, delta text, saved text, user uuid?, ip text?, user_agent text?, origin text?, tracks_activity bool, tracks_data bool
-- returns: delta
with saved as (
    update directus_versions set date_updated = now(), user_updated = :user, delta = (
        select coalesce(json_object_agg(key, value order by place), '{}'::json) from (
            select o.key, coalesce(n.value, o.value) as value, o.place
              from json_each(coalesce(delta, '{}'::json)) with ordinality o (key, value, place)
              left join json_each(:delta::json) n on n.key = o.key
            union all
            select n.key, n.value, 1000000 + n.place from json_each(:delta::json) with ordinality n (key, value, place)
             where not exists (select from json_each(coalesce(delta, '{}'::json)) o where o.key = n.key)) members)
     where id = :id
    returning *, to_char(date_created at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created,
              to_char(date_updated at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as updated
), act as (
    insert into directus_activity (action, "user", ip, user_agent, origin, collection, item, site_id)
    select 'version_save', :user, :ip, :user_agent, :origin, collection, item, site_id from saved where :tracks_activity
    returning id
), rev as (
    insert into directus_revisions (activity, collection, item, data, delta, version, site_id)
    select act.id, saved.collection, saved.item, :saved::json, :saved::json, saved.id, saved.site_id from act, saved where :tracks_data
    returning id
), act_of_row as (
    insert into directus_activity (action, "user", ip, user_agent, origin, collection, item, site_id)
    select 'update', :user, :ip, :user_agent, :origin, 'directus_versions', id::text, site_id from saved, (select count(*) from act) earlier
    returning id
), rev_of_row as (
    insert into directus_revisions (activity, collection, item, data, delta, site_id)
    select act_of_row.id, 'directus_versions', saved.id::text,
           json_build_object('id', saved.id, 'key', key, 'name', name, 'item', item, 'hash', hash, 'date_created', created, 'date_updated', updated, 'delta', delta),
           json_build_object('date_updated', updated, 'user_updated', :user::uuid, 'delta', delta), site_id
      from act_of_row, saved, (select count(*) from rev) earlier
)
select delta::text as delta from saved;

-- name: system_version_by_key :read
-- returns: id
select id from directus_versions where collection = $1 and item = $2 and key = $3 limit 2;

-- name: system_version_site :read
-- returns: site_id
select site_id from directus_versions where id = $1;

-- Shares -----------------------------------------------------------------------------------------

-- name: system_share_adopt :write
update directus_shares set user_created = $2::uuid where id = any ($1::text[]::uuid[]) and user_created is distinct from $2::uuid;

-- name: system_share_items :write
-- returns: id, collection, item
select id::text as id, collection, item from directus_shares where id = any ($1::text[]::uuid[]);
