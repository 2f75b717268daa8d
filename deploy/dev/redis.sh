#!/bin/sh
# Redis for development and tests: one throw-away server in a folder, on loopback only.
#   install     as root on Debian installs the server; elsewhere says what to install (exit 0)
#   start DIR   starts it, with what it kept, and prints KEY=value lines when it is ready
#   stop DIR    stops it and keeps its data: the next start continues on the same port
# Keeps an append-only file, synced every second, as is usual in production. Asks for a password,
# which stands in files that only its owner may read, never in the arguments of a process.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=deploy/dev/common.sh
. "$here/common.sh"

PACKAGE=redis-server
FLOOR=7

say() { echo "redis.sh: $*" >&2; }

is_there() { command -v redis-server >/dev/null 2>&1 && command -v redis-cli >/dev/null 2>&1; }

install_server() {
  is_there && return
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    say "Redis $FLOOR or newer is missing. Debian, Ubuntu: sudo apt-get install $PACKAGE"
    return
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null || say "the package lists could not be refreshed; trying those at hand"
  apt-get install -y -qq --no-install-recommends "$PACKAGE" >/dev/null
  # No server of the system's own: nothing shall run that nobody asked for.
  if [ -d /run/systemd/system ]; then systemctl disable --now --quiet redis-server; fi
}

# The server has no need to be root.
as_server() {
  if [ "$(id -u)" -ne 0 ]; then "$@"; return; fi
  setpriv --reuid="$(server_user)" --regid="$(id -g "$(server_user)")" --clear-groups -- "$@"
}

server_user() { if id redis >/dev/null 2>&1; then echo redis; else echo nobody; fi; }

ask() {
  # Who has the port may be mute.
  REDISCLI_AUTH=$(cat "$dir/password") timeout 5 redis-cli -h 127.0.0.1 -p "$port" "$@" 2>/dev/null
}

is_ours() { [ "$(ask config get dir | tail -n 1)" = "$dir/data" ]; }

configure() {
  umask 077
  [ -e "$dir/password" ] || od -An -N16 -tx1 /dev/urandom | tr -d ' \n' > "$dir/password"
  mkdir -p "$dir/data"
  cat > "$dir/redis.conf" <<SETTINGS
bind 127.0.0.1
port $port
protected-mode yes
requirepass $(cat "$dir/password")
dir $dir/data
pidfile $dir/data/redis.pid
logfile $dir/data/server.log
daemonize yes
appendonly yes
appendfsync everysec
save ""
maxmemory 64mb
maxmemory-policy noeviction
SETTINGS
  if [ "$(id -u)" -eq 0 ]; then chown -R "$(server_user)" "$dir/data" "$dir/redis.conf"; fi
}

run_server() {
  configure
  rm -f "$dir/data/server.log"
  as_server redis-server "$dir/redis.conf" >/dev/null 2>&1 || return 1
  looks=0
  until is_ours; do
    looks=$((looks + 1))
    [ "$looks" -lt 100 ] || return 1
    # Not ready, or another server has the port.
    if grep -q "Failed listening" "$dir/data/server.log" 2>/dev/null; then return 1; fi
    sleep 0.05
  done
}

start() {
  is_there || { say "Redis is missing; run: $0 install"; exit 1; }
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  as_server test -x "$dir" || { say "the server's user cannot enter $dir"; exit 1; }
  if [ -e "$dir/port" ]; then
    port=$(cat "$dir/port")
    is_ours || run_server || { cat "$dir/data/server.log" >&2; exit 1; }
  else
    tries=0
    until port=$(random_port) && run_server; do
      tries=$((tries + 1))
      [ "$tries" -lt 8 ] || { cat "$dir/data/server.log" >&2; exit 1; }
    done
    echo "$port" > "$dir/port"
  fi
  echo "URL=redis://127.0.0.1:$port/0"
  echo "PASSWORD=$(cat "$dir/password")"
  echo "PORT=$port"
  echo "PID=$(cat "$dir/data/redis.pid")"
}

stop() {
  [ -e "$dir/port" ] || return 0
  dir=$(cd "$dir" && pwd)
  port=$(cat "$dir/port")
  is_ours || return 0
  pid=$(cat "$dir/data/redis.pid")
  ask shutdown nosave >/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}

case "${1:-}" in
  install) install_server ;;
  start | stop) dir=${2:?"usage: $0 $1 DIR"}; "$1" ;;
  *) say "usage: $0 install | start DIR | stop DIR"; exit 2 ;;
esac
