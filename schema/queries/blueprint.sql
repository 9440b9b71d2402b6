-- Blueprints of sites: core/factory/blueprint/blueprint.def says what they hold, and its order is that of the numbers
-- here, with which the statements name its parts. $1 is the site everywhere.

-- Every row as JSON, oldest first: rows of an import are made in the order of its document, so both sites
-- list them alike. Headlines that an article has used up are free in a site that does not have the article.
-- $2: the parts; $3: the most rows; $4: the most bytes, and the row that passes them.
-- name: blueprint_rows :slow
-- returns: part, row
select part, row
  from (select part, row, id, sum(octet_length(row)) over (order by part, id) - octet_length(row) as before
          from (
select 0 as part, id, to_jsonb(t)::text as row from article_templates t where site_id = $1 and 0 = any ($2)
 union all
select 1, id, to_jsonb(t)::text from avatar_intelligence t where site_id = $1 and 1 = any ($2)
 union all
select 2, id, to_jsonb(t)::text from avatar_variants t where site_id = $1 and 2 = any ($2)
 union all
select 3, id, to_jsonb(t)::text from cartesian_patterns t where site_id = $1 and 3 = any ($2)
 union all
select 4, id, to_jsonb(t)::text from spintax_dictionaries t where site_id = $1 and 4 = any ($2)
 union all
select 5, id, to_jsonb(t)::text from geo_intelligence t where site_id = $1 and 5 = any ($2)
 union all
select 6, id, to_jsonb(t)::text from geo_clusters t where site_id = $1 and 6 = any ($2)
 union all
select 7, id, to_jsonb(t)::text from geo_locations t where site_id = $1 and 7 = any ($2)
 union all
select 8, id, to_jsonb(t)::text from locations_states t where site_id = $1 and 8 = any ($2)
 union all
select 9, id, to_jsonb(t)::text from locations_counties t where site_id = $1 and 9 = any ($2)
 union all
select 10, id, to_jsonb(t)::text from locations_cities t where site_id = $1 and 10 = any ($2)
 union all
select 11, id, to_jsonb(t)::text from offer_blocks t where site_id = $1 and 11 = any ($2)
 union all
select 12, id, to_jsonb(t)::text from image_templates t where site_id = $1 and 12 = any ($2)
 union all
select 13, id, to_jsonb(t)::text from authors t where site_id = $1 and 13 = any ($2)
 union all
select 14, id, to_jsonb(t)::text from campaign_masters t where site_id = $1 and 14 = any ($2)
 union all
select 15, id, to_jsonb(t)::text from content_fragments t where site_id = $1 and 15 = any ($2)
 union all
select 16, id, (to_jsonb(t) || jsonb_build_object('status', case status when 'archived' then status else 'available' end))::text
          from headline_inventory t where site_id = $1 and 16 = any ($2)
 union all
select 17, id, to_jsonb(t)::text from content_modules t where site_id = $1 and 17 = any ($2)
 union all
select 18, id, to_jsonb(t)::text from forms t where site_id = $1 and 18 = any ($2)
 union all
select 19, id, to_jsonb(t)::text from hub_pages t where site_id = $1 and 19 = any ($2)
 union all
select 20, id, to_jsonb(t)::text from pages t where site_id = $1 and 20 = any ($2)
 union all
select 21, id, to_jsonb(t)::text from page_blocks t where site_id = $1 and 21 = any ($2)
 union all
select 22, id, to_jsonb(t)::text from posts t where site_id = $1 and 22 = any ($2)
 union all
select 23, id, to_jsonb(t)::text from link_targets t where site_id = $1 and 23 = any ($2)
 union all
select 24, id, to_jsonb(t)::text from navigation t where site_id = $1 and 24 = any ($2)
 union all
select 25, id, to_jsonb(t)::text from globals t where site_id = $1 and 25 = any ($2)
 union all
select 26, id, to_jsonb(t)::text from sites t where id = $1 and 26 = any ($2)
               ) found) counted
 where before <= $4
 order by part, id
 limit $3;

