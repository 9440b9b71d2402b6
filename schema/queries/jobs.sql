-- The job queue. `attempt` and `worker` are the fence: a claim increments the one and sets the other, so that
-- writes of an earlier attempt are refused.

-- name: job_insert :write
-- params: site arg, kind text, payload json, dedup_key word?, priority int4, delay_us real,
--         max_failures int4, trace word?, asked_user arg, asked_actor arg, asked_ip arg
-- returns: id
insert into spark.jobs (site_id, kind, payload, dedup_key, priority, run_at, max_failures, trace,
                        asked_user, asked_actor, asked_ip)
values (:site, :kind, :payload::jsonb, :dedup_key, :priority,
        now() + make_interval(secs => :delay_us::float8 / 1e6), :max_failures, :trace, :asked_user,
        :asked_actor, :asked_ip)
    on conflict do nothing
returning id;

-- A claim need not be durable: if the server loses it, the row is queued as before, and the fence refuses the
-- worker that had claimed it.
-- name: job_claim_relaxed :write
select set_config('synchronous_commit', 'off', true);

-- The CASE hides `state` from the planner, so that whatever the statistics say it uses the primary key and not the
-- partial index on all waiting jobs.
-- name: job_claim :write
-- returns: id, site_id, kind, attempt, failures, payload, checkpoint, is_quarantined, asked_user, asked_actor, asked_ip
update spark.jobs
   set state = 'running', attempt = attempt + 1, worker = $2, started_at = now()
 where id = any ($1)
   and case when state = 'queued' and run_at <= now() and not cancel_requested
                 and (expires_at is null or expires_at > now()) then true end
returning id, site_id, kind, attempt, failures, payload, checkpoint,
          coalesce(error_class = 'quarantine', false) as is_quarantined, asked_user, asked_actor, asked_ip;

-- While Redis is unavailable: claims from the table, one job of each site in turn, oldest first, so that a site's
-- backlog does not hide the jobs of others. $3: the worker's slots, of which a site gets at most as many as it
-- leaves free (cq.lua, room_of).
-- name: job_claim_polling :write
-- returns: id, site_id, kind, attempt, failures, payload, checkpoint, is_quarantined, asked_user, asked_actor, asked_ip
with recursive sites as (
    (select site_id from spark.jobs where state = 'queued' and site_id is not null order by site_id limit 1)
    union all
    select (select j.site_id from spark.jobs j where j.state = 'queued' and j.site_id > s.site_id order by j.site_id limit 1)
      from sites s where s.site_id is not null
), held as (
    select site_id, count(*) as own from spark.jobs where worker = $2 and state = 'running' group by site_id
), free as (
    select greatest($1, $3 - coalesce(sum(own), 0)) as slots from held
), turns as (
    select d.id, d.run_at, row_number() over (partition by d.site_id order by d.run_at, d.id) as turn,
           case when coalesce(h.own, 0) >= f.slots then 0
                else greatest(1, (f.slots - coalesce(h.own, 0)) / 2) end as room
      from free f cross join (select site_id from sites where site_id is not null) s
      left join held h on h.site_id = s.site_id
     cross join lateral (
        select j.id, j.site_id, j.run_at from spark.jobs j
         where j.state = 'queued' and j.site_id = s.site_id and j.run_at <= now() and not j.cancel_requested
           and (j.expires_at is null or j.expires_at > now())
         order by j.run_at, j.id
         limit $1
     ) d
    union all
    (select j.id, j.run_at, row_number() over (order by j.run_at, j.id), f.slots
       from free f cross join spark.jobs j
      where j.state = 'queued' and j.site_id is null and j.run_at <= now() and not j.cancel_requested
        and (j.expires_at is null or j.expires_at > now())
      order by j.run_at, j.id
      limit $1)
), chosen as (
    select j.id from spark.jobs j join turns t on t.id = j.id
     where j.state = 'queued' and t.turn <= t.room
     order by t.turn, t.run_at
     limit $1
       for update of j skip locked
)
update spark.jobs j
   set state = 'running', attempt = j.attempt + 1, worker = $2, started_at = now()
  from chosen
 where j.id = chosen.id
returning j.id, j.site_id, j.kind, j.attempt, j.failures, j.payload, j.checkpoint,
          coalesce(j.error_class = 'quarantine', false) as is_quarantined, j.asked_user, j.asked_actor, j.asked_ip;

