#!/bin/bash
# Run once by the image of PostgreSQL, on an empty volume: the gateway's role and database, and the account by which PgBouncer looks up secrets.
set -euo pipefail
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set=omnistream="$OMNISTREAM_DB_PASSWORD" --set=pgbouncer="$PGBOUNCER_PASSWORD" <<'SQL'
create role omnistream login password :'omnistream' createdb createrole;
create database omnistream owner omnistream;
create role pgbouncer login superuser password :'pgbouncer';
SQL
