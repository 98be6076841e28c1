#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# relocations_test.sh PROGRAM CLANG OBJECT...: the probes' CO-RE relocations on this kernel's types and on old layouts that are
# made here. Nothing is loaded, so no privilege is needed.
#
# relocations_test.sh --kernel KERNEL PROGRAM OBJECT...: the same on a kernel of tests/vm/kernels, which is fetched.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/check.sh
. "$here/../lib/check.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ "${1:-}" = --kernel ]; then
    kernel=$2 program=$3
    shift 3
    home=$("$here/../vm/fetch-kernel.sh" "$kernel") || skip "the kernel $kernel cannot be fetched"
    "$here/types_of_kernel.py" "$home/vmlinuz" "$work/types" || exit $?
    check "no fault on $(cat "$home/version")" "$program" "$here/alternatives" "$work/types" "$@"
    finish
fi

program=$1 clang=$2
shift 2

# layout NAME [OPTION]...: makes the types of an old kernel.
layout() {
    "$clang" -target bpf -g -O2 -c "${@:2}" "$here/layouts.c" -o "$work/$1" || fail "cannot compile the layout $1"
}

# finds FAULT LAYOUT ALTERNATIVES OBJECT: the check says so.
finds() {
    "$program" --partial "$3" "$work/$2" "$4" >"$work/found"
    is $? 1 && has "$work/found" "$1"
}

layout old
layout nameless -DNO_START_TIME
echo 'task_struct.start_boottime' >"$work/no_alternative"
"$clang" -target bpf -g -O2 -c "$here/careless.c" -o "$work/careless" || fail "cannot compile careless.c"

for object in "$@"; do
    check "$(basename "$object"): no fault on the old layouts" "$program" --partial "$here/alternatives" "$work/old" "$object"
    check "$(basename "$object"): a thread without a start is found" finds \
        "task_struct.real_start_time is missing" nameless "$here/alternatives" "$object"
done
check "a bit-field that is read whole is found" finds "sock.sk_type is a bit-field" old "$here/alternatives" "$work/careless"
check "a read of too many bytes is found" finds "io_sr_msg.addr_len has 2 bytes" old "$here/alternatives" "$work/careless"
check "a missing field is found" finds "task_struct.start_boottime is missing" old "$work/no_alternative" "$work/careless"

if [ -r /sys/kernel/btf/vmlinux ]; then
    check "no fault on this kernel" "$program" "$here/alternatives" /sys/kernel/btf/vmlinux "$@"
else
    echo "SKIPPED: this kernel: it has no BTF"
fi
finish
