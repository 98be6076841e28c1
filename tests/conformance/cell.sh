#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# cell.sh DRIVER KERNEL: runs one cell of the matrix, the live suite by that driver on that kernel, in a test machine or,
# for `host`, here. DRIVER is modern, modern:tracepoint, modern:per_syscall, classic, module or userspace; KERNEL a name of
# tests/vm/kernels or the path of a kernel image. A name that ends in -arm64 runs the programs of `./dev build aarch64` on
# that architecture.
#
# The result of each event is kept in build/conformance/DRIVER@KERNEL, from which matrix.awk makes the table. Exit codes:
# 0 every event came or is declared missing (shared/event/gaps.def), 1 an event is missing, 77 this cell cannot run here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
driver=${1:?which driver?} kernel=${2:?which kernel?}
build=${TIERCEL_BUILD:-$here/../../build}
mkdir -p "$build/conformance"
result=$build/conformance/$driver@${kernel//\//_}

programs=(live_test) machine=() there=$build
case $kernel in
    *-arm64) there=${TIERCEL_BUILD_AARCH64:-$here/../../build-aarch64}
             machine=(--arch arm64) ;;
esac
options=(--driver "${driver%%:*}" --results)
case $driver in
    modern) programs+=(privd privd-exec privd-types) ;;
    module) programs+=(privd privd-exec privd-module) ;;
    modern:*) programs+=(privd privd-exec privd-types)
              options+=(--attach "${driver#*:}") ;;
    classic) programs+=(privd privd-exec privd-types privd-classic) ;;
    userspace) programs+=(tiercel-trace)
               machine+=(--memory 1024)
               [ -f "$kernel" ] || machine+=(--modules) # it asks the module unix_diag about sockets
               # Between two emulated processors each stop is slow: a cell takes four times as long.
               machine+=(--cpus 1) ;;
    *) echo "no driver '$driver'"; exit 2 ;;
esac

# Exits because this host cannot run the cell, and writes the reason for the table.
cannot() {
    printf 'CELL\t%s\t%s\t-\t%s\n' "$driver" "$kernel" "$1" >"$result"
    echo "$1"
    exit 77
}

packed=()
for program in "${programs[@]}"; do
    [ -x "$there/bin/$program" ] || cannot "$program is not built$([ "$there" = "$build" ] || echo " for arm64")"
    packed+=(--file "$there/bin/$program")
done

status=0
if [ "$kernel" = host ]; then
    version=$(uname -r)
    output=$("$build/bin/live_test" "${options[@]}") || status=$?
else
    load=:
    if [ "$driver" = module ]; then
        module=$("$here/../vm/build-module.sh" "$kernel") || {
            [ $? -ne 77 ] || cannot "no compiler here that its headers are made for"
            exit 1
        }
        packed+=(--file "$module:/data/")
        load='insmod /data/tiercel.ko'
    fi
    # QEMU's emulation can execute an instruction that the kernel is replacing at this moment (text_poke), and the kernel
    # panics with "Oops: int3", with or without a driver. Such a machine is started again.
    for attempt in 1 2 3; do
        status=0
        # The directory is a tmpfs: the tests' files are to be on a file system as a machine has it.
        output=$("$here/../vm/run.sh" --timeout 400 --bare "${kernel%-arm64}" "${machine[@]}" "${packed[@]}" -- \
            sh -c "cd /tmp && echo \"KERNEL \$(uname -r)\" && $load && exec live_test ${options[*]}" 2>&1) || status=$?
        grep -q 'Oops: int3' <<<"$output" || break
        echo "attempt $attempt: the emulated kernel met an int3 of its own"
    done
    version=$(sed -n 's/^KERNEL //p' <<<"$output")
    [ -n "$version" ] || [ "$status" -ne 77 ] || cannot "no test machine with $kernel (see above)"
fi
grep -v '^RESULT' <<<"$output" || true
if [ "$status" -eq 77 ]; then
    cannot "$(sed -n 's/^SKIPPED: all: //p' <<<"$output" | head -n 1)"
fi

rows=$(grep -c '^RESULT' <<<"$output" || true)
events=$("$build/bin/live_test" --list-table | wc -l)
{
    printf 'CELL\t%s\t%s\t%s\t%s\n' "$driver" "$kernel" "$version" "$([ "$rows" -eq "$events" ] || echo "ended early")"
    grep '^RESULT' <<<"$output" || true
} >"$result"
if [ "$rows" -ne "$events" ]; then
    echo "$rows of $events events have a result: the suite ended early (exit code $status)"
    exit 1
fi
failures=$(grep $'\tfail: ' "$result" | cut -f 2- || true)
[ -z "$failures" ] || { echo "$failures"; exit 1; }
echo "$events events, $(grep -c $'\tpass$' "$result") seen with every parameter compared, the others declared"
