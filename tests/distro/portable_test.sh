#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# portable_test.sh: the portable archive's programs need nothing of the distribution. They are unpacked in Debian 11, whose
# libraries are older than those that they were built with, and in a root with busybox alone. There each driver that needs no
# module observes this machine.
#
# Usage: portable_test.sh SOURCE-TREE BUILD-DIRECTORY
set -euo pipefail
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
# shellcheck source=tests/distro/watching.sh
. "$(dirname "$0")/watching.sh"
source_tree=${1:?source tree} build=${2:?build directory}
mirror=${TIERCEL_VM_MIRROR:-http://deb.debian.org}/debian

need_root "making a chroot"
command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed"
command -v busybox >/dev/null || skip "busybox is not installed"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

check "it is configured" cmake --preset portable -S "$source_tree" -B "$build" || finish
rm -rf "$build/packages"
check "it is built and packed" nice cmake --build "$build" --target archive || finish
archive=$(find "$build/packages" -name 'tiercel-*.tar.gz')

# Prints the programs of the root $1 that name an interpreter or a shared library.
dynamic() {
    local file
    find "$1/usr/bin" "$1/usr/sbin" "$1/usr/libexec/tiercel" -type f | while read -r file; do
        ! readelf -ld "$file" 2>/dev/null | grep -qE 'INTERP|NEEDED' || echo "$file"
    done
}

# unpack ROOT: as a user does, and makes the accounts.
unpack() {
    tar -C "$1" -xzf "$archive"
    printf '%s\n' 'root:x:0:0::/:/bin/sh' 'tiercel:x:990:990::/:/bin/false' 'tiercel-privd:x:991:991::/:/bin/false' >"$1/etc/passwd"
    printf '%s\n' 'root:x:0:' 'tiercel:x:990:' 'tiercel-privd:x:991:' >"$1/etc/group"
    : >"$1/etc/shadow"
}

# inside ROOT COMMAND...: runs it with the root as /.
inside() {
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount --fork sh -c 'root=$1; shift
        mount --make-rprivate / && mount --bind "$root" "$root" && mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/tmp" &&
        mount -t proc proc "$root/proc" && mount --rbind /sys "$root/sys" && mount --rbind /dev "$root/dev" &&
        exec chroot "$root" "$@"' sh "$@"
}

# observes NAME ROOT: the programs work there.
observes() {
    check "$1: rules are checked" inside "$2" tiercel check
    if inside "$2" /usr/libexec/tiercel/privd --prove-caps >"$work/drivers" 2>&1; then
        check "$1: the modern driver alerts" alerts inside "$2" timeout -s INT 60 tiercel watch
        check "$1: the classic driver alerts" alerts inside "$2" timeout -s INT 60 tiercel watch --driver classic_bpf
    else
        echo "SKIPPED: $1: no driver that sees the whole machine works here:"
        sed "s/^/  /" "$work/drivers"
    fi
    check "$1: the ptrace driver shows a command's events" shows /etc/group \
        inside "$2" tiercel-trace --analyzer "analyzer --events" -- cat /etc/group
}

busybox=$work/busybox
mkdir -p "$busybox/bin" "$busybox/etc"
cp "$(command -v busybox)" "$busybox/bin/"
"$busybox/bin/busybox" --install -s "$busybox/bin" 2>/dev/null || true
find "$busybox/bin" -type l -exec ln -sf busybox {} \;
unpack "$busybox"
check "no program needs a shared library" [ -z "$(dynamic "$busybox")" ]
observes "busybox alone" "$busybox"

if mmdebstrap --mode=root --variant=minbase --quiet bullseye "$work/bullseye" "$mirror"; then
    unpack "$work/bullseye"
    observes "Debian 11" "$work/bullseye"
else
    echo "SKIPPED: Debian 11 cannot be made from $mirror"
fi
finish
