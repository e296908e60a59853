#!/usr/bin/env bash
# Sizes of the images, as the sum of their files: all of an image, and what the
# application adds to its base (everything below /app). Status 1 when one is over.
#
#   scripts/image-size.sh VERSION [APP...]
#
# IMAGE_LIMIT_MB (200) and APPLICATION_LIMIT_MB (40) are millions of bytes.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/images.sh
. "$CARILLON_ROOT/scripts/lib/images.sh"

VERSION=${1:-}
case $VERSION in
  '' | -*)
    note "usage: scripts/image-size.sh VERSION [APP...]   (built by scripts/build-and-push.sh --no-push --version VERSION)"
    exit 2
    ;;
esac
shift
choose_engine || die "$REASON. Install one: $INSTALL_ENGINE"

# tar's listing of what is in an image.
list_files() {
  local container status=0
  case $ENGINE in
    buildah)
      container=$(engine_buildah from "$1")
      tar -C "$(engine_buildah mount "$container")" -cf - . | tar -tvf - || status=$?
      engine_buildah rm "$container" >/dev/null
      ;;
    *)
      container=$("$ENGINE" create "$1")
      "$ENGINE" export "$container" | tar -tvf - || status=$?
      "$ENGINE" rm "$container" >/dev/null
      ;;
  esac
  return "$status"
}

if [ $# -eq 0 ]; then
  while IFS= read -r app; do set -- "$@" "$app"; done < <(image_apps)
fi
over=0
printf '%-58s %9s %12s %9s\n' image "all, MB" "application" base
for app in "$@"; do
  image=$(image_name "$app" "$VERSION")
  image_exists "$image" || die "there is no image $image: scripts/build-and-push.sh --no-push --version $VERSION $app"
  list_files "$image" | awk -v image="$image" -v all="${IMAGE_LIMIT_MB:-200}" -v application="${APPLICATION_LIMIT_MB:-40}" '
    { total += $3; path = $6; sub(/^\.?\//, "", path); if (path ~ /^app\//) own += $3 }
    END {
      printf "%-58s %9.1f %12.1f %9.1f\n", image, total / 1e6, own / 1e6, (total - own) / 1e6
      if (own == 0) { print image ": nothing below /app" > "/dev/stderr"; exit 1 }
      if (total > all * 1e6) { print image " is over " all " MB" > "/dev/stderr"; bad = 1 }
      if (own > application * 1e6) { print "the application in " image " is over " application " MB" > "/dev/stderr"; bad = 1 }
      exit bad
    }' || over=1
done
exit "$over"
