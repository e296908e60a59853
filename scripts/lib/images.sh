# shellcheck shell=bash disable=SC2034 # what is set here is used by those who source it
# Images: which there are, what they are called, and the engine that builds them.
# Sourced after common.sh.
#
# CARILLON_ENGINE         docker, podman or buildah; the first that works unless set
# CARILLON_REGISTRY       where images go, such as registry.example.org/team
# CARILLON_IMAGE_STORAGE  folder of buildah's own images; the system's unless set

IMAGE_STORAGE=${CARILLON_IMAGE_STORAGE:-}
INSTALL_ENGINE="sudo apt-get install buildah (or Docker: https://docs.docker.com/engine/install/)"

# Those of production: each app with a main.ts but the sandbox.
image_apps() {
  local main app
  for main in "$CARILLON_ROOT"/apps/*/main.ts; do
    app=$(basename "$(dirname "$main")")
    [ "$app" = sandbox ] || say "$app"
  done
}

# image_name APP VERSION
image_name() { say "${CARILLON_REGISTRY:-localhost}/carillon/$1:$2"; }

# --- engines -----------------------------------------------------------------

engine_works() {
  case $1 in
    docker | podman) have "$1" && with_limit 20 "$1" info >/dev/null 2>&1 ;;
    buildah) have buildah && with_limit 20 buildah --version >/dev/null 2>&1 ;;
    *) die "CARILLON_ENGINE=$1 is unknown: docker, podman or buildah" ;;
  esac
}

# Sets ENGINE. Status 1: none works, and REASON says what was found.
choose_engine() {
  local candidate found=
  ENGINE=${CARILLON_ENGINE:-}
  if [ -n "$ENGINE" ]; then
    engine_works "$ENGINE" && return 0
    REASON="CARILLON_ENGINE asks for $ENGINE, which is not installed or does not answer"
    return 1
  fi
  for candidate in docker podman buildah; do
    if engine_works "$candidate"; then
      ENGINE=$candidate
      return 0
    fi
    if have "$candidate"; then found="$found; $candidate is installed, but does not answer"; fi
  done
  REASON="neither docker nor podman nor buildah can be used here$found"
  return 1
}

# buildah with the storage of the setting. Chroot isolation asks for no rights that a container may not have.
engine_buildah() {
  local storage=()
  if [ -n "$IMAGE_STORAGE" ]; then storage=(--root "$IMAGE_STORAGE/storage" --runroot "$IMAGE_STORAGE/run"); fi
  BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot} buildah ${storage[@]+"${storage[@]}"} "$@"
}

# engine COMMAND...: of whichever it is.
engine() {
  case $ENGINE in
    buildah) engine_buildah "$@" ;;
    *) "$ENGINE" "$@" ;;
  esac
}

image_exists() {
  case $ENGINE in
    buildah) engine_buildah inspect --type image "$1" >/dev/null 2>&1 ;;
    *) "$ENGINE" image inspect "$1" >/dev/null 2>&1 ;;
  esac
}

# build_image APP NAME VERSION REVISION: from the checkout, or from CONTEXT.
build_image() {
  local options=(--file docker/Dockerfile --target "$1" --tag "$2" --build-arg "VERSION=$3" --build-arg "REVISION=$4")
  if [ -n "${BUILD_BASE:-}" ]; then options+=(--build-arg "BUILD_BASE=$BUILD_BASE"); fi
  if [ -n "${RUNTIME_BASE:-}" ]; then options+=(--build-arg "RUNTIME_BASE=$RUNTIME_BASE"); fi
  if [ -n "${CARILLON_NPMRC:-}" ]; then options+=(--secret "id=npmrc,src=$CARILLON_NPMRC"); fi
  case $ENGINE in
    # HEALTHCHECK is no part of the OCI format.
    buildah) engine_buildah bud --format docker --layers "${options[@]}" . ;;
    podman) podman build --format docker "${options[@]}" . ;;
    docker) DOCKER_BUILDKIT=1 docker build "${options[@]}" . ;;
  esac
}