-- What names the rows that are there. $2: the parts; $3: the most rows.
-- name: blueprint_keys :write
-- returns: part, id, key
select part, id, key
  from (
select 0 as part, t.id, nullif(t.name, '') as key from article_templates t where t.site_id = $1 and 0 = any ($2)
 union all
select 1, t.id, nullif(t.avatar_key, '') from avatar_intelligence t where t.site_id = $1 and 1 = any ($2)
 union all
select 2, t.id, concat_ws('/', nullif(t.avatar_key, ''), nullif(t.variant_type, '')) from avatar_variants t where t.site_id = $1 and 2 = any ($2)
 union all
select 3, t.id, nullif(t.pattern_key, '') from cartesian_patterns t where t.site_id = $1 and 3 = any ($2)
 union all
select 4, t.id, nullif(t.category, '') from spintax_dictionaries t where t.site_id = $1 and 4 = any ($2)
 union all
select 5, t.id, nullif(t.cluster_key, '') from geo_intelligence t where t.site_id = $1 and 5 = any ($2)
 union all
select 6, t.id, nullif(t.cluster_key, '') from geo_clusters t where t.site_id = $1 and 6 = any ($2)
 union all
select 7, t.id, concat_ws('/', nullif(s.cluster_key, ''), nullif(t.city, ''), nullif(t.state, ''), nullif(t.zip_focus, ''), nullif(t.neighborhood, ''))
          from geo_locations t
          join geo_clusters s on s.site_id = t.cluster_site_id and s.id = t.cluster_id where t.site_id = $1 and 7 = any ($2)
 union all
select 8, t.id, concat_ws('/', nullif(t.country_code, ''), nullif(t.code, '')) from locations_states t where t.site_id = $1 and 8 = any ($2)
 union all
select 9, t.id, concat_ws('/', concat_ws('/', nullif(s.country_code, ''), nullif(s.code, '')), nullif(t.name, ''))
          from locations_counties t
          join locations_states s on s.site_id = t.state_site_id and s.id = t.state_id where t.site_id = $1 and 9 = any ($2)
 union all
select 10, t.id, concat_ws('/', concat_ws('/', nullif(s.country_code, ''), nullif(s.code, '')), nullif(t.name, ''))
          from locations_cities t
          join locations_states s on s.site_id = t.state_site_id and s.id = t.state_id where t.site_id = $1 and 10 = any ($2)
 union all
select 11, t.id, concat_ws('/', nullif(t.block_type, ''), coalesce(nullif(t.block_id, ''), nullif(t.name, '')), nullif(t.avatar_key, '')) from offer_blocks t where t.site_id = $1 and 11 = any ($2)
 union all
select 12, t.id, nullif(t.name, '') from image_templates t where t.site_id = $1 and 12 = any ($2)
 union all
select 13, t.id, nullif(t.name, '') from authors t where t.site_id = $1 and 13 = any ($2)
 union all
select 14, t.id, nullif(t.name, '') from campaign_masters t where t.site_id = $1 and 14 = any ($2)
 union all
select 17, t.id, concat_ws('/', nullif(t.module_type, ''), nullif(t.name, ''), encode(sha256(convert_to(t.content_spintax, 'UTF8')), 'hex')) from content_modules t where t.site_id = $1 and 17 = any ($2)
 union all
select 18, t.id, concat_ws('/', coalesce(nullif(t.slug, ''), nullif(t.name, ''))) from forms t where t.site_id = $1 and 18 = any ($2)
 union all
select 19, t.id, nullif(t.slug, '') from hub_pages t where t.site_id = $1 and 19 = any ($2)
 union all
select 20, t.id, concat_ws('/', coalesce(nullif(t.permalink, ''), nullif(t.slug, ''), nullif(t.title, ''))) from pages t where t.site_id = $1 and 20 = any ($2)
 union all
select 21, t.id, concat_ws('/', coalesce(nullif(s.permalink, ''), nullif(s.slug, ''), nullif(s.title, '')), t."order"::text, nullif(t.block_type, ''))
          from page_blocks t
          join pages s on s.site_id = t.site_id and s.id = t.page_id where t.site_id = $1 and 21 = any ($2)
 union all
select 22, t.id, concat_ws('/', coalesce(nullif(t.slug, ''), nullif(t.title, ''))) from posts t where t.site_id = $1 and 22 = any ($2)
 union all
select 23, t.id, concat_ws('/', nullif(t.target_url, ''), nullif(t.anchor_text, '')) from link_targets t where t.site_id = $1 and 23 = any ($2)
 union all
select 24, t.id, concat_ws('/', nullif(t.label, ''), nullif(t.url, '')) from navigation t where t.site_id = $1 and 24 = any ($2)
       ) named
 order by part, id
 limit $3;

