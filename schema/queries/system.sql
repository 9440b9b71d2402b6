-- The rules of Directus' own collections (core/content/system). They run in the transaction of the write.

-- Two writes of one address, in any case of letters, wait for each other.
-- name: system_lock_email :write
-- returns: locked
select pg_advisory_xact_lock(hashtextextended('directus_users.email ' || $1, 0))::text as locked;

-- name: system_email_is_taken :write
-- returns: is_taken
select exists (select from directus_users where lower(email) = $1 and not (id::text = any ($2::text[]))) as is_taken;

-- name: system_password_policy :write
-- returns: policy
select auth_password_policy as policy from directus_settings order by id limit 1;

-- name: system_end_sessions :write
delete from directus_sessions where "user"::text = any ($1::text[]);

-- name: system_forget_auth_data :write
update directus_users set auth_data = null where id::text = any ($1::text[]);

-- Who writes one waits for the others.
-- name: system_lock_translations :write
-- returns: locked
select pg_advisory_xact_lock(hashtextextended('directus_translations', 0))::text as locked;

-- name: system_translation_is_double :write
-- returns: is_double
select exists (select from directus_translations written
                 join directus_translations other using (key, language)
                where written.id::text = any ($1::text[]) and other.id <> written.id) as is_double;

-- The site of a row is that of the user whom it belongs to.
-- name: system_notification_follows :write
update directus_notifications n set site_id = u.site_id from directus_users u
 where n.id::text = any ($1::text[]) and u.id = n.recipient and n.site_id is distinct from u.site_id;

-- name: system_preset_follows :write
update directus_presets p set site_id = u.site_id from directus_users u
 where p.id::text = any ($1::text[]) and u.id = p."user" and p.site_id is distinct from u.site_id;

-- name: system_names_of_users :write
-- returns: id, name
select id, coalesce(nullif(concat_ws(' ', nullif(first_name, ''), nullif(last_name, '')), ''), email, 'Unknown User')::text as name
  from directus_users where id = any ($1);

-- name: system_notify :write
-- params: recipient uuid, sender uuid?, subject text, message text, collection text, item text
insert into directus_notifications (recipient, sender, subject, message, collection, item, site_id)
select u.id, :sender, :subject, :message, :collection, :item, u.site_id from directus_users u where u.id = :recipient;
