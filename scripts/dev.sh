#!/usr/bin/env bash
# Carillon on this machine: installs what is missing, starts the servers and the
# applications, and shows one notification by each channel arriving at its provider.
#
#   scripts/dev.sh           then stays up, until Ctrl-C
#   scripts/dev.sh --once    then ends, with status 0 if all arrived
#
# CARILLON_INSTANCE and the ports of scripts/dev.env, set in the environment,
# allow a second one beside the first.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/node.sh
. "$CARILLON_ROOT/scripts/lib/node.sh"
# shellcheck source=scripts/lib/apps.sh
. "$CARILLON_ROOT/scripts/lib/apps.sh"

ONCE=no
case ${1:-} in
  '') ;;
  --once) ONCE=yes ;;
  *)
    note "usage: scripts/dev.sh [--once]"
    exit 2
    ;;
esac

INSTANCE=${CARILLON_INSTANCE:-dev}
INFRA=$CARILLON_ROOT/scripts/infra.sh
LOGS=$CARILLON_STATE/$INSTANCE/logs
APPS="sandbox notification-api dispatcher scheduler"
SERVERS_ARE_OURS=no
STAYS_UP=no

finish() {
  local status=$?
  trap - EXIT
  trap '' INT TERM HUP
  if [ "$STAYS_UP" = yes ] && [ "$status" -ge 128 ]; then status=0; fi # Ctrl-C is the way to end it
  stop_apps
  if [ "$SERVERS_ARE_OURS" = yes ]; then "$INFRA" down --instance "$INSTANCE" || true; fi
  exit "$status"
}
trap finish EXIT
trap 'note; note "stopping what was started"; exit 130' INT
trap 'exit 143' TERM HUP

# --- set-up ------------------------------------------------------------------

mkdir -p "$LOGS"
try_lock 9 "$CARILLON_STATE/.lock-dev-run-$INSTANCE" || die "another scripts/dev.sh runs with instance $INSTANCE.
End it, or choose other ports (see scripts/dev.env) and CARILLON_INSTANCE=${INSTANCE}2 for this one."
# shellcheck disable=SC2034 # scripts/dev.env uses it
NEW_SECRET=whsec_$(head -c 24 /dev/urandom | base64)
load_settings "$CARILLON_ROOT/scripts/dev.env"
check_port NOTIFICATION_API_PORT DISPATCHER_PORT SCHEDULER_PORT SANDBOX_PORT SANDBOX_SMTP_PORT
setup_node
build || die "the build failed (npm run build), its reason is above"

"$INFRA" status --instance "$INSTANCE" >/dev/null 2>&1 || SERVERS_ARE_OURS=yes
"$INFRA" up --instance "$INSTANCE"
set -a
# shellcheck source=/dev/null
. "$CARILLON_STATE/$INSTANCE/env"
set +a

run_step "creating the indexes" npm run --silent db:indexes
run_step "making an API key" node dist/apps/notification-api/main.js \
  create-key --owner dev --scopes all --services all --expires-in 24h --json
KEY=$(node -e '
  const lines = require("fs").readFileSync(0, "utf8").trim().split("\n");
  console.log(JSON.parse(lines.at(-1)).key);
' <"$LOGS/step.log") || die "the command that makes an API key did not print one: $(cat "$LOGS/step.log")"

export SANDBOX_API_KEY=${SANDBOX_API_KEY:-$KEY}

# --- the applications --------------------------------------------------------

for app in $APPS; do start_app "$app"; done
for app in $APPS; do wait_for_app "$app"; done

API=http://127.0.0.1:$NOTIFICATION_API_PORT
SANDBOX=http://127.0.0.1:$SANDBOX_PORT

say
if CARILLON_API_KEY=$KEY node dist/e2e/demo.js --api "$API" --sandbox "$SANDBOX" --key-env CARILLON_API_KEY; then
  demo=shown
else
  demo=failed
  note "error: not every notification arrived; logs in $LOGS"
fi
if [ "$ONCE" = yes ]; then
  [ "$demo" = shown ] || exit 1
  exit 0
fi

# --- staying up --------------------------------------------------------------

PIDS=
for app in $APPS; do PIDS="$PIDS $app:$(read_state "$LOGS/$app.pid")"; done
STAYS_UP=yes
cat <<TEXT

Carillon is up. Ctrl-C stops all that was started here.

  API               $API/api          documentation $API/docs
  dispatcher        http://127.0.0.1:$DISPATCHER_PORT/health/ready
  scheduler         http://127.0.0.1:$SCHEDULER_PORT/health/ready
  sandbox           $SANDBOX              what arrived at the providers; SMTP on port $SANDBOX_SMTP_PORT
  inbox             $SANDBOX/inbox        the in-app inbox of demo-ada, live
  servers           scripts/infra.sh env --instance $INSTANCE
  logs              $LOGS
  API key           $KEY

Try:

  curl -sS -X POST $API/api/notifications \\
    -H 'Authorization: Bearer $KEY' -H 'Content-Type: application/json' \\
    -d '{"serviceName":"test","channel":"email","to":["you@example.org"],"title":"Hello","body":"It works."}'

  export CARILLON_API_KEY=$KEY CARILLON_API_URL=$API CARILLON_SANDBOX_URL=$SANDBOX
  npx carillon test:all       # docs/TESTING.md goes through every part

TEXT
# No command substitution from here on: bash 5.2 cannot run a trap while it reads one.
while :; do
  for running in $PIDS; do
    if ! kill -0 "${running#*:}" 2>/dev/null; then
      STAYS_UP=no
      show_log "${running%%:*}"
      die "${running%%:*} has ended, so all is stopped"
    fi
  done
  sleep 1 &
  wait $! # unlike sleep alone, ends at once with Ctrl-C
done
