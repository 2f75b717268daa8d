#!/bin/sh
# An S3 server with Object Lock on loopback, for tests and trials; nothing here is for production.
#
#   install     fetch the server (versitygw, a Go program); says what is missing, and succeeds
#   start DIR   run it on a free port with its data under DIR; prints KEY=value lines when it answers.
#               After `stop` the same DIR gives the same port, keys and data.
#   stop DIR    end it; the data stays until DIR is removed
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=deploy/dev/common.sh
. "$here/common.sh"

MODULE=github.com/versity/versitygw/cmd/versitygw
VERSION=v1.8.0

CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/holdfast-dev"
FOLDER="$CACHE/versitygw-$VERSION"
PROGRAM="$FOLDER/versitygw"

say() { echo "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

install() {
  [ ! -x "$PROGRAM" ] || return 0
  go=$("$(dirname "$0")/go.sh" path) || return 0
  say "Building $MODULE@$VERSION; this takes minutes the first time"
  mkdir -p "$FOLDER"
  made=$(mktemp -d "$FOLDER/build.XXXXXX")
  trap 'rm -rf "$made"' EXIT
  env -u GOROOT GOBIN="$made" GOTOOLCHAIN="${GOTOOLCHAIN:-auto}" "$go" install "$MODULE@$VERSION"
  mv -f "$made/versitygw" "$PROGRAM" # in one step, so that a cut build is never taken for the server
}

random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

answers() {
  python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' \
    "$1" 2>/dev/null
}

keeps_attributes() {
  python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.holdfast", b"1")' "$1" 2>/dev/null
}

is_running() { [ -s "$1/pid" ] && kill -0 "$(cat "$1/pid")" 2>/dev/null; }

write_settings() {
  umask 077
  mkdir -p "$1/data" "$1/versions"
  {
    echo "S3_PORT=$(random_port)"
    echo "S3_ACCESS_KEY=dev$(random_hex 8)"
    echo "S3_SECRET_KEY=$(random_hex 20)"
  } >"$1/settings"
}

# Begin the server on the port of the settings; false if it ends at once, as on a taken port.
launch() {
  # shellcheck disable=SC1091  # written by write_settings
  . "$1/settings"
  set -- "$1" posix --versioning-dir "$1/versions" "$1/data"
  if ! keeps_attributes "$1/data"; then
    mkdir -p "$1/attributes"
    set -- "$1" posix --versioning-dir "$1/versions" --sidecar "$1/attributes" "$1/data"
  fi
  folder=$1
  shift
  # The keys go by environment: arguments are seen by everybody on the host.
  ROOT_ACCESS_KEY=$S3_ACCESS_KEY ROOT_SECRET_KEY=$S3_SECRET_KEY VGW_REGION=us-east-1 \
    VGW_PORT="127.0.0.1:$S3_PORT" VGW_KEEP_ALIVE=true VGW_QUIET=true \
    nohup "$PROGRAM" "$@" </dev/null >>"$folder/log" 2>&1 &
  echo $! >"$folder/pid"
  waited=0
  while [ "$waited" -lt 100 ]; do
    is_running "$folder" || return 1
    if answers "$S3_PORT" && is_running "$folder"; then return 0; fi
    waited=$((waited + 1))
    sleep 0.1
  done
  return 1
}

start() {
  [ -x "$PROGRAM" ] || fail "The S3 server is not installed: run '$0 install'."
  mkdir -p "$1"
  dir=$(cd "$1" && pwd)
  if ! is_running "$dir"; then
    kept=
    [ ! -s "$dir/settings" ] || kept=yes
    tries=0
    until [ "$tries" -ge 5 ]; do
      [ -n "$kept" ] || write_settings "$dir"
      launch "$dir" && break
      stop "$dir"
      tries=$((tries + 1))
    done
    is_running "$dir" || fail "The S3 server does not start; see $dir/log."
  fi
  # shellcheck disable=SC1091
  . "$dir/settings"
  echo "S3_ENDPOINT=http://127.0.0.1:$S3_PORT"
  echo "S3_REGION=us-east-1"
  echo "S3_ACCESS_KEY=$S3_ACCESS_KEY"
  echo "S3_SECRET_KEY=$S3_SECRET_KEY"
  echo "S3_PID=$(cat "$dir/pid")"
}

stop() {
  if is_running "$1"; then
    pid=$(cat "$1/pid")
    kill "$pid" 2>/dev/null || true
    waited=0
    while kill -0 "$pid" 2>/dev/null && [ "$waited" -lt 50 ]; do
      waited=$((waited + 1))
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
  fi
  rm -f "$1/pid"
}

case "${1:-}:$#" in
  install:1) install ;;
  start:2) start "$2" ;;
  stop:2) stop "$2" ;;
  *) fail "usage: $0 install | start DIR | stop DIR" ;;
esac
