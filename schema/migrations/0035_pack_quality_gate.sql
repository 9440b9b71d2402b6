-- State machines, and the quality gate: what may become what, and what an article must be before the world
-- reads it. Both hold whoever writes: the factory, a client of /items, a worker.

set local client_min_messages = warning;
set local role spark_owner;
set local spark.scope = 'platform';

-- What is there already ---------------------------------------------------------------------------
-- First, as this is what takes time where many articles wait; the sites, which every request reads, are
-- locked further down and for a moment. Nobody edited these rows, so their dates stay.

alter table posts disable trigger posts_touch;
update posts set robots = 'noindex'
 where source_article_id is not null and status = 'draft' and robots = 'index,follow';
alter table posts enable trigger posts_touch;

-- When it was approved, by whom, and whether its word target was waived: {approved_at, user_id, actor,
-- waive_word_target, reason}. Written by approving, and by nothing else.
alter table generated_articles add column approval jsonb;
alter table generated_articles disable trigger generated_articles_touch;
update generated_articles set approval = jsonb_build_object('approved_at', coalesce(date_updated, date_created))
 where status = 'approved';
alter table generated_articles enable trigger generated_articles_touch;

-- State machines ----------------------------------------------------------------------------------

-- Every move there is; from null: what a row may begin as. That an article begins as published, or becomes
-- so, is the gate's to allow. A headline is given back when its article is gone.
create function spark.state_moves() returns table (collection text, from_status text, to_status text)
language sql immutable parallel safe as $$
    select m.collection, m.from_status, target
      from (values
        ('generated_articles', null,         '{draft,queued,processing,qc,published,archived}'::text[]),
        ('generated_articles', 'draft',      '{queued,qc,archived}'),
        ('generated_articles', 'queued',     '{processing,draft,archived}'),
        ('generated_articles', 'processing', '{qc,queued}'),
        ('generated_articles', 'qc',         '{approved,queued,draft,archived}'),
        ('generated_articles', 'approved',   '{published,qc,archived}'),
        ('generated_articles', 'published',  '{archived}'),
        ('generated_articles', 'archived',   '{draft}'),
        ('headline_inventory', null,         '{available,archived}'),
        ('headline_inventory', 'available',  '{reserved,used,archived}'),
        ('headline_inventory', 'reserved',   '{available,used,archived}'),
        ('headline_inventory', 'used',       '{available,archived}'),
        ('headline_inventory', 'archived',   '{available}'),
        ('generation_jobs',    null,         '{pending}'),
        ('generation_jobs',    'pending',    '{processing,completed,failed,cancelled}'),
        ('generation_jobs',    'processing', '{completed,failed,cancelled}'),
        ('generation_jobs',    'failed',     '{pending,processing}'),
        ('generation_jobs',    'completed',  '{pending}')
      ) as m (collection, from_status, targets), unnest(m.targets) target
$$;

-- SPM01 is a conflict (core/io/pg/db_error.c). A status that no machine has is left to the table's check.
create function spark.require_move(collection text, noun text, from_status text, to_status text) returns void
language plpgsql as $$
begin
    if exists (select from spark.state_moves() m
                where m.collection = require_move.collection and m.to_status = require_move.to_status
                  and m.from_status is not distinct from require_move.from_status)
       or not exists (select from spark.state_moves() m
                       where m.collection = require_move.collection and m.to_status = require_move.to_status) then
        return;
    end if;
    raise exception using errcode = 'SPM01', table = collection, column = 'status',
        message = case when from_status is null then format('%s cannot begin as %s.', noun, to_status)
                       else format('%s that is %s cannot become %s.', noun, from_status, to_status) end;
end
$$;

create function spark.check_state_move() returns trigger
language plpgsql as $$
begin
    perform spark.require_move(tg_table_name, tg_argv[0], case when tg_op = 'UPDATE' then old.status end, new.status);
    return new;
end
$$;

-- What is written by the thousand goes past these without a call. What a row begins as is looked at when row
-- security has said whose it is.
create trigger headline_inventory_birth after insert on headline_inventory for each row
    when (new.status <> 'available') execute function spark.check_state_move('A headline');
