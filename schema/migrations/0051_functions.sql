-- Which body of its functions a database has: the files of schema/functions and the checksum of what was applied
-- last. Written by spark migrate alone (docs/decisions/0034-schema-files.md).

set local client_min_messages = warning;
set local role spark_owner;

create table spark.functions (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
);
grant select on spark.functions to spark_platform;
