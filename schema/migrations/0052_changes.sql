-- functions: changes
--
-- The change feed: one row for each statement and site, written in the transaction of the rows it is about
-- (docs/decisions/0035-the-change-feed.md).

set local client_min_messages = warning;
set local role spark_owner;

create table spark.changes (
    xid xid8 not null default pg_current_xact_id(),
    seq bigint not null generated always as identity,
    at timestamptz not null default now(),
    site uuid,          -- null: rows of nobody, or of all sites
    collection text not null,
    action text not null check (action in ('create', 'update', 'delete')),
    keys text[],        -- null: too many to name, or all
    -- The process that wrote the rows tells hooks and Redis itself; or one that read this row has done so.
    is_announced boolean not null,
    -- Readers ask for transactions; rows that a lane waits for come in the order of seq.
    primary key (xid, seq)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
grant select, delete, update (is_announced) on spark.changes to spark_platform;

-- The system's tables, and in an opened database all tables, may belong to the migrating user.
reset role;

-- sites last: every request reads it.
do $watch$
declare
    target regclass;
begin
    for target in
        select c.oid from pg_class c
         where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and not c.relispartition
           and has_table_privilege(c.oid, 'trigger')
         order by c.relname = 'sites', c.relname
    loop
        perform spark.watch_table(target);
    end loop;
end
$watch$;
