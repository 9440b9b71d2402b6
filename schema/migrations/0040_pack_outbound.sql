-- Calls to the outside: what a form may name as a target, and whether a site has a secret for one.
--
-- The constraints are for what is written from now on: a database that has other rows keeps them, and
-- a call to one of those ends as a dead job that says why.

set local client_min_messages = warning;
set local role spark_owner;

alter table forms
    add constraint forms_webhook_url_check
        check (webhook_url ~* '^(https?://[^/?#@[:space:][:cntrl:]]+([/?#][^[:space:][:cntrl:]]*)?)?$') not valid,
    add constraint forms_email_recipients_check
        check (length(email_recipients) <= 2600 and email_recipients ~
               '^[[:space:],;]*([^[:space:][:cntrl:],;<>@"()\\]+@[^[:space:][:cntrl:],;<>@"()\\]+([[:space:],;]+|$))*$') not valid;

-- The tenant's lane may ask whether there is one, so that no job is made that has nobody to call; what it
-- says is for the machinery alone (spark.site_secrets).
create function spark.has_site_secret(secret text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from spark.site_secrets s where s.site_id = spark.current_site() and s.name = secret);
end
$$;
revoke execute on function spark.has_site_secret(text) from public;
grant execute on function spark.has_site_secret(text) to spark_tenant, spark_platform;
