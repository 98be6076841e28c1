#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # the shell in the machine expands these
# test-harness.sh: checks output, exit codes, time limits and crashes of `./dev vm`, on one kernel.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# expect CODE RUN-ARGUMENT...: runs a machine, leaves its output in $work/out and $work/err, and checks the exit code.
expect() {
    local code=$1 status=0
    shift
    "$here/run.sh" --bare --timeout 60 "$@" >"$work/out" 2>"$work/err" || status=$?
    if [ "$status" -eq 77 ]; then
        cat "$work/err"
        exit 77
    fi
    [ "$status" -eq "$code" ] || fault "exit code $status instead of $code: $*"
}

fault() {
    echo "FAULT: $1"
    head -c 2000 "$work/out" "$work/err" | cat -v
    failures=$((failures + 1))
}

expect 42 bookworm -- sh -c 'echo to out; echo to err >&2; exit 42'
[ "$(cat "$work/out")" = "to out" ] || fault "standard output differs"
[ "$(cat "$work/err")" = "to err" ] || fault "standard error differs"

head -c 200000 /dev/urandom >"$work/random"
expect 0 --file "$work/random:/data/" bookworm -- cat /data/random
cmp "$work/out" "$work/random" || fault "bytes changed on the way"

expect 0 --env "NAME=it's \$1" bookworm -- sh -c 'printf "%s|" "$NAME" "$@"; test -t 1 || echo pipe' sh 'a b' "q'q" "\$HOME" ''
[ "$(cat "$work/out")" = "it's \$1|a b|q'q|\$HOME||pipe" ] || fault "arguments or environment changed on the way"

# The command finds the file systems and users of a real machine.
expect 0 bookworm -- sh -c 'grep SigIgn: /proc/self/status; stat -c "%a %U" /run'
[ "$(cat "$work/out")" = $'SigIgn:\t0000000000000000\n755 root' ] || fault "signals are ignored, or /run is open to all"

# A dynamically linked program of the host, and a directory.
mkdir "$work/folder"
echo content >"$work/folder/file"
expect 0 --file /usr/bin/env --file "$work/folder:/data/folder" bookworm -- env cat /data/folder/file
[ "$(cat "$work/out")" = content ] || fault "the file of a directory is not there"

# A machine without ACPI ends, too.
expect 7 --append acpi=off bookworm -- sh -c 'exit 7'

expect 3 bookworm -- sh -c 'sleep 1000 & exit 3'
expect 143 bookworm -- sh -c 'kill -TERM $$'
expect 127 bookworm -- no-such-program
expect 124 --timeout 10 bookworm -- sh -c 'echo before; sleep 1000'
[ "$(cat "$work/out")" = before ] || fault "output before the time limit is lost"
expect 125 bookworm -- sh -c 'echo c >/proc/sysrq-trigger'
grep -q 'Kernel panic' "$work/err" || fault "the panic is not shown"
expect 2 no-such-kernel -- true
expect 2 bookworm
expect 2 --file "$work/missing" bookworm -- true

[ "$failures" -eq 0 ]
