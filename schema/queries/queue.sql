-- Queue statistics for the admin page. Counting is linear in the number of rows, so it uses the slow lane, and
-- server/dispatch/queue_counts.c limits how often it runs.

-- $1: the site, null for the platform.
-- name: queue_jobs :slow
-- returns: queued, running, done_last_hour, dead, rate
select count(*) filter (where state in ('queued', 'waiting_children')) as queued,
       count(*) filter (where state = 'running') as running,
       count(*) filter (where state = 'done') as done_last_hour,
       count(*) filter (where state = 'dead') as dead,
       count(*) filter (where state = 'done' and finished_at > now() - interval '10 s')::float8 / 10 as rate
  from spark.jobs
 where ($1::uuid is null or site_id = $1)
   and (state in ('queued', 'waiting_children', 'running', 'dead')
        or (state = 'done' and finished_at > now() - interval '1 hour'));

-- name: queue_articles :slow
-- returns: articles
select count(*) as articles from generated_articles where $1::uuid is null or site_id = $1;

-- Workers belong to the platform: the same number for everyone who may see a queue.
-- name: queue_workers :read
-- returns: workers
select count(*) as workers from spark.workers where lease_until > now();

-- Jobs as the API shows them, newest first. $1: the site, null for the platform.
-- name: jobs_page :slow
-- returns: id, site_id, kind, state, attempt, failures, result, error, created_at, run_at, started_at, finished_at
select id, site_id, kind, state, attempt, failures, result, error, created_at, run_at, started_at, finished_at
  from spark.jobs
 where ($1::uuid is null or site_id = $1) and id < $2
   and ($3::text is null or state = $3) and ($4::text is null or kind = $4)
 order by id desc
 limit $5;

-- One job, with the same columns.
-- name: job_of_page :read
-- returns: id, site_id, kind, state, attempt, failures, result, error, created_at, run_at, started_at, finished_at
select id, site_id, kind, state, attempt, failures, result, error, created_at, run_at, started_at, finished_at
  from spark.jobs
 where id = $2 and ($1::uuid is null or site_id = $1);
