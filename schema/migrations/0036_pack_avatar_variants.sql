-- Whom a campaign's articles speak to: an avatar of the site or of the library, and which of its variants.

set local client_min_messages = warning;
set local role spark_owner;
set local spark.scope = 'platform';

alter table campaign_masters
    add column avatar_key varchar(100),
    add column avatar_site_id uuid,
    add column variant_type varchar(50) check (variant_type in ('male', 'female', 'neutral'));
select spark.add_library_reference('campaign_masters', 'avatar_key', 'avatar_site_id',
                                   'avatar_intelligence', 'avatar_key');

-- The editors' view of the new columns; that table may belong to another owner.
reset role;
insert into directus_fields (collection, field, interface, options, note, readonly, hidden, sort, width)
select 'campaign_masters', n.field, n.interface, n.options::json, n.note, n.hidden, n.hidden,
       (select coalesce(max(sort), 0) from directus_fields where collection = 'campaign_masters') + n.sort, 'half'
  from (values
        ('avatar_key', 'input', null, 'Whom its articles speak to.', false, 1),
        ('avatar_site_id', 'input', null, null, true, 2),
        ('variant_type', 'select-dropdown',
         '{"choices": [{"text": "Male", "value": "male"}, {"text": "Female", "value": "female"}, {"text": "Neutral", "value": "neutral"}]}',
         'The words for that person; neutral if none is chosen.', false, 3)) as n (field, interface, options, note, hidden, sort)
 where not exists (select from directus_fields f where f.collection = 'campaign_masters' and f.field = n.field);
