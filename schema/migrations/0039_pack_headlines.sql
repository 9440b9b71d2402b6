-- Headlines out of patterns, and cheaper rows of them: their number is what grows fastest.

set local client_min_messages = warning;

insert into directus_fields (collection, field, special, interface, note, readonly, hidden, sort, width)
select 'campaign_masters', 'headline_patterns', 'cast-json', 'tags',
       'Keys of cartesian_patterns, or "*": headlines come from these instead of the template', false, false, 60, 'full'
 where not exists (select from directus_fields
                    where collection = 'campaign_masters' and field = 'headline_patterns');

set local role spark_owner;

alter table campaign_masters add column headline_patterns jsonb
    check (jsonb_typeof(headline_patterns) = 'array');

-- Other patterns are another numbering, as another template is.
drop trigger campaign_masters_restart on campaign_masters;
create trigger campaign_masters_restart
    before update of headline_spintax_root, location_mode, location_target, niche_variables, headline_patterns
    on campaign_masters for each row
    when (old.headline_spintax_root is distinct from new.headline_spintax_root
          or old.location_mode <> new.location_mode
          or old.location_target is distinct from new.location_target
          or old.niche_variables is distinct from new.niche_variables
          or old.headline_patterns is distinct from new.headline_patterns)
    execute function spark.restart_headlines();

-- Who has an article is asked when an article goes; a new headline never has one.
drop index headline_inventory_article;
create index headline_inventory_article on headline_inventory (site_id, used_on_article)
 where used_on_article is not null;

-- Hashes are compared byte by byte: the rules of a language cost more than the rest of a look-up. The
-- triggers look at the column and so have to step aside.
drop trigger headline_inventory_hash on headline_inventory;
drop trigger headline_inventory_rehash on headline_inventory;
alter table headline_inventory alter column text_hash type varchar(64) collate "C";
create trigger headline_inventory_hash before insert on headline_inventory for each row
    when (coalesce(new.text_hash, '') = '') execute function spark.hash_headline();
create trigger headline_inventory_rehash before update of final_title_text on headline_inventory for each row
    when (new.final_title_text is distinct from old.final_title_text and new.text_hash = old.text_hash)
    execute function spark.hash_headline();

-- Batches of headlines end as those of articles do.
drop trigger jobs_dead_generation on spark.jobs;
create trigger jobs_dead_generation after update of failures, crashes, cancel_requested on spark.jobs for each row
    when (new.kind in ('generate-articles', 'generate-headlines')
          and (new.state in ('dead', 'cancelled', 'expired')) <> (old.state in ('dead', 'cancelled', 'expired')))
    execute function spark.count_dead_generation();
