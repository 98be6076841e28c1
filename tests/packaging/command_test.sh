#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# command_test.sh: each subcommand of tiercel becomes the right program with the right arguments. The programs here only
# print their names and arguments.
#
# Usage: command_test.sh TIERCEL.IN
set -euo pipefail
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
template=${1:?the script before it is configured}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{bin,sbin,libexec,etc/tiercel/rules.d,tree/bin}

# install_tiercel FILE
install_tiercel() {
    sed -e "s|@CMAKE_INSTALL_FULL_BINDIR@|$work/bin|; s|@CMAKE_INSTALL_FULL_SBINDIR@|$work/sbin|" \
        -e "s|@TIERCEL_FULL_LIBEXECDIR@|$work/libexec|; s|@CMAKE_INSTALL_FULL_SYSCONFDIR@|$work/etc|" \
        -e "s|@PROJECT_VERSION@|1.2.3|; s|^state=.*|state=$work/state|" "$template" >"$1"
    chmod 755 "$1"
}
install_tiercel "$work/bin/tiercel"
install_tiercel "$work/tree/bin/tiercel"
for program in bin/analyzer sbin/tiercel-driver libexec/privd tree/bin/{analyzer,privd,tiercel-driver}; do
    # shellcheck disable=SC2016 # the program expands this
    printf '#!/bin/sh\necho "$0 $*"\n' >"$work/$program"
    chmod 755 "$work/$program"
done
rules=$work/etc/tiercel/rules.d


# becomes EXPECTED ARGUMENT...: tiercel with these arguments prints what its program prints, and ends well.
becomes() {
    local expected=$1 status=0 said
    shift
    said=$(cd "$work" && "$tiercel" "$@" 2>&1) || status=$?
    said=${said//"$work/"/}
    if [ "$status" -ne 0 ] || [ "$said" != "$expected" ]; then
        fail "tiercel $*: exit $status, said '$said', not '$expected'"
    fi
}

# refuses EXIT-CODE TEXT ARGUMENT...
refuses() {
    local status=0 said
    said=$("$tiercel" "${@:3}" 2>&1) || status=$?
    if [ "$status" -ne "$1" ] || [[ $said != *"$2"* ]]; then
        fail "tiercel ${*:3}: exit $status, not $1, or without '$2': $said"
    fi
}

tiercel=$work/bin/tiercel
pair='libexec/privd --exec -- bin/analyzer'
refuses 1 "which the service tiercel writes" caps --since-boot
mkdir "$work/state"
boot=$(cat /proc/sys/kernel/random/boot_id)
printf '%s\n' "an-earlier-boot modern_bpf CAP_BPF=9.0" "$boot modern_bpf CAP_BPF=0.060000 CAP_PERFMON=0.060000" \
    "$boot classic_bpf CAP_BPF=0.100000" >"$work/state/capabilities"
becomes 'CAP_BPF          0.160 s
CAP_PERFMON      0.060 s
2 loads since boot' caps --since-boot
becomes 'bin/analyzer --explain-caps --json' caps --json
refuses 1 "no rules in $rules: install the package tiercel-rules" watch
becomes "$pair -r mine.yaml" watch -r mine.yaml
touch "$rules/00-tiercel.yaml"
becomes "$pair -r etc/tiercel/rules.d" watch
becomes "$pair -r etc/tiercel/rules.d -n 5 --json" watch -n 5 --json
becomes "$pair -c mine.yaml" watch -c mine.yaml
becomes "$pair --events --filter evt.type=open and fd.num>3" events --filter 'evt.type=open and fd.num>3'
own='proc.name exists and not proc.name in (privd, privd-classic, privd-module, analyzer)'
becomes "$pair --events --filter $own -n 3" events -n 3
becomes "$pair -r etc/tiercel/rules.d --top" top
becomes "$pair --top -r mine.yaml" top -r mine.yaml
becomes 'bin/analyzer --replay a.scap -r etc/tiercel/rules.d' replay a.scap
becomes 'bin/analyzer --replay - --events -n 3' replay - --events -n 3
becomes 'bin/analyzer --replay a.scap -r etc/tiercel/rules.d --report=out.html' report a.scap -o out.html
becomes 'bin/analyzer --replay d/a.scap.gz --report=a.html -r my.yaml -o k=v' report d/a.scap.gz -r my.yaml -o k=v
becomes 'bin/analyzer --replay a.scap -r etc/tiercel/rules.d --tree --user root' tree a.scap --user root
becomes 'bin/analyzer --replay - -r etc/tiercel/rules.d --timeline' timeline -
becomes "$pair -r etc/tiercel/rules.d --tree -M 1" tree
becomes "$pair -r etc/tiercel/rules.d --tree -M 5" tree -M 5
becomes "$pair -r etc/tiercel/rules.d --timeline --container web" timeline --container web
becomes 'bin/analyzer -V -r etc/tiercel/rules.d' check
becomes 'bin/analyzer -V -r a.yaml -r b.yaml --json' check a.yaml b.yaml --json
becomes 'bin/analyzer -V -c c.yaml' check -c c.yaml
becomes 'bin/analyzer --explain-caps --json' caps --json
becomes 'sbin/tiercel-driver probe --json' drivers --json
becomes 'sbin/tiercel-driver --help' drivers --help
becomes 'bin/analyzer --list-fields --markdown' fields --markdown
becomes $'tiercel watch runs the analyzer, and takes its options:\nbin/analyzer --help' watch --help
becomes 'tiercel 1.2.3' --version

becomes '' record 'a file.scap' -M 1
[ "$(sed "s|$work/||g" "$work/a file.scap")" = "$pair --record - -M 1" ] || fail "record: the file is not the analyzer's standard output"
[ "$(stat -c %a "$work/a file.scap")" = 600 ] || fail "record: others than the owner may read the capture"
becomes '' record a.scap.gz
grep -q -- '--record -.gz$' "$work/a.scap.gz" || fail "record: a file whose name ends in .gz is not packed"

refuses 0 'tiercel SUBCOMMAND'
refuses 0 '  watch  ' --help
refuses 2 "no subcommand 'dance'" dance
refuses 2 'record needs the name of a file' record
refuses 2 'replay needs the name of a capture' replay --events
refuses 2 'report needs the name of a capture' report -o out.html

# In a build tree the programs are the tree's, and so are the rules.
tiercel=$work/tree/bin/tiercel
becomes "$pair -r etc/tiercel/rules.d --top" top
mkdir "$work/tree/rules.d"
touch "$work/tree/rules.d/tiercel.yaml"
becomes 'tree/bin/privd --exec -- tree/bin/analyzer -r tree/rules.d' watch
becomes 'tree/bin/tiercel-driver probe' drivers
ln -s "$work/tree/bin/tiercel" "$work/link"
tiercel=$work/link
becomes 'tree/bin/analyzer --explain-caps' caps

finish
