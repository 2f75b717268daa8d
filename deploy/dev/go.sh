#!/bin/sh
# Print the path of a Go command that can build today's modules; installs one where it may.
#
# Go 1.21 and newer fetch the toolchain that a module asks for by themselves. Older ones, as Debian 12
# has, fetch it here by the same way: as a module, with its checksum from Go's own database.
set -eu

TOOLCHAIN=go1.25.5
ENOUGH=21

CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/holdfast-dev"
PATH="$PATH:/usr/local/go/bin:/usr/lib/go/bin"

say() { echo "go.sh: $*" >&2; }

is_enough() {
  minor=$("$1" env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  [ "${minor:-0}" -ge "$ENOUGH" ]
}

from_debian() {
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1 || return 0
  say "installing the Go toolchain"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null || say "the package lists could not be refreshed; trying those at hand"
  apt-get install -y -qq --no-install-recommends golang-go ca-certificates >/dev/null || true
}

# fetch OLD FOLDER: the newer toolchain by means of the old one, in one step at the end.
fetch() {
  say "fetching $TOOLCHAIN"
  made=$(mktemp -d "$CACHE/go.XXXXXX")
  name="$TOOLCHAIN.$("$1" env GOOS)-$("$1" env GOARCH)"
  GOMODCACHE=$made/mod GOPATH=$made/go GOCACHE=$made/cache GOFLAGS=-modcacherw \
    "$1" mod download "golang.org/toolchain@v0.0.1-$name" || { rm -rf "$made"; return 1; }
  found=$made/mod/golang.org/toolchain@v0.0.1-$name
  chmod -R u+w "$found"
  chmod +x "$found"/bin/* "$found"/pkg/tool/*/* # modules carry no such bits
  mv "$found" "$2"
  rm -rf "$made"
}

case "${1:-}" in
  path) ;;
  *) say "usage: $0 path"; exit 2 ;;
esac
kept=$CACHE/$TOOLCHAIN
command -v go >/dev/null 2>&1 || [ -x "$kept/bin/go" ] || from_debian
for found in "$(command -v go || true)" "$kept/bin/go"; do
  if [ -n "$found" ] && is_enough "$found"; then echo "$found"; exit 0; fi
done
mkdir -p "$CACHE"
old=$(command -v go || true)
if [ -z "$old" ] || ! fetch "$old" "$kept"; then
  say "Go 1.$ENOUGH or newer is missing: install it from https://go.dev/dl and repeat."
  exit 1
fi
echo "$kept/bin/go"
