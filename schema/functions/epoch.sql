-- Stamps of schema and rights, of the installation and of each site (docs/decisions/0026-epoch-stamps.md).

-- 63 random bits of a UUID (without version and variant); never 0 or 1, never equal to `current`.
create or replace function spark.new_stamp(current bigint) returns bigint
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    stamp bigint;
    digits text;
begin
    loop
        digits := replace(gen_random_uuid()::text, '-', '');
        stamp := ('x' || substr(digits, 1, 12) || substr(digits, 21, 4))::bit(64)::bigint & 9223372036854775807;
        exit when stamp > 1 and stamp is distinct from current;
    end loop;
    return stamp;
end
$$;

-- A request that is retried because of repeated changes takes a lock (access_pause in access.sql) so that it can
-- complete. A change waits for that lock, but at most a second, so that requests cannot block changes for longer.
create or replace function spark.wait_for_pause(key bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '1s' as $$
begin
    perform pg_advisory_xact_lock_shared(key);
exception when lock_not_available then
    null;
end
$$;

create or replace function spark.pause_key(site uuid) returns bigint
language sql immutable parallel safe
return hashtextextended(coalesce(site::text, 'all'), 1);

-- Called only if the epoch has changed, so the hot path runs no plpgsql.
create or replace function spark.stale_epoch(epoch bigint) returns integer
language plpgsql as $$
begin
    raise exception 'the epoch is now %', epoch using errcode = 'SPE01';
end
$$;

create or replace function spark.stale_site() returns integer
language plpgsql as $$
begin
    raise exception 'the rights of the site have changed' using errcode = 'SPE02';
end
$$;

-- Security definer, because the tenant lane may change its users but must not write the epoch itself. Once per
-- transaction is enough: the mark is transaction-local, and rolled back with a savepoint.
create or replace function spark.raise_epoch() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    raised bigint;
begin
    if current_setting('spark.epoch_raised', true) = pg_current_xact_id()::text then
        return;
    end if;
    if not pg_try_advisory_xact_lock_shared(spark.pause_key(null)) then
        perform spark.wait_for_pause(spark.pause_key(null));
    end if;
    update spark.epoch set epoch = spark.new_stamp(epoch) returning epoch into raised;
    perform set_config('spark.epoch_raised', pg_current_xact_id()::text, true);
    perform pg_notify('spark_epoch', raised::text);
end
$$;

-- Without a site, changes the stamp of all. Not needed if the epoch changes anyway. The mark only records the last
-- site; changing a stamp again is harmless.
create or replace function spark.raise_site_epoch(site uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    mark constant text := concat(pg_current_xact_id(), ' ', site);
begin
    if site is null then
        perform spark.raise_epoch();
        return;
    end if;
    if current_setting('spark.epoch_raised', true) = pg_current_xact_id()::text
       or current_setting('spark.site_epoch_raised', true) = mark then
        return;
    end if;
    if not pg_try_advisory_xact_lock_shared(spark.pause_key(site)) then
        perform spark.wait_for_pause(spark.pause_key(site));
    end if;
    insert into spark.site_epochs as s (site_id, epoch) values (site, spark.new_stamp(1))
    on conflict (site_id) do update set epoch = spark.new_stamp(s.epoch);
    perform set_config('spark.site_epoch_raised', mark, true);
end
$$;

-- Statement level, so a bulk change raises the epoch once. `columns` limits updates to those that change a right;
-- null means all.
create or replace function spark.raise_epoch_on(target regclass, columns text[] default null) returns void
language plpgsql as $$
declare
    column_list text := (select string_agg(quote_ident(c), ', ') from unnest(columns) c);
begin
    execute format('create or replace trigger spark_epoch after insert or delete or truncate on %s '
                   'for each statement execute function spark.raise_epoch_after()', target);
    execute format('create or replace trigger spark_epoch_update after update %s on %s '
                   'for each statement execute function spark.raise_epoch_after()',
                   coalesce('of ' || column_list, ''), target);
end
$$;

create or replace function spark.raise_epoch_after() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform spark.raise_epoch();
    return null;
end
$$;

-- For rows with site_id. An update affects both sites: the old one and the new one.
create or replace function spark.raise_site_epoch_after() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform spark.raise_site_epoch(old.site_id);
    if tg_op = 'UPDATE' and new.site_id is distinct from old.site_id then
        perform spark.raise_site_epoch(new.site_id);
    end if;
    return null;
end
$$;

-- For hostnames. Unknown hostnames are cached under the nil site, so its stamp changes too.
create or replace function spark.raise_host_epoch_after() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op <> 'INSERT' then
        perform spark.raise_site_epoch(old.site_id);
    end if;
    if tg_op <> 'DELETE' then
        perform spark.raise_site_epoch('00000000-0000-0000-0000-000000000000');
    end if;
    return null;
end
$$;

-- A policy of a user affects the user's site; one of a role or of the public affects all sites. A deleted user has
-- changed its site's stamp itself. Runs in PLATFORM scope, because row-level security could hide the user.
create or replace function spark.raise_access_epoch_after() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    scope constant text := coalesce(current_setting('spark.scope', true), '');
    place record;
    site uuid;
begin
    perform set_config('spark.scope', 'platform', true);
    for place in
        select distinct r.role, r."user" from (select old.role, old."user" where tg_op <> 'INSERT'
                                               union all
                                               select new.role, new."user" where tg_op <> 'DELETE') r
    loop
        if place."user" is null or place.role is not null then
            perform spark.raise_epoch();
            continue;
        end if;
        select site_id into site from public.directus_users where id = place."user";
        if found then
            perform spark.raise_site_epoch(site);
        end if;
    end loop;
    perform set_config('spark.scope', scope, true);
    return null;
end
$$;
