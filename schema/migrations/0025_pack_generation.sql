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

-- Plans are made once a session, those of foreign keys too. Made while a table is young they know nothing
-- of it: every index that begins with site_id looks alike, and a check may then read all rows of a site,
-- until autovacuum comes by after a minute. Whoever writes many rows asks here instead: statistics are
-- taken whenever the table has doubled. Measured on a new database: 2.8 ms instead of 0.2 ms an article.
--
-- Definer, because only the owner may; columns that no plan looks at are left out, for they are long.
create function spark.refresh_statistics() returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    young record;
    has_run boolean := false;
begin
    for young in
        select t.name, t.columns from (values
            ('public.generated_articles'::regclass, 'site_id, id, status, campaign_id, job_id, headline_id, slug, generation_hash, date_created'),
            ('public.headline_inventory'::regclass, 'site_id, id, status, campaign_id, used_on_article, text_hash')
        ) as t (name, columns)
          join pg_class c on c.oid = t.name
         where pg_relation_size(t.name) / 8192 > 2 * greatest(c.relpages, 8)
    loop
        -- One does it, the others go on.
        if pg_try_advisory_xact_lock(hashtextextended('spark.refresh_statistics', young.name::oid::bigint)) then
            execute format('analyze %s (%s)', young.name, young.columns);
            has_run := true;
        end if;
    end loop;
    return has_run;
end
$$;
revoke all on function spark.refresh_statistics() from public;
grant execute on function spark.refresh_statistics() to spark_tenant, spark_platform;
