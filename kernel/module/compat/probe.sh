#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# probe.sh: asks a kernel's headers the questions of features.c and prints found.h.
#
# Usage: probe.sh FEATURES COMPILER [FLAG]...
#
# The compiler runs once for all questions and need not succeed. Exit code 1: it could not read the headers.
set -u
features=$1
shift
# Only these warnings are answers. A flag of the kernel's that makes others errors would change an answer.
errors=$(
    for flag in "$@"; do
        shift
        case $flag in -Werror | -Werror=* | -Wp,*) ;; *) set -- "$@" "$flag" ;; esac
    done
    case $1 in *clang*) set -- "$@" -ferror-limit=0 ;; esac
    LC_ALL=C "$@" -Werror=implicit-function-declaration -Werror=incompatible-pointer-types -fsyntax-only \
        -x c "$features" 2>&1 </dev/null
)
printf '%s\n' "$errors" | awk -v file="$features" '
    FNR == NR {
        if (index($0, file ":") == 1 && $0 ~ /error:/) {
            split(substr($0, length(file) + 2), place, ":")
            failed[place[1]] = 1
        }
        next
    }
    FNR == 1 {
        print "/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */"
        print "/* What this kernel has, as compat/probe.sh found. */"
    }
    /^PROBE\(/ {
        name = $0
        gsub(/^PROBE\(|,.*/, "", name)
        if (name == "always")
            readable = !(FNR in failed)
        else if (name == "never")
            refused = FNR in failed
        else
            print (FNR in failed ? "/* no " name " */" : "#define COMPAT_HAS_" name)
    }
    END { exit !(readable && refused) }
' - "$features" && exit 0
printf '%s\n%s\n' "tiercel: cannot read this kernel's headers:" "$errors" >&2
exit 1
