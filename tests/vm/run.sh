#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh: boots a Debian kernel in a virtual machine, runs one command there as root, and exits with its exit code.
#
# Usage: run [OPTION]... KERNEL [OPTION]... -- COMMAND [ARGUMENT]...
#
#   KERNEL              a name or alias of the file `kernels` (bookworm or 6.1, ...), or the path of a vmlinuz
#   --arch ARCHITECTURE amd64, the default, or arm64: of the machine, and of the programs put in it
#   --file SRC[:DST]    put a file or directory of the host in the machine (default place: /machine/bin)
#   --bare              leave out the programs of build/bin (arm64: build-aarch64/bin)
#   --modules           put the kernel's modules in, for modprobe
#   --modules-tree DIR  the same for a kernel given by its path: DIR holds VERSION/, as below lib/modules
#   --env NAME=VALUE    set a variable of the command's environment
#   --append WORDS      add to the kernel's command line
#   --memory MB         default 512
#   --cpus N            default 2
#   --timeout SECONDS   default 120; the machine is stopped and the exit code is 124
#   --refresh           look for a newer version of the kernel first
#   --count             let the machine's clock count instructions, a nanosecond each (QEMU's -icount): slow, but
#                       independent of the host's load
#   --console           show the kernel's messages on standard error
#
# Standard output, standard error and the exit code are the command's. If the machine stops by itself, the exit code is
# 125 and its console is on standard error. With 77, this host cannot run test machines; standard error says why.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
source_tree=$(cd "$here/../.." && pwd)
accelerator=${TIERCEL_VM_ACCEL:-tcg}

die() {
    echo "vm: $1" >&2
    exit "${2:-2}"
}

kernel='' architecture=amd64 bare=false modules=false append='' memory=512 cpus=2 timeout=120 refresh=() show_console=false count=() packed=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
        --arch | --file | --modules-tree | --env | --append | --memory | --cpus | --timeout)
            [ $# -gt 1 ] || die "$1 needs a value"
            case $1 in
                --file | --env) packed+=("$1" "$2") ;;
                --modules-tree) packed+=(--modules "$2") ;;
                --arch) architecture=$2 ;;
                --append) append+=" $2" ;;
                --memory) memory=$2 ;;
                --cpus) cpus=$2 ;;
                --timeout) timeout=$2 ;;
            esac
            shift ;;
        --bare) bare=true ;;
        --modules) modules=true ;;
        --refresh) refresh=(--refresh) ;;
        --console) show_console=true ;;
        --count) count=(-icount 'shift=0') ;;
        --help) sed -n '4,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
                exit 0 ;;
        -*) die "unknown option $1" ;;
        *) [ -z "$kernel" ] || die "one kernel at a time (the command comes after --)"
           kernel=$1 ;;
    esac
    shift
done
[ -n "$kernel" ] || die "which kernel? (see: run --help)"
if [ "${1:-}" != -- ] || [ $# -lt 2 ]; then
    die "a command is needed after --"
fi
for number in "$memory" "$cpus" "$timeout"; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || die "'$number' is not a positive number"
done

# On both architectures the console is the first serial port, and the other three become ttyS1 to ttyS3.
case $architecture in
    amd64)
        qemu=qemu-system-x86_64 qemu_package=qemu-system-x86 built=build console=ttyS0
        machine=(-machine "pc,accel=$accelerator" -cpu max "${count[@]+"${count[@]}"}")
        # On a busy host the emulated timer can be late, and the kernel panics: "IO-APIC + timer doesn't work!"
        append+=" no_timer_check"
        ports=(-serial chardev:out -serial chardev:err -serial chardev:exit) ;;
    arm64)
        qemu=qemu-system-aarch64 qemu_package=qemu-system-arm built=build-aarch64 console=ttyAMA0
        machine=(-machine "virt,accel=$accelerator" -cpu "max,pauth-impdef=on") # real pointer authentication is slow to emulate
        ports=(-chardev "null,id=unused"
               -device "pci-serial-4x,chardev1=unused,chardev2=out,chardev3=err,chardev4=exit") ;;
    *) die "no machine for '$architecture': amd64 or arm64" ;;
esac
command -v "$qemu" >/dev/null || die "$qemu is not installed (package $qemu_package)" 77
if [ "$architecture" = arm64 ]; then
    sysroot=$("$source_tree/tools/sysroot") || die "there are no arm64 programs and libraries to put in the machine" 77
    packed+=(--sysroot "$sysroot")
fi

if [ -f "$kernel" ]; then
    vmlinuz=$kernel
    ! $modules || die "--modules needs a kernel of the list; for your own kernel: --modules-tree DIR"
else
    home=$("$here/fetch-kernel.sh" "${refresh[@]+"${refresh[@]}"}" --arch "$architecture" "$kernel")
    vmlinuz=$home/vmlinuz
fi

# Unpacks and indexes the modules of the cached package on first use.
prepare_modules() {
    exec 9>"$home/lock"
    flock 9
    if [ ! -d "$home/modules" ]; then
        command -v depmod >/dev/null || die "depmod is not installed (package kmod)" 77
        rm -rf "$home/unpacked"
        for package in "$home"/packages/*.deb; do
            dpkg-deb -x "$package" "$home/unpacked"
        done
        [ -d "$home/unpacked/lib/modules" ] || mv "$home/unpacked/usr/lib" "$home/unpacked/lib"
        depmod -b "$home/unpacked" "$(cat "$home/version")"
        mv "$home/unpacked/lib/modules" "$home/modules"
        rm -rf "$home/unpacked"
    fi
    exec 9>&-
    packed+=(--modules "$home/modules")
}
! $modules || prepare_modules

if ! $bare; then
    for program in "${TIERCEL_BUILD:-$source_tree/$built}"/bin/*; do
        [ -f "$program" ] && packed=(--file "$program" "${packed[@]+"${packed[@]}"}")
    done
fi

work=$(mktemp -d)
running='' errors=''
finish() {
    [ -z "$running" ] || kill "$running" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"$here/make-initramfs.sh" "$work/initramfs" "${packed[@]+"${packed[@]}"}" -- "$@"

# Standard error goes through a pipe, because QEMU would truncate a file, or could not open it by its path.
exec 4> >(exec cat >&2)
errors=$!
console_target=file:$work/console
$show_console && console_target=file:/dev/fd/4
timeout --foreground -k 5 "$timeout" "$qemu" "${machine[@]}" -smp "$cpus" -m "$memory" \
    -nodefaults -no-user-config -display none -no-reboot \
    -serial "$console_target" \
    -chardev stdio,id=out,signal=off \
    -chardev file,id=err,path=/dev/fd/4,append=on \
    -chardev file,id=exit,path="$work/exit" "${ports[@]}" \
    -kernel "$vmlinuz" -initrd "$work/initramfs" \
    -append "console=$console,115200 quiet panic=-1 oops=panic 8250.nr_uarts=4$append" \
    </dev/null 2>"$work/qemu" &
running=$!
status=0
wait "$running" || status=$?
running=''
exec 4>&-
wait "$errors" 2>/dev/null || true

if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
    $show_console || tail -n 20 "$work/console" >&2
    die "the command did not end within $timeout s" 124
fi
code=$(sed -n 's/^exit \([0-9]*\)\r*$/\1/p' "$work/exit" 2>/dev/null || true)
if [ -z "$code" ]; then
    cat "$work/qemu" >&2
    # An oops and the panic that it ends in take some 90 lines.
    $show_console || tail -n 160 "$work/console" >&2 2>/dev/null || true
    die "the machine died before the command ended" 125
fi
exit "$code"
