#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run_cli_test.sh: tests/lib/run_cli.py notices each kind of difference.
#
# Usage: run_cli_test.sh RUN_CLI.PY
set -u
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
run_cli=${1:?run_cli.py}
data=$(mktemp)
trap 'rm -f "$data"' EXIT

# gives WANTED LINE...: a file of these lines makes the runner end with that exit code.
gives() {
    local status=0
    printf '%s\n' "${@:2}" >"$data"
    "$run_cli" "$data" WORD=hello >/dev/null 2>&1 || status=$?
    is "$status" "$1"
}
# shellcheck disable=SC2016 # the runner's shell expands it
run='RUN echo $WORD; echo oops >&2; exit 3'
check "a test that is as written passes" gives 0 'NAME n' "$run" 'EXIT 3' 'EXPECT hel' 'EXPECT_LINES 1' 'ERROR oops' 'ERROR_LINES 1'
check "another exit code fails" gives 1 'NAME n' "$run" 'EXIT 2'
check "without EXIT the exit code is 0" gives 1 'NAME n' "$run"
check "other output fails" gives 1 'NAME n' "$run" 'EXIT 3' 'EXPECT oops'
check "another number of lines fails" gives 1 'NAME n' "$run" 'EXIT 3' 'EXPECT_LINES 2'
check "other errors fail" gives 1 'NAME n' "$run" 'EXIT 3' 'ERROR hello'
check "another number of lines of errors fails" gives 1 'NAME n' "$run" 'EXIT 3' 'ERROR_LINES 0'
check "a file keeps its blank lines" gives 0 'FILE f' '  one' '' '  two' '' 'NAME n' 'RUN wc -l <f' 'EXPECT 3'
check "a long command continues" gives 0 'NAME n' 'RUN true &&' '  echo more' 'EXPECT more'
check "an unknown word fails" gives 1 'NAME n' 'RUN true' 'EXPECTS x'
check "no test at all fails" gives 1 '# nothing'
finish