-- name: blueprint_add_templates :write
insert into article_templates (site_id, id, name, structure_json, description, is_default)
select $1, id, name, structure_json, description, is_default
  from jsonb_populate_recordset(null::article_templates, $2::jsonb);

-- name: blueprint_add_avatars :write
insert into avatar_intelligence (site_id, id, status, avatar_key, base_name, wealth_cluster, business_niches, pain_points, demographics,
        psychographics, tech_stack, data)
select $1, id, status, avatar_key, base_name, wealth_cluster, business_niches, pain_points, demographics,
       psychographics, tech_stack, data
  from jsonb_populate_recordset(null::avatar_intelligence, $2::jsonb);

-- name: blueprint_add_avatar_variants :write
insert into avatar_variants (site_id, id, status, avatar_key, avatar_site_id, variant_type, name, prompt_modifier, identity,
        tone_modifiers, data)
select $1, id, status, avatar_key, avatar_site_id, variant_type, name, prompt_modifier, identity,
       tone_modifiers, data
  from jsonb_populate_recordset(null::avatar_variants, $2::jsonb);

-- name: blueprint_add_patterns :write
insert into cartesian_patterns (site_id, id, status, pattern_key, pattern_type, name, pattern_logic, formula, data, example_output,
        description)
select $1, id, status, pattern_key, pattern_type, name, pattern_logic, formula, data, example_output,
       description
  from jsonb_populate_recordset(null::cartesian_patterns, $2::jsonb);

-- name: blueprint_add_dictionaries :write
insert into spintax_dictionaries (site_id, id, category, data, base_word, variations, description, key)
select $1, id, category, data, base_word, variations, description, key
  from jsonb_populate_recordset(null::spintax_dictionaries, $2::jsonb);

-- name: blueprint_add_geo :write
insert into geo_intelligence (site_id, id, status, cluster_key, city, state, county, zip_code, neighborhood, country, population,
        median_income, keywords, local_modifiers, latitude, longitude, is_active, data)
select $1, id, status, cluster_key, city, state, county, zip_code, neighborhood, country, population,
       median_income, keywords, local_modifiers, latitude, longitude, is_active, data
  from jsonb_populate_recordset(null::geo_intelligence, $2::jsonb);

-- name: blueprint_add_geo_clusters :write
insert into geo_clusters (site_id, id, cluster_key, cluster_name, state, description, data)
select $1, id, cluster_key, cluster_name, state, description, data
  from jsonb_populate_recordset(null::geo_clusters, $2::jsonb);

-- name: blueprint_add_geo_locations :write
insert into geo_locations (site_id, id, cluster_id, cluster_site_id, city, state, zip_focus, neighborhood, population, coordinates)
select $1, id, cluster_id, cluster_site_id, city, state, zip_focus, neighborhood, population, coordinates
  from jsonb_populate_recordset(null::geo_locations, $2::jsonb);

-- name: blueprint_add_states :write
insert into locations_states (site_id, id, country_code, code, name, population, region)
select $1, id, country_code, code, name, population, region
  from jsonb_populate_recordset(null::locations_states, $2::jsonb);

-- name: blueprint_add_counties :write
insert into locations_counties (site_id, id, state_id, state_site_id, name, fips_code, population)
select $1, id, state_id, state_site_id, name, fips_code, population
  from jsonb_populate_recordset(null::locations_counties, $2::jsonb);

