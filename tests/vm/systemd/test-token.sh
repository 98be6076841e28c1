#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test-token.sh: tests on Debian unstable that privd loads the probe by a BPF token, with no capability on the host.
# `inside-token.sh` has the checks.
#
# Usage: test-token.sh BUILD-DIRECTORY
#
# privd is built anew, in $BUILD-DIRECTORY/token, with unstable's libbpf, because Debian 12's knows no tokens. The other programs
# are those of the build. Kernel and systemd are unstable's, too.
# Exit codes: 0 passed, 1 failed, 77 there is no QEMU, no mirror or no build here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath "${1:?build directory}") source_tree=$here/../../..

skip() {
    echo "SKIPPED: test-token: $1"
    exit 77
}
grep -qx 'CMAKE_INSTALL_PREFIX:[A-Z]*=/usr' "$build/CMakeCache.txt" ||
    skip "the build is not configured for /usr (cmake --preset release)"
[ -x "$build/bin/analyzer" ] || skip "there is no analyzer in $build"
status=0
image=$("$here/make-root.sh" sid libbpf-dev libcap2-bin libseccomp2 libstdc++6) || status=$?
[ "$status" -ne 77 ] || skip "the image cannot be made (see above)"
[ "$status" -eq 0 ] || exit 1

work=$(mktemp -d)
finish() {
    ! mountpoint -q "$work/image" || umount "$work/image"
    rm -rf "$work"
}
trap finish EXIT
mkdir -p "$work"/{image,tree} "$build/token/libbpf"
mount -o loop,ro "$image" "$work/image" 2>/dev/null || skip "the image cannot be mounted here"
cp -rL "$work"/image/usr/include/bpf "$work"/image/usr/lib/x86_64-linux-gnu/libbpf.so "$build/token/libbpf/"
version=$(sed -n 's/^Version: //p' "$work"/image/usr/lib/x86_64-linux-gnu/pkgconfig/libbpf.pc)
umount "$work/image"

# That libbpf needs a C library that is newer than this machine's, which matters where it runs, not here.
cat >"$build/token/libbpf/libbpf.pc" <<PC
Name: libbpf
Description: libbpf of Debian unstable
Version: $version
Libs: -L$build/token/libbpf -lbpf -Wl,--allow-shlib-undefined
Cflags: -I$build/token/libbpf
PC
build_privd() {
    PKG_CONFIG_PATH=$build/token/libbpf cmake -S "$source_tree" --preset release -B "$build/token" &&
        cmake --build "$build/token" -j2 --target privd
}
build_privd >"$work/log" || { tail -n 20 "$work/log"; exit 1; }

# The tree that is installed, with the libraries that unstable lacks.
tree=$work/tree
mkdir -p "$tree"/usr/{bin,lib/systemd/system,lib/sysusers.d,lib/tmpfiles.d,lib/build-host,libexec/tiercel} \
    "$tree"/etc/{tiercel/rules.d,systemd/system/tiercel-privd.service.d,systemd/system/tiercel.service.d}
cp "$build"/bin/analyzer "$tree/usr/bin/"
cp "$build"/token/bin/privd* "$tree/usr/libexec/tiercel/"
cp "$build"/packaging/systemd/tiercel{.service,-privd.service,-privd.socket} "$tree/usr/lib/systemd/system/"
cp "$source_tree/packaging/systemd/sysusers.conf" "$tree/usr/lib/sysusers.d/tiercel.conf"
cp "$source_tree/packaging/systemd/tmpfiles.conf" "$tree/usr/lib/tmpfiles.d/tiercel.conf"
cp "$source_tree/packaging/config/analyzer.yaml" "$tree/etc/tiercel/"
cp "$source_tree/policy/rules/tiercel.yaml" "$tree/etc/tiercel/rules.d/00-tiercel.yaml"
cp "$source_tree/packaging/systemd/bpf-token.conf" "$tree/etc/systemd/system/tiercel-privd.service.d/"
ldd "$build/bin/analyzer" | awk '$2 == "=>" { print $3 }' | grep -vE '/(libc|libm|libstdc\+\+|libgcc_s|libseccomp)\.so' |
    xargs -I{} cp -L {} "$tree/usr/lib/build-host/"
printf '[Service]\nEnvironment=LD_LIBRARY_PATH=/usr/lib/build-host\n' >"$tree/etc/systemd/system/tiercel.service.d/libraries.conf"

"$here/boot.sh" --timeout 1500 --kernel sid "$image" "$here/inside-token.sh" "$here"/../../lib/check.sh "$tree" || status=$?
[ "$status" -ne 77 ] || skip "the machine cannot be had here (see above)"
[ "$status" -eq 0 ]
