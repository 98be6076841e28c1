#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# inside-aarch64.sh SOURCE BUILD probe|userspace [UNIT]...: the program that test-aarch64.sh runs in the machine. The tests expect
# their files and programs in the directories SOURCE and BUILD; here these lie in /data and /machine/bin.
source_tree=$1 build=$2 part=$3
shift 3

uname -srm
modprobe unix_diag # sockets find their peer through it, and no program loads modules on demand here
# The checkout's directory is made only now, because a tmpfs may have covered it.
mkdir -p "${source_tree%/*}" /data/source /data/build
ln -s /data/source "$source_tree"
mkdir -p "${build%/*}"
ln -s /data/build "$build"
ln -s /machine/bin /data/build/bin
cd /tmp || exit

failed=0
# check NAME COMMAND...: runs a test. Prints its output if it fails, else how many cases passed or were skipped.
check() {
    name=$1 code=0
    shift
    "$@" >/tmp/output 2>&1 || code=$?
    case $code in
        0) echo "ok: $name"
           grep -a -E '^(\[doctest\] test cases|SKIPPED):' /tmp/output ;;
        77) echo "SKIPPED: $name: $(tail -n 1 /tmp/output)" ;;
        *) echo "FAILED: $name: exit code $code"
           grep -a -v '^$' /tmp/output | tail -n 60
           failed=$((failed + 1)) ;;
    esac
}

case $part in
    probe)
        for unit in "$@"; do
            check "$unit" "$unit"
        done
        check "live by the modern probe" live_test --driver modern --privd /machine/bin/privd ;;
    userspace)
        check "live by the ptrace driver" live_test --driver userspace --privd /machine/bin/tiercel-trace
        for aspect in $(tracee); do
            check "traced: $aspect" tiercel-trace --analyzer "analyzer --events >/tmp/events" -- /machine/bin/tracee "$aspect"
            grep -q "procexit .*ret=0" /tmp/events || {
                echo "FAILED: traced: $aspect: no event of its end"
                failed=$((failed + 1))
            }
        done ;;
esac
exit $((failed > 0))
