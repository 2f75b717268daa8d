#!/bin/sh
# Make the files of secrets that compose.yaml names, once each; what is there is never changed.
#   deploy/make-secrets.sh [FOLDER]     default: the folder `secrets` beside this file
# Mode 0400. As root they are given to user 1000, as whom all containers run; else run it as that user.
set -eu

folder=${1:-$(dirname "$0")/secrets}
umask 077
mkdir -p "$folder"
for name in catalogue_password index_password vault_secret_key work_password; do
  file=$folder/$name
  [ ! -e "$file" ] || continue
  # Letters and digits alone, no line end: safe in every configuration file that takes it.
  od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > "$file.new"
  chmod 0400 "$file.new"
  [ "$(id -u)" -ne 0 ] || chown 1000:1000 "$file.new"
  mv "$file.new" "$file"
  echo "made $file"
done
[ "$(id -u)" -ne 0 ] || chown 1000:1000 "$folder"
