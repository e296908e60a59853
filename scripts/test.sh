#!/usr/bin/env bash
# Every check of Carillon, in named stages: all of them, or those named.
#
#   scripts/test.sh                 everything
#   scripts/test.sh unit types      just these
#
# Ends with a table and, as the last line, "N passed, N failed". Status 0: nothing failed.
# A stage that has not ended after CARILLON_STAGE_MINUTES (20; cluster: twice that) is ended, and has failed.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/node.sh
. "$CARILLON_ROOT/scripts/lib/node.sh"
# shellcheck source=scripts/lib/results.sh
. "$CARILLON_ROOT/scripts/lib/results.sh"

DEFAULT_STAGES="format lint types imports deadcode duplicates shell unit integration e2e coverage fuzz chaos images cluster"
# Asks a registry, which not every machine reaches: when it is named.
ALL_STAGES="$DEFAULT_STAGES audit"
INSTANCE="test"
LOGS=$CARILLON_STATE/$INSTANCE/logs
INFRA=$CARILLON_ROOT/scripts/infra.sh

contains_word() { case " $1 " in *" $2 "*) return 0 ;; *) return 1 ;; esac }
needs_servers() { contains_word "integration e2e fuzz chaos images cluster" "$1"; }

# --- servers -----------------------------------------------------------------

SERVERS=none # none, up, broken
SERVERS_ARE_OURS=no

# Build and servers, when the first stage wants them.
setup_servers() {
  if [ "$SERVERS" != none ]; then return 0; fi
  SERVERS=broken
  if ! build; then
    WHY_BROKEN="the build failed (npm run build)"
    return 0
  fi
  if ! "$INFRA" status --instance "$INSTANCE" >/dev/null 2>&1; then
    SERVERS_ARE_OURS=yes
    "$INFRA" down --purge --instance "$INSTANCE" >/dev/null
  fi
  if ! "$INFRA" up --instance "$INSTANCE"; then
    WHY_BROKEN="the servers did not start (scripts/infra.sh up --instance $INSTANCE)"
    return 0
  fi
  set -a
  # shellcheck source=/dev/null
  . "$CARILLON_STATE/$INSTANCE/env"
  set +a
  SERVERS=up
}

# Data and logs of the servers stay where something failed.
take_down_servers() {
  if [ "$SERVERS_ARE_OURS" = no ]; then return 0; fi
  SERVERS_ARE_OURS=no
  if [ "$FAILED" -eq 0 ]; then
    "$INFRA" down --purge --instance "$INSTANCE" >/dev/null || true
  else
    "$INFRA" down --instance "$INSTANCE" >/dev/null || true
  fi
}

# --- one stage ---------------------------------------------------------------

STAGE_PID=
STAGE_LIMIT_S=$((${CARILLON_STAGE_MINUTES:-20} * 60))

# run_live LOG LIMIT_S COMMAND...: shows the output and keeps it. The stage has a session
# of its own, so that all of it can be ended, and nothing but it. One that hangs is
# ended at its limit, so that it cannot take the other stages' results with it.
run_live() {
  local log=$1 limit=$2 status=0 tee_pid tenths=50 ends
  ends=$((SECONDS + limit))
  shift 2
  exec 7> >(exec tee "$log")
  tee_pid=$!
  in_own_session "$@" >&7 2>&1 </dev/null 7>&- 9>&- &
  STAGE_PID=$!
  exec 7>&-
  while kill -0 "$STAGE_PID" 2>/dev/null && [ "$SECONDS" -lt "$ends" ]; do sleep 0.2; done
  if kill -0 "$STAGE_PID" 2>/dev/null; then
    status=124
    note "this stage has not ended after $((limit / 60)) minutes (CARILLON_STAGE_MINUTES): ending it"
  else
    wait "$STAGE_PID" || status=$?
  fi
  end_stage # what it left behind would hold the output open
  while kill -0 "$tee_pid" 2>/dev/null && [ "$tenths" -gt 0 ]; do
    tenths=$((tenths - 1))
    sleep 0.1
  done
  return "$status"
}

