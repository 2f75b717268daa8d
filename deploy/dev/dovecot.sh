#!/bin/sh
# Dovecot for development and tests: one throw-away IMAP server in a folder, on loopback only.
#   install     as root on Debian installs the server; elsewhere says what to install (exit 0)
#   start DIR   starts it, with the mail it kept, and prints KEY=value lines when it is ready
#   stop DIR    stops it and keeps its mail: the next start continues on the same ports
# Every user exists, and the password is that of DIR/password. Mail lies in DIR/mail/USER as Maildir.
# IMAP with STARTTLS on one port and IMAP over TLS on another; the certificate is for `localhost` and
# is signed by DIR/ca.pem. Settings in DIR/more.conf come last. It must be started as root: it gives its rights up by itself.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=deploy/dev/common.sh
. "$here/common.sh"

PACKAGE=dovecot-imapd
FLOOR=2.3
# What one user may hold open; tests provoke the refusal of one more.
CONNECTIONS=4

say() { echo "dovecot.sh: $*" >&2; }

PATH="$PATH:/usr/sbin:/sbin"

is_there() {
  command -v dovecot >/dev/null 2>&1 && command -v openssl >/dev/null 2>&1 &&
    [ -x /usr/lib/dovecot/imap ]
}

install_server() {
  is_there && return
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    say "Dovecot $FLOOR or newer is missing. Debian, Ubuntu: sudo apt-get install $PACKAGE openssl"
    return
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null || say "the package lists could not be refreshed; trying those at hand"
  apt-get install -y -qq --no-install-recommends "$PACKAGE" openssl >/dev/null
  # No server of the system's own: nothing shall run that nobody asked for.
  if [ -d /run/systemd/system ]; then
    systemctl disable --now --quiet dovecot.service dovecot.socket || true
  fi
}

certify() {
  [ -e "$dir/server.pem" ] && return
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=Test authority" \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign" \
    -keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" \
    -keyout "$dir/server.key" -out "$dir/server.csr" 2>/dev/null
  printf 'subjectAltName=DNS:localhost\nauthorityKeyIdentifier=keyid\n' > "$dir/server.ext"
  openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial \
    -days 3650 -extfile "$dir/server.ext" -out "$dir/server.pem" 2>/dev/null
}

configure() {
  [ -e "$dir/password" ] || od -An -N16 -tx1 /dev/urandom | tr -d ' \n' > "$dir/password"
  mkdir -p "$dir/mail" "$dir/run"
  chown dovecot:dovecot "$dir/mail"
  cat > "$dir/dovecot.conf" <<SETTINGS
base_dir = $dir/run
state_dir = $dir/run
log_path = $dir/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <$dir/server.pem
ssl_key = <$dir/server.key
disable_plaintext_auth = no
mail_location = maildir:$dir/mail/%u
first_valid_uid = 1
default_internal_user = dovecot
default_login_user = dovenull
mail_max_userip_connections = $CONNECTIONS
mail_fsync = never
auth_failure_delay = 0
namespace inbox {
  inbox = yes
  separator = /
  mailbox Drafts {
    special_use = \\Drafts
  }
  mailbox Junk {
    special_use = \\Junk
  }
}
# Whoever signs in wrongly again and again is not kept waiting: here that is a test.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  inet_listener imap {
    port = $port
  }
  inet_listener imaps {
    port = $tls_port
    ssl = yes
  }
}
passdb {
  driver = static
  args = password=$(cat "$dir/password")
}
userdb {
  driver = static
  args = uid=dovecot gid=dovecot home=$dir/mail/%u
}
!include_try $dir/more.conf
SETTINGS
}

pid() { cat "$dir/run/master.pid" 2>/dev/null || echo 0; }

is_up() { is_alive "$(pid)"; }

run_server() {
  configure
  dovecot -c "$dir/dovecot.conf" 2>>"$dir/errors" || return 1
  looks=0
  until is_up; do
    looks=$((looks + 1))
    [ "$looks" -lt 100 ] || return 1
    sleep 0.05
  done
}

start() {
  is_there || { say "Dovecot is missing; run: $0 install"; exit 1; }
  [ "$(id -u)" -eq 0 ] || { say "Dovecot is missing: only root can start it"; exit 1; }
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  umask 022
  certify
  if [ -e "$dir/ports" ]; then
    read -r port tls_port < "$dir/ports"
    is_up || run_server || { cat "$dir/errors" "$dir/log" >&2; exit 1; }
  else
    tries=0
    until port=$(random_port) && tls_port=$((port + 1)) && run_server; do
      tries=$((tries + 1))
      [ "$tries" -lt 8 ] || { cat "$dir/errors" "$dir/log" >&2; exit 1; }
    done
    echo "$port $tls_port" > "$dir/ports"
  fi
  echo "PORT=$port"
  echo "TLS_PORT=$tls_port"
  echo "PASSWORD=$(cat "$dir/password")"
  echo "CA_FILE=$dir/ca.pem"
  echo "PID=$(pid)"
}

stop() {
  dir=$(cd "$dir" 2>/dev/null && pwd) || return 0
  is_up || return 0
  end "$(pid)"
}

case "${1:-}" in
  install) install_server ;;
  start | stop) dir=${2:?"usage: $0 $1 DIR"}; "$1" ;;
  *) say "usage: $0 install | start DIR | stop DIR"; exit 2 ;;
esac
