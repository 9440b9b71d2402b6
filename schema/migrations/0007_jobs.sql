-- The queue's truth. Redis only says which rows are worth looking at; what a row says here is so.
--
-- attempt is the fence: raised by each claim, never reset, compared by every effect. failures
-- (handled errors) and crashes (leases lost) are the budgets; handing a job back spends neither.

set local client_min_messages = warning;
set local role spark_owner;

-- What a column may hold is said by its type: the CHECK constraints of a table are parsed anew by every
-- statement that writes to it, which was a quarter of what the end of a job costs.
create domain spark.job_kind as text check (length(value) between 1 and 100);
create domain spark.job_priority as smallint check (value between 0 and 3); -- 0 goes first
create domain spark.job_state as text
    check (value in ('queued', 'running', 'waiting_children', 'done', 'dead', 'cancelled', 'expired'));
create domain spark.job_tries as integer check (value between 1 and 100);
create domain spark.job_key as text check (length(value) <= 255);
create domain spark.job_children as integer check (value >= 0);

create table spark.jobs (
    id bigint generated always as identity,
    site_id uuid default spark.current_site(), -- null: a job of the platform
    kind spark.job_kind not null,
    priority spark.job_priority not null default 2,
    state spark.job_state not null default 'queued',
    attempt integer not null default 0,
    failures integer not null default 0,
    crashes integer not null default 0,
    max_failures spark.job_tries not null default 3,
    max_crashes spark.job_tries not null default 2,
    run_at timestamptz not null default now(),
    expires_at timestamptz, -- not worth starting after this
    worker text, -- incarnation that runs it
    cancel_requested boolean not null default false,
    rerun boolean not null default false, -- asked for again while it was running
    dedup_key spark.job_key,
    parent_id bigint references spark.jobs (id) on delete set null,
    pending_children spark.job_children not null default 0,
    payload jsonb not null default '{}',
    progress jsonb,
    checkpoint jsonb, -- what a later attempt may start from
    result jsonb,
    error_class text,
    error text,
    trace text,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    -- Room for the three versions of a row in its leaf; without it every leaf is cleaned and split.
    primary key (id) with (fillfactor = 35)
) with (fillfactor = 70, -- three versions of every row: insert, claim, finish
        autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
        autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- One live job per key; the platform's jobs (no site) share one space of keys.
create unique index jobs_dedup on spark.jobs (site_id, dedup_key) nulls not distinct
 where dedup_key is not null and state in ('queued', 'running', 'waiting_children');
-- Due work: the reconcile (run_at starts as created_at), and polling while Redis is away.
create index jobs_due on spark.jobs (run_at, id) where state = 'queued';
create index jobs_running on spark.jobs (worker) where state = 'running';
create index jobs_parent on spark.jobs (parent_id) where parent_id is not null;
create index jobs_site on spark.jobs (site_id, created_at) with (fillfactor = 35);
-- No index for retention: it walks the primary key from its low end, and a finish stays cheap.

select spark.set_row_policies('spark.jobs', 'site_id', false, false);
revoke delete on spark.jobs from spark_tenant;

create table spark.job_logs (
    site_id uuid default spark.current_site(),
    job_id bigint not null, -- no foreign key: logs outlive the retention of their job
    attempt integer not null,
    seq integer not null,
    timestamp timestamptz not null default now(),
    level text not null default 'info' check (level in ('debug', 'info', 'warning', 'error')),
    line text not null,
    unique (job_id, attempt, seq, timestamp)
) partition by range (timestamp);
create table spark.job_logs_default partition of spark.job_logs default;
select spark.ensure_partitions('spark.job_logs');
select spark.set_row_policies('spark.job_logs', 'site_id', false, false);
revoke update, delete on spark.job_logs from spark_tenant;

-- The fence's refusal, as an error of its own, so that the effects beside it are rolled back.
create function spark.fenced() returns integer
language plpgsql as $$
begin
    raise exception 'another attempt owns the job' using errcode = 'SPF01';
end
$$;
