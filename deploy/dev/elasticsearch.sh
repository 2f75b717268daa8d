#!/bin/sh
# A real Elasticsearch on loopback with throw-away data, for tests and development.
#   elasticsearch.sh install            what it needs: a Java runtime, Maven to fetch it, unzip
#   elasticsearch.sh start DIR [NODES]  start one node (or a cluster), print KEY=value, return when
#                                       ready; of a cluster that runs already, print the same
#   elasticsearch.sh node DIR N         start node N of DIR again
#   elasticsearch.sh stop DIR           stop every node of DIR
# The server of the artifact is whole, but has few of its modules: what is tested needs no others.
set -eu

VERSION=8.19.21
SHA256=215d5f3dbf0609a149f6218a9e47b6ae2df34ebbff3c5754e35f15a5e5393c8a
ARTIFACT="org.elasticsearch.distribution.integ-test-zip:elasticsearch:$VERSION:zip"
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/holdfast-dev"
PRODUCT="$CACHE/elasticsearch-$VERSION"
HEAP="${HOLDFAST_DEV_ES_HEAP:-512m}"
# Starts soon and takes little, for tests; a bench gives what a server of its own would have:
# HOLDFAST_DEV_ES_HEAP=2g HOLDFAST_DEV_ES_JVM=-XX:+UseG1GC
JVM="${HOLDFAST_DEV_ES_JVM:--XX:TieredStopAtLevel=1 -XX:+UseSerialGC}"
DEV_USER=holdfast
DEV_PASSWORD=holdfast-dev

say() { echo "$*" >&2; }

java_home() {
  if [ -n "${JAVA_HOME:-}" ]; then
    echo "$JAVA_HOME"
  else
    java=$(readlink -f "$(command -v java)")
    echo "${java%/bin/java}"
  fi
}

missing_packages() {
  command -v java >/dev/null 2>&1 || printf 'openjdk-17-jre-headless '
  [ -d "$PRODUCT" ] && return
  command -v mvn >/dev/null 2>&1 || printf 'maven '
  command -v unzip >/dev/null 2>&1 || printf 'unzip '
}

fetch() {
  [ -d "$PRODUCT" ] && return
  mkdir -p "$CACHE"
  zip="$CACHE/elasticsearch-$VERSION.zip"
  if ! [ -f "$zip" ]; then
    say "Fetching Elasticsearch $VERSION"
    mvn -q -B dependency:get -Dtransitive=false -Dartifact="$ARTIFACT" >&2
    mvn -q -B dependency:copy -Dartifact="$ARTIFACT" -DoutputDirectory="$CACHE" >&2
  fi
  if ! echo "$SHA256  $zip" | sha256sum -c --quiet - >&2; then
    rm -f "$zip"
    say "The download is not Elasticsearch $VERSION; it was removed."
    exit 1
  fi
  partial=$(mktemp -d "$CACHE/unpack.XXXXXX")
  unzip -q "$zip" -d "$partial"
  mv -T "$partial/elasticsearch-$VERSION" "$PRODUCT" || [ -d "$PRODUCT" ]  # another was faster
  rm -rf "$partial"
}

install() {
  packages=$(missing_packages)
  if [ -n "$packages" ]; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
      say "Elasticsearch for tests needs: $packages"
      say "Debian, Ubuntu: sudo apt-get install --no-install-recommends $packages"
      exit 0
    fi
    say "Installing $packages"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null || say "The package lists could not be refreshed"
    # shellcheck disable=SC2086  # a list of words
    apt-get install -y -qq --no-install-recommends $packages >/dev/null
  fi
  fetch
}

# The server refuses to run as root. It keeps the right to read what root may, so that its data can
# lie in any folder of root's.
as_user() {
  if [ "$(id -u)" -eq 0 ]; then
    setpriv --reuid=65534 --regid=65534 --clear-groups \
      --inh-caps=+dac_override --ambient-caps=+dac_override --securebits=+no_setuid_fixup "$@"
  else
    "$@"
  fi
}

free_port() {
  python3 -c 'import socket
with socket.socket() as one:
    one.bind(("127.0.0.1", 0))
    print(one.getsockname()[1])'
}

