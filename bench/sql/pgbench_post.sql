\set n random(1, :posts)
select * from posts where id = ('01970000-0000-7000-8000-' || lpad(to_hex(:n::bigint), 12, '0'))::uuid;
