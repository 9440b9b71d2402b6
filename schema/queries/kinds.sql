-- The kinds of jobs: reported by each worker that starts, read by the operator's commands.

-- name: job_kinds_report :write
insert into spark.job_kinds as k (kind, extension, timeout_s)
select kind, extension, timeout_s from unnest($1::text[], $2::text[], $3::bigint[]) as reported (kind, extension, timeout_s)
 order by kind
    on conflict (kind) do update set extension = excluded.extension, timeout_s = excluded.timeout_s, seen_at = now();

-- $1: the built-in kinds of this binary, which no worker may have reported yet.
-- name: cli_job_kinds :read
-- returns: kind, extension, timeout_s, seen_at
select kind, k.extension, k.timeout_s,
       to_char(k.seen_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as seen_at
  from spark.job_kinds k full join unnest($1::text[]) as built (kind) using (kind)
 order by kind;
