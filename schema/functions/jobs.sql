-- Jobs.

-- The fence's refusal, as an error of its own, so that the effects beside it are rolled back.
create or replace function spark.fenced() returns integer
language plpgsql as $$
begin
    raise exception 'another attempt owns the job' using errcode = 'SPF01';
end
$$;
