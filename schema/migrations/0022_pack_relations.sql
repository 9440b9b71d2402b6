-- Foreign keys that go upwards: from an earlier batch to a later one. They could not exist before both
-- ends did.

set local client_min_messages = warning;
set local role spark_owner;

alter table headline_inventory
    add foreign key (site_id, used_on_article) references generated_articles (site_id, id)
        on delete set null (used_on_article);

alter table generated_articles
    add foreign key (site_id, published_to_post) references posts (site_id, id) on delete set null (published_to_post),
    add foreign key (site_id, parent_hub_id) references hub_pages (site_id, id) on delete set null (parent_hub_id);

-- Rows of the system collections that belong to a site go with it, except the audit trail, which
-- outlives it and is written with every change. Only in a database of our own: in an opened one these
-- tables belong to another owner.
do $system$
declare
    target text;
begin
    foreach target in array array['users', 'files', 'folders', 'comments', 'shares', 'presets', 'notifications']
    loop
        if (select relowner = 'spark_owner'::regrole from pg_class where oid = format('public.directus_%s', target)::regclass) then
            execute format('alter table directus_%s add constraint directus_%1$s_site_id_foreign '
                           'foreign key (site_id) references sites (id) on delete cascade', target);
        end if;
    end loop;
end
$system$;