-- name: job_finish :shared
-- returns: fence
with finished as (
    update spark.jobs
       set state = 'done', finished_at = now(), result = $4::jsonb, error_class = null, error = null
     where id = $1 and attempt = $2 and worker = $3 and state = 'running'
    returning 1
)
select case when exists (select from finished) then 1 else spark.fenced() end as fence;

-- name: job_result :write
update spark.jobs set result = $2::jsonb where id = $1;

-- name: job_checkpoint :shared
-- returns: fence
with kept as (
    update spark.jobs set checkpoint = $4::jsonb
     where id = $1 and attempt = $2 and worker = $3 and state = 'running'
    returning 1
)
select case when exists (select from kept) then 1 else spark.fenced() end as fence;

-- $4: whether the failure is permanent. $5: base delay in ms; doubles with each failure, with jitter over the
-- upper half, at most 10 minutes. $8: minimum delay in s, requested by the remote server.
-- name: job_fail :shared
-- params: id int, attempt int4, worker text, is_final bool, retry_base_ms real, error_class text, error text,
--         retry_after_s real
-- returns: state
update spark.jobs
   set state = case when :is_final or failures + 1 >= max_failures then 'dead' else 'queued' end,
       failures = failures + 1,
       run_at = now() + make_interval(secs => greatest(:retry_after_s::float8,
                                                      least(600.0, :retry_base_ms::float8 / 1000 * power(2, failures))
                                                      * (0.5 + random() / 2))),
       finished_at = case when :is_final or failures + 1 >= max_failures then now() end,
       worker = null, error_class = :error_class, error = :error
 where id = :id and attempt = :attempt and worker = :worker and state = 'running'
returning state;

-- The job cannot run now: it waits for another $4 s, which does not count as a try.
-- name: job_postpone :shared
-- returns: state
update spark.jobs
   set state = 'queued', run_at = now() + make_interval(secs => $4), worker = null,
       error_class = case when error_class = 'quarantine' then error_class else 'postponed' end, error = $5
 where id = $1 and attempt = $2 and worker = $3 and state = 'running'
returning state;

-- Requeues jobs that the worker does not run although their rows say so, without counting a try: all of them when
-- the worker stops ($2 empty); otherwise those of a claim or a completion whose reply was lost.
-- name: jobs_hand_back :write
-- returns: id, site_id
update spark.jobs set state = 'queued', worker = null, run_at = now()
 where worker = $1 and state = 'running' and not (id = any ($2))
returning id, site_id;

-- Workers and their leases ---------------------------------------------------------------------------

-- A conflict can only be an earlier attempt of the same worker, whose reply was lost.
-- name: worker_register :write
insert into spark.workers (id, host, pid, version, lease_until, slots)
values ($1, $2, $3, $4, now() + make_interval(secs => $5), $6)
    on conflict (id) do update set lease_until = excluded.lease_until;

-- name: worker_beat :write
-- returns: is_alive
update spark.workers set lease_until = now() + make_interval(secs => $2), running = $3, draining = $4
 where id = $1 and lease_until > now()
returning true as is_alive;

-- Also releases its leases, so that another worker can be elected immediately.
-- name: worker_leave :write
with dropped as (delete from spark.leases where holder = $1)
delete from spark.workers where id = $1;

-- One holder per name: the holder renews the lease, and any worker takes it after it has expired.
-- name: lease_take :write
-- returns: holder
insert into spark.leases as l (name, holder, until)
values ($1, $2, now() + make_interval(secs => $3))
    on conflict (name) do update set holder = excluded.holder, until = excluded.until
 where l.holder = excluded.holder or l.until < now()
returning holder;

-- The suspected job that runs alone: if this worker dies, the crash is charged to it.
-- name: worker_suspects :write
update spark.workers set current_job = $2 where id = $1;

-- Workers whose lease has expired, or that were deleted although jobs still name them. is_certain: the supervisor
-- saw it die, so there is no need to wait.
-- name: workers_dead :read
-- returns: id, current_job, is_certain, crash_reason
select id, current_job, lease_until = '-infinity' as is_certain, crash_reason
  from spark.workers where lease_until < now()
union all
select distinct j.worker, null::bigint, false, null from spark.jobs j
 where j.state = 'running' and not exists (select from spark.workers w where w.id = j.worker);

