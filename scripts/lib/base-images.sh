# shellcheck shell=bash
# Bases for the images where no registry can be reached: made of this machine's own
# programs, for buildah alone. What they lack of the official ones is not needed to
# build and run the apps. Sourced after images.sh.
#
# build    node and npm of the machine, a shell, certificates
# runtime  node, the libraries that it loads, certificates: what distroless has, too

BASE_OF_BUILD=localhost/carillon/base-build
BASE_OF_RUNTIME=localhost/carillon/base-runtime

# copy_program FOLDER PROGRAM TO: with the libraries that it loads.
copy_program() {
  local library
  mkdir -p "$1$(dirname "$3")"
  cp -L "$2" "$1$3"
  for library in $(ldd "$2" 2>/dev/null | grep -o '/[^ ]*'); do
    mkdir -p "$1$(dirname "$library")"
    cp -L "$library" "$1$library"
  done
}

copy_certificates() {
  [ -f /etc/ssl/certs/ca-certificates.crt ] || die "this machine has no /etc/ssl/certs/ca-certificates.crt: sudo apt-get install ca-certificates"
  mkdir -p "$1/etc/ssl/certs"
  cp -L /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/"
}

# The rest of the C library: name resolution is loaded when it is asked for, librt and libutil by native modules.
copy_c_library() {
  local library
  mkdir -p "$1/etc"
  printf 'hosts: files dns\n' >"$1/etc/nsswitch.conf"
  printf 'root:x:0:0:root:/root:/bin/sh\nnonroot:x:65532:65532:nonroot:/:/bin/false\n' >"$1/etc/passwd"
  for library in /lib/*-linux-gnu/lib{nss_dns,nss_files,resolv}.so.2 /lib/*-linux-gnu/lib{rt,util}.so.1; do
    [ ! -e "$library" ] || { mkdir -p "$1$(dirname "$library")" && cp -L "$library" "$1$library"; }
  done
}

make_runtime_folder() {
  copy_program "$1" "$(node -p process.execPath)" /nodejs/bin/node
  copy_certificates "$1"
  copy_c_library "$1"
  mkdir -p "$1/tmp" "$1/proc" "$1/sys" "$1/dev" "$1/run"
  chmod 1777 "$1/tmp"
}

make_build_folder() {
  local npm
  npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  [ -f "$npm/bin/npm-cli.js" ] || die "npm is no package in a folder of its own ($npm): install Node.js from nodejs.org"
  make_runtime_folder "$1"
  mkdir -p "$1/usr/bin" "$1/usr/lib/node_modules" "$1/root"
  cp -R "$npm" "$1/usr/lib/node_modules/npm"
  copy_program "$1" "$BUSYBOX" /bin/busybox
  chroot "$1" /bin/busybox --install -s /bin
  ln -s /bin/env "$1/usr/bin/env"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/bin/npm"
  ln -s /nodejs/bin/node "$1/usr/bin/node"
}

# make_base KIND NAME: a new image only when node or npm of the machine have changed.
make_base() {
  local kind=$1 name=$2 stamp folder=$IMAGE_STORAGE/base-$1 container
  stamp=$(node -p 'process.version + process.execPath')-$(npm --version)
  if [ "$(read_state "$folder.stamp")" = "$stamp" ] && engine_buildah inspect --type image "$name" >/dev/null 2>&1; then return 0; fi
  note "images    making $name of this machine's own programs"
  rm -rf "$folder"
  mkdir -p "$folder"
  "make_${kind}_folder" "$folder"
  container=$(engine_buildah from scratch)
  engine_buildah add --quiet "$container" "$folder" / >/dev/null
  engine_buildah config --env "NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt" --env PATH=/nodejs/bin:/usr/bin:/bin "$container"
  engine_buildah commit --quiet "$container" "$name" >/dev/null
  engine_buildah rm "$container" >/dev/null
  rm -rf "$folder"
  write_state "$folder.stamp" "$stamp"
}

# Sets BUILD_BASE and RUNTIME_BASE.
make_base_images() {
  if ! have node || ! have npm; then die "node and npm are missing: install Node.js 22 or newer"; fi
  find_busybox || die "busybox is missing, which gives the stand-in of the base image its shell: sudo apt-get install busybox-static"
  make_base runtime "$BASE_OF_RUNTIME"
  make_base build "$BASE_OF_BUILD"
  BUILD_BASE=$BASE_OF_BUILD
  RUNTIME_BASE=$BASE_OF_RUNTIME
  export BUILD_BASE RUNTIME_BASE
}

find_busybox() {
  BUSYBOX=$(command -v busybox) && return 0
  apt_install "$IMAGE_STORAGE/install.log" busybox-static || return 1
  BUSYBOX=$(command -v busybox)
}
