#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test-systemd.sh: tests the .deb packages on Debian with systemd: which processes run, as which user, with which
# capabilities; that alerts arrive; restarts, kills and upgrades; that removal leaves nothing. `inside.sh` has the checks.
#
# Usage: test-systemd.sh BUILD-DIRECTORY [boot | boot-here [SUITE PACKAGES]]
#
# boot-here uses this machine's kernel, which takes a minute. SUITE is the Debian release that the packages in the directory
# PACKAGES were made for (build_test.sh makes them); without it, the build is packed, and tested on Debian 12.
# Exit codes: 0 passed, 1 failed, 77 there is no QEMU, no mirror or no package here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${1:?build directory} boot=${2:-boot} suite=${3:-bookworm} packages=${4:-}

skip() {
    echo "SKIPPED: test-systemd: $1"
    exit 77
}
for tool in cpack dpkg-deb dpkg-shlibdeps; do
    command -v "$tool" >/dev/null || skip "$tool is not installed"
done
grep -qx 'CMAKE_INSTALL_PREFIX:[A-Z]*=/usr' "$build/CMakeCache.txt" ||
    skip "the build is not configured for /usr (cmake --preset release)"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/old" "$work/new"
if [ -z "$packages" ]; then
    packages=$work/packed
    (cd "$build" && cpack -G DEB -B "$packages" >"$work/cpack" 2>&1) || { tail -n 20 "$work/cpack"; exit 1; }
fi
cp "$packages"/{tiercel,tiercel-rules}_*~"$suite"_*.deb "$work/old/"
courier=()
for package in "$packages"/tiercel-courier_*~"$suite"_*.deb; do
    [ -e "$package" ] || continue # it is made where the courier's libraries are installed
    mkdir "$work/courier"
    cp "$package" "$work/courier/"
    courier=("$work/courier" "$here"/{courier.sh,web.pl})
done

# The same packages with a higher version and changed configuration files.
for package in "$work"/old/*.deb; do
    dpkg-deb -R "$package" "$work/tree"
    sed -i 's/^Version: .*/&+later1/' "$work/tree/DEBIAN/control"
    for file in "$work"/tree/etc/tiercel/{,rules.d/}*.yaml; do
        [ ! -e "$file" ] || echo '# of the new version' >>"$file"
    done
    dpkg-deb --root-owner-group -b "$work/tree" "$work/new" >/dev/null
    rm -rf "$work/tree"
done

mapfile -t needed < <(for package in "$work"/{old/tiercel_,courier/}*.deb; do
    [ ! -e "$package" ] || dpkg-deb -f "$package" Depends
done | tr ',' '\n' | sed 's/[(|].*//; s/ //g' | grep -vxE 'systemd|tiercel' | sort -u)
[ ${#courier[@]} -eq 0 ] || needed+=(minisign)
status=0
image=$("$here/make-root.sh" "$suite" "${needed[@]}") || status=$?
[ "$status" -ne 77 ] || skip "the image cannot be made (see above)"
[ "$status" -eq 0 ] || exit 1
# Without the kernel's headers this part is skipped; inside.sh prints that.
module=()
file=
[ "$boot" != boot ] || file=$(TIERCEL_BUILD=$build "$here/../build-module.sh" "$suite") || file=
[ -z "$file" ] || module=("$file")
"$here/$boot.sh" --timeout 1500 "$image" "$here/inside.sh" "$here"/../../lib/{check.sh,witness.pl} "$work/old" "$work/new" "${module[@]}" "${courier[@]}" || status=$?
[ "$status" -ne 77 ] || skip "the machine cannot be had here (see above)"
[ "$status" -eq 0 ]
