#!/usr/bin/env bash
# What runs in an environment, and what ran before.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/kubernetes.sh
. "$CARILLON_ROOT/scripts/lib/kubernetes.sh"
# shellcheck source=scripts/lib/release.sh
. "$CARILLON_ROOT/scripts/lib/release.sh"

usage() {
  cat <<'TEXT'
usage: scripts/status.sh dev|stage|prod

Prints what runs, the autoscalers, the releases on record (the last one runs), and what /health says.
Status 0: all of it is healthy.
TEXT
}

case ${1:-} in --help | -h)
  usage
  exit 0
  ;;
esac
[ $# -eq 1 ] || usage_error "which environment?"
use_environment "$1"
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

check_access
namespace_exists || die "$NAMESPACE is not there: nothing was ever deployed to $ENVIRONMENT"
print_running
say
kube get horizontalpodautoscalers,poddisruptionbudgets
say
kube get configmaps --selector "$RELEASE_LABEL" --sort-by .metadata.name \
  --output custom-columns=RELEASE:.metadata.name,VERSION:.data.version,AT:.metadata.creationTimestamp
say
CARILLON_HEALTH_TRIES=1 check_health
