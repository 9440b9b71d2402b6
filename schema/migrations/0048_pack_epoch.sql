-- A site's own stamp moves when its status changes or it goes; its hosts move stamps by themselves. A new
-- status may also give hosts to a site that had none, as far as requests are concerned.

set local client_min_messages = warning;
set local role spark_owner;

create or replace function spark.raise_sites_epoch_after() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform spark.raise_site_epoch(old.id);
    if tg_op = 'UPDATE' then
        perform spark.raise_site_epoch('00000000-0000-0000-0000-000000000000');
    end if;
    return null;
end
$$;

drop trigger if exists spark_epoch on sites;
drop trigger if exists spark_epoch_update on sites;
create or replace trigger spark_epoch after truncate on sites for each statement execute function spark.raise_epoch_after();
create or replace trigger spark_site_epoch after delete on sites for each row execute function spark.raise_sites_epoch_after();
create or replace trigger spark_site_epoch_update after update of status on sites for each row
    when (old.status is distinct from new.status) execute function spark.raise_sites_epoch_after();
