#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test-aarch64.sh [KERNEL [PART]...]: runs the programs of the preset aarch64 on an arm64 kernel. The parts: `probe`, the unit
# tests and the live suite by the modern probe; `userspace`, the live suite by the ptrace driver and what a tracer could
# disturb; `pair`, privd and the analyzer together.
#
# Exit codes: 0 passed, 1 failed, 77 nothing is built, or there is no such machine.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source_tree=$(cd "$here/../.." && pwd)
kernel=${1:-bookworm}
parts=("${@:2}")
[ $# -gt 1 ] || parts=(probe userspace pair)
build=${TIERCEL_BUILD:-$source_tree/build-aarch64}
if [ ! -x "$build/bin/live_test" ]; then
    echo "nothing is built for arm64 (./dev build aarch64)"
    exit 77
fi
build=$(cd "$build" && pwd)

# Only unit tests that are programs; the others are scripts about the source tree.
listed=$(ctest --test-dir "$build" -L '^unit$' --show-only=json-v1 | python3 -c '
import json, os, sys
for test in json.load(sys.stdin)["tests"]:
    command = test.get("command") or sys.exit("unit test " + test["name"] + " is not built")
    if len(command) == 1 and os.path.dirname(command[0]) == os.path.realpath(sys.argv[1]):
        print(command[0])' "$build/bin") || { echo "not all unit tests are built in $build (./dev build aarch64)"; exit 1; }
mapfile -t units <<<"$listed"

packed=(--file "$here/inside-aarch64.sh")
for text in policy/rules tests/unit/fields/documented_fields.txt; do
    packed+=(--file "$source_tree/$text:/data/source/$text")
done
packed+=(--file "$build/kernel/bpf_classic/tiercel_classic.bpf.o:/data/build/kernel/bpf_classic/")
for program in "${units[@]}" "$build"/bin/{sandbox_victim,analyzer,live_test,tracee,tiercel-trace} "$build"/bin/privd*; do
    packed+=(--file "$program")
done

# machine CPUS SECONDS PART [UNIT]...
machine() {
    "$here/run.sh" --arch arm64 --cpus "$1" --timeout "$2" --memory 1536 --bare --modules "$kernel" "${packed[@]}" -- \
        inside-aarch64.sh "$source_tree" "$build" "${@:3}"
}

for part in "${parts[@]}"; do
    status=0
    case $part in
        probe) machine 2 1000 probe "${units[@]##*/}" || status=$? ;;
        # Tracer and tracee take turns at each stop, which is slow between two emulated processors: the suite took
        # 36 s on one, and more than 600 on two.
        userspace) machine 1 400 userspace || status=$? ;;
        pair) TIERCEL_BUILD=$build "$here/test-pair.sh" "$kernel" arm64 || status=$? ;;
        *) echo "no part '$part': probe, userspace or pair"
           exit 2 ;;
    esac
    [ "$status" -eq 0 ] || exit "$status"
done
