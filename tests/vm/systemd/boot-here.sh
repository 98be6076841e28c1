#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# boot-here.sh: starts a disk image's systemd in a container on this machine's own kernel, runs a program there, and ends as
# that program ended. It takes seconds where boot, which emulates a machine, takes minutes.
#
# Usage: boot-here [--timeout SECONDS] IMAGE INSIDE [FILE]...      as boot
# Exit codes: those of INSIDE, 77: this host cannot run such containers, 124: the timeout.
set -euo pipefail
timeout=600
if [ "${1:-}" = --timeout ]; then
    timeout=$2
    shift 2
fi
image=$1 inside=$2
shift 2

unavailable() {
    echo "boot-here: $1" >&2
    exit 77
}
command -v systemd-nspawn >/dev/null || unavailable "systemd-nspawn is not installed (package systemd-container)"
[ "$(id -u)" -eq 0 ] || unavailable "only root can start it"

work=$(mktemp -d)
finish() {
    ! mountpoint -q "$work/root" || umount "$work/root"
    ! mountpoint -q "$work/image" || umount "$work/image"
    ! mountpoint -q "$work/upper" || umount "$work/upper"
    rm -rf "$work"
}
trap finish EXIT
mkdir "$work"/{image,upper,root}
mount -o loop,ro "$image" "$work/image" 2>/dev/null || unavailable "the image cannot be mounted here"
mount -t tmpfs tmpfs "$work/upper"
mkdir "$work"/upper/{new,work}
mount -t overlay overlay -o "lowerdir=$work/image,upperdir=$work/upper/new,workdir=$work/upper/work" "$work/root" ||
    unavailable "no overlay can be mounted here"

mkdir "$work/root/payload"
install -m 755 "$inside" "$work/root/payload/inside"
[ $# -eq 0 ] || cp -r "$@" "$work/root/payload/"
cat >"$work/root/etc/systemd/system/tiercel-test.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
StandardOutput=file:/payload/output
StandardError=inherit
ExecStart=/bin/sh -c '/payload/inside; echo "exit $?"'
ExecStopPost=/bin/systemctl exit --force --force
UNIT
mkdir -p "$work/root/etc/systemd/system/default.target.wants"
ln -s ../tiercel-test.service "$work/root/etc/systemd/system/default.target.wants/tiercel-test.service"

# All capabilities and no filter: the units' own lists of both are what is tested.
SYSTEMD_SECCOMP=0 timeout --foreground -k 5 "$timeout" systemd-nspawn --quiet --boot --register=no --keep-unit \
    --private-network --capability=all --directory "$work/root" \
    --bind-ro=/sys/kernel/btf:/sys/kernel/btf </dev/null >"$work/console" 2>&1 || true
grep -v '^exit [0-9]*$' "$work/root/payload/output" || true
code=$(sed -n 's/^exit \([0-9]*\)$/\1/p' "$work/root/payload/output" | tail -n 1)
if [ -z "$code" ]; then
    tail -n 40 "$work/console" >&2
    echo "boot-here: the container did not end within $timeout s" >&2
    exit 124
fi
exit "$code"
