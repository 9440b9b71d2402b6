-- What a rule of a system collection looks up, or a foreign key follows when a row goes, is found by index: these tables
-- grow with every change and every login.
create index if not exists directus_translations_key_language on public.directus_translations (key, language);
create index if not exists directus_revisions_version on public.directus_revisions (version) where version is not null;
create index if not exists directus_sessions_share on public.directus_sessions (share) where share is not null;