-- $1: the dead worker; $2: the job to charge, or null; $3: the reason of the crash, if it is known. With a known
-- culprit the other jobs are requeued unharmed; with several suspects and no culprit, all are quarantined, and
-- each runs alone.
-- name: jobs_reap :write
-- returns: id, state
update spark.jobs j
   set crashes = crashes + coalesce(j.id = $2, false)::int,
       state = case when j.id = $2 and crashes + 1 >= max_crashes then 'dead' else 'queued' end,
       finished_at = case when j.id = $2 and crashes + 1 >= max_crashes then now() end,
       run_at = now(), worker = null,
       error_class = case when j.id = $2 then 'crash' when $2 is null then 'quarantine' else error_class end,
       error = case when j.id = $2 then coalesce($3, 'the worker died while this job ran') else error end
 where worker = $1 and state = 'running'
returning id, state;

-- name: jobs_of_worker :read
-- returns: id
select id from spark.jobs where worker = $1 and state = 'running' limit 2;

-- name: worker_forget :write
delete from spark.workers where id = $1;

-- The reconcile ---------------------------------------------------------------------------------------

-- Rows that became due since $1, after ($2, $3). Ordered by time, not by id: a lower id can commit later.
-- name: jobs_due_since :read
-- returns: id, site_id, run_at
select id, site_id, run_at from spark.jobs
 where state = 'queued' and run_at <= now() and run_at > $1
   and (run_at, id) > ($2, $3)
 order by run_at, id
 limit 1000;

-- The first $1 due rows of every site that has any.
-- name: jobs_due_heads :read
-- returns: id, site_id
with recursive sites as (
    (select site_id from spark.jobs where state = 'queued' and site_id is not null order by site_id limit 1)
    union all
    select (select j.site_id from spark.jobs j where j.state = 'queued' and j.site_id > s.site_id order by j.site_id limit 1)
      from sites s where s.site_id is not null
)
select d.id, d.site_id
  from sites s cross join lateral (
        select id, site_id from spark.jobs
         where state = 'queued' and site_id = s.site_id and run_at <= now()
         order by run_at, id
         limit $1
     ) d;

-- name: jobs_stuck :read
-- returns: id, site_id
select id, site_id from spark.jobs
 where state = 'queued' and run_at <= $1
 order by run_at, id
 limit 1000;

-- name: jobs_now :read
-- returns: now
select now() as now;

-- Checks $1 rows after $2, and deletes those that ended more than $3 hours ago. Dead letters stay until they are
-- retried. is_young: later rows have not ended long ago either.
-- name: jobs_sweep :write
-- returns: looked_at, removed, is_young, last_id
with page as materialized (
    select id, finished_at < now() - make_interval(hours => $3) as is_old,
           state in ('done', 'cancelled', 'expired') as has_ended
      from spark.jobs where id > $2 order by id limit $1
), removed as (
    delete from spark.jobs j using page p where j.id = p.id and p.has_ended and p.is_old
    returning 1
)
select count(*) as looked_at, (select count(*) from removed) as removed,
       coalesce(bool_or(has_ended and not is_old), false) as is_young, max(id) as last_id
  from page;

-- name: job_retry :write
-- returns: id
update spark.jobs set state = 'queued', run_at = now(), failures = 0, crashes = 0, finished_at = null,
       error_class = null, error = null
 where id = $1 and state in ('dead', 'cancelled', 'expired')
returning id;

-- The supervisor saw the worker die: its lease and its leader leases end now. $3: the error message for the
-- charged job; the first one is kept, because its writer was closest to the crash.
-- name: worker_crashed :write
with dropped as (delete from spark.leases where holder = $1)
update spark.workers
   set lease_until = '-infinity', current_job = coalesce($2, current_job), crash_reason = coalesce(crash_reason, $3)
 where id = $1;

-- Those of these workers that no longer exist.
-- name: workers_unknown :read
-- returns: id
select w.id from unnest($1::text[]) w (id) where not exists (select from spark.workers k where k.id = w.id);

-- Tracking: from the staging table, past what is stored already or whose site is gone -----------------

-- name: pageviews_store :write
insert into pageviews (id, site_id, timestamp, page_path, page_title, session_id, visitor_id, referrer, user_agent,
                       ip_address, device_type, browser, os, utm_source, utm_medium, utm_campaign, utm_content, utm_term,
                       is_bot, bot_name)
select l.id, l.site_id, l.timestamp, l.page_path, l.page_title, l.session_id, l.visitor_id, l.referrer, l.user_agent,
       l.ip_address, l.device_type, l.browser, l.os, l.utm_source, l.utm_medium, l.utm_campaign, l.utm_content, l.utm_term,
       l.is_bot, l.bot_name
  from spark.load_pageviews l join sites s on s.id = l.site_id
    on conflict do nothing;

-- name: pageviews_unload :write
delete from spark.load_pageviews;
