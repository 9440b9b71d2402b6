-- The order of a collection's rows: numbers in its sort field.

-- The row `moved` takes the place of `target`; the rows between shift by one. Rows without a place get one at the end
-- first, and the order is numbered anew if two rows have the same place. Of a collection of tenants, only rows of the
-- site of `moved` count; row-level security narrows it to the caller's site anyway.
create or replace function spark.move_in_order(
    collection text, order_column text, key_column text, site_column text, moved text, target text)
returns void language plpgsql as $$
declare
    rows constant text := format('public.%I', collection);
    of_site text := 'true';
    site uuid;
    has_twins boolean;
    source bigint;
    destination bigint;
begin
    if site_column is not null then
        execute format('select %I from %s where %I = %L', site_column, rows, key_column, moved) into site;
        of_site := format('t.%I = %L', site_column, site);
    end if;
    perform pg_advisory_xact_lock(hashtextextended('spark.move_in_order ' || collection || coalesce(site::text, ''), 0));

    execute format(
        'with placed as (select coalesce(max(t.%2$I), 0) as last from %1$s t where %4$s), '
        'lost as (select t.%3$I as key, row_number() over (order by t.%3$I) as number from %1$s t where %4$s and t.%2$I is null) '
        'update %1$s t set %2$I = placed.last + lost.number from placed, lost where t.%3$I = lost.key and %4$s',
        rows, order_column, key_column, of_site);
    execute format('select exists (select from %1$s t where %3$s group by t.%2$I having count(*) > 1)', rows, order_column, of_site)
       into has_twins;
    if has_twins then
        execute format(
            'update %1$s t set %2$I = numbered.number from (select t.%3$I as key, row_number() over (order by t.%2$I, t.%3$I) as number '
            'from %1$s t where %4$s) numbered where t.%3$I = numbered.key and %4$s and t.%2$I is distinct from numbered.number',
            rows, order_column, key_column, of_site);
    end if;

    execute format('select (select t.%2$I from %1$s t where %4$s and t.%3$I = %5$L), (select t.%2$I from %1$s t where %4$s and t.%3$I = %6$L)',
                   rows, order_column, key_column, of_site, moved, target)
       into source, destination;
    if source is null or destination is null or source = destination then
        return;
    end if;
    execute format(
        'update %1$s t set %2$I = case when t.%3$I = %5$L then %7$s else t.%2$I + %8$s end where %4$s and t.%2$I between %9$s and %10$s',
        rows, order_column, key_column, of_site, moved, target, destination, sign(source - destination)::integer,
        least(source, destination), greatest(source, destination));
end
$$;
