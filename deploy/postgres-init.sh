#!/bin/sh
# Runs once, when the database volume is empty: the owner of the database is no superuser, because a
# superuser sees every tenant's rows.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$POSTGRES_PASSWORD" --username postgres --dbname postgres <<'SQL'
create role spark login createrole password :'password';
alter role spark set search_path = public; -- the default begins with a schema of its own name
create database spark owner spark;
SQL
