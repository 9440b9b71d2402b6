-- Rules of the factory that hold whoever writes: how a batch of generation ends, where a campaign's
-- odometer stands, and that two articles of a site never share an address.

set local client_min_messages = warning;
set local role spark_owner;

create function spark.generation_progress(made integer, target integer) returns integer
language sql immutable parallel safe
return case when coalesce(target, 0) = 0 then 100 else least(100, round(100.0 * made / target))::integer end;

-- A batch is over when each of its jobs has ended, one way or the other.
create function spark.generation_status(status text, total integer, done integer, failed integer) returns text
language sql immutable parallel safe
return case when status = 'cancelled' then status
            when done + failed < total then 'processing'
            when failed > 0 then 'failed'
            else 'completed' end;

-- The end of a job that worked is counted in its own transaction. One that died, whether it gave up
-- or was given up, is counted here, and no longer when an operator sets it going again.
create function spark.count_dead_generation() returns trigger
language plpgsql as $$
declare
    change constant integer := case when new.state in ('dead', 'cancelled', 'expired') then 1 else -1 end;
begin
    update generation_jobs
       set jobs_failed = greatest(0, jobs_failed + change),
           error = case when change > 0 then left(coalesce(new.error, new.state), 2000) end,
           status = spark.generation_status(status, jobs_total, jobs_done, greatest(0, jobs_failed + change)),
           completed_at = case when jobs_done + jobs_failed + change >= jobs_total then now() end
     where site_id = new.site_id and id = (new.payload ->> 'job_id')::uuid;
    return null;
end
$$;
-- OF what only those statements set: a WHEN is parsed anew by every statement that could fire it, and the
-- end of a job that worked is the most frequent write of all.
create trigger jobs_dead_generation after update of failures, crashes, cancel_requested on spark.jobs for each row
    when (new.kind = 'generate-articles'
          and (new.state in ('dead', 'cancelled', 'expired')) <> (old.state in ('dead', 'cancelled', 'expired')))
    execute function spark.count_dead_generation();

-- Another template, another numbering. What is there already is met again and left as it is.
create function spark.restart_headlines() returns trigger
language plpgsql as $$
begin
    new.headline_cursor := 0;
    return new;
end
$$;
create trigger campaign_masters_restart before update of headline_spintax_root, location_mode, location_target, niche_variables
    on campaign_masters for each row
    when (old.headline_spintax_root is distinct from new.headline_spintax_root
          or old.location_mode <> new.location_mode
          or old.location_target is distinct from new.location_target
          or old.niche_variables is distinct from new.niche_variables)
    execute function spark.restart_headlines();

drop index generated_articles_slug;
create unique index generated_articles_slug on generated_articles (site_id, slug);
