-- What the lanes' roles may execute, and how a statement refuses a key.

set local client_min_messages = warning;
set local role spark_owner;

-- A write asks for the row that a reference points to, where no foreign key keeps it in its site
-- (core/content/items/write_reference.c), and comes here when the scope has no such row: in the words, and
-- with the constraint's name, of a foreign key whose row is missing. Strict: null refers to nothing.
create function spark.refuse_reference(key anyelement, target text, field text) returns anyelement
language plpgsql strict as $$
begin
    raise exception 'no row of "%" may be referred to by this key', field
        using errcode = 'foreign_key_violation', table = target, constraint = target || '_' || field || '_foreign';
end
$$;

-- The triggers that raise it run as its owner; of the lanes only the platform's changes the schema.
revoke execute on function spark.raise_epoch() from public;
grant execute on function spark.raise_epoch() to spark_platform;
