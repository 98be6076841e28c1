#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# measure-drivers.sh KERNEL: measures what an event costs by each kernel driver, and how many events each loses at the rate
# that the modern probe sustains. Cost is counted in instructions (run --count), so the host's load does not change it; an
# emulated machine has no caches to measure. Fails if a driver loses events, or if the module costs more than 1.1 times
# what the modern probe costs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kernel=${1:?which kernel?}
build=${TIERCEL_BUILD:-$here/../../build}

packed=()
for program in privd privd-exec privd-types privd-classic privd-module driver_cost driver_loss; do
    [ -x "$build/bin/$program" ] || { echo "$build/bin/$program is not built"; exit 1; }
    packed+=(--file "$build/bin/$program")
done
module=$("$here/build-module.sh" "$kernel") || exit $?

# measure PROGRAM RUN-OPTION...
measure() {
    "$here/run.sh" --bare --timeout 600 "${@:2}" "$kernel" "${packed[@]}" --file "$module:/data/" -- sh -c \
        "insmod /data/tiercel.ko && $1 modern_bpf classic_bpf module"
}

status=0
echo "instructions on $kernel:"
cost=$(measure driver_cost --count --cpus 1) || status=$?
[ "$status" -ne 77 ] || { echo "$kernel cannot be had here (no QEMU, or no mirror; see above)"; exit 77; }
echo "$cost"
[ "$status" -eq 0 ]
echo "losses on $kernel:"
measure driver_loss
awk '$1 == "module" { measured = 1; dear = $9 > 1.1 }
    END { if (dear) print "the module costs more than 1.1 of the modern probe"; exit dear || !measured }' <<<"$cost" >&2
