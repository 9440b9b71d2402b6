-- What the quality gate believes of an article is what approving wrote: nobody brings an approval of their
-- own along with the move that asks for it. Becoming approved writes one in any case.

set local client_min_messages = warning;
set local role spark_owner;

create or replace trigger generated_articles_guard before update of approval, is_published on generated_articles for each row
    when ((new.status <> 'approved' and new.approval is distinct from old.approval)
          or (new.status = old.status
              and (new.is_published <> old.is_published or new.approval is distinct from old.approval)))
    execute function spark.guard_article();

-- With a move, is_published follows the status, whatever was said of it.
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

-- A number that no target has, whoever wrote it, is none: it must not end publishing in an error.
create or replace function spark.word_target(article generated_articles) returns integer
language sql stable as $$
select coalesce(
    case when jsonb_typeof(article.provenance -> 'target_words') = 'number'
         then greatest(0, least((article.provenance -> 'target_words')::numeric, 1000000))::integer end,
    (select c.target_word_count from campaign_masters c
      where c.site_id = article.campaign_site_id and c.id = article.campaign_id));
$$;
