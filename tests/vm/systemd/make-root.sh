#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# make-root.sh: makes a disk image of a Debian release with systemd for test machines, once for each list of packages.
#
# Usage: make-root SUITE PACKAGE...     SUITE is bookworm, trixie or sid, PACKAGE is installed besides systemd
#
# Prints the image's path, in $TIERCEL_VM_CACHE, by default ~/.cache/tiercel/vm. Users must not write to it.
# Exit codes: 0, 77 this machine or the mirror cannot make it.
set -euo pipefail
cache=${TIERCEL_VM_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/tiercel/vm}
mirror=${TIERCEL_VM_MIRROR:-http://deb.debian.org}/debian
base=systemd-sysv,udev,kmod,procps,dbus,passwd,perl-base

unavailable() {
    echo "make-root: $1" >&2
    exit 77
}

suite=${1:?which suite?} packages=$base
shift
for package in "$@"; do
    packages+=,$package
done
mkdir -p "$cache"
image=$cache/systemd-$suite-$(printf '%s' "$packages" | sha256sum | cut -c 1-12).ext4
if [ -s "$image" ]; then
    echo "$image"
    exit 0
fi

[ "$(id -u)" -eq 0 ] || unavailable "only root can make the image, whose files are root's"
for tool in mmdebstrap mke2fs flock; do
    command -v "$tool" >/dev/null || unavailable "$tool is not installed (packages mmdebstrap, e2fsprogs)"
done
exec 9>"$image.lock"
flock 9
if [ ! -s "$image" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    echo "make-root: making $image, once" >&2
    # A mirror may be behind; signatures are checked in any case.
    mmdebstrap --mode=root --variant=minbase --quiet --aptopt='Acquire::Check-Valid-Until "false"' --include="$packages" "$suite" "$work/root" "$mirror" >&2 ||
        unavailable "cannot make a Debian $suite from $mirror"
    rm -rf "$work"/root/{usr/share/doc,usr/share/locale,var/cache/apt}/*
    echo tiercel-vm >"$work/root/etc/hostname"
    : >"$work/root/etc/fstab"
    mke2fs -q -t ext4 -L tiercel-root -d "$work/root" "$work/image" 1536M >&2
    mv "$work/image" "$image"
fi
echo "$image"
