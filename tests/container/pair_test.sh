#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# pair_test.sh: the pair in containers, as the Kubernetes manifest describes them: its users, capabilities and
# read-only roots, by an OCI runtime, on root file systems made as the images' are, under the shipped seccomp profiles.
#
# Usage: pair_test.sh BUILD SOURCE RUNTIME      RUNTIME: crun or runc
set -u
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
build=${1:?build directory} source=${2:?source tree} runtime=${3:?OCI runtime}
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
manifest=$source/packaging/kubernetes/tiercel.yaml


need_root "an OCI runtime that gives capabilities"
command -v "$runtime" >/dev/null || skip "$runtime is not installed"
/usr/bin/python3 -c 'import yaml' 2>/dev/null || skip "python3-yaml is not installed"

# crun refuses machines where cgroup v1 and v2 are mixed: a mount namespace that shows v2 alone will do, since
# no limit is tested.
if [ -d /sys/fs/cgroup/unified ] && [ -z "${TIERCEL_TEST_UNIFIED:-}" ]; then
    export TIERCEL_TEST_UNIFIED=1
    # shellcheck disable=SC2016 # for the inner shell
    exec unshare --mount sh -c 'umount -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$0" "$@"' \
        "$here/pair_test.sh" "$@"
fi

work=$(mktemp -d)
clean() {
    local container
    for container in privd analyzer other; do oci delete --force "$container" >/dev/null 2>&1; done
    rm -rf "$work"
}
# oci ARGUMENT...: the runtime, with a state of the test's own. No limit is tested, so crun makes no cgroup.
oci() {
    case $runtime in
        crun) crun --root "$work/state" --cgroup-manager disabled "$@" ;;
        *) "$runtime" --root "$work/state" "$@" ;;
    esac
}
trap clean EXIT
chmod 755 "$work"
"$source/packaging/container/rootfs" "$build" "$work/roots" || skip "the root file systems cannot be made here"
check "no image has a shell" is "$(find "$work/roots" -name '*sh' -perm /111 -type f)" ""
check "no image has a setuid file" is "$(find "$work/roots" -perm /6000)" ""
mkdir "$work/shared"
chgrp 65530 "$work/shared" # as the kubelet makes an emptyDir with fsGroup
chmod 2777 "$work/shared"

# bundle NAME CONTAINER PROFILE [KEY=VALUE]...: a bundle of the manifest's container.
bundle() {
    mkdir -p "$work/$1"
    "$here/oci_config.py" "$manifest" "$2" "$work/roots/$2" "$3" "$work/shared" "${@:4}" >"$work/$1/config.json"
}
# start NAME: its output is in NAME.out and NAME.err; its process $pid.
start() {
    oci run --pid-file "$work/$1.pid" --bundle "$work/$1" "$1" \
        >"$work/$1.out" 2>"$work/$1.err" &
    for _ in $(seq 100); do
        if [ -s "$work/$1.pid" ]; then break; fi
        sleep 0.05
    done
    pid=$(cat "$work/$1.pid" 2>/dev/null)
}
confined() { [ "$(status_field "$1" Seccomp)" = 2 ]; }
ended() { [ ! -d "/proc/$1" ]; }
show() { for file in "$work"/*.err; do sed "s|^|  ${file##*/}: |" "$file"; done; }

bundle privd privd "$build/seccomp/privd.json"
start privd
privd=$pid
if [ -z "$privd" ]; then
    show
    bundle other privd none
    start other
    [ -n "$pid" ] || skip "$runtime cannot run a container here"
    fail "the profile lets $runtime start privd"
    finish
fi
check "privd listens" within 5 test -S "$work/shared/privd.sock"
within 5 confined "$privd"
check "as its own user" is "$(status_field "$privd" Uid)" 65531
holds_at_most_two() {
    local held
    held=$(status_field "$privd" CapPrm)
    [ $((0x${held:-ffffffff} & ~0xc000000000)) -eq 0 ]
}
check "holding BPF and PERFMON at the most" within 10 holds_at_most_two

bundle analyzer analyzer "$build/seccomp/analyzer.json"
start analyzer
analyzer=$pid

# alerted: the analyzer has printed an alert about what this shell does on the host.
alerted() {
    cat /etc/shadow >/dev/null
    grep -q '"fd.name":"/etc/shadow"' "$work/analyzer.out"
}
if ! within 10 alerted && grep -q 'not permitted' "$work"/*.err; then
    skip "$(grep -h 'not permitted' "$work"/*.err | head -1)"
fi
# The pair sees the whole machine, not only the namespaces of its containers.
check "an alert comes, of what happens on the host" alerted
check "with the node's name" grep -q '"hostname":"node1"' "$work/analyzer.out"
healthy() {
    [ "$(nsenter --net="/proc/$analyzer/ns/net" /usr/bin/python3 -c 'import urllib.request
print(urllib.request.urlopen("http://127.0.0.1:8765/healthz", timeout=5).status)')" = 200 ]
}
check "the kubelet's probe finds it healthy" within 10 healthy
check "the analyzer is its own user" is "$(status_field "$analyzer" Uid)" 65530
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
    check "the analyzer's $set is empty" is "$(status_field "$analyzer" "$set")" 0000000000000000
done
check "it may not gain any" is "$(status_field "$analyzer" NoNewPrivs)" 1
check "two filters are around it" is "$(status_field "$analyzer" Seccomp_filters)" 2
for set in CapInh CapPrm CapEff CapAmb; do
    check "privd's $set is empty after the hand-over" is "$(status_field "$privd" "$set")" 0000000000000000
done
check "privd may not gain any" is "$(status_field "$privd" NoNewPrivs)" 1
check "privd has stayed, so that the runtime does not start it again" kill -0 "$privd"
kill -TERM "$analyzer"
check "the analyzer ends when told" within 5 ended "$analyzer"
check "and privd with it, for the next" within 5 ended "$privd"
[ "$failures" -eq 0 ] || show

# said TEXT: one of the two containers has printed the text.
said() { cat /etc/shadow >/dev/null; grep -qhE "$1" "$work"/{analyzer,other}.{err,out} || { show; false; }; }

# tells DESCRIPTION TEXT [KEY=VALUE]...: with privd's container changed so, one of the two says the text.
tells() {
    rm -f "$work/shared/privd.sock" "$work"/{other,analyzer}.{pid,out,err}
    oci delete --force other >/dev/null 2>&1
    oci delete --force analyzer >/dev/null 2>&1
    bundle other privd none "${@:3}" 2>/dev/null
    start other
    within 5 test -S "$work/shared/privd.sock"
    start analyzer
    check "$1" within 10 said "$2"
    oci kill other KILL >/dev/null 2>&1
}
tells "with fewer capabilities privd starts, and names what is missing" CAP_PERFMON \
    'capabilities={"drop":["ALL"],"add":["BPF"]}'
tells "no_new_privs keeps the file's capabilities away, and it says so" "CAP_PERFMON and CAP_BPF|CAP_BPF and CAP_PERFMON" \
    allowPrivilegeEscalation=false
tells "unless the runtime has left them permitted before the exec" '"fd.name":"/etc/shadow"' \
    allowPrivilegeEscalation=false permitted=true
tells "another user than the analyzer is not served" 'serves uid 0 only' \
    'args=["--stay", "--peer-user", "root", "--socket", "/run/tiercel/privd.sock"]'

finish
