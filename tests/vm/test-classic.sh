#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # the shell in the machine expands these
# test-classic.sh KERNEL: checks the classic probe's capabilities on a Debian kernel. With perf_event_paranoid 3 it needs
# CAP_SYS_ADMIN; with 2, CAP_BPF and CAP_PERFMON suffice. Plan and kernel must agree on both.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kernel=${1:?which kernel?}
build=${TIERCEL_BUILD:-$here/../../build}

packed=()
for program in privd privd-exec privd-types privd-classic privd-classic-prove; do
    [ -x "$build/bin/$program" ] || { echo "$build/bin/$program is not built"; exit 1; }
    packed+=(--file "$build/bin/$program")
done
status=0
output=$("$here/run.sh" --timeout 200 --bare "$kernel" "${packed[@]}" -- sh -c '
    for paranoid in 3 2; do
        echo $paranoid >/proc/sys/kernel/perf_event_paranoid
        echo "perf_event_paranoid $paranoid"
        privd --prove-caps --driver classic_bpf || exit 1
    done') || status=$?
[ "$status" -ne 77 ] || { echo "$kernel cannot be had here (no QEMU, or no mirror; see above)"; exit 77; }
echo "$output"
[ "$status" -eq 0 ]
needed=$(grep -A 2 '^perf_event_paranoid' <<<"$output" | sed -n 's/ *plan: loads *kernel: loads *agree$//p' | sed 's/, cap_sys_resource//; s/cap_sys_resource, //')
[ "$needed" = $'cap_sys_admin\ncap_perfmon, cap_bpf' ] || { echo "FAILED: needed are: $needed"; exit 1; }