-- name: blueprint_add_cities :write
insert into locations_cities (site_id, id, state_id, state_site_id, county_id, county_site_id, name, population, zip_codes, postal_code,
        latitude, longitude, ranking)
select $1, id, state_id, state_site_id, county_id, county_site_id, name, population, zip_codes, postal_code,
       latitude, longitude, ranking
  from jsonb_populate_recordset(null::locations_cities, $2::jsonb);

-- name: blueprint_add_offer_blocks :write
insert into offer_blocks (site_id, id, status, block_type, block_id, name, avatar_key, html_content, data)
select $1, id, status, block_type, block_id, name, avatar_key, html_content, data
  from jsonb_populate_recordset(null::offer_blocks, $2::jsonb);

-- name: blueprint_add_image_templates :write
insert into image_templates (site_id, id, name, svg_source, is_default, width, height, gradient_start, gradient_end, text_color,
        accent_color, font_family, title_size, subtitle_size)
select $1, id, name, svg_source,
       is_default and not exists (select from image_templates d where d.site_id = $1 and d.is_default),
       width, height, gradient_start, gradient_end, text_color, accent_color, font_family, title_size,
       subtitle_size
  from jsonb_populate_recordset(null::image_templates, $2::jsonb);

-- name: blueprint_add_authors :write
insert into authors (site_id, id, name, bio)
select $1, id, name, bio
  from jsonb_populate_recordset(null::authors, $2::jsonb);

-- name: blueprint_add_campaigns :write
insert into campaign_masters (site_id, id, status, name, headline_spintax_root, headline_cursor, headline_patterns, niche_variables,
        location_mode, location_target, batch_count, target_word_count, article_template,
        article_template_site_id, avatar_key, avatar_site_id, variant_type, velocity_mode,
        weekend_throttle, time_jitter_minutes, business_hours_only, backdate_start, backdate_end,
        content_recipe, spintax_title, target_locations_filter, target_article_count)
select $1, id, status, name, headline_spintax_root, headline_cursor, headline_patterns, niche_variables,
       location_mode, location_target, batch_count, target_word_count, article_template,
       article_template_site_id, avatar_key, avatar_site_id, variant_type, velocity_mode,
       weekend_throttle, time_jitter_minutes, business_hours_only, backdate_start, backdate_end,
       content_recipe, spintax_title, target_locations_filter, target_article_count
  from jsonb_populate_recordset(null::campaign_masters, $2::jsonb);

-- name: blueprint_add_fragments :write
insert into content_fragments (site_id, id, campaign_id, campaign_site_id, status, fragment_type, content_body, word_count)
select $1, id, campaign_id, campaign_site_id, status, fragment_type, content_body, word_count
  from jsonb_populate_recordset(null::content_fragments, $2::jsonb)
    on conflict (site_id, campaign_id, fragment_type, content_hash) do nothing;

-- name: blueprint_add_headlines :write
insert into headline_inventory (site_id, id, campaign_id, campaign_site_id, status, headline_text, final_title_text, location_data)
select $1, id, campaign_id, campaign_site_id, status, headline_text, final_title_text, location_data
  from jsonb_populate_recordset(null::headline_inventory, $2::jsonb)
    on conflict (site_id, campaign_id, text_hash) do nothing;

-- name: blueprint_add_modules :write
insert into content_modules (site_id, id, module_type, name, content_spintax, variables, is_active)
select $1, id, module_type, name, content_spintax, variables, is_active
  from jsonb_populate_recordset(null::content_modules, $2::jsonb);

-- name: blueprint_add_forms :write
insert into forms (site_id, id, slug, name, fields, submit_action, success_message, redirect_url, conversion_value)
select $1, id, slug, name, fields, submit_action, success_message, redirect_url, conversion_value
  from jsonb_populate_recordset(null::forms, $2::jsonb);

-- name: blueprint_add_hub_pages :write
insert into hub_pages (site_id, id, slug, title, description, parent_id, level, title_template, slug_pattern, schema_json,
        sort_order)
