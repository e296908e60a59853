# shellcheck shell=bash
# One instance's RabbitMQ: which server, how to get it, start, kill and stop it.
# Sourced by infra.sh, which sets INSTANCE_DIR and TAG.

rabbitmq_port() { read_state "$RABBITMQ_DIR/port"; }
rabbitmq_pid() { read_state "$RABBITMQ_DIR/pid" | tr -d ' '; }
rabbitmq_kind() { read_state "$RABBITMQ_DIR/kind"; }

rabbitmq_uri() {
  case $(rabbitmq_kind) in
    external) read_state "$RABBITMQ_DIR/uri" ;;
    ?*) say "amqp://carillon:$(read_state "$RABBITMQ_DIR/password")@127.0.0.1:$(rabbitmq_port)/%2F" ;;
  esac
}

rabbitmq_management_uri() {
  case $(rabbitmq_kind) in
    external) read_state "$RABBITMQ_DIR/management-uri" ;;
    ?*) say "http://carillon:$(read_state "$RABBITMQ_DIR/password")@127.0.0.1:$(read_state "$RABBITMQ_DIR/management-port")" ;;
  esac
}

rabbitmq_name() {
  case $(rabbitmq_kind) in
    external) say "the RabbitMQ of RABBITMQ_URI" ;;
    docker) say "RabbitMQ in docker compose" ;;
    server) say "rabbitmq-server as a node of its own, carillon-$TAG@localhost" ;;
  esac
}

rabbitmq_address() {
  case $(rabbitmq_kind) in
    external) rabbitmq_uri | sed 's|//[^@/]*@|//|; s|?.*||' ;;
    *) say "127.0.0.1:$(rabbitmq_port)" ;;
  esac
}

# --- which one ---------------------------------------------------------------

# Sets kind and the reason for it. REASON says why a candidate cannot be had.
rabbitmq_choose() {
  local forced=${CARILLON_RABBITMQ:-} before candidate missing=
  before=$(rabbitmq_kind)
  if [ -n "$forced" ]; then
    case $forced in
      docker | server) ;;
      *) die "CARILLON_RABBITMQ=$forced is unknown: docker or server" ;;
    esac
    "rabbitmq_prepare_$forced" || die "CARILLON_RABBITMQ=$forced cannot be followed: $REASON"
    RABBITMQ_WHY="because CARILLON_RABBITMQ asks for it"
    write_state "$RABBITMQ_DIR/kind" "$forced"
    return 0
  fi
  if [ -n "${RABBITMQ_URI:-}" ] && ! is_from_infra rabbitmq; then
    RABBITMQ_WHY="because RABBITMQ_URI is set"
    write_state "$RABBITMQ_DIR/kind" external
    write_state "$RABBITMQ_DIR/uri" "$RABBITMQ_URI"
    write_state "$RABBITMQ_DIR/management-uri" "${RABBITMQ_MANAGEMENT_URI:-}"
    return 0
  fi
  if [ -n "$before" ] && [ "$before" != external ]; then
    if "rabbitmq_prepare_$before"; then
      RABBITMQ_WHY="as before (its data are here)"
      return 0
    fi
    missing="; the one used before is not available: $REASON"
  fi
  missing="no RABBITMQ_URI$missing"
  for candidate in docker server; do
    if "rabbitmq_prepare_$candidate"; then
      RABBITMQ_WHY="because: $missing"
      [ "$candidate" != docker ] || RABBITMQ_WHY="because a container engine answers"
      write_state "$RABBITMQ_DIR/kind" "$candidate"
      return 0
    fi
    missing="$missing; $REASON"
  done
  die "no RabbitMQ can be had here: $missing.
Set RABBITMQ_URI to a RabbitMQ 3.10 or newer, start a container engine, or install one: sudo apt-get install rabbitmq-server"
}

rabbitmq_prepare_docker() { compose_has rabbitmq; }

rabbitmq_prepare_server() {
  RABBITMQ_SERVER=$(find_rabbitmq) && return 0
  locked "$CARILLON_CACHE/rabbitmq.lock" install_rabbitmq
}

# The program itself and not the wrapper in Debian's PATH, which changes to the
# user rabbitmq and to the machine's own node.
find_rabbitmq() {
  local program
  for program in /usr/lib/rabbitmq/bin/rabbitmq-server "$(command -v rabbitmq-server || true)" \
    /opt/homebrew/sbin/rabbitmq-server /usr/local/sbin/rabbitmq-server /opt/rabbitmq/sbin/rabbitmq-server; do
    if [ -n "$program" ] && [ -x "$program" ]; then
      say "$program"
      return 0
    fi
  done
  return 1
}

