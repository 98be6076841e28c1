#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# find_faults.sh: plants one fault of each kind in a small tree and expects the check to find each, and nothing before.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/deep/checkout

fresh() {
    rm -rf "$tree"
    mkdir -p "$tree"/{shared/os,policy,privd,analyzer/{app,fields,output,ring,rules,state},kernel/common/captures}
    cd "$tree"
    echo 'int close_it();' >shared/os/fd.h
    echo '#include "shared/os/fd.h"' >policy/plan.h
    echo '#include "policy/plan.h"' >privd/main.cpp
    printf '#include "shared/os/fd.h"\n#include "kernel/common/abi.h"\n' >analyzer/ring/ring.h
    echo '#include "shared/os/fd.h"' >analyzer/state/state.h
    printf '#include "analyzer/state/state.h"\n#include "policy/plan.h"\n' >analyzer/fields/fields.h
    echo '#include "analyzer/fields/fields.h"' >analyzer/rules/rules.h
    printf '#include <vector>\n#include "analyzer/rules/rules.h"\n' >analyzer/app/main.cpp
}

failures=0
# finds TEXT: the check of the tree fails and its output holds the text.
finds() {
    local output status=0
    output=$("$here/check.sh" "$tree") || status=$?
    if [ "$status" -ne 1 ] || [[ $output != *"$1"* ]]; then
        echo "not found: '$1' (exit $status)"
        printf '%s\n' "$output"
        failures=$((failures + 1))
    fi
    fresh
}

lines() {
    awk -v count="$1" 'BEGIN { for (i = 0; i < count; i++) print "    work();" }'
}

fresh
"$here/check.sh" "$tree" || { echo "a tree without faults was refused"; exit 1; }

while IFS='|' read -r file include expected; do
    echo "#include $include" >>"$file"
    finds "$file:"
    echo "#include $include" >>"$file"
    finds "$expected"
done <<'END'
privd/main.cpp|"analyzer/ring/ring.h"|privd may not include
analyzer/app/main.cpp|"privd/door.h"|analyzer/app may not include
policy/plan.h|"privd/door.h"|policy may not include
policy/plan.h|"analyzer/ring/ring.h"|policy may not include
shared/os/fd.h|"policy/plan.h"|shared may not include
analyzer/ring/ring.h|"analyzer/state/state.h"|analyzer/ring may not include
analyzer/state/state.h|"analyzer/fields/fields.h"|analyzer/state may not include
analyzer/fields/fields.h|"analyzer/rules/rules.h"|analyzer/fields may not include
analyzer/rules/rules.h|"analyzer/app/main.h"|analyzer/rules may not include
analyzer/output/x.h|"analyzer/rules/rules.h"|analyzer/output may not include
analyzer/state/state.h|"kernel/common/abi.h"|analyzer/state may not include
analyzer/ring/ring.h|"kernel/common/capture.h"|analyzer/ring may not include
analyzer/app/main.cpp|"kernel/common/plan.h"|analyzer/app may not include
kernel/common/captures/file.h|"kernel/common/captures/user.h"|may not include one another
kernel/common/abi.h|"kernel/bpf_common/maps.h"|kernel/common may not include
analyzer/app/main.cpp|<modern.skel.h>|is for privd alone
analyzer/app/main.cpp|"main.h"|name the file from the top
analyzer/app/main.cpp|"../rules/rules.h"|name the file from the top
analyzer/app/main.cpp|<shared/os/fd.h>|stand in quotes
privd/main.cpp|"tests/unit/x.h"|includes a test's
END

lines 501 >policy/long.cpp
finds "policy/long.cpp:501: more than 500 lines"
{ echo 'int run(int a,'; echo '        int b) {'; lines 60; echo '}'; } >policy/long.cpp
finds "policy/long.cpp:1: a function of 63 lines"
{ echo 'static void Thing::run() {'; lines 59; echo '}'; } >policy/long.c
finds "policy/long.c:1: a function of 61 lines"
{ echo 'template <typename T>'; echo 'void run(T what) {'; lines 60; echo '}'; } >policy/long.h
finds "policy/long.h:2: a function of 62 lines"
echo "// TO""DO: later" >policy/later.h
finds "policy/later.h:1:"
echo "see $tree/policy" >policy/notes.md
finds "policy/notes.md:1:"
echo "see $work/deep/elsewhere" >policy/notes.md
finds "policy/notes.md:1:"
echo "see /home/someone""/.cache/x" >policy/notes.md
finds "policy/notes.md:1:"
echo "// TO""DO(someone): later" >policy/later.h
{ echo 'template <typename T>'; echo 'class Table {'; lines 70; echo '};'; } >policy/class.h
{ echo 'struct Table {'; lines 70; echo '};'; } >policy/table.h
{ echo 'static void run() {'; lines 58; echo '}'; } >policy/fits.c
"$here/check.sh" "$tree" || { echo "a tree without faults was refused"; failures=$((failures + 1)); }

[ "$failures" -eq 0 ]
