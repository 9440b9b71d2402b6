-- Articles and the posts they become.

-- The gate is checked first, because its message is more specific; the state machine applies even if the gate is
-- disabled.
create or replace function spark.move_article() returns trigger
language plpgsql as $$
declare
    was constant text := case when tg_op = 'UPDATE' then old.status end;
    refusal record;
begin
    if new.status = 'published' then
        select * into refusal from spark.gate_refusal(new);
        if found then
            perform spark.refuse_publication(refusal.conditions, refusal.sentence, refusal.opens_at);
        end if;
    end if;
    perform spark.require_move('generated_articles', 'An article', was, new.status);
    if new.status = 'published' then
        perform spark.count_publication(new.site_id);
        -- Imported articles keep their known dates.
        if tg_op = 'UPDATE' or new.published_at is not null or new.date_published is null then
            new.published_at := case when tg_op = 'INSERT' then spark.publication_date(new.site_id, new.published_at) else now() end;
        end if;
        new.date_published := spark.publication_date(new.site_id, new.date_published);
        new.publish_status := 'published';
    elsif new.status = 'approved' and current_setting('spark.reviewing', true) is distinct from pg_current_xact_id()::text then
        -- Approved through /items: directus_activity records the user.
        new.approval := jsonb_build_object('approved_at', now());
    elsif new.status in ('draft', 'queued', 'processing', 'qc') then
        new.approval := null;
        new.publish_status := null;
    end if;
    new.is_published := new.status = 'published';
    return new;
end
$$;

-- is_published follows the status; a client cannot set it to something else.
create or replace function spark.guard_article() returns trigger
language plpgsql as $$
begin
    if new.approval is not null and (tg_op = 'INSERT' or new.approval is distinct from old.approval)
       and current_setting('spark.reviewing', true) is distinct from pg_current_xact_id()::text then
        raise exception using errcode = 'SPM01', table = 'generated_articles', column = 'approval',
            message = 'The approval of an article is written by approving it.';
    end if;
    if new.is_published and new.status <> 'published' and (tg_op = 'INSERT' or new.status = old.status) then
        raise exception using errcode = 'SPM01', table = 'generated_articles', column = 'is_published',
            message = format('An article that is %s is not published: is_published follows its status.', new.status);
    end if;
    return new;
end
$$;

-- Approves articles, records the approval and writes work log entries: qc becomes approved; the word target of an
-- approved article can be waived later. Returns a row for each id, in order; `status` is the previous one.
create or replace function spark.approve_articles(
    site uuid, ids uuid[], waive boolean, reason text, user_id uuid, actor text, ip text)
returns table (id uuid, status text, is_approved boolean)
language plpgsql as $$
#variable_conflict use_column
declare
    statuses jsonb;
    done uuid[];
begin
    select coalesce(jsonb_object_agg(f.id, f.status), '{}') into statuses
      from (select a.id, a.status from generated_articles a
             where a.site_id = approve_articles.site and a.id = any (ids) order by a.id for update) f;
    perform set_config('spark.reviewing', pg_current_xact_id()::text, true);
    with approved as (
        update generated_articles a
           set status = 'approved',
               approval = jsonb_strip_nulls(jsonb_build_object(
                   'approved_at', now(), 'user_id', approve_articles.user_id, 'actor', approve_articles.actor,
                   'waive_word_target', waive, 'reason', approve_articles.reason))
         where a.site_id = approve_articles.site and a.id = any (ids)
           and (a.status = 'qc' or (waive and a.status = 'approved' and a.approval -> 'waive_word_target' is distinct from 'true'))
        returning a.id
    )
    select coalesce(array_agg(a.id), '{}') into done from approved a;
    perform set_config('spark.reviewing', '', true);
    perform spark.audit(approve_articles.site, 'approved', 'generated_articles', a::text,
                        jsonb_strip_nulls(jsonb_build_object('from', statuses ->> a::text, 'to', 'approved',
                                                             'waive_word_target', nullif(waive, false),
                                                             'reason', approve_articles.reason)),
                        'success', 'done', approve_articles.user_id, approve_articles.actor, approve_articles.ip)
       from unnest(done) a;
    return query
        select wanted.id, statuses ->> wanted.id::text, wanted.id = any (done)
          from unnest(ids) with ordinality as wanted (id, n) order by wanted.n;
end
$$;

-- An article's post is hidden from search engines until it is published. An editor's value of robots is kept; only
-- 'noindex' is set and removed by this.
create or replace function spark.shape_article_post() returns trigger
language plpgsql as $$
begin
    if new.status = 'draft' and new.robots = 'index,follow' then
        new.robots := 'noindex';
    elsif new.status = 'published' then
        if new.robots = 'noindex' then
            new.robots := 'index,follow';
        end if;
        if tg_op = 'INSERT' or new.published_at is null or new.published_at is distinct from old.published_at then
            new.published_at := spark.publication_date(new.site_id, coalesce(new.published_at,
                (select a.date_published from generated_articles a where a.site_id = new.site_id and a.id = new.source_article_id)));
        end if;
    end if;
    return new;
end
$$;

-- Publishing the post publishes the article, with all conditions of the gate.
create or replace function spark.publish_source_article() returns trigger
language plpgsql as $$
begin
    update generated_articles a
       set status = 'published', published_to_post = new.id, published_url = '/' || new.slug
     where a.site_id = new.site_id and a.id = new.source_article_id and new.status = 'published'
       and (a.status <> 'published' or a.published_to_post is null);
    return null;
end
$$;

-- Otherwise a post could be detached from its article, and so bypass the gate. Only deleting the article may
-- detach it.
create or replace function spark.keep_source_article() returns trigger
language plpgsql as $$
begin
    if exists (select from generated_articles a where a.site_id = old.site_id and a.id = old.source_article_id) then
        raise exception using errcode = 'SPM01', table = 'posts', column = 'source_article_id',
            message = 'A post stays with the article that it was made of.';
    end if;
    return new;
end
$$;

-- Publishing an article also publishes its draft post and its slot; approving one makes its slot due again.
create or replace function spark.follow_article() returns trigger
language plpgsql as $$
begin
    if new.status = 'published' then
        update posts set status = 'published'
         where site_id = new.site_id and id = new.published_to_post and status = 'draft';
        update queue_items set published_at = new.published_at, refused = null
         where site_id = new.site_id and article_id = new.id and published_at is null;
    else
        update queue_items set publish_after = null
         where site_id = new.site_id and article_id = new.id and published_at is null and publish_after is not null;
    end if;
    return null;
end
$$;
