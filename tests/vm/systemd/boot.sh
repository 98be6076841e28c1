#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# boot.sh: boots a disk image with systemd under a kernel of Debian's, runs a program there, and exits with its exit code.
#
# Usage: boot [--timeout SECONDS] [--kernel NAME] IMAGE INSIDE [FILE]...
#
# NAME is a name or an alias of the file ../kernels; without it, the kernel is that of Debian 12.
# INSIDE is copied to /payload/inside, and each FILE, also a directory, beside it. The image is not changed. The machine has
# no network. Standard output is the program's. If the program does not end in time, the messages of kernel and systemd
# follow on standard error, and the exit code is 124. Exit code 77: this host cannot run test machines.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
timeout=600 name=bookworm
while [ $# -gt 1 ]; do
    case $1 in
        --timeout) timeout=$2 ;;
        --kernel) name=$2 ;;
        *) break ;;
    esac
    shift 2
done
image=$1 inside=$2
shift 2

unavailable() {
    echo "boot: $1" >&2
    exit 77
}
command -v qemu-system-x86_64 >/dev/null || unavailable "qemu-system-x86_64 is not installed (package qemu-system-x86)"
busybox=$(command -v busybox) || unavailable "busybox is not installed (package busybox-static)"
command -v cpio >/dev/null || unavailable "cpio is not installed"
kernel=$("$here/../fetch-kernel.sh" "$name")

work=$(mktemp -d)
qemu=
finish() {
    [ -z "$qemu" ] || kill "$qemu" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 143' TERM INT

# In Debian's kernels the disk's driver is a module. In this order each module finds those that it needs.
mkdir -p "$work"/root/{bin,dev,proc,root,modules,payload} "$work/kernel"
for package in "$kernel"/packages/*.deb; do
    dpkg-deb -x "$package" "$work/kernel"
done
number=10
for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk; do
    file=$(find "$work/kernel" -name "$module.ko*" | head -n 1)
    case $file in
        '') continue ;;
        *.xz) "$busybox" xzcat "$file" ;;
        *) cat "$file" ;;
    esac >"$work/root/modules/$((number++))-$module.ko"
done
cp "$busybox" "$work/root/bin/busybox"
ln -s busybox "$work/root/bin/sh"
install -m 755 "$here/init.sh" "$work/root/init"
install -m 755 "$inside" "$work/root/payload/inside"
[ $# -eq 0 ] || cp -r "$@" "$work/root/payload/"
(cd "$work/root" && find . -print0 | cpio --null --create --format=newc --owner=0:0 --quiet) >"$work/initramfs"
rm -rf "$work/kernel"

timeout --foreground -k 5 "$timeout" qemu-system-x86_64 \
    -machine pc,accel="${TIERCEL_VM_ACCEL:-tcg}" -cpu max -smp 2 -m 1024 \
    -nodefaults -no-user-config -display none -no-reboot \
    -serial file:"$work/console" -serial file:"$work/output" \
    -drive file="$image",format=raw,if=virtio,snapshot=on \
    -kernel "$kernel/vmlinuz" -initrd "$work/initramfs" \
    -append "console=ttyS0,115200 panic=-1 oops=panic 8250.nr_uarts=4 systemd.show_status=0 systemd.journald.forward_to_console=0" \
    </dev/null 2>"$work/qemu" &
qemu=$!
wait "$qemu" || true
qemu=
tr -d '\r' <"$work/output" | grep -v '^exit [0-9]*$' || true
code=$(tr -d '\r' <"$work/output" | sed -n 's/^exit \([0-9]*\)$/\1/p' | tail -n 1)
if [ -z "$code" ]; then
    cat "$work/qemu" >&2
    tail -n 60 "$work/console" >&2
    echo "boot: the machine did not end within $timeout s" >&2
    exit 124
fi
exit "$code"
