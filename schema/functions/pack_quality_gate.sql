-- The quality gate (docs/decisions/0015-the-quality-gate.md).

-- The single definition of the conditions for publishing: returns one row per unmet condition.
create or replace function spark.quality_gate(article generated_articles)
returns table (condition text, reason text, opens_at timestamptz)
language sql stable as $$
    select g.condition, g.reason, null::timestamptz
      from sites s
     cross join lateral (
        select 1 as place, 'not_approved' as condition, 'it is not approved' as reason
         where article.approval is null
        union all
        -- Words are counted only if there is a word target.
        select 2, 'under_word_target', format('it has %s of %s words and nobody waived that', w.words, t.target)
          from (select spark.word_target(article) as target
                 where article.approval -> 'waive_word_target' is distinct from 'true' offset 0) t
         cross join lateral (select case when t.target > 0 then spark.article_words(article) end as words offset 0) w
         where w.words < t.target
        union all
        select 3, 'duplicate', 'it is too much like another article'
         where spark.duplicate_blocks(article.site_id, article.id)) g
     where s.id = article.site_id and s.quality_gate
    union all
    select 'publish_ramp', spark.ramp_reason(r.allowed, r.opens_at), r.opens_at
      from spark.publish_ramp(article.site_id) r
     where r.published >= r.allowed
$$;

-- The unmet conditions as one sentence; no row if all are met. `conditions` is a JSON array.
create or replace function spark.gate_refusal(article generated_articles)
returns table (conditions text, sentence text, opens_at timestamptz)
language sql stable as $$
    select json_agg(g.condition)::text,
           format('The quality gate holds this article back: %s.', string_agg(g.reason, '; ')), max(g.opens_at)
      from spark.quality_gate(article) g
    having count(*) > 0
$$;

-- SPG01 has the conditions as its constraint name, and the time of the next attempt as its detail.
create or replace function spark.refuse_publication(conditions text, sentence text, opens_at timestamptz) returns void
language plpgsql as $$
begin
    raise exception using errcode = 'SPG01', message = sentence, table = 'generated_articles', constraint = conditions,
        detail = coalesce(to_char(opens_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '');
end
$$;

-- Ignores invalid numbers: they must not make publishing fail with an error.
create or replace function spark.word_target(article generated_articles) returns integer
language sql stable as $$
select coalesce(
    case when jsonb_typeof(article.provenance -> 'target_words') = 'number'
         then greatest(0, least((article.provenance -> 'target_words')::numeric, 1000000))::integer end,
    (select c.target_word_count from campaign_masters c
      where c.site_id = article.campaign_site_id and c.id = article.campaign_id));
$$;

-- Uses the stored count, but at most 110 % of the counted words: tags and entities may explain a tenth, but not a
-- text that was shortened later.
create or replace function spark.article_words(article generated_articles) returns integer
language sql immutable parallel safe
return least(article.word_count, (spark.count_words(coalesce(article.content, '')) * 1.1)::integer);

create or replace function spark.count_words(html text) returns integer
language sql immutable parallel safe
return regexp_count(regexp_replace(html, '<[^>]*>', ' ', 'g'), '\S*[[:alnum:]]\S*');

-- The current day in the site's time zone. `allowed` is null without a ramp.
create or replace function spark.publish_ramp(site uuid)
returns table (day date, allowed integer, published integer, opens_at timestamptz)
language sql stable as $$
    select t.day,
           case when s.publish_ramp_start is not null then
               least(1000000000, greatest(s.publish_ramp_start, ceil(round((s.publish_ramp_growth * coalesce(
                   (select max(d.published) from spark.publish_days d where d.site_id = s.id and d.day < t.day), 0))::numeric, 6))))::integer
           end,
           coalesce((select d.published from spark.publish_days d where d.site_id = s.id and d.day = t.day), 0),
           (t.day + 1)::timestamp at time zone s.time_zone
      from sites s cross join lateral (select (now() at time zone s.time_zone)::date as day) t
     where s.id = $1
$$;

create or replace function spark.ramp_reason(allowed integer, opens_at timestamptz) returns text
language sql stable
return format('its site publishes %s articles today and goes on from %s', allowed,
              to_char(opens_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'));

-- Counts a publication for today. Refuses it if concurrent publications have used up the ramp since the gate was
-- checked.
create or replace function spark.count_publication(site uuid) returns void
language plpgsql as $$
declare
    ramp constant record := (select r from spark.publish_ramp(site) r);
    counted integer;
begin
    if ramp.allowed is null then
        return;
    end if;
    insert into spark.publish_days as d (site_id, day, published) values (site, ramp.day, 1)
        on conflict (site_id, day) do update set published = d.published + 1 where d.published < ramp.allowed;
    get diagnostics counted = row_count;
    if counted = 0 then
        perform spark.refuse_publication(
            '["publish_ramp"]',
            format('The quality gate holds this article back: %s.', spark.ramp_reason(ramp.allowed, ramp.opens_at)),
            ramp.opens_at);
    end if;
end
$$;

-- Dates in the past mislead readers and search engines, so only sites that allow backdating may use them.
create or replace function spark.publication_date(site uuid, wanted timestamptz) returns timestamptz
language sql stable
return (select case when s.backdating_allowed and wanted <= now() then wanted else now() end
          from sites s where s.id = site);

-- Sites whose schedules have something to publish now. A paused or cancelled schedule holds its articles back.
create or replace function spark.sites_to_publish() returns setof uuid
language sql stable as $$
    select s.id from sites s
     where s.status = 'active'
       and exists (select from queue_items i
                     join production_queue q on q.site_id = i.site_id and q.id = i.queue_id
                    where i.site_id = s.id and i.status = 'done' and i.published_at is null and i.article_id is not null
                      and coalesce(i.publish_after, i.publish_date) <= now()
                      and q.status not in ('paused', 'cancelled'))
     limit 1000
$$;
