-- What visitors send, beside the lead of public.sql: forms, conversions, events.

-- name: form_find :read
-- returns: id, slug, fields, success_message, redirect_url, conversion_value, has_webhook, has_mail
select id, slug, fields, success_message, redirect_url, conversion_value::text,
       submit_action = 'webhook' and coalesce(webhook_url, '') <> '' as has_webhook,
       submit_action = 'email' and coalesce(email_recipients, '') <> '' as has_mail
  from forms
 where site_id = $1 and (id = $2::uuid or ($2::uuid is null and slug = $3::text));

-- One at a time: whoever waited here sees, with the next statement, what the one before has committed.
-- name: visitor_lock :write
select pg_advisory_xact_lock($1::bigint);

-- Submission, lead and conversion, or the ones of the same form sent within a minute. The offset keeps the
-- planner to the index of the hash: that of the dates has everything the site got in that minute.
-- name: form_submission_store :write
-- returns: submission_id, lead_id, conversion_id
with twin as (
    select id, lead_id, conversion_id
      from (select * from form_submissions
             where site_id = $1 and form_id = $2::uuid and data_hash = $3::text offset 0) as alike
     where ip_address = $4::text and (status = 'spam') = ($5::text = 'spam')
       and date_created > now() - interval '60 seconds'
     order by date_created limit 1
), lead as (
    insert into leads (site_id, id, form_id, name, email, phone, message, source, page_url, landing_page,
                       utm_source, utm_medium, utm_campaign, ip_address)
    select $1, $6::uuid, $2::uuid, $7::text, $8::text, $9::text, $10::text, $11::text, $12::text, $12::text,
           $13::text, $14::text, $15::text, $4::text
     where $6::uuid is not null and not exists (select from twin)
), conversion as (
    insert into conversions (site_id, id, lead_id, conversion_type, value, source, campaign, gclid, fbclid)
    select $1, $16::uuid, $6::uuid, 'form', $17::text::numeric, $18::text, $15::text, $19::text, $20::text
     where $16::uuid is not null and not exists (select from twin)
), submission as (
    insert into form_submissions (site_id, id, status, form_id, data, data_hash, ip_address, user_agent, page_url,
                                  utm_source, utm_medium, utm_campaign, lead_id, conversion_id)
    select $1, $21::uuid, $5::text, $2::uuid, $22::text::jsonb, $3::text, $4::text, $23::text, $12::text,
           $13::text, $14::text, $15::text, $6::uuid, $16::uuid
     where not exists (select from twin)
    returning id, lead_id, conversion_id
)
select id, lead_id, conversion_id from twin
union all
select id, lead_id, conversion_id from submission;

-- One conversion of a type for a lead; those without a lead are as many as they are told.
-- name: conversion_store :write
-- returns: id, has_lead
with owner as (
    select $3::uuid is null or exists (select from leads where site_id = $1 and id = $3::uuid) as has_lead
), twin as (
    select id from conversions
     where site_id = $1 and lead_id = $3::uuid and conversion_type = $4::text
     order by timestamp limit 1
), made as (
    insert into conversions (site_id, id, lead_id, conversion_type, value, currency, source, campaign, gclid, fbclid)
    select $1, $2::uuid, $3::uuid, $4::text, $5::text::numeric, $6::text, $7::text, $8::text, $9::text, $10::text
      from owner where has_lead and not exists (select from twin)
    returning id
)
select coalesce((select id from twin), (select id from made)), has_lead from owner;

-- name: call_click_store :write
with event as (
    insert into events (site_id, id, event_name, event_category, event_label, page_path, session_id, visitor_id,
                        user_agent, ip_address, metadata)
    values ($1, $2::uuid, 'call_click', 'engagement', $3::text, $4::text, $5::text, $6::text, $7::text, $8::text,
            jsonb_strip_nulls(jsonb_build_object('page_url', $9::text, 'page_title', $10::text,
                                                 'utm_source', $11::text, 'utm_medium', $12::text,
                                                 'utm_campaign', $13::text)))
)
insert into conversions (site_id, id, conversion_type, value, source, campaign, gclid, fbclid)
values ($1, $14::uuid, 'call', $15::text::numeric, $16::text, $13::text, $17::text, $18::text);

-- The drain of events: past what is stored already or whose site is gone.
-- name: events_store :write
insert into events (id, site_id, timestamp, event_name, event_category, event_label, event_value, page_path,
                    session_id, visitor_id, metadata, user_agent, ip_address)
select l.id, l.site_id, l.timestamp, l.event_name, l.event_category, l.event_label, l.event_value, l.page_path,
       l.session_id, l.visitor_id, l.metadata, l.user_agent, l.ip_address
  from spark.load_events l join sites s on s.id = l.site_id
    on conflict do nothing;

-- name: events_unload :write
delete from spark.load_events;
