#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# home_test.sh: `./dev run` shows alerts of a checkout below a folder of mode 0700, as a home is on Debian. The account that the
# analyzer changes to can reach nothing there by a path from the root.
#
# Usage: home_test.sh SOURCE-TREE
set -euo pipefail
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
tree=${1:?source tree}
need_root "a folder over the checkout's parent"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# An empty file system with mode 0700 covers the parent, and the checkout is bound into it at its own path.
# shellcheck disable=SC2016 # for the inner shell
unshare --mount --propagation private bash -c '
    tree=$1
    cd "$tree"
    mount -t tmpfs -o mode=0700 none "$(dirname "$tree")"
    mkdir "$tree"
    mount --no-canonicalize --bind "/proc/$$/cwd" "$tree"
    cd "$tree"
    exec timeout --signal INT 60 ./dev run' bash "$tree" >"$work/out" 2>&1 &
watched=$!

# alerted: reads a file that a default rule is about, and succeeds if the alert is there.
alerted() {
    cat /etc/shadow >/dev/null
    grep -q 'file=/etc/shadow' "$work/out"
}
check "an alert comes" within 50 alerted || sed 's/^/  /' "$work/out"
pkill -INT -P "$watched" || kill "$watched" || true
wait "$watched" || true
finish
