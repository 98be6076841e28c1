#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# count_statements.sh SOURCE-TREE MAP COMPILER MAIN [INCLUDE-OPTION...]: counts our own statements in all that a
# privileged program links: every source whose object the linker took, by its map, and every header of ours that these
# include. MAIN is the program's own source.
#
# A statement ends with a semicolon that is not inside parentheses, or begins with if, else, for, while, switch or case.
# So one statement costs the same on one line and on three. Not counted: the C library (which looks accounts up through
# NSS), libbpf, libcap, libseccomp, what is generated (the probes' bytes), and the probes' own source.
#
# The limit is 1,440. Fails above 1,296, so that 10 % stay free and no change has to be squeezed in.
set -euo pipefail
root=$(realpath "$1") map=$2 compiler=$3 sources=$1/$4
shift 4
limit=1440

while read -r member; do
    library=${member%%.a*} name=${member#*\(}
    case ${library#libtiercel_} in
        privd | privd_base) folder=privd ;;
        privd_*) folder=privd/drivers ;;
        policy) folder=policy/privilege ;;
        wire) folder=shared/wire ;;
        keeper_store) folder=keeper ;;
        os) folder=shared/os ;;
        *) echo "privd links $library, which is not among what it may" && exit 1 ;;
    esac
    source=$root/$folder/${name%.o)}
    [ -e "$source" ] || source=$root/$folder/drivers/${name%.o)}
    sources+=" $source"
done < <(grep -oE 'libtiercel_[a-z_]+\.a\([a-z_]+\.cpp\.o\)' "$map" | sort -u)

# shellcheck disable=SC2086 # words on purpose
dependencies=$("$compiler" -std=c++20 -MM -I "$root" "$@" -DTIERCEL_VERSION='""' -DTIERCEL_DRIVER=kModernDriver $sources)
files=$(grep -oE '/[^ ]+' <<<"$dependencies" | xargs -n1 realpath | grep "^$root/" | grep -vE '\.skel\.h$|^'"$root"'/build' | sort -u)
[ "$(wc -l <<<"$files")" -ge 2 ] || { echo "the map does not show what is linked" && exit 1; }

# The text of a file without comments, strings, characters and directives; then its statements.
count() {
    awk '
    /^[ \t]*#/ { continued = /\\$/; next }
    continued { continued = /\\$/; next }
    {
        line = $0
        gsub(/\\./, "", line)
        gsub(/"[^"]*"/, "", line)
        gsub(/\x27[^\x27]*\x27/, "", line)
        for (i = 1; i <= length(line); ++i) {
            two = substr(line, i, 2); c = substr(line, i, 1)
            if (inside) { if (two == "*/") { inside = 0; ++i } continue }
            if (two == "//") break
            if (two == "/*") { inside = 1; ++i; continue }
            if (c == "(") ++depth
            if (c == ")") --depth
            if (c == "{") { saved[++braces] = depth; depth = 0 }
            if (c == "}" && braces > 0) depth = saved[braces--]
            if (c == ";" && depth == 0) ++statements
            before = i > 1 ? substr(line, i - 1, 1) : " "
            if (before !~ /[A-Za-z0-9_]/ &&
                match(substr(line, i), /^(if|else|for|while|switch|case)[^A-Za-z0-9_]/)) ++statements
        }
        if (line ~ /(^|[^A-Za-z0-9_])else$/) ++statements
    }
    END { print statements + 0 }' "$1"
}

total=0
for file in $files; do
    statements=$(count "$file")
    printf '%5d  %s\n' "$statements" "${file#"$root"/}"
    total=$((total + statements))
done
echo "$total of $limit statements; $(((limit - total) * 100 / limit)) % are free"
[ $((total * 10)) -le $((limit * 9)) ]
