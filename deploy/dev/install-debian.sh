#!/bin/sh
# Install the system tools that tests and measurements use. Quick and silent when all is there.
# Acts only as root on Debian or a relative of it; elsewhere it says what to install and succeeds:
# a test that misses its tool says "not run", and fails under HOLDFAST_REQUIRE=all.
set -eu

# command:package
TOOLS="strace:strace mkfs.xfs:xfsprogs mkfs.ext4:e2fsprogs notmuch:notmuch mu:maildir-utils xz:xz-utils
faketime:faketime mbsync:isync chromium:chromium"

PATH="$PATH:/usr/sbin:/sbin"

missing_packages() {
  for tool in $TOOLS; do
    command -v "${tool%%:*}" >/dev/null 2>&1 || printf '%s ' "${tool#*:}"
  done
  # Pages are looked at in Chinese too, which a browser without letters draws as boxes.
  [ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || printf 'fonts-noto-cjk '
}

packages=$(missing_packages)
[ -n "$packages" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "Some tests and measurements need system tools that are missing here: $packages" >&2
  echo "Debian, Ubuntu: sudo apt-get install --no-install-recommends $packages" >&2
  exit 0
fi

export DEBIAN_FRONTEND=noninteractive
echo "Installing $packages" >&2
# shellcheck disable=SC2086  # a list of words
install_packages() { apt-get install -y -qq --no-install-recommends $packages >/dev/null; }
apt-get update -qq >/dev/null || echo "The package lists could not be refreshed; trying those at hand" >&2
install_packages || { sleep 3; install_packages; }

packages=$(missing_packages)
[ -z "$packages" ] || { echo "Still missing: $packages" >&2; exit 1; }
