-- The site of a transaction.

-- The owner of rows that all sites share. Defined here although its row comes with the pack.
create or replace function spark.library_site() returns uuid
language sql immutable parallel safe
return '00000000-0000-7000-8000-000000000001'::uuid;

-- The site of the transaction, or null: there is no default, so that a missing setting fails closed.
create or replace function spark.current_site() returns uuid
language sql stable parallel safe
return nullif(current_setting('spark.site', true), '')::uuid;

create or replace function spark.current_site_or_library() returns uuid
language sql stable parallel safe
return coalesce(nullif(current_setting('spark.site', true), '')::uuid, spark.library_site());
