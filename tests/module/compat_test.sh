#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# compat_test.sh: the module's questions to a kernel's headers (kernel/module/compat) against headers made here. Each
# feature is taken out of the newest headers alone, and put into the oldest alone, as vendors do with old kernels: the
# answers must follow, and kernel/module/compat must compile with them. No kernel's headers are needed.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
compat=$tree/kernel/module/compat
compiler=${CC:-gcc}
# shellcheck source=tests/lib/check.sh
. "$tree/tests/lib/check.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/kernel/module/compat"

# Every header that is named leads to the one with the declarations.
sed -n 's/^#include <\(.*\)>.*/\1/p' "$compat"/*.h "$compat/features.c" | sort -u | while read -r header; do
    mkdir -p "$work/include/$(dirname "$header")"
    echo '#include "kernel.h"' >"$work/include/$header"
done

mapfile -t features < <(sed -n 's/^PROBE(\([a-z_]*\),.*/\1/p' "$compat/features.c" | grep -vxE 'always|never')

# probe FEATURE...: asks headers that have these features, and lists the answers.
probe() {
    "$compat/probe.sh" "$compat/features.c" "$compiler" -nostdinc -I"$work/include" -I"$here/headers" -Werror \
        -Wall "${@/#/-DWITH_}" >"$work/kernel/module/compat/found.h" || return 1
    sed -n 's/^#define COMPAT_HAS_//p' "$work/kernel/module/compat/found.h"
}

# compiles FEATURE...: compiles what uses kernel/module/compat against the same headers.
compiles() {
    "$compiler" -std=gnu11 -nostdinc -I"$work" -I"$work/include" -I"$here/headers" -I"$tree" -Wall -Werror \
        -fsyntax-only "${@/#/-DWITH_}" "$here/headers/user.c"
}

# holds WHAT FEATURE...: the answers are these features, and all compiles.
holds() {
    local what=$1
    shift
    check "$what: the answers" is "$(probe "$@" | xargs)" "$*"
    check "$what: compiles" compiles "$@"
}

[ "${#features[@]}" -gt 15 ] || { echo "compat_test: no features in $compat/features.c"; exit 1; }
holds "all features" "${features[@]}"
holds "no feature"
for feature in "${features[@]}"; do
    mapfile -t others < <(printf '%s\n' "${features[@]}" | grep -vx "$feature")
    holds "all but $feature" "${others[@]}"
    holds "$feature alone" "$feature"
done

check "headers that cannot be read are told" test "$(
    "$compat/probe.sh" "$compat/features.c" "$compiler" -nostdinc -I"$work/include" -I"$here/headers" -DUNREADABLE \
        2>&1 >/dev/null | grep -c -e "cannot read this kernel's headers" -e 'a-header-that-is-missing')" -ge 2
# dkms.conf: which kernels DKMS tries.
pattern=$(sed -n 's/^BUILD_EXCLUSIVE_KERNEL="\(.*\)"/\1/p' "$tree/kernel/module/dkms.conf")
tried_by_dkms() { [[ $1 =~ $pattern ]]; }
for kernel in 4.18.0-348.el8_5.x86_64 4.19.0-27-amd64 5.4.0-100-generic 6.1.0-57-cloud-amd64 7.2.13+deb14-amd64 10.0.1; do
    check "DKMS tries $kernel" tried_by_dkms "$kernel"
done
for kernel in 3.10.0-1160.el7.x86_64 4.1.15 4.14.355-271.amzn2.x86_64; do
    check "DKMS does not try $kernel" eval "! tried_by_dkms $kernel"
done

check "nothing on a user's machine makes warnings errors" test -z "$(
    grep -rl 'TIERCEL_WERROR=' "$tree/kernel" "$tree/packaging")"
check "only kernel/module/compat/mount.h asks for a kernel's version" test -z "$(
    grep -rl LINUX_VERSION_CODE "$tree/kernel" | grep -v compat/mount.h)"
finish
