-- The duplicate scan: what it remembers of every article, from which similarity on a pair is shown
-- to an editor (review) or kept from being published (block), and what a flag says.

set local client_min_messages = warning;
set local role spark_owner;

-- Shares of 1. An article that holds most of a shorter one is shown whatever their similarity.
alter table sites
    add column duplicate_review double precision not null default 0.3
        check (duplicate_review >= 0.05 and duplicate_review <= 1),
    add column duplicate_block double precision not null default 0.7
        check (duplicate_block >= 0.05 and duplicate_block <= 1),
    add column duplicate_containment double precision not null default 0.8
        check (duplicate_containment >= 0.3 and duplicate_containment <= 1);

alter table quality_flags
    add column containment_score double precision check (containment_score between 0 and 100),
    add column verdict varchar(20) not null default 'review' check (verdict in ('review', 'block'));

-- 512 bytes an article (core/factory/duplicates/minhash.h), so that a scan reads no text but that of new ones.
-- scanned_threshold: all pairs with articles that had one then were looked at from this similarity on.
create table spark.article_signatures (
    site_id uuid not null default spark.current_site(),
    article_id uuid not null,
    version smallint not null,
    shingles integer not null check (shingles >= 0),
    rows bytea not null check (length(rows) = case when shingles > 0 then 512 else 0 end),
    scanned_threshold double precision,
    primary key (site_id, article_id),
    foreign key (site_id, article_id) references generated_articles (site_id, id) on delete cascade
);
alter table spark.article_signatures alter column rows set storage plain; -- random: nothing to compress
select spark.set_row_policies('spark.article_signatures', 'site_id', false, false);

-- Another text, or other values to mask in it, is another signature.
create function spark.forget_signature() returns trigger
language plpgsql as $$
begin
    delete from spark.article_signatures where site_id = old.site_id and article_id = old.id;
    return null;
end
$$;
create trigger generated_articles_signature
    after update of content, location_city, location_county, location_state, campaign_id on generated_articles
    for each row execute function spark.forget_signature();

create function spark.forget_signatures_of_campaign() returns trigger
language plpgsql as $$
begin
    delete from spark.article_signatures s
     using generated_articles a
     where a.campaign_site_id = old.site_id and a.campaign_id = old.id
       and s.site_id = a.site_id and s.article_id = a.id;
    return null;
end
$$;
create trigger campaign_masters_signatures after update of niche_variables on campaign_masters for each row
    when (old.niche_variables is distinct from new.niche_variables)
    execute function spark.forget_signatures_of_campaign();

-- What the quality gate asks: has an editor still to decide on a pair that is too much alike?
create function spark.duplicate_blocks(site uuid, article uuid) returns boolean
language sql stable
return exists (select from quality_flags f
                where f.site_id = site and f.article_a = article and f.status = 'pending' and f.verdict = 'block')
    or exists (select from quality_flags f
                where f.site_id = site and f.article_b = article and f.status = 'pending' and f.verdict = 'block');

-- The editors' view of the new columns; these tables may belong to another owner.
reset role;
insert into directus_fields (collection, field, special, interface, options, note, readonly, sort, width)
select n.collection, n.field, null, n.interface, n.options::json, n.note, n.readonly, 90, 'half'
  from (values
    ('sites', 'duplicate_review', 'input', null, 'Articles as much alike as this are flagged (0.05 to 1)', false),
    ('sites', 'duplicate_block', 'input', null, 'As much alike as this, they are not published (0.05 to 1)', false),
    ('sites', 'duplicate_containment', 'input', null, 'Flagged, if one holds this share of the other (0.3 to 1)', false),
    ('quality_flags', 'containment_score', 'input', null, 'How much of the shorter one the other holds, in percent', true),
    ('quality_flags', 'verdict', 'select-dropdown',
     '{"choices": [{"text": "Review", "value": "review"}, {"text": "Block", "value": "block"}]}',
     'Whether the pair may be published', true)
  ) as n (collection, field, interface, options, note, readonly)
 where not exists (select from directus_fields f where f.collection = n.collection and f.field = n.field);
