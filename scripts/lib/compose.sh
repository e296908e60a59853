# shellcheck shell=bash disable=SC2034 # what is set here is used by those who source it
# The servers in containers: services "mongodb" and "rabbitmq" of compose.yaml,
# as a compose project of this instance alone. Sourced by infra.sh.
#
# compose.yaml takes from here: CARILLON_MONGODB_PORT, CARILLON_RABBITMQ_PORT,
# CARILLON_RABBITMQ_MANAGEMENT_PORT (published on 127.0.0.1) and CARILLON_RABBITMQ_PASSWORD.

compose() {
  CARILLON_MONGODB_PORT=$(read_state "$MONGODB_DIR/port") \
    CARILLON_RABBITMQ_PORT=$(read_state "$RABBITMQ_DIR/port") \
    CARILLON_RABBITMQ_MANAGEMENT_PORT=$(read_state "$RABBITMQ_DIR/management-port") \
    CARILLON_RABBITMQ_PASSWORD=$(read_state "$RABBITMQ_DIR/password") \
    docker compose --project-name "carillon-$TAG" --file "$CARILLON_ROOT/compose.yaml" "$@" </dev/null 8>&- 9>&-
}

# Asked once in each run: an engine that does not answer costs seconds.
engine_answers() {
  if [ -z "${ENGINE:-}" ]; then
    ENGINE=no
    if have docker && with_limit 5 docker info >/dev/null 2>&1; then ENGINE=yes; fi
  fi
  [ "$ENGINE" = yes ]
}

# compose_has SERVICE: can it be had from a container?
compose_has() {
  REASON="no container engine answers"
  engine_answers || return 1
  REASON="compose.yaml has no service $1"
  [ -f "$CARILLON_ROOT/compose.yaml" ] || return 1
  compose config --services 2>/dev/null | grep -qx "$1" || return 1
  compose_is_running "$1" && return 0
  # An engine without access to a registry, and without the image, cannot start it.
  REASON="docker compose cannot get the image of $1"
  compose pull --quiet --policy missing "$1" >/dev/null 2>&1 || compose pull --quiet "$1" >/dev/null 2>&1
}

compose_is_running() { [ -n "$(compose ps --quiet --status running "$1" 2>/dev/null)" ]; }
compose_up() { compose up --detach "$1" >"$2" 2>&1; }
compose_stop() { compose stop "$1" >/dev/null 2>&1 || true; }
compose_kill() { compose kill --signal KILL "$1" >/dev/null 2>&1; }
compose_purge() { compose down --volumes >/dev/null 2>&1 || true; }
