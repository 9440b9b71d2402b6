-- functions: site row_security changes partitions
-- Versions hold drafts of tenants' rows, so they belong to the site of the item, as shares and comments do. Rows that
-- exist belong to no tenant: until now the platform alone could make one.
set local client_min_messages = warning;

alter table public.directus_versions add column if not exists site_id uuid default spark.current_site();
create index if not exists directus_versions_site on public.directus_versions (site_id, id) where site_id is not null;
-- Found by the item, with each read of a draft.
create index if not exists directus_versions_item on public.directus_versions (collection, item, key);
select spark.protect_system_table('public.directus_versions');
