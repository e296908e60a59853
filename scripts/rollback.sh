#!/usr/bin/env bash
# Brings back a version that ran before, its settings included. The Job is not run: indexes and topology only ever add.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/kubernetes.sh
. "$CARILLON_ROOT/scripts/lib/kubernetes.sh"
# shellcheck source=scripts/lib/lease.sh
. "$CARILLON_ROOT/scripts/lib/lease.sh"
# shellcheck source=scripts/lib/release.sh
. "$CARILLON_ROOT/scripts/lib/release.sh"

usage() {
  cat <<'TEXT'
usage: scripts/rollback.sh dev|stage|prod [VERSION]

Brings back the release before the last one, or the newest one of VERSION. scripts/status.sh lists them.
CARILLON_CONTEXT, CARILLON_ROLLOUT_SECONDS and CARILLON_ASK_BY are those of scripts/deploy.sh.

Status 0: it runs and is healthy. 1: it does not. 2: wrong use. 75: somebody else is at it.
TEXT
}

case ${1:-} in --help | -h)
  usage
  exit 0
  ;;
esac
if [ $# -lt 1 ] || [ $# -gt 2 ]; then usage_error "which environment?"; fi
use_environment "$1"
WORK=$(mktemp -d)

# The newest release of a version; without one, the newest that is of another version than the last.
find_release() {
  local name last found=''
  last=$(latest_release)
  [ -n "$last" ] || die "nothing was ever deployed to $ENVIRONMENT"
  for name in $(releases); do
    if [ -n "${1:-}" ]; then
      if [ "$(version_of "$name")" = "$1" ]; then found=$name; fi
    elif [ "$(version_of "$name")" != "$(version_of "$last")" ]; then
      found=$name
    fi
  done
  [ -n "$found" ] || die "there is no release ${1:+of $1 }to go back to in $ENVIRONMENT"
  say "$found"
}

finish() {
  local status=$?
  trap - EXIT
  end_child
  give_lease_back
  rm -rf "$WORK"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
trap 'note "error: lost the lease, left as it is"; exit 1' USR1

check_access
namespace_exists || die "$NAMESPACE is not there"
take_lease
release=$(find_release "${2:-}")
version=$(version_of "$release")
last=$(latest_release)
read_release "$release" "$WORK/wanted.yaml"
read_release "$last" "$WORK/last.yaml"
say "bringing back $version ($release)"
if ! restore "$WORK/wanted.yaml" || ! remove_what_left "$WORK/last.yaml" "$WORK/wanted.yaml"; then
  explain_failure
  die "$version could not be brought back"
fi
record_release "$version" "$WORK/wanted.yaml"
forget_old_releases
say
print_running
say "$version runs in $ENVIRONMENT again"
