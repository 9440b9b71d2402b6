-- The states of articles, posts and schedules.

-- All transitions; from null: the initial states. Whether an article may be created as published, or become
-- published, is decided by the gate. A headline becomes available again when its article is deleted.
create or replace function spark.state_moves() returns table (collection text, from_status text, to_status text)
language sql immutable parallel safe as $$
    select m.collection, m.from_status, target
      from (values
        ('generated_articles', null,         '{draft,queued,processing,qc,published,archived}'::text[]),
        ('generated_articles', 'draft',      '{queued,qc,archived}'),
        ('generated_articles', 'queued',     '{processing,draft,archived}'),
        ('generated_articles', 'processing', '{qc,queued}'),
        ('generated_articles', 'qc',         '{approved,queued,draft,archived}'),
        ('generated_articles', 'approved',   '{published,qc,archived}'),
        ('generated_articles', 'published',  '{archived}'),
        ('generated_articles', 'archived',   '{draft}'),
        ('headline_inventory', null,         '{available,archived}'),
        ('headline_inventory', 'available',  '{reserved,used,archived}'),
        ('headline_inventory', 'reserved',   '{available,used,archived}'),
        ('headline_inventory', 'used',       '{available,archived}'),
        ('headline_inventory', 'archived',   '{available}'),
        ('generation_jobs',    null,         '{pending}'),
        ('generation_jobs',    'pending',    '{processing,completed,failed,cancelled}'),
        ('generation_jobs',    'processing', '{completed,failed,cancelled}'),
        ('generation_jobs',    'failed',     '{pending,processing}'),
        ('generation_jobs',    'completed',  '{pending}')
      ) as m (collection, from_status, targets), unnest(m.targets) target
$$;

-- SPM01 is a conflict (core/io/pg/db_error.c). Unknown statuses are left to the CHECK of the table.
create or replace function spark.require_move(collection text, noun text, from_status text, to_status text) returns void
language plpgsql as $$
begin
    if exists (select from spark.state_moves() m
                where m.collection = require_move.collection and m.to_status = require_move.to_status
                  and m.from_status is not distinct from require_move.from_status)
       or not exists (select from spark.state_moves() m
                       where m.collection = require_move.collection and m.to_status = require_move.to_status) then
        return;
    end if;
    raise exception using errcode = 'SPM01', table = collection, column = 'status',
        message = case when from_status is null then format('%s cannot begin as %s.', noun, to_status)
                       else format('%s that is %s cannot become %s.', noun, from_status, to_status) end;
end
$$;

create or replace function spark.check_state_move() returns trigger
language plpgsql as $$
begin
    perform spark.require_move(tg_table_name, tg_argv[0], case when tg_op = 'UPDATE' then old.status end, new.status);
    return new;
end
$$;
