-- What anybody may read: published rows, menus and the look of a site. The scope narrows it to the
-- host's site; a request for an unknown host sees none of it.

set local client_min_messages = warning;

insert into directus_permissions (policy, collection, action, permissions, fields)
select 'abf8a154-5b1c-4a46-ac9c-7300570f4f17', p.collection, 'read', p.rule::json, p.fields
  from (values
    ('posts',      '{"status": {"_eq": "published"}}', '*'),
    ('pages',      '{"status": {"_eq": "published"}}', '*'),
    -- How an article came about, and who works on it, is nobody's business outside.
    ('generated_articles', '{"status": {"_eq": "published"}}',
     'id,site_id,status,title,slug,content,meta_title,meta_description,word_count,location_city,location_county,'
     'location_state,featured_image,featured_image_svg,featured_image_filename,featured_image_alt,schema_json,'
     'is_published,published_at,published_url,date_published,date_modified,parent_hub_id'),
    ('navigation', '{}', '*'),
    ('globals',    '{}', '*')
  ) as p (collection, rule, fields)
 where not exists (select from directus_permissions d
                    where d.policy = 'abf8a154-5b1c-4a46-ac9c-7300570f4f17' and d.collection = p.collection and d.action = 'read');
