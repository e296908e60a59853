#!/usr/bin/env bash
# MongoDB and RabbitMQ for development and tests: private servers, each instance
# with its own ports, names and data, so that any number run side by side.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/compose.sh
. "$CARILLON_ROOT/scripts/lib/compose.sh"
# shellcheck source=scripts/lib/mongodb.sh
. "$CARILLON_ROOT/scripts/lib/mongodb.sh"
# shellcheck source=scripts/lib/rabbitmq.sh
. "$CARILLON_ROOT/scripts/lib/rabbitmq.sh"

usage() {
  cat <<'TEXT'
usage: scripts/infra.sh COMMAND [--instance NAME]

  up                       start both servers and wait until they answer; safe to repeat
  down [--purge]           stop both; --purge also removes their data and settings
  status                   what runs where; status 1 unless both answer
  env                      print MONGODB_URI, RABBITMQ_URI and RABBITMQ_MANAGEMENT_URI
  kill mongodb|rabbitmq    kill -9 one server, leaving its data
  start mongodb|rabbitmq   start one again, on the same port and data

An instance is a name (default: dev, or CARILLON_INSTANCE). Its state is in
.carillon/NAME (or CARILLON_STATE_DIR/NAME). Taken for MongoDB, the first that can
be had: MONGODB_URI, docker compose, mongod on PATH, mongodb-memory-server,
SecantusDB. For RabbitMQ: RABBITMQ_URI, docker compose, rabbitmq-server (installed
by apt-get or brew where missing). A choice is forced by
CARILLON_MONGODB=docker|mongod|memory-server|secantusdb and CARILLON_RABBITMQ=docker|server.
TEXT
}

probe() { "$NODE" "$CARILLON_ROOT/scripts/lib/probe.mjs" "$@"; }

find_node() {
  NODE=$CARILLON_ROOT/node_modules/.bin/node
  [ -x "$NODE" ] || NODE=$(command -v node) ||
    die "node is missing: install Node.js 22 or newer with npm"
}

# Is the address of this server in our environment one that infra.sh itself gave out? Then it belongs
# to another instance (the tests run in one, and start others), and nobody asked us to use it.
is_from_infra() {
  case ",${CARILLON_INFRA_OWNS:-}," in
    *",$1,"*) return 0 ;;
    *) return 1 ;;
  esac
}

write_env_file() {
  local owns=
  [ "$(mongodb_kind)" = external ] || owns=mongodb
  [ "$(rabbitmq_kind)" = external ] || owns=$owns,rabbitmq
  (
    umask 177
    cat >"$INSTANCE_DIR/env.new"
  ) <<ENV
MONGODB_URI=$(mongodb_uri)
RABBITMQ_URI=$(rabbitmq_uri)
RABBITMQ_MANAGEMENT_URI=$(rabbitmq_management_uri)
CARILLON_INFRA_OWNS=${owns#,}
ENV
  mv "$INSTANCE_DIR/env.new" "$INSTANCE_DIR/env"
}

up() {
  STARTED=
  trap stop_what_was_started EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  mongodb_up
  rabbitmq_up
  write_env_file
  STARTED=
}

# A start that failed half way leaves nothing behind.
stop_what_was_started() {
  local server
  for server in $STARTED; do "${server}_stop" || true; done
}

down() {
  if [ "${1:-}" = --purge ]; then
    purge
  else
    rabbitmq_stop
    mongodb_stop
    say "instance $INSTANCE is down"
  fi
}

# Data that are thrown away need no graceful stop. Logs that others put beside them are left.
purge() {
  local server
  case "$(mongodb_kind) $(rabbitmq_kind)" in *docker*) compose_purge ;; esac
  for server in mongodb rabbitmq; do
    if is_ours "$("${server}_pid")" "$("${server}_mark")"; then "${server}_kill"; fi
    "${server}_stop"
  done
  rm -rf "$MONGODB_DIR" "$RABBITMQ_DIR" "$INSTANCE_DIR/env"
  rmdir "$INSTANCE_DIR" 2>/dev/null || true
  say "instance $INSTANCE is down, its data are removed"
}

