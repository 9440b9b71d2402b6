-- Accounts are the platform's: in a site's scope they are neither made nor ended, and only what a
-- profile shows may be changed. What is left out here is what a login or a right hangs on, and what
-- people added: any of it may be unique over all sites, and a refused value would tell that it exists.
-- core/content/system.def has the same list.

set local client_min_messages = warning;

do $accounts$
declare
    profile constant text[] := '{first_name,last_name,location,title,description,tags,avatar,language,appearance,'
                               'theme_dark,theme_light,theme_light_overrides,theme_dark_overrides,text_direction,'
                               'email_notifications}';
    present constant text := (select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
                               where attrelid = 'public.directus_users'::regclass and attnum > 0
                                 and not attisdropped and attname = any (profile));
begin
    revoke insert, update, delete on public.directus_users from spark_tenant;
    if present is not null then
        execute format('grant update (%s) on public.directus_users to spark_tenant', present);
    end if;
end
$accounts$;
