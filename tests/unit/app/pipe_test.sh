#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# pipe_test.sh: the analyzer replays a pipe that stalls in the middle of a block: it shows the events so far, waits, and
# ends at once when it is interrupted.
#
# Usage: pipe_test.sh ANALYZER CAPTURE
set -u
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../../lib/check.sh"
analyzer=${1:?analyzer} capture=${2:?a plain capture}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$analyzer" --replay "$capture" --events >"$work/whole" 2>/dev/null
mkfifo "$work/pipe"
exec 3<>"$work/pipe"
head -c $(($(stat -c %s "$capture") - 10)) "$capture" >&3
"$analyzer" --replay - --events <"$work/pipe" 3>&- >"$work/out" 2>"$work/err" &
running=$!
all_but_last() { is "$(wc -l <"$work/out")" $(($(wc -l <"$work/whole") - 1)); }
check "all events but the last are shown" within 10 all_but_last
check "the analyzer waits for more" kill -0 "$running"
kill -INT "$running"
begin=$SECONDS
wait "$running"
check "SIGINT ends it with 0" is $? 0
check "at once" [ $((SECONDS - begin)) -lt 5 ]
finish
