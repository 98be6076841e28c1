#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# fetch-kernel.sh: fetches a Debian kernel for the test machines. The host's packages stay unchanged.
#
# Usage: fetch-kernel [--refresh] [--headers] [--arch arm64] NAME   NAME is a name or an alias of the file `kernels`
#
# Prints the directory that holds the kernel: vmlinuz, config, version, packages/. With --headers it holds
# headers/ too, a tree to build modules against. A kernel is fetched once; --refresh looks for a newer one.
# The packages come from a private apt state (tools/private-apt.sh), so neither root nor the host's sources are needed.
#
# Exit codes: 0, 2 wrong usage, 77 this machine or the mirror does not have the kernel (a test then skips).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${TIERCEL_VM_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/tiercel/vm}
# shellcheck source=tools/private-apt.sh
. "$here/../../tools/private-apt.sh"

usage() {
    echo "fetch-kernel: $1" >&2
    echo "usage: fetch-kernel [--refresh] [--headers] [--arch ARCHITECTURE] NAME, with NAME one of:" \
         "$(awk '!/^#/ && NF { printf "%s (%s) ", $1, $2 }' "$here/kernels")" >&2
    exit 2
}

unavailable() {
    echo "fetch-kernel: $1" >&2
    exit 77
}

refresh=false headers=false architecture=amd64 name=
while [ $# -gt 0 ]; do
    case $1 in
        --refresh) refresh=true ;;
        --headers) headers=true ;;
        --arch) architecture=${2-}
                shift ;;
        -*) usage "unknown option $1" ;;
        *) [ -z "$name" ] || usage "one kernel at a time"
           name=$1 ;;
    esac
    shift
done
[ -n "$name" ] || usage "which kernel?"
case $architecture in amd64 | arm64) ;; *) usage "no kernels for '$architecture': amd64 or arm64" ;; esac
read -r canonical suites < <(awk -v want="$name" '!/^#/ && ($1 == want || $2 == want) {
    line = $1; for (i = 3; i <= NF; i++) line = line " " $i; print line }' "$here/kernels") ||
    usage "no kernel called '$name'"

name=$canonical
home=$cache/$name
[ "$architecture" = amd64 ] || home+=-$architecture

have_all() {
    [ -s "$home/vmlinuz" ] && { ! $headers || [ -e "$home/headers/build" ]; }
}

if ! $refresh && have_all; then
    echo "$home"
    exit 0
fi

for tool in apt-get apt-cache dpkg-deb flock; do
    command -v "$tool" >/dev/null || unavailable "$tool is not installed, and only it can fetch Debian kernels"
done
[ -r "$keyring" ] || unavailable "$keyring is missing (package debian-archive-keyring)"

mkdir -p "$home"
home=$(cd "$home" && pwd)
exec 9>"$home/lock"
flock 9
if ! $refresh && have_all; then # another run fetched it meanwhile
    echo "$home"
    exit 0
fi

state=$home/apt
# shellcheck disable=SC2086 # one word for each suite
private_apt "$state" "$architecture" $suites

echo "fetch-kernel: looking up the $name kernel for $architecture on $mirror" >&2
apt-get "${apt_options[@]}" -qq -o APT::Update::Error-Mode=any update >&2 ||
    unavailable "cannot read the package lists of $suites from $mirror"

# Prints the packages that PACKAGE depends on and that match PATTERN.
resolve() {
    apt-cache "${apt_options[@]}" depends "$1" | awk -v re="$2" '$1 == "Depends:" && $2 ~ re { print $2 }'
}

# Downloads PACKAGE into the current directory.
download() {
    echo "fetch-kernel: fetching $1" >&2
    rm -f "$1"_*.deb
    apt-get "${apt_options[@]}" -qq download "$1" >&2 || unavailable "cannot fetch $1 from $mirror"
}

work=$home/fetching
rm -rf "$work"
mkdir "$work"
trap 'rm -rf "$work" "$state/cache"' EXIT
cd "$work"

package=$(resolve "linux-image-cloud-$architecture" "^linux-image-[0-9].*-cloud-$architecture\$" | tail -n 1)
[ -n "$package" ] || unavailable "linux-image-cloud-$architecture of $name names no kernel package"
version=${package#linux-image-}

if [ "$version" != "$(cat "$home/version" 2>/dev/null)" ] || [ ! -s "$home/vmlinuz" ]; then
    # Newer releases have packages of their own for the image, its configuration and its modules.
    parts=$(resolve "$package" "^linux-(base|binary|modules)-[0-9]")
    mkdir packages unpacked
    for part in "$package" $parts; do
        download "$part"
        dpkg-deb -x "$part"_*.deb unpacked
        mv "$part"_*.deb packages/
    done
    vmlinuz=$(find unpacked -name "vmlinuz*" -type f | head -n 1)
    [ -n "$vmlinuz" ] || unavailable "no vmlinuz in $package $parts"
    rm -rf "$home"/{vmlinuz,config,headers,modules,packages}
    find unpacked -name "config-$version" -type f -exec mv {} "$home/config" \;
    mv packages "$home/packages"
    echo "$version" >"$home/version"
    mv "$vmlinuz" "$home/vmlinuz" # last, because its presence marks a complete fetch
fi

if $headers && [ ! -e "$home/headers/build" ]; then
    arch_headers=linux-headers-$version
    common=$(resolve "$arch_headers" '^linux-headers-.*-common$')
    kbuild=$(resolve "$arch_headers" '^linux-kbuild-')
    mkdir headers
    # The headers' tools need their own release's libc; build-module runs them with it.
    for package in "$arch_headers" "$common" "$kbuild" libc6; do
        download "$package"
        dpkg-deb -x "$package"_*.deb headers
    done
    # The trees name each other by absolute paths, which must be relative to headers/ inside the cache.
    grep -rlI --include=Makefile --include='*.mk' '/usr/src/' headers/usr/src |
        xargs -r sed -i "s|/usr/src/|$home/headers/usr/src/|g"
    for link in headers/usr/src/*/{scripts,tools}; do
        [ -L "$link" ] && ln -sfn "$home/headers/usr/lib/$(basename "$(dirname "$(readlink "$link")")")/$(basename "$link")" "$link"
    done
    ln -s "usr/src/$arch_headers" headers/build
    rm -rf "$home/headers"
    mv headers "$home/headers"
fi

echo "$home"
