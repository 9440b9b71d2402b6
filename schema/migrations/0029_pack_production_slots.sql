-- Planned production, complete: what a queue may become, what its slots know, and a site's own say over
-- time zone and dates in the past.

set local client_min_messages = warning;
set local role spark_owner;
set local spark.scope = 'platform';

-- A zone that PostgreSQL does not know would fail every plan of the site, so it is refused where it is set.
create function spark.is_time_zone(zone text) returns boolean
language plpgsql stable as $$
begin
    perform now() at time zone zone;
    return zone <> '';
exception when invalid_parameter_value then
    return false;
end
$$;
update sites set time_zone = 'UTC' where not spark.is_time_zone(time_zone);
alter table sites add constraint sites_time_zone_known check (spark.is_time_zone(time_zone));

-- Dates in the past mislead readers and search engines: a site has to ask for them.
alter table sites add column backdating_allowed boolean not null default false;

alter table production_queue add column test_batch_first boolean not null default true;
alter table queue_items
    add column location jsonb, -- where the article of this slot is set
    add constraint queue_items_claimed check (status <> 'claimed' or claimed_by is not null);
create index queue_items_claimed_by on queue_items (site_id, claimed_by) where status = 'claimed';

-- The state machine: every move there is, and what asks for it.
create function spark.production_moves() returns table (from_status text, action text, to_status text)
language sql immutable parallel safe as $$
    values ('pending',    'test',    'test_batch'),
           ('test_batch', 'test',    'test_batch'),
           ('test_batch', 'approve', 'approved'),
           ('test_batch', 'reject',  'pending'),
           ('pending',    'approve', 'approved'),
           ('approved',   'start',   'running'),
           ('running',    'start',   'running'),
           ('running',    'pause',   'paused'),
           ('paused',     'resume',  'running'),
           ('running',    'finish',  'done'),
           ('running',    'fail',    'failed'),
           ('failed',     'retry',   'approved'),
           ('pending',    'cancel',  'cancelled'),
           ('test_batch', 'cancel',  'cancelled'),
           ('approved',   'cancel',  'cancelled'),
           ('running',    'cancel',  'cancelled'),
           ('paused',     'cancel',  'cancelled'),
           ('failed',     'cancel',  'cancelled')
$$;

-- It holds whoever writes, a client of /items too.
create function spark.check_production_move() returns trigger
language plpgsql as $$
begin
    if not exists (select from spark.production_moves() m
                    where m.from_status = old.status and m.to_status = new.status) then
        raise exception 'a queue that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', table = 'production_queue', column = 'status',
                  constraint = 'production_queue_move';
    end if;
    return new;
end
$$;
create trigger production_queue_move before update of status on production_queue for each row
    when (new.status <> old.status) execute function spark.check_production_move();

-- A site is at work while one of its queues is. What publishing and the drip say of it is left alone.
create function spark.note_factory_status() returns trigger
language plpgsql as $$
begin
    update sites s
       set factory_status = case when exists (select from production_queue q
                                               where q.site_id = new.site_id and q.status = 'running')
                                 then 'generating' else 'idle' end
     where s.id = new.site_id and s.factory_status in ('idle', 'generating')
       and (s.factory_status = 'generating') <> exists (select from production_queue q
                                                         where q.site_id = new.site_id and q.status = 'running');
    return null;
end
$$;
create trigger production_queue_factory after update of status on production_queue for each row
    when (new.status <> old.status and 'running' in (new.status, old.status))
    execute function spark.note_factory_status();

-- A job that died, whether it gave up or was given up, leaves no slot behind that nobody works on, and the
-- queue says why. Set going again it finds none of them; `retry` of the queue gives them back.
create function spark.fail_dead_production() returns trigger
language plpgsql as $$
declare
    why constant text := left(coalesce(new.error, new.state), 2000);
begin
    update queue_items set status = 'failed', attempts = attempts + 1, error = why
     where site_id = new.site_id and status = 'claimed' and claimed_by = new.id;
    update production_queue set status = 'failed', error_log = why
     where site_id = new.site_id and id = (new.payload ->> 'queue_id')::uuid and status = 'running';
    return null;
end
$$;
-- OF as for jobs_dead_generation: only what those statements set that end a job badly.
create trigger jobs_dead_production after update of failures, crashes, cancel_requested on spark.jobs for each row
    when (new.kind = 'process-queue' and new.state in ('dead', 'cancelled', 'expired')
          and old.state not in ('dead', 'cancelled', 'expired'))
    execute function spark.fail_dead_production();

-- The editors' view of the new columns; these tables may belong to another owner.
reset role;
insert into directus_fields (collection, field, special, interface, options, note, sort, width)
select n.collection, n.field, n.special, n.interface, n.options::json, n.note, 90, n.width
  from (values
    ('sites', 'backdating_allowed', 'cast-boolean', 'boolean', null,
     'Plans may date articles before today. This misleads readers and search engines.', 'half'),
    ('production_queue', 'test_batch_first', 'cast-boolean', 'boolean', null,
     'Waits for a test batch to be approved', 'half'),
    ('queue_items', 'location', 'cast-json', 'input-code', '{"language": "json"}', 'Of its article', 'full')
  ) as n (collection, field, special, interface, options, note, width)
 where not exists (select from directus_fields f where f.collection = n.collection and f.field = n.field);
