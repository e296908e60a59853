# shellcheck shell=bash
# The applications as processes of this machine. Sourced by dev.sh, which sets LOGS.

# load_settings FILE: exports its NAME=value lines, unless NAME is set already.
load_settings() {
  local line name
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in '' | '#'*) continue ;; esac
    name=${line%%=*}
    if [ -z "${!name+set}" ]; then eval "export $name=\"${line#*=}\""; fi
  done <"$1"
}

# check_port VARIABLE...: each names a port that must be free.
check_port() {
  local variable port
  for variable in "$@"; do
    port=${!variable}
    if port_is_taken "$port"; then
      die "port $port is taken by another program$(earlier_run "$port").
Stop that one, or choose another port: $variable=$((port + 100)) scripts/dev.sh"
    fi
  done
}

# Was it started by a run that could not clean up after itself?
earlier_run() {
  local file app pid found=
  for file in "$LOGS"/*.pid; do
    [ -f "$file" ] || continue
    app=$(basename "$file" .pid)
    pid=$(read_state "$file")
    if is_ours "$pid" "$(app_program "$app")"; then found="$found $pid"; fi
  done
  if [ -n "$found" ]; then
    printf '; applications of another scripts/dev.sh run here (end it there, or, if it is gone: kill%s)' "$found"
  fi
}

# run_step WORDS COMMAND...: its output is kept in step.log, and shown when it fails.
run_step() {
  local words=$1 started=$SECONDS
  shift
  if ! "$@" >"$LOGS/step.log" 2>"$LOGS/step-errors.log" </dev/null; then
    tail -n 20 "$LOGS/step.log" "$LOGS/step-errors.log" >&2
    die "$words failed: $*"
  fi
  say "set-up    $words: done in $((SECONDS - started)) s"
}

app_program() { say "$CARILLON_ROOT/dist/apps/$1/main.js"; }
app_is_running() { is_ours "$(read_state "$LOGS/$1.pid")" "$(app_program "$1")"; }

app_health() {
  case $1 in
    notification-api) say "http://127.0.0.1:$NOTIFICATION_API_PORT/health/ready" ;;
    dispatcher) say "http://127.0.0.1:$DISPATCHER_PORT/health/ready" ;;
    scheduler) say "http://127.0.0.1:$SCHEDULER_PORT/health/ready" ;;
    sandbox) say "http://127.0.0.1:$SANDBOX_PORT/health" ;;
  esac
}

STARTED_APPS=

start_app() {
  : >"$LOGS/$1.log"
  start_detached "$LOGS/$1.log" node "$(app_program "$1")" >"$LOGS/$1.pid"
  STARTED_APPS="$STARTED_APPS $1"
}

wait_for_app() {
  local reason
  if ! reason=$(node "$CARILLON_ROOT/scripts/lib/probe.mjs" http "$(app_health "$1")" \
    --seconds 60 --pid "$(read_state "$LOGS/$1.pid")" 2>&1); then
    show_log "$1"
    die "$1 did not become ready: $reason"
  fi
  say "app       $1 is ready, $(app_health "$1")"
}

show_log() {
  note "--- the end of $LOGS/$1.log"
  tail -n 20 "$LOGS/$1.log" >&2
  note "---"
}

# All are asked at once, and then waited for.
stop_apps() {
  local app
  for app in $STARTED_APPS; do
    if app_is_running "$app"; then kill -TERM "$(read_state "$LOGS/$app.pid")" 2>/dev/null || true; fi
  done
  for app in $STARTED_APPS; do
    stop_process "$(read_state "$LOGS/$app.pid")" "$(app_program "$app")" 15
    rm -f "$LOGS/$app.pid"
  done
  STARTED_APPS=
}
