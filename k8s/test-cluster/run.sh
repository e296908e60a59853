#!/usr/bin/env bash
# Manifests and scripts against a real Kubernetes API server, in a network of its own: see README.md. Needs a build.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"

have unshare || die "unshare is missing: it makes the network that the cluster lives in (Linux only; Debian: apt-get install util-linux)"
for tool in etcd:etcd-server ip:iproute2 curl:curl; do
  have "${tool%%:*}" || apt_install "$CARILLON_STATE/test-cluster-install.log" "${tool#*:}" || true
  have "${tool%%:*}" || die "${tool%%:*} is missing: sudo apt-get install ${tool#*:}"
done
NETWORK="--net"
[ "$(id -u)" = 0 ] || NETWORK="--user --map-root-user --net"
# shellcheck disable=SC2086 # several words
unshare $NETWORK true 2>/dev/null ||
  die "no network of its own can be made here: run this as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1)"

CARILLON_TEST_CLUSTER=$("$CARILLON_ROOT/k8s/test-cluster/build.sh")
export CARILLON_TEST_CLUSTER CARILLON_UNSHARE="$NETWORK"
exec node "$CARILLON_ROOT/dist/k8s/test-cluster/main.js" "$@"
