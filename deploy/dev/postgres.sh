#!/bin/sh
# PostgreSQL for development and tests: one throw-away cluster in a folder, on loopback only.
#   install     as root on Debian installs the server; elsewhere says what to install (exit 0)
#   start DIR   makes the cluster if there is none, starts it, prints KEY=value lines when it is ready
#   stop DIR    stops it and keeps its data: the next start continues on the same port
# Durable as in production (fsync is on): tests kill it and count what is left.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=deploy/dev/common.sh
. "$here/common.sh"

PACKAGE=postgresql
FLOOR=15

say() { echo "postgres.sh: $*" >&2; }

find_binaries() {
  for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -t/ -k5,5nr) /usr/pgsql-*/bin; do
    [ -x "$folder/postgres" ] && { echo "$folder"; return; }
  done
  found=$(command -v postgres) && dirname "$(readlink -f "$found")"
}

# The server refuses to run as root.
as_server() {
  if [ "$(id -u)" -ne 0 ]; then "$@"; return; fi
  if id postgres >/dev/null 2>&1; then user=postgres; else user=nobody; fi
  setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- "$@"
}

own() {
  [ "$(id -u)" -ne 0 ] && return
  if id postgres >/dev/null 2>&1; then chown -R postgres "$@"; else chown -R nobody "$@"; fi
}

install_server() {
  [ -n "$(find_binaries)" ] && return
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    say "PostgreSQL $FLOOR or newer is missing. Debian, Ubuntu: sudo apt-get install $PACKAGE"
    return
  fi
  export DEBIAN_FRONTEND=noninteractive
  # No cluster of the system's own: nothing shall run that nobody asked for.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] ||
    echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
  apt-get update -qq >/dev/null || say "the package lists could not be refreshed; trying those at hand"
  apt-get install -y -qq --no-install-recommends "$PACKAGE" >/dev/null
}

make_cluster() {
  umask 077
  od -An -N16 -tx1 /dev/urandom | tr -d ' \n' > "$dir/password"
  mkdir "$dir/data" "$dir/socket"
  own "$dir/data" "$dir/socket" "$dir/password"
  as_server "$bin/initdb" --pgdata="$dir/data" --username=postgres --pwfile="$dir/password" \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-sync > "$dir/initdb.log" 2>&1 ||
    { cat "$dir/initdb.log" >&2; exit 1; }
  cat >> "$dir/data/postgresql.conf" <<SETTINGS
listen_addresses = '127.0.0.1'
unix_socket_directories = '$dir/socket'
unix_socket_permissions = 0777
fsync = on
synchronous_commit = on
shared_buffers = 128MB
max_wal_size = 1GB
max_connections = 100
logging_collector = off
SETTINGS
}

run_server() {
  as_server "$bin/pg_ctl" --pgdata="$dir/data" --log="$dir/data/server.log" --wait --silent \
    --options="-p $1" start </dev/null >/dev/null 2>&1
}

start() {
  bin=$(find_binaries)
  [ -n "$bin" ] || { say "PostgreSQL is missing; run: $0 install"; exit 1; }
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  as_server test -x "$dir" || { say "the server's user cannot enter $dir"; exit 1; }
  [ -e "$dir/data/PG_VERSION" ] || make_cluster
  if [ -e "$dir/port" ]; then
    port=$(cat "$dir/port")
    as_server "$bin/pg_ctl" --pgdata="$dir/data" status >/dev/null 2>&1 || run_server "$port" ||
      { cat "$dir/data/server.log" >&2; exit 1; }
  else
    tries=0
    until port=$(random_port) && run_server "$port"; do
      tries=$((tries + 1))
      [ "$tries" -lt 8 ] || { cat "$dir/data/server.log" >&2; exit 1; }
    done
    PGPASSWORD=$(cat "$dir/password")
    export PGPASSWORD
    "$bin/psql" --quiet --no-psqlrc --host=127.0.0.1 --port="$port" --username=postgres \
      --set=ON_ERROR_STOP=1 --set=secret="$PGPASSWORD" <<'SQL'
CREATE ROLE holdfast LOGIN CREATEDB PASSWORD :'secret';
CREATE DATABASE holdfast OWNER holdfast;
SQL
    echo "$port" > "$dir/port"
  fi
  echo "URL=postgresql://holdfast@127.0.0.1:$port/holdfast"
  echo "PASSWORD=$(cat "$dir/password")"
  echo "ADMIN_URL=postgresql://postgres@127.0.0.1:$port/postgres"
  echo "SOCKET=$dir/socket"
  echo "PID=$(head -n 1 "$dir/data/postmaster.pid")"
}

stop() {
  bin=$(find_binaries)
  [ -e "$dir/data/postmaster.pid" ] || return 0
  as_server "$bin/pg_ctl" --pgdata="$dir/data" --mode="${STOP_MODE:-fast}" --wait --silent stop >/dev/null
}

case "${1:-}" in
  install) install_server ;;
  start | stop) dir=${2:?"usage: $0 $1 DIR"}; "$1" ;;
  *) say "usage: $0 install | start DIR | stop DIR"; exit 2 ;;
esac
