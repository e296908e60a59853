#!/usr/bin/env bash
# Runs an image as Kubernetes would: as its own user, on a read-only root, without
# capabilities where the engine can take them away. For tests: it shares the network
# of this machine, and gets every exported variable.
#
#   scripts/run-image.sh [--entrypoint PROGRAM] IMAGE [ARGUMENT...]
#
# Ends with the status of what ran. TERM and INT are handed on to it.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/images.sh
. "$CARILLON_ROOT/scripts/lib/images.sh"

ENTRYPOINT=
if [ "${1:-}" = --entrypoint ]; then
  ENTRYPOINT=${2:?"--entrypoint needs a program"}
  shift 2
fi
IMAGE=${1:?"usage: scripts/run-image.sh [--entrypoint PROGRAM] IMAGE [ARGUMENT...]"}
shift
choose_engine || die "$REASON. Install one: $INSTALL_ENGINE"
image_exists "$IMAGE" || die "$ENGINE has no image $IMAGE: build it with scripts/build-and-push.sh --no-push"

# A mount namespace of our own: the root is made read-only in it, and nobody else sees that.
if [ "$ENGINE" = buildah ] && [ -z "${RUN_IMAGE_INSIDE:-}" ]; then
  export RUN_IMAGE_INSIDE=yes
  [ -z "$ENTRYPOINT" ] || set -- --entrypoint "$ENTRYPOINT" "$IMAGE" "$@"
  [ -n "$ENTRYPOINT" ] || set -- "$IMAGE" "$@"
  if [ "$(id -u)" = 0 ]; then exec unshare --mount -- "$0" "$@"; fi
  exec buildah unshare -- "$0" "$@"
fi

ENVIRONMENT=()
for name in $(compgen -e); do
  case $name in
    PATH | HOME | PWD | OLDPWD | SHLVL | _ | RUN_IMAGE_INSIDE | CARILLON_ENGINE | CARILLON_IMAGE_STORAGE | BUILDAH_ISOLATION | STORAGE_DRIVER) ;;
    *) ENVIRONMENT+=(--env "$name=${!name}") ;;
  esac
done

run_in_engine() {
  [ -z "$ENTRYPOINT" ] || set -- --entrypoint "$ENTRYPOINT" "$IMAGE" "$@"
  [ -n "$ENTRYPOINT" ] || set -- "$IMAGE" "$@"
  exec "$ENGINE" run --rm --read-only --network host --cap-drop ALL --security-opt no-new-privileges \
    ${ENVIRONMENT[@]+"${ENVIRONMENT[@]}"} "$@"
}

# --- buildah: what the others do by an option ---------------------------------------

make_read_only() {
  local root
  root=$(engine_buildah mount "$CONTAINER")
  # Places for what buildah mounts itself.
  mkdir -p "$root/dev" "$root/proc" "$root/sys" "$root/run" "$root/etc"
  touch "$root/etc/hosts" "$root/etc/hostname" "$root/etc/resolv.conf"
  mount --bind "$root" "$root"
  mount -o remount,bind,ro "$root"
  mount -t tmpfs -o mode=755,size=64k tmpfs "$root/run" # where it writes, and removes, a file of its own
}

# buildah keeps signals to itself: this is the process that it runs in the end.
innermost() {
  local pid=$1 child
  while child=$(cat "/proc/$pid"/task/*/children 2>/dev/null | awk '{ print $1; exit }') && [ -n "$child" ]; do pid=$child; done
  say "$pid"
}

run_by_buildah() {
  local command=() word child status=0
  if [ -n "$ENTRYPOINT" ]; then
    command=("$ENTRYPOINT")
  else
    while IFS= read -r word; do command+=("$word"); done < <(
      engine_buildah inspect --type image --format '{{range .Docker.Config.Entrypoint}}{{println .}}{{end}}' "$IMAGE" | sed '/^$/d'
    )
  fi
  CONTAINER=$(engine_buildah from "$IMAGE")
  trap 'engine_buildah rm "$CONTAINER" >/dev/null 2>&1 || true' EXIT
  make_read_only
  engine_buildah run ${ENVIRONMENT[@]+"${ENVIRONMENT[@]}"} "$CONTAINER" -- "${command[@]}" "$@" </dev/null &
  child=$!
  trap 'kill -TERM "$(innermost "$child")" 2>/dev/null || true' TERM INT
  while :; do
    status=0
    wait "$child" || status=$?
    kill -0 "$child" 2>/dev/null || break # else a signal has ended the waiting, not the process
  done
  exit "$status"
}

if [ "$ENGINE" = buildah ]; then run_by_buildah "$@"; else run_in_engine "$@"; fi
