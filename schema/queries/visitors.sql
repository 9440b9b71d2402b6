-- Data that visitors send, except leads (public.sql): forms, conversions, events.

-- name: form_find :read
-- returns: id, slug, fields, success_message, redirect_url, conversion_value, has_webhook, has_mail
select id, slug, fields, success_message, redirect_url, conversion_value::text,
       submit_action = 'webhook' and coalesce(webhook_url, '') <> '' as has_webhook,
       submit_action = 'email' and coalesce(email_recipients, '') <> '' as has_mail
  from forms
 where site_id = $1 and (id = $2::uuid or ($2::uuid is null and slug = $3::text));

-- Serialises writers with the same key: after waiting, the next statement sees what the previous holder committed.
-- name: visitor_lock :write
select pg_advisory_xact_lock($1::bigint);

-- Stores submission, lead and conversion, or returns those of an identical form sent within a minute. OFFSET makes
-- the planner use the index on the hash: the index on dates would read everything that the site received in that
-- minute.
-- name: form_submission_store :write
-- params: site uuid, form uuid, data_hash text, ip text, status text, lead uuid?, name text?, email text?,
--         phone text?, message text?, source text, page_url text?, utm_source text?, utm_medium text?,
--         utm_campaign text?, conversion uuid?, value text, conversion_source text, gclid text?,
--         fbclid text?, id uuid, data json, user_agent text?
-- returns: submission_id uuid, lead_id uuid?, conversion_id uuid?
with twin as (
    select id, lead_id, conversion_id
      from (select * from form_submissions
             where site_id = :site and form_id = :form::uuid and data_hash = :data_hash::text offset 0) as alike
     where ip_address = :ip::text and (status = 'spam') = (:status::text = 'spam')
       and date_created > now() - interval '60 seconds'
     order by date_created limit 1
), lead as (
    insert into leads (site_id, id, form_id, name, email, phone, message, source, page_url, landing_page,
                       utm_source, utm_medium, utm_campaign, ip_address)
    select :site, :lead::uuid, :form::uuid, :name::text, :email::text, :phone::text, :message::text,
           :source::text, :page_url::text, :page_url::text,
           :utm_source::text, :utm_medium::text, :utm_campaign::text, :ip::text
     where :lead::uuid is not null and not exists (select from twin)
), conversion as (
    insert into conversions (site_id, id, lead_id, conversion_type, value, source, campaign, gclid, fbclid)
    select :site, :conversion::uuid, :lead::uuid, 'form', :value::text::numeric, :conversion_source::text,
           :utm_campaign::text, :gclid::text, :fbclid::text
     where :conversion::uuid is not null and not exists (select from twin)
), submission as (
    insert into form_submissions (site_id, id, status, form_id, data, data_hash, ip_address, user_agent, page_url,
                                  utm_source, utm_medium, utm_campaign, lead_id, conversion_id)
    select :site, :id::uuid, :status::text, :form::uuid, :data::text::jsonb, :data_hash::text, :ip::text,
           :user_agent::text, :page_url::text,
           :utm_source::text, :utm_medium::text, :utm_campaign::text, :lead::uuid, :conversion::uuid
     where not exists (select from twin)
    returning id, lead_id, conversion_id
)
select id, lead_id, conversion_id from twin
union all
select id, lead_id, conversion_id from submission;

-- At most one conversion per lead and type; conversions without a lead are always stored.
-- name: conversion_store :write
-- params: site uuid, id uuid, lead uuid?, type text, value text?, currency text, source text?,
--         campaign text?, gclid text?, fbclid text?
-- returns: id, has_lead
with owner as (
    select :lead::uuid is null or exists (select from leads where site_id = :site and id = :lead::uuid) as has_lead
), twin as (
    select id from conversions
     where site_id = :site and lead_id = :lead::uuid and conversion_type = :type::text
     order by timestamp limit 1
), made as (
    insert into conversions (site_id, id, lead_id, conversion_type, value, currency, source, campaign, gclid, fbclid)
    select :site, :id::uuid, :lead::uuid, :type::text, :value::text::numeric, :currency::text, :source::text,
           :campaign::text, :gclid::text, :fbclid::text
      from owner where has_lead and not exists (select from twin)
    returning id
)
select coalesce((select id from twin), (select id from made)), has_lead from owner;

-- name: call_click_store :write
-- params: site uuid, event uuid, phone text, page_path text?, session text?, visitor text?, user_agent text?,
--         ip text?, page_url text?, page_title text?, utm_source text?, utm_medium text?, utm_campaign text?,
--         conversion uuid, value text, source text, gclid text?, fbclid text?
with event as (
    insert into events (site_id, id, event_name, event_category, event_label, page_path, session_id, visitor_id,
                        user_agent, ip_address, metadata)
    values (:site, :event::uuid, 'call_click', 'engagement', :phone::text, :page_path::text, :session::text,
            :visitor::text, :user_agent::text, :ip::text,
            jsonb_strip_nulls(jsonb_build_object('page_url', :page_url::text, 'page_title', :page_title::text,
                                                 'utm_source', :utm_source::text, 'utm_medium', :utm_medium::text,
                                                 'utm_campaign', :utm_campaign::text)))
)
insert into conversions (site_id, id, conversion_type, value, source, campaign, gclid, fbclid)
values (:site, :conversion::uuid, 'call', :value::text::numeric, :source::text, :utm_campaign::text,
        :gclid::text, :fbclid::text);

-- The drain of events: skips events that are stored already or whose site is deleted.
-- name: events_store :write
insert into events (id, site_id, timestamp, event_name, event_category, event_label, event_value, page_path,
                    session_id, visitor_id, metadata, user_agent, ip_address)
select l.id, l.site_id, l.timestamp, l.event_name, l.event_category, l.event_label, l.event_value, l.page_path,
       l.session_id, l.visitor_id, l.metadata, l.user_agent, l.ip_address
  from spark.load_events l join sites s on s.id = l.site_id
    on conflict do nothing;

-- name: events_unload :write
delete from spark.load_events;
