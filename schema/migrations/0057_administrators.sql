-- functions: administrators
--
-- The last administrator stays, roles make no circle, and a deleted role lets go of its users and of the roles below
-- it. By triggers, so that every path is covered: single rows, nested rows, cascades.

set local client_min_messages = warning;

grant select on public.directus_roles, public.directus_policies, public.directus_access, public.directus_users to spark_owner;

create or replace trigger spark_administrator_before before delete on public.directus_users
    for each row when (old.status = 'active' and old.site_id is null) execute function spark.note_administrator();
create or replace trigger spark_administrator after delete on public.directus_users
    for each row when (old.status = 'active' and old.site_id is null) execute function spark.keep_administrator();

create or replace trigger spark_administrator_before_update before update of status, role, site_id on public.directus_users
    for each row when (old.status = 'active' and old.site_id is null
              and row (old.status, old.role, old.site_id) is distinct from row (new.status, new.role, new.site_id)) execute function spark.note_administrator();
create or replace trigger spark_administrator_update after update of status, role, site_id on public.directus_users
    for each row when (old.status = 'active' and old.site_id is null
              and row (old.status, old.role, old.site_id) is distinct from row (new.status, new.role, new.site_id)) execute function spark.keep_administrator();

create or replace trigger spark_administrator_before before delete on public.directus_roles
    for each row execute function spark.note_administrator();
create or replace trigger spark_administrator after delete on public.directus_roles
    for each row execute function spark.keep_administrator();

create or replace trigger spark_administrator_before_update before update of parent on public.directus_roles
    for each row when (old.parent is not null and old.parent is distinct from new.parent) execute function spark.note_administrator();
create or replace trigger spark_administrator_update after update of parent on public.directus_roles
    for each row when (old.parent is not null and old.parent is distinct from new.parent) execute function spark.keep_administrator();

create or replace trigger spark_administrator_before before delete on public.directus_policies
    for each row when (old.admin_access) execute function spark.note_administrator();
create or replace trigger spark_administrator after delete on public.directus_policies
    for each row when (old.admin_access) execute function spark.keep_administrator();

create or replace trigger spark_administrator_before_update before update of admin_access on public.directus_policies
    for each row when (old.admin_access and not new.admin_access) execute function spark.note_administrator();
create or replace trigger spark_administrator_update after update of admin_access on public.directus_policies
    for each row when (old.admin_access and not new.admin_access) execute function spark.keep_administrator();

create or replace trigger spark_administrator_before before delete on public.directus_access
    for each row execute function spark.note_administrator();
create or replace trigger spark_administrator after delete on public.directus_access
    for each row execute function spark.keep_administrator();

create or replace trigger spark_administrator_before_update before update of role, "user", policy on public.directus_access
    for each row when (row (old.role, old."user", old.policy) is distinct from row (new.role, new."user", new.policy)) execute function spark.note_administrator();
create or replace trigger spark_administrator_update after update of role, "user", policy on public.directus_access
    for each row when (row (old.role, old."user", old.policy) is distinct from row (new.role, new."user", new.policy)) execute function spark.keep_administrator();

create or replace trigger spark_role_parent after insert or update of parent on public.directus_roles
    for each row when (new.parent is not null) execute function spark.check_role_parent();

-- Triggers of one row run in the order of their names: this one before those of foreign keys ("RI_…"), which would
-- refuse to leave a role without its parent.
create or replace trigger "A_spark_release_role" after delete on public.directus_roles
    for each row execute function spark.release_role();
