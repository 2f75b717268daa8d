#!/bin/sh
# Postfix for development and tests: one throw-away server in a folder, on loopback only.
#   install               as root on Debian installs the server; elsewhere says what to install (exit 0)
#   start DIR [[lmtp:]HOST:PORT] starts it, with the queue it kept, and prints KEY=value lines when it
#                         listens; what it takes goes to HOST:PORT, or is thrown away without one
#   flush DIR             has it try at once what waits in its queue
#   stop DIR              stops it and keeps its queue
# Settings in DIR/more.cf and services in DIR/more.master come last; tables that they name lie in DIR/etc.
# Its master needs root. It tries again after one second, so that tests need not wait.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=deploy/dev/common.sh
. "$here/common.sh"

PACKAGE=postfix

say() { echo "postfix.sh: $*" >&2; }

is_there() { [ -x /usr/sbin/postfix ] && [ -x /usr/lib/postfix/sbin/master ] && [ "$(id -u)" -eq 0 ]; }

install_server() {
  is_there && return
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    say "Postfix is missing, or this is not root. Debian, Ubuntu: sudo apt-get install $PACKAGE"
    return
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null || say "the package lists could not be refreshed; trying those at hand"
  echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
  apt-get install -y -qq --no-install-recommends "$PACKAGE" >/dev/null
  # No server of the system's own: nothing shall run that nobody asked for.
  if [ -d /run/systemd/system ]; then systemctl disable --now --quiet postfix; fi
}

configure() {
  mkdir -p "$dir/etc" "$dir/queue" "$dir/data"
  chmod 755 "$dir" "$dir/etc" "$dir/queue"
  chown postfix "$dir/data"
  transport=discard:
  how=smtp
  case $target in lmtp:*) how=lmtp target=${target#lmtp:} ;; esac
  [ -z "$target" ] || transport="$how:[${target%:*}]:${target##*:}"
  cat > "$dir/etc/main.cf" <<SETTINGS
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.example
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
default_transport = $transport
relay_transport = $transport
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
smtp_host_lookup = native
default_process_limit = 200
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
transport_retry_time = 1s
smtp_connect_timeout = 5s
maillog_file = $dir/queue/log
maillog_file_prefixes = $dir
SETTINGS
  [ ! -e "$dir/more.cf" ] || cat "$dir/more.cf" >> "$dir/etc/main.cf"
  { echo "127.0.0.1:$port inet n - n - - smtpd"
    grep -Ev '^(#|[[:space:]]|smtp +inet|maildrop|uucp|ifmail|bsmtp|scalemail-backend|mailman|postlog )' \
      /etc/postfix/master.cf.proto | awk 'NF >= 8 { $5 = "n"; print }'
    echo "postlog unix-dgram n - n - 1 postlogd"
    [ ! -e "$dir/more.master" ] || cat "$dir/more.master"
  } > "$dir/etc/master.cf"
}

is_ours() { [ -s "$dir/queue/pid/master.pid" ] && postfix -c "$dir/etc" status >/dev/null 2>&1; }

run_server() {
  configure
  postfix -c "$dir/etc" start >"$dir/start.log" 2>&1 || return 1
  looks=0
  until is_ours && listens "$port"; do
    looks=$((looks + 1))
    [ "$looks" -lt 100 ] || return 1
    sleep 0.1
  done
}

start() {
  is_there || { say "Postfix is missing, or this is not root; run: $0 install"; exit 1; }
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  if [ -e "$dir/port" ]; then
    port=$(cat "$dir/port")
    is_ours || run_server || { cat "$dir/start.log" >&2; exit 1; }
  else
    tries=0
    until port=$(random_port) && run_server; do
      postfix -c "$dir/etc" stop >/dev/null 2>&1 || true
      tries=$((tries + 1))
      [ "$tries" -lt 4 ] || { cat "$dir/start.log" >&2; exit 1; }
    done
    echo "$port" > "$dir/port"
  fi
  echo "PORT=$port"
  echo "QUEUE=$dir/queue"
}

case "${1:-}" in
  install) install_server ;;
  start | flush | stop)
    dir=${2:?"usage: $0 $1 DIR"}
    target=${3:-}
    case $1 in
      start) start ;;
      flush) postfix -c "$dir/etc" flush ;;
      stop) [ ! -e "$dir/port" ] || postfix -c "$dir/etc" stop >/dev/null 2>&1 || true ;;
    esac ;;
  *) say "usage: $0 install | start DIR [[lmtp:]HOST:PORT] | flush DIR | stop DIR"; exit 2 ;;
esac
