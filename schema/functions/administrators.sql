-- What has to stay true of users, roles and policies, whatever path a change takes. Only changes of our own platform
-- lane are checked: whoever works on an existing Directus database with other means has rules of its own.

-- Each transaction of that lane sets spark.scope, to nothing in NONE scope; nobody else does.
create or replace function spark.is_platform_lane() returns boolean
language sql stable
return current_setting('spark.scope', true) is not null;

-- Whether an active user of no site is an administrator: by a policy of its own, of its role or of a role above.
-- Volatile, so that each call has a snapshot of its own and sees what was committed while it waited for a lock.
create or replace function spark.has_administrator() returns boolean
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    return exists (
        select from public.directus_policies p
          join public.directus_access a on a.policy = p.id
          join public.directus_users u on u.id = a."user"
         where p.admin_access and u.status = 'active' and u.site_id is null
    ) or exists (
        with recursive granting (role) as (
            select a.role from public.directus_policies p join public.directus_access a on a.policy = p.id
             where p.admin_access and a.role is not null
            union
            select r.id from granting g join public.directus_roles r on r.parent = g.role
        )
        select from granting g join public.directus_users u on u.role = g.role
         where u.status = 'active' and u.site_id is null
    );
end
$$;

-- Before a row that can take an administrator away changes: notes in the transaction whether there is one. A database
-- without an administrator may be changed in every way (ADMIN_TOKEN needs no user).
create or replace function spark.note_administrator() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    xact constant text := pg_current_xact_id()::text;
    noted constant text := coalesce(current_setting('spark.had_administrator', true), '');
begin
    if spark.is_platform_lane() and noted <> xact || ' yes' and noted <> xact || ' no' then
        perform set_config('spark.had_administrator',
                           xact || case when spark.has_administrator() then ' yes' else ' no' end, true);
    end if;
    if tg_op = 'DELETE' then
        return old;
    end if;
    return new;
end
$$;

-- After the statement: one must be left. Every such change locks the epoch, so two transactions that each take away one
-- of the last two pass one after the other; the second then sees what the first has committed. A lock of its own would
-- be taken before the epoch by some statements and after it by others.
create or replace function spark.keep_administrator() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not spark.is_platform_lane()
       or current_setting('spark.had_administrator', true) is distinct from pg_current_xact_id()::text || ' yes' then
        return null;
    end if;
    perform spark.raise_epoch();
    if not spark.has_administrator() then
        raise exception 'Cannot remove the last admin user from the system' using errcode = 'SPA01';
    end if;
    return null;
end
$$;

-- The users of a deleted role are suspended, the roles below it lose their parent. Access rows and presets go by
-- foreign keys. With the caller's own rights, so it calls no function of this schema.
create or replace function spark.release_role() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if current_setting('spark.scope', true) is not null then
        update public.directus_users set status = 'suspended', role = null where role = old.id;
        update public.directus_roles set parent = null where parent = old.id;
    end if;
    return null;
end
$$;

-- A role is not above itself. The lock of the epoch lets one change of the tree pass at a time, so that two changes
-- cannot close a circle together.
create or replace function spark.check_role_parent() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not spark.is_platform_lane() then
        return null;
    end if;
    if new.parent = new.id then
        raise exception 'A role cannot be a parent of itself' using errcode = 'SPA02';
    end if;
    perform spark.raise_epoch();
    if exists (
        with recursive above (id, parent) as (
            select id, parent from public.directus_roles where id = new.parent
            union
            select r.id, r.parent from above a join public.directus_roles r on r.id = a.parent
        )
        select from above where parent = new.id
    ) then
        raise exception 'A role cannot have a parent that is already a descendant of itself' using errcode = 'SPA02';
    end if;
    return null;
end
$$;