install_rabbitmq() {
  local log=$CARILLON_CACHE/rabbitmq-install.log
  RABBITMQ_SERVER=$(find_rabbitmq) && return 0 # another run has installed it meanwhile
  if have apt-get && can_be_root; then
    note "rabbitmq  installing rabbitmq-server by apt-get, without starting its service (log: $log)"
    apt_install "$log" rabbitmq-server || tail -n 5 "$log" >&2
  elif have brew; then
    note "rabbitmq  installing rabbitmq by brew (log: $log)"
    brew install rabbitmq >"$log" 2>&1 </dev/null || tail -n 5 "$log" >&2
  fi
  REASON="no rabbitmq-server, and neither apt-get (as root or by sudo without a password) nor brew could install it"
  RABBITMQ_SERVER=$(find_rabbitmq)
}

# --- running it --------------------------------------------------------------

# What the process has among its arguments and no other process has.
rabbitmq_mark() { say "-carillon $TAG"; }

rabbitmq_is_running() {
  case $(rabbitmq_kind) in
    '') return 1 ;;
    external) return 0 ;;
    docker) compose_is_running rabbitmq ;;
    server) is_ours "$(rabbitmq_pid)" "$(rabbitmq_mark)" ;;
  esac
}

# rabbitmq_probe SECONDS: can one log in?
rabbitmq_probe() {
  local pid
  pid=$(rabbitmq_pid)
  set -- amqp "$(rabbitmq_uri)" --seconds "$1"
  if [ -n "$pid" ]; then set -- "$@" --pid "$pid"; fi
  probe "$@"
}

write_rabbitmq_configuration() {
  local folder=$RABBITMQ_DIR
  mkdir -p "$folder/data" "$folder/log" "$folder/home"
  chmod 700 "$folder"
  if [ ! -s "$folder/home/.erlang.cookie" ]; then
    (umask 277 && random_hex >"$folder/home/.erlang.cookie")
  fi
  printf '[rabbitmq_management].\n' >"$folder/enabled_plugins"
  : >"$folder/environment.conf" # named, so that no settings of the machine are read
  (umask 177 && cat >"$folder/rabbitmq.conf") <<CONF
listeners.tcp.1 = 127.0.0.1:$(rabbitmq_port)
management.tcp.ip = 127.0.0.1
management.tcp.port = $(read_state "$folder/management-port")
# Made at the first start only; with these there is no guest.
default_user = carillon
default_pass = $(read_state "$folder/password")
default_user_tags.administrator = true
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.relative = 0.4
# Rolled over early: what lies in it is held in memory, and read again after a crash.
raft.wal_max_size_bytes = 134217728
collect_statistics_interval = 2000
log.file.level = warning
log.console = false
CONF
}

# Erlang's port mapper, one for each instance: nothing shared with other nodes of this machine,
# and nothing left behind.
start_epmd() {
  local epmd
  if is_ours "$(read_state "$RABBITMQ_DIR/epmd-pid")" "$RABBITMQ_DIR/epmd"; then return 0; fi
  rm -f "$RABBITMQ_DIR/epmd-pid"
  epmd=$(command -v epmd || true)
  if [ -z "$epmd" ]; then
    epmd=$(erl -noshell -eval 'io:format("~s/erts-~s/bin/epmd", [code:root_dir(), erlang:system_info(version)]), halt().')
  fi
  # Through a link with the instance's path, so that the process can be told from others.
  ln -sfn "$epmd" "$RABBITMQ_DIR/epmd"
  remembered_port "$RABBITMQ_DIR/epmd-port" >/dev/null
  start_detached "$RABBITMQ_DIR/log/epmd.log" "$RABBITMQ_DIR/epmd" \
    -address 127.0.0.1 -port "$(read_state "$RABBITMQ_DIR/epmd-port")" >"$RABBITMQ_DIR/epmd-pid"
}

stop_epmd() {
  stop_process "$(read_state "$RABBITMQ_DIR/epmd-pid")" "$RABBITMQ_DIR/epmd" 5
  rm -f "$RABBITMQ_DIR/epmd-pid"
}

