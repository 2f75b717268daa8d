#!/bin/sh
# The checkers of deploy/: helm, promtool, the loader of Compose files, the schemas of Kubernetes.
#   install   fetch what is missing; says what it cannot have, and succeeds
#   path      print the folder that holds them
# Nothing of it is needed to run Holdfast, nor does a checker reach for the network afterwards.
set -eu

HELM=helm.sh/helm/v3/cmd/helm@v3.19.0
COMPOSE=github.com/compose-spec/compose-go/v2/cmd@v2.9.0

here=$(cd "$(dirname "$0")" && pwd)
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/holdfast-dev"
BIN="$CACHE/checkers-1"

say() { echo "checkers.sh: $*" >&2; }

can_apt() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; }

# build NAME MODULE: the program that `go install` makes, under this name.
build() {
  [ ! -x "$BIN/$1" ] || return 0
  go=$("$here/go.sh" path) || return 0
  say "building $2; this takes a minute or two the first time"
  made=$(mktemp -d "$BIN/build.XXXXXX")
  env -u GOROOT GOBIN="$made" GOTOOLCHAIN="${GOTOOLCHAIN:-auto}" "$go" install "$2"
  mv -f "$made"/* "$BIN/$1"
  rmdir "$made"
}

# From the package, without installing it: that would start a server.
rules() {
  [ ! -x "$BIN/promtool" ] || return 0
  if command -v promtool >/dev/null 2>&1; then ln -sf "$(command -v promtool)" "$BIN/promtool"; return; fi
  if ! command -v apt-get >/dev/null 2>&1; then say "promtool comes with Prometheus 2.40 or newer"; return; fi
  made=$(mktemp -d "$BIN/build.XXXXXX")
  if (cd "$made" && { apt-get download -qq prometheus || { can_apt && apt-get update -qq && apt-get download -qq prometheus; }; }) >/dev/null 2>&1; then
    dpkg -x "$made"/prometheus_*.deb "$made"
    mv -f "$made/usr/bin/promtool" "$BIN/promtool"
  else
    say "the package prometheus, which brings promtool, cannot be had"
  fi
  rm -rf "$made"
}

schemas() {
  [ ! -x "$BIN/kubernetes-validate" ] || return 0
  python3 -m venv "$BIN/venv"
  "$BIN/venv/bin/pip" --disable-pip-version-check --quiet install --require-hashes -r "$here/checkers.txt"
  ln -sf venv/bin/kubernetes-validate "$BIN/kubernetes-validate"
}

units() {
  command -v systemd-analyze >/dev/null 2>&1 && return
  if ! can_apt; then say "systemd-analyze comes with systemd 250 or newer"; return; fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends systemd >/dev/null ||
    say "the package systemd cannot be had"
}

case "${1:-}" in
  install)
    mkdir -p "$BIN"
    build helm "$HELM"
    build compose-load "$COMPOSE"
    rules
    schemas
    units
    ;;
  path) echo "$BIN" ;;
  *) sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
