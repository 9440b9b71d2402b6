-- The production schedule and its state machine.

-- A time zone unknown to PostgreSQL would break every schedule of the site, so it is refused when it is set.
create or replace function spark.is_time_zone(zone text) returns boolean
language plpgsql stable as $$
begin
    perform now() at time zone zone;
    return zone <> '';
exception when invalid_parameter_value then
    return false;
end
$$;

-- The state machine: all transitions, and the action that causes each.
create or replace function spark.production_moves() returns table (from_status text, action text, to_status text)
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

-- Raises the same error as for articles and posts (pack_states.sql).
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

-- The factory status of a site is 'generating' while one of its schedules is running. Values set by publishing and
-- by the sitemap drip are kept.
create or replace function spark.note_factory_status() returns trigger
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

-- When a job fails permanently, its slots fail too, so that none stays claimed, and the schedule records the
-- reason. A retried job finds no slots; the schedule's `retry` releases them.
create or replace function spark.fail_dead_production() returns trigger
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
