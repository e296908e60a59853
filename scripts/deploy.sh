#!/usr/bin/env bash
# Deploys one version to one environment, and puts back what ran before if that fails.
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
usage: scripts/deploy.sh dev|stage|prod VERSION [--dry-run]

  --dry-run    shows what would change, and changes nothing

  CARILLON_REGISTRY         where the images are: REGISTRY/carillon/APP:VERSION (required)
  CARILLON_CONTEXT          context of kubectl; required but for dev
  CARILLON_ROLLOUT_SECONDS  how long each rollout, and the Job before it, may take (300)
  CARILLON_ASK_BY           how /health is asked: proxy, port-forward or both (both)

Status 0: it runs and is healthy. 1: it failed, and what ran before runs again, or nothing had been changed yet.
2: wrong use. 3: it failed, and so did putting back what ran before. 75: somebody else is at it.
TEXT
}

DRY_RUN=no
words=()
for word in "$@"; do
  case $word in
    --dry-run) DRY_RUN=yes ;;
    --help | -h)
      usage
      exit 0
      ;;
    -*) usage_error "unknown option $word" ;;
    *) words+=("$word") ;;
  esac
done
[ ${#words[@]} -eq 2 ] || usage_error "which environment, and which version?"
use_environment "${words[0]}"
VERSION=${words[1]}
ROLLOUT_SECONDS=${CARILLON_ROLLOUT_SECONDS:-300}

WORK=$(mktemp -d)
MANIFEST=$WORK/manifest.yaml
BEFORE=      # the release that ran before, if any
CHANGING=no  # whether there is something to put back

# --- steps -----------------------------------------------------------------------------------------------------------

# The Job is named by the version and by what it is made of: it cannot be changed, and the same version may come with
# other settings.
render() {
  local app job
  job=prepare-$(printf '%s' "$VERSION" | tr '[:upper:]_.' '[:lower:]--' | cut -c 1-40)
  cp -R "$CARILLON_ROOT/k8s" "$WORK/k8s"
  mkdir "$WORK/k8s/release"
  {
    say "resources: [../overlays/$ENVIRONMENT]"
    say "labels:"
    say "  - pairs: { app.kubernetes.io/version: \"$VERSION\" }"
    say "    fields:"
    say "      - { path: spec/template/metadata/labels, kind: Deployment, group: apps, create: true }"
    say "      - { path: spec/template/metadata/labels, kind: Job, group: batch, create: true }"
    say "images:"
    for app in $APPS sandbox; do
      say "  - { name: carillon/$app, newName: \"$CARILLON_REGISTRY/carillon/$app\", newTag: \"$VERSION\" }"
    done
  } >"$WORK/k8s/release/kustomization.yaml"
  kubectl kustomize "$WORK/k8s/release" >"$WORK/unnamed.yaml"
  documents "$WORK/unnamed.yaml" Job >"$WORK/unnamed-job.yaml"
  job=${job%-}-$(cksum <"$WORK/unnamed-job.yaml" | awk '{ printf "%08x", $1 }')
  documents "$WORK/unnamed.yaml" not Job >"$MANIFEST"
  sed "s/^  name: prepare\$/  name: $job/" "$WORK/unnamed-job.yaml" >>"$MANIFEST"
}

preflight() {
  local answer verb
  [ -n "${CARILLON_REGISTRY:-}" ] || die "CARILLON_REGISTRY is not set: where the images are, such as registry.example.org/team"
  [[ $VERSION =~ ^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$ ]] ||
    die "\"$VERSION\" is no version: letters, digits, . _ and -, at most 63"
  check_access
  for verb in "create deployments.apps" "create jobs.batch" "create leases.coordination.k8s.io" "create configmaps" "get secrets"; do
    # shellcheck disable=SC2086 # a verb and a resource
    answer=$(kube auth can-i $verb 2>/dev/null) || die "you may not $verb in $NAMESPACE: ${answer:-no answer}"
  done
  render
  documents "$MANIFEST" Namespace >"$WORK/namespace.yaml"
  documents "$MANIFEST" not Namespace >"$WORK/rest.yaml"
}

# Warnings count: those of Pod Security say what would not be admitted.
check_manifest() {
  local answer
  answer=$(kube apply --server-side --force-conflicts --field-manager "$FIELD_MANAGER" --validate=strict --dry-run=server \
    --filename "$WORK/rest.yaml" 2>&1) || die "the API server refuses the manifest:
$answer"
  if printf '%s\n' "$answer" | grep '^Warning:' >&2; then die "the API server warns of the manifest"; fi
}

show_difference() {
  local status=0
  if namespace_exists; then
    check_manifest
    kube diff --server-side --force-conflicts --field-manager "$FIELD_MANAGER" --filename "$MANIFEST" || status=$?
    [ "$status" -le 1 ] || die "kubectl diff failed"
    [ "$status" = 1 ] || say "nothing would change"
  else
    say "$NAMESPACE is not there yet. All of this would be made:"
    objects "$MANIFEST"
  fi
}

# Keys are looked at, values never.
check_secrets() {
  local secret key keys missing=
  for secret in carillon-servers:MONGODB_URI carillon-servers:RABBITMQ_URI carillon-notification-api: carillon-dispatcher:; do
    key=${secret#*:}
    secret=${secret%%:*}
    # shellcheck disable=SC2016 # the template's own variables
    if ! keys=$(kube get secret "$secret" --output go-template='{{range $key, $_ := .data}} {{$key}} {{end}}' 2>/dev/null); then
      missing="$missing
  Secret $secret"
    elif [ -n "$key" ] && [[ $keys != *" $key "* ]]; then
      missing="$missing
  key $key of Secret $secret"
    fi
  done
  [ -z "$missing" ] || die "$NAMESPACE lacks:$missing
k8s/secrets.example.yaml says what belongs there."
}

run_job() {
  local job state ends=$((SECONDS + ROLLOUT_SECONDS))
  documents "$MANIFEST" Job >"$WORK/job.yaml"
  job=$(names_of "$WORK/job.yaml" Job)
  # The very same ran before: it may be repeated.
  kube delete job "$job" --ignore-not-found --wait
  apply "$WORK/job.yaml"
  say "waiting for the Job $job"
  while [ "$SECONDS" -lt "$ends" ]; do
    state=$(kube get job "$job" --output jsonpath='{range .status.conditions[?(@.status=="True")]}{.type}{" "}{end}')
    case " $state" in
      *" Complete "*) return 0 ;;
      *" Failed "*) die "the Job $job has failed: no indexes, no topology, no rollout" ;;
    esac
    sleep 1
  done
  die "the Job $job has not ended after $ROLLOUT_SECONDS s"
}

roll_out() {
  local sets
  documents "$MANIFEST" not Namespace Job Deployment HorizontalPodAutoscaler PodDisruptionBudget >"$WORK/first.yaml"
  apply "$WORK/first.yaml"
  check_secrets
  sets=$(names_of "$MANIFEST" StatefulSet)
  # shellcheck disable=SC2086 # one word each
  wait_for_rollout statefulset $sets || die "what the apps need in this namespace does not come up"
  run_job
  documents "$MANIFEST" Deployment HorizontalPodAutoscaler PodDisruptionBudget >"$WORK/then.yaml"
  apply "$WORK/then.yaml"
  # shellcheck disable=SC2046 # one word each
  wait_for_rollout deployment $(names_of "$MANIFEST" Deployment) || die "the rollout of $VERSION does not end"
  wait_for_least "$MANIFEST" || die "the autoscalers do not bring up $VERSION"
  check_health || die "$VERSION runs, and is not healthy"
}

# --- what becomes of a failure ---------------------------------------------------------------------------------------

put_back() {
  local record=$WORK/before.yaml
  CHANGING=no
  explain_failure
  if [ -n "$BEFORE" ]; then
    note "putting back $(version_of "$BEFORE") ($BEFORE)"
    if (read_release "$BEFORE" "$record") && restore "$record" "$WORK/rest.yaml" >&2; then
      note "$(version_of "$BEFORE") runs again, with its settings; $VERSION does not"
      return 0
    fi
  else
    note "nothing ran here before: taking away the workloads of $VERSION"
    if kube delete --ignore-not-found --filename "$WORK/workloads.yaml" >&2; then return 0; fi
  fi
  note "error: what ran before could not be put back. Look at it with scripts/status.sh $ENVIRONMENT"
  return 1
}

finish() {
  local status=$?
  trap - EXIT
  trap '' INT TERM HUP USR1
  set +e
  end_child
  if [ "$CHANGING" = yes ]; then
    [ "$status" -ne 0 ] || status=1
    put_back || status=3
  fi
  give_lease_back
  rm -rf "$WORK"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
# Somebody else has it now, and what we would put back is no longer ours to say.
trap 'CHANGING=no; note "error: lost the lease, left as it is"; exit 3' USR1

# ---------------------------------------------------------------------------------------------------------------------

preflight
if [ "$DRY_RUN" = yes ]; then
  show_difference
  exit 0
fi
apply "$WORK/namespace.yaml"
take_lease
check_manifest
BEFORE=$(latest_release)
documents "$MANIFEST" Job Deployment HorizontalPodAutoscaler PodDisruptionBudget >"$WORK/workloads.yaml"
CHANGING=yes
roll_out
documents "$MANIFEST" not Namespace Job Secret >"$WORK/record.yaml.new"
record_release "$VERSION" "$WORK/record.yaml.new"
CHANGING=no
if [ -n "$BEFORE" ]; then
  read_release "$BEFORE" "$WORK/before.yaml"
  remove_what_left "$WORK/before.yaml" "$WORK/rest.yaml"
fi
forget_old_releases
say
print_running
say "$VERSION runs in $ENVIRONMENT"