start_rabbitmq_server() {
  local folder=$RABBITMQ_DIR limit
  limit=$(ulimit -Hn)
  if [ "$limit" = unlimited ] || [ "$limit" -gt 65536 ]; then limit=65536; fi
  ulimit -Sn "$limit" || true
  start_epmd
  # RUNNING_UNDER_SYSTEMD: the Erlang machine takes the place of its start script, so
  # that the process started is the one to stop or to kill.
  start_detached "$1" env -u RABBITMQ_URI -u RABBITMQ_MANAGEMENT_URI \
    HOME="$folder/home" \
    RUNNING_UNDER_SYSTEMD=true \
    ERL_EPMD_ADDRESS=127.0.0.1 \
    ERL_EPMD_PORT="$(read_state "$folder/epmd-port")" \
    RABBITMQ_NODENAME="carillon-$TAG@localhost" \
    RABBITMQ_USE_LONGNAME=false \
    RABBITMQ_CONF_ENV_FILE="$folder/environment.conf" \
    RABBITMQ_CONFIG_FILE="$folder/rabbitmq.conf" \
    RABBITMQ_CONFIG_FILES="$folder/conf.d/*.conf" \
    RABBITMQ_ADVANCED_CONFIG_FILE="$folder/advanced.config" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$folder/enabled_plugins" \
    RABBITMQ_MNESIA_BASE="$folder/data" \
    RABBITMQ_LOG_BASE="$folder/log" \
    RABBITMQ_PID_FILE="$folder/pid" \
    RABBITMQ_DIST_PORT="$(read_state "$folder/distribution-port")" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 2:2 -kernel inet_dist_use_interface {127,0,0,1} -carillon $TAG" \
    "$RABBITMQ_SERVER" >"$folder/pid"
}

# Starts it on the ports in its state folder, and waits until it answers.
rabbitmq_launch() {
  local log=$RABBITMQ_DIR/server.log limit=90 error
  rm -f "$RABBITMQ_DIR/pid"
  case $1 in
    external) limit=15 ;;
    docker) compose_up rabbitmq "$log" || return 1 ;;
    server)
      write_rabbitmq_configuration
      start_rabbitmq_server "$log"
      ;;
  esac
  if ! error=$(rabbitmq_probe "$limit" 2>&1); then
    note "error: $(rabbitmq_name) does not answer: $error"
    if [ -f "$log" ]; then tail -n 25 "$log" >&2; fi
    return 1
  fi
}

rabbitmq_up() {
  local port
  mkdir -p "$RABBITMQ_DIR"
  if rabbitmq_is_running && ! rabbitmq_is_overruled && rabbitmq_probe 5 2>/dev/null; then
    say "rabbitmq  already up: $(rabbitmq_name), $(rabbitmq_address)"
    return 0
  fi
  rabbitmq_stop
  rabbitmq_choose
  if [ "$(rabbitmq_kind)" = external ]; then
    rm -f "$RABBITMQ_DIR/port"
  else
    for port in port management-port distribution-port; do
      remembered_port "$RABBITMQ_DIR/$port" >/dev/null
    done
    [ -s "$RABBITMQ_DIR/password" ] || (umask 177 && random_hex >"$RABBITMQ_DIR/password")
  fi
  STARTED="$STARTED rabbitmq"
  rabbitmq_launch "$(rabbitmq_kind)" || return 1
  say "rabbitmq  $(rabbitmq_name), $(rabbitmq_address), $RABBITMQ_WHY"
}

# Does the environment ask for another server than the one that runs?
rabbitmq_is_overruled() {
  local kind
  kind=$(rabbitmq_kind)
  if [ -n "${CARILLON_RABBITMQ:-}" ]; then
    [ "$kind" != "$CARILLON_RABBITMQ" ]
  elif [ -n "${RABBITMQ_URI:-}" ] && ! is_from_infra rabbitmq; then
    [ "$kind" != external ] || [ "$(rabbitmq_uri)" != "$RABBITMQ_URI" ]
  else
    [ "$kind" = external ]
  fi
}

rabbitmq_stop() {
  case $(rabbitmq_kind) in
    '' | external) ;;
    docker) compose_stop rabbitmq ;;
    server)
      stop_process "$(rabbitmq_pid)" "$(rabbitmq_mark)" 60
      stop_epmd
      ;;
  esac
  rm -f "$RABBITMQ_DIR/pid"
}

rabbitmq_kill() {
  case $(rabbitmq_kind) in
    docker) compose_kill rabbitmq ;;
    *) kill_process "$(rabbitmq_pid)" "$(rabbitmq_mark)" ;;
  esac
}

rabbitmq_start() {
  "rabbitmq_prepare_$(rabbitmq_kind)" || die "$(rabbitmq_name) is not available any more: $REASON"
  rabbitmq_launch "$(rabbitmq_kind)"
}
