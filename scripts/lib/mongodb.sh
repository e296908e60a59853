# shellcheck shell=bash
# One instance's MongoDB: which server, how to get it, start, kill and stop it.
# Sourced by infra.sh, which sets INSTANCE_DIR and TAG.

SECANTUSDB_VERSION=0.5.3-beta.196
MEMORY_SERVER_VERSION=11.0.1
MONGODB_OLDEST=6

mongodb_port() { read_state "$MONGODB_DIR/port"; }
mongodb_pid() { read_state "$MONGODB_DIR/pid"; }
mongodb_kind() { read_state "$MONGODB_DIR/kind"; }

mongodb_uri() {
  local port
  port=$(mongodb_port)
  case $(mongodb_kind) in
    external) read_state "$MONGODB_DIR/uri" ;;
    mongod | memory-server) say "mongodb://127.0.0.1:$port/?replicaSet=carillon" ;;
    secantusdb | docker) say "mongodb://127.0.0.1:$port/?directConnection=true" ;;
  esac
}

mongodb_name() {
  case $(mongodb_kind) in
    external) say "the MongoDB of MONGODB_URI" ;;
    docker) say "MongoDB in docker compose" ;;
    mongod) say "mongod as a one-node replica set" ;;
    memory-server) say "mongod (downloaded by mongodb-memory-server) as a one-node replica set" ;;
    secantusdb) say "SecantusDB $SECANTUSDB_VERSION, a stand-in for MongoDB" ;;
  esac
}

# --- which one ---------------------------------------------------------------

# Sets kind and the reason for it. REASON says why a candidate cannot be had.
mongodb_choose() {
  local forced=${CARILLON_MONGODB:-} before candidate missing=
  before=$(mongodb_kind)
  if [ -n "$forced" ]; then
    case $forced in
      docker | mongod | memory-server | secantusdb) ;;
      *) die "CARILLON_MONGODB=$forced is unknown: docker, mongod, memory-server or secantusdb" ;;
    esac
    "mongodb_prepare_${forced//-/_}" || die "CARILLON_MONGODB=$forced cannot be followed: $REASON"
    MONGODB_WHY="because CARILLON_MONGODB asks for it"
    write_state "$MONGODB_DIR/kind" "$forced"
    return 0
  fi
  if [ -n "${MONGODB_URI:-}" ] && ! is_from_infra mongodb; then
    MONGODB_WHY="because MONGODB_URI is set"
    write_state "$MONGODB_DIR/kind" external
    write_state "$MONGODB_DIR/uri" "$MONGODB_URI"
    return 0
  fi
  if [ -n "$before" ] && [ "$before" != external ]; then
    if "mongodb_prepare_${before//-/_}"; then
      MONGODB_WHY="as before (its data are here)"
      return 0
    fi
    missing="; the one used before is not available: $REASON"
  fi
  missing="no MONGODB_URI$missing"
  for candidate in docker mongod memory-server secantusdb; do
    if "mongodb_prepare_${candidate//-/_}"; then
      MONGODB_WHY="because: $missing"
      [ "$candidate" != docker ] || MONGODB_WHY="because a container engine answers"
      write_state "$MONGODB_DIR/kind" "$candidate"
      return 0
    fi
    missing="$missing; $REASON"
  done
  die "no MongoDB can be had here: $missing.
Set MONGODB_URI to a MongoDB $MONGODB_OLDEST or newer (a replica set), start a container engine, or install mongod or Rust (cargo)."
}

mongodb_prepare_docker() { compose_has mongodb; }

mongodb_prepare_mongod() {
  local version
  REASON="no mongod on PATH"
  have mongod || return 1
  version=$(mongod --version 2>/dev/null | sed -n 's/^db version v//p')
  REASON="mongod on PATH is ${version:-of unknown version}, older than $MONGODB_OLDEST"
  [ "${version%%.*}" -ge "$MONGODB_OLDEST" ] 2>/dev/null || return 1
  MONGOD=$(command -v mongod)
}

