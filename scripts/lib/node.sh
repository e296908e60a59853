# shellcheck shell=bash
# Node.js, the npm packages and the build, each brought up to date only where it
# is not. Sourced after common.sh.

# Puts the packages' programs first in PATH: among them the Node.js that Carillon
# is made for, whatever the machine has.
setup_node() {
  have node || die "node is missing: install Node.js 22 or newer, which brings npm, then run this again"
  have npm || die "npm is missing: it comes with Node.js 22 or newer (Debian: apt-get install npm), then run this again"
  cd "$CARILLON_ROOT" || exit 1
  if ! packages_are_current; then locked "$CARILLON_STATE/.lock-npm" install_packages; fi
  PATH=$CARILLON_ROOT/node_modules/.bin:$PATH
  export PATH
  local version
  version=$(node -p 'process.versions.node')
  [ "${version%%.*}" -ge 22 ] || die "Node.js $version is too old: 22 or newer is needed.
The npm package \"node\" should have brought one; its install script may be forbidden (npm config get ignore-scripts)."
}

packages_stamp() { cksum <package-lock.json; }

packages_are_current() {
  [ -f package-lock.json ] || die "package-lock.json is missing"
  [ -f node_modules/.package-lock.json ] || return 1
  if [ "$(read_state node_modules/.carillon-installed)" = "$(packages_stamp)" ]; then return 0; fi
  # Somebody ran npm install by hand, and the lock file is what that wrote.
  if [ node_modules/.package-lock.json -nt package-lock.json ]; then
    write_state node_modules/.carillon-installed "$(packages_stamp)"
    return 0
  fi
  return 1
}

install_packages() {
  local log=$CARILLON_STATE/npm-ci.log
  if packages_are_current; then return 0; fi # another run has done it meanwhile
  note "packages  installing with npm ci"
  if ! npm_ci "$log"; then
    if grep -q EUSAGE "$log"; then
      head -n 12 "$log" >&2
      die "package-lock.json does not fit package.json: run npm install, and commit both"
    fi
    note "packages  npm ci failed, trying once more"
    if ! npm_ci "$log"; then
      head -n 12 "$log" >&2
      die "npm ci failed twice (log: $log; is the npm registry reachable?)"
    fi
  fi
  write_state node_modules/.carillon-installed "$(packages_stamp)"
}

# What an earlier installation left must not pass for this one.
npm_ci() {
  rm -f node_modules/.package-lock.json node_modules/.carillon-installed
  npm ci --no-audit --no-fund --loglevel=error >"$1" 2>&1 </dev/null
}

# Builds when a source is newer than the last build. Status 1: it does not build.
build() { locked "$CARILLON_STATE/.lock-build" build_if_needed; }

build_if_needed() {
  local sources=() source
  for source in apps libs e2e bench chaos k8s package.json package-lock.json tsconfig.json .swcrc; do
    if [ -e "$source" ]; then sources+=("$source"); fi
  done
  if [ -f dist/.built ] && [ -z "$(find "${sources[@]}" -newer dist/.built -print | head -n 1)" ]; then return 0; fi
  local started=$SECONDS marker=$CARILLON_STATE/.build-started
  touch "$marker" # what changes while it builds is built again next time
  npm run --silent build </dev/null || return 1
  mkdir -p dist
  mv "$marker" dist/.built
  note "build     done in $((SECONDS - started)) s"
}
