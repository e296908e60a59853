# shellcheck shell=bash
# What was deployed, kept in the cluster: a ConfigMap for each release that succeeded, with its whole manifest, settings
# included, secrets not. Sourced after kubernetes.sh, by those that set WORK to a folder of their own.

RELEASES_KEPT=10
RELEASE_LABEL=carillon/record=release

# releases prints the names, oldest first.
releases() { kube get configmaps --selector "$RELEASE_LABEL" --output custom-columns=:.metadata.name --no-headers 2>/dev/null | LC_ALL=C sort; }
latest_release() { releases | tail -n 1; }
version_of() { kube get configmap "$1" --output jsonpath='{.data.version}'; }

# read_release NAME FILE
read_release() {
  kube get configmap "$1" --output go-template='{{index .binaryData "manifest.gz"}}' | base64 -d | gzip -dc >"$2"
  [ -s "$2" ] || die "the record $1 has no manifest"
}

# record_release VERSION FILE. The name is the next number: two that record at once would fail, not overwrite.
record_release() {
  local last number
  last=$(latest_release)
  last=${last:-release-000000}
  number=$((10#${last##*-} + 1))
  gzip -c "$2" >"$WORK/manifest.gz"
  kube create configmap "$(printf 'release-%06d' "$number")" --dry-run=client --output yaml \
    --from-literal version="$1" --from-file manifest.gz="$WORK/manifest.gz" |
    kubectl label --local --filename - --output yaml "$RELEASE_LABEL" app.kubernetes.io/part-of=carillon |
    kube create --filename -
}

# Settings of releases that are still on record stay, for whoever rolls back by hand.
forget_old_releases() {
  local name known="$WORK/known-settings"
  for name in $(releases | awk -v kept="$RELEASES_KEPT" '{ name[NR] = $0 } END { for (i = 1; i <= NR - kept; i++) print name[i] }'); do
    kube delete configmap "$name"
  done
  : >"$known"
  for name in $(releases); do
    read_release "$name" "$WORK/record.yaml"
    names_of "$WORK/record.yaml" ConfigMap >>"$known"
  done
  for name in $(kube get configmaps --selector app.kubernetes.io/part-of=carillon --output custom-columns=:.metadata.name --no-headers | grep '^carillon-settings-' || true); do
    if ! grep -qx "$name" "$known"; then kube delete configmap "$name"; fi
  done
}

# remove_what_left OLD NEW: objects of one manifest that are not in the other, but for settings and what holds data.
remove_what_left() {
  local object
  for object in $(only_in "$1" "$2"); do
    case $object in
      ConfigMap/* | StatefulSet/* | Namespace/* | Secret/*) ;;
      *) kube delete "$object" --ignore-not-found ;;
    esac
  done
}

# restore FILE [FAILED]: brings a recorded manifest back, takes away what the failed one added, and waits until it is healthy.
restore() {
  local deployments
  documents "$1" not Deployment HorizontalPodAutoscaler >"$WORK/restore-first.yaml"
  documents "$1" Deployment HorizontalPodAutoscaler >"$WORK/restore-then.yaml"
  apply "$WORK/restore-first.yaml" || return 1
  apply "$WORK/restore-then.yaml" || return 1
  if [ -n "${2:-}" ]; then
    remove_what_left "$2" "$1" || return 1
    for object in $(only_in "$2" "$1" | grep '^ConfigMap/'); do kube delete "$object" --ignore-not-found || return 1; done
  fi
  deployments=$(names_of "$1" Deployment)
  # shellcheck disable=SC2086 # one word each
  wait_for_rollout deployment $deployments && wait_for_least "$1" && check_health
}
