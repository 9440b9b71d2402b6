-- What workers can do, as each says it when it starts: who enqueues a job by hand is refused a kind that
-- nobody knows, instead of finding it dead after three tries. Rows of extensions that are gone stay, with
-- when they were last seen.

set local client_min_messages = warning;
set local role spark_owner;

create table spark.job_kinds (
    kind spark.job_kind primary key,
    extension text, -- null: of Spark itself
    timeout_s bigint not null,
    seen_at timestamptz not null default now()
);

grant select, insert, update on spark.job_kinds to spark_platform;
