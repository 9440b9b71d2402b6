-- The three roles, the schema of the machinery, and the rights that everything below leans on.
--
--   spark_owner     owns the tables; migrations and DDL
--   spark_tenant    requests and job effects of one site: row security narrows it to that site
--   spark_platform  requests without a site, sweepers, schedulers: row policies of its own
--
-- Lanes enter a role by login or by `role` at connect, so the migrating user becomes a member of all
-- three. Roles belong to the whole server: another database on it may have made them already.

set local client_min_messages = warning;

do $roles$
declare
    names constant text[] := array['spark_owner', 'spark_tenant', 'spark_platform'];
    missing text[] := array(select name from unnest(names) name
                             where not exists (select from pg_roles where rolname = name));
    is_super boolean;
    may_create boolean;
    name text;
begin
    select rolsuper, rolsuper or rolcreaterole into is_super, may_create
      from pg_roles where rolname = current_user;

    if missing <> '{}' and not may_create then
        raise exception 'the database user "%" may not create the roles %', current_user, array_to_string(missing, ', ')
            using errcode = 'insufficient_privilege',
                  hint = format('As a superuser run: %s grant %s to %I;',
                                (select string_agg(format('create role %I nologin;', m), ' ') from unnest(missing) m),
                                array_to_string(names, ', '), current_user);
    end if;

    foreach name in array missing loop
        begin
            execute format('create role %I nologin nosuperuser nobypassrls', name);
        exception when duplicate_object or unique_violation then
            null; -- another database of this server was migrated at the same moment
        end;
    end loop;

    if is_super then
        return; -- may enter any role as it is
    end if;
    -- Since PostgreSQL 16 the creator of a role is not yet allowed to enter it: always grant.
    foreach name in array names loop
        begin
            execute format('grant %I to %I', name, current_user);
        exception when insufficient_privilege then
            if not pg_has_role(current_user, name, 'member') then
                raise exception 'the database user "%" is not a member of the role %', current_user, name
                    using errcode = 'insufficient_privilege',
                          hint = format('As a superuser run: grant %s to %I;',
                                        array_to_string(names, ', '), current_user);
            end if;
        end;
    end loop;
end
$roles$;

do $rights$
begin
    if current_setting('server_encoding') <> 'UTF8' then
        raise exception 'the database % is encoded in %, but UTF8 is needed',
            current_database(), current_setting('server_encoding')
            using errcode = 'feature_not_supported';
    end if;
    if current_setting('server_version_num')::int < 150000 then
        raise exception 'PostgreSQL 15 or newer is needed, this is %', current_setting('server_version')
            using errcode = 'feature_not_supported';
    end if;
    if not has_database_privilege(current_database(), 'create') then
        raise exception 'the database user "%" may not create a schema in %', current_user, current_database()
            using errcode = 'insufficient_privilege',
                  hint = format('As a superuser run: grant create on database %I to %I;',
                                current_database(), current_user);
    end if;
end
$rights$;

create schema if not exists spark;
alter schema spark owner to spark_owner;
comment on schema spark is 'machinery: jobs, workers, tokens, epoch, migrations';
grant usage on schema spark to spark_tenant, spark_platform;
grant usage, create on schema public to spark_owner;
grant usage on schema public to spark_tenant, spark_platform;

do $public$
begin
    -- GRANT by someone without the right only warns, and the warning would be lost.
    if not has_schema_privilege('spark_owner', 'public', 'create') then
        raise exception 'the database user "%" may not grant rights on the schema public', current_user
            using errcode = 'insufficient_privilege',
                  hint = format('As a superuser run: alter database %I owner to %I;', current_database(), current_user);
    end if;
end
$public$;

-- A collection made through the API is at once open to the platform lane; the tenant lane gets its
-- rights from spark.protect_table, together with the row policies, never before.
alter default privileges for role spark_owner in schema public
    grant select, insert, update, delete on tables to spark_platform;
alter default privileges for role spark_owner in schema public
    grant usage, select on sequences to spark_platform;