select $1, id, slug, title, description, parent_id, level, title_template, slug_pattern, schema_json,
       sort_order
  from jsonb_populate_recordset(null::hub_pages, $2::jsonb);

-- name: blueprint_add_pages :write
insert into pages (site_id, id, permalink, slug, title, status, content, blocks, schema_json, seo_title, seo_description)
select $1, id, permalink, slug, title, status, content, blocks, schema_json, seo_title, seo_description
  from jsonb_populate_recordset(null::pages, $2::jsonb);

-- name: blueprint_add_page_blocks :write
insert into page_blocks (site_id, id, page_id, "order", block_type, block_config)
select $1, id, page_id, "order", block_type, block_config
  from jsonb_populate_recordset(null::page_blocks, $2::jsonb);

-- name: blueprint_add_posts :write
insert into posts (site_id, id, slug, title, status, excerpt, content, featured_image_alt, category, author, published_at,
        meta_title, meta_description, seo_title, seo_description, meta_keywords, robots, schema_type,
        schema_json, source, avatar_key)
select $1, id, slug, title, status, excerpt, content, featured_image_alt, category, author, published_at,
       meta_title, meta_description, seo_title, seo_description, meta_keywords, robots, schema_type,
       schema_json, source, avatar_key
  from jsonb_populate_recordset(null::posts, $2::jsonb);

-- name: blueprint_add_link_targets :write
insert into link_targets (site_id, id, target_url, anchor_text, status, target_post, anchor_variations, keyword_focus, priority,
        is_active, is_hub, max_per_article)
select $1, id, target_url, anchor_text, status, target_post, anchor_variations, keyword_focus, priority,
       is_active, is_hub, max_per_article
  from jsonb_populate_recordset(null::link_targets, $2::jsonb);

-- name: blueprint_add_navigation :write
insert into navigation (site_id, id, label, url, parent_id, target, icon, sort_order)
select $1, id, label, url, parent_id, target, icon, sort_order
  from jsonb_populate_recordset(null::navigation, $2::jsonb);

-- name: blueprint_add_globals :write
insert into globals as g (site_id, id, site_name, site_tagline, logo, favicon, primary_color, secondary_color,
        footer_text, scripts_head, scripts_body, social_links, theme_settings)
select $1, id, site_name, site_tagline, logo, favicon, primary_color, secondary_color,
       footer_text, scripts_head, scripts_body, social_links, theme_settings
  from jsonb_populate_recordset(null::globals, $2::jsonb)
    on conflict (site_id) do update
   set (site_name, site_tagline, logo, favicon, primary_color, secondary_color,
        footer_text, scripts_head, scripts_body, social_links, theme_settings) =
       (excluded.site_name, excluded.site_tagline, excluded.logo, excluded.favicon, excluded.primary_color, excluded.secondary_color,
        excluded.footer_text, excluded.scripts_head, excluded.scripts_body, excluded.social_links, excluded.theme_settings)
 where (g.site_name, g.site_tagline, g.logo, g.favicon, g.primary_color, g.secondary_color,
        g.footer_text, g.scripts_head, g.scripts_body, g.social_links, g.theme_settings)
       is distinct from
       (excluded.site_name, excluded.site_tagline, excluded.logo, excluded.favicon, excluded.primary_color, excluded.secondary_color,
        excluded.footer_text, excluded.scripts_head, excluded.scripts_body, excluded.social_links, excluded.theme_settings);

-- What is absent stays as it is.
-- name: blueprint_add_site_settings :write
update sites s
   set settings = r.settings, time_zone = r.time_zone, domain_age_years = r.domain_age_years,
       sitemap_drip_rate = r.sitemap_drip_rate, site_type = r.site_type
  from (select (jsonb_populate_record(x, $2::jsonb -> 0)).* from sites x where x.id = $1) r
 where s.id = $1
   and (s.settings, s.time_zone, s.domain_age_years, s.sitemap_drip_rate, s.site_type)
       is distinct from (r.settings, r.time_zone, r.domain_age_years, r.sitemap_drip_rate, r.site_type);
