# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# private-apt: fetches Debian packages with a private apt state. It needs no root and none of the host's sources, and
# leaves the host's packages unchanged. apt checks signatures against Debian's keyring.
mirror=${TIERCEL_VM_MIRROR:-http://deb.debian.org}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# private_apt STATE ARCHITECTURE SUITE...: creates the directory STATE and sets `apt_options` for apt-get and apt-cache.
private_apt() {
    local state=$1 architecture=$2 suite archive
    shift 2
    mkdir -p "$state"/{etc/none,lists/partial,cache/archives/partial}
    : >"$state/status"
    : >"$state/etc/sources.list"
    for suite in "$@"; do
        archive=debian
        case $suite in *-security) archive=debian-security ;; esac
        echo "deb [arch=$architecture signed-by=$keyring] $mirror/$archive $suite main" >>"$state/etc/sources.list"
    done
    # An archive whose suite is no longer maintained keeps an expired date, so only its signature is checked.
    # shellcheck disable=SC2034 # for who sources this
    apt_options=(
        -o Dir::State="$state" -o Dir::State::lists="$state/lists" -o Dir::State::status="$state/status"
        -o Dir::Cache="$state/cache" -o Dir::Etc::SourceList="$state/etc/sources.list" -o Dir::Etc::SourceParts="$state/etc/none"
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts="$state/etc/none"
        -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" -o APT::Sandbox::User=
        -o Acquire::Languages=none -o Acquire::Check-Valid-Until=false -o Acquire::Retries=3
    )
}
