-- Secrets of sites.

-- The tenant lane may ask whether a secret exists, so that no job is enqueued without one. Only the platform lane
-- may read its value (spark.site_secrets).
create or replace function spark.has_site_secret(secret text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from spark.site_secrets s where s.site_id = spark.current_site() and s.name = secret);
end
$$;
