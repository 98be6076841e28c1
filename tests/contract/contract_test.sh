#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# contract_test.sh: runs the analyzer on the events of a driver that was written from docs/DRIVER-CONTRACT.md alone.
#
# Usage: contract_test.sh EXAMPLE-DRIVER ANALYZER
set -u
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

driver=${1:?example driver} analyzer=${2:?analyzer}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT


# Sends far more events than the smallest ring can hold.
timeout 60 "$driver" 20000 "$analyzer" --events --ring-size 64K >"$work/events" 2>"$work/statistics"
check "the analyzer ends when the driver does, with 0" is $? 0
check "every event comes" is "$(wc -l <"$work/events")" 20000
check "as it was put" grep -qE '^20000 .* openat fd=3.*name=/etc/file1 ' "$work/events"
check "in order" is "$(grep -oE 'name=/etc/file[0-9]+' "$work/events" | tr -dc '0-9\n' | sort -rnc 2>&1)" ""
check "of the thread that the iterator listed" is "$(grep -c ' example (4711) ' "$work/events")" 20000
check "nothing is lost or damaged" grep -q ' 0 dropped' "$work/statistics"
check "no record was not understood" grep -q '  0 records not understood' "$work/statistics"
check "the driver's count is the analyzer's" grep -q 'cpu 0: 20000 events, 0 dropped' "$work/statistics"
timeout 60 "$driver" 0 "$analyzer" --events >"$work/events" 2>"$work/statistics"
check "a driver without events is none the worse" is "$? $(wc -l <"$work/events")" "0 0"

finish
