#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# sysdig_sid_test.sh SYSDIG_TEST: Debian sid's sysdig, whose assertions are on, opens what our writer writes. It is unpacked with
# its libraries into ~/.cache/tiercel/sysdig-sid, by a private apt state, and kept there. Exit code 77: it cannot be had here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=${1:?where is sysdig_test?}
# The first code that libscap 0.23 does not know.
known_below=430
cache=${TIERCEL_CACHE:-$HOME/.cache/tiercel}/sysdig-sid

fetch() {
    # shellcheck source-path=SCRIPTDIR/../../../tools
    . "$here/../../../tools/private-apt.sh"
    rm -rf "$cache.new"
    private_apt "$cache.new/apt" amd64 sid
    apt-get "${apt_options[@]}" -qq update &&
        apt-get "${apt_options[@]}" -qq -y --no-install-recommends --download-only install sysdig || return 1
    mkdir "$cache.new/root"
    for package in "$cache.new"/apt/cache/archives/*.deb; do
        dpkg-deb -x "$package" "$cache.new/root"
    done
    rm -rf "$cache.new/apt"
    mv "$cache.new" "$cache"
}

[ "$(uname -m)" = x86_64 ] || { echo "SKIP: the packages are those of amd64"; exit 77; }
if [ ! -d "$cache" ] && ! fetch; then
    echo "SKIP: Debian sid's sysdig cannot be fetched"
    exit 77
fi
root=$cache/root
loader=$(find "$root" -name ld-linux-x86-64.so.2 -type f -print -quit)
sysdig="$loader --library-path $root/usr/lib/x86_64-linux-gnu $root/usr/bin/sysdig"
$sysdig --version
"$program" "$sysdig" "$known_below"
