#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# make-initramfs.sh: packs a test machine: busybox, the named files, the libraries that they need, and a command.
#
# Usage: make-initramfs OUTPUT [--file SRC[:DST]]... [--modules DIR] [--env NAME=VALUE]... [--sysroot DIR]
#                       -- COMMAND [ARGUMENT]...
#
# A file without DST goes to /machine/bin, which is first in the machine's PATH. Directories are copied whole. If DST ends
# in a slash, the file goes into that directory. With --sysroot the programs are for the architecture of that tree, from
# which busybox and libraries come (tools/sysroot); else they are for this one.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)

die() {
    echo "make-initramfs: $1" >&2
    exit "${2:-2}"
}

# Quotes a text as one word for a POSIX shell.
quote() {
    printf "'%s'" "${1//\'/\'\\\'\'}"
}

[ $# -gt 0 ] || die "usage: make-initramfs OUTPUT [--file SRC[:DST]]... -- COMMAND..."
output=$1
shift
files=() modules='' sysroot='' environment=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    [ $# -gt 1 ] || die "$1 needs a value"
    case $1 in
        --file) files+=("$2") ;;
        --modules) modules=$2 ;;
        --sysroot) sysroot=$2 ;;
        --env) [[ $2 =~ ^[A-Za-z_][A-Za-z0-9_]*= ]] || die "'$2' is not NAME=VALUE"
               environment+=("$2") ;;
        *) die "unknown option $1" ;;
    esac
    shift 2
done
if [ "${1:-}" != -- ] || [ $# -lt 2 ]; then
    die "a command is needed after --"
fi
shift

if [ -n "$sysroot" ]; then
    busybox=$sysroot/bin/busybox strip=aarch64-linux-gnu-strip
else
    busybox=$(command -v busybox) || die "busybox is not installed (package busybox-static)" 77
    ! ldd "$busybox" >/dev/null 2>&1 || die "$busybox is not static (install busybox-static)" 77
    strip='strip'
fi
command -v cpio >/dev/null || die "cpio is not installed" 77

umask 022
root=$(mktemp -d)
chmod 755 "$root" # this becomes the machine's /, which all users must be able to enter
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,dev,etc,proc,sys,run,tmp,root,usr/bin,var/tmp,machine/bin}
ln -s bin "$root/sbin"
cp "$busybox" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
install -m 755 "$here/init.sh" "$root/init"

cat >"$root/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/:/bin/false
guest:x:1000:1000:guest:/tmp:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
END
printf '%s\n' root:x:0: daemon:x:1: guest:x:1000: nogroup:x:65534: >"$root/etc/group"
printf 'passwd: files\ngroup: files\nhosts: files\n' >"$root/etc/nsswitch.conf"
echo '127.0.0.1 localhost' >"$root/etc/hosts"

# Copies a library or loader to its own path, once, with the libraries that it needs.
add_library() {
    [ -e "$root$1" ] && return
    mkdir -p "$root$(dirname "$1")"
    cp -L "$sysroot$1" "$root$1"
    [ -z "$sysroot" ] || add_libraries_of "$sysroot$1" # ldd already listed all of them
}

# Prints the paths of the loader and the libraries that a program needs. ldd cannot run programs of another
# architecture, so their headers are read.
libraries_of() {
    local library
    if [ -z "$sysroot" ]; then
        ldd "$1" 2>/dev/null | grep -oE '/[^ ]+' | sort -u
        return
    fi
    readelf -lW "$1" | sed -n 's/.*program interpreter: \(.*\)\]/\1/p'
    readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while read -r library; do
        for library in {,/usr}/lib/{aarch64-linux-gnu/,}"$library"; do
            [ ! -e "$sysroot$library" ] || { echo "$library"; break; }
        done
    done
}

# Copies the shared libraries that the file needs. Static programs, and files that are not ELF, need none.
add_libraries_of() {
    local library
    [ "$(head -c 4 "$1" | tr -d '\0')" = $'\x7fELF' ] || return 0
    while read -r library; do
        add_library "$library"
    done < <(libraries_of "$1")
}

add() {
    local source=${1%%:*} destination=/machine/bin/ file
    [ "$source" = "$1" ] || destination=${1#*:}
    [ -e "$source" ] || die "no such file: $source"
    case $destination in /*) ;; *) die "the place in the machine must be absolute: $1" ;; esac
    case $destination in */) destination+=$(basename "$source") ;; esac
    mkdir -p "$root$(dirname "$destination")"
    cp -rL "$source" "$root$destination"
    while read -r file; do
        add_libraries_of "$file"
    done < <(find -L "$source" -type f -perm /111)
    # Strips debug information, because the machine's memory is small. Files that are not ELF stay unchanged.
    while read -r file; do
        [ "$(head -c 4 "$file" | tr -d '\0')" != $'\x7fELF' ] || "$strip" --strip-debug "$file"
    done < <(find "$root$destination" -type f -perm /111)
}

for file in "${files[@]+"${files[@]}"}"; do
    add "$file"
done
if [ -n "$modules" ]; then
    mkdir -p "$root/lib"
    cp -r "$modules" "$root/lib/modules"
fi

{
    for variable in "${environment[@]+"${environment[@]}"}"; do
        echo "export ${variable%%=*}=$(quote "${variable#*=}")"
    done
} >"$root/machine/environment"
{
    printf exec
    for word in "$@"; do
        printf ' %s' "$(quote "$word")"
    done
    echo
} >"$root/machine/command"

(cd "$root" && find . -print0 | cpio --null --create --format=newc --owner=0:0 --quiet) >"$output"
