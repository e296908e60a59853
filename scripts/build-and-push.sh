#!/usr/bin/env bash
# Builds the images, and pushes them to a registry.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/images.sh
. "$CARILLON_ROOT/scripts/lib/images.sh"

usage() {
  cat <<'TEXT'
usage: scripts/build-and-push.sh [options] [APP...]

Builds <registry>/carillon/<app>:<version> for each APP (all of production unless
named; sandbox only if named), pushes them, and prints each one's digest.

  --version V      instead of the tag that HEAD has, or else the time and the commit
  --no-push        build only
  --allow-dirty    although files differ from the commit; the revision then ends in -dirty

CARILLON_REGISTRY      where to push, such as registry.example.org/team; required to push.
                       Log in before: docker|podman|buildah login
CARILLON_REGISTRY_TLS  false for a registry without TLS
CARILLON_ENGINE        docker, podman or buildah; the first that works unless set
CARILLON_NPMRC         an .npmrc for npm ci, if packages come from a registry of your own
BUILD_BASE, RUNTIME_BASE  other base images than those of docker/Dockerfile
TEXT
}

usage_error() {
  note "error: $*"
  usage >&2
  exit 2
}

VERSION=
PUSH=yes
ALLOW_DIRTY=no
APPS=()
while [ $# -gt 0 ]; do
  case $1 in
    --version)
      VERSION=${2:-}
      [ -n "$VERSION" ] || usage_error "--version needs one"
      shift
      ;;
    --no-push) PUSH=no ;;
    --allow-dirty) ALLOW_DIRTY=yes ;;
    help | --help | -h)
      usage
      exit 0
      ;;
    -*) usage_error "unknown option $1" ;;
    *) APPS+=("$1") ;;
  esac
  shift
done

cd "$CARILLON_ROOT"

# --- what could go wrong, before anything is built ---------------------------------

if [ ${#APPS[@]} -eq 0 ]; then
  while IFS= read -r app; do APPS+=("$app"); done < <(image_apps)
fi
for app in "${APPS[@]}"; do
  [ -f "apps/$app/main.ts" ] || usage_error "there is no app \"$app\": $(image_apps | tr '\n' ' ')sandbox"
done

if [ "$PUSH" = yes ]; then
  [ -n "${CARILLON_REGISTRY:-}" ] ||
    usage_error "CARILLON_REGISTRY is not set: where shall the images go? (--no-push builds only)"
  case $CARILLON_REGISTRY in
    *://* | */ | *[!A-Za-z0-9._:/-]*) usage_error "CARILLON_REGISTRY must be a host and a path, such as registry.example.org/team, without https:// and without / at the end" ;;
  esac
fi
if [ -n "${CARILLON_NPMRC:-}" ] && [ ! -r "$CARILLON_NPMRC" ]; then die "CARILLON_NPMRC names a file that cannot be read"; fi

REVISION=$(git rev-parse HEAD 2>/dev/null) || die "this is no git checkout with a commit: an image must say what it was built from"
if [ -n "$(git status --porcelain)" ]; then
  [ "$ALLOW_DIRTY" = yes ] || die "files differ from the commit, so nobody could say what the image holds:
$(git status --short | head -n 10)
Commit them, or build all the same with --allow-dirty"
  REVISION=$REVISION-dirty
fi
if [ -z "$VERSION" ]; then
  VERSION=$(git describe --tags --exact-match HEAD 2>/dev/null) || VERSION=$(date -u +%Y%m%d-%H%M%S)-$(git rev-parse --short HEAD)
  if [ "$REVISION" != "${REVISION%-dirty}" ]; then VERSION=$VERSION-dirty; fi
fi
case $VERSION in
  [!A-Za-z0-9_]* | *[!A-Za-z0-9_.-]*) die "\"$VERSION\" cannot be a tag of an image: letters, digits, _ . and - only; name another with --version" ;;
esac
[ ${#VERSION} -le 128 ] || die "a version has at most 128 characters"
choose_engine || die "$REASON. Install one: $INSTALL_ENGINE"

# --- build -------------------------------------------------------------------------

say "images    version $VERSION, revision $REVISION, by $ENGINE"
for app in "${APPS[@]}"; do
  started=$SECONDS
  log=$(mktemp "${TMPDIR:-/tmp}/carillon-image.XXXXXX")
  if ! build_image "$app" "$(image_name "$app" "$VERSION")" "$VERSION" "$REVISION" >"$log" 2>&1 </dev/null; then
    tail -n 30 "$log" >&2
    die "the image of $app does not build; the whole output is in $log"
  fi
  rm -f "$log"
  say "built     $(image_name "$app" "$VERSION") in $((SECONDS - started)) s"
done
[ "$PUSH" = yes ] || exit 0

# --- push --------------------------------------------------------------------------

# push IMAGE FILE: its digest goes to FILE.
push() {
  case $ENGINE in
    docker)
      docker push "$1" | tee "$2.log"
      sed -n 's/.*digest: \(sha256:[0-9a-f]*\).*/\1/p' "$2.log" >"$2"
      rm -f "$2.log"
      ;;
    podman) podman push --digestfile "$2" --tls-verify="${CARILLON_REGISTRY_TLS:-true}" "$1" ;;
    buildah) engine_buildah push --digestfile "$2" --tls-verify="${CARILLON_REGISTRY_TLS:-true}" "$1" "docker://$1" ;;
  esac
}

digests=$(mktemp -d "${TMPDIR:-/tmp}/carillon-digests.XXXXXX")
trap 'rm -rf "$digests"' EXIT
for app in "${APPS[@]}"; do
  image=$(image_name "$app" "$VERSION")
  if ! push "$image" "$digests/$app" >"$digests/output" 2>&1 </dev/null; then
    tail -n 15 "$digests/output" >&2
    die "$image was not pushed. Are you logged in ($ENGINE login ${CARILLON_REGISTRY%%/*}), and may you write there?"
  fi
  [ -s "$digests/$app" ] || die "$image was pushed, but $ENGINE did not say its digest"
done
for app in "${APPS[@]}"; do
  say "pushed    $(image_name "$app" "$VERSION")@$(cat "$digests/$app")"
done
