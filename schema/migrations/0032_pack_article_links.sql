-- The links that were put into articles: what a second run must not repeat and an undo takes out.

set local client_min_messages = warning;
set local role spark_owner;

create table article_links (
    id uuid primary key default gen_random_uuid(),
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    batch_id uuid not null, -- one run
    article_id uuid not null,
    target_id uuid, -- gone when the target is; its link stays
    href varchar(500) not null,
    anchor text not null check (octet_length(anchor) <= 65536), -- as the article spells it, references and all
    position integer not null check (position >= 0), -- words before it: other links do not move it
    date_created timestamptz not null default now(),
    unique (site_id, id),
    foreign key (site_id, article_id) references generated_articles (site_id, id) on delete cascade,
    foreign key (site_id, target_id) references link_targets (site_id, id) on delete set null (target_id)
);
create index article_links_article on article_links (site_id, article_id, position);
create index article_links_target on article_links (site_id, target_id) where target_id is not null;
create index article_links_batch on article_links (site_id, batch_id);
select spark.protect_table('article_links');
reset role;

-- What editors and the API know of it. It is written by the endpoints that insert and remove links.
insert into directus_collections (collection, sort, icon, display_template, note, hidden, accountability)
values ('article_links', 100, 'add_link', '{{anchor}}', 'Links that were put into articles', false, null)
on conflict (collection) do nothing;

-- Articles have no field for them: whoever reads all fields of articles would pay for it.
insert into directus_relations (many_collection, many_field, one_collection)
select 'article_links', r.many_field, r.one_collection
  from (values ('site_id', 'sites'), ('article_id', 'generated_articles'), ('target_id', 'link_targets'))
       as r (many_field, one_collection)
 where not exists (select from directus_relations d
                    where d.many_collection = 'article_links' and d.many_field = r.many_field);

insert into directus_fields (collection, field, special, interface, readonly, hidden, sort, width)
select f.collection, f.field, f.special, f.interface, true, f.field = 'id', f.sort, 'half'
  from (values ('article_links', 'id', 'uuid', 'input', 1), ('article_links', 'site_id', 'm2o', 'select-dropdown-m2o', 2),
               ('article_links', 'batch_id', null, 'input', 3), ('article_links', 'article_id', 'm2o', 'select-dropdown-m2o', 4),
               ('article_links', 'target_id', 'm2o', 'select-dropdown-m2o', 5), ('article_links', 'href', null, 'input', 6),
               ('article_links', 'anchor', null, 'input', 7), ('article_links', 'position', null, 'input', 8),
               ('article_links', 'date_created', 'date-created', 'datetime', 9))
       as f (collection, field, special, interface, sort)
 where not exists (select from directus_fields d where d.collection = f.collection and d.field = f.field);
