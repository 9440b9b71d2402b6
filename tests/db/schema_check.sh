#!/bin/sh
# Migrates fresh databases with psql alone and asks them what schema_check.sql asks.
#
#   tests/db/schema_check.sh [server-url]      default: $SPARK_TEST_DATABASE_URL
#
# The user of the URL must be a superuser: it makes databases, and users with less, and removes them.
set -eu

cd "$(dirname "$0")/../.."
url=${1:-${SPARK_TEST_DATABASE_URL:?name a server: postgres://user@host/postgres}}
base=spark_schema_$$
work=$(mktemp -d)
PGOPTIONS="${PGOPTIONS:-} -c client_min_messages=warning"
export PGOPTIONS

say() { printf 'schema: %s\n' "$*"; }
fail() { printf 'schema: %s\n' "$*" >&2; exit 1; }

# ask DATABASE [psql arguments]: as the superuser
ask() {
    database=$1
    shift
    psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$url" -c "\\connect $database" "$@"
}

clean() {
    for name in "$base" "${base}_plain" "${base}_opened"; do
        ask postgres -c "drop database if exists $name with (force)" || true
    done
    for name in "${base}_owner" "${base}_nobody" "${base}_old"; do
        ask postgres -c "drop role if exists $name" || true
    done
    rm -rf "$work"
}
trap clean EXIT

# apply DATABASE FILE [ROLE]: one transaction, as the runner does it
apply() {
    if [ $# -gt 2 ]; then
        ask "$1" -c "set session authorization $3" -c begin -f "$2" -c commit >/dev/null
    else
        ask "$1" -c begin -f "$2" -c commit >/dev/null
    fi
}

# part PATH: pack or system
part() {
    case $(basename "$1") in
    [0-9][0-9][0-9][0-9]_pack_* | pack_*) echo pack ;;
    *) echo system ;;
    esac
}

# migrate DATABASE PARTS [ROLE]: as `spark migrate` does, but for its records
migrate() {
    for path in schema/migrations/*.sql; do
        case " $2 " in *" $(part "$path") "*) ;; *) continue ;; esac
        for needed in $(sed -n '/^--/!q; s/^-- functions: //p' "$path"); do
            renew "$1" "schema/functions/$needed.sql" ${3:+"$3"} || return 1
        done
        apply "$1" "$path" ${3:+"$3"} || return 1
    done
    for path in schema/functions/*.sql; do
        case " $2 " in *" $(part "$path") "*) renew "$1" "$path" ${3:+"$3"} || return 1 ;; esac
    done
}

# renew DATABASE FILE [ROLE]: a file of functions
renew() {
    { echo "set local check_function_bodies = off; set local role spark_owner;" && cat "$2"; } >"$work/functions.sql"
    apply "$1" "$work/functions.sql" ${3:+"$3"}
}

# What a database is, without what time changes.
shape() {
    ask "$1" -c "select table_schema, table_name, column_name, data_type, column_default, is_nullable
                   from information_schema.columns where table_schema in ('public', 'spark') order by 1, 2, 3" \
        -c "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint order by 1, 2" \
        -c "select indexdef from pg_indexes where schemaname in ('public', 'spark') order by 1" \
        -c "select tablename, policyname, roles, cmd, qual, with_check from pg_policies order by 1, 2" \
        -c "select tgrelid::regclass::text, tgname from pg_trigger where not tgisinternal order by 1, 2" \
        -c "select oid::regclass::text, relowner::regrole, relacl::text from pg_class where relnamespace in ('public'::regnamespace, 'spark'::regnamespace) order by 1" \
        -c "select count(*) from directus_roles" -c "select count(*) from directus_access" \
        -c "select count(*) from directus_policies" -c "select count(*) from directus_settings" \
        -c "select count(*) from directus_migrations" -c "select count(*) from directus_collections" \
        -c "select count(*) from directus_fields" -c "select count(*) from directus_relations" \
        -c "select count(*) from directus_permissions" -c "table spark.collections order by 1"
}

say "a superuser migrates a new database"
ask postgres -c "create database $base encoding utf8 template template0"
migrate "$base" "system pack"
ask "$base" -f tests/db/schema_check.sql | grep -v '^$' | tail -1

say "guarded files twice"
shape "$base" >"$work/once"
for path in 0001_roles 0004_directus 0005_directus_tenancy 0006_seed 0047_epoch_stamp 0049_accounts 0023_pack_metadata 0024_pack_public; do
    apply "$base" "schema/migrations/$path.sql"
done
shape "$base" >"$work/twice"
diff "$work/once" "$work/twice" || fail "running a guarded file again changed something"

say "an owner of the database who may create roles, and nothing else"
ask postgres -c "create role ${base}_owner login createrole" \
    -c "create database ${base}_plain owner ${base}_owner encoding utf8 template template0"
# The roles exist by now; since PostgreSQL 16 only their maker may take them without being given them.
if [ "$(ask postgres -c "show server_version_num")" -ge 160000 ]; then
    ask postgres -c "grant spark_owner, spark_tenant, spark_platform to ${base}_owner"
fi
migrate "${base}_plain" "system pack" "${base}_owner"
ask "${base}_plain" -f tests/db/schema_check.sql | grep -v '^$' | tail -1
for lane in spark_owner spark_tenant spark_platform; do
    ask "${base}_plain" -c "set session authorization ${base}_owner" -c "set role $lane" ||
        fail "the migrating user cannot enter $lane"
done

say "somebody with no rights gets a sentence"
ask postgres -c "create role ${base}_nobody login"
if apply "${base}_plain" schema/migrations/0001_roles.sql "${base}_nobody" 2>"$work/refused"; then
    fail "a user without rights could migrate"
fi
grep -q "is not a member of the role\|may not create" "$work/refused" || fail "unclear refusal: $(cat "$work/refused")"

# The tables of 0004, made by a user of its own, stand for those that Directus made.
say "a database of somebody else is opened in place"
ask postgres -c "create role ${base}_old login" \
    -c "create database ${base}_opened owner ${base}_old encoding utf8 template template0"
sed "s/'spark_owner'::regrole/'${base}_old'::regrole/" schema/migrations/0004_directus.sql >"$work/directus.sql"
apply "${base}_opened" "$work/directus.sql" "${base}_old"
ask "${base}_opened" -c "set session authorization ${base}_old" \
    -c "create table articles (id serial primary key, title text)" \
    -c "insert into articles (title) values ('old')" \
    -c "insert into directus_users (id, email) values (gen_random_uuid(), 'old@example.com')" \
    -c "insert into directus_settings default values"
migrate "${base}_opened" system
seen=$(ask "${base}_opened" -c "set session authorization ${base}_old" -c "select count(*) from directus_users" -c "select count(*) from articles" \
    -c "insert into directus_files (id, storage, filename_download) values (gen_random_uuid(), 'local', 'x') returning site_id is null" \
    -c "insert into directus_roles (id, name) values (gen_random_uuid(), 'old')" -c "update directus_roles set parent = id where name = 'old'" \
    -c "update directus_roles set parent = null where name = 'old'" -c "delete from directus_roles where name = 'old' returning name" \
    -c "update directus_users set status = 'suspended' returning status" -c "select relowner::regrole = '${base}_old'::regrole from pg_class where relname = 'directus_users'" | tr '\n' ' ')
[ "$seen" = "1 1 t old suspended t " ] || fail "the old owner sees something else: $seen"
seen=$(ask "${base}_opened" -c "set role spark_platform" -c "select count(*) from articles" -c "select count(*) from directus_users" \
    -c "set role spark_tenant" -c "select count(*) from directus_users" -c "select epoch > 1 from spark.epoch" | tr '\n' ' ')
[ "$seen" = "1 1 0 t " ] || fail "the lanes see something else: $seen"
if ask "${base}_opened" -c "set role spark_tenant" -c "select count(*) from articles" 2>/dev/null; then
    fail "a tenant reads a collection that nobody marked"
fi

say "and takes the pack when asked"
migrate "${base}_opened" pack
ask "${base}_opened" -c "select count(*) > 40 from spark.collections" | grep -q t || fail "the pack is not there"

say "all good"
