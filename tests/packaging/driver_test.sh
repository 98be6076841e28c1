#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# driver_test.sh: tiercel-driver against programs that answer as privd and the analyzer do on other kernels.
#
# Usage: driver_test.sh TIERCEL-DRIVER.IN
set -euo pipefail
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
template=${1:?the script before it is configured}
need_root "tiercel-driver"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{bin,etc,usr}
sed -e "s|@CMAKE_INSTALL_FULL_BINDIR@|$work/bin|; s|@TIERCEL_FULL_LIBEXECDIR@|$work/bin|; s|@CMAKE_INSTALL_FULL_SYSCONFDIR@|$work/etc|" \
    -e "s|@CMAKE_INSTALL_PREFIX@|$work/usr|; s|@PROJECT_VERSION@|1.2.3|" -e 's|\[ ! -d /run/systemd/system \]|true|' \
    -e "s|/usr/lib/debug|$work/debug|g" \
    "$template" >"$work/bin/tiercel-driver"
chmod 755 "$work/bin/tiercel-driver"
dropin=$work/etc/systemd/system/tiercel-privd.service.d/tiercel-driver.conf

# kernel_says CAPABILITIES ANSWER AGREE: what `privd --prove-caps --json` finds from now on.
kernel_says() {
    cat >"$work/bin/privd" <<END
#!/bin/sh
cat <<'JSON'
{"driver": "classic", "attempts": [
  {"capabilities": [$1], "plan": "loads", "kernel": "$2", "agree": $3},
  {"capabilities": [], "plan": "fails", "kernel": "EPERM", "agree": true}
], "agree": $3}
JSON
[ $3 = true ]
END
    chmod 755 "$work/bin/privd"
}
cat >"$work/bin/analyzer" <<'END'
#!/bin/sh
# The module is never loaded here.
why=$(cat "$0.blocked" 2>/dev/null)
if [ -z "$why" ] && [ "$4" = module ]; then why='the module is not loaded'; fi
if [ -z "$why" ]; then works=true; else works=false; fi
printf '{\n  "drivers": [\n    {\n      "driver": "%s",\n      "works": %s,\n      "why": "%s",\n' "$4" "$works" "$why"
$works
END
chmod 755 "$work/bin/analyzer"

# run EXIT-CODE TEXT ARGUMENT...: ends so and says that.
run() {
    local status=0
    output=$("$work/bin/tiercel-driver" "${@:3}" 2>&1) || status=$?
    if [ "$status" -ne "$1" ] || [[ $output != *"$2"* ]]; then
        fail "tiercel-driver ${*:3}: exit $status, wanted $1 and '$2'; said: $output"
    fi
}

kernel_says '"cap_sys_admin"' loads true
run 0 "wrote $dropin" load classic_bpf
check "the drop-in grants CAP_SYS_ADMIN in place of BPF and PERFMON" \
    grep -qx 'AmbientCapabilities=CAP_SYS_ADMIN CAP_SYS_RESOURCE CAP_SYS_PTRACE' "$dropin"
check "and bounds to the same" grep -qx 'CapabilityBoundingSet=CAP_SYS_ADMIN CAP_SYS_RESOURCE CAP_SYS_PTRACE' "$dropin"
check "after it has emptied the unit's own lists" [ "$(grep -cE '^(AmbientCapabilities|CapabilityBoundingSet)=$' "$dropin")" -eq 2 ]
kernel_says '"cap_bpf", "cap_perfmon"' loads true
run 0 "needs no more than tiercel-privd.service grants" load classic_bpf
check "a drop-in that grants nothing still names the driver" [ "$(sed -n 's/.* --driver //p' "$dropin")" = classic_bpf ]
check "and grants nothing" [ "$(grep -c Capabilit "$dropin")" -eq 0 ]
run 0 "needs no more than tiercel-privd.service grants" load modern_bpf
check "a drop-in that is not needed any more goes" [ ! -e "$dropin" ]
kernel_says '"cap_sys_admin"' EPERM false
run 1 "does not agree with this kernel" load classic_bpf
check "where the proof fails nothing is granted" [ ! -e "$dropin" ]
kernel_says '"cap_sys_admin"' loads true
run 0 "wrote" load classic_bpf
run 0 "removed $dropin" unload
check "unload leaves nothing" [ ! -e "$(dirname "$dropin")" ]

