#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# arm64_test.sh: the Debian packages that the preset aarch64 makes: all programs in them are for arm64, Debian 12 for arm64 has
# what they depend on, and the analyzer takes the packaged rules under emulation.
#
# Usage: arm64_test.sh BUILD-DIRECTORY      where `./dev package aarch64` has built
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/check.sh
. "$here/../lib/check.sh"
# shellcheck source=tools/private-apt.sh
. "$here/../../tools/private-apt.sh"
build=${1:?build directory}

[ -x "$build/bin/analyzer" ] || skip "there is no build for arm64 (./dev package aarch64 makes it)"
for tool in cpack dpkg-deb readelf qemu-aarch64; do
    command -v "$tool" >/dev/null || skip "$tool is not installed (./dev package aarch64 installs it)"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$build" && cpack -G DEB -B "$work/packages" >"$work/log" 2>&1) || { tail -n 20 "$work/log"; exit 1; }
for package in "$work"/packages/*.deb; do
    dpkg-deb -x "$package" "$work/root"
done
for name in tiercel tiercel-courier; do
    check "$name is for arm64 and Debian 12" is "$(cd "$work/packages" && echo "$name"_*)" "$(cd "$work/packages" && echo "$name"_*-1~bookworm_arm64.deb)"
    check "and says so" is "$(dpkg-deb -f "$work/packages/$name"_*.deb Architecture)" arm64
done
programs=0 foreign=
while read -r file; do
    machine=$({ readelf -h "$file" 2>/dev/null || true; } | sed -n 's/^ *Machine: *//p')
    [ -n "$machine" ] || continue # a script
    programs=$((programs + 1))
    [ "$machine" = AArch64 ] || foreign+=" ${file#"$work"}"
done < <(find "$work/root/usr/bin" "$work/root/usr/sbin" "$work/root/usr/libexec" -type f)
check "there are $programs programs, as for this machine" [ "$programs" -ge 14 ]
check "all for arm64" is "$foreign" ""
check "with manual pages" [ -e "$work/root/usr/share/man/man1/analyzer.1.gz" ]
# The line in which dpkg would be asked to configure each.
private_apt "$work/apt" arm64 bookworm
if apt-get "${apt_options[@]}" -qq -o APT::Update::Error-Mode=any update >"$work/log" 2>&1; then
    planned=$(apt-get "${apt_options[@]}" -s --no-install-recommends install "$work"/packages/tiercel_*.deb "$work"/packages/tiercel-{courier,rules}_*.deb 2>&1 |
        grep -cE '^Conf (tiercel|tiercel-courier|tiercel-rules) ' || true)
    check "Debian 12 for arm64 has what they depend on" is "$planned" 3
else
    echo "SKIPPED: what they depend on: $(tail -n 1 "$work/log")"
fi
sysroot=$("$here/../../tools/sysroot")
said=$(qemu-aarch64 -L "$sysroot" "$work/root/usr/bin/analyzer" -V -r "$work/root/etc/tiercel/rules.d/00-tiercel.yaml" 2>&1) || true
check "the analyzer takes the packaged rules" grep -q '^[0-9]* rules' <<<"$said" || echo "$said"
finish
