-- Sites and their hostnames.

-- A site must not change its own hostnames or its archived state: a site that took the platform's hostname, or
-- www. of another site's, would receive the visitors of that site and break the tokens there.
create or replace function spark.keep_site_place() returns trigger
language plpgsql as $$
begin
    if current_user = 'spark_tenant' then
        raise exception 'status, domain and domain_aliases of a site are the platform''s to change'
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;

create or replace function spark.keep_library_site() returns trigger
language plpgsql as $$
begin
    raise exception 'the library site cannot be removed' using errcode = 'restrict_violation';
end
$$;

-- Domain and aliases share one table of hostnames, so that two sites cannot have the same one. Security definer:
-- roles that may change a site have no rights on that table.
create or replace function spark.sync_site_domains() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from spark.site_domains where site_id = new.id;
    insert into spark.site_domains (domain, site_id, is_alias)
    select host, new.id, bool_and(is_alias)
      from (select spark.host_key(new.domain) as host, false as is_alias
            union all
            select spark.host_key(alias), true from jsonb_array_elements_text(new.domain_aliases) alias) hosts
     where host <> ''
     group by host;
    return null;
end
$$;

-- The canonical form of a hostname. Invalid values in brackets stay as they are: no request can match them.
create or replace function spark.host_key(host text) returns text
language plpgsql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
begin
    if host ~ '^\[[0-9a-fA-F:.]+\]$' then
        return '[' || host(btrim(host, '[]')::inet) || ']';
    end if;
    if host ~ '^[ -~]*$' then
        return lower(rtrim(host, '.'));
    end if;
    return (select rtrim(string_agg(spark.punycode(label), '.' order by i), '.')
              from regexp_split_to_table(lower(normalize(host, nfkc) collate "und-x-icu"), '[.\u3002]')
                   with ordinality t (label, i));
exception when invalid_text_representation then
    return lower(host);
end
$$;

-- Punycode (RFC 3492) of one label. Counts code points, which ascii() returns if the encoding is UTF-8.
create or replace function spark.punycode(label text) returns text
language plpgsql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
declare
    points constant integer[] := array(
        select ascii(c) from regexp_split_to_table(label, '') with ordinality t (c, i) where c <> '' order by i);
    digits constant text := 'abcdefghijklmnopqrstuvwxyz0123456789';
    result text := coalesce((select string_agg(chr(p), '' order by i) from unnest(points) with ordinality t (p, i) where p < 128), '');
    basic constant integer := length(result);
    handled integer := basic;
    n bigint := 128;
    delta bigint := 0;
    bias bigint := 72;
    next bigint;
    rest bigint;
    k bigint;
    t bigint;
    p integer;
begin
    if basic = cardinality(points) then
        return label;
    end if;
    if basic > 0 then
        result := result || '-';
    end if;
    while handled < cardinality(points) loop
        next := (select min(x) from unnest(points) x where x >= n);
        delta := delta + (next - n) * (handled + 1);
        n := next;
        foreach p in array points loop
            if p < n then
                delta := delta + 1;
            elsif p = n then
                rest := delta;
                k := 36;
                loop
                    t := least(greatest(k - bias, 1), 26);
                    exit when rest < t;
                    result := result || substr(digits, (t + (rest - t) % (36 - t))::integer + 1, 1);
                    rest := (rest - t) / (36 - t);
                    k := k + 36;
                end loop;
                result := result || substr(digits, rest::integer + 1, 1);
                delta := delta / case when handled = basic then 700 else 2 end;
                delta := delta + delta / (handled + 1);
                k := 0;
                while delta > 455 loop
                    delta := delta / 35;
                    k := k + 36;
                end loop;
                bias := k + 36 * delta / (delta + 38);
                delta := 0;
                handled := handled + 1;
            end if;
        end loop;
        delta := delta + 1;
        n := n + 1;
    end loop;
    return 'xn--' || result;
end
$$;

create or replace function spark.raise_sites_epoch_after() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform spark.raise_site_epoch(old.id);
    if tg_op = 'UPDATE' then
        perform spark.raise_site_epoch('00000000-0000-0000-0000-000000000000');
    end if;
    return null;
end
$$;