# auto: a privd that knows another answer for each driver, and no module.
kernel_says_of() { # DRIVER ANSWER
    kernel_says '"cap_bpf", "cap_perfmon"' "$2" "$([ "$2" = loads ] && echo true || echo false)"
    mv "$work/bin/privd" "$work/bin/privd.$1"
}
cat >"$work/privd" <<'END'
#!/bin/sh
exec "$0.$3"
END
chmod 755 "$work/privd"
kernel_says_of modern_bpf EPERM
kernel_says_of classic_bpf loads
cp "$work/privd" "$work/bin/privd"
run 0 'modern_bpf   no       tried with cap_bpf cap_perfmon: EPERM' load auto
check "auto prepares the first that works" [ "$(sed -n 's/.* --driver //p' "$dropin")" = classic_bpf ]
check "and says that it does" grep -q '^classic_bpf  yes  ' <<<"$output"
kernel_says_of modern_bpf loads
cp "$work/privd" "$work/bin/privd"
run 0 'modern_bpf   yes      tried: it loads with' load auto
check "which is the modern one wherever it works, without a drop-in" [ ! -e "$dropin" ]
check "and then tries no other" [ "$(grep -c '^classic_bpf' <<<"$output")" -eq 0 ]
echo 'it is cold here' >"$work/bin/analyzer.blocked"
kernel_says_of modern_bpf EPERM
kernel_says_of classic_bpf EPERM
cp "$work/privd" "$work/bin/privd"
run 1 'no driver for the whole machine works here' load auto
check "after it has said why not the module" grep -q '^module       no       it is cold here$' <<<"$output"
check "and leaves everything as it was" [ ! -e "$dropin" ]
rm "$work/bin/analyzer.blocked" "$work"/bin/privd.*

kernel_says '"cap_sys_admin"' loads true
run 0 'dkms                  ' probe
check "each feature has a value" [ "$(sed '/^$/,$d' <<<"$output" | grep -cE '^[a-z][a-z -]{20} [^ ]')" -eq 6 ]
run 0 'modern_bpf   yes      tried: it loads with cap_sys_admin' probe
run 0 '"driver": "modern_bpf", "works": "yes"' probe --json
check "--json is JSON" python3 -c 'import json, sys; json.loads(sys.argv[1])' "$output"
echo 'it is "cold" here' >"$work/bin/analyzer.blocked"
run 0 'classic_bpf  yes      tried: it loads with cap_sys_admin' probe # what is expected does not keep it from trying
run 0 'module       no       it is "cold" here' probe
run 0 '"why": "it is \"cold\" here"' probe --json
rm "$work/bin/privd" "$work/bin/analyzer.blocked"
run 0 'unknown  this privd cannot try it' probe

# BTF, of symbols as a kernel's debug package has them.
run 1 "no debug symbols of" btf
if command -v pahole >/dev/null && command -v gcc >/dev/null; then
    mkdir -p "$work/debug/boot"
    echo 'struct tiercel_btf_test { int first; long second; } one;' >"$work/one.c"
    gcc -g -c -o "$work/debug/boot/vmlinux-$(uname -r)" "$work/one.c"
    run 0 "wrote $work/made.btf from" btf --output "$work/made.btf"
    check "the file begins as BTF does" [ "$(od -An -tx2 -N2 "$work/made.btf" | tr -d ' ')" = eb9f ]
    check "and describes the symbols' types" grep -q tiercel_btf_test "$work/made.btf"
    echo nonsense >"$work/debug/boot/vmlinux-$(uname -r)"
    run 1 "pahole could not make BTF of" btf --output "$work/made.btf"
else
    echo "SKIPPED: BTF from debug symbols: pahole or gcc is not installed (package dwarves)"
fi

run 2 "no subcommand 'dance'" dance
run 2 "btf takes" btf --fast
run 2 "which subcommand" 
run 2 "load takes" load
run 2 "module takes" module
run 2 "probe takes" probe --xml
run 1 "is missing (package tiercel-dkms)" build
finish
