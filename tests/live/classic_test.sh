#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# classic_test.sh: the classic driver knows a process that is older than the pair, through the door to /proc, although the
# analyzer can open nothing. Afterwards privd-classic leaves.
#
# Usage: classic_test.sh BIN [COMMAND]...      the directory of the programs, and what starts privd (old_kernel)
set -u
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
bin=${1:?the directory of the programs}
need_root "watching events"
work=$(mktemp -d)
older=''
trap 'kill $older 2>/dev/null || true; rm -rf "$work"' EXIT

# No event introduces this process, because it is older than the pair. It makes one event when the test tells it to.
mkfifo "$work/go"
(cd "$work" && exec -a "older than the pair" bash -c 'read -r <go; : <"$0"; sleep 1' "$work/go.seen") 2>/dev/null &
older=$!
sleep 0.3
"${@:2}" "$bin/privd" --user nobody --driver classic_bpf --exec -- "$bin/analyzer" --events --filter 'evt.arg.name contains go.seen' \
    >"$work/events" 2>"$work/errors" &
pair=$!
# The analyzer is in its sandbox, and its only socket leads to its helper process tiercel-names. So it asks privd-classic no
# more, and that one leaves.
ready() {
    read -ra children <"/proc/$pair/task/$pair/children"
    [ "$(status_field "$pair" Seccomp)" = 2 ] && [ "$(cat "/proc/${children[*]}/comm")" = tiercel-names ] &&
        [ "$(readlink /proc/"$pair"/fd/* | grep '^socket:' | sort -u | wc -l)" -eq 1 ]
}
left() { ! readlink /proc/[0-9]*/exe | grep -qxF "$(readlink -f "$bin/privd-classic")"; }
check "the analyzer closes the door's socket" within 20 ready || { kill -INT "$pair"; cat "$work/errors"; finish; }
check "privd-classic leaves" within 10 left
echo >"$work/go"
sleep 1
kill -INT "$pair"
wait "$pair"
check "the pair ends with 0" is $? 0
cat "$work/events"
tail -n 8 "$work/errors"
threads=$(sed -n 's/.*(\([0-9]*\) threads and .* at the start).*/\1/p' "$work/errors")
check "several threads are known at the start (${threads:-none})" [ "${threads:-0}" -ge 2 ]
check "the event of the older process names it" grep -q " bash ($older) " "$work/events"
check "nothing is said of hidden threads" [ "$(grep -c '^analyzer: /proc shows' "$work/errors")" -eq 0 ]

# Where the mount of /proc hides the processes of others, that is said, and only that.
if unshare -m mount -t proc -o hidepid=2 proc /proc 2>/dev/null; then
    unshare -m sh -c 'mount -t proc -o hidepid=2 proc /proc && exec "$@"' sh \
        "$bin/privd" --user nobody --driver classic_bpf --exec -- "$bin/analyzer" --events -n 20 >/dev/null 2>"$work/errors"
    check "the analyzer reads events with hidepid=2" is $? 0
    check "and says that it knows few of those that ran before" grep -q '^analyzer: /proc shows [0-9]* of [0-9]* threads' "$work/errors"
else
    echo "SKIPPED: hidepid=2: this machine mounts no /proc with it"
fi
finish
