#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# fetch-runtimes.sh: unpacks Debian's containerd and Docker into a directory of the cache and prints it. They are not
# installed, because their packages start services.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# shellcheck source=tools/private-apt.sh
. "$here/../../tools/private-apt.sh"
suite=bookworm
cache=${TIERCEL_VM_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/tiercel/vm}
directory=$cache/runtimes-$suite
mkdir -p "$cache"
exec 9>"$directory.lock"
flock 9
if [ ! -e "$directory/made" ]; then
    rm -rf "$directory"
    private_apt "$directory/apt" "$(dpkg --print-architecture)" "$suite"
    apt-get "${apt_options[@]}" -qq update >&2
    mkdir -p "$directory/packages"
    cd "$directory/packages"
    apt-get "${apt_options[@]}" -qq download containerd docker.io >&2
    for package in *.deb; do dpkg -x "$package" "$directory"; done
    touch "$directory/made"
fi
echo "$directory"
