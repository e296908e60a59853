#!/usr/bin/env bash
# Builds the control plane, once for each user of a machine and each version of it, and prints the folder it is in.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"

HERE=$CARILLON_ROOT/k8s/test-cluster
KUBERNETES=1.36.3 # as in go.mod
KWOK=v0.7.0
KUBE_SCORE=v1.20.0
KEDA=v2.21.0                # for the schemas of its objects
PROMETHEUS_OPERATOR=v0.85.0 # the same

FOLDER=$CARILLON_CACHE/test-cluster-$(cat "$HERE/go.mod" "$HERE/go.sum" "${BASH_SOURCE[0]}" | cksum | awk '{ printf "%08x", $1 }')
LOG=$FOLDER.log

build_all() {
  local jobs partial=$FOLDER.partial.$$ path=k8s.io/component-base/version
  if [ -d "$FOLDER" ]; then return 0; fi # another run has built it meanwhile
  have go || die "Go is missing, to build a Kubernetes API server with: install it from https://go.dev/dl/ (or: brew install go).
Debian: echo 'deb http://deb.debian.org/debian bookworm-backports main' | sudo tee -a /etc/apt/sources.list && sudo apt-get update && sudo apt-get install -t bookworm-backports golang-go"
  note "cluster   building Kubernetes $KUBERNETES and kwok, 5 to 12 minutes, only this once (log: $LOG)"
  jobs=${CARILLON_BUILD_JOBS:-$(getconf _NPROCESSORS_ONLN)}
  rm -rf "$FOLDER".partial.*
  mkdir -p "$partial/bin" "$partial/crds"
  if ! (
    set -e
    export GOBIN=$partial/bin
    cd "$HERE"
    nice go build -p "$jobs" -trimpath -o "$partial/bin/" \
      -ldflags "-s -w -X $path.gitVersion=v$KUBERNETES -X $path.gitMajor=1 -X $path.gitMinor=36" \
      k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager \
      k8s.io/kubernetes/cmd/kube-scheduler k8s.io/kubernetes/cmd/kubectl
    cd "$partial"
    nice go install -p "$jobs" "sigs.k8s.io/kwok/cmd/kwok@$KWOK"
    nice go install -p "$jobs" "github.com/zegl/kube-score/cmd/kube-score@$KUBE_SCORE"
    copy_from_module "github.com/kedacore/keda/v2@$KEDA" config/crd/bases \
      keda.sh_scaledobjects.yaml keda.sh_triggerauthentications.yaml
    copy_from_module "github.com/prometheus-operator/prometheus-operator@$PROMETHEUS_OPERATOR" example/prometheus-operator-crd \
      monitoring.coreos.com_servicemonitors.yaml
  ) >"$LOG" 2>&1 </dev/null; then
    tail -n 15 "$LOG" >&2
    rm -rf "$partial"
    die "the control plane does not build (log: $LOG; is the Go module proxy reachable? go env GOPROXY)"
  fi
  mv "$partial" "$FOLDER"
}

# copy_from_module MODULE FOLDER FILE...
copy_from_module() {
  local module folder=$2 file
  module=$(go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
  shift 2
  for file in "$@"; do cp "$module/$folder/$file" "$partial/crds/"; done
  chmod -R u+w "$partial/crds"
}

mkdir -p "$CARILLON_CACHE"
if [ ! -d "$FOLDER" ]; then locked "$FOLDER.lock" build_all; fi
say "$FOLDER"