create trigger headline_inventory_move before update of status on headline_inventory for each row
    when (new.status <> old.status and not (old.status = 'available' and new.status = 'used'))
    execute function spark.check_state_move('A headline');

create trigger generation_jobs_birth after insert on generation_jobs for each row
    when (new.status <> 'pending') execute function spark.check_state_move('A batch');
create trigger generation_jobs_move before update of status on generation_jobs for each row
    when (new.status <> old.status) execute function spark.check_state_move('A batch');

create function spark.restart_generation() returns trigger
language plpgsql as $$
begin
    new.progress := 0;
    return new;
end
$$;
create trigger generation_jobs_restart before update of status on generation_jobs for each row
    when (new.status = 'pending' and old.status in ('failed', 'completed')) execute function spark.restart_generation();

-- Queues had their machine already; now they refuse alike.
create or replace function spark.check_production_move() returns trigger
language plpgsql as $$
begin
    if exists (select from spark.production_moves() m where m.from_status = old.status and m.to_status = new.status)
       or not exists (select from spark.production_moves() m where m.to_status = new.status) then
        return new;
    end if;
    raise exception using errcode = 'SPM01', table = 'production_queue', column = 'status',
        message = format('A queue that is %s cannot become %s.', old.status, new.status);
end
$$;

-- The ramp ----------------------------------------------------------------------------------------

-- Articles that went out, by the site's own day, for sites with a ramp. The row is the lock as well: two
-- publishers wait for each other here, until the first has committed.
create table spark.publish_days (
    site_id uuid not null default spark.current_site() references sites (id) on delete cascade,
    day date not null,
    published integer not null check (published > 0),
    primary key (site_id, day)
);
select spark.set_row_policies('spark.publish_days', 'site_id', false, false);
revoke delete on spark.publish_days from spark_tenant; -- what went out went out

insert into spark.publish_days (site_id, day, published)
select a.site_id, (a.published_at at time zone s.time_zone)::date, count(*)
  from generated_articles a join sites s on s.id = a.site_id
 where a.is_published and a.published_at is not null
 group by 1, 2;

-- The gate is on until a site turns it off. Its ramp: so many articles on the first day; on later ones that
-- factor times the most that ever went out on one day. Null: no ramp.
alter table sites
    add column quality_gate boolean not null default true,
    add column publish_ramp_start integer default 100 check (publish_ramp_start between 1 and 1000000),
    add column publish_ramp_growth double precision not null default 1.25
        check (publish_ramp_growth >= 1 and publish_ramp_growth <= 100);

-- Today, as the site counts. `allowed` is null without a ramp.
create function spark.publish_ramp(site uuid)
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

