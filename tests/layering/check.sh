#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# check.sh: keeps the shape of the source tree. Prints each fault as FILE:LINE: what, and exits 1 when there is one.
#
# Usage: check.sh TREE
#
# - includes follow the arrows of the file `arrows`; our headers are included by "path/from/the/top.h";
#   a probe's skeleton is for privd alone
# - sources and scripts have at most 500 lines, functions outside tests at most 60 (.def files are data)
# - what is left to do names who does it: TODO(name)
# - nothing names the place where it was written: the checkout's path, or a home's hidden folders (of anyone but `user`)
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
[ $# -eq 1 ] || { echo "usage: check.sh TREE" >&2; exit 2; }
tree=$(cd "$1" && pwd)
cd "$tree"

maximum_lines=500 maximum_function=60

list() {
    if git -c safe.directory="$tree" rev-parse --show-toplevel 2>/dev/null | grep -qxF "$tree"; then
        git -c safe.directory="$tree" ls-files
    else
        find . -type f -not -path './build*' -not -path './.git/*' | sed 's|^\./||'
    fi | while read -r file; do [ ! -f "$file" ] || echo "$file"; done
}
mapfile -t files < <(list)
sources=() scripts=() texts=()
for file in "${files[@]}"; do
    case $file in
        *.c | *.cpp | *.h) sources+=("$file") ;;
        *.sh) scripts+=("$file") ;;
        *) if head -c 64 "$file" | tr -d '\0' | head -n 1 | grep -qE '^#!.*\b(sh|bash|python3?)\b'; then
               scripts+=("$file")
           fi ;;
    esac
    if [ ! -s "$file" ] || grep -qI . "$file"; then texts+=("$file"); fi
done
if [ ${#sources[@]} -eq 0 ]; then
    echo "no sources in $tree: nothing was checked"
    exit 1
fi

faults=0
# Prints the faults that come by standard input, and counts them.
report() {
    local line
    while read -r line; do
        echo "$line"
        faults=$((faults + 1))
    done
}

complete=0
[ ! "$here/arrows" -ef tests/layering/arrows ] || complete=1
report < <(awk -v complete=$complete -f "$here/includes.awk" "$here/arrows" "${sources[@]}" | sort)

report < <(awk -v most="$maximum_lines" '
    FNR > most && FNR == most + 1 { print FILENAME ":" FNR ": more than " most " lines" }' \
    "${sources[@]}" "${scripts[@]}")

# The formatter's style makes a function's first and last line stand at the margin.
report < <(awk -v most="$maximum_function" '
    FNR == 1 { start = 0 }
    FILENAME ~ /^tests\// { nextfile } # tables of cases are long
    /^[A-Za-z_].*[^;]$/ && !/^(template|namespace|struct|class|enum|union|extern "C")/ && !/=[ ]*\{$/ && start == 0 { start = FNR }
    /^[};)]*;?$/ || /;$/ && /^[^ }]/ || /^$/ && !inside { if (!inside) start = 0 }
    /\{$/ && start { inside = 1 }
    /^\}/ {
        if (inside && start && FNR - start + 1 > most)
            print FILENAME ":" start ": a function of " FNR - start + 1 " lines, at most " most " are wanted"
        inside = start = 0
    }' "${sources[@]}")

report < <(grep -nE '(//|/\*|#|^ *\*) *(TODO|FIXME|XXX)\b' "${sources[@]}" "${scripts[@]}" /dev/null |
    grep -vE '(TODO|FIXME)\([a-z][a-z0-9.-]*\)' | sed 's/$/ (what is left to do names who does it)/')

# A checkout directly below a common folder says little of a machine; deeper ones do, with their siblings.
places=(-e "$tree/")
case $(dirname "$tree") in
    / | /tmp | /home | /root | /usr | /usr/src | /src | /opt | /srv | /mnt | /var | /builds) ;;
    *) places+=(-e "$(dirname "$tree")/") ;;
esac
report < <(grep -nF "${places[@]}" -- "${texts[@]}" /dev/null | sed 's/$/ (names the place of a checkout)/')
report < <(grep -nE '/(root|home/[a-z0-9_-]+|Users/[A-Za-z0-9_-]+)/\.(cache|local|cargo|pyenv|config)/' -- \
    "${texts[@]}" /dev/null | grep -vF '/home/user/' | sed 's/$/ (names a home)/')

echo "${#files[@]} files checked, $faults faults"
[ "$faults" -eq 0 ]
