#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# reachable_test.sh: below a directory of mode 0700 the tests' other accounts reach the tree, and nothing else there.
#
# Usage: reachable_test.sh REACHABLE
set -euo pipefail
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
script=${1:?script}

need_root "making a mount namespace"
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
unshare --mount true 2>/dev/null || skip "mount namespaces are not permitted here"
mkdir -p "$home/tree/tools"
cp "$script" "$home/tree/tools/"
echo "of the tree" >"$home/tree/file"
echo "of the home" >"$home/file"

# as_other COMMAND...: runs it as an account that owns nothing here.
as_other() { HOME=$home "$home/tree/tools/reachable" setpriv --reuid 65534 --regid 65534 --clear-groups "$@" 2>&1; }
check "the directory is closed" [ "$(stat -c %a "$home")" = 700 ]
check "another account reads a file of the tree" has <(as_other cat "$home/tree/file") "of the tree"
check "it finds nothing else" has <(as_other cat "$home/file" || true) "No such file"
check "the command starts in the tree" has <(as_other pwd) "$home/tree"
check "the exit code is the command's" [ "$(as_other sh -c 'exit 7' >/dev/null || echo $?)" = 7 ]
check "outside nothing has changed" is "$(cat "$home/file")" "of the home"
chmod 0755 "$home"
check "an open directory stays as it is" has <(as_other cat "$home/file") "of the home"
finish
