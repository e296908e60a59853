# shellcheck shell=bash disable=SC2034 # what is set here is used by those who source it
# What all scripts share: words to the user, processes, ports, locks, packages.
# Sourced, never run. Written for bash 3.2, so that it also works on macOS.

CARILLON_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
CARILLON_STATE=${CARILLON_STATE_DIR:-$CARILLON_ROOT/.carillon}
case $CARILLON_STATE in /*) ;; *) CARILLON_STATE=$PWD/$CARILLON_STATE ;; esac
CARILLON_CACHE=${CARILLON_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:?HOME must be set}/.cache}/carillon}

say() { printf '%s\n' "$*"; }
note() { printf '%s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# A short name for a folder, stable over runs: two checkouts never share one.
path_hash() { printf '%s' "$1" | cksum | awk '{printf "%08x", $1}'; }

random_hex() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# read_state FILE prints what write_state put there, or nothing.
read_state() { if [ -f "$1" ]; then cat "$1"; fi; }
write_state() {
  printf '%s\n' "$2" >"$1.new.$$"
  mv "$1.new.$$" "$1"
}

# with_limit SECONDS COMMAND... ends the command when it takes too long.
with_limit() {
  if have timeout; then
    timeout "$@"
  else
    perl -e 'alarm shift; exec @ARGV or exit 127' "$@"
  fi
}

# --- processes ---------------------------------------------------------------

process_arguments() {
  if [ -r "/proc/$1/cmdline" ]; then
    tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null || true
  else
    ps -ww -o args= -p "$1" 2>/dev/null || true
  fi
}

# is_ours PID MARK: the process lives, and its arguments contain MARK. A process
# identity left in a file after a reboot may belong to anyone by now.
is_ours() {
  [ -n "$1" ] && [ "$1" -gt 1 ] 2>/dev/null || return 1
  case $(process_arguments "$1") in
    *"$2"*) return 0 ;;
    *) return 1 ;;
  esac
}

# in_own_session COMMAND...: a session, and so a process group, of its own, which
# Ctrl-C and the end of the terminal do not reach. Start it with "&": it takes the
# place of the shell.
in_own_session() {
  if have setsid; then
    exec setsid "$@"
  else
    exec perl -e 'use POSIX; POSIX::setsid(); exec @ARGV or exit 127' "$@"
  fi
}

# start_detached LOG COMMAND... starts a server that outlives its caller, and prints
# its process id. It holds none of our files: neither output nor locks (8 and 9).
start_detached() {
  local log=$1
  shift
  in_own_session "$@" >>"$log" 2>&1 </dev/null 8>&- 9>&- &
  printf '%s\n' "$!"
  disown "$!" 2>/dev/null || true # the shell need not say how it ended
}

# stop_process PID MARK SECONDS: ask, wait, and only then force.
stop_process() {
  local pid=$1 mark=$2 tenths=$(($3 * 10))
  is_ours "$pid" "$mark" || return 0
  kill -TERM "$pid" 2>/dev/null || return 0
  while is_ours "$pid" "$mark"; do
    if [ "$tenths" -le 0 ]; then
      note "process $pid did not stop within $3 s, forcing it"
      kill_process "$pid" "$mark"
      return 0
    fi
    tenths=$((tenths - 1))
    sleep 0.1
  done
}

# kill_process PID MARK: kill -9, and wait until it is gone.
kill_process() {
  local pid=$1 mark=$2 tenths=100
  kill -KILL "$pid" 2>/dev/null || return 0
  while is_ours "$pid" "$mark"; do
    [ "$tenths" -gt 0 ] || die "process $pid does not go away after kill -9"
    tenths=$((tenths - 1))
    sleep 0.1
  done
}

# --- ports -------------------------------------------------------------------

port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the range from which the system takes ports for outgoing connections:
# otherwise a client that retries while the server is down can end up holding,
# or even answering, the server's own port.
free_port() {
  local port tries=0
  while [ "$tries" -lt 200 ]; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if ! port_is_taken "$port"; then
      printf '%s\n' "$port"
      return 0
    fi
    tries=$((tries + 1))
  done
  die "no free port found between 20000 and 32000 on 127.0.0.1"
}

# remembered_port FILE: the port chosen at an earlier time, unless somebody else
# holds it now; then, and the first time, a new one.
remembered_port() {
  local port
  port=$(read_state "$1")
  if [ -n "$port" ] && port_is_taken "$port"; then
    note "port $port, used here before, is taken by another process: choosing a new one"
    port=
  fi
  if [ -z "$port" ]; then
    port=$(free_port)
    write_state "$1" "$port"
  fi
  printf '%s\n' "$port"
}

# --- locks -------------------------------------------------------------------

# try_lock FD FILE: FD is 8 (downloads and builds) or 9 (what may run only once).
# The lock ends with the script, however that ends.
try_lock() {
  mkdir -p "$(dirname "$2")"
  if have flock; then
    if [ "$1" = 8 ]; then exec 8>"$2"; else exec 9>"$2"; fi
    flock -n "$1"
  else
    try_lock_by_folder "$2.folder"
  fi
}

# lock FD FILE waits for it.
lock() {
  local waited=0
  until try_lock "$@"; do
    [ "$waited" -gt 0 ] || note "waiting for another run that is busy here ($2)"
    [ "$waited" -lt 7200 ] || die "another run has held $2 for half an hour"
    waited=$((waited + 1))
    sleep 0.25
  done
}

unlock() {
  if have flock; then
    flock -u "$1"
  else
    rm -rf "$2.folder"
  fi
}

# locked FILE FUNCTION...: runs it while no other run builds or downloads the same.
locked() {
  local file=$1 status=0
  shift
  lock 8 "$file"
  "$@" || status=$?
  unlock 8 "$file"
  return "$status"
}

try_lock_by_folder() {
  local owner
  if ! mkdir "$1" 2>/dev/null; then
    owner=$(read_state "$1/pid")
    if [ -z "$owner" ] || kill -0 "$owner" 2>/dev/null; then return 1; fi
    rm -rf "$1" # its owner is gone
    mkdir "$1" 2>/dev/null || return 1
  fi
  write_state "$1/pid" "$$"
}

# --- packages of the system --------------------------------------------------

# as_root COMMAND...: directly as root, else by sudo where it asks no password.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

can_be_root() { [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }

# apt_install LOG PACKAGE...: without starting any service that comes with them.
apt_install() {
  local log=$1
  shift
  have apt-get || return 1
  can_be_root || return 1
  as_root env DEBIAN_FRONTEND=noninteractive bash "$CARILLON_ROOT/scripts/lib/apt-install.sh" "$@" >>"$log" 2>&1 </dev/null 8>&- 9>&-
}
