#!/bin/sh
# Install Holdfast with its engines, from this source and the locked requirements, into TARGET.
#   deploy/build-tree.sh TARGET
# Reproducible: the same source, Python and SOURCE_DATE_EPOCH give the same bytes in the same TARGET.
# The Dockerfile uses it; so may a host without containers (deploy/RUNBOOK.md).
set -eu

[ $# -eq 1 ] || { echo "usage: $0 TARGET" >&2; exit 2; }
case $1 in /*) target=$1 ;; *) target=$PWD/$1 ;; esac
[ ! -e "$target" ] || { echo "$target is there already; remove it first." >&2; exit 5; }
source=$(cd "$(dirname "$0")/.." && pwd)
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-0}"
export PYTHONHASHSEED=0 # the order of sets is part of compiled files
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
umask 022

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${PYTHON:-python3}" -m venv "$work/builder"
"$work/builder/bin/pip" install --quiet --require-hashes -r "$source/requirements/build.txt"
(cd "$source" && "$work/builder/bin/hatchling" build -t wheel -d "$work/wheel" >/dev/null)

"${PYTHON:-python3}" -m venv --without-pip "$target"
into() { "$work/builder/bin/pip" --python "$target/bin/python" install --quiet --no-compile "$@"; }
into --require-hashes -r "$source/requirements/runtime.txt" -r "$source/requirements/engines.txt"
into --no-deps --no-index --find-links "$work/wheel" holdfast
# Compiled files that name a hash instead of a time, and are never looked up again: the tree is read-only.
"$target/bin/python" -m compileall -q --invalidation-mode unchecked-hash "$target/lib" >/dev/null
find "$target" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
"$target/bin/holdfast" --version >&2
