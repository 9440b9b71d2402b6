-- Secrets of sites.

-- The tenant's lane may ask whether there is one, so that no job is made that has nobody to call; what it
-- says is for the machinery alone (spark.site_secrets).
create or replace function spark.has_site_secret(secret text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from spark.site_secrets s where s.site_id = spark.current_site() and s.name = secret);
end
$$;
