#!/bin/sh
# What row security costs at RLS_ROWS (1,000,000) rows in one site: each query without policies, with
# them, and with them where the functions that filter are marked LEAKPROOF. The decision is in
# docs/decisions/0012-row-security-and-indexes.md.
#
# Works in a database of its own on the server that DATABASE_ADMIN_URL names (a superuser, as
# `spark up --backends-only` prints it) and drops it at the end; RLS_KEEP=1 leaves it there.
set -eu
here=$(dirname "$0")
rows=${RLS_ROWS:-1000000}
spark=${SPARK:-$here/../build/release/bin/spark}
database=${RLS_DATABASE:-bench_rls}
: "${DATABASE_ADMIN_URL:?start a server with: spark up --backends-only --data DIR}"
site=01960000-0000-7000-8000-0000000000ff

# The same server, another database.
admin=$(printf '%s' "$DATABASE_ADMIN_URL" | sed -E "s|^([a-z]+://[^/]*)/[^?]*|\1/$database|")
query() { psql -XAtq -v ON_ERROR_STOP=1 "$@"; }

seed() {
    query "$DATABASE_ADMIN_URL" -c "drop database if exists $database" -c "create database $database"
    DATABASE_URL=$admin DATABASE_DIRECT_URL=$admin "$spark" migrate --pack >&2
    query "$admin" -v rows="$rows" -f "$here/sql/rls_seed.sql" >&2
}

drop() {
    if [ -z "${RLS_KEEP:-}" ]; then
        query "$DATABASE_ADMIN_URL" -c "drop database if exists $database"
    fi
}

# The fastest of five runs in milliseconds, and how the table was read.
measure() {
    role=$1
    sql=$2
    for _ in 1 2 3 4 5; do
        query "$admin" -c "set role $role" -c "set jit = off" -c "set max_parallel_workers_per_gather = 0" \
            -c "begin" -c "set local spark.site = '$site'" \
            -c "explain (analyze, timing off, costs off) $sql" -c "rollback"
    done | awk '
        /(Seq|Index|Index Only|Bitmap Heap|Bitmap Index) Scan/ && !scan {
            sub(/^[ >-]*/, ""); sub(/ on .*/, ""); sub(/ using .*/, ""); sub(/ \(.*/, ""); scan = $0 }
        /Execution Time/ { if (best == "" || $3 < best) best = $3 }
        END { printf "%10.2f ms  %-18s", best, scan }'
}

table() {
    printf '%-34s' "$1"
    measure "$2" "$3"
    echo
}

queries() {
    role=$1
    posts="from posts where site_id = '$site'"
    numbers="from rls_numbers where site_id = '$site'"
    table "_eq uuid" "$role" "select * $posts and id = '01980000-0000-7000-8000-000000012345'"
    table "_eq text (slug)" "$role" "select * $posts and slug = 'rls-00012345'"
    table "_eq integer" "$role" "select * $numbers and whole = 12345"
    table "_eq timestamp (with status)" "$role" \
        "select * $posts and status = 'published' and published_at = '2020-01-09 13:45:00+00'"
    table "_eq numeric" "$role" "select * $numbers and price = 123.45"
    table "jsonb @>" "$role" "select * $numbers and data @> '{\"n\": 12345}'"
    table "_contains, 900 rows match" "$role" "select * $posts and title like '%needle%' limit 25"
    table "_contains, no row matches" "$role" "select * $posts and title like '%absent-word%' limit 25"
    table "search, no row matches" "$role" \
        "select * $posts and (lower(title) like lower('%Absent%') or lower(excerpt) like lower('%Absent%')
           or lower(slug) like lower('%Absent%') or lower(category) like lower('%Absent%')) limit 25"
    table "sort by an index, 25" "$role" \
        "select id, title $posts and status = 'published' order by published_at desc limit 25"
    table "sort without one, 25" "$role" "select id, title $posts order by excerpt limit 25"
    table "count of all" "$role" "select count(*) $posts"
    table "count of published" "$role" "select count(*) $posts and status = 'published'"
    table "count of _contains" "$role" "select count(*) $posts and title like '%needle%'"
}

# Ids with explicit predicates by a role that no policy binds, then the rows under row security.
two_steps() {
    table "ids of _contains (900)" none "select id from posts where site_id = '$site' and title like '%needle%' limit 25"
    table "25 rows by id, row security" spark_tenant \
        "select * from posts where site_id = '$site' and id = any(array(select
           ('01980000-0000-7000-8000-' || lpad(to_hex(n * 1000), 12, '0'))::uuid from generate_series(1, 25) n))"
}

# What `spark up` marks: the list is cli/backends/leakproof.c's.
FUNCTIONS=$(grep -o "'[a-z_]*([a-z,]*)'" "$here/../cli/leakproof.c" | tr -d "'")
[ -n "$FUNCTIONS" ] || { echo "no function found in cli/backends/leakproof.c" >&2; exit 1; }
mark() {
    echo "$FUNCTIONS" | while read -r name; do
        query "$admin" -c "alter function pg_catalog.$name $1"
    done
}

[ -n "${RLS_SEEDED:-}" ] || seed
echo "rows: $rows in one site; PostgreSQL $(query "$admin" -c 'show server_version'); load $(cut -d' ' -f1 /proc/loadavg)"
echo; echo "-- no policies (superuser), explicit site predicate"; queries none
echo; echo "-- row security, explicit site predicate"; queries spark_tenant
mark leakproof
echo; echo "-- row security, LEAKPROOF:" $FUNCTIONS; queries spark_tenant
mark "not leakproof"
echo; echo "-- two steps"; two_steps
drop
