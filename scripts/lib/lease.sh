# shellcheck shell=bash
# One change of an environment at a time: a Lease in its namespace, renewed while the script runs. Each write tests what
# it found in the same request, so that of two that try at once one fails. Sourced after kubernetes.sh.

LEASE=carillon-deploy
LEASE_SECONDS=30
HOLDER="$(id -un)@$(uname -n)-$$-$(random_hex | cut -c 1-8)"
LEASE_KEEPER=
EXIT_BUSY=75 # EX_TEMPFAIL of sysexits.h

time_at() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%S.000000Z 2>/dev/null || date -u -r "$1" +%Y-%m-%dT%H:%M:%S.000000Z; }
seconds_now() { date +%s; }

# patch_lease HOLDER [TIME]: takes or renews what is still as given.
patch_lease() {
  local tests
  tests="{\"op\":\"test\",\"path\":\"/spec/holderIdentity\",\"value\":\"$1\"}"
  if [ -n "${2:-}" ]; then tests="$tests,{\"op\":\"test\",\"path\":\"/spec/renewTime\",\"value\":\"$2\"}"; fi
  kube --request-timeout 10s patch lease "$LEASE" --type json --patch "[$tests,
    {\"op\":\"replace\",\"path\":\"/spec/holderIdentity\",\"value\":\"$HOLDER\"},
    {\"op\":\"replace\",\"path\":\"/spec/renewTime\",\"value\":\"$(time_at "$(seconds_now)")\"}]"
}

create_lease() {
  kube create --filename - <<YAML
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata:
  name: $LEASE
spec:
  holderIdentity: "$HOLDER"
  leaseDurationSeconds: $LEASE_SECONDS
  renewTime: "$(time_at "$(seconds_now)")"
YAML
}

# Ends the script where somebody else is at work.
take_lease() {
  local holder renewed answer
  if ! answer=$(create_lease 2>&1); then
    case $answer in *AlreadyExists* | *"already exists"*) ;; *) die "no lease could be made: $answer" ;; esac
    holder=$(kube get lease "$LEASE" --output jsonpath='{.spec.holderIdentity}')
    renewed=$(kube get lease "$LEASE" --output jsonpath='{.spec.renewTime}')
    if [ -n "$holder" ] && [[ "$renewed" > "$(time_at $(($(seconds_now) - LEASE_SECONDS)))" ]]; then
      busy "$holder, seen at $renewed"
    fi
    if [ -n "$holder" ]; then note "$holder left without a word, last seen at $renewed: taking over"; fi
    patch_lease "$holder" "$renewed" >/dev/null 2>&1 || busy "somebody who was faster"
  fi
  keep_lease "$$" &
  LEASE_KEEPER=$!
}

busy() {
  note "error: $ENVIRONMENT is being changed by $1. Nothing was changed; try again when that has ended."
  exit "$EXIT_BUSY"
}

# Renews it, and tells the script when it is lost.
keep_lease() {
  local until=$(($(seconds_now) + LEASE_SECONDS)) answer
  trap - EXIT
  trap 'exit 0' TERM INT
  while kill -0 "$1" 2>/dev/null; do
    sleep 5 >/dev/null 2>&1 & # holds nobody's output open
    wait $! || true
    if answer=$(patch_lease "$HOLDER" 2>&1); then
      until=$(($(seconds_now) + LEASE_SECONDS))
    # A test that fails is answered 422, for which kubectl has these words.
    elif [ "$(seconds_now)" -ge "$until" ] || [[ $answer == *"request is invalid"* ]]; then
      note "the lease is lost: $answer"
      kill -USR1 "$1"
      return 0
    fi
  done
}

give_lease_back() {
  if [ -z "$LEASE_KEEPER" ]; then return 0; fi
  kill -TERM "$LEASE_KEEPER" 2>/dev/null || true
  wait "$LEASE_KEEPER" 2>/dev/null || true
  LEASE_KEEPER=
  kube --request-timeout 10s patch lease "$LEASE" --type json --patch "[
    {\"op\":\"test\",\"path\":\"/spec/holderIdentity\",\"value\":\"$HOLDER\"},
    {\"op\":\"replace\",\"path\":\"/spec/holderIdentity\",\"value\":\"\"}]" >/dev/null 2>&1 || true
}
