#!/bin/sh
# Exim for development and tests: one throw-away server in a folder, on loopback only.
#   install               as root on Debian fetches the server; elsewhere says what to install (exit 0)
#   start DIR [lmtp:]HOST:PORT HOST:PORT
#                         starts it, with the queue it kept, and prints KEY=value lines when it
#                         listens; copies of what it takes go to the first HOST:PORT by the settings
#                         of deploy/exim, and the mail itself goes to the second
#   flush DIR             has it try what waits in its queue, and returns when it has
#   stop DIR              stops it and keeps its queue
# It must be root. USER logs in with the password PASSWORD.
set -eu

PACKAGE=exim4-daemon-light
# Exim looks this user up by its name, which is built in.
OWNER=Debian-exim

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=deploy/dev/common.sh
. "$here/common.sh"
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/holdfast-dev"
FETCHED="$CACHE/exim-1/exim4"

say() { echo "exim.sh: $*" >&2; }

program() {
  for each in /usr/sbin/exim4 /usr/sbin/exim "$FETCHED"; do
    [ -x "$each" ] || continue
    # Other systems link Postfix's sendmail under this name.
    "$each" -C /dev/null -bV 2>/dev/null | grep -q '^Exim version' && echo "$each" && return
  done
  return 1
}

is_there() { [ "$(id -u)" -eq 0 ] && program >/dev/null && id "$OWNER" >/dev/null 2>&1; }

# The package itself would put Postfix out: of mail servers Debian lets in one. So it is unpacked here, and only the
# libraries that it names are installed.
fetch() {
  made=$(mktemp -d "$CACHE/exim.XXXXXX")
  (
    cd "$made"
    apt-get download -qq "$PACKAGE" 2>/dev/null >&2
    dpkg -x "$PACKAGE"_*.deb .
    needs=$(dpkg-deb -f "$PACKAGE"_*.deb Depends | tr ',' '\n' | sed -n 's/^ *\(lib[^ :|]*\).*/\1/p')
    # shellcheck disable=SC2086  # a list of words
    apt-get install -y -qq --no-install-recommends --no-upgrade $needs >/dev/null
  ) && mkdir -p "${FETCHED%/*}" && chmod 755 "$made/usr/sbin/exim4" && mv -f "$made/usr/sbin/exim4" "$FETCHED" || say "the package $PACKAGE cannot be had"
  rm -rf "$made"
}

install_server() {
  is_there && return
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    say "Exim is missing, or this is not root. Debian, Ubuntu: sudo $0 install"
    return
  fi
  export DEBIAN_FRONTEND=noninteractive
  mkdir -p "$CACHE"
  apt-get update -qq >/dev/null || say "the package lists could not be refreshed; trying those at hand"
  program >/dev/null || fetch
  id "$OWNER" >/dev/null 2>&1 ||
    useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$OWNER"
}

# The settings of deploy/exim as they stand, but for where Holdfast is.
setting() {
  sed -e "s/^HOLDFAST_HOST = .*/HOLDFAST_HOST = ${target%:*}/" \
    -e "s/^HOLDFAST_PORT = .*/HOLDFAST_PORT = ${target##*:}/" \
    -e "s/^HOLDFAST_PROTOCOL = .*/HOLDFAST_PROTOCOL = $how/" "$here/../exim/$1"
}

configure() {
  mkdir -p "$dir/spool" "$dir/log"
  chown "$OWNER" "$dir/spool" "$dir/log"
  chmod 755 "$dir"
  # It starts itself anew as its own user, who may not look into the home of root.
  cp -f "$(program)" "$dir/exim"
  chmod 755 "$dir/exim"
  how=smtp
  case $target in lmtp:*) how=lmtp target=${target#lmtp:} ;; esac
  {
    setting main
    cat <<SETTINGS
exim_path = $dir/exim
deliver_drop_privilege
spool_directory = $dir/spool
log_file_path = $dir/log/%s
pid_file_path = $dir/pid
primary_hostname = exim.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = $port
disable_ipv6
keep_environment =
tls_advertise_hosts =
smtp_accept_max = 0
smtp_accept_queue_per_connection = 0
never_users =
acl_smtp_rcpt = take
acl_smtp_data = look

begin acl

take:
  accept

look:
$(setting data)
  accept

SETTINGS
    setting acl
    printf '\nbegin routers\n\n'
    setting router
    cat <<SETTINGS

mailboxes:
  driver = manualroute
  route_list = * ${mailboxes%:*}
  transport = mailboxes
  self = send

begin transports

SETTINGS
    setting transport
    cat <<SETTINGS

mailboxes:
  driver = smtp
  port = ${mailboxes##*:}
  message_linelength_limit = 1G

begin retry

SETTINGS
    setting retry
    cat <<SETTINGS
*  *  F,4d,15m

begin authenticators

plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and {{eq {\$auth2}{USER}} {eq {\$auth3}{PASSWORD}}}}
  server_set_id = \$auth2
SETTINGS
  } > "$dir/exim.conf"
}

exim() { "$dir/exim" -C "$dir/exim.conf" "$@"; }

pid() { cat "$dir/pid" 2>/dev/null || echo 0; }

is_up() { is_alive "$(pid)"; }

run_server() {
  configure
  exim -bd >"$dir/start.log" 2>&1 || return 1
  looks=0
  until is_up && listens "$port"; do
    looks=$((looks + 1))
    [ "$looks" -lt 100 ] || return 1
    sleep 0.1
  done
}

start() {
  is_there || { say "Exim is missing, or this is not root; run: $0 install"; exit 1; }
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  if [ -e "$dir/port" ]; then
    port=$(cat "$dir/port")
    is_up || run_server || { cat "$dir/start.log" >&2; exit 1; }
  else
    tries=0
    until port=$(random_port) && run_server; do
      tries=$((tries + 1))
      [ "$tries" -lt 4 ] || { cat "$dir/start.log" "$dir"/log/* >&2; exit 1; }
    done
    echo "$port" > "$dir/port"
  fi
  echo "PORT=$port"
  echo "QUEUE=$dir/spool/input"
  echo "PROGRAM=$dir/exim"
  echo "CONFIG=$dir/exim.conf"
}

stop() {
  is_up || return 0
  end "$(pid)"
}

case "${1:-}" in
  install) install_server ;;
  start | flush | stop)
    dir=${2:?"usage: $0 $1 DIR"}
    target=${3:-}
    mailboxes=${4:-}
    case $1 in
      start) : "${mailboxes:?"usage: $0 start DIR [lmtp:]HOST:PORT HOST:PORT"}"; start ;;
      flush) exim -qff ;;
      stop) stop ;;
    esac ;;
  *) say "usage: $0 install | start DIR [lmtp:]HOST:PORT HOST:PORT | flush DIR | stop DIR"; exit 2 ;;
esac
