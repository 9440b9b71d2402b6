-- What the API and its editors know of the pack: rows of directus_collections, directus_relations and
-- directus_fields. Collections and the far ends of relations are named here; all that the catalog
-- already says (columns, types, foreign keys) is read from it, so that it cannot be said twice.
--
-- Runs as the migrating user: in an opened database these tables belong to another owner.

set local client_min_messages = warning;

insert into directus_collections (collection, sort, icon, display_template, note, hidden)
select name, row_number() over (), icon, nullif(template, ''), note, hidden
  from (values
    ('sites',                'public',            '{{name}}',               'The tenants: one row a site', false),
    ('campaign_masters',     'campaign',          '{{name}}',               'What to write, for whom and where', false),
    ('article_templates',    'view_agenda',       '{{name}}',               'The order of fragments in an article', false),
    ('avatar_intelligence',  'psychology',        '{{base_name}}',          'Personas', false),
    ('avatar_variants',      'wc',                '{{avatar_key}} ({{variant_type}})', 'Their grammatical forms', false),
    ('cartesian_patterns',   'pattern',           '{{pattern_key}}',        'Headline formulas', false),
    ('spintax_dictionaries', 'menu_book',         '{{category}}',           'Terms that formulas draw from', false),
    ('geo_intelligence',     'map',               '{{cluster_key}}',        'Clusters of places', false),
    ('geo_clusters',         'hub',               '{{cluster_name}}',       'Clusters, normalised', false),
    ('geo_locations',        'place',             '{{city}}, {{state}}',    'Places of a cluster', false),
    ('offer_blocks',         'sell',              '{{name}}',               'Offers, universal and per persona', false),
    ('locations_states',     'flag',              '{{name}} ({{code}})',    'States', false),
    ('locations_counties',   'terrain',           '{{name}}',               'Counties', false),
    ('locations_cities',     'location_city',     '{{name}}',               'Cities', false),
    ('authors',              'badge',             '{{name}}',               'Who signs posts', false),
    ('image_templates',      'image',             '{{name}}',               'SVG for featured images', false),
    ('generation_jobs',      'bolt',              '{{type}} {{status}}',    'Batches of generation', false),
    ('headline_inventory',   'title',             '{{campaign_id.name}}',   'Headlines, each used once', false),
    ('content_fragments',    'extension',         '{{campaign_id.name}}',   'Pieces of articles', false),
    ('content_modules',      'widgets',           '{{name}}',               'Pieces chosen by least use', false),
    ('generated_articles',   'article',           '{{campaign_id.name}}',   'Articles on their way to publication', false),
    ('quality_flags',        'report',            '',                       'Articles too much alike', false),
    ('pages',                'web',               '{{title}}',              'Pages, routed by permalink', false),
    ('page_blocks',          'view_quilt',        '{{block_type}}',         'Blocks of a page, one a row', true),
    ('posts',                'feed',              '{{title}}',              'Blog posts', false),
    ('forms',                'list_alt',          '{{name}}',               'Forms', false),
    ('form_submissions',     'inbox',             '',                       'What was sent through them', false),
    ('leads',                'contact_mail',      '{{name}}',               'People to call back', false),
    ('newsletter_subscribers', 'mail',            '{{email}}',              'Subscribers', false),
    ('production_queue',     'conveyor_belt',     '{{campaign_id.name}}',   'Planned production', false),
    ('queue_items',          'event',             '',                       'Its slots', true),
    ('campaigns',            'schedule',          '{{name}}',               'Recurring runs', false),
    ('link_targets',         'link',              '{{anchor_text}}',        'Where articles link to', false),
    ('globals',              'tune',              '{{site_name}}',          'Name, look and scripts of a site', false),
    ('navigation',           'menu',              '{{label}}',              'Menus', false),
    ('hub_pages',            'account_tree',      '{{title}}',              'Pages that gather articles', false),
    ('site_analytics',       'monitoring',        '',                       'Accounts at measuring services', false),
    ('pageviews',            'visibility',        '{{page_path}}',          'Page views', false),
    ('events',               'touch_app',         '{{event_name}}',         'Events', false),
    ('conversions',          'paid',              '{{conversion_type}}',    'Conversions', false),
    ('work_log',             'history',           '{{action}}',             'What was done', false)
  ) as pack (name, icon, template, note, hidden)
