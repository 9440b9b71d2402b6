-- The epoch as a stamp: a random number that says which state of schema and rights this is, and that
-- never comes back for another state. A counter did: after a failover that lost transactions it was
-- behind, and counted up to numbers that processes still knew with another meaning.
--
-- What belongs to one site (its users, tokens and hosts) has a stamp of its own, so that a site that
-- changes them leaves what is remembered of all others alone. Row level, because a statement may touch
-- rows of several sites; inserts of users and tokens move none, for nothing that is remembered knows of
-- them (an unknown token is never remembered).

-- Guarded: may run again after 05, which makes the triggers that go here.

set local client_min_messages = warning;
set local role spark_owner;

-- A site without a row has the stamp 1. The nil site stands for hosts that no site has. Rows outlive
-- their sites: a stamp that began again could come back.
create table if not exists spark.site_epochs (
    site_id uuid primary key,
    epoch bigint not null check (epoch > 1)
) with (fillfactor = 50);
grant select on spark.site_epochs to spark_tenant, spark_platform;

-- 63 random bits of a UUID (without its version and variant), never 0 or 1, never `current`.
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

-- A request that met one change after another asks for a pause (access_pause in access.sql), so that it
-- gets through. Whoever changes something waits for its end, but a second at most: nobody can hold up changes
-- for longer.
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

-- Definer, because the tenant lane may change its users but must not write the epoch itself.
-- Once per transaction is enough: the mark is transaction-local and goes with a rolled back savepoint.
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

-- Without a site: the stamp of all. Not needed where that one moves anyway. The mark names the last
-- site only; one that comes again is raised again, which is harmless.
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

create or replace function spark.stale_site() returns integer
language plpgsql as $$
begin
    raise exception 'the rights of the site have changed' using errcode = 'SPE02';
end
$$;

-- Rows with site_id. Of an update both sites: the one that has it no longer, and the one that has it now.
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

-- Hosts. One that was nobody's may be remembered as such, under the nil site.
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

-- Policies attached to a user belong to its site; to a role or to the public, to all. A user that is
-- gone has moved its site's stamp itself. In the platform's scope, or row security hides the user.
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

revoke execute on function spark.raise_site_epoch(uuid), spark.wait_for_pause(bigint) from public;

drop trigger if exists spark_epoch on spark.site_tokens;
drop trigger if exists spark_epoch_update on spark.site_tokens;
create or replace trigger spark_epoch after truncate on spark.site_tokens
    for each statement execute function spark.raise_epoch_after();
create or replace trigger spark_site_epoch after delete on spark.site_tokens
    for each row execute function spark.raise_site_epoch_after();
create or replace trigger spark_site_epoch_update after update of site_id, token_hash, scopes, expires_at on spark.site_tokens
    for each row when (row (old.site_id, old.token_hash, old.scopes, old.expires_at)
                       is distinct from row (new.site_id, new.token_hash, new.scopes, new.expires_at))
    execute function spark.raise_site_epoch_after();

drop trigger if exists spark_epoch on spark.site_domains;
drop trigger if exists spark_epoch_update on spark.site_domains;
create or replace trigger spark_epoch after truncate on spark.site_domains
    for each statement execute function spark.raise_epoch_after();
create or replace trigger spark_site_epoch after insert or delete on spark.site_domains
    for each row execute function spark.raise_host_epoch_after();
create or replace trigger spark_site_epoch_update after update on spark.site_domains
    for each row when (row (old.site_id, old.domain) is distinct from row (new.site_id, new.domain))
    execute function spark.raise_host_epoch_after();

-- The system collections belong to the migrating user in an opened database (see 04).
reset role;

drop trigger if exists spark_epoch on public.directus_users;
drop trigger if exists spark_epoch_update on public.directus_users;
create or replace trigger spark_epoch after truncate on public.directus_users
    for each statement execute function spark.raise_epoch_after();
create or replace trigger spark_site_epoch after delete on public.directus_users
    for each row execute function spark.raise_site_epoch_after();
create or replace trigger spark_site_epoch_update after update of token, role, status, password, site_id on public.directus_users
    for each row when (row (old.token, old.role, old.status, old.password, old.site_id)
                       is distinct from row (new.token, new.role, new.status, new.password, new.site_id))
    execute function spark.raise_site_epoch_after();

drop trigger if exists spark_epoch on public.directus_access;
drop trigger if exists spark_epoch_update on public.directus_access;
create or replace trigger spark_epoch after truncate on public.directus_access
    for each statement execute function spark.raise_epoch_after();
create or replace trigger spark_site_epoch after insert or update or delete on public.directus_access
    for each row execute function spark.raise_access_epoch_after();

-- The counter's last number is the first thing to go.
set local role spark_owner;
select spark.raise_epoch();
