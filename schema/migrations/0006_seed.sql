-- The rows every installation has: the Administrator role with its policy, the public policy, the
-- settings. In an opened Directus database they exist, and nothing is written. The admin user comes
-- from the server, which alone hashes passwords.

set local client_min_messages = warning;
set local spark.scope = 'platform';

do $seed$
declare
    administrator uuid := gen_random_uuid();
    everything uuid := gen_random_uuid();
    public_policy constant uuid := 'abf8a154-5b1c-4a46-ac9c-7300570f4f17';
begin
    if not exists (select from public.directus_roles) and not exists (select from public.directus_policies where admin_access) then
        insert into public.directus_roles (id, name, icon, description)
        values (administrator, 'Administrator', 'verified', '$t:admin_description');
        insert into public.directus_policies (id, name, icon, description, app_access, admin_access)
        values (everything, 'Administrator', 'verified', '$t:admin_description', true, true);
        insert into public.directus_access (id, role, policy) values (gen_random_uuid(), administrator, everything);
    end if;

    if not exists (select from public.directus_policies where id = public_policy) then
        insert into public.directus_policies (id, name, icon, description)
        values (public_policy, '$t:public_label', 'public', '$t:public_description');
        insert into public.directus_access (id, policy, sort) values (gen_random_uuid(), public_policy, 1);
    end if;

    if not exists (select from public.directus_settings) then
        insert into public.directus_settings (project_name, project_id) values ('Spark', gen_random_uuid());
    end if;

    -- The migrations whose result 04 is: Directus, should someone go back to it, has nothing to catch up.
    if not exists (select from public.directus_migrations) then
        insert into public.directus_migrations (version, name)
        select version, 'contained in the schema of 11.17.4' from unnest(string_to_array(
            '20201028A 20201029A 20201029B 20201029C 20201105A 20201105B 20210225A 20210304A 20210312A ' ||
            '20210331A 20210415A 20210416A 20210422A 20210506A 20210510A 20210518A 20210519A 20210521A ' ||
            '20210525A 20210608A 20210626A 20210716A 20210721A 20210802A 20210803A 20210805A 20210805B ' ||
            '20210811A 20210831A 20210903A 20210907A 20210910A 20210920A 20210924A 20210927A 20210927B ' ||
            '20210929A 20211007A 20211009A 20211016A 20211103A 20211103B 20211104A 20211118A 20211211A ' ||
            '20211230A 20220303A 20220308A 20220314A 20220322A 20220323A 20220325A 20220325B 20220402A ' ||
            '20220429A 20220429B 20220429C 20220429D 20220614A 20220801A 20220802A 20220826A 20230401A ' ||
            '20230525A 20230526A 20230721A 20230823A 20230927A 20231009A 20231009B 20231010A 20231215A ' ||
            '20240122A 20240204A 20240305A 20240311A 20240422A 20240515A 20240701A 20240716A 20240806A ' ||
            '20240817A 20240909A 20240909B 20240924A 20240924B 20250224A 20250609A 20250613A 20250718A ' ||
            '20250813A 20251012A 20251014A 20251028A 20251103A 20251224A 20260110A 20260113A 20260128A ' ||
            '20260204A 20260211A', ' ')) version;
    end if;
end
$seed$;
