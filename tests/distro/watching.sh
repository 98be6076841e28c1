# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# watching: whether programs of another root observe this machine. Sourced behind check.sh, by scripts that set $work, a
# directory for what the programs print.

alerted() {
    cat /etc/shadow >/dev/null
    grep -q 'file=/etc/shadow' "${work:?}/out"
}

# alerts COMMAND...: the command, which watches by the default rules until SIGINT, prints an alert.
alerts() {
    "$@" >"${work:?}/out" 2>&1 &
    local watched=$! good=0
    within 50 alerted || good=1
    pkill -INT -P "$watched" || true
    wait "$watched" || true
    [ "$good" -eq 0 ] || sed 's/^/  /' "${work:?}/out"
    return "$good"
}

# shows WHAT COMMAND...: the command succeeds and prints WHAT.
shows() {
    "${@:2}" >"${work:?}/out" 2>&1 && grep -q -- "$1" "${work:?}/out" && return
    sed 's/^/  /' "${work:?}/out"
    return 1
}
