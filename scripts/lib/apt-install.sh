#!/usr/bin/env bash
# Installs Debian packages, as root, without letting them start their services:
# what Carillon needs it starts itself, privately. Used by common.sh.
set -euo pipefail

policy=/usr/sbin/policy-rc.d
saved=

restore() {
  rm -f "$policy"
  if [ -n "$saved" ]; then mv "$saved" "$policy"; fi
}

if [ -e "$policy" ]; then
  saved=$policy.before-carillon
  mv "$policy" "$saved"
fi
trap restore EXIT
trap 'exit 130' INT TERM
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

apt-get -o DPkg::Lock::Timeout=300 update
apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"

# Nor may it come up by itself after the next boot.
if [ -d /run/systemd/system ]; then
  for package in "$@"; do
    if [ "$package" = rabbitmq-server ]; then systemctl disable rabbitmq-server || true; fi
  done
fi
