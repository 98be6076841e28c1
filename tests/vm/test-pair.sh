#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # the shell in the machine expands these
# test-pair.sh KERNEL [ARCHITECTURE]: checks that on this kernel privd loads the probe and exits, and that the unprivileged
# analyzer prints the event of a system call that the test makes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kernel=${1:?which kernel?} architecture=${2:-amd64}
build=${TIERCEL_BUILD:-$here/../../build}
packed=()
for program in privd privd-exec privd-types privd-classic privd-module analyzer; do
    [ -x "$build/bin/$program" ] || { echo "$build/bin/$program is not built"; exit 1; }
    packed+=(--file "$build/bin/$program")
done

status=0
output=$("$here/run.sh" --timeout 200 --arch "$architecture" "$kernel" "${packed[@]}" --bare -- sh -c '
    privd --exec -- analyzer --events >/tmp/events 2>/tmp/errors &
    pair=$!
    # The verifier takes seconds when emulated. The first event shows that everything is in place.
    for second in $(seq 60); do
        [ ! -s /tmp/events ] && kill -0 $pair 2>/dev/null || break
        sleep 1
    done
    sleep 1
    echo "privd left: $(pidof privd privd-exec privd-classic privd-module | wc -w)"
    analyzer=$(pidof analyzer)
    grep -E "^(Uid|CapEff|CapPrm|CapBnd|Seccomp|NoNewPrivs):" "/proc/${analyzer:-none}/status"
    touch /tmp/seen-by-the-analyzer
    sleep 1
    kill -TERM $analyzer
    wait $pair
    echo "exit code: $?"
    grep -E -m 1 ") open(at)? .*seen-by-the-analyzer" /tmp/events
    tail -n 20 /tmp/errors') || status=$?
if [ "$status" -eq 77 ]; then
    echo "$kernel cannot be had here (no QEMU, or no mirror; see above)"
    exit 77
fi
echo "$output"

failures=0
expect() {
    grep -qE "$1" <<<"$output" || { echo "missing: $1"; failures=$((failures + 1)); }
}
expect '^privd left: 0$'
expect '^Uid:\s+[1-9]'
expect '^CapEff:\s+0+$'
expect '^CapPrm:\s+0+$'
expect '^CapBnd:\s+0+$'
expect '^Seccomp:\s+2$'
expect '^NoNewPrivs:\s+1$'
expect '^exit code: 0$'
expect '^[0-9]+ .*\) open(at)? .*seen-by-the-analyzer'
[ "$failures" -eq 0 ]
