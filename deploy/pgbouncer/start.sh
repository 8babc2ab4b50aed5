#!/bin/sh
# Writes the one password that PgBouncer has to know, and becomes PgBouncer.
set -eu
: "${PGBOUNCER_PASSWORD:?is not set}"
umask 077
printf '"pgbouncer" "%s"\n' "$PGBOUNCER_PASSWORD" > /tmp/userlist.txt
exec pgbouncer "${1:-/etc/pgbouncer/pgbouncer.ini}"
