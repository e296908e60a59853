#!/usr/bin/env bash
# Bad input, by the thousand: every operation of the OpenAPI document by schemathesis, and random bytes and wrong types
# on the intake queues. Needs the servers of MONGODB_URI, RABBITMQ_URI and RABBITMQ_MANAGEMENT_URI, and a build.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"

SCHEMATHESIS=4.32.5
TOOL=$CARILLON_CACHE/schemathesis-$SCHEMATHESIS

# Python 3.10 or later, with the module that makes virtual environments.
find_python() {
  local candidate
  for candidate in python3 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 &&
      "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      say "$candidate"
      return 0
    fi
  done
  return 1
}

if [ ! -x "$TOOL/bin/st" ]; then
  python=$(find_python) || die "schemathesis needs Python 3.10 or later with venv.
Install it, on Debian: apt-get install python3 python3-venv"
  # Complete only once the command is there: a run that was cut off is begun anew.
  rm -rf "$TOOL"
  "$python" -m venv "$TOOL"
  "$TOOL/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$SCHEMATHESIS"
fi
exec node "$CARILLON_ROOT/dist/e2e/fuzz.js" --schemathesis "$TOOL/bin/st" "$@"
