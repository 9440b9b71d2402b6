-- The statements of the operator's commands, on the platform lane. Parameters and results are text.

-- name: cli_site_create :write
-- returns: id, domain, name, status
insert into sites (id, name, domain, status) values ($1::uuid, $2, $3, 'active')
returning id, domain, name, status;

-- name: cli_site_list :read
-- returns: id, domain, name, status, created
select id, domain, name, status, to_char(date_created at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created
  from sites
 where id <> spark.library_site()
 order by name, id;

-- name: cli_token_list :read
-- returns: id, site_id, name, scopes, expires_at, last_used_at, created_at
select id, site_id, name, array_to_string(scopes, ' ') as scopes,
       to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as expires_at,
       to_char(last_used_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as last_used_at,
       to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at
  from spark.site_tokens
 where $1::uuid is null or site_id = $1::uuid
 order by site_tokens.created_at, id;

-- name: cli_token_revoke :write
-- returns: id
delete from spark.site_tokens where id = $1::uuid returning id;

-- name: cli_job_list :read
-- returns: id, state, kind, site_id, attempt, failures, crashes, run_at, finished_at, error
select id, state, kind, site_id, attempt, failures, crashes,
       to_char(run_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as run_at,
       to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as finished_at, error
  from spark.jobs
 where ($1::text is null or state = $1::text)
   and ($2::text is null or kind = $2::text)
   and ($3::uuid is null or site_id = $3::uuid)
 order by id desc
 limit $4::bigint;

-- name: cli_job_show :read
-- returns: id, state, kind, site_id, priority, attempt, failures, max_failures, crashes, max_crashes, worker, dedup_key, payload, progress, checkpoint, result, error_class, error, trace, created_at, run_at, started_at, finished_at
select id, state, kind, site_id, priority, attempt, failures, max_failures, crashes, max_crashes, worker,
       dedup_key, payload, progress, checkpoint, result, error_class, error, trace,
       to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at,
       to_char(run_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as run_at,
       to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as started_at,
       to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as finished_at
  from spark.jobs where id = $1::bigint;

-- name: cli_job_logs :read
-- returns: timestamp, attempt, level, line
select to_char(timestamp at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as timestamp, attempt, level, line from spark.job_logs
 where job_id = $1::bigint
 order by job_logs.timestamp, attempt, seq
 limit 1000;

-- Does not push to Redis: the steward's reconciliation finds the rows within a second.
-- name: cli_job_enqueue :write
-- returns: count, first_id, last_id
with made as (
    insert into spark.jobs (site_id, kind, payload)
    select $1::uuid, $2, $3::jsonb from generate_series(1, $4::integer)
    returning id
)
select count(*) as count, min(id) as first_id, max(id) as last_id from made;

-- name: cli_job_counts :read
-- returns: state, count, oldest_due
select state, count(*) as count,
       to_char(min(run_at) filter (where state = 'queued') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as oldest_due
  from spark.jobs group by state order by state;
