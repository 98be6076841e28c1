#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# summary_test.sh: tools/summary.awk counts passed, failed and skipped tests of ctest's JUnit files.
#
# Usage: summary_test.sh SUMMARY.AWK
set -u
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
summary=${1:?summary.awk}

# test_case NAME STATUS OUTPUT [REASON]: one test as ctest writes it.
test_case() {
    printf '\t<testcase name="%s" classname="%s" time="0.1" status="%s">\n' "$1" "$1" "$2"
    [ -z "${4:-}" ] || printf '\t\t<skipped message="%s"/>\n' "$4"
    printf '\t\t<system-out>%s</system-out>\n\t</testcase>\n' "$3"
}
# counts DESCRIPTION WANTED: the summary of standard input ends with that line.
counts() { check "$1" is "$(awk -f "$summary" | tail -n 1)" "$2"; }

test_case unit.one run 'ok: it works' | counts "a script that passes counts once" "1 passed, 0 failed, 0 skipped"
test_case unit.one run $'[doctest] test cases: 5 | 4 passed | 1 failed | 2 skipped' |
    counts "each case of a doctest program counts" "4 passed, 0 failed, 0 skipped"
test_case unit.one fail $'[doctest] test cases: 5 | 3 passed | 2 failed | 0 skipped' |
    counts "so does each case that fails" "3 passed, 2 failed, 0 skipped"
test_case unit.one fail 'Segmentation fault' | counts "a crash counts once" "0 passed, 1 failed, 0 skipped"
test_case unit.one run $'SKIPPED: zsh: it is not installed\nok: bash' |
    counts "a skipped part of a script counts beside it" "1 passed, 0 failed, 1 skipped"
test_case unit.one run $'SKIPPED: Landlock: none here\n[doctest] test cases: 3 | 3 passed | 0 failed | 0 skipped' |
    counts "a skipped case counts as skipped, and not as passed" "2 passed, 0 failed, 1 skipped"
test_case live.pair notrun $'SKIPPED: all: watching events needs root' 'SKIP_RETURN_CODE=77' |
    counts "a skipped test counts once" "0 passed, 0 failed, 1 skipped"
check "and its reason is listed once" is \
    "$(test_case live.pair notrun 'SKIPPED: all: no root' 'SKIP_RETURN_CODE=77' | awk -f "$summary" | grep -c 'live.pair: no root')" 1
test_case unit.gone notrun '' 'Unable to find executable' |
    counts "a missing program counts as failed" "0 passed, 1 failed, 0 skipped"
: | counts "no test at all is a failure" "0 passed, 1 failed, 0 skipped"
finish
