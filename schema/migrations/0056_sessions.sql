-- Sessions and logins are found by index: by the session that took the place of another, and by the e-mail address in
-- any case.

create index if not exists directus_sessions_next_token on public.directus_sessions (next_token)
    where next_token is not null;
create index if not exists directus_users_email_lower on public.directus_users (lower(email));
