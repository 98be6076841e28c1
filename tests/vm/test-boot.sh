#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # the shell in the machine expands these
# test-boot.sh KERNEL: checks that the machine runs the named kernel and has what every test of a probe needs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kernel=${1:?which kernel?}

declare -A release=([bullseye]='5.10.' [bookworm]='6.1.' [trixie]='6.12.' [sid]='')
status=0
output=$("$here/run.sh" --bare "$kernel" -- sh -c '
    uname -r
    wc -c </sys/kernel/btf/vmlinux
    id -u
    nproc
    for place in /proc /sys /dev /sys/kernel/tracing /sys/fs/bpf /sys/fs/cgroup; do
        grep -q " $place " /proc/mounts || echo "$place is not mounted"
    done
    test -d /sys/kernel/tracing/events/raw_syscalls || echo "tracefs has no events"
    ping -c 1 -W 2 127.0.0.1 >/dev/null || echo "the loopback interface is down"') || status=$?
if [ "$status" -eq 77 ]; then
    echo "$kernel cannot be had here (no QEMU, or no mirror; see above)"
    exit 77
fi
echo "$output"
[ "$status" -eq 0 ]

mapfile -t line <<<"$output"
version=$(cat "$("$here/fetch-kernel.sh" "$kernel")/version")
[ "${line[0]}" = "$version" ] || { echo "runs ${line[0]}, not $version"; exit 1; }
[[ $version == "${release[$kernel]}"* ]] || { echo "$version is not ${release[$kernel]}"; exit 1; }
[ "${line[1]}" -gt 1000000 ] || { echo "a BTF of ${line[1]} bytes is not whole"; exit 1; }
[ "${line[2]} ${line[3]}" = "0 2" ] || { echo "not root with 2 processors"; exit 1; }
[ ${#line[@]} -eq 4 ]
