#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # the shell in the machine expands these
# test-module.sh KERNEL: builds the kernel module for that kernel and tries to break the machine: lying consumers, unloading
# in use, killed consumers, CPUs that go and come, no memory. The machine panics at an oops (oops=panic), which fails the
# test.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kernel=${1:?which kernel?}
build=${TIERCEL_BUILD:-$here/../../build}
[ -x "$build/bin/module_test" ] || { echo "$build/bin/module_test is not built"; exit 1; }

module=$("$here/build-module.sh" "$kernel") || exit $?

status=0
"$here/run.sh" --timeout 200 --bare "$kernel" --file "$module:/data/" --file "$build/bin/module_test" -- sh -c '
    set -e
    insmod /data/tiercel.ko
    [ "$(stat -c %a /dev/tiercel)" = 660 ]
    module_test
    echo "under load: killed consumers, unloading, CPUs that go and come"
    for n in 1 2 3; do
        (while :; do cat /proc/self/status >/dev/null; done) & load="$load $!"
    done
    for round in 1 2 3 4; do
        module_test --no-skip -tc="until it is killed" >/dev/null & consumer=$!
        for try in 1 2 3 4 5 6 7 8 9; do grep -q "^tiercel [0-9]* 0 " /proc/modules || break; sleep 0.3; done
        sleep 0.5
        ! rmmod tiercel 2>/dev/null || { echo "unloaded while in use"; exit 1; }
        echo 0 >/sys/devices/system/cpu/cpu1/online
        sleep 0.3
        echo 1 >/sys/devices/system/cpu/cpu1/online
        sleep 0.3
        kill -9 $consumer
        wait $consumer || true
        for try in 1 2 3 4 5 6 7 8 9; do rmmod tiercel 2>/dev/null && break; sleep 0.3; done
        [ ! -e /dev/tiercel ] || { echo "cannot be unloaded after its consumer was killed"; exit 1; }
        insmod /data/tiercel.ko
    done
    echo 0 >/sys/devices/system/cpu/cpu1/online
    rmmod tiercel
    insmod /data/tiercel.ko
    echo 1 >/sys/devices/system/cpu/cpu1/online
    module_test -tc="events come*"
    kill $load
    rmmod tiercel
    ! dmesg | grep -E "BUG:|WARNING:|RCU stall|lockup"' || status=$?
[ "$status" -ne 77 ] || { echo "$kernel cannot be had here (no QEMU, or no mirror; see above)"; exit 77; }
exit "$status"