on conflict (collection) do nothing;

-- Traffic is not tracked a second time; machinery that changes by the thousand is logged elsewhere.
update directus_collections set accountability = null
 where collection in ('pageviews', 'events', 'conversions', 'work_log', 'queue_items', 'headline_inventory');

update directus_collections set archive_field = 'status', archive_value = 'archived', unarchive_value = 'draft'
 where collection in ('pages', 'posts', 'generated_articles');

update directus_collections set sort_field = 'sort_order' where collection in ('navigation', 'hub_pages');
update directus_collections set sort_field = 'order' where collection = 'page_blocks';

-- Many-to-one: every foreign key that ends in an id. The one side gets a field where people look for it.
with far_end (many_collection, many_field, one_field) as (values
    ('campaign_masters', 'site_id', 'campaigns'), ('generated_articles', 'site_id', 'articles'),
    ('posts', 'site_id', 'posts'), ('pages', 'site_id', 'pages'), ('forms', 'site_id', 'forms'),
    ('leads', 'site_id', 'leads'), ('navigation', 'site_id', 'navigation'), ('hub_pages', 'site_id', 'hub_pages'),
    ('campaign_masters', 'article_template', 'campaigns'),
    ('generated_articles', 'campaign_id', 'articles'), ('headline_inventory', 'campaign_id', 'headlines'),
    ('content_fragments', 'campaign_id', 'fragments'), ('generation_jobs', 'campaign_id', 'jobs'),
    ('production_queue', 'campaign_id', 'queues'), ('generated_articles', 'job_id', 'articles'),
    ('generated_articles', 'parent_hub_id', 'articles'), ('hub_pages', 'parent_id', 'children'),
    ('navigation', 'parent_id', 'children'), ('posts', 'author', 'posts'), ('page_blocks', 'page_id', 'page_blocks'),
    ('form_submissions', 'form_id', 'submissions'), ('leads', 'form_id', 'leads'), ('conversions', 'lead_id', 'conversions'),
    ('queue_items', 'queue_id', 'items'),
    ('geo_locations', 'cluster_id', 'locations'), ('locations_counties', 'state_id', 'counties'),
    ('locations_cities', 'state_id', 'cities'), ('locations_cities', 'county_id', 'cities')
), many_to_one as (
    select many.relname as many_collection, near.attname as many_field, one.relname as one_collection
      from pg_constraint f
      join pg_class many on many.oid = f.conrelid and not many.relispartition
      join pg_class one on one.oid = f.confrelid
      join spark.collections c on c.collection = many.relname and not c.site_optional
      cross join lateral unnest(f.conkey, f.confkey) as pair (near, far)
      join pg_attribute near on near.attrelid = f.conrelid and near.attnum = pair.near
      join pg_attribute far on far.attrelid = f.confrelid and far.attnum = pair.far and far.attname = 'id'
     where f.contype = 'f' and f.conparentid = 0 and many.relnamespace = 'public'::regnamespace
)
insert into directus_relations (many_collection, many_field, one_collection, one_field, sort_field)
select m.many_collection, m.many_field, m.one_collection, f.one_field,
       case when f.one_field = 'children' then 'sort_order' when f.one_field = 'page_blocks' then 'order'
            when f.one_field = 'items' then 'position' end
  from many_to_one m left join far_end f using (many_collection, many_field)
 where not exists (select from directus_relations r
                    where r.many_collection = m.many_collection and r.many_field = m.many_field)
 order by m.many_collection, m.many_field;