create function spark.ramp_reason(allowed integer, opens_at timestamptz) returns text
language sql stable
return format('its site publishes %s articles today and goes on from %s', allowed,
              to_char(opens_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'));

-- The gate ----------------------------------------------------------------------------------------

create function spark.count_words(html text) returns integer
language sql immutable parallel safe
return regexp_count(regexp_replace(html, '<[^>]*>', ' ', 'g'), '\S*[[:alnum:]]\S*');

-- The count that is stored is believed as far as the text bears it out: tags and entities may make a
-- tenth, a text that was cut down later may not.
create function spark.article_words(article generated_articles) returns integer
language sql immutable parallel safe
return least(article.word_count, (spark.count_words(coalesce(article.content, '')) * 1.1)::integer);

-- What was asked of it when it was made, else what its campaign asks now. Null: nobody asked.
create function spark.word_target(article generated_articles) returns integer
language sql stable
return coalesce(
    case when jsonb_typeof(article.provenance -> 'target_words') = 'number'
         then least((article.provenance -> 'target_words')::numeric, 1000000)::integer end,
    (select c.target_word_count from campaign_masters c
      where c.site_id = article.campaign_site_id and c.id = article.campaign_id));

-- The one place that decides: what keeps an article from being published, one row a condition.
create function spark.quality_gate(article generated_articles)
returns table (condition text, reason text, opens_at timestamptz)
language sql stable as $$
    select g.condition, g.reason, null::timestamptz
      from sites s
     cross join lateral (
        select 1 as place, 'not_approved' as condition, 'it is not approved' as reason
         where article.approval is null
        union all
        -- Words are counted only where somebody asks for a number of them.
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

-- The same as one sentence; no row when nothing is in the way. `conditions` is a JSON array.
create function spark.gate_refusal(article generated_articles)
returns table (conditions text, sentence text, opens_at timestamptz)
language sql stable as $$
    select json_agg(g.condition)::text,
           format('The quality gate holds this article back: %s.', string_agg(g.reason, '; ')), max(g.opens_at)
      from spark.quality_gate(article) g
    having count(*) > 0
$$;

-- SPG01 carries the conditions as its constraint and the moment from which on to try again as its detail.
create function spark.refuse_publication(conditions text, sentence text, opens_at timestamptz) returns void
language plpgsql as $$
begin
    raise exception using errcode = 'SPG01', message = sentence, table = 'generated_articles', constraint = conditions,
        detail = coalesce(to_char(opens_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '');
end
$$;

-- One more for today. Whoever asked before the other's commit finds out here.
create function spark.count_publication(site uuid) returns void
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

-- A date in the past misleads readers and search engines: only for sites that ask for it.
create function spark.publication_date(site uuid, wanted timestamptz) returns timestamptz
language sql stable
return (select case when s.backdating_allowed and wanted <= now() then wanted else now() end
          from sites s where s.id = site);

-- Articles ----------------------------------------------------------------------------------------

-- The gate speaks first, for its sentence says more; with the gate off the machine still holds.
create function spark.move_article() returns trigger
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
        -- What is brought along keeps what is known of its dates.
        if tg_op = 'UPDATE' or new.published_at is not null or new.date_published is null then
            new.published_at := case when tg_op = 'INSERT' then spark.publication_date(new.site_id, new.published_at) else now() end;
        end if;
        new.date_published := spark.publication_date(new.site_id, new.date_published);
        new.publish_status := 'published';
    elsif new.status = 'approved' and current_setting('spark.reviewing', true) is distinct from pg_current_xact_id()::text then
        -- By a client of /items: who that was, the activity knows.
        new.approval := jsonb_build_object('approved_at', now());
    elsif new.status in ('draft', 'queued', 'processing', 'qc') then
        new.approval := null;
        new.publish_status := null;
    end if;
    new.is_published := new.status = 'published';
    return new;
end
$$;
create trigger generated_articles_move before update of status on generated_articles for each row
    when (new.status <> old.status) execute function spark.move_article();

-- is_published and approval say what became of an article; they make nothing of it.
create function spark.guard_article() returns trigger
language plpgsql as $$
begin
    if new.approval is not null and (tg_op = 'INSERT' or new.approval is distinct from old.approval)
       and current_setting('spark.reviewing', true) is distinct from pg_current_xact_id()::text then
        raise exception using errcode = 'SPM01', table = 'generated_articles', column = 'approval',
            message = 'The approval of an article is written by approving it.';
    end if;
    if new.is_published and new.status <> 'published' then
        raise exception using errcode = 'SPM01', table = 'generated_articles', column = 'is_published',
            message = format('An article that is %s is not published: is_published follows its status.', new.status);
    end if;
    return new;
end
$$;
create trigger generated_articles_guard before update of approval, is_published on generated_articles for each row
    when (new.status = old.status and (new.is_published <> old.is_published or new.approval is distinct from old.approval))
    execute function spark.guard_article();
create trigger generated_articles_guard_birth before insert on generated_articles for each row
    when (new.is_published or new.approval is not null) execute function spark.guard_article();
create trigger generated_articles_move_birth before insert on generated_articles for each row
    when (new.status not in ('draft', 'queued', 'processing', 'qc')) execute function spark.move_article();

-- Approving, with its record and its lines: qc becomes approved; what is approved already may have its word
-- target waived later. A row for each id, in order; `status` is what it was.
create function spark.approve_articles(
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

-- Posts -------------------------------------------------------------------------------------------

-- What an article became stays out of search engines until it is published. An editor's own word for
-- robots is kept; 'noindex' alone is ours.
create function spark.shape_article_post() returns trigger
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
create trigger posts_of_articles_insert before insert on posts for each row
    when (new.source_article_id is not null) execute function spark.shape_article_post();
create trigger posts_of_articles_update before update of status, published_at on posts for each row
    when (new.source_article_id is not null
          and (new.status <> old.status or (new.status = 'published' and new.published_at < old.published_at)))
    execute function spark.shape_article_post();

-- Published as a post, whoever did it, is published as an article: with all that the gate asks.
create function spark.publish_source_article() returns trigger
language plpgsql as $$
begin
    update generated_articles a
       set status = 'published', published_to_post = new.id, published_url = '/' || new.slug
     where a.site_id = new.site_id and a.id = new.source_article_id
       and (a.status <> 'published' or a.published_to_post is null);
    return null;
end
$$;
create trigger posts_publish_insert after insert on posts for each row
    when (new.source_article_id is not null and new.status = 'published')
    execute function spark.publish_source_article();
create trigger posts_publish_update after update of status, source_article_id on posts for each row
    when (new.source_article_id is not null and new.status = 'published'
          and (old.status <> 'published' or new.source_article_id is distinct from old.source_article_id))
    execute function spark.publish_source_article();

-- Else a post could leave its article behind, and with it the gate. The article's own end may cut it off.
create function spark.keep_source_article() returns trigger
language plpgsql as $$
begin
    if exists (select from generated_articles a where a.site_id = old.site_id and a.id = old.source_article_id) then
        raise exception using errcode = 'SPM01', table = 'posts', column = 'source_article_id',
            message = 'A post stays with the article that it was made of.';
    end if;
    return new;
end
$$;
create trigger posts_keep_source before update of source_article_id on posts for each row
    when (old.source_article_id is not null and new.source_article_id is distinct from old.source_article_id)
    execute function spark.keep_source_article();

-- Slots at their date -----------------------------------------------------------------------------

-- When its article went out; what kept it back, and from when on to look again.
alter table queue_items
    add column published_at timestamptz,
    add column refused jsonb,
    add column publish_after timestamptz;
create index queue_items_due on queue_items (site_id, coalesce(publish_after, publish_date))
    where status = 'done' and published_at is null and article_id is not null;
update queue_items i set published_at = coalesce(a.published_at, now())
  from generated_articles a
 where a.site_id = i.site_id and a.id = i.article_id and a.is_published;

-- An article that is out takes its draft and its slot along; one that was approved is looked at again.
create function spark.follow_article() returns trigger
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
create trigger generated_articles_follow after update of status on generated_articles for each row
    when (new.status in ('published', 'approved')
          and (new.status <> old.status or new.approval is distinct from old.approval))
    execute function spark.follow_article();

-- Sites whose plans have something to publish now. A queue that is paused or cancelled holds its articles.
create function spark.sites_to_publish() returns setof uuid
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

-- The editors' view of the new columns; these tables may belong to another owner.
reset role;
insert into directus_fields (collection, field, special, interface, options, note, readonly, sort, width)
select n.collection, n.field, n.special, n.interface, n.options::json, n.note, n.readonly, 91, n.width
  from (values
    ('sites', 'quality_gate', 'cast-boolean', 'boolean', null,
     'Articles are published only when approved, long enough and unlike others', false, 'half'),
    ('sites', 'publish_ramp_start', null, 'input', null, 'Articles published on the first day; empty: no ramp', false, 'half'),
    ('sites', 'publish_ramp_growth', null, 'input', null, 'Later days: times the most of a day so far', false, 'half'),
    ('generated_articles', 'approval', 'cast-json', 'input-code', '{"language": "json"}', 'Who approved it and when', true, 'full'),
    ('queue_items', 'published_at', null, 'datetime', null, 'When its article was published', true, 'half'),
    ('queue_items', 'refused', 'cast-json', 'input-code', '{"language": "json"}', 'What the quality gate misses', true, 'full'),
    ('queue_items', 'publish_after', null, 'datetime', null, 'When publishing is tried again', true, 'half')
  ) as n (collection, field, special, interface, options, note, readonly, width)
 where not exists (select from directus_fields f where f.collection = n.collection and f.field = n.field);