configure() { # DIR N PORT TRANSPORT
  node="$1/node$2"
  mkdir -p "$node/data" "$node/logs" "$node/tmp" "$node/snapshots"
  cp -r "$PRODUCT/config" "$node/config"
  sed -i -e '/UseG1GC/d' -e '/gc.log/d' "$node/config/jvm.options"
  cat >"$node/config/elasticsearch.yml" <<EOF
cluster.name: holdfast-dev
node.name: node$2
path.data: $node/data
path.logs: $node/logs
path.repo: $1/snapshots
network.host: 127.0.0.1
http.port: $3
transport.port: $4
xpack.security.enabled: true
xpack.security.transport.ssl.enabled: false
cluster.routing.allocation.disk.threshold_enabled: false
EOF
}

join_cluster() { # DIR NODES SEEDS
  at=1
  while [ "$at" -le "$2" ]; do
    # One master, the first: any other node can be lost without an election.
    roles=data
    [ "$at" -gt 1 ] || roles=master,data
    cat >>"$1/node$at/config/elasticsearch.yml" <<EOF
node.roles: [$roles]
discovery.seed_hosts: [$3]
cluster.initial_master_nodes: [node1]
cluster.fault_detection.leader_check.interval: 500ms
cluster.fault_detection.follower_check.interval: 500ms
EOF
    at=$((at + 1))
  done
}

run_node() { # DIR N
  node="$1/node$2"
  [ "$(id -u)" -ne 0 ] || chown -R 65534:65534 "$node"
  ES_JAVA_HOME=$(java_home) ES_PATH_CONF="$node/config" ES_TMPDIR="$node/tmp" \
    ES_JAVA_OPTS="-Xms$HEAP -Xmx$HEAP $JVM" \
    as_user "$PRODUCT/bin/elasticsearch" -d -p "$node/pid" >"$node/start.log" 2>&1 || {
    tail -n 20 "$node/start.log" >&2
    return 1
  }
}

add_user() { # DIR NODES
  ES_JAVA_HOME=$(java_home) ES_PATH_CONF="$1/node1/config" \
    "$PRODUCT/bin/elasticsearch-users" useradd "$DEV_USER" -p "$DEV_PASSWORD" -r superuser >&2
  at=2
  while [ "$at" -le "$2" ]; do
    cp "$1/node1/config/users" "$1/node1/config/users_roles" "$1/node$at/config/"
    at=$((at + 1))
  done
}

is_running() { # DIR
  [ -f "$1/started" ] || return 1
  for file in "$1"/node*/pid; do kill -0 "$(cat "$file")" 2>/dev/null || return 1; done
}

start() { # DIR NODES
  if is_running "$1"; then
    cat "$1/started"
    return
  fi
  mkdir -p "$1/snapshots"
  urls=""
  seeds=""
  at=1
  while [ "$at" -le "$2" ]; do
    port=$(free_port)
    transport=$(free_port)
    configure "$1" "$at" "$port" "$transport"
    urls="$urls http://127.0.0.1:$port"
    seeds="$seeds\"127.0.0.1:$transport\","
    at=$((at + 1))
  done
  if [ "$2" -eq 1 ]; then
    echo "discovery.type: single-node" >>"$1/node1/config/elasticsearch.yml"
  else
    join_cluster "$1" "$2" "${seeds%,}"
  fi
  add_user "$1" "$2"
  starting=""
  at=1
  while [ "$at" -le "$2" ]; do
    run_node "$1" "$at" &
    starting="$starting $!"
    at=$((at + 1))
  done
  for one in $starting; do
    wait "$one" || { stop "$1"; exit 1; }
  done
  pids=""
  for file in "$1"/node*/pid; do pids="$pids $(cat "$file")"; done
  {
    echo "URL=${urls# }"
    echo "USER=$DEV_USER"
    echo "PASSWORD=$DEV_PASSWORD"
    echo "PIDS=${pids# }"
  } | tee "$1/started"
}

stop() { # DIR
  for file in "$1"/node*/pid; do
    [ -f "$file" ] || continue
    pid=$(cat "$file")
    kill -KILL "$pid" 2>/dev/null || true # its data is thrown away
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  done
  rm -rf "$1"/node* "$1/snapshots" "$1/started"
}

case "${1:-}" in
  install) install ;;
  start) fetch && start "$(mkdir -p "$2" && cd "$2" && pwd)" "${3:-1}" ;;
  node) run_node "$(cd "$2" && pwd)" "$3" && echo "PID=$(cat "$2/node$3/pid")" ;;
  stop) stop "$2" ;;
  *) sed -n '2,7s/^# *//p' "$0" >&2; exit 2 ;;
esac
