# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# common: functions that the subcommands of ./dev share: messages, packages, building, ownership.
# The caller sets $root to the top of the source tree and runs under set -e.
set -euo pipefail
: "${root:?is set before this is sourced}"

if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'
else
    bold='' red='' plain=''
fi

step() {
    echo "$bold== $1$plain"
}

# Prints $1 as an error and exits with the code $2 (default 1).
die() {
    echo "$red./dev: $1$plain" >&2
    exit "${2:-1}"
}

# Prints the packages of the given purposes that tools/packages lists for this architecture and release.
listed_packages() {
    awk -v purposes=" $* " -v here=" $(dpkg --print-architecture) $(debian_release) " '
        !/^#/ && index(purposes, " " $1 " ") && ($3 == "" || index(here, " " $3 " ")) &&
            !listed[$2]++ { print $2 }' "$root/tools/packages"
}

# Prints the code name of the system's release, or nothing if it has none.
debian_release() {
    sed -n 's/^VERSION_CODENAME=//p' /etc/os-release
}

# Installs the packages that are missing for the given purposes. Without root it prints the command to type and exits.
need_packages() {
    local package missing=()
    if ! command -v dpkg-query >/dev/null; then
        echo "./dev: not a Debian system: the libraries that tools/packages names must be here already" >&2
        return 0
    fi
    for package in $(listed_packages "$@"); do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        die "packages are missing: run the same under sudo, or: sudo apt-get install --no-install-recommends ${missing[*]}"
    fi
    step "Installing ${#missing[@]} packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    # If apt's package lists are missing or too old, fetches them once and tries again.
    if ! apt_install "${missing[@]}"; then
        apt-get update
        apt_install "${missing[@]}" || die "apt could not install: ${missing[*]}"
    fi
}

apt_install() {
    if ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; then
        apt-get update
    fi
    apt-get install -y --no-install-recommends --no-remove "$@" </dev/null
}

# Succeeds under sudo if the user behind sudo owns the tree. Build results should then belong to that user.
acts_for_user() {
    [ "$(id -u)" -eq 0 ] && [ "${SUDO_UID:-0}" -ne 0 ] && [ "$(stat -c %u "$root")" -eq "$SUDO_UID" ]
}

# Gives the build directories back to the user behind sudo.
return_ownership() {
    local directory
    acts_for_user || return 0
    for directory in "$root"/build "$root"/build-dev "$root"/build-{fuzz,portable,aarch64}; do
        [ ! -d "$directory" ] || chown -Rh "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$directory"
    done
}

build_directory() {
    case $1 in
        release) echo "$root/build" ;;
        *) echo "$root/build-$1" ;;
    esac
}

# build PRESET [TARGET]...: builds, and configures first if there is no build directory yet. Warnings are errors in
# continuous integration and in the preset dev, but not for users, whose compiler may be newer.
build() {
    local preset=$1 directory
    shift
    case $preset in
        aarch64) need_packages build aarch64 ;;
        *) need_packages build ;;
    esac
    directory=$(build_directory "$preset")
    if command -v ccache >/dev/null; then
        export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
        # Objects name no folder (cmake/Hardening.cmake), so clones in other folders may share them.
        export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
    fi
    cd "$root"
    trap return_ownership EXIT
    if [ ! -f "$directory/build.ninja" ]; then
        step "Configuring ($preset)"
        cmake --preset "$preset" ${CI:+-DTIERCEL_WERROR=ON}
    fi
    step "Building ($preset)"
    cmake --build "$directory" ${1:+--target "$@"}
    return_ownership
}

# Prints our source files that match the given patterns, including files that are not committed yet.
our_files() {
    cd "$root"
    if git -c safe.directory="$root" rev-parse --git-dir >/dev/null 2>&1; then
        git -c safe.directory="$root" ls-files --cached --others --exclude-standard -- "$@" | sort -u |
            while read -r file; do [ ! -f "$file" ] || echo "$file"; done
    else
        local pattern
        for pattern in "$@"; do
            find . -path './build*' -prune -o -type f -name "${pattern##*/}" -print | sed 's|^\./||'
        done | sort -u
    fi
}
