#!/usr/bin/env bash
# Watches an environment: logs as they come, and every few seconds what runs, what waits and what is wrong.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/kubernetes.sh
. "$CARILLON_ROOT/scripts/lib/kubernetes.sh"

usage() {
  cat <<'TEXT'
usage: scripts/monitor.sh dev|stage|prod [--once] [--json]

  --once    looks once, over a few seconds, and ends
  --json    prints what it sees as one line of JSON for each look, and no logs

  RABBITMQ_MANAGEMENT_URI         http(s)://user:password@host:port/virtual-host of a user that may read
  CARILLON_ALERT_WEBHOOK          URL that is told of problems, by a POST of JSON, whenever they change
  CARILLON_MONITOR_SECONDS        between two looks (10)
  CARILLON_MONITOR_QUEUE_SECONDS  a queue that was not empty for so long is a problem, at most an hour (3600)
  CARILLON_MONITOR_ERROR_RATE     share of notifications that fail which is a problem (0.05)
  CARILLON_CONTEXT                context of kubectl; required but for dev

Status 0: healthy. 1: there are problems. 2: wrong use. 3: it cannot look.
TEXT
}

words=()
options=()
for word in "$@"; do
  case $word in
    --once | --json) options+=("$word") ;;
    --help | -h)
      usage
      exit 0
      ;;
    -*) usage_error "unknown option $word" ;;
    *) words+=("$word") ;;
  esac
done
[ ${#words[@]} -eq 1 ] || usage_error "which environment?"
use_environment "${words[0]}"
have node || die "node is missing: install Node.js 22 or newer"
export ENVIRONMENT NAMESPACE CONTEXT
exec node "$CARILLON_ROOT/scripts/lib/monitor.mjs" ${options[@]+"${options[@]}"}