status() {
  local server result=0 reason
  for server in mongodb rabbitmq; do
    if ! "${server}_is_running"; then
      printf '%-9s not running\n' "$server"
      result=1
    elif reason=$(with_status_probe "$server"); then
      printf '%-9s up: %s, %s%s\n' "$server" "$("${server}_name")" "$("${server}_address")" "$(show_pid "$server")"
    else
      printf '%-9s running but not answering: %s, %s: %s\n' "$server" "$("${server}_name")" "$("${server}_address")" "$reason"
      result=1
    fi
  done
  return "$result"
}

with_status_probe() { "${1}_probe" 2 2>&1; }

show_pid() {
  local pid
  pid=$("${1}_pid")
  if [ -n "$pid" ]; then printf ', process %s' "$pid"; fi
}

# one_server COMMAND SERVER
one_server() {
  local server=$2
  case $server in
    mongodb | rabbitmq) ;;
    *) die "infra.sh $1 needs one of: mongodb, rabbitmq" ;;
  esac
  case $("${server}_kind") in
    '') die "instance $INSTANCE has no $server: run scripts/infra.sh up --instance $INSTANCE" ;;
    external) die "$("${server}_name") is not ours to $1" ;;
  esac
  if [ "$1" = kill ]; then
    if ! "${server}_is_running"; then die "$server of instance $INSTANCE is not running"; fi
    "${server}_kill"
    say "$server killed, its data are left as they are"
    return 0
  fi
  if "${server}_is_running"; then
    "${server}_probe" 30
    say "$server already up, $("${server}_address")"
    return 0
  fi
  if port_is_taken "$("${server}_port")"; then
    die "port $("${server}_port") of $server is taken by another process; infra.sh up would choose a new one"
  fi
  "${server}_start" || exit 1
  say "$server up again, $("${server}_address")"
}

# -----------------------------------------------------------------------------

command=${1:-}
[ $# -eq 0 ] || shift
INSTANCE=${CARILLON_INSTANCE:-dev}
server=
purge=
while [ $# -gt 0 ]; do
  case $1 in
    --instance)
      INSTANCE=${2:?"--instance needs a name"}
      shift
      ;;
    --instance=*) INSTANCE=${1#*=} ;;
    --purge) purge=--purge ;;
    mongodb | rabbitmq) server=$1 ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
  shift
done
case $INSTANCE in
  *[!A-Za-z0-9_-]* | '') die "an instance is named with letters, digits, - and _ only, not \"$INSTANCE\"" ;;
esac

INSTANCE_DIR=$CARILLON_STATE/$INSTANCE
case $command in
  up | down | kill | start | status)
    mkdir -p "$CARILLON_STATE" "$CARILLON_CACHE"
    INSTANCE_DIR=$(cd "$CARILLON_STATE" && pwd -P)/$INSTANCE
    ;;
esac
MONGODB_DIR=$INSTANCE_DIR/mongodb
RABBITMQ_DIR=$INSTANCE_DIR/rabbitmq
TAG=$(printf '%s' "$INSTANCE" | tr 'A-Z_' 'a-z-')-$(path_hash "$INSTANCE_DIR")

# From the checkout: the driver is found there, and no server keeps the caller's folder in use.
cd "$CARILLON_ROOT"
case $command in
  up | down | kill | start)
    find_node
    lock 9 "$CARILLON_STATE/.lock-$INSTANCE"
    ;;
  status) find_node ;;
esac

case $command in
  up) up ;;
  down) down "$purge" ;;
  status) status ;;
  kill | start) one_server "$command" "$server" ;;
  env)
    [ -f "$INSTANCE_DIR/env" ] || die "instance $INSTANCE was never up: run scripts/infra.sh up --instance $INSTANCE"
    cat "$INSTANCE_DIR/env"
    ;;
  help | --help | -h) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
