#!/usr/bin/env bash
# The stage "images" of the tests: builds every image, measures them, and drives apps
# that run from them. MONGODB_URI and RABBITMQ_URI name the servers, as in test.sh.
#
# With docker or podman on their official bases. With buildah alone, on bases made of
# this machine's own programs, for where that is all there is no registry is reached;
# BUILD_BASE and RUNTIME_BASE name others. buildah keeps its images in
# CARILLON_IMAGE_STORAGE, .carillon/images unless set, and never in the system's.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
export CARILLON_IMAGE_STORAGE=${CARILLON_IMAGE_STORAGE:-$CARILLON_STATE/images}
# shellcheck source=scripts/lib/images.sh
. "$CARILLON_ROOT/scripts/lib/images.sh"
# shellcheck source=scripts/lib/base-images.sh
. "$CARILLON_ROOT/scripts/lib/base-images.sh"

STORAGE_LIMIT_MB=8000
VERSION=0.0.0-test
mkdir -p "$CARILLON_IMAGE_STORAGE"
cd "$CARILLON_ROOT"

if ! choose_engine; then
  note "images    $REASON: installing buildah by apt-get"
  apt_install "$CARILLON_IMAGE_STORAGE/install.log" buildah || true
  choose_engine || die "$REASON. Install one: $INSTALL_ENGINE"
fi
export CARILLON_ENGINE=$ENGINE

# Layers of earlier builds are kept for the next one, but not without end.
if [ "$ENGINE" = buildah ] && [ -d "$CARILLON_IMAGE_STORAGE/storage" ]; then
  size=$(du -sm "$CARILLON_IMAGE_STORAGE" | cut -f1)
  if [ "$size" -gt "$STORAGE_LIMIT_MB" ]; then
    note "images    $CARILLON_IMAGE_STORAGE has grown to $size MB: beginning anew"
    engine_buildah rm --all >/dev/null 2>&1 || true
    engine_buildah rmi --all --force >/dev/null
  fi
fi
if [ "$ENGINE" = buildah ] && [ -z "${BUILD_BASE:-}${RUNTIME_BASE:-}" ]; then make_base_images; fi

APPS=()
while IFS= read -r app; do APPS+=("$app"); done < <(image_apps)
scripts/build-and-push.sh --no-push --allow-dirty --version "$VERSION" "${APPS[@]}" sandbox
scripts/image-size.sh "$VERSION" "${APPS[@]}" sandbox

# Limits that nothing can keep show that somebody measures.
if IMAGE_LIMIT_MB=1 APPLICATION_LIMIT_MB=1 scripts/image-size.sh "$VERSION" scheduler >/dev/null 2>&1; then
  die "scripts/image-size.sh found nothing wrong with an image that is over its limits"
fi

export CARILLON_IMAGE_VERSION=$VERSION
exec node --experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js \
  --selectProjects images --runInBand --forceExit --silent=false
