-- Users are found by their address, in any case of letters, for each login. An index on lower(email) cannot serve that: rows
-- of directus_users are protected, and lower() is not leakproof, so PostgreSQL would look at every user before it. Equality is
-- leakproof in every collation; the statements compare in lower case what this one finds.
set local client_min_messages = warning;

create collation if not exists spark.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create index if not exists directus_users_email_any_case on public.directus_users (email collate spark.any_case);
drop index if exists public.directus_users_email_lower;
