#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# build_test.sh: a Debian release builds the project with its own compiler and libraries, passes the unit tests, makes the
# packages, and `./dev run` alerts in it by each driver that needs no module. The release is a chroot that mmdebstrap makes
# once, and that later runs use again.
#
# Usage: build_test.sh SOURCE-TREE SUITE [PACKAGES]      PACKAGES: the directory for the packages
set -euo pipefail
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
# shellcheck source=tests/distro/watching.sh
. "$(dirname "$0")/watching.sh"
source_tree=${1:?source tree} suite=${2:?suite, such as trixie}
cache=${TIERCEL_VM_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/tiercel/vm}
mirror=${TIERCEL_VM_MIRROR:-http://deb.debian.org}/debian

need_root "making a chroot"
command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed"

# The packages that building needs, and those that the unit tests and packing call.
packages=$(awk '!/^#/ && ($1 == "build" || $1 == "package") && $3 == "" { print $2 }' "$source_tree/tools/packages" |
    grep -vxE 'lintian|rpm|rpmlint' | paste -sd,),python3,ccache
root=$cache/$suite-$(printf '%s' "$packages" | sha256sum | cut -c 1-12)
mkdir -p "$cache"
exec 9>"$root.lock"
flock 9
if [ ! -e "$root/made" ]; then
    rm -rf "$root"
    mmdebstrap --mode=root --variant=buildd --quiet --include="$packages" "$suite" "$root" "$mirror" ||
        skip "a Debian $suite cannot be made from $mirror"
    touch "$root/made"
fi
mkdir -p "$source_tree/build" # a place for the chroot's own

# in_chroot COMMAND...: runs it in the chroot, in the source tree at /source. The build is at /build, and where `./dev run`
# expects it. The root is a mount, as on a machine, because tests change mounts below it.
in_chroot() {
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount --fork sh -c 'root=$1 source=$2; shift 2
        mount --make-rprivate / && mkdir -p "$root/source" "$root/build" && mount --bind "$root" "$root" &&
        mount --bind -o ro "$source" "$root/source" && mount --bind "$root/build" "$root/source/build" &&
        mount -t proc proc "$root/proc" && mount --rbind /sys "$root/sys" &&
        mount --rbind /dev "$root/dev" && exec chroot "$root" sh -c "cd /source && exec \"\$@\"" sh "$@"' \
        sh "$root" "$source_tree" "$@"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
launcher=(-D CMAKE_C_COMPILER_LAUNCHER=ccache -D CMAKE_CXX_COMPILER_LAUNCHER=ccache)
check "$suite configures the build" in_chroot cmake --preset release -S /source -B /build "${launcher[@]}" || finish
check "$suite builds everything" in_chroot cmake --build /build || finish
check "$suite passes the unit tests" in_chroot ctest --test-dir /build -j "$(nproc)" -L '^unit$' --output-on-failure
check "$suite makes the packages" in_chroot sh -c 'cd /build && cpack -G DEB -B /build/packages' || finish
named=$(find "$root/build/packages" -name "tiercel_*~${suite}_*.deb")
check "and they name the distribution" [ -n "$named" ]
if [ -n "${3:-}" ]; then
    mkdir -p "$3"
    cp "$root"/build/packages/*.deb "$3"
fi
if in_chroot build/bin/tiercel drivers >"$work/drivers" 2>&1; then
    check "./dev run alerts" alerts in_chroot timeout --signal INT 60 ./dev run
    check "and so it does by the classic driver" alerts in_chroot timeout --signal INT 60 ./dev run --driver classic_bpf
else
    echo "SKIPPED: ./dev run: no driver that sees the whole machine works here"
fi
check "the ptrace driver shows a command's events" shows /etc/hostname \
    in_chroot build/bin/tiercel-trace --analyzer "build/bin/analyzer --events" -- cat /etc/hostname
finish