-- Columns. Halves of library references and hashes are machinery: hidden and read-only.
insert into directus_fields (collection, field, special, interface, options, readonly, hidden, sort, width, required)
select c.collection, a.attname,
       case when a.attname = 'id' then 'uuid'
            when a.attname in ('date_created', 'created_at') then 'date-created'
            when a.attname in ('date_updated', 'updated_at') then 'date-updated'
            when r.one_collection = 'directus_files' then 'file'
            when r.many_field is not null then 'm2o'
            when a.atttypid = 'jsonb'::regtype then 'cast-json'
            when a.atttypid = 'boolean'::regtype then 'cast-boolean' end,
       case when a.attname = 'id' or is_machinery then 'input'
            when r.one_collection = 'directus_files' then 'file'
            when r.many_field is not null then 'select-dropdown-m2o'
            when a.atttypid = 'jsonb'::regtype then 'input-code'
            when a.atttypid = 'boolean'::regtype then 'boolean'
            when a.atttypid in ('timestamptz'::regtype, 'date'::regtype) then 'datetime'
            when a.attname in ('content', 'html_content', 'content_body') then 'input-rich-text-html'
            when a.atttypid = 'text'::regtype then 'input-multiline'
            when s.choices is not null then 'select-dropdown'
            else 'input' end,
       case when s.choices is not null then json_build_object('choices', s.choices)
            when a.atttypid = 'jsonb'::regtype then json_build_object('language', 'json') end,
       a.attname in ('id', 'date_created', 'date_updated', 'created_at', 'updated_at') or a.attgenerated <> '' or is_machinery,
       a.attname = 'id' or is_machinery,
       row_number() over (partition by c.collection order by a.attnum),
       case when a.atttypid in ('jsonb'::regtype, 'text'::regtype) then 'full' else 'half' end,
       -- A default, a trigger or the scope fills the others in.
       a.attnotnull and not a.atthasdef and not is_machinery
  from spark.collections c
  join pg_class t on t.relname = c.collection and t.relnamespace = 'public'::regnamespace
  join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
  left join directus_relations r on r.many_collection = c.collection and r.many_field = a.attname
  cross join lateral (select a.attname ~ '_site_id$' or a.attname in ('text_hash', 'content_hash', 'data_hash', 'generation_hash') as is_machinery) m
  cross join lateral (
      -- the values that a CHECK on this one column lists: col = ANY (ARRAY['a', 'b'])
      select json_agg(json_build_object('text', initcap(replace(value[1], '_', ' ')), 'value', value[1])) as choices
        from pg_constraint k, regexp_matches(pg_get_constraintdef(k.oid), '''([^'']+)''::character varying', 'g') value
       where k.conrelid = t.oid and k.contype = 'c' and k.conkey = array[a.attnum]
         and pg_get_constraintdef(k.oid) ~ '= ANY') s
 where not c.site_optional
   and not exists (select from directus_fields f where f.collection = c.collection and f.field = a.attname)
 order by c.collection, a.attnum;

-- The far ends: fields without a column.
insert into directus_fields (collection, field, special, interface, sort, width)
select r.one_collection, r.one_field, 'o2m', 'list-o2m',
       100 + row_number() over (partition by r.one_collection order by r.one_field), 'full'
  from directus_relations r
  join spark.collections c on c.collection = r.many_collection and not c.site_optional
 where r.one_field is not null
   and not exists (select from directus_fields f where f.collection = r.one_collection and f.field = r.one_field);

do $check$
declare
    clash text;
begin
    select string_agg(format('%s.%s', r.one_collection, r.one_field), ', ') into clash
      from directus_relations r
      join pg_attribute a on a.attrelid = to_regclass('public.' || quote_ident(r.one_collection)) and a.attname = r.one_field
      join spark.collections c on c.collection = r.many_collection and not c.site_optional;
    if clash is not null then
        raise exception 'relation fields hide columns: %', clash;
    end if;
end
$check$;
