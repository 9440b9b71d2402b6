-- Campaigns, as /api/campaigns lists and creates them.

-- Campaigns of the site and of the library.
-- name: campaigns_of_site :read
-- returns: id, site_id, name, headline_spintax_root, location_mode, status, date_created
select id, nullif(site_id, spark.library_site()), name, headline_spintax_root, location_mode, status, date_created
  from campaign_masters
 where site_id in ($1, spark.library_site()) and ($2::text is null or status = $2)
 order by date_created desc, id desc
 limit $3::int8 offset $4::int8;

-- name: campaigns_of_all :read
-- returns: id, site_id, name, headline_spintax_root, location_mode, status, date_created
select id, nullif(site_id, spark.library_site()), name, headline_spintax_root, location_mode, status, date_created
  from campaign_masters
 where $1::text is null or status = $1
 order by date_created desc, id desc
 limit $2::int8 offset $3::int8;

-- name: campaign_add :write
-- params: site uuid, id uuid, name text, headline_root text, niche_variables json, location_mode text,
--         location_target word?, target_words int, batch_count int, article_template uuid?, status text,
--         audit_user arg, audit_actor arg, audit_ip arg
-- returns: id, site_id, name, headline_spintax_root, location_mode, status, date_created, niche_variables, location_target, target_word_count, batch_count, article_template, audited
with made as (
    insert into campaign_masters (site_id, id, name, headline_spintax_root, niche_variables, location_mode,
                                  location_target, target_word_count, batch_count, article_template, status)
    values (:site, :id, :name, :headline_root, :niche_variables::jsonb, :location_mode, :location_target,
            :target_words::int8, :batch_count::int8, :article_template, :status)
    returning *
)
select id, nullif(site_id, spark.library_site()), name, headline_spintax_root, location_mode, status, date_created,
       niche_variables, location_target, target_word_count, batch_count, article_template,
       spark.audit(site_id, 'campaign_created', 'campaign_masters', id::text, jsonb_build_object('name', name),
                   'info', 'done', :audit_user, :audit_actor, :audit_ip)
  from made;