mongodb_prepare_memory_server() {
  local folder=$CARILLON_CACHE/memory-server-$MEMORY_SERVER_VERSION
  MONGOD=$(read_state "$folder/mongod-path")
  if [ -n "$MONGOD" ] && [ -x "$MONGOD" ]; then return 0; fi
  locked "$folder.lock" download_mongod "$folder"
}

# A refused download must fall through within seconds.
download_mongod() {
  local folder=$1 log=$1.log
  REASON="mongodb-memory-server cannot be installed by npm"
  if [ ! -d "$folder/node_modules/mongodb-memory-server-core" ]; then
    have npm || return 1
    mkdir -p "$folder"
    with_limit 60 npm install --prefix "$folder" --no-audit --no-fund --no-save --silent \
      "mongodb-memory-server-core@$MEMORY_SERVER_VERSION" >"$log" 2>&1 </dev/null || return 1
  fi
  REASON="mongodb-memory-server may not download"
  note "mongodb   trying to download a mongod with mongodb-memory-server (log: $log)"
  "$NODE" "$CARILLON_ROOT/scripts/lib/download-mongod.mjs" "$folder" >"$log" 2>&1 </dev/null || return 1
  MONGOD=$(read_state "$folder/mongod-path")
}

mongodb_prepare_secantusdb() {
  local folder=$CARILLON_CACHE/secantusdb-$SECANTUSDB_VERSION
  SECANTUSD=$folder/bin/secantusd-rs
  if [ -x "$SECANTUSD" ]; then return 0; fi
  locked "$folder.lock" build_secantusdb "$folder"
}

build_secantusdb() {
  local folder=$1 log=$1.log cargo partial=$1.partial.$$
  if [ -x "$SECANTUSD" ]; then return 0; fi # another run has built it meanwhile
  cargo=$(find_cargo) || {
    REASON="no cargo to build SecantusDB with (install Rust with rustup, or: brew install rust)"
    return 1
  }
  install_build_tools "$log"
  note "mongodb   building SecantusDB $SECANTUSDB_VERSION, 4 to 6 minutes, only this once (log: $log)"
  rm -rf "$folder".partial.*
  if ! "$cargo" install secantus-mdb --version "$SECANTUSDB_VERSION" --ignore-rust-version \
    --root "$partial" >"$log" 2>&1 </dev/null; then
    tail -n 15 "$log" >&2
    rm -rf "$partial"
    REASON="SecantusDB does not build (log: $log; it needs Rust 1.95 or so, cmake and a C++ compiler)"
    return 1
  fi
  rm -rf "$folder"
  mv "$partial" "$folder"
}

find_cargo() {
  local cargo
  for cargo in "$(command -v cargo || true)" "$HOME/.cargo/bin/cargo" /usr/local/cargo/bin/cargo; do
    if [ -n "$cargo" ] && [ -x "$cargo" ]; then
      say "$cargo"
      return 0
    fi
  done
  have brew || return 1
  brew install rust >&2 </dev/null && command -v cargo
}

install_build_tools() {
  if have cmake && have c++ && have make; then return 0; fi
  note "mongodb   installing cmake, make and a C++ compiler by apt-get"
  apt_install "$1" cmake make g++ || note "mongodb   that failed (log: $1); trying without"
}

# --- running it --------------------------------------------------------------

# What the process has among its arguments and no other process has.
mongodb_mark() { say "$MONGODB_DIR/$(mongodb_kind)"; }

mongodb_is_running() {
  case $(mongodb_kind) in
    '') return 1 ;;
    external) return 0 ;;
    docker) compose_is_running mongodb ;;
    *) is_ours "$(mongodb_pid)" "$(mongodb_mark)" ;;
  esac
}

