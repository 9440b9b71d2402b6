-- Keys of the pack's rows are unique in their site: PRIMARY KEY (id) becomes (id, site_id). Where the pack is
-- older than schema/system/17_keys.sql, that has done it already.

set local client_min_messages = warning;
set local role spark_owner;
set local spark.scope = 'platform';

do $keys$
declare
    owned record;
begin
    for owned in
        select c.oid::regclass as name
          from spark.collections t
          join pg_class c on c.relname = t.collection and c.relnamespace = 'public'::regnamespace
         where c.relowner = 'spark_owner'::regrole and c.relkind = 'r' and not t.site_optional
           and t.site_column = 'site_id'
         order by c.relname
    loop
        perform spark.key_by_site(owned.name);
    end loop;
end
$keys$;
select spark.raise_epoch();
