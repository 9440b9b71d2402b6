-- Jobs.

-- Raises the fencing error, so that the other writes of the transaction are rolled back.
create or replace function spark.fenced() returns integer
language plpgsql as $$
begin
    raise exception 'another attempt owns the job' using errcode = 'SPF01';
end
$$;
