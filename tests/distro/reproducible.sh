#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# reproducible: builds programs from copies of the tree in two folders, and compares them byte by byte, debug information
# included. Neither is the build tree, because ccache with CCACHE_BASEDIR writes other paths into debug information.
#
# Usage: reproducible.sh SOURCE-TREE PROGRAM...
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: reproducible.sh SOURCE-TREE PROGRAM..." >&2; exit 2; }
source=$(cd "$1" && pwd)
shift
programs=("$@")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CCACHE_DISABLE=1 # a cache would compare an object with itself

# build FOLDER: copies what git tracks to the folder, and builds there.
build() {
    mkdir -p "$1"
    git -C "$source" -c safe.directory="$source" ls-files -z | tar -C "$source" --null -T - -cf - | tar -C "$1" -xf -
    (cd "$1" && cmake --preset release) >"$1/configure.log"
    nice cmake --build "$1/build" --target "${programs[@]}" >"$1/build.log" || { tail -n 30 "$1/build.log"; return 1; }
}

# The second path has another length, because a path may hide in an offset.
build "$work/one"
build "$work/a/longer/path/two"

different=0
for program in "${programs[@]}"; do
    if ! cmp "$work/one/build/bin/$program" "$work/a/longer/path/two/build/bin/$program"; then
        different=$((different + 1))
    fi
    if grep -qF "$work" "$work/one/build/bin/$program"; then
        echo "$program names the folder that it was built in"
        different=$((different + 1))
    fi
done
[ "$different" -eq 0 ] && echo "${#programs[@]} programs are equal in both folders"
