#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# build-module.sh KERNEL: builds the kernel module for a kernel of the list and prints its path. Exit code 77: it cannot be
# built here; the output says why.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kernel=${1:?which kernel?}
output=${TIERCEL_BUILD:-$here/../../build}/module/$kernel
home=$("$here/fetch-kernel.sh" --headers "$kernel") || exit $?
mkdir -p "$output"
exec 9>"$output.lock"
flock 9
log=$output.log
headers=$home/headers/build arguments=(CC="$here/newer-cc.sh" TIERCEL_WERROR=y)

# newer-cc translates options of GCC 14 that GCC 12 does not have.
made_for=$(sed -n 's/^CONFIG_GCC_VERSION=\([0-9]*\)[0-9]\{4\}$/\1/p' "$headers/.config")
if [ "${made_for:-0}" -gt 14 ] && [ "$(gcc -dumpversion)" -lt "$made_for" ]; then
    echo "the headers of $kernel are made for GCC $made_for, and this is GCC $(gcc -dumpversion)" >&2
    exit 77
fi

# Prints a program that runs a tool with the libc that was fetched with it, in place of this system's.
with_own_libc() {
    local loader=$home/headers/usr/lib64/ld-linux-x86-64.so.2
    [ -x "$loader" ] || { echo "no libc for $1: fetch-kernel --refresh --headers $kernel gets it" >&2; exit 77; }
    printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$loader" \
        "$home/headers/usr/lib/x86_64-linux-gnu:/lib/x86_64-linux-gnu" "$headers/$1" >"$output/$(basename "$1")"
    chmod +x "$output/$(basename "$1")"
    echo "$output/$(basename "$1")"
}

# Newer headers would also need that release's pahole, to make the module's own BTF, which we do not read.
if [ -e "$headers/scripts/mod/modpost.real-lsb-64" ] &&
    ldd "$headers/scripts/mod/modpost.real-lsb-64" 2>&1 | grep "not found" >/dev/null; then
    objtool=$(with_own_libc tools/objtool/objtool.real-x86) || exit $?
    modpost=$(with_own_libc scripts/mod/modpost.real-lsb-64) || exit $?
    arguments+=(objtool="$objtool" MODPOST="$modpost" CONFIG_DEBUG_INFO_BTF_MODULES=)
fi
if ! "$here/../../kernel/module/build" "$headers" "$output" "${arguments[@]}" >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
echo "$output/kernel/module/tiercel.ko"
