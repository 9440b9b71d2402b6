-- Whoever writes many rows asks for statistics of every table, not of articles and headlines alone.

set local client_min_messages = warning;
set local role spark_owner;

create or replace function spark.refresh_statistics() returns boolean
language sql security definer set search_path = pg_catalog, pg_temp as $$
select spark.analyze_young() > 0
$$;