# mongodb_probe SECONDS: does it answer?
mongodb_probe() {
  local pid member
  pid=$(mongodb_pid)
  set -- mongodb "$(mongodb_uri)" --seconds "$1"
  case $(mongodb_kind) in
    mongod | memory-server) member=127.0.0.1:$(mongodb_port) ;;
    docker) member=127.0.0.1:27017 ;;
    *) member= ;;
  esac
  if [ -n "$member" ]; then set -- "$@" --replica-set carillon --member "$member"; fi
  if [ -n "$pid" ]; then set -- "$@" --pid "$pid"; fi
  probe "$@"
}

# Starts it on the port in its state folder, and waits until it answers.
mongodb_launch() {
  local port log=$MONGODB_DIR/server.log data=$MONGODB_DIR/$1 limit=60 error
  port=$(mongodb_port)
  rm -f "$MONGODB_DIR/pid"
  case $1 in
    external) limit=15 ;;
    docker) compose_up mongodb "$log" || return 1 ;;
    mongod | memory-server)
      mkdir -p "$data"
      start_detached "$log" "$MONGOD" --dbpath "$data" --port "$port" --bind_ip 127.0.0.1 \
        --replSet carillon --nounixsocket --wiredTigerCacheSizeGB 1 --oplogSize 256 >"$MONGODB_DIR/pid"
      ;;
    secantusdb)
      mkdir -p "$data"
      : >"$MONGODB_DIR/secantusd.toml" # named, so that no settings of the machine are read
      start_detached "$log" "$SECANTUSD" --config "$MONGODB_DIR/secantusd.toml" --host 127.0.0.1 --port "$port" \
        --storage-path "$data" --sync-on-commit --cache-size 1G --log-level WARNING >"$MONGODB_DIR/pid"
      ;;
  esac
  if ! error=$(mongodb_probe "$limit" 2>&1); then
    note "error: $(mongodb_name) does not answer: $error"
    if [ -f "$log" ]; then tail -n 15 "$log" >&2; fi
    return 1
  fi
}

mongodb_up() {
  mkdir -p "$MONGODB_DIR"
  if mongodb_is_running && ! mongodb_is_overruled && mongodb_probe 5 2>/dev/null; then
    say "mongodb   already up: $(mongodb_name), $(mongodb_address)"
    return 0
  fi
  mongodb_stop
  mongodb_choose
  case $(mongodb_kind) in
    external) rm -f "$MONGODB_DIR/port" ;;
    *) remembered_port "$MONGODB_DIR/port" >/dev/null ;;
  esac
  STARTED="$STARTED mongodb"
  mongodb_launch "$(mongodb_kind)" || return 1
  say "mongodb   $(mongodb_name), $(mongodb_address), $MONGODB_WHY"
}

# Does the environment ask for another server than the one that runs?
mongodb_is_overruled() {
  local kind
  kind=$(mongodb_kind)
  if [ -n "${CARILLON_MONGODB:-}" ]; then
    [ "$kind" != "$CARILLON_MONGODB" ]
  elif [ -n "${MONGODB_URI:-}" ] && ! is_from_infra mongodb; then
    [ "$kind" != external ] || [ "$(mongodb_uri)" != "$MONGODB_URI" ]
  else
    [ "$kind" = external ]
  fi
}

mongodb_address() {
  case $(mongodb_kind) in
    external) mongodb_uri | sed 's|//[^@/]*@|//|; s|?.*||' ;;
    *) say "127.0.0.1:$(mongodb_port)" ;;
  esac
}

mongodb_stop() {
  case $(mongodb_kind) in
    '' | external) ;;
    docker) compose_stop mongodb ;;
    *) stop_process "$(mongodb_pid)" "$(mongodb_mark)" 30 ;;
  esac
  rm -f "$MONGODB_DIR/pid"
}

mongodb_kill() {
  case $(mongodb_kind) in
    docker) compose_kill mongodb ;;
    *) kill_process "$(mongodb_pid)" "$(mongodb_mark)" ;;
  esac
}

# The binary for a start without a choice.
mongodb_start() {
  local kind
  kind=$(mongodb_kind)
  "mongodb_prepare_${kind//-/_}" || die "$(mongodb_name) is not available any more: $REASON"
  mongodb_launch "$kind"
}
