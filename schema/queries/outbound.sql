-- Calls to external services: their targets, data and results, and the secrets they need.

-- name: outbound_networks :read
-- returns: google, facebook
select coalesce(google_analytics_id, '') <> '' and spark.has_site_secret('google_api_secret') as google,
       coalesce(fb_pixel_id, '') <> '' and spark.has_site_secret('facebook_access_token') as facebook
  from site_analytics where site_id = $1 and is_active;

-- name: outbound_submission_find :read
-- returns: form_id, form_name, form_slug, webhook_url, email_recipients, date_created, data, page_url, utm_source, utm_medium, utm_campaign, lead_id, conversion_id, email
select f.id as form_id, f.name as form_name, f.slug as form_slug, f.webhook_url, f.email_recipients, s.date_created,
       s.data, s.page_url, s.utm_source, s.utm_medium, s.utm_campaign, s.lead_id, s.conversion_id, l.email
  from form_submissions s
  join forms f on f.site_id = s.site_id and f.id = s.form_id
  left join leads l on l.site_id = s.site_id and l.id = s.lead_id
 where s.site_id = $1 and s.id = $2;

-- The time enables partition pruning: ids contain their creation time.
-- name: outbound_conversion_find :read
-- returns: timestamp time, conversion_type text, value text?, currency text?, source text?, campaign text?,
--          fbclid text?, sent_to_google bool, sent_to_facebook bool, email text?, phone text?,
--          ip_address text?, user_agent text?, page_url text?, google_analytics_id text?, fb_pixel_id text?,
--          fb_test_event_code text?
select c.timestamp, c.conversion_type, c.value::text, c.currency, c.source, c.campaign, c.fbclid, c.sent_to_google,
       c.sent_to_facebook, l.email, l.phone, s.ip_address, s.user_agent, s.page_url, a.google_analytics_id,
       a.fb_pixel_id, a.fb_test_event_code
  from conversions c
  left join leads l on l.site_id = c.site_id and l.id = c.lead_id
  left join lateral (select ip_address, user_agent, page_url from form_submissions
                      where site_id = c.site_id and lead_id = c.lead_id and conversion_id = c.id limit 1) s on true
  left join site_analytics a on a.site_id = c.site_id and a.is_active
 where c.site_id = $1 and c.id = $2
   and c.timestamp between $3::timestamptz - interval '1 day' and $3::timestamptz + interval '1 day';

-- name: outbound_conversion_sent :write
-- params: site uuid, id uuid, around time, to_google bool, to_facebook bool
update conversions
   set sent_to_google = sent_to_google or :to_google::bool, sent_to_facebook = sent_to_facebook or :to_facebook::bool
 where site_id = :site and id = :id
   and timestamp between :around::timestamptz - interval '1 day' and :around::timestamptz + interval '1 day';

-- Secrets of sites: written and listed as the platform, read by workers --------------------------------

-- name: site_secret_set :write
insert into spark.site_secrets (site_id, name, sealed) values ($1, $2, $3::bytea)
    on conflict (site_id, name) do update set sealed = excluded.sealed, updated_at = now();

-- name: site_secret_remove :write
delete from spark.site_secrets where site_id = $1 and name = $2;

-- name: site_secret_find :read
-- returns: sealed
select sealed from spark.site_secrets where site_id = $1 and name = $2;

-- name: site_secret_list :read
-- returns: name, updated_at
select name, updated_at from spark.site_secrets where site_id = $1 order by name;

-- name: site_secret_sample :read
-- returns: site_id, name, sealed
select site_id, name, sealed from spark.site_secrets order by site_id, name limit 1000;

-- name: site_secret_owner :read
-- returns: found
select exists (select from sites where id = $1) as found;

-- name: outbound_share_find :read
-- returns: collection
select collection from directus_shares where ($1::uuid is null or site_id = $1) and id = $2;

-- name: outbound_sender_find :read
-- returns: name
-- At most INVITATION_SENDER_MAX characters.
select left(coalesce(nullif(concat_ws(' ', nullif(first_name, ''), nullif(last_name, '')), ''), email, 'Unknown User')::text, 200) as name
  from directus_users where id = $1;
