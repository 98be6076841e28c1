#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Counts our own lines in all that privd links: every source whose object the linker took, by its map, and
# every header of ours that these include. What is generated (the probe's bytes) and the probe's own source
# do not count.
#
# A line of code is a line that says something: blank lines, comments, #include and #pragma lines and lines
# of brackets alone do not count. Fails at 1,000. The stricter count, of all lines that are neither blank
# nor comment, is printed beside it, so that nobody has to wonder.
set -euo pipefail
root=$(realpath "$1") map=$2 compiler=$3
shift 3 # the rest: include options of the generated skeletons

least=3
case $map in
*/privd-exec.map) sources=$root/privd/exec.cpp ;;
*/privd-types.map) sources=$root/privd/types.cpp least=1 ;;
*) sources=$root/privd/main.cpp ;;
esac
while read -r member; do
    library=${member%%.a*} name=${member#*\(}
    case ${library#libtiercel_} in
    privd | privd_modern | privd_classic | privd_module) folder=privd ;;
    policy) folder=policy ;;
    wire) folder=shared/wire ;;
    os) folder=shared/os ;;
    *) echo "privd links $library, which is not among what it may" && exit 1 ;;
    esac
    sources+=" $root/$folder/${name%.o)}"
done < <(grep -oE 'libtiercel_[a-z_]+\.a\([a-z_]+\.cpp\.o\)' "$map" | sort -u)
[ "$(wc -w <<<"$sources")" -ge $least ] || { echo "the map does not show what is linked" && exit 1; }

# shellcheck disable=SC2086 # words on purpose
dependencies=$("$compiler" -std=c++20 -MM -I "$root" "$@" -DTIERCEL_VERSION='""' $sources)
files=$(grep -oE '/[^ ]+' <<<"$dependencies" | xargs -n1 realpath | grep "^$root/" | grep -v '\.skel\.h$' | sort -u)

total=0 strict=0
for file in $files; do
    text=$(awk '{ line = $0; out = ""
        while (length(line)) {
            if (inside) { at = index(line, "*/"); if (!at) { line = ""; break } line = substr(line, at + 2); inside = 0 }
            at = index(line, "/*")
            if (!at) { out = out line; break }
            out = out substr(line, 1, at - 1); line = substr(line, at + 2); inside = 1 }
        print out }' "$file" | grep -vE '^[[:space:]]*(//.*)?$')
    all=$(wc -l <<<"$text")
    code=$(grep -cvE '^#(include|pragma)|^[]{}();,[:space:]]+$' <<<"$text")
    printf '%5d %5d  %s\n' "$code" "$all" "${file#"$root"/}"
    total=$((total + code)) strict=$((strict + all))
done
printf '%5d %5d  in all: lines of code; with includes and lone brackets\n' "$total" "$strict"
[ "$total" -lt 1000 ]