end_stage() {
  local tenths=100
  if [ -z "$STAGE_PID" ]; then return 0; fi
  kill -TERM -- "-$STAGE_PID" 2>/dev/null || true
  while kill -0 -- "-$STAGE_PID" 2>/dev/null; do
    if [ "$tenths" -le 0 ]; then
      kill -KILL -- "-$STAGE_PID" 2>/dev/null || true
      break
    fi
    tenths=$((tenths - 1))
    sleep 0.1
  done
  STAGE_PID=
}

check_shell_scripts() {
  if ! have shellcheck; then
    if have brew; then
      brew install shellcheck >&2 </dev/null || true
    else
      apt_install "$LOGS/shellcheck-install.log" shellcheck || true
    fi
  fi
  have shellcheck || die "shellcheck is missing: install it with: sudo apt-get install shellcheck"
  local scripts=() script
  while IFS= read -r script; do scripts+=("$script"); done < <(
    find . \( -name node_modules -o -name .git -o -name .carillon -o -name dist \) -prune -o \
      -type f \( -name '*.sh' -o -path './.ci/run' \) -print | sort
  )
  shellcheck --external-sources "${scripts[@]}"
  say "${#scripts[@]} scripts checked"
}

# npm says nothing about a script that is missing when it is to be silent otherwise.
run_npm_stage() {
  node -e 'process.exit("stage:" + process.argv[1] in require("./package.json").scripts ? 0 : 1)' "$1" ||
    die "package.json has no script \"stage:$1\""
  exec npm run --silent "stage:$1"
}

run_stage() {
  local stage=$1 log=$LOGS/$1.log started=$SECONDS status=0 limit=$STAGE_LIMIT_S
  if [ "$stage" = cluster ]; then limit=$((2 * limit)); fi # the first time it builds a control plane
  if needs_servers "$stage"; then
    setup_servers
    started=$SECONDS
    if [ "$SERVERS" = broken ]; then
      say
      say "=== $stage: not run, because $WHY_BROKEN"
      record_stage "$stage" "not run" 0 0 1 0
      return 0
    fi
  fi
  say
  say "=== $stage"
  run_live "$log" "$limit" bash "$CARILLON_ROOT/scripts/test.sh" --run-stage "$stage" || status=$?
  without_colours "$log"
  count_results "$stage" "$log" "$status"
  record_stage "$stage" "$OUTCOME" "$((SECONDS - started))" "$COUNT_PASSED" "$COUNT_FAILED" "$COUNT_SKIPPED"
}

# -----------------------------------------------------------------------------

if [ "${1:-}" = --run-stage ]; then # by run_live above, in a session of its own
  cd "$CARILLON_ROOT"
  case $2 in
    shell) check_shell_scripts ;;
    *) run_npm_stage "$2" ;;
  esac
  exit 0
fi

case ${1:-} in
  help | --help | -h)
    say "usage: scripts/test.sh [STAGE...]"
    say "all:         $DEFAULT_STAGES"
    say "when named:  ${ALL_STAGES#"$DEFAULT_STAGES "}"
    exit 0
    ;;
esac
for stage in "$@"; do
  if ! contains_word "$ALL_STAGES" "$stage"; then
    note "error: there is no stage \"$stage\". Stages: $ALL_STAGES"
    exit 2
  fi
done
REQUESTED=${*:-$DEFAULT_STAGES}

finish() {
  local status=$?
  trap - EXIT
  trap '' INT TERM HUP
  end_stage
  take_down_servers
  exit "$status"
}
trap finish EXIT
trap 'note; note "interrupted: cleaning up"; exit 130' INT
trap 'exit 143' TERM HUP

mkdir -p "$LOGS"
for stage in $REQUESTED; do
  if needs_servers "$stage"; then
    lock 9 "$CARILLON_STATE/.lock-test-run"
    break
  fi
done
if [ -n "${CI:-}" ] || [ ! -t 1 ]; then
  export NO_COLOR=1
  unset FORCE_COLOR
elif [ -z "${NO_COLOR:-}" ]; then
  export FORCE_COLOR=1 # the stages write to a pipe, and cannot see the terminal behind it
fi

setup_node
for stage in $ALL_STAGES; do
  if contains_word "$REQUESTED" "$stage"; then run_stage "$stage"; fi
done
take_down_servers
print_summary
[ "$FAILED" -eq 0 ]
